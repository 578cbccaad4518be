"""The client of Velora TV, synchronous and asynchronous: webhooks, tokens, the stream."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from deliveries import code_of
from either import Either
from patience import until
from scripted import Server, answer
from simulated import TV_TOKEN, Simulator
from velora import ApiError, MemoryStore, Receiver, SigningSecret, Verifier, tv
from velora.events import OtherType

URL = "https://example.com/hook"
ONLINE = [tv.EventType.STREAM_ONLINE]


@pytest.fixture
def client(either: Either, simulator: Simulator) -> Any:
    return either.client(tv, TV_TOKEN, **simulator.options())


def emit(simulator: Simulator, id: str, type: str = "channel.follow", **more: Any) -> None:
    simulator.control("POST", "emit", {"system": "tv", "type": type, "id": id, **more})


def connected(stream: Iterator[Any]) -> tv.Connected:
    item = next(stream)
    assert isinstance(item, tv.Connected)
    return item


def next_event(stream: Iterator[Any]) -> tv.StreamEvent:
    """The next event, past connections that come and go."""
    for item in stream:
        if isinstance(item, tv.StreamEvent):
            return item
    raise AssertionError("the stream ended")


def test_registers(client: Any, simulator: Simulator) -> None:
    made = client.create_webhook("app_1", URL, ONLINE)
    assert isinstance(made, tv.CreatedWebhook)
    assert isinstance(made.secret, SigningSecret)
    assert Verifier("tv", made.secret).scheme == "tv"
    ids = [each["id"] for each in simulator.control("GET", "endpoints")]
    assert made.id in ids
    assert isinstance(made.response, dict)


def test_a_registration_is_sent_once(client: Any, either: Either, simulator: Simulator) -> None:
    simulator.inject("status=503", always=True)
    with pytest.raises(ApiError) as raised:
        client.create_webhook("app_1", URL, ["a.new_one"])
    assert (raised.value.code, raised.value.attempts) == ("server_error", 1)
    simulator.forget()
    with pytest.raises(ApiError) as raised:
        client.create_webhook("..", URL, ONLINE)
    assert (raised.value.code, raised.value.attempts) == ("invalid_request", 0)
    stranger = either.client(tv, "stranger", **simulator.options())
    assert code_of(lambda: stranger.create_webhook("app_1", URL, ONLINE)) == "unauthorized"
    assert code_of(lambda: next(stranger.events())) == "unauthorized"


def test_an_answer_is_kept_as_it_came(either: Either) -> None:
    for body, id, signs in [
        ({"data": {"id": "wh_1", "secret": "whsec_canary"}}, "wh_1", True),
        ({"id": "wh_1", "secret": " not one"}, "wh_1", False),
        ([1.5, None], None, False),
        (b"", None, False),
    ]:
        with Server(lambda number, request: answer(201, body)) as server:  # noqa: B023
            client = either.client(tv, "token", **server.options())
            made = client.create_webhook("app/1", URL, ONLINE)
        assert (made.id, made.secret is not None) == (id, signs)
        assert made.response == (body or None)
        assert "canary" not in repr(made)
        (sent,) = server.seen
        assert sent.target == "/api/developer/apps/app%2F1/webhooks"
        assert sent.json() == {"url": URL, "events": ["stream.online"]}


def test_hears_events_as_they_happen(client: Any, simulator: Simulator) -> None:
    stream = client.events()
    first = connected(stream)
    assert first.authenticated is True
    data = {"streamId": "s", "userId": "u", "title": "t", "startedAt": "2026-01-18T15:30:00Z"}
    emit(simulator, "evt_1", "stream.online", data=data)
    event = next_event(stream)
    assert event.type is tv.EventType.STREAM_ONLINE
    assert event.key == "tv:evt_1"
    assert event.event is not None
    assert event.event.id == "evt_1"
    assert event.event.to_dict()["data"] == data
    assert isinstance(event.event.data, tv.StreamOnline)
    assert (event.event.data.stream_id, event.event.data.title) == ("s", "t")
    assert isinstance(event.event.data.started_at, datetime)
    assert event.event.raw == event.data
    emit(simulator, "evt_2", "a.new_one")
    unknown = next_event(stream)
    assert (type(unknown.type), unknown.type) == (OtherType, "a.new_one")
    close(stream)
    assert client.rate_limit.remaining is not None


def close(stream: Any) -> None:
    """A generator of either kind is closed by what it is called there."""
    getattr(stream, "aclose", getattr(stream, "close", None))()


@pytest.mark.parametrize("reset", [False, True])
def test_a_lost_connection_is_a_gap(client: Any, simulator: Simulator, reset: bool) -> None:
    stream = client.events()
    connected(stream)
    emit(simulator, "evt_a")
    assert next_event(stream).key == "tv:evt_a"
    simulator.control("POST", "tv/cut", {"reset": reset})
    gap = next(stream)
    assert isinstance(gap, tv.Gap)
    assert isinstance(gap.reason, ApiError)
    assert gap.reason.code == "connection"
    assert gap.since.tzinfo is not None
    assert gap.last_event_id
    # While nobody listens: the next connection resumes behind the last id.
    emit(simulator, "evt_b")
    assert next_event(stream).key == "tv:evt_b"
    close(stream)


def test_a_silent_connection_is_a_gap(either: Either, simulators: Any) -> None:
    quiet = simulators("--tv-heartbeat-ms", "60000")
    client = either.client(tv, TV_TOKEN, **quiet.options())
    stream = client.events(idle_timeout=1.5)
    connected(stream)
    gap = next(stream)
    assert isinstance(gap, tv.Gap)
    assert gap.reason.code == "timeout"
    connected(stream)
    close(stream)


def test_an_outage_is_sat_out_for_as_long_as_allowed(client: Any, simulator: Simulator) -> None:
    stream = client.events(max_outage=0.2)
    connected(stream)
    simulator.inject("status=503", path="/api/events/*", always=True)
    simulator.control("POST", "tv/cut", {"reset": False})
    assert isinstance(next(stream), tv.Gap)
    with pytest.raises(ApiError) as raised:
        next(stream)
    assert raised.value.code == "server_error"
    assert code_of(lambda: next(stream)) == "server_error"


def test_what_no_attempt_would_mend_ends_the_stream(client: Any, simulator: Simulator) -> None:
    stream = client.events()
    connected(stream)
    simulator.inject("status=401", path="/api/events/*", always=True)
    simulator.control("POST", "tv/cut", {"reset": False})
    assert isinstance(next(stream), tv.Gap)
    assert code_of(lambda: next(stream)) == "unauthorized"
    assert code_of(lambda: next(stream)) == "unauthorized"


def test_a_stream_that_is_left_closes_its_connection(client: Any, simulator: Simulator) -> None:
    stream = client.events()
    connected(stream)
    assert simulator.control("GET", "tv/streams")["open"] >= 1
    close(stream)
    until(lambda: simulator.control("GET", "tv/streams")["open"] == 0)


def test_options_of_the_stream(client: Any) -> None:
    for options in [
        {"idle_timeout": 0},
        {"idle_timeout": -1},
        {"idle_timeout": float("nan")},
        {"max_outage": -1},
    ]:
        assert code_of(lambda: next(client.events(**options))) == "invalid_option"  # noqa: B023


def tokens(either: Either, give: Callable[[], str], asynchronous: bool) -> Any:
    """A function that gives tokens; of the async client perhaps a coroutine function."""
    if not (either.is_async and asynchronous):
        return give

    async def awaited() -> str:
        await asyncio.sleep(0)
        return give()

    return awaited


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_token_is_asked_for_before_each_request(either: Either, asynchronous: bool) -> None:
    asked: list[str] = []

    def give() -> str:
        asked.append(f"token-{len(asked)}")
        return asked[-1]

    with Server(lambda number, request: answer(201, {})) as server:
        given = tokens(either, give, asynchronous)
        client = either.client(tv, given, **server.options())
        for _ in range(3):
            client.create_webhook("app_1", URL, ONLINE)
    sent = [request.headers["authorization"] for request in server.seen]
    assert sent == ["Bearer token-0", "Bearer token-1", "Bearer token-2"]


def test_each_connection_of_a_stream_has_a_token_of_its_own(
    either: Either, simulator: Simulator
) -> None:
    def give() -> str:
        token: str = simulator.control("POST", "tv/tokens", {"lifetime_ms": 60_000})["token"]
        given.append(token)
        return token

    given: list[str] = []
    client = either.client(tv, tokens(either, give, True), **simulator.options())
    stream = client.events()
    connected(stream)
    simulator.control("POST", "tv/cut", {"reset": False})
    assert isinstance(next(stream), tv.Gap)
    connected(stream)
    assert len(given) == len(set(given)) == 2
    close(stream)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_token_that_cannot_be_had_is_an_error(either: Either, asynchronous: bool) -> None:
    def raises() -> str:
        raise LookupError("canary")

    odd: Any = lambda: 5  # noqa: E731
    nothing: Any = lambda: None  # noqa: E731
    with Server(lambda number, request: answer(201, {})) as server:
        for give, code in [
            (raises, "connection"),
            (odd, "unauthorized"),
            (nothing, "unauthorized"),
            (lambda: "", "unauthorized"),
            (lambda: "a b", "unauthorized"),
        ]:
            given = tokens(either, give, asynchronous)
            client = either.client(tv, given, **server.options())
            with pytest.raises(ApiError) as raised:
                client.create_webhook("app_1", URL, ONLINE)
            assert raised.value.code == code
            assert "canary" not in str(raised.value) + repr(raised.value)
    assert server.seen == []


def test_what_a_client_cannot_be_made_of(either: Either) -> None:
    for odd in ["", "a b"]:
        assert code_of(lambda: either.client(tv, odd)) == "invalid_api_key"  # noqa: B023
    with pytest.raises(TypeError):
        either.client(tv, 5)
    with pytest.raises(TypeError, match="without `yield`"):
        either.client(tv, one_by_one)


async def later() -> str:
    return "token"


class Later:
    async def __call__(self) -> str:
        return "token"


def one_by_one() -> Iterator[str]:
    yield "token"


@pytest.mark.parametrize("token", [later, partial(later), Later()])
def test_a_client_that_waits_takes_no_coroutine_function(token: Any) -> None:
    with pytest.raises(TypeError, match="use `AsyncClient`"):
        tv.Client(token)


def test_event_types_are_a_list(either: Either, simulator: Simulator) -> None:
    client = either.client(tv, TV_TOKEN, **simulator.options())
    with pytest.raises(TypeError, match="`events`: expected a list of str, not str"):
        client.create_webhook("app_1", URL, "stream.online")


def test_what_is_streamed_and_delivered_counts_once(simulator: Simulator) -> None:
    client = tv.Client(TV_TOKEN, **simulator.options())
    stream, seen = client.events(), []
    connected(stream)
    emit(simulator, "evt_once")
    receiver = Receiver(Verifier("tv", "secret"), MemoryStore())
    event = next_event(stream)
    for outcome in ["processed", "duplicate"]:
        assert receiver.backfill(event.key, lambda: seen.append(event)).outcome == outcome
    assert seen == [event]


def test_other_threads_run_while_a_stream_is_quiet(simulator: Simulator) -> None:
    stream = tv.Client(TV_TOKEN, **simulator.options()).events()
    connected(stream)
    thread = threading.Timer(0.05, emit, [simulator, "evt_from_a_thread"])
    thread.start()
    assert next_event(stream).key == "tv:evt_from_a_thread"
    thread.join(30)
    stream.close()
