"""All rules joined: verify, claim, hand over, commit or release, answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from . import _velora
from ._ending import to_its_end
from ._handlers import must_run, must_wait, settled, settled_later
from .errors import Code
from .stores import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from typing_extensions import Buffer

    from ._velora import Verifier
    from .health import AuditEvent
    from .tv import StreamEvent

__all__ = ["AsyncReceiver", "AsyncWork", "Headers", "Outcome", "Receiver", "Reply", "Work"]

E = TypeVar("E")

Headers = Mapping[Any, Any] | Iterable[tuple[Any, Any]]
"""A dict, a framework's header object, pairs as ASGI has them, or a WSGI environ."""

Outcome = Literal["processed", "duplicate", "in_flight"] | Code
"""``processed``, ``duplicate``, ``in_flight``, or the code of a fault."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one request: send the status, and ``Retry-After`` where there is one."""

    status: int
    """The HTTP status."""
    retry_after: int | None
    """The value of the ``Retry-After`` header, in seconds, if there is to be one."""
    outcome: Outcome
    """``processed``, ``duplicate``, ``in_flight``, or the code of a fault. Fit for the body."""
    code: Code | None
    """The code, where the outcome is a fault."""
    error: BaseException | None = field(default=None, repr=False, compare=False)
    """What the handler raised, to be logged with care: it may repeat what was delivered."""

    @property
    def headers(self) -> dict[str, str]:
        """``Retry-After``, if there is to be one."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class _Work(Generic[E]):
    """What work of either kind has."""

    __slots__ = ("_native",)

    def __init__(self, native: _velora.Work) -> None:
        self._native = native

    @property
    def event(self) -> E:
        """What was delivered."""
        event: E = self._native.event
        return event

    @property
    def key(self) -> str:
        """What was claimed."""
        return self._native.key

    @property
    def epoch(self) -> int:
        """Under which number: for ``Store.commit_in``, which commits the claim together with
        what you write."""
        return self._native.epoch

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key!r})"


class Work(_Work[E]):
    """A genuine event that is yours to handle, as ``Receiver.begin`` gives it. Answer with the
    ``Reply`` of what ends it: ``done``, ``committed`` or ``release``. Dropped, its lease runs
    out by itself.

    Ended a second time, it raises a ``RuntimeError``.
    """

    __slots__ = ()

    def done(self) -> Reply:
        """The event was handled: commits the claim. The reply is 200 only if that held."""
        reply: Reply = self._native.done().wait()
        return reply

    def committed(self) -> Reply:
        """The event was handled, and a transaction of yours that committed the claim is
        committed itself: the reply is 200."""
        reply: Reply = self._native.committed().wait()
        return reply

    def release(self) -> Reply:
        """The event was not handled: releases the claim, so that it comes again. The reply is
        ``handler_failed``, or ``lease_lost`` where the claim was taken over."""
        reply: Reply = self._native.release().wait()
        return reply

    def renew(self) -> None:
        """More time for long work: the lease starts anew. Raises ``lease_lost``, after which
        the work should stop; ``store_unavailable``."""
        self._native.renew().wait()


class AsyncWork(_Work[E]):
    """``Work`` for ``asyncio``, as ``AsyncReceiver.begin`` gives it. A task that is cancelled
    while it ends the work waits until that is done."""

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
        """The largest body, in bytes, that is looked at: 1 MiB by default. Of a larger one no
        more than one byte beyond it needs to be read, and given to ``receive``."""
        return self._native.body_limit

    def unreadable(self) -> Reply:
        """The answer to a request whose body broke off, for those who read it themselves."""
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
    """Receives the deliveries of one endpoint: each genuine event reaches the handler, is
    counted once, and each request gets the answer its system wants.

    One store belongs to one endpoint: to another of the same system its events would be
    ``duplicate``. ``open_store(..., namespace=...)`` keeps those apart that share a place.

    >>> from velora import MemoryStore, Receiver, Signer, Verifier
    >>> receiver = Receiver(Verifier("health", "secret"), MemoryStore())
    >>> signed = Signer("health", "secret").sign(b'{"id":"evt_1","type":"phi.read"}')
    >>> receiver.receive(signed.body, signed.headers, print)
    Event(type='phi.read', id='evt_1')
    Reply(status=200, retry_after=None, outcome='processed', code=None)
    >>> receiver.receive(signed.body, signed.headers, print).outcome
    'duplicate'

    Answer in under 10 s, the systems' own limit: hand slow work to a queue.
    """

    __slots__ = ()

    def receive(self, body: Buffer, headers: Headers, handler: Callable[[E], object]) -> Reply:
        """Receives one request. ``handler`` is called only for a genuine event that nobody has
        handled or is handling; when it returns the claim is committed, and when it raises the
        claim is released, so that the event comes again: what it raised is in
        ``Reply.error``. Nothing but a ``ConfigError`` is raised, for misuse.
        """
        must_wait(handler)
        work = self.begin(body, headers)
        if isinstance(work, Reply):
            return work
        try:
            settled(handler(work.event))
        except BaseException as error:
            reply = work.release()
            if not isinstance(error, Exception):
                raise
            return replace(reply, error=error)
        return work.done()

    def begin(self, body: Buffer, headers: Headers) -> Work[E] | Reply:
        """The first half of ``receive``, for a control flow of your own: the work to do, or
        the ``Reply`` to give at once.

        With ``Store.commit_in`` the effect is exactly-once: the receiver has claimed the event,
        and its claim is committed with what you write.

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

        Nothing but a ``ConfigError`` is raised, for misuse.
        """
        begun: _velora.Work | Reply = self._native.begin(body, headers).wait()
        return begun if isinstance(begun, Reply) else Work(begun)

    def backfill(
        self, event: AuditEvent | StreamEvent, handler: Callable[[Any], object]
    ) -> Outcome:
        """Handles an event that did not come as a delivery, but was listed, exported or
        streamed after an outage, under the same rules: a delivery of it, before or after,
        counts as the same. ``processed``, ``duplicate``, or ``in_flight``: ask again later.

        Raises what the handler raises, after the claim is released; a ``StoreError``; a
        ``ValueError`` for an event without an identity.
        """
        must_wait(handler)
        with self._store.claim(_key(event)) as claim:
            if claim.fresh:
                settled(handler(event))
            return _OUTCOMES[claim.state]


class AsyncReceiver(_Receiver[E]):
    """``Receiver`` for ``asyncio``. A handler may be a function or a coroutine function."""

    __slots__ = ()

    async def receive(
        self, body: Buffer, headers: Headers, handler: Callable[[E], Awaitable[object] | object]
    ) -> Reply:
        """See ``Receiver.receive``. Where the task is cancelled, as by a sender that hangs up,
        the claim is released, or committed if the handler had come to its end; that is
        waited for."""
        must_run(handler)
        work = await self.begin(body, headers)
        if isinstance(work, Reply):
            return work
        try:
            await settled_later(handler(work.event))
        except BaseException as error:
            reply = await work.release()
            if not isinstance(error, Exception):
                raise
            return replace(reply, error=error)
        return await work.done()

    async def begin(self, body: Buffer, headers: Headers) -> AsyncWork[E] | Reply:
        """See ``Receiver.begin``. Where the task is cancelled meanwhile, what it claimed is
        released; from then on the work is yours to end."""
        begun: _velora.Work | Reply = await to_its_end(
            self._native.begin(body, headers), undo=_release
        )
        return begun if isinstance(begun, Reply) else AsyncWork(begun)

    async def backfill(
        self,
        event: AuditEvent | StreamEvent,
        handler: Callable[[Any], Awaitable[object] | object],
    ) -> Outcome:
        """See ``Receiver.backfill``."""
        must_run(handler)
        async with self._store.claim(_key(event)) as claim:
            if claim.fresh:
                await settled_later(handler(event))
            return _OUTCOMES[claim.state]


_OUTCOMES: dict[Literal["fresh", "in_flight", "done"], Outcome] = {
    "fresh": "processed",
    "in_flight": "in_flight",
    "done": "duplicate",
}


def _release(begun: _velora.Work | Reply) -> _velora.Call | None:
    return None if isinstance(begun, Reply) else begun.release()


def _key(event: AuditEvent | StreamEvent) -> str:
    if event.key is None:
        raise ValueError("the event has no identity to deduplicate on")
    return event.key
