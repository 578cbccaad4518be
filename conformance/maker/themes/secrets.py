"""The secret's own characters are the key."""

import hashlib

from maker.case import BODY, CHECK_SECRET, OK, SCHEMES, SECRET, delivery

MISMATCH = "signature_mismatch"
WHITE_SPACE = {
    "space": " ",
    "tab": "\t",
    "line-end": "\n",
    "carriage-return": "\r",
    "next-line": "\x85",
    "no-break-space": "\xa0",
    "em-space": "\u2003",
    "line-separator": "\u2028",
    "ideographic-space": "\u3000",
}
NOT_WHITE_SPACE = {
    "byte-order-mark": "\ufeff",
    "zero-width-space": "\u200b",
    "unit-separator": "\x1f",
}


def cases():
    for name, space in WHITE_SPACE.items():
        yield (
            f"ends-with-{name}",
            "the usual trace of a careless copy; never cut off in silence",
            delivery("health").with_secrets(SECRET + space),
            "secret_has_whitespace",
        )
    for name in ("space", "line-end", "no-break-space"):
        yield (
            f"starts-with-{name}",
            "white space at the start is a fault as well",
            delivery("health").with_secrets(WHITE_SPACE[name] + SECRET),
            "secret_has_whitespace",
        )
    yield (
        "white-space-alone",
        "not empty, but white space",
        delivery("tv").with_secrets(" \t"),
        "secret_has_whitespace",
    )
    yield (
        "white-space-in-the-second",
        "every secret is looked at",
        delivery("tv").with_secrets(SECRET, SECRET + "\n"),
        "secret_has_whitespace",
    )
    for name, char in NOT_WHITE_SPACE.items():
        yield (
            f"ends-with-{name}",
            "invisible, but without the Unicode property White_Space: part of the secret",
            delivery("health", secrets=(SECRET + char,)),
            OK,
        )
    yield (
        "white-space-inside",
        "white space inside is part of the secret",
        delivery("health", secrets=("correct horse\tbattery staple",)),
        OK,
    )
    for scheme in SCHEMES:
        yield f"{scheme}-empty", "no key at all", delivery(scheme).with_secrets(""), "empty_secret"
        yield (
            f"{scheme}-none",
            "a verifier without a secret cannot be made",
            delivery(scheme).with_secrets(),
            "no_secret",
        )
    yield (
        "empty-after-a-good-one",
        "an unset variable must not become a key beside the right one",
        delivery("curae").with_secrets(SECRET, ""),
        "empty_secret",
    )
    yield "empty-bytes", "no bytes are no key", delivery("tv").with_raw_secrets(b""), "empty_secret"
    yield "no-bytes", "an empty list of bytes", delivery("tv").with_raw_secrets(), "no_secret"

    for scheme in ("health", "billing", "tv"):
        yield (
            f"{scheme}-hex-is-not-decoded",
            "a secret of hex digits is text",
            delivery(scheme, secrets=(bytes.fromhex(CHECK_SECRET),)).but(
                secrets=(CHECK_SECRET,), raw_secrets=None
            ),
            MISMATCH,
        )
    yield (
        "base64-is-not-decoded",
        "a secret that looks like base64 is text",
        delivery("tv", secrets=("c2VjcmV0LWtleS1mb3ItdGVzdHM=",)),
        OK,
    )
    yield (
        "prefix-is-not-stripped",
        "a prefix is part of the secret",
        delivery("health", secrets=(SECRET,)).with_secrets("whsec_" + SECRET),
        MISMATCH,
    )
    yield (
        "upper-case-hex-is-another-secret",
        "the case of hex digits matters in a secret",
        delivery("health", secrets=(CHECK_SECRET,)).with_secrets(CHECK_SECRET.upper()),
        MISMATCH,
    )
    yield "one-character", "short secrets are the sender's affair", delivery("tv", secrets=("k",)), OK
    yield (
        "non-ascii-text",
        "the UTF-8 bytes of the text are the key",
        delivery("health", secrets=("ключ-пароль-🔑",)),
        OK,
    )
    yield (
        "composed-is-not-decomposed",
        "a secret is not normalised",
        delivery("health", secrets=("caf\u00e9",)).with_secrets("cafe\u0301"),
        MISMATCH,
    )

    for length in (63, 64, 65, 128, 200):
        yield (
            f"length-{length}",
            "a key longer than a block of the hash (64 bytes) is hashed first",
            delivery("tv", secrets=("k" * length,)),
            OK,
        )
    yield (
        "long-key-hashed-is-the-same-key",
        "a property of HMAC, not of the product: 65 bytes and their SHA-256 are one key",
        delivery("billing", secrets=(b"k" * 65,)).with_raw_secrets(hashlib.sha256(b"k" * 65).digest()),
        OK,
    )
    yield (
        "zero-padded-is-the-same-key",
        "a property of HMAC as well: a short key is padded with zeros",
        delivery("billing", secrets=(b"k",)).with_raw_secrets(b"k\x00\x00"),
        OK,
    )

    raw = {
        "non-utf-8": b"\xff\xfe\x80\x00\x9f",
        "zeros": b"\x00" * 32,
        "white-space-around": b" \t secret \n",
        "all-bytes": bytes(range(256)),
    }
    for name, secret in raw.items():
        yield (
            f"bytes-{name}",
            "raw bytes are taken as they are",
            delivery("curae", secrets=(secret,)),
            OK,
        )
    yield (
        "bytes-of-the-text",
        "raw bytes and text of the same characters are the same key",
        delivery("health").with_raw_secrets(SECRET.encode()),
        OK,
    )
    yield (
        "bytes-several",
        "several secrets as raw bytes",
        delivery("health", secrets=(b"\xff\x01",)).with_raw_secrets(b"\xfe", b"\xff\x01"),
        OK,
    )
    yield (
        "bytes-not-text",
        "bytes that are no text must not be read as one",
        delivery("tv", BODY, secrets=(b"\xff",)).with_raw_secrets("\ufffd".encode()),
        MISMATCH,
    )

