"""Members that are as documented, and those that are kept in `extra`."""

from maker.case import delivery

NAMES = {
    "health": (b'"id":"e1","type":"phi.read"', ("phi.read", "health:e1:phi.read")),
    "curae": (b'"eventId":"e1","eventType":"t"', ("t", "curae:e1")),
    "tv": (b'"id":"e1","type":"stream.online"', ("stream.online", "tv:e1")),
    "tv-offline": (b'"id":"e1","type":"stream.offline"', ("stream.offline", "tv:e1")),
}
STREAM = '"streamId":"s","userId":"u"'
TIMES = {
    "utc": ("2026-05-03T14:22:01Z", True),
    "offset": ("2026-05-03T14:22:01.123456789-05:30", True),
    "small-letters": ("2026-05-03t14:22:01z", True),
    "blank": ("2026-05-03 14:22:01Z", True),
    "without-seconds": ("2026-05-03T14:22+0200", True),
    "leap-second": ("2026-06-30T23:59:60Z", True),
    "leap-day": ("2024-02-29T00:00:00Z", True),
    "no-leap-day": ("2026-02-29T00:00:00Z", False),
    "local": ("2026-05-03T14:22:01", False),
    "date": ("2026-05-03", False),
    "ten-digits": ("2026-05-03T14:22:01.1234567890Z", False),
    "hour-24": ("2026-05-03T24:00:00Z", False),
    "month-13": ("2026-13-03T14:22:01Z", False),
    "day-0": ("2026-05-00T14:22:01Z", False),
    "second-61": ("2026-05-03T14:22:61Z", False),
    "offset-24": ("2026-05-03T14:22:01+24:00", False),
    "year-9999": ("9999-12-31T23:59:59Z", False),
    "year-0": ("0000-01-01T00:00:00Z", False),
    "year-1": ("0001-01-01T00:00:00Z", True),
    "year-1-of-utc": ("0001-01-01T00:01:00+00:01", True),
    "year-0-of-utc": ("0001-01-01T00:00:59+00:01", False),
    "blank-behind": ("2026-05-03T14:22:01Z ", False),
    "other-digits": ("\u0662026-05-03T14:22:01Z", False),
    "empty": ("", False),
    "words": ("yesterday", False),
}


def event(system, rest, extra):
    names, expected = NAMES[system]
    body = b"{" + names + b"," + rest.encode() + b"}"
    return delivery(system.removesuffix("-offline"), body), (*expected, extra)


def cases():
    for name, system, rest, extra in (
        ("unknown", "health", '"new":1,"newer":{"a":[]}', ["new", "newer"]),
        ("called-extra", "health", '"extra":{"a":1}', ["extra"]),
        ("of-the-prototype", "health", '"__proto__":{"a":1},"constructor":1', ["__proto__", "constructor"]),
        ("null", "health", '"tenant_id":null,"actor":null,"success":null,"details":null', []),
        ("unknown-null", "health", '"new":null', ["new"]),
        ("number-for-text", "health", '"tenant_id":7', ["tenant_id"]),
        ("text-for-flag", "health", '"success":"true","phi_involved":0', ["phi_involved", "success"]),
        ("text-for-object", "health", '"actor":"u","resource":[]', ["actor", "resource"]),
        ("anything-in-details", "health", '"details":[1,"a",null]', []),
        ("half-a-character", "health", '"tenant_id":"\\ud800"', ["tenant_id"]),
        ("whole-character", "health", '"tenant_id":"\\ud83d\\ude00"', []),
        ("empty-text", "health", '"tenant_id":""', []),
        ("repeated", "health", '"success":true,"success":true', ["success"]),
        ("repeated-by-escape", "health", '"success":true,"succes\\u0073":true', ["success"]),
        ("repeated-object", "health", '"actor":{},"actor":{}', ["actor"]),
        ("repeated-unknown", "health", '"new":1,"new":2', ["new"]),
        ("in-objects", "health", '"actor":{"x":1,"user_id":"u"},"resource":{"id":1}', ["actor.x", "resource.id"]),
        ("repeated-in-object", "health", '"actor":{"user_id":"u","user_id":"v"}', ["actor.user_id"]),
        ("empty-object", "health", '"actor":{}', []),
        ("called-extra-in-object", "health", '"actor":{"extra":{}}', ["actor.extra"]),
        ("of-curae", "curae", '"data":"text","id":"x"', ["id"]),
        ("of-curae-repeated", "curae", '"data":1,"data":2', ["data"]),
        ("of-stream-online", "tv", f'"data":{{{STREAM},"viewers":1,"title":2}}', ["data.title", "data.viewers"]),
        ("of-no-stream", "tv", '"data":{"streamId":"s","viewers":1}', ["data"]),
        ("of-stream-with-extra", "tv", '"data":{"streamId":"s","userId":false,"extra":["x"]}', ["data"]),
        ("of-null-stream", "tv", '"data":null', []),
        ("of-empty-stream-id", "tv", '"data":{"streamId":"","userId":"u","viewers":1}', ["data"]),
        ("of-repeated-stream-id", "tv", f'"data":{{{STREAM},"userId":"u","viewers":1}}', ["data"]),
        ("of-stream-offline", "tv-offline", f'"data":{{{STREAM},"viewers":1}}', []),
        ("of-tv", "tv", '"event":"stream.online","timestamp":"now"', ["event", "timestamp"]),
    ):
        yield name, "what is not as documented is kept, in `extra`", *event(system, rest, extra)
    for name, (text, good) in TIMES.items():
        comment = "a time in RFC 3339, or extra"
        yield f"time-{name}", comment, *event("health", f'"timestamp":"{text}"', [] if good else ["timestamp"])
        started = f'"data":{{{STREAM},"startedAt":"{text}"}}'
        yield f"started-{name}", comment, *event("tv", started, [] if good else ["data.startedAt"])
