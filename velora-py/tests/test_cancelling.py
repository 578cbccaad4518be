"""Tasks that are cancelled while a store works for them hold nothing, and lose nothing.

A store in a file waits while another process writes to it: for as long as a test wants.
"""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from deliveries import SECRET, signed
from served_stores import PATIENT
from velora import AsyncReceiver, Store, Verifier, open_store

KEY = "health:evt_1:phi.read"


WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.stdin:
    connection.execute(statement)
    print("done", flush=True)
"""


class Slow:
    """A store that waits from ``begin`` to ``end``."""

    def __init__(self, path: Path) -> None:
        self.store: Store = open_store(f"sqlite://{path}", timeout=60)
        self.store.ready()
        self._writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def begin(self) -> None:
        self._write("BEGIN IMMEDIATE")

    def end(self) -> None:
        self._write("ROLLBACK")

    def close(self) -> None:
        self._writer.communicate()

    def _write(self, statement: str) -> None:
        assert self._writer.stdin is not None
        assert self._writer.stdout is not None
        print(statement, file=self._writer.stdin, flush=True)
        assert self._writer.stdout.readline() == "done\n"

    async def cancelled(self, work: Awaitable[object], ready: Callable[[], bool]) -> None:
        """Does the work, and cancels it, twice, once it waits for the store."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.sleep(0)
            while not ready():
                await asyncio.sleep(0.001)
            for _ in range(2):
                task.cancel()
                for _ in range(5):
                    await asyncio.sleep(0)
                assert not task.done(), "it did not wait"
        finally:
            self.end()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Slow]:
    slow = Slow(tmp_path / "claims.db")
    yield slow
    slow.close()


class Handler:
    """What is asked to handle an event, and waits for the store from then on."""

    def __init__(self, slow: Slow, error: Exception | None = None) -> None:
        self.slow = slow
        self.error = error
        self.seen = 0

    async def __call__(self, *given: Any) -> None:
        self.seen += 1
        if self.seen == 1:
            self.slow.begin()
            if self.error is not None:
                raise self.error

    def was_asked(self) -> bool:
        return self.seen > 0


def test_a_receiver_that_is_cancelled_while_it_claims_holds_nothing(slow: Slow) -> None:
    receiver, delivery = AsyncReceiver(Verifier("health", SECRET), slow.store), signed()
    seen: list[Any] = []

    async def main() -> None:
        slow.begin()
        work = receiver.receive(delivery.body, delivery.headers, seen.append)
        await slow.cancelled(work, lambda: True)
        assert not seen
        told = await receiver.receive(delivery.body, delivery.headers, seen.append)
        assert told.outcome == "processed"
        assert len(seen) == 1

    asyncio.run(main())


def test_a_receiver_that_is_cancelled_while_it_commits_has_committed(slow: Slow) -> None:
    receiver, delivery = AsyncReceiver(Verifier("health", SECRET), slow.store), signed()
    handler = Handler(slow)

    async def main() -> None:
        work = receiver.receive(delivery.body, delivery.headers, handler)
        await slow.cancelled(work, handler.was_asked)
        told = await receiver.receive(delivery.body, delivery.headers, handler)
        assert told.outcome == "duplicate"
        assert handler.seen == 1

    asyncio.run(main())


def test_a_receiver_that_is_cancelled_while_it_releases_has_released(slow: Slow) -> None:
    receiver, delivery = AsyncReceiver(Verifier("health", SECRET), slow.store), signed()
    handler = Handler(slow, KeyError("odd"))

    async def main() -> None:
        work = receiver.receive(delivery.body, delivery.headers, handler)
        await slow.cancelled(work, handler.was_asked)
        told = await receiver.receive(delivery.body, delivery.headers, handler)
        assert told.outcome == "processed"
        assert handler.seen == 2

    asyncio.run(main())


@pytest.mark.parametrize(
    ("while_it", "outcome"),
    [("claims", "processed"), ("commits", "duplicate"), ("releases", "processed")],
)
def test_a_backfill_that_is_cancelled_ends_its_claim(
    slow: Slow, while_it: str, outcome: str
) -> None:
    receiver = AsyncReceiver(Verifier("health", SECRET), slow.store)
    handler = Handler(slow, KeyError("odd") if while_it == "releases" else None)

    async def main() -> None:
        if while_it == "claims":
            slow.begin()
            handler.seen = 1  # It is not to be asked.
        await slow.cancelled(receiver.backfill(KEY, handler), handler.was_asked)
        assert handler.seen == 1
        assert (await receiver.backfill(KEY, handler)).outcome == outcome

    asyncio.run(main())


def test_a_claim_that_is_cancelled_before_it_is_made_is_not_held(slow: Slow) -> None:
    async def work() -> None:
        async with slow.store.claim(KEY):
            raise AssertionError("it was to be cancelled before")

    async def main() -> None:
        slow.begin()
        await slow.cancelled(work(), lambda: True)
        async with slow.store.claim(KEY) as claim:
            assert claim.fresh

    asyncio.run(main())


def test_a_time_limit_leaves_no_claim_behind(slow: Slow) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        slow.begin()
        loop.call_later(0.05, slow.end)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001), slow.store.claim(KEY):
                await asyncio.Event().wait()
        async with slow.store.claim(KEY) as claim:
            assert claim.fresh

    asyncio.run(main())


@pytest.mark.parametrize(("error", "state"), [(None, "done"), (KeyError("odd"), "fresh")])
def test_a_block_that_has_ended_ends_its_claim(
    slow: Slow, error: Exception | None, state: str
) -> None:
    handler = Handler(slow, error)

    async def work() -> None:
        async with slow.store.claim(KEY) as claim:
            await handler(claim)

    async def main() -> None:
        await slow.cancelled(work(), handler.was_asked)
        async with slow.store.claim(KEY) as claim:
            assert claim.state == state

    asyncio.run(main())


def test_a_commit_that_fails_while_its_task_is_cancelled_is_no_riddle_to_the_loop(
    tmp_path: Path,
) -> None:
    url = f"sqlite://{tmp_path / 'claims.db'}"
    open_store(url, **PATIENT).ready()
    store = open_store(url, timeout=2)
    holder = sqlite3.connect(tmp_path / "claims.db", isolation_level=None)

    async def claim() -> None:
        async with store.claim("key"):
            holder.execute("BEGIN IMMEDIATE")

    async def main() -> None:
        loop, riddles = asyncio.get_running_loop(), []
        loop.set_exception_handler(lambda _, context: riddles.append(context["message"]))
        task = asyncio.ensure_future(claim())
        while not holder.in_transaction:
            await asyncio.sleep(0.001)
        task.cancel()
        # Were it awaited, its exception would keep what is to be let go of.
        await asyncio.wait([task])
        assert task.cancelled()
        del task
        gc.collect()
        assert riddles == []

    asyncio.run(main())
    holder.close()
