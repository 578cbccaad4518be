"""Deliveries in Flask: ``pip install velora[flask]``.

    receiver = Receiver(Verifier("health", secret), MemoryStore())

    @app.post("/velora-webhook")
    @deliveries(receiver)
    def handle(event: health.Event) -> None:
        print(event.type, event.id)

The raw body belongs to this module: it is read to its end, bounded, and given to the verifier
as received, before anything could parse it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar, overload

from flask import Response, request

from ._adapters import logged, named_like, read_wsgi
from ._handlers import must_wait
from .receiving import Receiver

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["deliveries"]

E = TypeVar("E")

Handler: TypeAlias = Callable[[E], object]
View: TypeAlias = Callable[[], Response]


@overload
def deliveries(receiver: Receiver[E], handler: Handler[E]) -> View: ...
@overload
def deliveries(receiver: Receiver[E], handler: None = None) -> Callable[[Handler[E]], View]: ...
def deliveries(
    receiver: Receiver[E], handler: Handler[E] | None = None
) -> View | Callable[[Handler[E]], View]:
    """A view that receives deliveries, for ``app.post(path)`` or ``blueprint.post(path)``.
    Without ``handler`` it is a decorator.

    If the handler raises, the logger ``velora`` logs it, and the event comes again. Flask's
    ``MAX_CONTENT_LENGTH`` does not apply; ``Receiver(body_limit=…)`` does.
    """
    if not isinstance(receiver, Receiver):
        raise TypeError("give a `Receiver`: nothing would await an `AsyncReceiver`")
    return partial(_view, receiver) if handler is None else _view(receiver, handler)


def _view(receiver: Receiver[E], handler: Handler[E]) -> View:
    must_wait(handler)

    def view() -> Response:
        body = _read_body(receiver.body_limit)
        if body is None:
            reply = receiver.unreadable()
        else:
            reply = receiver.receive(body, request.headers, handler)
        logged(receiver, reply)
        return Response(reply.outcome, reply.status, reply.headers, mimetype="text/plain")

    return named_like(handler, view)


def _read_body(limit: int) -> bytes | None:
    if "stream" in vars(request):
        # Something before us has read it, and Flask keeps what it read.
        return request.get_data()
    return read_wsgi(request.environ, limit)
