"""Lists that come in pages: one item after the other, or page by page."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterator,
    Sequence,
)
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._velora import Stream

__all__ = ["AsyncItems", "Items", "Page"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Page(Sequence[T_co]):
    """Items that came together, in the system's order."""

    __slots__ = ("_items", "next_cursor")

    next_cursor: str | None
    """Where the next page starts; ``None`` on the last."""

    def __init__(self, items: list[T_co], next_cursor: str | None = None) -> None:
        self._items = items
        self.next_cursor = next_cursor

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> list[T_co]: ...
    def __getitem__(self, index: int | slice) -> T_co | list[T_co]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T_co]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"Page({len(self)} items)"


class Items(Iterator[T]):
    """Items one after the other; the next ones are fetched while these are worked on.

    Nothing is sent before the first one is asked for. After an error it ends. A loop that is
    left early ends it too; ``close()``, or a ``with`` block, does so by name.
    """

    __slots__ = ("_items", "_stream")

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._items: Generator[T, None, None] = _items(stream)

    def __iter__(self) -> Iterator[T]:
        return self._items

    def __next__(self) -> T:
        return next(self._items)

    def pages(self) -> Iterator[Page[T]]:
        """The pages that were not yet begun. Pages without items are walked past."""
        return _pages(self._stream)

    def close(self) -> None:
        """Ends it, and whatever is being fetched."""
        self._items.close()
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncItems(AsyncIterator[T]):
    """``Items`` for ``async for``."""

    __slots__ = ("_items", "_stream")

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._items: AsyncGenerator[T, None] = _async_items(stream)

    def __aiter__(self) -> AsyncIterator[T]:
        return self._items

    async def __anext__(self) -> T:
        return await self._items.__anext__()

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages that were not yet begun. Pages without items are walked past."""
        return _async_pages(self._stream)

    async def aclose(self) -> None:
        """Ends it, and whatever is being fetched."""
        await self._items.aclose()
        self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


# Not methods, as a generator that holds its owner would keep a loop that was left early alive
# until the garbage collector comes by.


def _items(stream: Stream) -> Generator[Any, None, None]:
    for page in _pages(stream):
        yield from page


def _pages(stream: Stream) -> Iterator[Any]:
    while (page := stream.next().wait()) is not None:
        yield page


async def _async_items(stream: Stream) -> AsyncGenerator[Any, None]:
    async for page in _async_pages(stream):
        for item in page:
            yield item


async def _async_pages(stream: Stream) -> AsyncIterator[Any]:
    while (page := await stream.next().future()) is not None:
        yield page


def in_loop(callback: Callable[[T], object] | None) -> Callable[[T], object] | None:
    """The same function, called in the event loop that is running."""
    if callback is None:
        return None
    loop = asyncio.get_running_loop()
    return lambda value: loop.call_soon_threadsafe(callback, value)
