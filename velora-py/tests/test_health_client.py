"""The audit API: the vendor's flows, synchronous and asynchronous, against the simulator."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from deliveries import code_of
from either import Either
from scripted import Server, answer
from simulated import EVENTS, HEALTH_KEY, HEALTH_NO_SCOPE_KEY, WEEK, Simulator
from velora import ApiError, ConfigError, SigningSecret, Verifier, health
from velora.paging import Page

ONLY_READ = HEALTH_KEY.replace("00000001", "00000002")
ONLY_WRITE = HEALTH_KEY.replace("00000001", "00000004")


@pytest.fixture
def client(either: Either, simulator: Simulator) -> Any:
    return either.client(health, HEALTH_KEY, **simulator.options())


def lines(events: Any) -> list[str]:
    return sorted(event.line for event in events)


def test_probes(client: Any, either: Either, simulator: Simulator) -> None:
    assert client.probe() is None
    (request,) = simulator.requests()
    assert (request["method"], request["path"]) == ("GET", EVENTS)
    assert "limit=1" in request["query"]
    for key, code, status in [
        (HEALTH_NO_SCOPE_KEY, "forbidden", 403),
        (ONLY_WRITE, "forbidden", 403),
        ("vlk_live_nobody", "unauthorized", 401),
    ]:
        stranger = either.client(health, key, **simulator.options())
        with pytest.raises(ApiError) as raised:
            stranger.probe()
        assert (raised.value.code, raised.value.status) == (code, status)
        assert (raised.value.attempts, raised.value.is_retryable) == (1, False)


def test_lists_a_window(client: Any, simulator: Simulator) -> None:
    listed = list(client.events(**WEEK, phi_involved=True, limit=1000))
    assert lines(listed) == simulator.truth(**WEEK, phi_involved=True)
    assert all(event.phi_involved for event in listed)
    instants = [event.timestamp for event in listed if event.timestamp]
    assert instants == sorted(instants, reverse=True)
    assert instants[0].tzinfo is not None


def test_every_filter_is_sent(client: Any, simulator: Simulator) -> None:
    day = datetime(2026, 5, 2, tzinfo=timezone.utc)
    window = {"since": day, "until": day + timedelta(days=1)}
    texts = {name: at.isoformat() for name, at in window.items()}
    for filters in [
        {},
        {"phi_involved": False},
        {"action": "phi.read"},
        {"resource_type": "claim"},
        {"action": "phi.read", "resource_type": "claim", "phi_involved": True},
    ]:
        found = lines(client.events(**window, **filters, limit=1000))
        assert found == simulator.truth(**texts, **filters), filters
        assert found
    since = lines(client.events(since=WEEK["until"]))
    assert since == simulator.truth(since=WEEK["until"])
    until = lines(client.events(until="2026-05-01T06:00:00Z", limit=1000))
    assert until == simulator.truth(until="2026-05-01T06:00:00Z")


def test_instants_are_datetimes_or_texts(client: Any) -> None:
    east = timezone(timedelta(hours=2))
    for since, until in [
        ("2026-05-02T00:00:00Z", "2026-05-02T01:00:00Z"),
        ("2026-05-02T02:00:00+02:00", "2026-05-02T03:00:00+02:00"),
        (datetime(2026, 5, 2, 2, tzinfo=east), datetime(2026, 5, 2, 3, tzinfo=east)),
    ]:
        first = next(iter(client.events(since=since, until=until)))
        assert first.timestamp.hour == 0
    for odd in [datetime(2026, 5, 2), "yesterday", "2026-05-02", "", "\ud800", 5, b"2026"]:
        for name in ["since", "until"]:
            assert code_of(lambda: client.events(**{name: odd})) == "invalid_option"  # noqa: B023
            window = {**WEEK, name: odd}
            assert code_of(lambda: client.export(**window)) == "invalid_option"  # noqa: B023
    turned = {"since": WEEK["until"], "until": WEEK["since"]}
    assert code_of(lambda: client.events(**turned)) == "invalid_window"
    assert code_of(lambda: client.export(**turned)) == "invalid_window"
    assert code_of(lambda: client.events(**turned, limit=0)) == "invalid_window"
    for limit in [0, 1001, -1, 1 << 16, 1 << 70]:
        assert code_of(lambda: client.events(limit=limit)) == "invalid_option"  # noqa: B023


def test_nothing_is_sent_before_the_first_is_asked_for(
    client: Any, simulator: Simulator
) -> None:
    events = client.events(**WEEK)
    assert simulator.requests() == []
    next(iter(events))
    assert simulator.requests()


def test_pages(client: Any, simulator: Simulator) -> None:
    pages = list(client.events(**WEEK, limit=1000).pages())
    assert len(pages) == 24
    assert all(isinstance(page, Page) for page in pages)
    assert [len(page) for page in pages] == [1000] * 23 + [456]
    assert lines(event for page in pages for event in page) == simulator.truth(**WEEK)
    cursors = [page.next_cursor for page in pages]
    assert cursors[-1] is None
    assert None not in cursors[:-1]
    page = pages[0]
    assert page[0] == next(iter(page)) == page[:1][0]
    assert page[-1] in page
    assert repr(page) == "Page(1000 items)"


def test_a_list_starts_where_a_page_ended(client: Any) -> None:
    pages = list(client.events(**WEEK, limit=1000).pages())
    for ended in [0, 21, 22]:
        rest = [event for page in pages[ended + 1 :] for event in page]
        found = client.events(**WEEK, limit=500, cursor=pages[ended].next_cursor)
        # The page's own may come again at its edge.
        assert [event for event in found if event not in pages[ended]] == rest
    assert code_of(lambda: client.events(cursor="")) == "invalid_option"


def test_pages_go_on_where_items_stopped(client: Any) -> None:
    events = client.events(**WEEK, limit=1000)
    first = next(iter(events))
    rest = [event for page in events.pages() for event in page]
    assert len(rest) == 22_456
    assert first not in rest
    assert next(client.events(**WEEK, limit=1000).pages())[0] == first


def test_a_loop_that_is_left_early_asks_for_no_more(client: Any, simulator: Simulator) -> None:
    events = client.events(**WEEK, limit=100)
    for number, _event in enumerate(events):
        if number == 150:
            break
    events.close()
    asked = len(simulator.requests())
    assert 2 <= asked <= 5
    for items in [events, events.pages()]:
        assert code_of(lambda: list(items)) == "connection"  # noqa: B023
    assert client.probe() is None
    assert len(simulator.requests()) <= asked + 2  # One that was under way, and the probe.


def test_items_are_a_context(client: Any) -> None:
    with client.events(**WEEK) as events:
        assert next(iter(events)).event_id
    assert code_of(lambda: list(events)) == "connection"
    with client.events(**WEEK) as events:
        assert list(events)
    assert list(events) == []


def test_a_listing_that_failed_goes_on_failing(client: Any, simulator: Simulator) -> None:
    simulator.inject("status=403", path=EVENTS, skip=2)
    events = client.events(**WEEK, limit=100)
    seen = []
    with pytest.raises(ApiError) as raised:
        seen.extend(event for event in iterate(events, seen))
    assert raised.value.code == "forbidden"
    assert len(seen) == 200
    # It never looks as if it had come to its end.
    assert code_of(lambda: next(events)) == "forbidden"
    assert code_of(lambda: list(events)) == "forbidden"


def iterate(events: Any, seen: list[Any]) -> Any:
    for event in events:
        seen.append(event)
    return []


def test_one_event(client: Any) -> None:
    first = next(iter(client.events(**WEEK)))
    assert client.event(first.event_id) == first
    with pytest.raises(ApiError) as raised:
        client.event("no such event")
    assert (raised.value.code, raised.value.status) == ("not_found", 404)
    with pytest.raises(ApiError) as raised:
        client.event("..")
    assert (raised.value.code, raised.value.attempts) == ("invalid_request", 0)


def test_an_event_reads_its_members(client: Any) -> None:
    for event in client.events(**WEEK, limit=1000):
        members = event.to_dict()
        assert event.event_id == members["event_id"]
        assert event.member("event_id") == event.event_id
        assert event.member("no such member") is None
        assert event.raw == event.line
        if event.event_id and event.action:
            assert event.key == f"health:{event.event_id}:{event.action}"
        if isinstance(members.get("details"), str):
            assert not isinstance(event.details, str)
        assert pickle.loads(pickle.dumps(event)) == event
        if event.justification:
            assert event.justification not in repr(event)
        assert isinstance(event.type, str) or event.type is None
        if event.action == "phi.read":
            assert event.type is health.EventType.PHI_READ
            break


def test_an_event_has_its_text_as_it_came_and_on_one_line() -> None:
    text = '{"event_id":"evt_1",\r\n "action":"phi.read"}'
    event = health.AuditEvent.from_json(text)
    assert (event.raw, event.line) == (text, '{"event_id":"evt_1", "action":"phi.read"}')
    assert event.key == "health:evt_1:phi.read"
    assert health.AuditEvent.from_json('{"event_id":"evt_1"}').key is None


def test_registers_and_looks_after_endpoints(client: Any, simulator: Simulator) -> None:
    url = "https://example.com/hook"
    made = client.webhooks.create(url, event_filter=["phi.", "admin."], description="SIEM")
    assert isinstance(made.secret, SigningSecret)
    assert len(made.secret.expose_secret()) == 64
    assert Verifier("health", made.secret).scheme == "health"
    endpoint = made.endpoint
    assert (endpoint.url, endpoint.event_filter) == (url, ("phi.", "admin."))
    assert (endpoint.description, endpoint.active, endpoint.is_failing) == ("SIEM", True, False)
    assert endpoint.created_at is not None
    assert endpoint.last_delivery_at is None
    plain = client.webhooks.create(url).endpoint
    assert (plain.event_filter, plain.description) == ((), None)

    found = {each.id: each for each in client.webhooks.list()}
    assert found[endpoint.id].url == url
    assert client.webhooks.disable(endpoint.id) is None
    found = {each.id: each for each in client.webhooks.list()}
    assert found[endpoint.id].active is False
    assert found[plain.id].active is True
    for each in [endpoint, plain]:
        assert client.webhooks.delete(each.id) is None
    assert not {endpoint.id, plain.id} & {each.id for each in client.webhooks.list()}
    with pytest.raises(ApiError) as raised:
        client.webhooks.delete(endpoint.id)
    assert raised.value.code == "not_found"


def test_a_registration_is_sent_once(client: Any, simulator: Simulator) -> None:
    simulator.inject("status=503", always=True)
    with pytest.raises(ApiError) as raised:
        client.webhooks.create("https://example.com")
    assert (raised.value.code, raised.value.attempts) == ("server_error", 1)
    assert raised.value.is_retryable
    with pytest.raises(ApiError) as raised:
        client.webhooks.disable("wh_1")
    assert raised.value.attempts == 5


def test_an_endpoint_of_more_than_three_failures_is_failing(either: Either) -> None:
    listed = [{"id": str(count), "consecutive_failures": count} for count in range(6)]
    with Server(lambda number, request: answer(200, {"endpoints": listed})) as server:
        client = either.client(health, HEALTH_KEY, **server.options())
        found = client.webhooks.list()
    assert [each.id for each in found if each.is_failing] == ["4", "5"]
    assert len(found) == 6


def test_a_client_is_a_context_and_may_be_used_again(client: Any, either: Either) -> None:
    with client as entered:
        assert getattr(entered, "subject", entered) is getattr(client, "subject", client)
        assert entered.probe() is None
    assert client.probe() is None
    client.close()
    assert client.probe() is None


def test_what_the_environment_names(
    either: Either, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_kind: Callable[[], Any] = (
        health.AsyncClient if either.is_async else health.Client
    ).from_env
    monkeypatch.delenv("VELORA_API_KEY", raising=False)
    monkeypatch.setenv("VELORA_BASE_URL", simulator.url)
    assert code_of(of_kind) == "invalid_api_key"
    monkeypatch.setenv("VELORA_API_KEY", HEALTH_KEY)
    client = of_kind()
    assert type(client) is (health.AsyncClient if either.is_async else health.Client)
    assert either.waiting(client).probe() is None
    # The last one is not UTF-8.
    for url in ["http://velora.example", f"{simulator.url}/\udcff"]:
        monkeypatch.setenv("VELORA_BASE_URL", url)
        assert code_of(of_kind) == "invalid_base_url"
        # What is given by name takes precedence.
        assert either.waiting(of_kind(base_url=simulator.url, attempts=1)).probe() is None
    monkeypatch.setenv("VELORA_BASE_URL", "")
    assert type(of_kind()) is type(client)
    assert code_of(lambda: of_kind(attempts=0)) == "invalid_option"
    with pytest.raises(TypeError, match="colour"):
        of_kind(colour="red")


def test_what_a_client_cannot_be_made_of(either: Either) -> None:
    for key, options, code in [
        ("", {}, "invalid_api_key"),
        ("a b", {}, "invalid_api_key"),
        ("key", {"base_url": "http://velora.example"}, "invalid_base_url"),
        ("key", {"base_url": "no url"}, "invalid_base_url"),
        ("key", {"proxy": "no url"}, "invalid_option"),
        ("key", {"proxy": "socks5://127.0.0.1:1080"}, "invalid_option"),
        ("key", {"attempts": 0}, "invalid_option"),
        ("key", {"attempts": -1}, "invalid_option"),
        ("key", {"attempts": 1 << 40}, "invalid_option"),
        ("key", {"backoff": (-1, 1)}, "invalid_option"),
        ("key", {"read_timeout": -1}, "invalid_option"),
        ("key", {"call_timeout": float("nan")}, "invalid_option"),
        ("key", {"connect_timeout": float("inf")}, "invalid_option"),
        ("key", {"max_retry_delay": -0.1}, "invalid_option"),
        ("key", {"max_response_bytes": -1}, "invalid_option"),
    ]:
        with pytest.raises(ConfigError) as raised:
            either.client(health, key, **options)
        assert raised.value.code == code, (key, options)
    for options in [
        {"colour": "red"},
        {"attempts": "5"},
        {"backoff": 1},
        {"base_url": 5},
        {"proxy": b"http://127.0.0.1"},
        {"call_timeout": timedelta(seconds=5)},
        {"max_response_bytes": 5.5},
    ]:
        (name,) = options
        with pytest.raises(TypeError, match=f"[`']{name}[`']"):
            either.client(health, "key", **options)
    for odd in [None, 5, b"key"]:
        with pytest.raises(TypeError, match="`api_key`"):
            either.client(health, odd)


def test_an_argument_of_another_type_is_named(either: Either) -> None:
    client = either.client(health, "key", base_url="http://127.0.0.1:1")
    with pytest.raises(TypeError, match="`id`: expected a str, not NoneType"):
        client.event(None)
    # A text is a list of its letters.
    for odd in ["phi.", None, 5, {"phi.": 1}, [5]]:
        with pytest.raises(TypeError, match="`event_filter`: expected a "):
            client.webhooks.create("https://example.com", event_filter=odd)


def test_an_option_that_is_none_is_the_default(either: Either, simulator: Simulator) -> None:
    client = either.client(health, HEALTH_KEY, **simulator.options(attempts=None, proxy=None))
    assert client.probe() is None


def test_the_scope_decides(either: Either, simulator: Simulator) -> None:
    reader = either.client(health, ONLY_READ, **simulator.options())
    assert next(iter(reader.events(**WEEK)))
    for call in [
        lambda: list(reader.export(**WEEK)),
        lambda: reader.webhooks.create("https://example.com"),
    ]:
        assert code_of(call) == "forbidden"
