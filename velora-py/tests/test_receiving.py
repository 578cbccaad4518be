"""All rules together: verify, claim, handle, commit or release, reply."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from deliveries import BODY, SCHEMES, SECRET, body_of, signed
from either import Either
from velora import (
    AsyncReceiver,
    Backfilled,
    ConfigError,
    MemoryStore,
    Receiver,
    Reply,
    Scheme,
    Signer,
    SigningSecret,
    VerificationError,
    Verifier,
    health,
    tv,
)

Made = Callable[..., Any]


@pytest.fixture
def made(either: Either) -> Made:
    """Makes receivers."""

    def make(scheme: Any = "health", store: MemoryStore | None = None, **options: Any) -> Any:
        return either.receiver(
            Verifier(scheme, SECRET), MemoryStore() if store is None else store, **options
        )

    return make


def nothing(event: Any) -> None:
    """A handler that is content."""


def never(*given: Any) -> None:
    raise AssertionError("nothing is to be handled")


def reply(status: int, outcome: str, retry_after: int | None = None) -> Reply:
    code: Any = None if outcome in ("processed", "duplicate", "in_flight") else outcome
    return Reply(status, retry_after, outcome, code)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_event_is_handled_once(made: Made, either: Either, scheme: str) -> None:
    receiver, delivery, seen = made(scheme), signed(scheme), []
    handler = either.handler(seen.append)
    first = receiver.receive(delivery.body, delivery.headers, handler)
    assert first == reply(200, "processed")
    for _ in range(2):
        again = receiver.receive(delivery.body, delivery.headers, handler)
        assert again == reply(200, "duplicate")
    assert [event.raw.encode() for event in seen] == [delivery.body]


def test_a_new_signature_of_an_old_event_is_a_duplicate(made: Made) -> None:
    receiver = made()
    for now, outcome in [(time.time() - 100, "processed"), (time.time(), "duplicate")]:
        delivery = signed(now=now)
        told = receiver.receive(delivery.body, delivery.headers, nothing)
        assert told.outcome == outcome


def lazy(event: Any) -> Any:
    raise AssertionError("nothing of it is run")
    yield


async def lazy_too(event: Any) -> Any:
    raise AssertionError("nothing of it is run")
    yield


class Lazy:
    __call__ = lazy


def test_a_handler_of_which_a_call_runs_nothing_is_refused(made: Made) -> None:
    receiver, delivery = made(), signed()
    for handler in [lazy, lazy_too, Lazy()]:
        with pytest.raises(TypeError, match="generator"):
            receiver.receive(delivery.body, delivery.headers, handler)
        # One that cannot be told beforehand has failed, and the event comes again.
        told = receiver.receive(
            delivery.body,
            delivery.headers,
            lambda event: handler(event),  # noqa: B023
        )
        assert told == reply(500, "handler_failed")
        assert isinstance(told.error, TypeError)
    assert receiver.receive(delivery.body, delivery.headers, nothing) == reply(200, "processed")


def test_what_an_awaited_handler_gives_is_awaited_or_refused() -> None:
    receiver, seen = AsyncReceiver(Verifier("health", SECRET), MemoryStore()), list[Any]()

    async def work(event: Any) -> None:
        seen.append(event)

    async def receive(given: Callable[[Any], Any]) -> Reply:
        async def handler(event: Any) -> Any:
            return given(event)

        delivery = signed()
        return await receiver.receive(delivery.body, delivery.headers, handler)

    for given in [lazy, lazy_too]:
        assert asyncio.run(receive(given)) == reply(500, "handler_failed")
    assert asyncio.run(receive(work)) == reply(200, "processed")
    assert len(seen) == 1


def test_what_is_no_store_is_refused(made: Made) -> None:
    for store in ["memory:", object(), Verifier("health", SECRET)]:
        with pytest.raises(TypeError, match="store"):
            made("health", store)


REFUSED = {"health": 401, "billing": 401, "curae": 400, "tv": 401, "tv-body-only": 401}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_forged_is_answered_as_its_system_wants(made: Made, scheme: str) -> None:
    store, status = MemoryStore(), REFUSED[scheme]
    receiver, delivery = made(scheme, store), signed(scheme)
    stale = signed(scheme, time.time() - 900)
    for body, headers, code in [
        (delivery.body, [], "missing_header"),
        (delivery.body, delivery.headers * 2, "duplicate_header"),
        (delivery.body + b" ", delivery.headers, "signature_mismatch"),
        (stale.body, stale.headers, "timestamp_too_old"),
    ]:
        told = receiver.receive(body, headers, never)
        assert told == reply(status, code)
        assert told.error is None
    assert len(store) == 0


def test_a_header_that_contradicts_the_body_is_refused(made: Made) -> None:
    delivery = signed("curae")
    headers = dict(delivery.headers) | {"CuraeAI-Event-Id": "other"}
    told = made("curae").receive(delivery.body, headers, never)
    assert told == reply(400, "header_body_mismatch")
    assert isinstance(told.error, VerificationError)
    assert told.error.code == told.code


def test_a_genuine_body_that_cannot_be_read_is_asked_for_again(made: Made) -> None:
    delivery = Signer("health", SECRET).sign(b"no json")
    told = made().receive(delivery.body, delivery.headers, never)
    assert told == reply(500, "malformed_event")
    assert isinstance(told.error, VerificationError)
    assert told.error.code == told.code


def test_a_body_over_the_limit_is_not_looked_at(made: Made) -> None:
    for scheme, status in [("health", 413), ("curae", 500)]:
        receiver, delivery = made(scheme, body_limit=200), signed(scheme)
        assert receiver.body_limit == 200
        assert receiver.receive(delivery.body, delivery.headers, nothing).status == 200
        told = receiver.receive(b"x" * 201, delivery.headers, never)
        assert told == reply(status, "body_too_large")
    assert made().body_limit == 1 << 20


def test_an_event_that_is_being_handled_is_asked_for_later(made: Made, either: Either) -> None:
    store, delivery, told = MemoryStore(), signed(), []

    def other() -> None:
        receiver = Receiver(Verifier("health", SECRET), store)
        told.append(receiver.receive(delivery.body, delivery.headers, never))

    def handler(event: Any) -> None:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(30)

    receiver = made(store=store)
    assert receiver.receive(delivery.body, delivery.headers, handler).status == 200
    assert told == [reply(503, "in_flight", told[0].retry_after)]
    assert 1 <= told[0].retry_after <= 60
    assert told[0].headers == {"Retry-After": str(told[0].retry_after)}


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_handler_that_raises_gets_the_event_again(
    made: Made, either: Either, wrapped: bool
) -> None:
    raised, receiver, delivery = ValueError("by the handler"), made(), signed()

    def handler(event: Any) -> None:
        raise raised

    given = either.handler(handler) if wrapped else handler
    for _ in range(2):
        told = receiver.receive(delivery.body, delivery.headers, given)
        assert (told.status, told.outcome, told.code) == (
            500,
            "handler_failed",
            "handler_failed",
        )
        assert told.error is raised
        assert told.headers == {}
    seen: list[Any] = []
    assert receiver.receive(delivery.body, delivery.headers, seen.append).status == 200
    assert len(seen) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_program_ends_it_and_releases(
    made: Made, error: type[BaseException]
) -> None:
    receiver, delivery = made(), signed()

    def handler(event: Any) -> None:
        raise error

    with pytest.raises(error):
        receiver.receive(delivery.body, delivery.headers, handler)
    told = receiver.receive(delivery.body, delivery.headers, nothing)
    assert told.outcome == "processed"


def test_a_claim_that_was_taken_over_is_not_answered_with_success(made: Made) -> None:
    store, delivery = MemoryStore(lease=0.05), signed()

    def slow(event: Any) -> None:
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            if store.claim("health:evt_1:phi.read").__enter__().fresh:
                return
        raise AssertionError("the lease does not run out")

    told = made(store=store).receive(delivery.body, delivery.headers, slow)
    assert told == reply(503, "lease_lost", 5)


def test_a_full_store_is_asked_again_later(made: Made) -> None:
    store, delivery = MemoryStore(capacity=1), signed()
    with store.claim("other"):
        told = made(store=store).receive(delivery.body, delivery.headers, never)
    assert told == reply(503, "store_full", 5)


def test_misuse_is_raised_and_not_answered(made: Made) -> None:
    receiver, delivery = made(), signed()
    for body, headers, code in [
        (delivery.body.decode(), delivery.headers, "body_already_parsed"),
        ({"id": "evt_1"}, delivery.headers, "body_already_parsed"),
        (delivery.body, None, "unreadable_headers"),
    ]:
        with pytest.raises(ConfigError) as raised:
            receiver.receive(body, headers, never)
        assert raised.value.code == code


def test_a_scheme_of_ones_own_says_how_it_is_answered(made: Made) -> None:
    scheme = Scheme("mine", "X-Sig", prefix="", reject_status=418, client_errors_are_final=True)
    delivery = Signer(scheme, SECRET).sign(BODY)
    receiver = made(scheme, body_limit=100)
    assert receiver.receive(delivery.body, [], never).status == 418
    assert receiver.receive(b"x" * 101, delivery.headers, never).status == 500
    assert receiver.receive(delivery.body, delivery.headers, nothing).status == 200


def test_a_form_is_verified_and_not_received(made: Made) -> None:
    scheme = Scheme("mine", "X-Sig", prefix="")
    form = Signer(scheme, SECRET).sign(b"a=1&b=2")
    receiver = made(scheme)
    assert receiver.receive(form.body, form.headers, never).outcome == "malformed_event"
    delivery = Verifier(scheme, SECRET).verify(form.body, form.headers)
    assert (delivery.body, delivery.key[:12]) == (b"a=1&b=2", "mine:sha256=")


def test_a_receiver_says_what_it_is_made_of(either: Either) -> None:
    verifier, store = Verifier("health", SigningSecret(SECRET)), MemoryStore()
    receiver = either.receiver(verifier, store)
    assert receiver.verifier is verifier
    assert receiver.store is store


def test_a_reply_is_a_plain_value() -> None:
    told = Receiver(Verifier("health", SECRET), MemoryStore()).receive(BODY, [], never)
    assert dataclasses.asdict(told) == {
        "status": 401, "retry_after": None, "outcome": "missing_header",
        "code": "missing_header", "error": None,
    }  # fmt: skip
    with pytest.raises(dataclasses.FrozenInstanceError):
        told.status = 200


def test_a_cancelled_handler_releases() -> None:
    receiver, delivery = AsyncReceiver(Verifier("health", SECRET), MemoryStore()), signed()

    async def main() -> None:
        begun = asyncio.Event()

        async def handler(event: Any) -> None:
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(receiver.receive(delivery.body, delivery.headers, handler))
        await asyncio.wait_for(begun.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        told = await receiver.receive(delivery.body, delivery.headers, nothing)
        assert told.outcome == "processed"

    asyncio.run(main())


def test_many_tasks_hand_over_each_event_once() -> None:
    receiver, seen = AsyncReceiver(Verifier("health", SECRET), MemoryStore()), []

    async def handler(event: Any) -> None:
        await asyncio.sleep(0.001)
        seen.append(event.id)

    async def main() -> list[Reply]:
        deliveries = [signed(id=f"evt_{number}") for number in range(20)] * 5
        received = (receiver.receive(each.body, each.headers, handler) for each in deliveries)
        return await asyncio.wait_for(asyncio.gather(*received), 30)

    told = asyncio.run(main())
    assert sorted(seen) == sorted(f"evt_{number}" for number in range(20))
    assert {each.status for each in told} <= {200, 503}
    assert sum(each.outcome == "processed" for each in told) == 20


def listed(id: str = "evt_1") -> str:
    """The key of a listed event."""
    event = health.AuditEvent.from_json(f'{{"event_id":"{id}","action":"phi.read"}}')
    assert event.key is not None
    return event.key


def backfilled(outcome: str, retry_after: float | None = None) -> Backfilled:
    told = reply(0, outcome)
    return Backfilled(told.outcome, told.code, retry_after)


def test_listed_and_delivered_events_count_once(made: Made, either: Either) -> None:
    receiver, seen = made(), []
    handler, handle = either.handler(seen.append), either.handler(lambda: seen.append("listed"))
    delivery, other = signed(), signed(id="evt_2")
    assert receiver.receive(delivery.body, delivery.headers, handler).outcome == "processed"
    assert receiver.backfill(listed(), handle) == backfilled("duplicate")
    assert receiver.backfill(listed("evt_2"), handle) == backfilled("processed")
    assert receiver.backfill(listed("evt_2"), handle) == backfilled("duplicate")
    assert receiver.receive(other.body, other.headers, handler).outcome == "duplicate"
    assert len(seen) == 2
    assert seen[1] == "listed"


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_backfill_that_raises_is_done_again(
    made: Made, either: Either, wrapped: bool
) -> None:
    receiver, raised, seen = made(), LookupError("by the handler"), []

    def handler() -> None:
        raise raised

    for _ in range(2):
        told = receiver.backfill(listed(), either.handler(handler) if wrapped else handler)
        assert told == backfilled("handler_failed")
        assert told.error is raised
    assert "by the handler" not in repr(told)
    assert receiver.backfill(listed(), lambda: seen.append(1)) == backfilled("processed")
    assert len(seen) == 1


def test_a_listed_event_that_is_being_handled_is_asked_for_later(made: Made) -> None:
    receiver = made(store=MemoryStore(lease=30))
    with receiver.store.claim(listed()) as claim:
        told = receiver.backfill(listed(), never)
        assert told == backfilled("in_flight", told.retry_after)
        assert 20 < told.retry_after <= 30
        claim.release()
    assert receiver.backfill(listed(), lambda: None).outcome == "processed"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_program_ends_a_backfill_and_releases(
    made: Made, error: type[BaseException]
) -> None:
    receiver = made()

    def handler() -> None:
        raise error

    with pytest.raises(error):
        receiver.backfill(listed(), handler)
    assert receiver.backfill(listed(), lambda: None).outcome == "processed"


def test_a_cancelled_backfill_releases() -> None:
    receiver = AsyncReceiver(Verifier("health", SECRET), MemoryStore())

    async def main() -> None:
        begun = asyncio.Event()

        async def handler() -> None:
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(receiver.backfill(listed(), handler))
        await asyncio.wait_for(begun.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        told = await receiver.backfill(listed(), lambda: None)
        assert told.outcome == "processed"

    asyncio.run(main())


def test_a_store_that_fails_a_backfill_says_so(made: Made) -> None:
    full = made(store=MemoryStore(capacity=1))
    with full.store.claim("other"):
        assert full.backfill(listed(), never) == backfilled("store_full")
    store = MemoryStore(lease=0.05)

    def taken_over() -> None:
        limit = time.monotonic() + 30
        while not store.claim(listed()).__enter__().fresh:
            assert time.monotonic() < limit, "the lease does not run out"

    told = made(store=store).backfill(listed(), taken_over)
    assert told == backfilled("lease_lost")

    def taken_over_and_failed() -> None:
        taken_over()
        raise LookupError

    again = made(store=MemoryStore(lease=0.05))
    store = again.store
    assert again.backfill(listed(), taken_over_and_failed) == backfilled("lease_lost")


def test_a_handler_that_nobody_would_run_backfills_nothing(made: Made) -> None:
    receiver = made()
    for handler in [lazy, lazy_too, Lazy()]:
        with pytest.raises(TypeError, match="generator"):
            receiver.backfill(listed(), handler)
        told = receiver.backfill(listed(), lambda: handler(None))  # noqa: B023
        assert told == backfilled("handler_failed")
        assert isinstance(told.error, TypeError)


def test_a_streamed_event_counts_once_too(made: Made) -> None:
    delivery = signed("tv")
    key = Verifier("tv", SECRET).verify(delivery.body, delivery.headers).key
    event = tv.StreamEvent("stream.online", "1", body_of("tv").decode(), None, key)
    receiver = made("tv")
    assert receiver.backfill(event.key, lambda: None).outcome == "processed"
    assert receiver.receive(delivery.body, delivery.headers, never).outcome == "duplicate"


def test_an_event_without_an_identity_is_not_backfilled(made: Made) -> None:
    receiver = made()
    event = health.AuditEvent.from_json('{"event_id":"evt_1"}')
    streamed = tv.StreamEvent("x", None, "{}", None, None)
    for key in [event.key, streamed.key, event, 5, b"key", "\ud800"]:
        with pytest.raises(ConfigError) as raised:
            receiver.backfill(key, never)
        assert raised.value.code == "invalid_option"
        assert ("no identity" in str(raised.value)) == (key is None)
    assert len(receiver.store) == 0
