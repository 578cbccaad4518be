"""Where claims are kept, so that each event is handled once."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from . import _velora
from ._custom import Verbs
from ._ending import to_its_end
from ._host import acting_on, awaiting_on
from .errors import StoreError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ._host import AsyncConnection, Connection

__all__ = [
    "AsyncCustomStore",
    "Claim",
    "ClaimIn",
    "CustomClaim",
    "CustomStore",
    "MemoryStore",
    "Store",
    "open_store",
]


def open_store(
    url: str,
    *,
    lease: float | None = None,
    retention: float | None = None,
    dangerous_short_retention: float | None = None,
    timeout: float | None = None,
    connections: int | None = None,
    namespace: str | None = None,
) -> Store:
    """Opens the store that this URL names.

    ==========================================  ================================
    ``memory:``                                 this process alone
    ``sqlite:///var/lib/app/claims.db``         the processes of one host
    ``postgres://user:password@host/database``  any number of machines
    ``redis://…``, ``rediss://…``               any number of machines
    ==========================================  ================================

    >>> store = open_store("memory:", lease=30)
    >>> store.ready()

    This does not connect: the first claim does, and ``ready``.

    Effects are exactly-once only with ``claim_in`` and ``commit_in``, in SQLite or PostgreSQL.
    Elsewhere handlers run at least once, and a worker whose claim was taken over gets
    ``lease_lost``. Redis can forget on a failover, and needs ``noeviction``. TLS certificates
    are always verified. The URL decides whether TLS is used: ``rediss://`` for Redis,
    ``?sslmode=require`` for PostgreSQL, whose default, ``prefer``, goes without TLS if the
    server has none.

    If endpoints of the same system share a database, such as those of two tenants or two
    services, give each its own ``namespace`` of up to 64 letters, digits, ``.``, ``_`` and
    ``-``. Without it, the second endpoint takes the event for a ``duplicate``. The processes
    that serve one endpoint share its namespace. Endpoints of different systems need none.

    Durations are in seconds. ``lease`` (60), ``retention`` (72 hours) and
    ``dangerous_short_retention`` are those of ``MemoryStore``. ``timeout`` (3; 0.1 to 60) is
    how long one call may take before it is ``store_unavailable``. ``connections`` (16; at least
    1) is how many connections a PostgreSQL store opens at most.

    A forked process opens connections of its own. SQLite is that of ``sqlite3``, 3.35 or
    newer. If a connection of yours had the file open at the fork, the new process must not use
    the file, and gets ``store_unavailable``.

    Raises ``invalid_lease``, ``invalid_retention``; ``invalid_option`` if another option is out
    of its range, if the URL names no store, or if it names a SQLite file and this Python has no
    ``sqlite3``. No error shows any part of the URL, because it may hold a password.
    """
    native = _velora.Store.open(
        url,
        lease=lease,
        retention=retention,
        dangerous_short_retention=dangerous_short_retention,
        timeout=timeout,
        connections=connections,
        namespace=namespace,
    )
    # What names a store starts with one of the words above. Nothing else of it is kept.
    return Store(native, url.partition(":")[0])


class Store:
    """Keeps claims; see ``open_store`` for several endpoints in one database.

    A key is free, claimed until its lease expires, or done until its retention expires. A
    claim that is neither committed nor released expires, and the next delivery takes it over:
    a crash costs a repeat, never an event.
    """

    __slots__ = ("_kind", "_native")

    def __init__(self, native: _velora.Store, kind: str) -> None:
        self._native = native
        self._kind = kind

    @staticmethod
    def of(custom: CustomStore | AsyncCustomStore) -> Store:
        """A store whose claims are kept by your own: in a database that ``open_store`` does not
        know, or behind a service. See ``CustomStore`` for what its functions promise.

        >>> import time
        >>> from velora import CustomClaim, Store, StoreError
        >>> class Rows:
        ...     def __init__(self):
        ...         self.rows = {}  # key: (state, epoch, until when)
        ...     def claim(self, key):
        ...         state, epoch, until = self.rows.get(key, ("free", 0, 0))
        ...         left = until - time.time()
        ...         if state != "free" and left > 0:
        ...             return CustomClaim(state, retry_after=left)
        ...         self.rows[key] = ("in_flight", epoch + 1, time.time() + 60)
        ...         return CustomClaim("fresh", epoch=epoch + 1)
        ...     def commit(self, key, epoch):
        ...         self.change(key, epoch, "done", 72 * 3600)
        ...     def release(self, key, epoch):
        ...         self.change(key, epoch, "free", 72 * 3600)
        ...     def renew(self, key, epoch):
        ...         self.change(key, epoch, "in_flight", 60)
        ...     def change(self, key, epoch, state, seconds):
        ...         if self.rows.get(key, ())[:2] != ("in_flight", epoch):
        ...             raise StoreError("it was taken over, or is done", "lease_lost")
        ...         self.rows[key] = (state, epoch, time.time() + seconds)
        >>> store = Store.of(Rows())
        >>> for _ in range(2):
        ...     with store.claim("health:evt_1:phi.read") as claim:
        ...         print(claim.state)
        fresh
        done

        Its functions are called in the thread that waits for them, or by the event loop, where
        they may be coroutine functions. Calls that wait, as those of ``Receiver``, raise a
        ``TypeError`` for a store of coroutine functions.

        Raises ``TypeError`` where a function is missing, or is a generator function.
        """
        return Store(_velora.Store.custom(Verbs(custom)), type(custom).__name__)

    def claim(self, key: str) -> Claim:
        """A claim of this key, to be entered with ``with`` or ``async with``.

        >>> store = MemoryStore()
        >>> with store.claim("health:evt_1:phi.read") as claim:
        ...     if claim.fresh:
        ...         print("handled")  # then it is committed
        handled
        """
        return Claim(self._native, key)

    def ready(self) -> None:
        """Connects and creates missing tables, so that a store that cannot be used is found
        when the service starts. Raises ``store_unavailable``, ``store_full``."""
        self._native.ready().wait()

    async def aready(self) -> None:
        """``ready`` for ``asyncio``."""
        await self._native.ready().future()

    def close(self) -> None:
        """Closes idle connections soon, without waiting for it. A later call opens new ones;
        claims kept in memory stay."""
        self._native.close()

    def claim_in(self, connection: Connection, key: str) -> ClaimIn:
        """Claims a key in the open transaction of your own connection to the store's database:
        ``sqlite3`` for a SQLite store, ``psycopg`` or ``psycopg2`` for a PostgreSQL store. If
        the transaction is rolled back, nothing was claimed.

        Use it for an event that no receiver has claimed. In a receiver's handler the event is
        already claimed, so this returns ``in_flight``; there, use ``Receiver.begin`` and
        ``commit_in`` with the work's epoch.

        Claim and effects are committed together, so effects are exactly-once. Call ``ready``
        once beforehand, which creates the tables, and keep PostgreSQL's default isolation
        level, ``READ COMMITTED``.

        SQLite has one writer: while the transaction is open, other claims wait, and are
        ``store_unavailable`` after the store's ``timeout``.

        >>> import sqlite3, tempfile
        >>> path = tempfile.mkdtemp() + "/shop.db"
        >>> store = open_store(f"sqlite://{path}")
        >>> store.ready()
        >>> shop = sqlite3.connect(path)
        >>> _ = shop.execute("CREATE TABLE payments (amount INTEGER)")
        >>> def status(key):
        ...     with shop:  # commits, or rolls back
        ...         claim = store.claim_in(shop, key)
        ...         if claim.fresh:
        ...             shop.execute("INSERT INTO payments VALUES (100)")
        ...             store.commit_in(shop, key, claim.epoch)
        ...     # What someone else is working on may yet fail there.
        ...     return 503 if claim.state == "in_flight" else 200
        >>> status("tv:evt_abc123"), status("tv:evt_abc123")
        (200, 200)
        >>> shop.execute("SELECT count(*) FROM payments").fetchone()
        (1,)
        >>> shop.close()

        Raises what the connection raises; ``TypeError`` if the store is not in SQLite or
        PostgreSQL, or the connection is of another kind; ``ValueError`` if the connection is
        in autocommit mode.
        """
        statements = self._in_transaction()
        with acting_on(connection, statements.database) as run:
            row = run(*statements.claim(key)).fetchone()
            if row is not None:
                return ClaimIn(*statements.fresh(row[0]))
            row = run(*statements.standing(key)).fetchone()
        return ClaimIn(*statements.stands(row))

    def commit_in(self, connection: Connection, key: str, epoch: int | None) -> None:
        """Commits the claim in the transaction that holds the effects. Answer 2xx only after
        that transaction is committed.

        The epoch comes from ``claim_in`` in the same transaction, or from the ``Work`` of
        ``Receiver.begin``. Either way the effects are written exactly once, because a claim
        that was taken over fails with ``lease_lost``. That of a ``Claim`` does so too, but its
        block commits at its end, which is then ``lease_lost``.

        Raises ``lease_lost``, and what ``claim_in`` raises; roll back then. ``ValueError`` if
        the epoch is ``None``, as that of a claim that is not fresh.
        """
        statements = self._in_transaction()
        with acting_on(connection, statements.database) as run:
            cursor = run(*statements.commit(key, _held(epoch)))
            changed = cursor.rowcount if _counts(statements) else len(cursor.fetchall())
        statements.committed(changed)

    async def aclaim_in(self, connection: AsyncConnection, key: str) -> ClaimIn:
        """``claim_in`` for a ``psycopg.AsyncConnection``."""
        statements = self._in_transaction()
        async with awaiting_on(connection, statements.database) as run:
            row = await (await run(*statements.claim(key))).fetchone()
            if row is not None:
                return ClaimIn(*statements.fresh(row[0]))
            row = await (await run(*statements.standing(key))).fetchone()
        return ClaimIn(*statements.stands(row))

    async def acommit_in(
        self, connection: AsyncConnection, key: str, epoch: int | None
    ) -> None:
        """``commit_in`` for a ``psycopg.AsyncConnection``."""
        statements = self._in_transaction()
        async with awaiting_on(connection, statements.database) as run:
            cursor = await run(*statements.commit(key, _held(epoch)))
            changed = cursor.rowcount if _counts(statements) else len(await cursor.fetchall())
        statements.committed(changed)

    def __repr__(self) -> str:
        return f"Store({self._kind})"

    def _in_transaction(self) -> _velora.Statements:
        statements = self._native.in_transaction()
        if statements is None:
            raise TypeError("this store cannot claim in a transaction")
        return statements


def _counts(statements: _velora.Statements) -> bool:
    """Whether the cursor's row count is known at once. In PostgreSQL the changed rows are
    fetched, because in a ``psycopg`` pipeline the count is not known earlier."""
    return statements.database == "sqlite"


def _held(epoch: int | None) -> int:
    if epoch is None:
        raise ValueError("this claim is not fresh")
    return epoch


@dataclass(frozen=True, slots=True)
class ClaimIn:
    """The answer to a claim in your own transaction, which also ends the claim."""

    state: Literal["fresh", "in_flight", "done"]
    """``fresh``: the event is yours. ``in_flight``: someone else is handling it, never answer
    2xx. ``done``: it was handled before, answer 2xx."""
    epoch: int | None
    """Only for ``fresh``: the number of the claim, for ``commit_in``."""
    retry_after: float | None
    """Only for ``in_flight``: seconds until the other lease expires, at most."""

    @property
    def fresh(self) -> bool:
        """Whether there is work to do."""
        return self.state == "fresh"


@dataclass(frozen=True, slots=True)
class CustomClaim:
    """What a store of your own answers a claim with."""

    state: Literal["fresh", "in_flight", "done"]
    """``fresh``: the caller works on it. ``in_flight``: someone else does. ``done``: it was
    handled before."""
    epoch: int | None = None
    """Of ``fresh``: greater for each later claim of the key, from 0 to 2⁶⁴ - 1."""
    retry_after: float | None = None
    """Of ``in_flight``: when the lease runs out at the latest, in seconds."""


class CustomStore(Protocol):
    """A store of your own, for ``Store.of``.

    ``commit``, ``release`` and ``renew`` act only while the key is claimed under just this
    epoch, in one step; otherwise they raise ``StoreError("…", "lease_lost")``. They return
    nothing: what they do return, such as ``False`` or a count of rows, is not taken for
    success. Where there is no room they raise ``StoreError("…", "store_full")``. Whatever else
    is raised or returned is logged on the logger ``velora``; it is ``store_unavailable``, and
    the event comes again. Give each call a limit on its time, because a delivery waits for it.
    """

    def claim(self, key: str, /) -> CustomClaim:
        """Claims a key that is free, or whose lease has run out. Of callers at the same time
        one alone is told ``fresh``."""

    def commit(self, key: str, epoch: int, /) -> None:
        """The work is done: the key is remembered as that for as long as the system may retry,
        72 hours for example."""

    def release(self, key: str, epoch: int, /) -> None:
        """The work is not done: the next claim is fresh."""

    def renew(self, key: str, epoch: int, /) -> None:
        """The lease starts anew."""


class AsyncCustomStore(Protocol):
    """``CustomStore`` for ``AsyncReceiver`` and for claims in ``async with``."""

    async def claim(self, key: str, /) -> CustomClaim:
        """See ``CustomStore.claim``."""

    async def commit(self, key: str, epoch: int, /) -> None:
        """See ``CustomStore.commit``."""

    async def release(self, key: str, epoch: int, /) -> None:
        """See ``CustomStore.release``."""

    async def renew(self, key: str, epoch: int, /) -> None:
        """See ``CustomStore.renew``."""


class MemoryStore(Store):
    """A store in memory: bounded, expiring, and for one process only.

    Other processes, such as other gunicorn workers, do not see it, and a restart empties it.
    ``capacity`` is how many keys it holds, 5,000 by default. When it is full, a claim whose
    lease has expired makes room; to commit it is then ``lease_lost``. If there is none, the
    done key that was committed longest ago makes room, and ``dropped_early`` counts it. A key
    whose lease runs is never dropped (``store_full``).

    Durations are in seconds. ``lease`` is how long an event may be handled before its claim is
    taken over, 60 by default. Let it be far less than the system retries for (about 36 min for
    Billing, 2.6 h for Velora TV): after a crash the event is in flight for the rest of the
    lease, and lost if the last retry comes within it. ``retention`` is how long a done key is
    remembered, 72 hours by default. A retention under 24 hours is ``invalid_retention``,
    because the longest retry schedule of the systems is 17.5 hours;
    ``dangerous_short_retention`` allows it.

    Raises ``invalid_lease``, ``invalid_retention``, ``invalid_capacity``; ``invalid_option`` if
    ``capacity`` is out of range.
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        capacity: int | None = None,
        lease: float | None = None,
        retention: float | None = None,
        dangerous_short_retention: float | None = None,
    ) -> None:
        super().__init__(
            _velora.Store.memory(
                capacity=capacity,
                lease=lease,
                retention=retention,
                dangerous_short_retention=dangerous_short_retention,
            ),
            "memory",
        )

    def __len__(self) -> int:
        """How many keys are held, claimed and done together."""
        return self._native.held()

    def __bool__(self) -> bool:
        return True

    @property
    def dropped_early(self) -> int:
        """How many done keys were forgotten for lack of room before their retention expired. If
        it is not zero, events may be handled twice: raise the capacity."""
        return self._native.dropped_early()

    def __repr__(self) -> str:
        return f"MemoryStore({len(self)} keys)"


class Claim:
    """A claim of a key, for a ``with`` or ``async with`` block. It is committed if the block
    ends normally, and released if the block raises. A cancelled task waits until that is done,
    and releases a claim that it was about to get.

    There is work to do only if the claim is ``fresh``. Within the block, ``commit`` and
    ``release`` end it earlier, and ``renew`` gives long work more time; in an ``async with``
    block, use ``acommit``, ``arelease`` and ``arenew``.

    These methods, and the end of the block, raise a ``StoreError``: ``lease_lost`` if the claim
    was taken over, after which the work should stop; ``store_unavailable``; ``store_full``,
    also if a disk or memory is full. Entering the block raises ``store_full`` or
    ``store_unavailable``.
    """

    __slots__ = ("_claim", "_ended", "_native", "key")

    key: str
    """The key that is claimed."""

    def __init__(self, native: _velora.Store, key: str) -> None:
        self._native = native
        self._claim: _velora.Claim | None = None
        self._ended = False
        self.key = key

    @property
    def state(self) -> Literal["fresh", "in_flight", "done"]:
        """``fresh``: the event is yours. ``in_flight``: someone else is handling it, never
        answer 2xx. ``done``: it was handled before, answer 2xx."""
        return self._made.state

    @property
    def fresh(self) -> bool:
        """Whether there is work to do."""
        return self.state == "fresh"

    @property
    def retry_after(self) -> float | None:
        """Only for ``in_flight``: seconds until the other lease expires, at most."""
        return self._made.retry_after

    @property
    def epoch(self) -> int | None:
        """Only for ``fresh``: the number of the claim. A later claim of the key has a greater
        one."""
        return self._made.epoch

    def commit(self) -> None:
        """The work is done: every later claim is ``done``."""
        self._made.commit().wait()
        self._ended = True

    def release(self) -> None:
        """The work is not done: the next claim is fresh."""
        self._made.release().wait()
        self._ended = True

    def renew(self) -> None:
        """Gives long work more time: the lease starts again at its full length."""
        self._made.renew().wait()

    async def acommit(self) -> None:
        """``commit`` for ``asyncio``."""
        await to_its_end(self._made.commit())
        self._ended = True

    async def arelease(self) -> None:
        """``release`` for ``asyncio``."""
        await to_its_end(self._made.release())
        self._ended = True

    async def arenew(self) -> None:
        """``renew`` for ``asyncio``."""
        await self._made.renew().future()

    @property
    def _made(self) -> _velora.Claim:
        if self._claim is None:
            raise RuntimeError("enter the claim first: `with store.claim(key) as claim:`")
        return self._claim

    @property
    def _is_held(self) -> bool:
        return self._claim is not None and self.fresh and not self._ended

    def _check_free(self) -> None:
        if self._is_held:
            raise RuntimeError("this claim is already held: claim the key again instead")

    def __enter__(self) -> Self:
        self._check_free()
        self._claim = self._native.claim(self.key).wait()
        self._ended = False
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_held:
            return
        if error is None:
            self.commit()
            return
        with contextlib.suppress(StoreError):  # The lease runs out by itself.
            self.release()

    async def __aenter__(self) -> Self:
        self._check_free()
        self._claim = await to_its_end(self._native.claim(self.key), undo=_release)
        self._ended = False
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_held:
            return
        if error is None:
            await self.acommit()
            return
        with contextlib.suppress(StoreError):  # The lease runs out by itself.
            await self.arelease()

    def __repr__(self) -> str:
        state = "not entered" if self._claim is None else self._claim.state
        return f"Claim({self.key!r}, {state})"


def _release(claim: _velora.Claim) -> _velora.Call | None:
    return claim.release() if claim.state == "fresh" else None
