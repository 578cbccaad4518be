"""Deliveries in Django: ``pip install velora[django]``.

    receiver = Receiver(Verifier("health", secret), MemoryStore())

    def handle(event: health.Event) -> None:
        print(event.type, event.id)

    urlpatterns = [path("velora-webhook", deliveries(receiver, handle))]

The raw body belongs to this module: it is read to its end, bounded, and given to the verifier
as received, before anything could parse it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest  # type: ignore[import-untyped]
from django.core.handlers.wsgi import WSGIRequest  # type: ignore[import-untyped]
from django.db import connections, transaction  # type: ignore[import-untyped]
from django.http import (  # type: ignore[import-untyped]
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
)

from ._adapters import finished, logged, named_like, read_wsgi
from ._handlers import is_async, must_run, must_wait, settled_later
from .receiving import AsyncReceiver, Receiver, Reply

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["deliveries"]

E = TypeVar("E")
V = TypeVar("V", bound="Callable[[HttpRequest], Any]")

Handler: TypeAlias = Callable[[E], object]
AsyncHandler: TypeAlias = Callable[[E], "Awaitable[object] | object"]
View: TypeAlias = Callable[[HttpRequest], HttpResponse]
AsyncView: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponse]]


@overload
def deliveries(receiver: Receiver[E], handler: Handler[E]) -> View: ...
@overload
def deliveries(receiver: Receiver[E], handler: None = None) -> Callable[[Handler[E]], View]: ...
@overload
def deliveries(receiver: AsyncReceiver[E], handler: AsyncHandler[E]) -> AsyncView: ...
@overload
def deliveries(
    receiver: AsyncReceiver[E], handler: None = None
) -> Callable[[AsyncHandler[E]], AsyncView]: ...
def deliveries(
    receiver: Receiver[E] | AsyncReceiver[E], handler: Callable[[E], Any] | None = None
) -> Any:
    """A view that receives deliveries, for ``path(route, …)``; with an ``AsyncReceiver`` it is
    async. Without ``handler`` it is a decorator. It accepts only ``POST``, and needs no CSRF
    token.

    If the handler raises, the logger ``velora`` logs it, and the event comes again. With
    ``ATOMIC_REQUESTS``, a plain function runs in a transaction of its own, which is committed
    before the claim, and rolled back if the function raises.
    ``DATA_UPLOAD_MAX_MEMORY_SIZE`` does not apply; ``Receiver(body_limit=…)`` does.
    """
    if handler is None:
        return lambda handler: deliveries(receiver, handler)
    if isinstance(receiver, AsyncReceiver):
        return _exempt(named_like(handler, _async_view(receiver, handler)))
    must_wait(handler)
    return _exempt(named_like(handler, _view(receiver, handler)))


def _view(receiver: Receiver[E], handler: Handler[E]) -> View:
    handle = _atomic(handler)

    def view(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        body = _read_body(request, receiver.body_limit)
        if body is None:
            reply = receiver.unreadable()
        else:
            reply = receiver.receive(body, _headers(request), handle)
        return _response(logged(receiver, reply))

    return view


def _async_view(receiver: AsyncReceiver[E], handler: AsyncHandler[E]) -> AsyncView:
    must_run(handler)
    handle = handler if is_async(handler) else _in_thread(handler)

    async def receive(request: HttpRequest, body: bytes) -> Reply:
        return logged(receiver, await receiver.receive(body, _headers(request), handle))

    async def view(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        body = _read_body(request, receiver.body_limit)
        if body is None:
            return _response(logged(receiver, receiver.unreadable()))
        return _response(await finished(receive(request, body)))

    return view


def _in_thread(handler: AsyncHandler[E]) -> Callable[[E], Awaitable[object]]:
    """The function in the thread that Django keeps for this request's database work."""
    call = sync_to_async(_atomic(handler))

    async def handle(event: E) -> None:
        await settled_later(await call(event))

    return handle


def _atomic(handler: Handler[E]) -> Handler[E]:
    """The handler in the transactions that ``ATOMIC_REQUESTS`` asks for. Around the view they
    would keep what a failed handler wrote, and could fail after the claim was committed."""

    def handle(event: E) -> object:
        work: Any = handler  # What Django makes of it has no type.
        for connection in connections.all():
            if connection.settings_dict["ATOMIC_REQUESTS"]:
                work = transaction.atomic(using=connection.alias)(work)
        handled: object = work(event)
        return handled

    return handle


def _exempt(view: V) -> V:
    # What Django's own decorators set, without their wrappers, which hide a coroutine.
    setattr(view, "csrf_exempt", True)  # noqa: B010
    for alias in connections:
        transaction.non_atomic_requests(using=alias)(view)
    return view


def _read_body(request: HttpRequest, limit: int) -> bytes | None:
    if "_body" in vars(request):
        # Something before us has read it, and Django keeps what it read.
        kept: bytes = request.body
        return kept
    if isinstance(request, WSGIRequest):
        # Not `request.read`, which takes a chunked body for an empty one.
        return read_wsgi(request.environ, limit)
    body: bytes = request.read(limit + 1)
    return body


def _headers(request: HttpRequest) -> Any:
    """The headers as they came: ``META`` joins one that was sent twice."""
    return request.scope["headers"] if isinstance(request, ASGIRequest) else request.META


def _response(reply: Reply) -> HttpResponse:
    body = reply.outcome.encode()
    headers = {**reply.headers, "Content-Length": str(len(body))}
    return HttpResponse(
        body, status=reply.status, headers=headers, content_type="text/plain; charset=utf-8"
    )
