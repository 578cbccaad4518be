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
    """The store that this URL names, for as many processes as it is for.

    ==========================================  ================================
    ``memory:``                                 this process alone
    ``sqlite:///var/lib/app/claims.db``         the processes of one host
    ``postgres://user:password@host/database``  any number of machines
    ``redis://…``, ``rediss://…``               any number of machines
    ==========================================  ================================

    >>> store = open_store("memory:", lease=30)
    >>> store.ready()

    Effects are exactly-once with ``claim_in`` and ``commit_in`` alone, in SQLite or PostgreSQL;
    elsewhere handlers run at least once, and who was taken over gets ``lease_lost``. Redis can
    forget on a failover, and needs ``noeviction``. TLS is always verified; whether there is
    any, the URL says: ``rediss://``, and ``?sslmode=require`` for PostgreSQL, whose default,
    ``prefer``, goes without where the server has none.

    One store belongs to one endpoint. Where endpoints of one system share a place, as two
    tenants or two services do, give each a ``namespace`` of its own, of up to 64 letters,
    digits, ``.``, ``_`` and ``-``: their keys never meet. Without one the second takes the
    event for a ``duplicate``. The processes that serve one endpoint share its namespace.

    Times are in seconds: ``lease`` and ``retention`` as for ``MemoryStore``; ``timeout`` (3),
    of 0.1 to 60, is how long one call may take before it is ``store_unavailable``.
    ``connections`` (16), at least one, is how many a store in PostgreSQL opens at most. It does
    not connect: the first claim does, and ``ready``. A process that was forked opens
    connections of its own. SQLite is that of ``sqlite3``, 3.35 or newer; where the file was
    open at a fork, by a connection of yours, the new process must not use it, and gets
    ``store_unavailable``.

    Raises ``invalid_option`` where an option is out of its range, or the URL names no store, or
    a file, and this Python has no ``sqlite3``; it shows no part of the URL, which may hold a
    password. ``invalid_lease``, ``invalid_retention``.
    """
    return Store(
        _velora.Store.open(
            url,
            lease=lease,
            retention=retention,
            dangerous_short_retention=dangerous_short_retention,
            timeout=timeout,
            connections=connections,
            namespace=namespace,
        )
    )


class Store:
    """Keeps the claims of one endpoint; see ``open_store`` for several that share a place.

    A key is free, claimed until its lease runs out, or done until its retention runs out. A
    claim that is neither committed nor released expires, and the next delivery takes it over:
    a crash costs a repeat, never an event.
    """

    __slots__ = ("_native",)

    def __init__(self, native: _velora.Store) -> None:
        self._native = native

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
        return Store(_velora.Store.custom(Verbs(custom)))

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
        """Connects, and creates what is missing, so that a store that cannot be used is found
        when the service starts. Raises ``store_unavailable``, ``store_full``."""
        self._native.ready().wait()

    async def aready(self) -> None:
        """``ready`` for ``asyncio``."""
        await self._native.ready().future()

    def close(self) -> None:
        """Closes the connections that nobody is using, soon: it does not wait. A later call
        opens new ones; what is kept in memory stays."""
        self._native.close()

    def claim_in(self, connection: Connection, key: str) -> ClaimIn:
        """Claims a key in the transaction that your own connection is in: ``sqlite3`` for a
        store in SQLite, ``psycopg`` or ``psycopg2`` for one in PostgreSQL, connected to the
        same database. If it is rolled back, nothing was claimed.

        It is for an event that no receiver has claimed: in a receiver's handler the event is
        ``in_flight``. There ``Receiver.begin`` gives the epoch to ``commit_in`` with.

        Claim and effects are committed together, so the effect is exactly-once. Have called
        ``ready`` once, for the tables; let PostgreSQL be ``READ COMMITTED``, its default.

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

        Raises what the connection raises; ``TypeError`` where the store has no such
        transactions, or the connection is of something else; ``ValueError`` where it commits
        each statement by itself.
        """
        statements = self._in_transaction()
        with acting_on(connection, statements.database) as run:
            row = run(*statements.claim(key)).fetchone()
            if row is not None:
                return ClaimIn(*statements.fresh(row[0]))
            row = run(*statements.standing(key)).fetchone()
        return ClaimIn(*statements.stands(row))

    def commit_in(self, connection: Connection, key: str, epoch: int | None) -> None:
        """Marks the work as done in the transaction that holds its effects. Only once that is
        committed answer 2xx.

        The epoch is that of ``claim_in`` in the same transaction, of the ``Work`` that
        ``Receiver.begin`` gave, or of a ``Claim`` that was fresh: the effects are written
        exactly once with each, as one that was taken over gets ``lease_lost``.

        Raises ``lease_lost``, and what ``claim_in`` raises: roll back then.
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

    def _in_transaction(self) -> _velora.Statements:
        statements = self._native.in_transaction()
        if statements is None:
            raise TypeError("this store has no transactions to claim in")
        return statements


def _counts(statements: _velora.Statements) -> bool:
    """Whether the rows that were changed are counted at once. In PostgreSQL they are fetched:
    in a pipeline of ``psycopg`` nothing is known of them before."""
    return statements.database == "sqlite"


def _held(epoch: int | None) -> int:
    if epoch is None:
        raise ValueError("this claim is not fresh")
    return epoch


@dataclass(frozen=True, slots=True)
class ClaimIn:
    """The answer to a claim in a transaction: what ends the claim is the transaction."""

    state: Literal["fresh", "in_flight", "done"]
    """``fresh``: the event is yours. ``in_flight``: someone is working on it, never answer
    2xx. ``done``: it was handled before, answer 2xx."""
    epoch: int | None
    """Of ``fresh``: its number, for ``commit_in``."""
    retry_after: float | None
    """Of ``in_flight``: when the lease runs out at the latest, in seconds."""

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
    epoch, in one step; otherwise they raise ``StoreError("…", "lease_lost")``. Where there is
    no room they raise ``StoreError("…", "store_full")``. Whatever else is raised is
    ``store_unavailable``, and the event comes again.
    """

    def claim(self, key: str, /) -> CustomClaim:
        """Claims a key that is free, or whose lease has run out. Of callers at the same time
        one alone is told ``fresh``."""

    def commit(self, key: str, epoch: int, /) -> object:
        """The work is done: the key is remembered as that for as long as the system may retry,
        72 hours for example."""

    def release(self, key: str, epoch: int, /) -> object:
        """The work is not done: the next claim is fresh."""

    def renew(self, key: str, epoch: int, /) -> object:
        """The lease starts anew."""


class AsyncCustomStore(Protocol):
    """``CustomStore`` for ``AsyncReceiver`` and for claims in ``async with``."""

    async def claim(self, key: str, /) -> CustomClaim:
        """See ``CustomStore.claim``."""

    async def commit(self, key: str, epoch: int, /) -> object:
        """See ``CustomStore.commit``."""

    async def release(self, key: str, epoch: int, /) -> object:
        """See ``CustomStore.release``."""

    async def renew(self, key: str, epoch: int, /) -> object:
        """See ``CustomStore.renew``."""


class MemoryStore(Store):
    """A store in memory: bounded, expiring, and for one process only.

    A second process, as each worker of gunicorn is, or a restart, knows nothing of it. When it
    is full, the done key that was committed longest ago makes room, and is counted in
    ``dropped_early``. A key that is being worked on is never dropped (``store_full``).

    Times are in seconds: a lease of 60, a retention of 72 hours by default. A retention under
    24 hours is ``invalid_retention``, as the longest retry ladder is 17.5 hours;
    ``dangerous_short_retention`` allows it.

    Raises ``invalid_lease``, ``invalid_retention``, ``invalid_capacity``; ``invalid_option``
    where a number is none of seconds or of keys.
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
            )
        )

    def __len__(self) -> int:
        """How many keys are held."""
        return self._native.held()

    def __bool__(self) -> bool:
        return True

    @property
    def dropped_early(self) -> int:
        """How many done keys were forgotten for lack of room before their retention had run
        out. Not zero: events may be handled twice; raise the capacity."""
        return self._native.dropped_early()

    def __repr__(self) -> str:
        return f"MemoryStore({len(self)} keys)"


class Claim:
    """A claim of a key: committed where its block ends cleanly, released where it raises. A
    task that is cancelled waits until that is done, and gives back a claim that it was about
    to get.

    Only where it is ``fresh`` is there work to do. Within the block, ``commit`` and ``release``
    end it earlier, and ``renew`` gives long work more time; in an ``async with`` block they are
    ``acommit``, ``arelease`` and ``arenew``. They raise a ``StoreError``, as the end of the
    block does: ``lease_lost`` where it was taken over, after which the work should stop;
    ``store_unavailable``; ``store_full``, also where a disk or a memory is. To enter it is
    ``store_full`` or ``store_unavailable``.
    """

    __slots__ = ("_claim", "_ended", "_native", "key")

    key: str
    """What is claimed."""

    def __init__(self, native: _velora.Store, key: str) -> None:
        self._native = native
        self._claim: _velora.Claim | None = None
        self._ended = False
        self.key = key

    @property
    def state(self) -> Literal["fresh", "in_flight", "done"]:
        """``fresh``: the event is yours. ``in_flight``: someone is working on it, never answer
        2xx. ``done``: it was handled before, answer 2xx."""
        return self._made.state

    @property
    def fresh(self) -> bool:
        """Whether there is work to do."""
        return self.state == "fresh"

    @property
    def retry_after(self) -> float | None:
        """Of ``in_flight``: when the lease runs out at the latest, in seconds."""
        return self._made.retry_after

    @property
    def epoch(self) -> int | None:
        """Of ``fresh``: its number. A later claim of the key has a greater one."""
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
        """More time for long work: the lease starts anew."""
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
            raise RuntimeError("this claim is held already: claim the key once more instead")

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
