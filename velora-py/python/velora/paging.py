"""Lists that come in pages: one item after the other, or page by page."""

from __future__ import annotations

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


class _Place:
    """Where a list is being read. What is interrupted goes on from here."""

    __slots__ = ("items", "stream")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.items: Iterator[Any] = iter(())


class Items(Iterator[T]):
    """Items one after the other; the next ones are fetched while these are worked on.

    Nothing is sent before the first one is asked for. After an error it raises that
    error again. A loop that is left, or interrupted, can be gone on with; for good it ends with
    the last name of it, by ``close()`` or at the end of a ``with`` block.
    """

    __slots__ = ("_place",)

    def __init__(self, stream: Stream) -> None:
        self._place = _Place(stream)

    def __iter__(self) -> Iterator[T]:
        return _items(self._place)

    def __next__(self) -> T:
        for item in _items(self._place):
            found: T = item
            return found
        raise StopIteration

    def pages(self) -> Iterator[Page[T]]:
        """The pages that were not yet begun. Pages without items are walked past."""
        return _pages(self._place.stream)

    def close(self) -> None:
        """Ends it, and whatever is being fetched."""
        self._place.items = iter(())
        self._place.stream.close()

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
    """``Items`` for ``async for``. What a wait that was cancelled was waiting for is not
    lost, but comes next."""

    __slots__ = ("_place",)

    def __init__(self, stream: Stream) -> None:
        self._place = _Place(stream)

    def __aiter__(self) -> AsyncIterator[T]:
        return _async_items(self._place)

    async def __anext__(self) -> T:
        place = self._place
        while True:
            for item in place.items:
                found: T = item
                return found
            page = await place.stream.next().future()
            if page is None:
                raise StopAsyncIteration
            place.items = iter(page)

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages that were not yet begun. Pages without items are walked past."""
        return _async_pages(self._place.stream)

    async def aclose(self) -> None:
        """Ends it, and whatever is being fetched."""
        self._place.items = iter(())
        self._place.stream.close()

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


def _items(place: _Place) -> Generator[Any, None, None]:
    while True:
        yield from place.items
        page = place.stream.next().wait()
        if page is None:
            return
        place.items = iter(page)


def _pages(stream: Stream) -> Iterator[Any]:
    while (page := stream.next().wait()) is not None:
        yield page


async def _async_items(place: _Place) -> AsyncGenerator[Any, None]:
    while True:
        for item in place.items:
            yield item
        page = await place.stream.next().future()
        if page is None:
            return
        place.items = iter(page)


async def _async_pages(stream: Stream) -> AsyncIterator[Any]:
    while (page := await stream.next().future()) is not None:
        yield page


def in_loop(callback: Callable[[T], object] | None) -> Callable[[T], object] | None:
    """The same function, called in the event loop that is running."""
    if callback is None:
        return None
    import asyncio  # Whoever comes here has it; the others need not wait for it.

    loop = asyncio.get_running_loop()
    return lambda value: loop.call_soon_threadsafe(callback, value)
