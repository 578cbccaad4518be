"""Calls that run to their end, whoever is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from .errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._velora import Call


async def to_its_end(call: Call, undo: Callable[[Any], Call | None] | None = None) -> Any:
    """What the call gives. Where the task is cancelled meanwhile, the call is not: it is waited
    for, what it gave is undone, and only then the task goes on to be cancelled."""
    future = call.future()
    cancelled = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return future.result()
    try:
        failed = future.exception() is not None
        undoing = None if failed or undo is None else undo(future.result())
        if undoing is not None:
            with contextlib.suppress(StoreError):  # The lease runs out by itself.
                await to_its_end(undoing)
        raise cancelled
    finally:
        # It holds this frame.
        del cancelled
