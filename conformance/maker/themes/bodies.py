"""The body is bytes: any bytes, and exactly those."""

from maker.case import BODY, OK, SCHEMES, T, delivery
from maker.rules import SCHEMES as RULES

MISMATCH = "signature_mismatch"
BOM = b"\xef\xbb\xbf"
BODIES = {
    "empty": b"",
    "one-byte": b"x",
    "zero-byte": b"\x00",
    "non-utf-8": b'{"id":"\xff\xfe\x80"}',
    "all-bytes": bytes(range(256)),
    "bom": BOM + BODY,
    "crlf": b"{\r\n}\r\n",
    "no-json": b"Hello, World!",
    "unicode": '{"name":"Zoë 日本語 🎉"}'.encode(),
}
# Lengths of what is hashed at which the padding of SHA-256 takes another block.
BLOCK_LENGTHS = (55, 56, 63, 64, 65, 119, 120, 128)


def cases():
    for scheme in SCHEMES:
        # All of them for one scheme with a timestamp under the MAC and one without.
        names = BODIES if scheme in ("health", "billing") else ("empty", "non-utf-8", "bom")
        for name in names:
            body = BODIES[name]
            yield f"{scheme}-{name}", "bytes in, bytes under the MAC", delivery(scheme, body), OK
    for scheme in ("health", "billing"):
        before = RULES[scheme].before
        head = 0 if before is None else len(f"{before}{T}.")
        for length in BLOCK_LENGTHS:
            yield (
                f"{scheme}-hashed-length-{length}",
                f"{head} bytes before the body, {length} in all: an edge of a block",
                delivery(scheme, b"b" * (length - head)),
                OK,
            )
    yield "tv-768-bytes", "many blocks", delivery("tv", bytes(range(256)) * 3), OK
    yield (
        "health-bom-stripped",
        "a byte order mark that a reader drops was under the MAC",
        delivery("health", BOM + BODY).but(body=BODY),
        MISMATCH,
    )
    yield (
        "health-bom-added",
        "a byte order mark that a writer adds was not under the MAC",
        delivery("health").but(body=BOM + BODY),
        MISMATCH,
    )
    yield (
        "tv-invalid-bytes-replaced",
        "decoded with replacement characters, two bodies would be one",
        delivery("tv", b'{"id":"\xff"}').but(body='{"id":"\ufffd"}'.encode()),
        MISMATCH,
    )
    yield (
        "tv-invalid-bytes-swapped",
        "different invalid bytes are different bodies",
        delivery("tv", b'{"id":"\xff"}').but(body=b'{"id":"\xfe"}'),
        MISMATCH,
    )
    yield (
        "curae-line-ends-converted",
        "line ends are bytes like any other",
        delivery("curae", b"{\r\n}").but(body=b"{\n}"),
        MISMATCH,
    )
    yield (
        "billing-escapes-changed",
        "the same text escaped is another body",
        delivery("billing", '{"a":"é"}'.encode()).but(body=b'{"a":"\\u00e9"}'),
        MISMATCH,
    )
    yield (
        "billing-zero-byte-appended",
        "a zero at the end is not padding",
        delivery("billing").but(body=BODY + b"\x00"),
        MISMATCH,
    )
    yield (
        "tv-body-only-hex-of-body",
        "the bytes are signed, not a text that stands for them",
        delivery("tv-body-only", BODY.hex().encode()).but(body=BODY),
        MISMATCH,
    )
