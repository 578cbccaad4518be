"""Databases that hold both effects and claims."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import psycopg2
from served_stores import Places
from velora import Store, open_store

KEY = "tv:evt_abc123"

DRIVERS = ["sqlite3", "psycopg", "psycopg2"]


class Shop:
    """A store, and connections to its database in which there are effects."""

    def __init__(self, driver: str, places: Places, **options: float) -> None:
        kind = "sqlite" if driver == "sqlite3" else "postgres"
        self.driver = driver
        self.url = places.url(kind)
        self.store: Store = open_store(self.url, timeout=30, **options)
        self.store.ready()
        self.opened: list[Any] = []
        connection = self.connect()
        connection.cursor().execute("CREATE TABLE effects (amount INTEGER)")
        connection.commit()

    def connect(self, **options: Any) -> Any:
        if self.driver == "sqlite3":
            path = self.url.removeprefix("sqlite://")
            connection: Any = sqlite3.connect(path, timeout=30, **options)
        elif self.driver == "psycopg":
            connection = psycopg.connect(self.url, **options)
        else:
            connection = psycopg2.connect(self.url, **options)
        self.opened.append(connection)
        return connection

    def state(self) -> str:
        """What another one gets."""
        with self.store.claim(KEY) as claim:
            if claim.fresh:
                claim.release()
            return claim.state

    def effects(self) -> int:
        connection = self.connect()
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM effects")
        count: int = cursor.fetchone()[0]
        connection.rollback()
        return count

    def close(self) -> None:
        for connection in self.opened:
            connection.close()
