"""Claims as ``with`` blocks: committed if the block ends cleanly, released if it raises."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from deliveries import code_of
from either import Either
from velora import Claim, ConfigError, MemoryStore, Store, StoreError

KEY = "health:evt_1:phi.read"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class Blocks:
    """Claims of one kind, used as blocks."""

    def __init__(self, either: Either) -> None:
        self.either = either

    def work(self, claim: Claim, block: Any) -> Any:
        """Runs the block under the claim."""
        if not self.either.is_async:
            with claim as entered:
                assert entered is claim
                return block(claim)

        async def work() -> Any:
            async with claim as entered:
                assert entered is claim
                await asyncio.sleep(0)
                found = block(claim)
                return await found if asyncio.iscoroutine(found) else found

        return self.either.run(work())

    def end(self, claim: Claim, how: str) -> Any:
        """``commit``, ``release`` or ``renew``, within a block."""
        return getattr(claim, f"a{how}" if self.either.is_async else how)()


@pytest.fixture
def blocks(either: Either) -> Blocks:
    return Blocks(either)


def state(claim: Claim) -> str:
    return claim.state


def test_a_clean_exit_commits(blocks: Blocks, store: MemoryStore) -> None:
    def block(claim: Claim) -> None:
        assert (claim.key, claim.fresh, claim.retry_after) == (KEY, True, None)
        assert isinstance(claim.epoch, int)

    blocks.work(store.claim(KEY), block)
    again = store.claim(KEY)
    assert blocks.work(again, state) == "done"
    assert (again.fresh, again.retry_after, again.epoch) == (False, None, None)
    assert len(store) == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_releases(
    blocks: Blocks, store: MemoryStore, error: type[BaseException]
) -> None:
    raised = error("by the block")

    def block(claim: Claim) -> None:
        raise raised

    with pytest.raises(error) as caught:
        blocks.work(store.claim(KEY), block)
    assert caught.value is raised
    assert blocks.work(store.claim(KEY), state) == "fresh"


def test_a_later_claim_has_a_greater_number(blocks: Blocks, store: MemoryStore) -> None:
    first = blocks.work(store.claim(KEY), lambda claim: claim.epoch)
    assert blocks.work(store.claim("other"), lambda claim: claim.epoch) > first


def test_a_claim_within_a_claim_is_in_flight(blocks: Blocks, store: MemoryStore) -> None:
    with store.claim(KEY) as outer:
        inner = store.claim(KEY)
        assert blocks.work(inner, state) == "in_flight"
        assert inner.retry_after is not None
        assert 0 < inner.retry_after <= 60
        assert inner.epoch is None
        assert blocks.work(store.claim("other"), state) == "fresh"
        # Leaving the inner block ended nothing.
        assert outer.fresh
        with store.claim(KEY) as third:
            assert third.state == "in_flight"
    assert blocks.work(store.claim(KEY), state) == "done"


def test_an_exception_under_another_ones_claim_changes_nothing(
    blocks: Blocks, store: MemoryStore
) -> None:
    def block(claim: Claim) -> None:
        raise ValueError

    with store.claim(KEY):
        with pytest.raises(ValueError, match=r"^$"):
            blocks.work(store.claim(KEY), block)
        assert blocks.work(store.claim(KEY), state) == "in_flight"


def test_a_block_may_commit_early(blocks: Blocks, store: MemoryStore) -> None:
    async def later(claim: Claim) -> None:
        await claim.acommit()
        raise ValueError

    def block(claim: Claim) -> Any:
        if blocks.either.is_async:
            return later(claim)
        claim.commit()
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        blocks.work(store.claim(KEY), block)
    assert blocks.work(store.claim(KEY), state) == "done"


def test_a_block_may_release_early(blocks: Blocks, store: MemoryStore) -> None:
    assert blocks.work(store.claim(KEY), lambda claim: blocks.end(claim, "release")) is None
    assert blocks.work(store.claim(KEY), state) == "fresh"


def test_a_claim_is_ended_once(blocks: Blocks, store: MemoryStore) -> None:
    for first in ["commit", "release"]:
        for then in ["commit", "release", "renew"]:
            key = f"{first} {then}"

            def block(claim: Claim, first: str = first, then: str = then) -> Any:
                if blocks.either.is_async:
                    return both(claim, first, then)
                getattr(claim, first)()
                return getattr(claim, then)()

            async def both(claim: Claim, first: str, then: str) -> None:
                await getattr(claim, f"a{first}")()
                await getattr(claim, f"a{then}")()

            assert code_of(lambda: blocks.work(store.claim(key), block)) == "lease_lost"  # noqa: B023


def test_only_a_fresh_claim_can_be_ended(blocks: Blocks, store: MemoryStore) -> None:
    with store.claim(KEY):
        for how in ["commit", "release", "renew"]:
            with pytest.raises(ValueError, match="not fresh"):
                blocks.work(store.claim(KEY), lambda claim: blocks.end(claim, how))  # noqa: B023


def test_a_claim_says_nothing_before_it_is_made(store: MemoryStore) -> None:
    claim = store.claim(KEY)
    for ask in [lambda: claim.state, lambda: claim.epoch, claim.commit, claim.renew]:
        with pytest.raises(RuntimeError):
            ask()
    assert len(store) == 0


def test_a_claim_can_be_entered_again(blocks: Blocks, store: MemoryStore) -> None:
    claim = store.claim(KEY)
    blocks.work(claim, lambda claim: blocks.end(claim, "release"))
    assert blocks.work(claim, state) == "fresh"
    assert blocks.work(claim, state) == "done"


def test_a_claim_that_is_held_cannot_be_entered(blocks: Blocks, store: MemoryStore) -> None:
    with store.claim(KEY) as claim:
        epoch = claim.epoch
        with pytest.raises(RuntimeError, match="already held"):
            blocks.work(claim, state)
        assert (claim.fresh, claim.epoch) == (True, epoch)
    assert blocks.work(claim, state) == "done"


def taken_over(store: MemoryStore) -> int:
    """Waits until the lease has run out, and claims."""
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        claim = store.claim(KEY).__enter__()
        if claim.epoch is not None:
            return claim.epoch
    raise AssertionError("the lease does not run out")


def test_a_lease_that_ran_out_is_taken_over(blocks: Blocks) -> None:
    store = MemoryStore(lease=0.05)

    def block(claim: Claim) -> None:
        assert claim.epoch is not None
        assert taken_over(store) > claim.epoch

    assert code_of(lambda: blocks.work(store.claim(KEY), block)) == "lease_lost"

    def raising(claim: Claim) -> None:
        taken_over(store)
        raise KeyError("says more")

    store = MemoryStore(lease=0.05)
    with pytest.raises(KeyError):
        blocks.work(store.claim(KEY), raising)


def test_a_lease_can_be_renewed(blocks: Blocks) -> None:
    store = MemoryStore(lease=0.2)

    async def renewing(claim: Claim) -> None:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            await claim.arenew()
            await asyncio.sleep(0.01)

    def block(claim: Claim) -> Any:
        if blocks.either.is_async:
            return renewing(claim)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            claim.renew()
        return None

    blocks.work(store.claim(KEY), block)
    assert blocks.work(store.claim(KEY), state) == "done"


def test_a_cancelled_task_releases(store: MemoryStore) -> None:
    async def work() -> None:
        async with store.claim(KEY):
            entered.set()
            await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(work())
        await asyncio.wait_for(entered.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with store.claim(KEY) as claim:
            assert claim.fresh

    entered = asyncio.Event()
    asyncio.run(main())


def test_a_cancelled_claim_is_not_left_behind(store: MemoryStore) -> None:
    """A task that is cancelled at whichever point holds nothing afterwards."""

    async def work() -> None:
        async with store.claim(KEY):
            await asyncio.sleep(0)
        async with store.claim("other"):
            await asyncio.sleep(0)

    async def cancelled_after(steps: int) -> None:
        task = asyncio.create_task(work())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=10)
        for key in [KEY, "other"]:
            async with store.claim(key) as claim:
                assert claim.state != "in_flight"
                if claim.fresh:
                    await claim.arelease()

    for steps in range(8):
        store = MemoryStore()
        asyncio.run(cancelled_after(steps))


def test_one_of_many_threads_gets_the_event(store: MemoryStore) -> None:
    start = threading.Barrier(16)

    def claimed(number: int) -> int:
        start.wait(30)
        fresh = 0
        for at in range(50):
            with store.claim(f"key {at}") as claim:
                fresh += claim.fresh
        return fresh

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(claimed, range(16), timeout=60)) == 50


def test_options_and_their_errors() -> None:
    for options, code in [
        ({"capacity": 0}, "invalid_capacity"),
        ({"lease": 0}, "invalid_lease"),
        ({"lease": 72 * 3600}, "invalid_lease"),
        ({"lease": -1}, "invalid_lease"),
        ({"lease": math.nan}, "invalid_lease"),
        ({"lease": math.inf}, "invalid_lease"),
        ({"retention": 24 * 3600 - 1}, "invalid_retention"),
        ({"retention": -1}, "invalid_retention"),
        ({"dangerous_short_retention": 0}, "invalid_lease"),
        ({"dangerous_short_retention": 60}, "invalid_lease"),
        ({"dangerous_short_retention": math.nan}, "invalid_retention"),
    ]:
        with pytest.raises(ConfigError) as raised:
            MemoryStore(**options)
        assert raised.value.code == code, options
    for good in [
        {"capacity": 1},
        {"lease": 1.5},
        {"retention": 24 * 3600},
        {"lease": 24 * 3600, "retention": 48 * 3600},
        {"lease": 80 * 3600, "retention": 90 * 3600},
        {"dangerous_short_retention": 61},
        {"dangerous_short_retention": 0.5, "lease": 0.1},
    ]:
        assert isinstance(MemoryStore(**good), Store), good
    with pytest.raises(TypeError):
        MemoryStore(colour="red")
    with pytest.raises(TypeError):
        MemoryStore(5)
    for odd in [-1, 1 << 64]:
        assert code_of(lambda odd=odd: MemoryStore(capacity=odd)) in (
            "invalid_capacity",
            "invalid_option",
        )


def test_what_is_done_is_forgotten_after_its_retention() -> None:
    store = MemoryStore(lease=0.01, dangerous_short_retention=0.05)
    with store.claim(KEY) as claim:
        assert claim.fresh
    assert taken_over(store) > 0
    assert store.dropped_early == 0


def test_a_full_store_makes_room_and_counts() -> None:
    store = MemoryStore(capacity=2)
    assert bool(store) is True
    for key in ["a", "b", "c"]:
        with store.claim(key):
            pass
    assert (len(store), store.dropped_early) == (2, 1)
    with store.claim("a") as claim:
        assert claim.fresh
        with store.claim("d") as second:
            assert second.fresh
            with pytest.raises(StoreError) as raised, store.claim("e"):
                pass
            assert raised.value.code == "store_full"
    assert store.dropped_early == 3


def test_a_key_is_any_text(store: MemoryStore) -> None:
    for key in ["", "日本", "x" * 10_000, "\0"]:
        with store.claim(key) as claim:
            assert claim.fresh
            assert claim.key == key
    for odd in [None, 5, b"key"]:
        with pytest.raises(TypeError, match="`key`"), store.claim(odd):
            pass
