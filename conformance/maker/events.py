"""What a verified body says: its type and its key, written from the design alone."""

import hashlib
import json
import re
import urllib.parse

MAX_DEPTH = 64
MAX_KEY_BYTES = 255
TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)

# The members of the type and, where there is one, of the authenticated id.
TYPE_MEMBER = {"health": "type", "curae": "eventType", "tv": "type", "tv-body-only": "event"}
KEY_MEMBERS = {"health": ("id", "type"), "curae": ("eventId",), "tv": ("id",)}

class Malformed(Exception):
    """The body is not the system's JSON."""


def members(body: bytes) -> list[tuple[str, object]]:
    """The members of a JSON object, repeated ones too."""
    if depth(body) > MAX_DEPTH:
        raise Malformed
    try:
        text = body.decode("utf-8")
        # Numbers are not looked at, so they need not fit any type.
        pairs = json.loads(
            text,
            object_pairs_hook=Members,
            parse_constant=refuse,
            parse_int=Number,
            parse_float=Number,
        )
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Malformed from error
    if not isinstance(pairs, Members) or not all(is_text(name) for name, _ in pairs):
        raise Malformed
    return list(pairs)


class Members(list):
    """A JSON object, to be told apart from an array."""


class Number:
    """Any JSON number."""

    def __init__(self, text: str) -> None:
        self.text = text


def refuse(token: str) -> None:
    """`NaN` and `Infinity`, which Python reads, are not JSON."""
    raise Malformed(token)


def depth(body: bytes) -> int:
    deepest = level = 0
    for token in TOKENS.findall(body):
        if token in (b"[", b"{"):
            level += 1
            deepest = max(deepest, level)
        elif token in (b"]", b"}"):
            level -= 1
    return deepest


def read(scheme: str, body: bytes, hint: str | None) -> tuple[str | None, str]:
    """The type and the key. `hint` is Billing's header outside the MAC."""
    pairs = members(body)
    if scheme == "billing":
        kind = first_text(pairs, ("type", "event"), hint)
    else:
        kind = text(pairs, TYPE_MEMBER[scheme])
    if scheme not in KEY_MEMBERS:
        return kind, digest_key(scheme, body)
    return kind, member_key(scheme, [text(pairs, member) for member in KEY_MEMBERS[scheme]])


def once(pairs: list[tuple[str, object]], member: str) -> object:
    found = [value for name, value in pairs if name == member]
    if len(found) > 1:
        raise Malformed(member)
    return found[0] if found else None


def optional_text(pairs: list[tuple[str, object]], member: str) -> str | None:
    value = once(pairs, member)
    return value if is_text(value) else None


def first_text(
    pairs: list[tuple[str, object]], names: tuple[str, ...], otherwise: str | None
) -> str | None:
    """Members after the first that is a text, and not empty, are not read."""
    for member in names:
        value = optional_text(pairs, member)
        if value:
            return value
    return otherwise


def text(pairs: list[tuple[str, object]], member: str) -> str:
    value = optional_text(pairs, member)
    if not value:
        raise Malformed(member)
    return value


def is_text(value: object) -> bool:
    """Half a surrogate pair, as an escape can name one, is no text."""
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)


def member_key(scheme: str, texts: list[str]) -> str:
    key = ":".join([scheme, *(urllib.parse.quote(each, safe="") for each in texts)])
    return key if len(key) <= MAX_KEY_BYTES else digest_key(scheme, key.encode())


def digest_key(scheme: str, content: bytes) -> str:
    return f"{scheme}:sha256={hashlib.sha256(content).hexdigest()}"
