"""What the events of all systems have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ._json import loads

__all__ = ["BaseEvent", "CustomEvent", "EventType", "OtherType"]


class EventType(str, Enum):
    """The type of an event: a text that has a name. ``EventType.X == "x"`` holds.

    The catalogues are open: a type that is newer than this version comes as an ``OtherType``,
    and is an event like any other.
    """

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, spec: str) -> str:
        return format(str(self.value), spec)


class OtherType(str):
    """A type that no catalogue of this version has: its text."""

    __slots__ = ()


class BaseEvent:
    """An event of whichever system, with the verified body it was read from.

    Its repr shows nothing but what tells one event from another: no PHI, no payload. An integer
    of more digits than Python reads (4,300) is infinite, as ``1e5000`` is; ``raw`` has all.
    """

    __slots__ = ()

    raw: str

    def to_dict(self) -> dict[str, Any]:
        """The whole body, read as JSON."""
        members: dict[str, Any] = loads(self.raw)
        return members


@dataclass(frozen=True, slots=True, repr=False)
class CustomEvent(BaseEvent):
    """The event of a ``Scheme`` of your own: any JSON object."""

    members: dict[str, Any] = field(hash=False)
    """The members of the body, by the names that they have there."""
    raw: str
    """The verified body."""

    def __repr__(self) -> str:
        return f"CustomEvent({len(self.members)} members)"
