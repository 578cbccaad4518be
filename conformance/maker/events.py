"""The type and the key of a verified body, written from the documentation alone."""

import datetime
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

# What the documented members are; whatever else an event has is extra.
ACTOR = {"user_id": "text", "user_role": "text"}
RESOURCE = {"type": "text", "id": "text"}
ONLINE = {"streamId": "name", "userId": "name", "username": "text", "title": "text", "startedAt": "time"}
MEMBERS = {
    "health": {
        "type": "name",
        "id": "name",
        "timestamp": "time",
        "tenant_id": "text",
        "actor": ACTOR,
        "resource": RESOURCE,
        "phi_involved": "flag",
        "success": "flag",
        "details": "any",
        "schema_version": "text",
    },
    "curae": {"eventType": "name", "eventId": "name", "data": "any"},
    "tv": {"type": "name", "id": "name", "timestamp": "time", "data": "any"},
    "tv-body-only": {"event": "name", "timestamp": "time", "data": "any"},
}
TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:(?:[0-5]\d|60)(?:\.\d{1,9})?)?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)",
    re.ASCII,
)


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


def kind(scheme: str, body: bytes, hint: str | None) -> str | None:
    """The type. `hint` is Billing's header outside the MAC."""
    pairs = members(body)
    if scheme == "billing":
        return first_text(pairs, ("type", "event"), hint)
    return text(pairs, TYPE_MEMBER[scheme])


def key(scheme: str, body: bytes) -> str:
    """The key, for which a body without an authenticated id is not read."""
    if scheme not in KEY_MEMBERS:
        return digest_key(scheme, body)
    pairs = members(body)
    return member_key(scheme, [text(pairs, member) for member in KEY_MEMBERS[scheme]])


def extra(scheme: str, body: bytes) -> list[str]:
    """The members that are not as documented, those of documented objects with their path."""
    if scheme not in MEMBERS:
        return []
    pairs = members(body)
    documented = dict(MEMBERS[scheme])
    if scheme.startswith("tv") and text(pairs, TYPE_MEMBER[scheme]) == "stream.online":
        documented["data"] = ONLINE
    found = set(others(pairs, documented))
    for name, shape in documented.items():
        inner = [value for member, value in pairs if member == name]
        if isinstance(shape, dict) and len(inner) == 1 and fits(inner[0], shape):
            found.update(f"{name}.{each}" for each in others(inner[0] or [], shape))
    return sorted(found)


def others(pairs: list[tuple[str, object]], shape: dict[str, object]) -> list[str]:
    names = [name for name, _ in pairs]
    return [
        name
        for name, value in pairs
        if name not in shape or names.count(name) > 1 or not fits(value, shape[name])
    ]


def fits(value: object, kind: object) -> bool:
    if value is None or kind == "any":
        return True
    if kind == "flag":
        return isinstance(value, bool)
    if isinstance(kind, dict):
        required = {name for name, each in kind.items() if each == "name"}
        if not isinstance(value, Members):
            return False
        return not required & {*others(value, kind)} and required <= {
            name for name, each in value if each
        }
    return is_text(value) and (kind != "time" or is_time(value))


def is_time(text: str) -> bool:
    found = TIME.fullmatch(text)
    if not found or not "0001" <= text[:4] <= "9998":
        return False
    ahead = datetime.timedelta(hours=int(found[5] or 0), minutes=int(found[6] or 0))
    try:
        local = datetime.datetime.fromisoformat(f"{found[1]}T{found[2]}")
        # Raises too: before the year 1 of UTC there is nothing.
        local - (-ahead if found[4] == "-" else ahead)
    except (ValueError, OverflowError):
        return False
    return True


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
