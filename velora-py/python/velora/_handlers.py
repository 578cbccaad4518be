"""What a handler may be, and what becomes of what it gives."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["is_async", "must_have_run", "must_run", "must_wait", "settled", "settled_later"]


def is_async(handler: Callable[..., object]) -> bool:
    """Whether a call of the handler gives a coroutine."""
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004
    )


def must_run(handler: Callable[..., object]) -> None:
    """Refuses a handler of which a call runs nothing."""
    for call in (handler, getattr(handler, "__call__", None)):  # noqa: B004
        if inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call):
            raise TypeError(_NEVER_RUN)


def must_wait(handler: Callable[..., object]) -> None:
    """Refuses a handler of which a call runs nothing, or whose calls nobody would await."""
    must_run(handler)
    if is_async(handler):
        raise TypeError(_NOT_AWAITED)


async def settled_later(handled: object) -> None:
    """Awaits what a handler gave, and what that gave. Refuses a generator: of its work nothing
    has run."""
    while inspect.isawaitable(handled):
        handled = await handled
    must_have_run(handled)


def settled(handled: object) -> None:
    """Refuses what a handler gave and nobody would await: its work has not begun."""
    if inspect.isawaitable(handled):
        if inspect.iscoroutine(handled):
            handled.close()
        raise TypeError(_NOT_AWAITED)
    must_have_run(handled)


def must_have_run(handled: object) -> None:
    """Refuses a generator: of its work nothing has run."""
    if inspect.isgenerator(handled) or inspect.isasyncgen(handled):
        raise TypeError(_NEVER_RUN)


_NOT_AWAITED = "a `Receiver` does not await its handler: pass a plain function"
_NEVER_RUN = "calling a generator function runs none of it: pass a function without `yield`"
