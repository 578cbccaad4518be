"""How the functions of a caller's own store are called."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING

from ._handlers import must_run
from .errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ._velora import Answer
    from .stores import AsyncCustomStore, CustomStore

_log = logging.getLogger("velora")

VERBS = ("claim", "commit", "release", "renew")


class Verbs:
    """Carries out a verb, and hands over what the store answers, or that it failed."""

    __slots__ = ("_store", "_tasks")

    def __init__(self, store: CustomStore | AsyncCustomStore) -> None:
        for verb in VERBS:
            function = getattr(store, verb, None)
            if not callable(function):
                raise TypeError(f"a store of your own needs a function `{verb}`")
            must_run(function)
        self._store = store
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(
        self, verb: str, key: str, epoch: int | None, is_awaited: bool, answer: Answer
    ) -> None:
        function = getattr(self._store, verb)
        try:
            answered = function(key) if epoch is None else function(key, epoch)
        except Exception as error:
            _failed(answer, error)
            return
        if not inspect.isawaitable(answered):
            _answered(answer, verb, answered)
            return
        if not is_awaited:
            if inspect.iscoroutine(answered):
                answered.close()
            raise TypeError(_NOT_AWAITED)
        task = asyncio.ensure_future(_awaited(answer, verb, answered))
        # The loop itself holds its tasks weakly.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _awaited(answer: Answer, verb: str, later: Awaitable[object]) -> None:
    try:
        answered = await later
    except Exception as error:
        _failed(answer, error)
    else:
        _answered(answer, verb, answered)


def _answered(answer: Answer, verb: str, answered: object) -> None:
    try:
        if verb == "claim":
            parts = (getattr(answered, part, None) for part in _PARTS)
            answer.claimed(*parts)
        elif answered is None:
            answer.ended()
        else:
            # `False`, or a count of 0, may mean that the claim was not held.
            raise TypeError(_RETURNS_NOTHING.format(verb))
    except Exception as error:
        _failed(answer, error)


def _failed(answer: Answer, error: Exception) -> None:
    """What the error says is only logged: it is the caller's, and may contain anything."""
    code = _code_of(error)
    if code is None:
        _log.error("a store failed", exc_info=error)
    answer.failed(code, f"it failed with a `{type(error).__name__}`")


def _code_of(error: Exception) -> str | None:
    """The code of what a store answered. Any other error has none, even if it raises when it
    is asked."""
    try:
        code = error.code if isinstance(error, StoreError) else None
        return code if code in ("lease_lost", "store_full") else None
    except Exception:
        return None


_RETURNS_NOTHING = (
    "`{}` of a store returns None, and raises a `StoreError` with `lease_lost` where the claim"
    " is not held"
)
_PARTS = ("state", "epoch", "retry_after")
_NOT_AWAITED = "this store is asynchronous: use it with an `AsyncReceiver`"
