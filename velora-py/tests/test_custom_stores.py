"""Stores of the caller's own: who calls their functions, and what becomes of what they give.
The contract itself is in `test_stores.py`."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Callable
from typing import Any

import pytest
from deliveries import SECRET, code_of, signed
from either import Either
from rows import AsyncRows, Rows, custom
from velora import (
    AsyncReceiver,
    CustomClaim,
    Receiver,
    Reply,
    Store,
    StoreError,
    Verifier,
)

KEY = "health:evt_1:phi.read"
VERIFIER = Verifier("health", SECRET)


class Answering(Rows):
    """Rows of which a test says what some of their functions do."""

    def __init__(self, **verbs: Callable[..., Any]) -> None:
        super().__init__()
        for verb, function in verbs.items():
            setattr(self, verb, function)


def raising(error: BaseException) -> Callable[..., Any]:
    def verb(*_: object) -> Any:
        raise error

    return verb


def receive(receiver: Any, handler: Callable[..., Any]) -> Any:
    """What the receiver answers to a delivery that was signed just now."""
    delivery = signed()
    return receiver.receive(delivery.body, delivery.headers, handler)


def claim(either: Either, store: Store) -> Any:
    claim = store.claim(KEY)
    if either.is_async:
        return either.run(claim.__aenter__())
    return claim.__enter__()


def end(either: Either, claim: Any, how: str) -> None:
    if either.is_async:
        either.run(getattr(claim, f"a{how}")())
    else:
        getattr(claim, how)()


def test_a_receiver_stands_on_it(either: Either) -> None:
    rows = Rows()
    receiver = either.receiver(VERIFIER, custom(rows, either.is_async))
    handled: list[str] = []
    handler = either.handler(lambda event: handled.append(event.id))
    outcomes = [receive(receiver, handler).outcome for _ in range(3)]
    assert outcomes == ["processed", "duplicate", "duplicate"]
    assert handled == ["evt_1"]
    assert rows.rows[KEY][:2] == ("done", 1)
    failing = either.handler(raising(KeyError()))
    assert receiver.backfill("listed", failing).outcome == "handler_failed"
    assert rows.rows["listed"][:2] == ("free", 1)


def test_its_functions_are_called_where_the_call_is_made(either: Either) -> None:
    seen: list[int] = []

    class Watched(Rows):
        def claim(self, key: str) -> CustomClaim:
            seen.append(threading.get_ident())
            return super().claim(key)

        def commit(self, key: str, epoch: int) -> None:
            seen.append(threading.get_ident())
            super().commit(key, epoch)

    # Plain functions do for an event loop, too.
    for is_async in {False, either.is_async}:
        receiver = either.receiver(VERIFIER, custom(Watched(), is_async))
        reply = receive(receiver, either.handler(print))
        assert reply.status == 200
    assert set(seen) == {threading.get_ident()}
    assert len(seen) == 2 * len({False, either.is_async})


def test_what_nobody_would_await_is_refused() -> None:
    rows = Rows()
    store = Store.of(AsyncRows(rows))
    with pytest.raises(TypeError, match="AsyncReceiver"):
        receive(Receiver(VERIFIER, store), print)
    with pytest.raises(TypeError, match="AsyncReceiver"), store.claim(KEY):
        pytest.fail("it was entered")
    assert rows.rows == {}


def test_what_is_no_store_is_refused() -> None:
    def generator(*_: object) -> Any:
        yield

    missing: Any = Answering(release=None)
    for store in [None, object(), missing, Answering(commit=generator)]:
        with pytest.raises(TypeError):
            Store.of(store)


class Sealed(StoreError):
    """Its code cannot be looked at."""

    @property
    def code(self) -> Any:
        raise KeyError("code")

    @code.setter
    def code(self, code: Any) -> None:
        pass

    def __str__(self) -> str:
        return "sealed"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreError("it is", "store_full"), "store_full"),
        (StoreError("so it seems", "store_unavailable"), "store_unavailable"),
        (StoreError("odd", "internal"), "store_unavailable"),
        (Sealed("odd", "store_full"), "store_unavailable"),
        (KeyError("hunter2"), "store_unavailable"),
    ],
)
def test_what_a_claim_raises_is_answered(
    error: Exception, code: str, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    rows = Answering(claim=raising(error))
    store = custom(rows, either.is_async)
    with pytest.raises(StoreError) as raised:
        claim(either, store)
    assert raised.value.code == code
    assert "hunter2" not in f"{raised.value!r} {raised.value}"
    receiver = either.receiver(VERIFIER, store)
    reply: Reply = receive(receiver, either.handler(print))
    assert (reply.status, reply.outcome) == (503, code)
    for failed in [reply, receiver.backfill(KEY, either.handler(print))]:
        assert isinstance(failed.error, StoreError)
        assert (failed.error.code, failed.outcome) == (code, code)
        assert "hunter2" not in f"{failed.error!r} {failed.error}"
    # It stands nowhere else. What is no answer of a store must be found somewhere.
    assert (str(error) in caplog.text) is (code == "store_unavailable")


def test_the_class_of_what_was_raised_is_said() -> None:
    with pytest.raises(StoreError, match="`KeyError`"):
        Store.of(Answering(claim=raising(KeyError("hunter2")))).claim(KEY).__enter__()


@pytest.mark.parametrize("verb", ["commit", "release", "renew"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreError("gone", "lease_lost"), "lease_lost"),
        (StoreError("full", "store_full"), "store_full"),
        (OSError(), "store_unavailable"),
    ],
)
def test_what_another_verb_raises_is_raised(
    verb: str, error: Exception, code: str, either: Either
) -> None:
    held = claim(either, custom(Answering(**{verb: raising(error)}), either.is_async))
    assert code_of(lambda: end(either, held, verb)) == code


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "fresh",
        CustomClaim("fresh"),
        CustomClaim("fresh", epoch=-1),
        CustomClaim("fresh", epoch=1 << 64),
        CustomClaim("fresh", epoch=1.5),  # type: ignore[arg-type]
        CustomClaim("in_flight"),
        CustomClaim("in_flight", retry_after=-1),
        CustomClaim("in_flight", retry_after=math.nan),
        CustomClaim("in_flight", retry_after=math.inf),
        CustomClaim("free"),  # type: ignore[arg-type]
        CustomClaim(None),  # type: ignore[arg-type]
        (None for _ in ()),
    ],
)
def test_an_answer_that_is_none_is_no_claim(answer: Any, either: Either) -> None:
    store = custom(Answering(claim=lambda _: answer), either.is_async)
    assert code_of(lambda: claim(either, store)) == "store_unavailable"


def test_the_greatest_epoch_fits(either: Either) -> None:
    told: list[int] = []
    rows = Answering(
        claim=lambda _: CustomClaim("fresh", epoch=(1 << 64) - 1),
        commit=lambda _, epoch: told.append(epoch),
    )
    end(either, claim(either, custom(rows, either.is_async)), "commit")
    assert told == [(1 << 64) - 1]


@pytest.mark.parametrize("verb", ["commit", "release", "renew"])
@pytest.mark.parametrize("returned", [False, True, 0, 1, "lost", StoreError("x", "lease_lost")])
def test_what_a_verb_returns_is_not_taken_for_success(
    verb: str, returned: object, either: Either, caplog: pytest.LogCaptureFixture
) -> None:
    rows = Answering(**{verb: either.handler(lambda *_: returned)})
    held = claim(either, Store.of(rows))
    assert code_of(lambda: end(either, held, verb)) == "store_unavailable"
    assert f"`{verb}` of a store returns None" in caplog.text


def test_a_generator_has_committed_nothing(either: Either) -> None:
    rows = Answering(commit=lambda *_: (None for _ in ()))
    receiver = either.receiver(VERIFIER, Store.of(rows))
    reply = receive(receiver, either.handler(print))
    assert (reply.status, reply.outcome) == (503, "store_unavailable")


@pytest.mark.parametrize(("made", "first"), [(False, "processed"), (True, "store_unavailable")])
def test_what_was_handled_is_not_handled_again_because_a_connection_broke(
    made: bool, first: str, either: Either
) -> None:
    commits: list[int] = []

    class Faltering(Rows):
        def commit(self, key: str, epoch: int) -> None:
            commits.append(epoch)
            if len(commits) > 1 or made:
                super().commit(key, epoch)
            if len(commits) == 1:
                raise ConnectionError

    receiver = either.receiver(VERIFIER, custom(Faltering(), either.is_async))
    handled: list[str] = []
    handler = either.handler(lambda event: handled.append(event.id))
    outcomes = [receive(receiver, handler).outcome for _ in range(2)]
    assert outcomes == [first, "duplicate"]
    assert (handled, commits) == (["evt_1"], [1, 1])


def test_an_interrupt_goes_through() -> None:
    store = Store.of(Answering(claim=raising(KeyboardInterrupt())))
    with pytest.raises(KeyboardInterrupt):
        receive(Receiver(VERIFIER, store), print)


def test_a_task_that_is_cancelled_gives_back_what_it_was_about_to_get() -> None:
    rows = Rows()

    class Slow(AsyncRows):
        async def claim(self, key: str) -> CustomClaim:
            claimed = await super().claim(key)
            asked.set()
            await go_on.wait()
            return claimed

    async def cancelled() -> None:
        receiver = AsyncReceiver(VERIFIER, Store.of(Slow(rows)))
        task = asyncio.create_task(receive(receiver, print))
        await asked.wait()
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asked, go_on = asyncio.Event(), asyncio.Event()
    asyncio.run(cancelled())
    assert rows.rows[KEY][:2] == ("free", 1)


def test_many_at_once_get_one_claim() -> None:
    rows, handled = Rows(), []

    async def handler(event: Any) -> None:
        await asyncio.sleep(0)
        handled.append(event.id)

    async def received() -> list[str]:
        receiver = AsyncReceiver(VERIFIER, Store.of(AsyncRows(rows)))
        replies = (receive(receiver, handler) for _ in range(20))
        return sorted(reply.outcome for reply in await asyncio.gather(*replies))

    assert asyncio.run(received()) == [*["in_flight"] * 19, "processed"]
    assert handled == ["evt_1"]


def test_a_transaction_of_the_callers_is_none_of_it() -> None:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    with pytest.raises(TypeError):
        Store.of(Rows()).claim_in(connection, KEY)
    connection.close()
