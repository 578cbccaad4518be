"""Deliveries as the systems send them."""

from maker.case import BODY, EVENTS, OK, SCHEMES, T, delivery, event_delivery


def cases():
    for scheme in SCHEMES:
        yield f"{scheme}-event", "as the system sends it", event_delivery(scheme), OK
        yield (
            f"{scheme}-later",
            "received a minute after it was signed",
            event_delivery(scheme).but(now=T + 60),
            OK,
        )
        yield (
            f"{scheme}-among-other-headers",
            "headers of the transport change nothing",
            delivery(scheme)
            .add("Host", "receiver.example")
            .add("Accept", "*/*")
            .add("X-Forwarded-For", "203.0.113.42")
            .add("X-Signature", "sha256=0000"),
            OK,
        )
        yield (
            f"{scheme}-pretty-printed",
            "the MAC is over the bytes received: blanks and line ends count",
            delivery(scheme, b'{\r\n  "id" : "evt_1",\r\n  "n" : 1\r\n}\r\n'),
            OK,
        )
    yield (
        "tv-event-of-another-scheme",
        "a body is not looked at to find its scheme",
        delivery("tv", EVENTS["billing"]),
        OK,
    )
    yield (
        "health-resend",
        "a retry is signed anew with a later time over the same body",
        delivery("health", BODY, stamp=T + 3600, now=T + 3601),
        OK,
    )
