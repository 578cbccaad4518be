"""The rules of verification, written from their documentation and the vendors' pages alone.

This is the second opinion: it shares no code and no structure with the SDK, and
it is slow and plain on purpose. Where the two disagree, the vendor's page decides.
"""

import base64
import hashlib
import hmac
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from maker import events

DEFAULT_TOLERANCE = 300
MAX_HEADER_BYTES = 8192
MAX_SIGNATURES = 16

HEX = re.compile(rb"[0-9a-f]{64}")
# Fifteen digits of milliseconds span what twelve digits of seconds do.
TIMESTAMP = {
    "s": re.compile(rb"0|[1-9][0-9]{0,11}"),
    "ms": re.compile(rb"0|[1-9][0-9]{0,14}"),
}
BLANKS = b" \t"
# The code points with the Unicode property White_Space. The standard library's
# own notion of white space is another one, so they are written out.
WHITE_SPACE = "".join(
    map(chr, [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)])
) + "\u2028\u2029\u202f\u205f\u3000"


@dataclass(frozen=True)
class Scheme:
    """How one system signs."""

    signature_header: str
    # What stands before the one signature; None for a list `t=…,v1=…`.
    prefix: str | None
    # What stands before the timestamp under the MAC; None where the MAC is over
    # the body alone.
    before: str | None
    timestamp_header: str | None = None
    unit: str = "s"
    # Headers outside the MAC, and the member of the body that each repeats.
    repeats: tuple[tuple[str, str], ...] = ()


SCHEMES = {
    "health": Scheme("X-Velora-Signature", prefix=None, before="t="),
    "billing": Scheme(
        "X-Webhook-Signature",
        prefix="sha256=",
        before=None,
        timestamp_header="X-Webhook-Timestamp",
    ),
    "curae": Scheme(
        "CuraeAI-Signature",
        prefix=None,
        before="",
        repeats=(("CuraeAI-Event-Id", "eventId"), ("CuraeAI-Event-Type", "eventType")),
    ),
    "tv": Scheme(
        "X-Velora-Signature",
        prefix="sha256=",
        before="",
        timestamp_header="X-Velora-Timestamp",
        repeats=(("X-Velora-Event", "type"),),
    ),
    "tv-body-only": Scheme(
        "X-Velora-Signature",
        prefix="",
        before=None,
        timestamp_header="X-Velora-Timestamp",
        unit="ms",
        repeats=(("X-Velora-Event", "event"),),
    ),
}


class Refused(Exception):
    """Carries the code."""


def signature(scheme: str, secret: bytes | str, timestamp: str, body: bytes) -> str:
    """The hex digits that the system would send."""
    before = SCHEMES[scheme].before
    head = b"" if before is None else f"{before}{timestamp}.".encode()
    return mac(secret, head + body)


def mac(secret: bytes | str, payload: bytes) -> str:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, payload, hashlib.sha256).hexdigest()


def verify(case: dict) -> str | None:
    """The code that a case is refused with, or None."""
    try:
        scheme, secrets, tolerance = construct(case)
        body = base64.b64decode(case["body_b64"], validate=True)
        check(scheme, secrets, tolerance, body, case["headers"], case["now"])
        check_repeats(scheme, body, case["headers"])
    except Refused as refused:
        return str(refused)
    return None


def construct(case: dict) -> tuple[Scheme, list[bytes], Fraction]:
    if case["scheme"] not in SCHEMES:
        raise Refused("unknown_scheme")
    secrets = []
    for text in case.get("secrets", []):
        if text == "":
            raise Refused("empty_secret")
        if text.strip(WHITE_SPACE) != text:
            raise Refused("secret_has_whitespace")
        secrets.append(text.encode())
    for encoded in case.get("secrets_b64", []):
        secrets.append(base64.b64decode(encoded, validate=True))
        if secrets[-1] == b"":
            raise Refused("empty_secret")
    if not secrets:
        raise Refused("no_secret")
    tolerance = Decimal(str(case.get("tolerance", DEFAULT_TOLERANCE)))
    if not tolerance.is_finite() or tolerance < 0:
        raise Refused("invalid_tolerance")
    return SCHEMES[case["scheme"]], secrets, Fraction(tolerance)


def values(headers: list, name: str) -> list[bytes]:
    # As bytes, so that no letter outside ASCII is folded into one inside.
    wanted = name.encode().lower()
    return [value.encode() for key, value in headers if key.encode().lower() == wanted]


def check(scheme, secrets, tolerance, body, headers, now) -> None:
    names = [name for name in (scheme.signature_header, scheme.timestamp_header) if name]
    found = [values(headers, name) for name in names]
    if any(not each for each in found):
        raise Refused("missing_header")
    if any(len(each) > 1 for each in found):
        raise Refused("duplicate_header")
    if any(len(value) > MAX_HEADER_BYTES for [value] in found):
        raise Refused("header_too_large")

    texts = [value for [value] in found]
    if scheme.prefix is None:
        timestamp, candidates = read_list(texts[0])
    else:
        timestamp, candidates = texts[1], read_prefixed(scheme.prefix, texts[0])

    if not TIMESTAMP[scheme.unit].fullmatch(timestamp):
        raise Refused("malformed_timestamp")
    check_age(int(timestamp), scheme.unit, tolerance, now)

    head = b""
    if scheme.before is not None:
        head = scheme.before.encode() + timestamp + b"."
    expected = {mac(secret, head + body).encode() for secret in secrets}
    if not expected.intersection(candidates):
        raise Refused("signature_mismatch")


def read_list(value: bytes) -> tuple[bytes, list[bytes]]:
    pairs = [segment.strip(BLANKS).partition(b"=") for segment in value.split(b",")]
    signatures = [text for name, sign, text in pairs if name + sign == b"v1="]
    timestamps = [text for name, sign, text in pairs if name + sign == b"t="]
    if len(signatures) > MAX_SIGNATURES:
        raise Refused("header_too_large")
    candidates = [text for text in signatures if HEX.fullmatch(text)]
    if len(timestamps) != 1 or not candidates:
        raise Refused("malformed_header")
    return timestamps[0], candidates


def read_prefixed(prefix: str, value: bytes) -> list[bytes]:
    value = value.strip(BLANKS)
    digits = value.removeprefix(prefix.encode())
    if len(digits) + len(prefix) != len(value) or not HEX.fullmatch(digits):
        raise Refused("malformed_header")
    return [digits]


def check_age(timestamp: int, unit: str, tolerance: Fraction, now: int | float) -> None:
    # The sender of seconds has cut the fraction off, so ours is cut off as well.
    age = (
        Fraction(math.floor(now) - timestamp)
        if unit == "s"
        else Fraction(math.floor(Fraction(now) * 1000) - timestamp, 1000)
    )
    if age > tolerance:
        raise Refused("timestamp_too_old")
    if -age > tolerance:
        raise Refused("timestamp_in_future")


def check_repeats(scheme: Scheme, body: bytes, headers: list) -> None:
    """A header outside the MAC must not contradict a text that the body has."""
    try:
        members = events.members(body)
    except events.Malformed:
        return
    for header, member in scheme.repeats:
        texts = [value for name, value in members if name == member]
        if len(texts) != 1 or not events.is_text(texts[0]):
            continue
        if any(value != texts[0].encode() for value in values(headers, header)):
            raise Refused("header_body_mismatch")
