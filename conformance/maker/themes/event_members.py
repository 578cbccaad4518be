"""Reading the verified body: what is an event, what is not, and of which type."""

import hashlib

from maker.case import EVENTS, OTHER_SECRET, SCHEMES, T, delivery, event_delivery

MALFORMED = "malformed_event"
# Some of each catalogue: a type is passed on as written, whether known or not.
CURAE_TYPES = ("patient.created", "connection.action_required", "user.graduated")
TV_TYPES = ("stream.offline", "user.authorization.revoke", "channel.subscription.gift")
HEALTH = ("phi.read", "health:e1:phi.read")
SMALLEST = {
    "health": b'{"id":"e1","type":"phi.read"}',
    "billing": b'{"type":"t"}',
    "curae": b'{"eventId":"e1","eventType":"t"}',
    "tv": b'{"id":"e1","type":"t"}',
    "tv-body-only": b'{"event":"t"}',
}


def digest(body):
    return f"sha256={hashlib.sha256(body).hexdigest()}"


def health(rest):
    """The smallest body of a health event, and more members after it."""
    return delivery("health", SMALLEST["health"][:-1] + rest + b"}")


def cases():
    yield from known()
    yield from required()
    yield from repeated()
    yield from tolerated()
    yield from no_json()
    yield from depths()
    yield from billing()
    yield from verified_first()


def known():
    expected = {
        "health": (
            "phi.read",
            "health:8b2e5c11-1234-4abc-89de-0123456789ab:phi.read",
        ),
        "billing": ("dispute.sla_breached", f"billing:{digest(EVENTS['billing'])}"),
        "curae": ("records.export_ready", "curae:evt_c1"),
        "tv": ("stream.online", "tv:evt_abc123"),
        "tv-body-only": ("channel.follow", f"tv-body-only:{digest(EVENTS['tv-body-only'])}"),
    }
    for scheme in SCHEMES:
        yield f"{scheme}-event", "as the system sends it", event_delivery(scheme), expected[scheme]
    for kind in CURAE_TYPES:
        body = b'{"eventType":"%s","eventId":"evt_1","data":{}}' % kind.encode()
        yield f"curae-{kind}", "of the event catalogue", delivery("curae", body), (
            kind,
            "curae:evt_1",
        )
    for kind in TV_TYPES:
        body = b'{"id":"evt_1","type":"%s","data":{}}' % kind.encode()
        yield f"tv-{kind}", "of the event catalogue", delivery("tv", body), (kind, "tv:evt_1")
    for name, kind in (
        ("of-another-system", "phi.query"),
        ("newer", "stream.paused"),
        ("without-dot", "x"),
        ("non-ascii", "Ünïcode 🎉"),
    ):
        body = f'{{"id":"e1","type":"{kind}"}}'.encode()
        yield (
            f"tv-unknown-{name}",
            "an unknown type is an event, not an error",
            delivery("tv", body),
            (kind, "tv:e1"),
        )
    yield (
        "curae-unknown",
        "an unknown type is an event, not an error",
        delivery("curae", b'{"eventType":"future.thing","eventId":"e1"}'),
        ("future.thing", "curae:e1"),
    )
    yield (
        "health-type-of-another-case",
        "types are compared to the letter, and kept as written",
        delivery("health", b'{"id":"e1","type":"PHI.Read"}'),
        ("PHI.Read", "health:e1:PHI.Read"),
    )


def required():
    members = {
        "health": ("id", "type"),
        "curae": ("eventId", "eventType"),
        "tv": ("id", "type"),
        "tv-body-only": ("event",),
    }
    for scheme, names in members.items():
        for name in names:
            others = b"".join(b',"%s":"x"' % other.encode() for other in names if other != name)
            faults = (
                ("missing", b'"other":"x"'),
                ("null", b'"%s":null' % name.encode()),
                ("empty", b'"%s":""' % name.encode()),
                ("number", b'"%s":5' % name.encode()),
                ("array", b'"%s":["x"]' % name.encode()),
                ("other-case", b'"%s":"x"' % name.upper().encode()),
            )
            for case, member in faults if scheme == "health" else faults[:3]:
                yield (
                    f"{scheme}-{name}-{case}",
                    "a text that is not empty: every event has it",
                    delivery(scheme, b"{" + member + others + b"}"),
                    MALFORMED,
                )
    yield (
        "tv-id-of-half-a-surrogate-pair",
        "an escape that names half a character is no text",
        delivery("tv", b'{"id":"\\ud83c","type":"t"}'),
        MALFORMED,
    )
    yield (
        "tv-id-of-a-surrogate-pair",
        "two escapes that name one character are",
        delivery("tv", b'{"id":"\\ud83c\\udf89","type":"t"}'),
        ("t", "tv:%F0%9F%8E%89"),
    )
    yield (
        "tv-name-of-half-a-surrogate-pair",
        "nor is such a name, and a member without a name could be any",
        delivery("tv", b'{"id":"e1","type":"t","\\ud83c":1}'),
        MALFORMED,
    )
    yield (
        "tv-id-nested",
        "the id is a member of the body itself",
        delivery("tv", b'{"data":{"id":"e1"},"type":"t"}'),
        MALFORMED,
    )


def repeated():
    for scheme, name, body in (
        ("health", "id", b'{"id":"e1","type":"phi.read","id":"e2"}'),
        ("health", "type", b'{"id":"e1","type":"phi.read","type":"phi.query"}'),
        ("health", "id-agreeing", b'{"id":"e1","type":"phi.read","id":"e1"}'),
        ("curae", "id", b'{"eventId":"e1","eventType":"t","eventId":"e2"}'),
        ("curae", "type", b'{"eventId":"e1","eventType":"t","eventType":"u"}'),
        ("tv", "id", b'{"id":"e1","id":"e2","type":"t"}'),
        ("tv", "type-null", b'{"id":"e1","type":"t","type":null}'),
        ("tv-body-only", "type", b'{"event":"t","event":"u"}'),
        ("billing", "type", b'{"type":"t","type":"u"}'),
    ):
        yield (
            f"{scheme}-{name}-twice",
            "which of two would count depends on the reader, even where they agree",
            delivery(scheme, body),
            MALFORMED,
        )
    yield (
        "tv-twice-escaped",
        "the same name in another spelling is the same name",
        delivery("tv", b'{"id":"e1","type":"t","\\u0069d":"e2"}'),
        MALFORMED,
    )
    yield (
        "health-twice-unread",
        "a repeated member that nobody reads harms nobody",
        health(b',"note":1,"note":2'),
        HEALTH,
    )
    yield (
        "health-twice-optional",
        "an event is not lost because of a member that it could do without",
        health(b',"success":true,"success":false'),
        HEALTH,
    )
    yield (
        "health-twice-nested",
        "an `id` inside another member is another member",
        health(b',"details":{"id":"x","type":"y"}'),
        HEALTH,
    )


def tolerated():
    for name, rest in (
        ("timestamp-no-time", b',"timestamp":"yesterday"'),
        ("timestamp-number", b',"timestamp":1717423320'),
        ("timestamp-null", b',"timestamp":null'),
        ("actor-text", b',"actor":"u-1234"'),
        ("actor-null", b',"actor":null'),
        ("actor-empty", b',"actor":{}'),
        ("resource-array", b',"resource":[]'),
        ("phi-involved-text", b',"phi_involved":"yes"'),
        ("success-number", b',"success":1'),
        ("details-text", b',"details":"{}"'),
        ("schema-version-number", b',"schema_version":2'),
        ("unknown-members", b',"new":{"a":[1,2,{"b":null}]},"other":true'),
        ("huge-number", b',"n":1' + b"0" * 400),
        ("fraction", b',"n":-0.1e-999'),
        ("half-a-surrogate-pair-elsewhere", b',"note":"\\ud83c"'),
    ):
        yield (
            f"health-{name}",
            "an optional member of an undocumented type does not cost the event",
            health(rest),
            HEALTH,
        )
    yield (
        "health-other-order",
        "members in any order, with any blanks",
        delivery("health", b' {\n\t"type" : "phi.read" ,\r\n "id":"e1" } \n'),
        HEALTH,
    )
    yield (
        "tv-stream-online-undocumented-data",
        "data of another shape than the documented one",
        delivery("tv", b'{"id":"e1","type":"stream.online","data":{"streamId":5}}'),
        ("stream.online", "tv:e1"),
    )
    yield (
        "curae-data-null",
        "an event without a payload",
        delivery("curae", b'{"eventId":"e1","eventType":"user.graduated","data":null}'),
        ("user.graduated", "curae:e1"),
    )


def no_json():
    for scheme in ("health", "billing", "tv-body-only"):
        body = SMALLEST[scheme]
        for name, broken in (
            ("empty", b""),
            ("non-utf-8", body[:-2] + b'\xff"}'),
            ("bom", b"\xef\xbb\xbf" + body),
            ("array", b"[" + body + b"]"),
        ):
            yield (
                f"{scheme}-body-{name}",
                "verified, but not the system's JSON",
                delivery(scheme, broken),
                MALFORMED,
            )
    body = SMALLEST["tv"]
    for name, broken in (
        ("bom", b"\xef\xbb\xbf" + body),
        ("non-utf-8", body[:-2] + b'\xff"}'),
        ("text", b'"e1"'),
        ("number", b"1"),
        ("cut", body[:-1]),
        ("trailing-comma", body[:-1] + b",}"),
        ("trailing-bytes", body + b"x"),
        ("two-values", body + body),
        ("comment", body + b" // x"),
        ("single-quotes", body.replace(b'"', b"'")),
        ("name-without-quotes", b'{id:"e1","type":"t"}'),
        ("nan", body[:-1] + b',"n":NaN}'),
        ("infinity", body[:-1] + b',"n":-Infinity}'),
        ("leading-zero", body[:-1] + b',"n":01}'),
        ("line-end-in-text", body[:-1] + b',"n":"a\nb"}'),
        ("zero-byte-in-text", body[:-1] + b',"n":"a\x00b"}'),
        ("unknown-escape", body[:-1] + b',"n":"\\x41"}'),
        ("no-break-space-around", b"\xc2\xa0" + body),
        ("unclosed-text", b'{"id":"e1","type":"t'),
        ("brackets-that-do-not-match", b'{"id":"e1","type":"t","n":[}]'),
    ):
        yield f"tv-body-{name}", "verified, but not JSON", delivery("tv", broken), MALFORMED


def depths():
    def nested(levels, opening=b"[", closing=b"]"):
        return health(b',"n":' + opening * levels + b"1" + closing * levels)

    # The body itself is the first level.
    yield "health-depth-64", "64 levels are not too deep", nested(63), HEALTH
    yield "health-depth-65", "65 levels are", nested(64), MALFORMED
    yield "health-depth-64-objects", "objects count like arrays", nested(63, b'{"a":', b"}"), HEALTH
    yield "health-depth-65-objects", "objects count like arrays", nested(64, b'{"a":', b"}"), MALFORMED
    yield "health-depth-1000", "no depth exhausts a stack", nested(1000), MALFORMED
    yield (
        "health-brackets-side-by-side",
        "many arrays beside each other are not deep",
        health(b',"n":[' + b",".join([b"[]"] * 70) + b"]"),
        HEALTH,
    )
    yield (
        "health-brackets-in-text",
        "brackets inside a text open nothing",
        health(b',"n":"' + b"[{" * 40 + b'\\"[["'),
        HEALTH,
    )
    yield "billing-depth-65", "the bound holds for every system", delivery(
        "billing", b'{"type":"t","n":' + b"[" * 64 + b"]" * 64 + b"}"
    ), MALFORMED


def billing():
    for name, body, hint, kind in (
        ("type", b'{"type":"a.b"}', None, "a.b"),
        ("event", b'{"event":"a.b"}', None, "a.b"),
        ("type-before-event", b'{"event":"x","type":"a.b"}', None, "a.b"),
        ("body-before-header", b'{"type":"a.b"}', "x", "a.b"),
        ("event-before-header", b'{"event":"a.b"}', "x", "a.b"),
        ("header-alone", b'{"disputeId":"d"}', "a.b", "a.b"),
        ("type-null", b'{"type":null}', "a.b", "a.b"),
        ("type-number", b'{"type":5,"event":"a.b"}', None, "a.b"),
        ("nothing-says-so", b'{"disputeId":"d"}', None, None),
        ("empty-object", b"{}", None, None),
    ):
        case = delivery("billing", body)
        if hint:
            case = case.add("x-webhook-event", hint)
        yield (
            f"billing-type-{name}",
            "the envelope is not documented: `type` or `event` of the body, else the unsigned header",
            case,
            (kind, f"billing:{digest(body)}"),
        )


def verified_first():
    yield (
        "mismatch-before-malformed",
        "nothing is read before the MAC has held",
        delivery("tv", b"no json").with_secrets(OTHER_SECRET),
        "signature_mismatch",
    )
    yield (
        "old-before-malformed",
        "nothing stale is read",
        delivery("tv", b"no json").but(now=T + 301),
        "timestamp_too_old",
    )
    yield (
        "contradiction",
        "reading an event compares the headers too",
        event_delivery("tv").header("X-Velora-Event", "stream.offline"),
        "header_body_mismatch",
    )
    yield (
        "contradiction-before-missing-member",
        "a header that lies comes before a member that is absent",
        delivery("curae", b'{"eventType":"a.b"}').add("CuraeAI-Event-Type", "x"),
        "header_body_mismatch",
    )
    yield (
        "header-does-not-stand-in-for-a-member",
        "what the body does not say is not taken from a header",
        delivery("curae", b'{"eventType":"a.b"}').add("CuraeAI-Event-Id", "e1"),
        MALFORMED,
    )
