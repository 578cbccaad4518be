"""Lists that come in pages: one item after the other, or page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar, overload

from ._awaiting import Awaiting
from ._velora import Taker

if TYPE_CHECKING:
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


class Items(Taker[T]):
    """Items one after the other; the next ones are fetched while these are worked on.

    Nothing is sent before the first one is asked for. After an error it raises that
    error again. A loop that is left, or interrupted, can be gone on with; for good it ends with
    the last name of it, by ``close()`` or at the end of a ``with`` block. Whoever then asks for
    more gets ``connection``, unless it had come to its end: a part is never the whole.
    """

    __slots__ = ()

    def pages(self) -> Iterator[Page[T]]:
        """The pages that were not yet begun. Pages without items are walked past."""
        return self._whole()


class AsyncItems(Awaiting[T]):
    """``Items`` for ``async for``. What a wait that was cancelled was waiting for is not
    lost, but comes next."""

    __slots__ = ()

    def __init__(self, stream: Stream) -> None:
        super().__init__(Taker(stream))

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages that were not yet begun. Pages without items are walked past."""
        return Awaiting(self._taker._whole())


def in_loop(callback: Callable[[T], object] | None) -> Callable[[T], object] | None:
    """The same function, called in the event loop that is running."""
    if callback is None:
        return None
    import asyncio  # Whoever comes here has it; the others need not wait for it.

    loop = asyncio.get_running_loop()
    return lambda value: loop.call_soon_threadsafe(callback, value)
