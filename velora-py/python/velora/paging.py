"""Lists that come in pages: item by item, or page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar, overload

from ._awaiting import Awaiting
from ._velora import Taker

if TYPE_CHECKING:
    from ._velora import Stream

__all__ = ["AsyncItems", "Items", "Page"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Page(Sequence[T_co]):
    """One page of items, in the system's order."""

    __slots__ = ("_items", "next_cursor")

    next_cursor: str | None
    """Where the next page starts; ``None`` on the last, and on one that an error comes after,
    because it announces more and leads nowhere: to tell them apart, ask for one page more."""

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
    """An iterator over the items; the next page is fetched while you work on this one.

    Nothing is sent until the first item is requested. After an error, every further request
    raises the same error. You can leave a loop and continue later. The iterator is closed by
    ``close()``, at the end of a ``with`` block, or when it is garbage-collected. Requesting
    more from a closed iterator that had not reached its end raises ``connection``, so that a
    part is never taken for the whole.
    """

    __slots__ = ()

    def pages(self) -> Iterator[Page[T]]:
        """The pages that have not been started yet. Empty pages are skipped."""
        return self._whole()


class AsyncItems(Awaiting[T]):
    """``Items`` for ``async for``. If a wait is cancelled, the item that it waited for is not
    lost: it comes next."""

    __slots__ = ()

    def __init__(self, stream: Stream) -> None:
        super().__init__(Taker(stream))

    def pages(self) -> AsyncIterator[Page[T]]:
        """The pages that have not been started yet. Empty pages are skipped."""
        return Awaiting(self._taker._whole())
