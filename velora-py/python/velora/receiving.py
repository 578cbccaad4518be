"""The whole path of a delivery: verify, claim, call the handler, commit or release, answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from . import _velora
from ._ending import to_its_end
from ._handlers import must_run, must_wait, settled, settled_later
from .errors import Code
from .stores import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from typing_extensions import Buffer

    from ._velora import Delivery, Verifier

__all__ = [
    "AsyncReceiver",
    "AsyncWork",
    "Backfilled",
    "Headers",
    "Outcome",
    "Receiver",
    "Reply",
    "Work",
]

E = TypeVar("E")


class _Items(Protocol):
    """Such as the headers of ``http.server``, which are no mapping to a type checker."""

    def items(self) -> Iterable[tuple[Any, Any]]: ...


Headers = Mapping[Any, Any] | Iterable[tuple[Any, Any]] | _Items
"""A dict, a framework's header object, name-value pairs as in ASGI, or a WSGI environ."""

Outcome = Literal["processed", "duplicate", "in_flight"] | Code
"""``processed``, ``duplicate``, ``in_flight``, or the code of a fault."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The response to one request: send ``status`` and ``headers``."""

    status: int
    """The HTTP status."""
    retry_after: int | None
    """The value of the ``Retry-After`` header, in seconds; ``None`` if there is none."""
    outcome: Outcome
    """``processed``, ``duplicate``, ``in_flight``, or the code of a failure. Safe to send as
    the body."""
    code: Code | None
    """The code, if the outcome is a failure."""
    error: BaseException | None = field(default=None, repr=False, compare=False)
    """What the handler raised; the ``StoreError`` if the store failed; or the
    ``VerificationError`` if the delivery was refused although its signature held
    (``malformed_event``, ``header_body_mismatch``), because a genuine event may be lost.
    ``None`` for a forgery. Log it with care: what a handler raises may contain what was
    delivered."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers to send: ``Retry-After``, or none."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


@dataclass(frozen=True, slots=True)
class Backfilled:
    """The result of back-filling one event."""

    outcome: Outcome
    """``processed``, ``duplicate``, ``in_flight``, or the code of a failure. After a failure
    the event does not count as handled, even if the handler returned: call again."""
    code: Code | None
    """The code, if the outcome is a failure."""
    retry_after: float | None
    """Only for ``in_flight``: seconds until the other lease expires, at most. Call again
    then."""
    error: BaseException | None = field(default=None, repr=False, compare=False)
    """What the handler raised, or the ``StoreError`` if the store failed. Log it with care:
    what a handler raises may contain what was listed."""


class _Work(Generic[E]):
    """What work of either kind has."""

    __slots__ = ("_native",)

    def __init__(self, native: _velora.Work) -> None:
        self._native = native

    @property
    def delivery(self) -> Delivery[E]:
        """The verified delivery: raw body, time of signing, and which secret matched."""
        delivery: Delivery[E] = self._native.delivery
        return delivery

    @property
    def event(self) -> E:
        """The typed event."""
        event: E = self._native.event
        return event

    @property
    def key(self) -> str:
        """The key that was claimed."""
        return self._native.key

    @property
    def epoch(self) -> int:
        """The claim's epoch, for ``Store.commit_in``, which commits the claim together with
        what you write."""
        return self._native.epoch

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key!r})"


class Work(_Work[E]):
    """A genuine event that is claimed for you to handle; ``Receiver.begin`` returns it. End it
    with ``done``, ``committed`` or ``release``, and answer with the ``Reply`` that this
    returns. If it is dropped, its lease expires by itself.

    Ending it a second time raises a ``RuntimeError``.
    """

    __slots__ = ()

    def done(self) -> Reply:
        """The event was handled: commits the claim. The reply is 200 only if that succeeds."""
        reply: Reply = self._native.done().wait()
        return reply

    def committed(self) -> Reply:
        """Call it after your own transaction, which contained ``commit_in``, has been
        committed. The reply is 200."""
        reply: Reply = self._native.committed().wait()
        return reply

    def release(self) -> Reply:
        """The event was not handled: releases the claim, so that it comes again. The reply is
        ``handler_failed``, or ``lease_lost`` if the claim was taken over."""
        reply: Reply = self._native.release().wait()
        return reply

    def renew(self) -> None:
        """Gives long work more time: the lease starts again at its full length. Raises
        ``lease_lost``, after which the work should stop; ``store_unavailable``,
        ``store_full``."""
        self._native.renew().wait()


class AsyncWork(_Work[E]):
    """``Work`` for ``asyncio``; ``AsyncReceiver.begin`` returns it. If the task is cancelled
    while it ends the work, it waits until the work has ended."""

    __slots__ = ()

    async def done(self) -> Reply:
        """See ``Work.done``."""
        reply: Reply = await to_its_end(self._native.done())
        return reply

    async def committed(self) -> Reply:
        """See ``Work.committed``."""
        reply: Reply = await to_its_end(self._native.committed())
        return reply

    async def release(self) -> Reply:
        """See ``Work.release``."""
        reply: Reply = await to_its_end(self._native.release())
        return reply

    async def renew(self) -> None:
        """See ``Work.renew``."""
        await self._native.renew().future()


class _Receiver(Generic[E]):
    """What a receiver of either kind has."""

    __slots__ = ("_native", "_store", "_verifier")

    def __init__(
        self, verifier: Verifier[E], store: Store, *, body_limit: int | None = None
    ) -> None:
        if not isinstance(store, Store):
            raise TypeError("give the store of `open_store`, or a `MemoryStore`")
        self._native = _velora.Receiver(verifier, store._native, body_limit=body_limit)
        self._store = store
        self._verifier = verifier

    @property
    def body_limit(self) -> int:
        """The largest body, in bytes, that is accepted: 1 MiB by default. Of a larger body you
        need not read, or pass to ``receive``, more than one byte beyond the limit."""
        return self._native.body_limit

    def unreadable(self) -> Reply:
        """The reply to a request whose body broke off, for callers who read the body."""
        return self._native.unreadable()

    @property
    def verifier(self) -> Verifier[E]:
        """The verifier that decides what is genuine."""
        return self._verifier

    @property
    def store(self) -> Store:
        """Where claims are kept."""
        return self._store

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._verifier!r})"


class Receiver(_Receiver[E]):
    """Receives the deliveries of one endpoint: it verifies each request, runs the handler for
    each new event, and gives each request the response that its system expects.

    Endpoints of the same system need a store each, or in a shared database a namespace each
    (``open_store(..., namespace=...)``): otherwise an event that one has handled is a
    ``duplicate`` at the other. Endpoints of different systems can share a store.

    >>> from velora import MemoryStore, Receiver, Signer, Verifier
    >>> receiver = Receiver(Verifier("health", "secret"), MemoryStore())
    >>> signed = Signer("health", "secret").sign(b'{"id":"evt_1","type":"phi.read"}')
    >>> receiver.receive(signed.body, signed.headers, print)
    Event(type='phi.read', id='evt_1')
    Reply(status=200, retry_after=None, outcome='processed', code=None)
    >>> receiver.receive(signed.body, signed.headers, print).outcome
    'duplicate'

    Answer in under 10 s, the systems' own limit. Hand slow work to a queue.
    """

    __slots__ = ()

    def receive(self, body: Buffer, headers: Headers, handler: Callable[[E], object]) -> Reply:
        """Receives one request. ``handler`` is called only for a genuine event that nobody
        else has handled or is handling. If it returns, the claim is committed. If it raises,
        the claim is released, so that the event comes again, and the exception is in
        ``Reply.error``.

        Raises only for misuse: ``TypeError`` if ``handler`` is a coroutine function (use
        ``AsyncReceiver``) or a generator function; ``body_already_parsed``,
        ``unreadable_headers``.
        """
        must_wait(handler)
        begun = self._native.begin(body, headers).wait()
        reply: Reply = _handled(begun, lambda: handler(begun.event))
        return reply

    def begin(self, body: Buffer, headers: Headers) -> Work[E] | Reply:
        """The first half of ``receive``, for your own control flow. Returns the work to do, or
        the ``Reply`` to send at once.

        With ``Store.commit_in`` effects are exactly-once: the receiver has claimed the event,
        and its claim is committed together with what you write.

        >>> import sqlite3, tempfile
        >>> from velora import Receiver, Reply, Signer, Verifier, open_store
        >>> path = tempfile.mkdtemp() + "/shop.db"
        >>> store = open_store(f"sqlite://{path}")
        >>> store.ready()
        >>> shop = sqlite3.connect(path)
        >>> _ = shop.execute("CREATE TABLE payments (id TEXT)")
        >>> receiver = Receiver(Verifier("health", "secret"), store)
        >>> def endpoint(body, headers):
        ...     work = receiver.begin(body, headers)
        ...     if isinstance(work, Reply):
        ...         return work
        ...     try:
        ...         with shop:  # commits, or rolls back
        ...             shop.execute("INSERT INTO payments VALUES (?)", [work.event.id])
        ...             store.commit_in(shop, work.key, work.epoch)
        ...     except Exception:
        ...         return work.release()
        ...     return work.committed()
        >>> signed = Signer("health", "secret").sign(b'{"id":"evt_1","type":"phi.read"}')
        >>> endpoint(signed.body, signed.headers).outcome
        'processed'
        >>> endpoint(signed.body, signed.headers).outcome
        'duplicate'
        >>> shop.execute("SELECT * FROM payments").fetchall()
        [('evt_1',)]
        >>> shop.close()

        Raises only for misuse: ``body_already_parsed``, ``unreadable_headers``.
        """
        begun: _velora.Work | Reply = self._native.begin(body, headers).wait()
        return begun if isinstance(begun, Reply) else Work(begun)

    def backfill(self, key: str, handler: Callable[[], object]) -> Backfilled:
        """Handles an event that was not delivered, but listed, exported or streamed, such as
        after an outage. The rules are the same: ``handler`` is called only if nobody else has
        handled the event or is handling it. ``key`` is the key of that event, such as
        ``AuditEvent.key``. A delivery of the same event, earlier or later, counts as the same.

        >>> from velora import MemoryStore, Receiver, Verifier
        >>> receiver = Receiver(Verifier("health", "secret"), MemoryStore())
        >>> receiver.backfill("health:evt_1:phi.read", lambda: print("handled"))
        handled
        Backfilled(outcome='processed', code=None, retry_after=None)

        If the handler raises, the claim is released and the exception is in
        ``Backfilled.error``. Raises only for misuse: ``TypeError`` for a handler that
        ``receive`` refuses too; ``invalid_option`` if the key is not a string, such as the
        ``None`` of an event without an identity.
        """
        must_wait(handler)
        backfilled: Backfilled = _handled(self._native.backfill(key).wait(), handler)
        return backfilled


class AsyncReceiver(_Receiver[E]):
    """``Receiver`` for ``asyncio``. A handler may be a function or a coroutine function."""

    __slots__ = ()

    async def receive(
        self, body: Buffer, headers: Headers, handler: Callable[[E], Awaitable[object] | object]
    ) -> Reply:
        """See ``Receiver.receive``. If the task is cancelled, such as when the sender hangs up,
        the claim is released, or committed if the handler had finished. The task waits for
        that."""
        must_run(handler)
        begun = await to_its_end(self._native.begin(body, headers), undo=_release)
        reply: Reply = await _handled_later(begun, lambda: handler(begun.event))
        return reply

    async def begin(self, body: Buffer, headers: Headers) -> AsyncWork[E] | Reply:
        """See ``Receiver.begin``. If the task is cancelled before this returns, the claim is
        released. After it has returned, you must end the work."""
        begun: _velora.Work | Reply = await to_its_end(
            self._native.begin(body, headers), undo=_release
        )
        return begun if isinstance(begun, Reply) else AsyncWork(begun)

    async def backfill(
        self, key: str, handler: Callable[[], Awaitable[object] | object]
    ) -> Backfilled:
        """See ``Receiver.backfill``; if the task is cancelled, see ``receive``."""
        must_run(handler)
        begun = await to_its_end(self._native.backfill(key), undo=_release)
        backfilled: Backfilled = await _handled_later(begun, handler)
        return backfilled


_Begun = _velora.Work | _velora.Listed | Reply | Backfilled
"""What is ours to handle, or what has become of it already."""


def _handled(begun: _Begun, handler: Callable[[], object]) -> Any:
    """What becomes of it: its claim is ended as the handler ended."""
    if isinstance(begun, (Reply, Backfilled)):
        return begun
    try:
        settled(handler())
    except BaseException as error:
        ended = begun.release().wait()
        if not isinstance(error, Exception):
            raise
        return replace(ended, error=error)
    return begun.done().wait()


async def _handled_later(begun: _Begun, handler: Callable[[], object]) -> Any:
    """``_handled`` for ``asyncio``."""
    if isinstance(begun, (Reply, Backfilled)):
        return begun
    try:
        await settled_later(handler())
    except BaseException as error:
        ended = await to_its_end(begun.release())
        if not isinstance(error, Exception):
            raise
        return replace(ended, error=error)
    return await to_its_end(begun.done())


def _release(begun: _Begun) -> _velora.Call | None:
    return None if isinstance(begun, (Reply, Backfilled)) else begun.release()
