"""One way to drive synchronous and asynchronous classes, so that each test covers both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from velora import AsyncReceiver, Receiver

KINDS = ["sync", "async"]

LIMIT = 60.0
"""How long anything may take, in seconds."""


class Either:
    """Makes clients and receivers of one kind, whose calls wait."""

    def __init__(self, kind: str) -> None:
        self.is_async = kind == "async"
        self.loop = asyncio.new_event_loop()

    def client(self, system: ModuleType, *arguments: Any, **options: Any) -> Any:
        """A client of this system."""
        made = (system.AsyncClient if self.is_async else system.Client)(*arguments, **options)
        return self.waiting(made)

    def receiver(self, *arguments: Any, **options: Any) -> Any:
        made = (AsyncReceiver if self.is_async else Receiver)(*arguments, **options)
        return self.waiting(made)

    def waiting(self, subject: Any) -> Any:
        """Something whose calls wait, whichever kind it is of."""
        return Waiting(self, subject) if self.is_async else subject

    def handler(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function, or a coroutine function, that does the same."""
        if not self.is_async:
            return function

        async def handler(*given: Any) -> Any:
            await asyncio.sleep(0)
            return function(*given)

        return handler

    def run(self, work: Any) -> Any:
        """What is awaited at last, as an exception if it comes to one."""

        async def awaited() -> Any:
            return await work

        task = self.loop.create_task(awaited())
        limit = self.loop.call_later(LIMIT, task.cancel)
        try:
            return self.loop.run_until_complete(task)
        finally:
            limit.cancel()

    def __enter__(self) -> Either:
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


class Waiting:
    """An object whose awaitables are awaited, and whose async iterators are iterators."""

    def __init__(self, either: Either, subject: Any) -> None:
        self._either = either
        self.subject = subject

    def __getattr__(self, name: str) -> Any:
        asynchronous = {"close": "aclose"} if hasattr(self.subject, "aclose") else {}
        return self._shown(getattr(self.subject, asynchronous.get(name, name)))

    def _shown(self, value: Any) -> Any:
        if inspect.isawaitable(value):
            return self._either.run(value)
        if hasattr(value, "__anext__"):
            return WaitingItems(self._either, value)
        if inspect.isroutine(value):
            return lambda *given, **named: self._shown(self._call(value, given, named))
        if type(value).__name__ == "AsyncWebhooks":
            return Waiting(self._either, value)
        return value

    def _call(self, method: Any, given: Any, named: Any) -> Any:
        # Within the loop, as everything of `asyncio` is called.
        async def call() -> Any:
            called = method(*given, **named)
            return await called if inspect.isawaitable(called) else called

        return self._either.run(call())

    def __enter__(self) -> Waiting:
        self._either.run(self.subject.__aenter__())
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._either.run(self.subject.__aexit__(*error))


class WaitingItems(Waiting):
    """Items one after the other."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return self._either.run(self.subject.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None
