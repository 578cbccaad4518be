"""Headers outside the MAC that repeat a member of the verified body.

What the body does not say, no header contradicts; reading such a body as an
event is another matter.
"""

from maker.case import OK, T, delivery, event_delivery

CONTRADICTS = "header_body_mismatch"
BOUND = (
    ("curae", "CuraeAI-Event-Id", "eventId"),
    ("curae", "CuraeAI-Event-Type", "eventType"),
    ("tv", "X-Velora-Event", "type"),
    ("tv-body-only", "X-Velora-Event", "event"),
)


def cases():
    for scheme, header, member in BOUND:
        yield from of_header(scheme, header, member)
    yield (
        "curae-both-contradict",
        "both headers lie",
        event_delivery("curae")
        .header("CuraeAI-Event-Id", "evt_other")
        .header("CuraeAI-Event-Type", "user.graduated"),
        CONTRADICTS,
    )
    yield (
        "curae-swapped",
        "each header is held against its own member",
        event_delivery("curae")
        .header("CuraeAI-Event-Id", "records.export_ready")
        .header("CuraeAI-Event-Type", "evt_c1"),
        CONTRADICTS,
    )
    yield (
        "curae-id-agrees-type-missing",
        "one header alone",
        event_delivery("curae").without("CuraeAI-Event-Type"),
        OK,
    )
    yield (
        "health-event-header",
        "health has no such header: it is not looked at",
        event_delivery("health").add("X-Velora-Event", "phi.export"),
        OK,
    )
    yield (
        "billing-event-header",
        "Billing's header tells what the body may not; it is kept apart as unsigned, not compared",
        event_delivery("billing").header("X-Webhook-Event", "invoice.created"),
        OK,
    )
    yield (
        "tv-body-only-type-member",
        "the body-only form has its type in `event`; `type` is a member like any other",
        delivery("tv-body-only", b'{"event":"channel.follow","type":"x"}').add(
            "X-Velora-Event", "channel.follow"
        ),
        OK,
    )
    yield (
        "tv-event-member",
        "the default form has its type in `type`; `event` is a member like any other",
        delivery("tv", b'{"id":"e","type":"stream.online","event":"x"}').add(
            "X-Velora-Event", "stream.online"
        ),
        OK,
    )


def of_header(scheme, header, member):
    name = f"{scheme}-{member}"

    def sent(body, value):
        return delivery(scheme, body).add(header, value)

    def json(value):
        return b'{"%s":%s}' % (member.encode(), value)

    yield f"{name}-agrees", "header and body say the same", sent(json(b'"a.b"'), "a.b"), OK
    yield f"{name}-contradicts", "header and body differ", sent(json(b'"a.b"'), "a.c"), CONTRADICTS
    yield (
        f"{name}-other-case",
        "values are compared to the letter",
        sent(json(b'"a.b"'), "A.b"),
        CONTRADICTS,
    )
    yield f"{name}-empty-header", "an empty header differs too", sent(json(b'"a.b"'), ""), CONTRADICTS
    yield f"{name}-empty-member", "an empty text differs too", sent(json(b'""'), "a.b"), CONTRADICTS
    yield (
        f"{name}-lower-case-name",
        "names of headers in any case",
        delivery(scheme, json(b'"a.b"')).add(header.lower(), "a.c"),
        CONTRADICTS,
    )
    yield f"{name}-absent", "no header, nothing to compare", delivery(scheme, json(b'"a.b"')), OK
    yield (
        f"{name}-twice-agreeing",
        "outside the MAC twice is no fault in itself",
        sent(json(b'"a.b"'), "a.b").add(header, "a.b"),
        OK,
    )
    yield (
        f"{name}-twice-one-contradicts",
        "each value is compared, not the first alone",
        sent(json(b'"a.b"'), "a.b").add(header, "a.c"),
        CONTRADICTS,
    )
    yield (
        f"{name}-escaped",
        "the text is compared, not its spelling in JSON",
        sent(json(b'"a\\u002eb"'), "a.b"),
        OK,
    )
    yield (
        f"{name}-non-ascii",
        "texts are compared as UTF-8",
        sent(json('"zoë"'.encode()), "zoë"),
        OK,
    )
    silent = (
        ("member-missing", b'{"other":"a.b"}'),
        ("member-null", json(b"null")),
        ("member-number", json(b"1")),
        ("member-object", json(b'{"a":"b"}')),
        ("member-half-a-surrogate-pair", json(b'"\\ud83c"')),
        ("member-nested", b'{"data":{"%s":"a.b"}}' % member.encode()),
        ("member-twice", b'{"%s":"a.b","%s":"a.c"}' % (member.encode(), member.encode())),
        ("no-json", b"a.b"),
        ("cut-json", json(b'"a.b"')[:-1]),
        ("array", b'["a.b"]'),
        ("empty-body", b""),
        ("non-utf-8", b'{"%s":"a.b","x":"\xff"}' % member.encode()),
        ("bom", b"\xef\xbb\xbf" + json(b'"a.b"')),
    )
    for case, body in silent if scheme == "tv" else silent[:4]:
        yield (
            f"{name}-{case}",
            "a body that does not say it contradicts nothing",
            sent(body, "a.c"),
            OK,
        )
    yield (
        f"{name}-old",
        "the tolerance holds for such a delivery as for any other",
        sent(json(b'"a.b"'), "a.b").but(now=T + 301),
        "timestamp_too_old",
    )
