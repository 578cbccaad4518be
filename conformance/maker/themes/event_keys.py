"""The key: the authenticated identity that events are deduplicated on.

Percent-encoding keeps the parts apart; a key over 255 bytes is replaced by the
digest of its text.
"""

import hashlib
import json
import urllib.parse

from maker.case import SECRET, OTHER_SECRET, T, delivery, event_delivery

UNRESERVED = "ABCXYZabcxyz0189-._~"
KIND = "phi.read"


def health(event_id, kind=KIND):
    body = json.dumps({"id": event_id, "type": kind}, ensure_ascii=False).encode()
    return delivery("health", body)


def digest(content):
    return f"sha256={hashlib.sha256(content).hexdigest()}"


def cases():
    yield "plain", "scheme, id and type", health("evt_1"), (KIND, "health:evt_1:phi.read")
    for name, event_id, escaped in (
        ("colon", "a:b", "a%3Ab"),
        ("colon-alone", ":", "%3A"),
        ("percent", "a%3Ab", "a%253Ab"),
        ("slash", "a/b", "a%2Fb"),
        ("blank", "a b", "a%20b"),
        ("blank-alone", " ", "%20"),
        ("plus", "a+b", "a%2Bb"),
        ("equals", "sha256=00", "sha256%3D00"),
        ("unreserved", UNRESERVED, UNRESERVED),
        ("punctuation", "!\"#$&'()*,;<>?@[\\]^`{|}", None),
        ("control-characters", "a\x00\n\x7f", "a%00%0A%7F"),
        ("two-bytes", "é", "%C3%A9"),
        ("four-bytes", "🔑", "%F0%9F%94%91"),
        ("composed", "caf\u00e9", "caf%C3%A9"),
        ("decomposed", "cafe\u0301", "cafe%CC%81"),
        ("case", "EVT_1", "EVT_1"),
    ):
        escaped = escaped or urllib.parse.quote(event_id, safe="")
        yield (
            f"id-with-{name}",
            "letters, digits, `-`, `.`, `_` and `~` stay, every other byte is percent-encoded",
            health(event_id),
            (KIND, f"health:{escaped}:phi.read"),
        )
    yield (
        "parts-cannot-be-shifted",
        "an id and a type that join to the same text as others have another key",
        health("a", "b:c"),
        ("b:c", "health:a:b%3Ac"),
    )
    yield (
        "parts-cannot-be-shifted-back",
        "an id and a type that join to the same text as others have another key",
        health("a:b", "c"),
        ("c", "health:a%3Ab:c"),
    )
    yield (
        "same-id-of-another-type",
        "in health the id alone is not the identity",
        health("evt_1", "phi.query"),
        ("phi.query", "health:evt_1:phi.query"),
    )
    yield (
        "same-id-of-another-scheme",
        "events of different schemes never share a key",
        delivery("tv", b'{"id":"evt_1","type":"phi.read"}'),
        (KIND, "tv:evt_1"),
    )
    yield (
        "escaped-in-json",
        "the text counts, not its spelling in JSON",
        delivery("health", b'{"id":"\\u0065vt_1","type":"phi\\u002eread"}'),
        (KIND, "health:evt_1:phi.read"),
    )

    longest = 255 - len("tv:")
    yield from long_tv("255-bytes", "a" * longest, "tv:" + "a" * longest)
    yield from long_tv("256-bytes", "a" * (longest + 1))
    yield from long_tv("500-bytes", "a" * 500)
    yield from long_tv("255-bytes-escaped", "é" * 42, "tv:" + "%C3%A9" * 42)
    yield from long_tv("over-255-bytes-escaped", "é" * 43)

    for scheme in ("billing", "tv-body-only"):
        member = "type" if scheme == "billing" else "event"
        for name, body in (
            ("compact", f'{{"{member}":"a.b"}}'),
            ("spaced", f'{{"{member}": "a.b"}}'),
            ("with-id", f'{{"{member}":"a.b","id":"evt_1"}}'),
            ("line-end", f'{{"{member}":"a.b"}}\n'),
        ):
            yield (
                f"{scheme}-digest-{name}",
                "no id is documented: the raw body is the identity, to the byte",
                delivery(scheme, body.encode()),
                ("a.b", f"{scheme}:{digest(body.encode())}"),
            )
    body = b'{"type":"a.b"}'
    for name, case in (
        ("delivery-header", delivery("billing", body).add("X-Webhook-Delivery", "del_other")),
        ("timestamp", delivery("billing", body, stamp=T - 60)),
        ("secret", delivery("billing", body, secrets=(OTHER_SECRET,))),
    ):
        yield (
            f"billing-digest-other-{name}",
            "nothing outside the MAC changes the key, nor does the secret",
            case,
            ("a.b", f"billing:{digest(body)}"),
        )
    yield (
        "curae-key-without-headers",
        "the id comes from the body, with the header or without it",
        event_delivery("curae").without("CuraeAI-Event-Id"),
        ("records.export_ready", "curae:evt_c1"),
    )
    yield (
        "health-key-of-a-retry",
        "a retry has another time and another signature, and the same key",
        delivery("health", b'{"id":"evt_1","type":"phi.read"}', stamp=T + 120, now=T + 121)
        .with_secrets(OTHER_SECRET, SECRET),
        (KIND, "health:evt_1:phi.read"),
    )


def long_tv(name, event_id, key=None):
    escaped = "tv:" + urllib.parse.quote(event_id, safe="")
    yield (
        f"tv-{name}",
        "a key has 255 bytes at most, so that it fits any store",
        delivery("tv", json.dumps({"id": event_id, "type": "t"}).encode()),
        ("t", key or f"tv:{digest(escaped.encode())}"),
    )
