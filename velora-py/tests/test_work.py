"""Work from a receiver: ended by its owner, by itself or together with what it writes."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from deliveries import SECRET, code_of, signed
from either import KINDS, Either
from served_stores import Places
from shops import DRIVERS, KEY, Shop
from velora import (
    AsyncReceiver,
    AsyncWork,
    Delivery,
    MemoryStore,
    Receiver,
    Reply,
    SignedDelivery,
    Store,
    Verifier,
    Work,
    tv,
)

EFFECT = "INSERT INTO effects VALUES (100)"
LOST = Reply(503, 5, "lease_lost", "lease_lost")
RELEASED = Reply(500, None, "handler_failed", "handler_failed")

Step = Callable[[], object]


def nothing() -> None:
    """A step that is taken in peace."""


def fail() -> None:
    raise LookupError


def shop_delivery() -> SignedDelivery:
    """A genuine delivery with the shop's key, signed now."""
    return signed("tv", id="evt_abc123")


class Service:
    """Receives with its effects in one transaction, as the README shows it."""

    def __init__(self, shop: Shop, kind: str) -> None:
        self.shop = shop
        self.kind = kind

    def receive(self, before: Step = nothing, at_last: Step = nothing) -> Reply:
        """``before`` the transaction the claim is held; ``at_last`` all of it is written."""
        if self.kind == "async":
            return asyncio.run(self._receive_awaited(before, at_last))
        delivery = shop_delivery()
        work = self.receiver(Receiver).begin(delivery.body, delivery.headers)
        if isinstance(work, Reply):
            return work
        before()
        try:
            self._write(work, at_last)
        except Exception:
            return work.release()
        return work.committed()

    async def _receive_awaited(self, before: Step, at_last: Step) -> Reply:
        delivery = shop_delivery()
        work = await self.receiver(AsyncReceiver).begin(delivery.body, delivery.headers)
        if isinstance(work, Reply):
            return work
        before()
        try:
            if self.shop.driver == "psycopg":
                await self._write_awaited(work, at_last)
            else:
                self._write(work, at_last)
        except Exception:
            return await work.release()
        return await work.committed()

    def _write(self, work: Work[tv.Event] | AsyncWork[tv.Event], at_last: Step) -> None:
        with self.shop.connect() as connection:  # commits, or rolls back
            connection.cursor().execute(EFFECT)
            self.shop.store.commit_in(connection, work.key, work.epoch)
            at_last()

    async def _write_awaited(self, work: AsyncWork[tv.Event], at_last: Step) -> None:
        async with await psycopg.AsyncConnection.connect(self.shop.url) as connection:
            await connection.execute(EFFECT)
            await self.shop.store.acommit_in(connection, work.key, work.epoch)
            at_last()

    def receiver(self, kind: Any) -> Any:
        return kind(Verifier("tv", SECRET), self.shop.store)


@pytest.fixture(params=[(driver, kind) for driver in DRIVERS for kind in KINDS])
def place(request: Any) -> tuple[str, str]:
    driver, kind = request.param
    return driver, kind


@pytest.fixture
def service(place: tuple[str, str], places: Places) -> Iterator[Service]:
    shop = Shop(place[0], places)
    yield Service(shop, place[1])
    shop.close()


def test_an_effect_is_written_once_with_its_claim(service: Service) -> None:
    assert service.receive() == Reply(200, None, "processed", None)
    for _ in range(2):
        assert service.receive() == Reply(200, None, "duplicate", None)
    assert (service.shop.effects(), service.shop.state()) == (1, "done")


def test_what_fails_is_rolled_back_and_handled_again(service: Service) -> None:
    for _ in range(2):
        assert service.receive(at_last=fail) == RELEASED
        assert (service.shop.effects(), service.shop.state()) == (0, "fresh")
    assert service.receive().outcome == "processed"
    assert service.shop.effects() == 1


def test_another_delivery_meanwhile_is_in_flight(service: Service) -> None:
    other, told = Service(service.shop, "sync"), []
    assert service.receive(lambda: told.append(other.receive())).outcome == "processed"
    assert [(each.status, each.outcome) for each in told] == [(503, "in_flight")]
    assert service.shop.effects() == 1


def test_a_lost_lease_is_rolled_back_and_asked_for_again(
    place: tuple[str, str], places: Places
) -> None:
    shop = Shop(place[0], places, lease=0.1)
    other = shop.store.claim(KEY)

    def taken_over() -> None:
        time.sleep(0.2)
        assert other.__enter__().fresh

    assert Service(shop, place[1]).receive(taken_over) == LOST
    assert shop.effects() == 0
    other.commit()
    assert Service(shop, place[1]).receive().outcome == "duplicate"
    shop.close()


class Begun:
    """A receiver of either kind whose work waits."""

    def __init__(self, either: Either, store: Store) -> None:
        self.either = either
        self.receiver = either.receiver(Verifier("health", SECRET), store)

    def begin(self, body: bytes | None = None) -> Any:
        delivery = signed()
        begun = self.receiver.begin(delivery.body if body is None else body, delivery.headers)
        return begun if isinstance(begun, Reply) else self.either.waiting(begun)


def test_work_is_handed_over_or_answered(either: Either) -> None:
    begun = Begun(either, MemoryStore())
    forged = begun.begin(b"{}")
    assert (forged.status, forged.outcome) == (401, "signature_mismatch")
    work = begun.begin()
    assert (work.event.id, work.key, work.epoch) == ("evt_1", "health:evt_1:phi.read", 1)
    assert work.event is work.delivery.event
    in_flight = begun.begin()
    assert (in_flight.status, in_flight.outcome) == (503, "in_flight")
    assert 1 <= in_flight.retry_after <= 60
    assert work.done() == Reply(200, None, "processed", None)
    assert begun.begin() == Reply(200, None, "duplicate", None)


def test_work_has_the_delivery_that_was_verified(either: Either) -> None:
    made = signed("curae", time.time() - 10)
    verifier = Verifier("curae", ["another", SECRET])
    begun = either.receiver(verifier, MemoryStore()).begin(made.body, made.headers)
    work = either.waiting(begun)
    verified = verifier.verify(made.body, made.headers)
    assert isinstance(work.delivery, Delivery)
    assert work.delivery is work.delivery
    assert work.delivery.body is made.body or work.delivery.body == made.body
    for name in ["scheme", "body", "signed_timestamp", "secret_index", "event_type"]:
        assert getattr(work.delivery, name) == getattr(verified, name)
    assert (work.delivery.secret_index, work.delivery.key) == (1, work.key)
    assert work.done().status == 200
    # It is the verified bytes, whatever has become of the work, and of the memory they came in.
    delivery = work.delivery
    del work, begun, verifier
    gc.collect()
    assert delivery.event == verified.event
    delivery.check_headers()

    memory = bytearray(signed().body)
    held = Begun(either, MemoryStore()).receiver.begin(memory, signed().headers)
    memory[:] = b"x" * len(memory)
    assert held.delivery.body == signed().body
    assert held.delivery.key == held.key


def test_work_that_is_released_comes_again(either: Either) -> None:
    begun = Begun(either, MemoryStore())
    first = begun.begin()
    assert first.release() == RELEASED
    assert begun.begin().epoch > first.epoch


def test_what_is_committed_elsewhere_is_not_committed_here(either: Either) -> None:
    begun = Begun(either, MemoryStore())
    assert begun.begin().committed() == Reply(200, None, "processed", None)
    assert begun.begin().outcome == "in_flight"


@pytest.mark.parametrize("end", ["done", "release", "committed"])
def test_work_is_ended_once(either: Either, end: str) -> None:
    work = Begun(either, MemoryStore()).begin()
    getattr(work, end)()
    for again in ["done", "release", "committed", "renew"]:
        with pytest.raises(RuntimeError, match="already ended"):
            getattr(work, again)()


def test_work_that_is_dropped_is_left_to_its_lease(either: Either) -> None:
    begun = Begun(either, MemoryStore())
    begun.begin()
    gc.collect()
    assert begun.begin().outcome == "in_flight"
    short = Begun(either, MemoryStore(lease=0.1))
    short.begin()
    gc.collect()
    time.sleep(0.2)
    assert short.begin().epoch == 2


def test_work_that_is_renewed_has_its_whole_lease_again(either: Either) -> None:
    begun = Begun(either, MemoryStore(lease=60))
    work = begun.begin()
    time.sleep(3)
    assert begun.begin().retry_after <= 57
    work.renew()
    in_flight = begun.begin()
    assert in_flight.outcome == "in_flight"
    assert in_flight.retry_after > 57


def test_long_work_is_renewed_until_it_is_taken_over(either: Either) -> None:
    begun = Begun(either, MemoryStore(lease=0.1))
    work = begun.begin()
    for _ in range(3):
        time.sleep(0.2)
        work.renew()  # The lease ran out, but nobody has taken it.
    time.sleep(0.2)
    other = begun.begin()
    assert code_of(work.renew) == "lease_lost"
    assert work.done() == LOST
    assert other.done().status == 200


def test_work_shows_what_it_is_and_no_more(either: Either) -> None:
    work = Begun(either, MemoryStore()).begin()
    shown = repr(getattr(work, "subject", work))
    assert shown in ("Work('health:evt_1:phi.read')", "AsyncWork('health:evt_1:phi.read')")
