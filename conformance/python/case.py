"""One case: from its line to the verdict."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from velora import Delivery, VeloraError, Verifier


@dataclass(frozen=True, slots=True)
class Case:
    """A case in which everything could be read."""

    id: Any
    scheme: str
    secrets: list[str] | list[bytes]
    tolerance: float | None
    body: bytes
    headers: list[tuple[bytes, bytes]]
    now: float

    def delivery(self) -> Delivery[Any]:
        """The verified delivery. Construction errors come first."""
        verifier = Verifier(self.scheme, self.secrets, tolerance=self.tolerance)
        return verifier.verify(self.body, self.headers, self.now)


def verify(case: Case) -> dict[str, object]:
    """Whether the delivery is genuine."""
    try:
        case.delivery().check_headers()
    except VeloraError as error:
        return {"ok": False, "code": error.code}
    return {"ok": True}


def event(case: Case) -> dict[str, object]:
    """The same, and which event it carries, and its key."""
    try:
        delivery = case.delivery()
        read = delivery.event
        key = delivery.key
    except VeloraError as error:
        return {"ok": False, "code": error.code}
    return {"ok": True, "type": read.type, "key": key, "extra": extra(read)}


def key(case: Case) -> dict[str, object]:
    """Whether the delivery is genuine, and its key, without reading the event."""
    try:
        return {"ok": True, "key": case.delivery().key}
    except VeloraError as error:
        return {"ok": False, "code": error.code}


def extra(read: Any) -> list[str]:
    """The members that are not as documented, those of documented objects with their path."""
    names = list(getattr(read, "extra", ()))
    for path in ("actor", "resource", "data"):
        inner = getattr(getattr(read, path, None), "extra", ())
        names.extend(f"{path}.{name}" for name in inner)
    return sorted(names)


COMMANDS: dict[str, Callable[[Case], dict[str, object]]] = {
    "verify": verify,
    "event": event,
    "key": key,
}


class NoCase(Exception):
    """A line that is not a case; ``id`` is its id, if it has one."""

    def __init__(self, id: Any = None) -> None:
        super().__init__()
        self.id = id


class Number(str):
    """A number as it is written in the line: 1e999 is valid, though no float can hold it."""

    __slots__ = ()


class Members(list[tuple[str, Any]]):
    """The members of an object, including repeated ones."""

    __slots__ = ()


def read(line: bytes) -> Case:
    """Reads a case; raises ``NoCase``."""
    members = read_object(line)
    found = dict(members)
    if [name for name, _ in members].count("id") > 1:
        raise NoCase
    case_id = found.get("id")
    try:
        if len(found) < len(members) and twice(members):
            raise NoCase
        return from_members(found)
    except (NoCase, KeyError, TypeError, ValueError):
        raise NoCase(case_id) from None


def read_object(line: bytes) -> Members:
    try:
        members = DECODER.decode(line.decode())
    except (ValueError, RecursionError):
        raise NoCase from None
    if not isinstance(members, Members):
        raise NoCase
    return members


def no_number(text: str) -> Any:
    raise ValueError(text)


DECODER = json.JSONDecoder(
    object_pairs_hook=Members,
    parse_int=Number,
    parse_float=Number,
    parse_constant=no_number,
)

KNOWN = {"scheme", "secrets", "secrets_b64", "body_b64", "headers", "now", "tolerance"}


def twice(members: Members) -> bool:
    names = [name for name, _ in members if name in KNOWN]
    return len(names) > len(set(names))


def from_members(found: dict[str, Any]) -> Case:
    """Raises Python's own errors if a member is absent or has a wrong type."""
    texts, encoded = found.get("secrets"), found.get("secrets_b64")
    if texts is not None and encoded is not None:
        raise NoCase
    secrets: list[str] | list[bytes] = [text(each) for each in items(texts or [])]
    if encoded is not None:
        secrets = [decoded(each) for each in items(encoded)]
    if texts is not None:
        items(texts)
    headers = []
    for name, value in map(items, items(found["headers"])):
        headers.append((text(name).encode(), text(value).encode()))
    return Case(
        id=found.get("id"),
        scheme=text(found["scheme"]),
        secrets=secrets,
        tolerance=seconds(found.get("tolerance")),
        body=decoded(found["body_b64"]),
        headers=headers,
        now=instant(found["now"]),
    )


def text(value: Any) -> str:
    """A string that can be encoded as UTF-8."""
    if type(value) is not str:
        raise NoCase
    value.encode()
    return value


def items(value: Any) -> list[Any]:
    if type(value) is not list:
        raise NoCase
    return value


def decoded(value: Any) -> bytes:
    """The bytes of strict base64: padded, and without other characters."""
    try:
        data = base64.b64decode(text(value), validate=True)
    except binascii.Error:
        raise NoCase from None
    if base64.b64encode(data).decode() != value:
        raise NoCase
    return data


def seconds(value: Any) -> float | None:
    """A number of seconds, or its name: JSON has no NaN and no infinity."""
    if value is None:
        return None
    if isinstance(value, Number) or value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    raise NoCase


def instant(value: Any) -> float:
    """Seconds since the epoch."""
    if not isinstance(value, Number) or not math.isfinite(float(value)):
        raise NoCase
    return float(value)
