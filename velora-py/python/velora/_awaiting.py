"""What a stream of the core gives, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, TypeVar

from ._velora import Call

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._velora import Taker

T = TypeVar("T")


class Awaiting(AsyncIterator[T]):
    """One item after the other. A wait takes nothing, so that a task may be cancelled in it."""

    __slots__ = ("_taker",)

    def __init__(self, taker: Taker[T]) -> None:
        self._taker = taker

    async def __anext__(self) -> T:
        while isinstance(item := self._taker._take(), Call):
            await item.future()
        if item is None:
            raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        """Ends it, and whatever is being fetched."""
        self._taker.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()
