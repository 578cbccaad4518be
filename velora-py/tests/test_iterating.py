"""Lists and streams whose waits are cancelled, interrupted or shared lose nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from deliveries import SECRET, code_of
from either import Either
from patience import until
from scripted import Request, Server, answer
from simulated import HEALTH_KEY, WEEK, Simulator
from velora import (
    ApiError,
    MemoryStore,
    Receiver,
    Signer,
    Verifier,
    billing,
    health,
    paging,
    tv,
)

EVENTS = [{"event_id": str(number)} for number in range(4)]


def first_page(request: Request) -> bool:
    return "cursor=" not in request.target


def listed(request: Request) -> bytes:
    is_first = first_page(request)
    page = {"has_more": is_first, "next_cursor": "c" if is_first else None}
    return answer(200, {"events": EVENTS[:2] if is_first else EVENTS[2:], "page": page})


def exported(request: Request) -> bytes:
    rows = b"".join(b'{"event_id":"%d"}\n' % number for number in range(4))
    return answer(200, rows, X_Velora_Truncated="false")


def streamed(request: Request) -> bytes:
    body = b"".join(b"id: %d\ndata: {}\n\n" % number for number in range(4))
    return answer(200, body, Content_Type="text/event-stream")


def logged(request: Request) -> bytes:
    is_first = first_page(request)
    deliveries = [{"id": id, "status": "ok"} for id in ("01" if is_first else "23")]
    return answer(200, {"deliveries": deliveries, "nextCursor": "c" if is_first else None})


LISTS: dict[str, tuple[Callable[[Request], bytes], Any, Callable[[Any], Any]]] = {
    "a list": (listed, health, lambda client: client.events()),
    "a list's pages": (listed, health, lambda client: client.events().pages()),
    "a log": (logged, billing, lambda client: client.deliveries("endpoint")),
    "a log's pages": (logged, billing, lambda client: client.deliveries("endpoint").pages()),
    "an export": (exported, health, lambda client: client.export(**WEEK)),
    "a stream": (streamed, tv, lambda client: client.events()),
}
"""What the server says, whose client reads it, and what is read."""

each_list = pytest.mark.parametrize(("says", "system", "read"), LISTS.values(), ids=LISTS)
PAGED = [LISTS[name] for name in ["a list", "a list's pages", "a log", "a log's pages"]]
each_paged = pytest.mark.parametrize(("says", "system", "read"), PAGED)


def ids(item: Any) -> list[str]:
    """Of an item, or of the items of a page."""
    if isinstance(item, paging.Page):
        return [id for each in item for id in ids(each)]
    return [item.event_id if isinstance(item, health.AuditEvent) else item.id]


async def step(items: AsyncIterator[Any]) -> list[str]:
    return ids(await anext(items))


def rest(first: list[str], step: Callable[[], list[str]]) -> list[str]:
    """All four, the first ones of which were read already."""
    seen = list(first)
    while len(seen) < 4:
        seen += step()
    return seen


@each_list
def test_what_came_before_its_wait_was_cancelled_comes_next(
    says: Callable[[Request], bytes], system: Any, read: Callable[[Any], Any]
) -> None:
    said = threading.Event()

    def answered(number: int, request: Request) -> bytes:
        assert said.wait(30)
        return says(request)

    async def main(server: Server) -> None:
        items = aiter(read(system.AsyncClient("key", **server.options())))
        task = asyncio.ensure_future(step(items))
        while not server.seen:
            await asyncio.sleep(0.005)
        # It comes while the loop is busy, which then hears of it and of the end at once.
        said.set()
        time.sleep(0.3)
        asyncio.get_running_loop().call_soon(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task
        seen = await step(items)
        while len(seen) < 4:
            seen += await step(items)
        assert seen == ["0", "1", "2", "3"]

    with Server(answered) as server:
        asyncio.run(main(server))


@each_list
def test_a_wait_is_gone_on_with_in_another_loop(
    says: Callable[[Request], bytes], system: Any, read: Callable[[Any], Any]
) -> None:
    said = threading.Event()

    def answered(number: int, request: Request) -> bytes:
        assert said.wait(30)
        return says(request)

    async def made(server: Server) -> AsyncIterator[Any]:
        return aiter(read(system.AsyncClient("key", **server.options())))

    with Server(answered) as server:
        # One loop is stopped while it waits, and not closed; and in one the wait is cancelled.
        stopped = asyncio.new_event_loop()
        items = stopped.run_until_complete(made(server))
        waiting = stopped.create_task(step(items))
        stopped.run_until_complete(asyncio.sleep(0.05))
        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(asyncio.wait_for(step(items), 0.05))
        said.set()
        time.sleep(0.1)
        seen = rest([], lambda: asyncio.run(step(items)))
        assert seen == ["0", "1", "2", "3"]
        waiting.cancel()
        stopped.run_until_complete(asyncio.wait([waiting]))
        stopped.close()


@each_paged
def test_a_wait_that_was_cancelled_is_gone_on_with(
    says: Callable[[Request], bytes], system: Any, read: Callable[[Any], Any]
) -> None:
    given_up = threading.Event()

    def answered(number: int, request: Request) -> bytes:
        assert first_page(request) or given_up.wait(30)
        return says(request)

    async def main(server: Server) -> None:
        items = aiter(read(system.AsyncClient("key", **server.options())))
        seen = []
        while len(seen) < 4:
            try:
                seen += await asyncio.wait_for(step(items), 0.05)
            except asyncio.TimeoutError:
                given_up.set()
        assert seen == ["0", "1", "2", "3"]
        assert given_up.is_set()
        with pytest.raises(StopAsyncIteration):
            await step(items)

    with Server(answered) as server:
        asyncio.run(main(server))


@each_paged
def test_an_error_is_never_followed_by_the_end(
    either: Either, says: Callable[[Request], bytes], system: Any, read: Callable[[Any], Any]
) -> None:
    def answered(number: int, request: Request) -> bytes:
        return says(request) if first_page(request) else answer(403)

    with Server(answered) as server:
        if either.is_async:
            items = aiter(read(system.AsyncClient("key", **server.options())))
            steps = lambda: either.run(step(items))  # noqa: E731
        else:
            waited = iter(read(system.Client("key", **server.options())))
            steps = lambda: ids(next(waited))  # noqa: E731
        seen = steps()
        while len(seen) < 2:
            seen += steps()
        for _ in range(3):
            assert code_of(steps) == "forbidden"


@pytest.mark.parametrize("raised", [KeyboardInterrupt, LookupError])
@each_list
def test_what_came_before_its_wait_was_interrupted_comes_next(
    says: Callable[[Request], bytes],
    system: Any,
    read: Callable[[Any], Any],
    raised: type[BaseException],
) -> None:
    def answered(number: int, request: Request) -> bytes:
        if number == 0:
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGUSR1)
        return says(request)

    def handle(*_: object) -> None:
        raise raised

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with Server(answered) as server:
            items = iter(read(system.Client("key", **server.options())))
            with pytest.raises(raised):
                next(items)
            assert rest([], lambda: ids(next(items))) == ["0", "1", "2", "3"]
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, LookupError])
def test_what_is_raised_while_an_item_is_made_costs_none(
    either: Either, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]
) -> None:
    """As by the handler of a signal that comes then."""
    make, left = billing.LoggedDelivery.__init__, [raised()]

    def interrupted(*given: Any) -> None:
        if left:
            raise left.pop()
        make(*given)

    monkeypatch.setattr(billing.LoggedDelivery, "__init__", interrupted)
    with Server(lambda number, request: logged(request)) as server:
        deliveries = either.client(billing, "key", **server.options()).deliveries("endpoint")
        with pytest.raises(raised):
            next(deliveries)
        assert [each.id for each in deliveries] == ["0", "1", "2", "3"]


def test_one_list_is_shared_between_threads(simulator: Simulator) -> None:
    events = health.Client(HEALTH_KEY, **simulator.options()).events(**WEEK, limit=100)

    def read(number: int) -> list[str]:
        return [event.line for event in iter(lambda: next(events, None), None)]

    with ThreadPoolExecutor(4) as threads:
        read_by = list(threads.map(read, range(4), timeout=60))
    assert sorted(line for lines in read_by for line in lines) == simulator.truth(**WEEK)


def test_one_list_is_shared_between_tasks(simulator: Simulator) -> None:
    async def read(events: Any) -> list[str]:
        seen = []
        while (event := await anext(events, None)) is not None:
            seen.append(event.line)
            await asyncio.sleep(0)
        return seen

    async def main() -> list[list[str]]:
        client = health.AsyncClient(HEALTH_KEY, **simulator.options())
        events = client.events(**WEEK, limit=100)
        return await asyncio.gather(*(read(events) for _ in range(4)))

    read_by = asyncio.run(main())
    assert sorted(line for lines in read_by for line in lines) == simulator.truth(**WEEK)


def test_an_error_that_was_raised_is_let_go_of(either: Either) -> None:
    """It would keep the frames that it passed, and whatever these hold."""
    with Server(lambda number, request: answer(403)) as server:
        events = either.client(health, "key", **server.options()).events()

        def failure() -> weakref.ref[ApiError]:
            with pytest.raises(ApiError) as raised:
                next(events)
            return weakref.ref(raised.value)

        error = failure()
        gc.collect()
        assert error() is None


LONG = b"1" * 5_000
"""An integer that Python reads only as a float."""


def test_a_long_number_ends_no_list(either: Either) -> None:
    body = (
        b'{"deliveries":[{"id":"0","status":"ok","n":-%b,"m":7},{"id":"1","status":"ok"}],'
        b'"nextCursor":null}' % LONG
    )
    with Server(lambda number, request: answer(200, body)) as server:
        client = either.client(billing, "key", **server.options())
        deliveries = list(client.deliveries("endpoint"))
    assert [each.id for each in deliveries] == ["0", "1"]
    assert deliveries[0].extra == {"n": -float("inf"), "m": 7}


def test_a_long_number_ends_no_stream(either: Either) -> None:
    data = b'{"id":"0","type":"odd","data":{"n":[%b]}}' % LONG
    body = b"data: %b\n\ndata: {}\n\n" % data
    with Server(
        lambda number, request: answer(200, body, Content_Type="text/event-stream")
    ) as server:
        stream = either.client(tv, "token", **server.options()).events()
        odd, following = next(stream), next(stream)
        stream.close()
    assert (odd.key, odd.data, following.data) == ("tv:0", data.decode(), "{}")
    assert odd.event.data == {"n": [float("inf")]}
    assert odd.event.to_dict()["data"] == odd.event.data


def test_a_long_number_is_delivered() -> None:
    body = b'{"id":"0","type":"odd","n":%b}' % LONG
    signed = Signer("health", SECRET).sign(body)
    receiver, seen = Receiver(Verifier("health", SECRET), MemoryStore()), []
    assert receiver.receive(signed.body, signed.headers, seen.append).outcome == "processed"
    assert seen[0].extra == {"n": float("inf")}


def test_a_stream_that_changes_its_loop_asks_for_tokens_there() -> None:
    loops: list[object] = []

    async def token() -> str:
        loops.append(asyncio.get_running_loop())
        return "token"

    async def begun() -> tv.AsyncEventStream:
        return tv.AsyncClient(token, **server.options()).events()

    async def beyond_what_was_read_ahead(stream: tv.AsyncEventStream) -> object:
        gaps = 0
        while gaps < 4:
            gaps += isinstance(await anext(stream), tv.Gap)
        return asyncio.get_running_loop()

    with Server(lambda number, request: streamed(request)) as server:
        stream = asyncio.run(begun())
        read = lambda: asyncio.wait_for(beyond_what_was_read_ahead(stream), 20)  # noqa: E731
        used = [asyncio.run(read()) for _ in range(3)]
        asyncio.run(stream.aclose())
    assert set(used) <= set(loops)


def test_a_loop_that_runs_in_pieces_is_asked_for_tokens() -> None:
    async def token() -> str:
        await asyncio.sleep(0.1)
        return "token"

    async def step(stream: tv.AsyncEventStream) -> type:
        return type(await asyncio.wait_for(anext(stream), 20))

    def says(number: int, request: Request) -> bytes:
        said = b"id: %d\ndata: {}\n\n" % number
        return answer(200, said, Content_Type="text/event-stream")

    loop = asyncio.new_event_loop()
    with Server(says) as server:
        stream = tv.AsyncClient(token, **server.options()).events(max_outage=1)
        assert loop.run_until_complete(step(stream)) is tv.StreamEvent
        assert loop.run_until_complete(step(stream)) is tv.Gap
        time.sleep(2)  # It is wanted meanwhile, and in vain.
        assert loop.run_until_complete(step(stream)) is tv.StreamEvent
        loop.run_until_complete(stream.aclose())
    loop.close()


def test_a_loop_that_was_stopped_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread would be left behind at each attempt."""
    waiting: list[object] = []

    class Watched(tv._InLoop):
        def __call__(self) -> str:
            waiting.append(self)
            try:
                return super().__call__()
            finally:
                waiting.remove(self)

    monkeypatch.setattr(tv, "_PATIENCE", 0.5)
    monkeypatch.setattr(tv, "_InLoop", Watched)

    async def token() -> str:
        await asyncio.Event().wait()
        raise AssertionError

    async def begun() -> tv.AsyncEventStream:
        stream = tv.AsyncClient(token, base_url="http://127.0.0.1:9").events()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(stream), 0.2)
        until(lambda: waiting != [])
        return stream

    loop = asyncio.new_event_loop()
    stream = loop.run_until_complete(begun())
    until(lambda: waiting == [])
    loop.run_until_complete(stream.aclose())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
