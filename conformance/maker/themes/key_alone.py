"""The key of a delivery, whatever its event says.

The members that identify the event are needed, or nothing but the bytes where
their digest does: a delivery whose event is malformed can have a key.
"""

import hashlib

from maker.case import EVENTS, OTHER_SECRET, SCHEMES, T, delivery, event_delivery

MALFORMED = "malformed_event"
CONTRADICTS = "header_body_mismatch"
DIGESTED = ("billing", "tv-body-only")
KNOWN = {
    "health": "health:8b2e5c11-1234-4abc-89de-0123456789ab:phi.read",
    "curae": "curae:evt_c1",
    "tv": "tv:evt_abc123",
}
# The member of the type, and a body with all else that identifies the event.
TYPES = {
    "health": ("type", b'"id":"e1"', None),
    "curae": ("eventType", b'"eventId":"e1"', "curae:e1"),
    "tv": ("type", b'"id":"e1"', "tv:e1"),
    "tv-body-only": ("event", b'"n":1', None),
    "billing": ("type", b'"n":1', None),
}
IDS = {"health": ("id", "type"), "curae": ("eventId", "eventType"), "tv": ("id", "type")}


def digest(scheme, body):
    return (f"{scheme}:sha256={hashlib.sha256(body).hexdigest()}",)


def cases():
    yield from known()
    yield from types()
    yield from identities()
    yield from no_object()
    yield from long_bodies()
    yield from headers()
    yield from verified_first()


def known():
    for scheme in SCHEMES:
        body = EVENTS[scheme]
        expected = digest(scheme, body) if scheme in DIGESTED else (KNOWN[scheme],)
        yield f"{scheme}-event", "as the system sends it", event_delivery(scheme), expected


def types():
    for scheme, (name, rest, key) in TYPES.items():
        member = name.encode()
        for case, value in (
            ("missing", b""),
            ("null", b',"%s":null' % member),
            ("empty", b',"%s":""' % member),
            ("number", b',"%s":5' % member),
            ("array", b',"%s":["x"]' % member),
            ("half-a-surrogate-pair", b',"%s":"\\ud83c"' % member),
            ("twice", b',"%s":"x","%s":"y"' % (member, member)),
        ):
            body = b"{" + rest + value + b"}"
            if scheme in DIGESTED:
                comment, expected = "the raw body is the identity, and says no type", digest(scheme, body)
            elif key:
                comment, expected = "the id alone is the identity", (key,)
            else:
                comment, expected = "in health the type is part of the identity", MALFORMED
            yield f"{scheme}-type-{case}", comment, delivery(scheme, body), expected


def identities():
    for scheme, (name, kind) in IDS.items():
        for case, member in (
            ("missing", b""),
            ("null", b',"%s":null' % name.encode()),
            ("empty", b',"%s":""' % name.encode()),
            ("number", b',"%s":5' % name.encode()),
            ("twice", b',"%s":"e1","%s":"e1"' % (name.encode(), name.encode())),
        ):
            body = b'{"%s":"t"%s}' % (kind.encode(), member)
            yield (
                f"{scheme}-id-{case}",
                "without its id an event has no identity",
                delivery(scheme, body),
                MALFORMED,
            )
        yield (
            f"{scheme}-neither-id-nor-type",
            "without its id an event has no identity",
            delivery(scheme, b"{}"),
            MALFORMED,
        )


def no_object():
    for scheme in SCHEMES:
        for name, body in (
            ("empty", b""),
            ("text", b"no json"),
            ("cut", b'{"id":"e1","eventId":"e1","type":"t"'),
            ("array", b'[{"id":"e1","eventId":"e1","type":"t"}]'),
            ("null", b"null"),
            ("non-utf-8", b'{"id":"e1","eventId":"e1","type":"t","n":"\xff"}'),
            ("depth-65", b'{"id":"e1","eventId":"e1","type":"t","n":' + b"[" * 64 + b"]" * 64 + b"}"),
        ):
            if scheme in DIGESTED:
                comment, expected = "bytes of any kind have a digest", digest(scheme, body)
            else:
                comment, expected = "what is no JSON object names no id", MALFORMED
            yield f"{scheme}-body-{name}", comment, delivery(scheme, body), expected


def long_bodies():
    padding = b"x" * 5000
    yield (
        "tv-type-missing-long",
        "a long body is read like a short one",
        delivery("tv", b'{"id":"e1","note":"%s"}' % padding),
        ("tv:e1",),
    )
    yield (
        "billing-body-text-long",
        "a long body is read like a short one",
        delivery("billing", padding),
        digest("billing", padding),
    )


def headers():
    for scheme, header in (
        ("curae", "CuraeAI-Event-Id"),
        ("curae", "CuraeAI-Event-Type"),
        ("tv", "X-Velora-Event"),
        ("tv-body-only", "X-Velora-Event"),
    ):
        yield (
            f"{scheme}-{header.lower()}-contradicts",
            "reading a key compares the headers too",
            event_delivery(scheme).header(header, "x"),
            CONTRADICTS,
        )
    yield (
        "curae-id-contradicts-without-type",
        "so it does where there is no event",
        delivery("curae", b'{"eventId":"e1"}').add("CuraeAI-Event-Id", "e2"),
        CONTRADICTS,
    )
    yield (
        "curae-type-contradicts-without-id",
        "a header that lies comes before a member that is absent",
        delivery("curae", b'{"eventType":"a.b"}').add("CuraeAI-Event-Type", "x"),
        CONTRADICTS,
    )
    yield (
        "curae-id-does-not-stand-in",
        "what the body does not say is not taken from a header",
        delivery("curae", b'{"eventType":"a.b"}').add("CuraeAI-Event-Id", "e1"),
        MALFORMED,
    )
    yield (
        "tv-type-of-the-header-alone",
        "a body that does not say it contradicts nothing",
        delivery("tv", b'{"id":"e1"}').add("X-Velora-Event", "x"),
        ("tv:e1",),
    )
    yield (
        "tv-body-only-header-and-no-json",
        "a body that does not say it contradicts nothing",
        delivery("tv-body-only", b"no json").add("X-Velora-Event", "x"),
        digest("tv-body-only", b"no json"),
    )


def verified_first():
    yield (
        "mismatch-before-key",
        "what is not genuine has no key",
        delivery("billing", b"no json").with_secrets(OTHER_SECRET),
        "signature_mismatch",
    )
    yield (
        "old-before-key",
        "what is stale has no key",
        delivery("billing", b"no json").but(now=T + 301),
        "timestamp_too_old",
    )
