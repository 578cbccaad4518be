"""What the adapters have in common. They own the raw body, and decide nothing."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from .receiving import AsyncReceiver, Receiver, Reply

__all__ = [
    "finished",
    "logged",
    "named_like",
    "read_wsgi",
]

T = TypeVar("T")
F = TypeVar("F", bound="Callable[..., Any]")

_log = logging.getLogger("velora")
_CHUNK = 64 * 1024
_unfinished: set[asyncio.Task[Any]] = set()


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def read_wsgi(environ: Mapping[str, Any], limit: int) -> bytes | None:
    """The raw body: all of it, or its first ``limit + 1`` bytes. ``None`` where it ends early
    or cannot be read."""
    declared: str | None = environ.get("CONTENT_LENGTH") or None
    ends_by_itself = bool(environ.get("wsgi.input_terminated"))
    if declared is None and not ends_by_itself:
        # Without a length it is empty; or chunked, which this server does not decode.
        return None if environ.get("HTTP_TRANSFER_ENCODING") else b""
    try:
        wanted = limit + 1 if declared is None else min(int(declared), limit + 1)
        body = _read(environ["wsgi.input"], wanted)
    except (OSError, ValueError):
        return None
    return None if declared is not None and len(body) < wanted else body


def _read(stream: _Stream, wanted: int) -> bytes:
    body = bytearray()
    while len(body) < wanted:
        chunk = stream.read(min(wanted - len(body), _CHUNK))
        if not chunk:
            break
        body += chunk
    return bytes(body)


def logged(receiver: Receiver[Any] | AsyncReceiver[Any], reply: Reply) -> Reply:
    """The reply, once its error is in the log. All others, such as those to forgeries, are
    there only for whoever looks for them."""
    scheme = receiver.verifier.scheme
    _log.debug("a delivery of %s was answered: %d %s", scheme, reply.status, reply.outcome)
    if reply.error is not None:
        _log.error(
            "a delivery of %s was not handled: %s", scheme, reply.outcome, exc_info=reply.error
        )
    return reply


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """What the work gives. It runs in a task of its own: a sender that hangs up does not cut
    it off halfway, and the next delivery of the event finds it done."""
    task = asyncio.ensure_future(work)
    _unfinished.add(task)
    task.add_done_callback(_unfinished.discard)
    return await asyncio.shield(task)


def named_like(handler: Callable[..., object], view: F) -> F:
    """The view, under the handler's name and with its words, which frameworks show."""
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        value = getattr(handler, name, None)
        if isinstance(value, str):
            setattr(view, name, value)
    return view
