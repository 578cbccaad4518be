"""Deliveries in FastAPI and Starlette: ``pip install velora[fastapi]``.

    receiver = AsyncReceiver(Verifier("health", secret), MemoryStore())

    @app.post("/velora-webhook")
    @deliveries(receiver)
    async def handle(event: health.Event) -> None:
        print(event.type, event.id)

The raw body belongs to this module: it is read to its end, bounded, and given to the verifier
as received, before anything could parse it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, TypeVar, overload

from fastapi import HTTPException, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from ._adapters import finished, logged, named_like
from ._handlers import is_async, must_run, settled_later
from .receiving import AsyncReceiver, Reply
from .stores import MemoryStore

if TYPE_CHECKING:
    from typing import TypeAlias

    from ._velora import Verifier

__all__ = ["deliveries", "verified"]

E = TypeVar("E")

Handler: TypeAlias = Callable[[E], "Awaitable[object] | object"]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


@overload
def deliveries(receiver: AsyncReceiver[E], handler: Handler[E]) -> Endpoint: ...
@overload
def deliveries(
    receiver: AsyncReceiver[E], handler: None = None
) -> Callable[[Handler[E]], Endpoint]: ...
def deliveries(
    receiver: AsyncReceiver[E], handler: Handler[E] | None = None
) -> Endpoint | Callable[[Handler[E]], Endpoint]:
    """An endpoint that receives deliveries, for ``app.post(path)``. Without ``handler`` it is a
    decorator.

    A coroutine function is awaited; a plain function runs in the thread pool, so that it does
    not block the event loop. If the handler raises, the logger ``velora`` logs it, and the
    event comes again. If the sender hangs up, the handler is not cancelled.
    """
    if not isinstance(receiver, AsyncReceiver):
        raise TypeError("give an `AsyncReceiver`: a `Receiver` would hold up the event loop")
    return partial(_endpoint, receiver) if handler is None else _endpoint(receiver, handler)


def _endpoint(receiver: AsyncReceiver[E], handler: Handler[E]) -> Endpoint:
    must_run(handler)
    handle = handler if is_async(handler) else _in_thread(handler)

    async def receive(request: Request, body: bytes) -> Reply:
        return logged(receiver, await receiver.receive(body, request.headers.raw, handle))

    async def endpoint(request: Request) -> Response:
        body = await _read_body(request, receiver.body_limit)
        if body is None:
            reply = logged(receiver, receiver.unreadable())
        else:
            reply = await finished(receive(request, body))
        return PlainTextResponse(reply.outcome, reply.status, reply.headers)

    return named_like(handler, endpoint)


def _in_thread(handler: Handler[E]) -> Callable[[E], Awaitable[object]]:
    async def handle(event: E) -> None:
        await settled_later(await run_in_threadpool(handler, event))

    return handle


def verified(
    verifier: Verifier[E], *, body_limit: int | None = None
) -> Callable[[Request], Awaitable[E]]:
    """A dependency that returns a verified event, for handlers that deduplicate themselves.

        @app.post("/velora-webhook")
        async def handle(event: Annotated[health.Event, Depends(verified(verifier))]) -> None:
            ...

    It verifies and reads; it does **not** deduplicate: a replay inside the tolerance is
    returned again. Prefer ``deliveries``. A refused delivery is an ``HTTPException`` with the
    status that its system expects.
    """

    async def event(request: Request) -> E:
        # A store that nobody else sees: nothing is a duplicate in it.
        receiver = AsyncReceiver(verifier, MemoryStore(capacity=1), body_limit=body_limit)
        body = await _read_body(request, receiver.body_limit)
        events: list[E] = []
        reply = receiver.unreadable()
        if body is not None:
            reply = await receiver.receive(body, request.headers.raw, events.append)
        if not events:
            raise HTTPException(reply.status, reply.outcome, reply.headers)
        return events[0]

    return event


async def _read_body(request: Request, limit: int) -> bytes | None:
    body = bytearray()
    try:
        async with aclosing(request.stream()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > limit:
                    break
    except ClientDisconnect:
        return None
    return bytes(body[: limit + 1])
