"""What Pyright, and so an editor, makes of ``match``. Checked by Pyright alone: to mypy an
``OtherType``, being a text, may equal a member too.
"""

from __future__ import annotations

from typing import Literal

from typing_extensions import assert_type
from velora import curae, health, tv


def health_types(event: health.Event | health.AuditEvent) -> None:
    match event.type:
        case health.EventType.PHI_READ:
            assert_type(event.type, Literal[health.EventType.PHI_READ])
        case health.EventType.PHI_QUERY | health.EventType.PHI_EXPORT as kind:
            assert_type(kind, Literal[health.EventType.PHI_QUERY, health.EventType.PHI_EXPORT])
        case _:
            pass


def other_types(of_curae: curae.Event, of_tv: tv.Event) -> None:
    match of_curae.type:
        case curae.EventType.USER_GRADUATED as kind:
            assert_type(kind, Literal[curae.EventType.USER_GRADUATED])
        case _:
            pass
    match of_tv.type:
        case tv.EventType.STREAM_ONLINE:
            assert_type(of_tv.type, Literal[tv.EventType.STREAM_ONLINE])
        case _:
            pass
