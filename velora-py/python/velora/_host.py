"""Statements on a connection of the host's own, in a transaction that is its own too."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator


class Connection(Protocol):
    """A ``sqlite3.Connection``, or one of ``psycopg`` or ``psycopg2``."""

    def cursor(self) -> Any:
        """What runs a statement."""

    def commit(self) -> Any:
        """Ends the transaction."""

    def rollback(self) -> Any:
        """Undoes the transaction."""


class AsyncConnection(Protocol):
    """A ``psycopg.AsyncConnection``."""

    def cursor(self) -> Any:
        """What runs a statement."""

    async def commit(self) -> Any:
        """Ends the transaction."""

    async def rollback(self) -> Any:
        """Undoes the transaction."""


_PARAMETER = re.compile(r"[?$](\d+)")


@contextlib.contextmanager
def acting_on(connection: Connection, database: str) -> Iterator[Callable[..., Any]]:
    """Gives what runs a statement of this database in the connection's transaction."""
    kind = _kind(connection, database, is_async=False)
    _check_transaction(connection, kind)
    with contextlib.closing(_cursor(connection, kind)) as cursor:

        def run(sql: str, values: tuple[Any, ...]) -> Any:
            cursor.execute(*in_words_of(kind, sql, values))
            return cursor

        yield run


@contextlib.asynccontextmanager
async def awaiting_on(
    connection: AsyncConnection, database: str
) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """The same, awaited."""
    kind = _kind(connection, database, is_async=True)
    _check_transaction(connection, kind)
    async with _cursor(connection, kind) as cursor:

        async def run(sql: str, values: tuple[Any, ...]) -> Any:
            await cursor.execute(*in_words_of(kind, sql, values))
            return cursor

        yield run


def _kind(connection: object, database: str, *, is_async: bool) -> str:
    """``sqlite3``, ``psycopg`` or ``psycopg2``, whoever may have derived from it."""
    of_database = {"sqlite": {"sqlite3"}, "postgres": {"psycopg", "psycopg2"}}[database]
    name = "asyncconnection" if is_async else "connection"
    for base in type(connection).__mro__:
        kind = base.__module__.partition(".")[0]
        if kind in of_database and base.__name__.lower() == name:
            return kind
    what = "an asynchronous connection" if is_async else "a connection"
    raise TypeError(f"this store needs {what} of {' or '.join(sorted(of_database))}")


def _check_transaction(connection: Any, kind: str) -> None:
    """In a transaction, or in one as soon as there is a statement."""
    if kind == "sqlite3":
        begun = connection.in_transaction
        # Python 3.12 has `autocommit`; what was before it is -1 there.
        autocommit = getattr(connection, "autocommit", -1)
        alone = connection.isolation_level is None if autocommit == -1 else autocommit
    else:
        begun = connection.info.transaction_status != _IDLE
        alone = connection.autocommit
    if alone and not begun:
        raise ValueError("the connection is in autocommit mode: begin a transaction")


_IDLE = 0
"""Of libpq, and so of both drivers."""


def _cursor(connection: Any, kind: str) -> Any:
    """Its rows are tuples, whatever the connection makes of its own."""
    if kind == "sqlite3":
        cursor = connection.cursor()
        cursor.row_factory = None
        return cursor
    module = sys.modules[kind]
    if kind == "psycopg2":
        return connection.cursor(cursor_factory=module.extensions.cursor)
    return connection.cursor(row_factory=module.rows.tuple_row)


def in_words_of(kind: str, sql: str, values: tuple[Any, ...]) -> tuple[str, dict[str, Any]]:
    """With named parameters, as one may stand more than once."""
    named = _NAMED.get((kind, sql))
    if named is None:
        named = _NAMED[kind, sql] = _named(kind, sql)
    return named, {f"p{at}": value for at, value in enumerate(values, 1)}


_NAMED: dict[tuple[str, str], str] = {}
"""The few statements that there are."""


def _named(kind: str, sql: str) -> str:
    if kind == "sqlite3":
        return _PARAMETER.sub(r":p\1", sql)
    return _PARAMETER.sub(r"%(p\1)s", sql.replace("%", "%%"))
