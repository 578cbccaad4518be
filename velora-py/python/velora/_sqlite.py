"""Python's own SQLite, for the store."""

from __future__ import annotations

import sqlite3

from ._host import in_words_of


def version() -> int:
    """As SQLite writes it in one number."""
    major, minor, patch = sqlite3.sqlite_version_info
    return major * 1_000_000 + minor * 1_000 + patch


class Connection:
    """What the store does its work on: it begins its transactions itself."""

    __slots__ = ("_connection",)

    def __init__(self, path: str, busy: float) -> None:
        self._connection = sqlite3.connect(path, timeout=busy, isolation_level=None)

    def script(self, sql: str) -> None:
        """Runs statements that stand one behind the other."""
        self._connection.executescript(sql)

    def row(self, sql: str, values: tuple[str | int, ...]) -> tuple[int, ...] | None:
        """Runs one to its end, and gives its first row."""
        rows = self._connection.execute(*in_words_of("sqlite3", sql, values)).fetchall()
        return rows[0] if rows else None

    def change(self, sql: str, values: tuple[str | int, ...]) -> int:
        """Runs one, and gives how many rows it has changed."""
        cursor = self._connection.execute(*in_words_of("sqlite3", sql, values))
        return max(cursor.rowcount, 0)

    def close(self) -> None:
        """Undoes what is not committed."""
        self._connection.close()
