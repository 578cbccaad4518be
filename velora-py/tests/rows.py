"""A store of the caller's own, on a table with conditional writes."""

from __future__ import annotations

import asyncio
import time

from velora import CustomClaim, Store, StoreError


class Rows:
    """The rows of such a table, under one lock: the interpreter's."""

    def __init__(self, lease: float = 60, dangerous_short_retention: float = 72 * 3600) -> None:
        self.lease = lease
        self.retention = dangerous_short_retention
        self.rows: dict[str, tuple[str, int, float]] = {}

    def claim(self, key: str) -> CustomClaim:
        state, epoch, until = self.rows.get(key, ("free", 0, 0.0))
        left = until - time.monotonic()
        if left > 0 and state == "done":
            return CustomClaim("done")
        if left > 0 and state == "in_flight":
            return CustomClaim("in_flight", retry_after=left)
        self._put(key, "in_flight", epoch + 1, self.lease)
        return CustomClaim("fresh", epoch=epoch + 1)

    def commit(self, key: str, epoch: int) -> None:
        self._held(key, epoch)
        self._put(key, "done", epoch, self.retention)

    def release(self, key: str, epoch: int) -> None:
        self._held(key, epoch)
        self._put(key, "free", epoch, 0)

    def renew(self, key: str, epoch: int) -> None:
        self._held(key, epoch)
        self._put(key, "in_flight", epoch, self.lease)

    def _held(self, key: str, epoch: int) -> None:
        if self.rows.get(key, ("free", 0))[:2] != ("in_flight", epoch):
            raise StoreError("it was taken over", "lease_lost")

    def _put(self, key: str, state: str, epoch: int, seconds: float) -> None:
        self.rows[key] = (state, epoch, time.monotonic() + seconds)


class AsyncRows:
    """The same, awaited."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows

    async def claim(self, key: str) -> CustomClaim:
        await asyncio.sleep(0)
        return self.rows.claim(key)

    async def commit(self, key: str, epoch: int) -> None:
        await asyncio.sleep(0)
        self.rows.commit(key, epoch)

    async def release(self, key: str, epoch: int) -> None:
        await asyncio.sleep(0)
        self.rows.release(key, epoch)

    async def renew(self, key: str, epoch: int) -> None:
        await asyncio.sleep(0)
        self.rows.renew(key, epoch)


def custom(rows: Rows, is_async: bool) -> Store:
    """A store of such rows."""
    return Store.of(AsyncRows(rows) if is_async else rows)
