"""Streams of the core, waited for or awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._velora import Call

if TYPE_CHECKING:
    from ._velora import Stream


def next_of(stream: Stream) -> Any:
    """The next item. Raises ``StopIteration`` at the end."""
    while isinstance(item := stream.next(), Call):
        item.wait()
    if item is None:
        raise StopIteration
    return item


async def anext_of(stream: Stream) -> Any:
    """The next item. Raises ``StopAsyncIteration`` at the end."""
    while isinstance(item := stream.next(), Call):
        await item.future()
    if item is None:
        raise StopAsyncIteration
    return item
