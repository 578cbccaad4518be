"""The errors of calls that failed, and what all calls have in common."""

from __future__ import annotations

import copy
import gzip
import pickle
import time
from datetime import datetime, timezone
from email.utils import formatdate
from typing import Any

import pytest
from either import Either
from scripted import Server, answer, hang
from simulated import HEALTH_KEY, WEEK, Simulator
from velora import ApiError, Issue, VeloraError, billing, curae, health, tv

CANARY = "vlk_live_canary"

PROBLEM = {
    "error": "Invalid body",
    "issues": [
        {"code": "invalid_type", "path": ["lines", 0, "amount"], "message": "Expected number"},
        {"code": None, "path": [], "message": None},
    ],
}


def refused(either: Either, server: Server, **options: Any) -> ApiError:
    client = either.client(billing, CANARY, **server.options(**options))
    with pytest.raises(ApiError) as raised:
        client.recon_summary()
    return raised.value


def test_an_error_says_what_the_system_said(either: Either) -> None:
    said = answer(422, PROBLEM, X_Request_Id="srv-1")
    with Server(lambda number, request: said) as server:
        error = refused(either, server)
    assert (error.code, error.status, error.request_id) == ("invalid_request", 422, "srv-1")
    assert (error.attempts, error.is_retryable, error.retry_after) == (1, False, None)
    assert (error.detail, error.vendor_code) == ("Invalid body", None)
    assert error.issues[0] == Issue("invalid_type", ("lines", "0", "amount"), "Expected number")
    assert isinstance(error.issues, tuple)
    assert len(error.issues) == 2
    assert "Expected number" in error.raw
    # What the system said may repeat what was sent: it is asked for by name.
    shown = f"{error} {error!r} {error.issues!r}"
    assert "Invalid body" not in shown
    assert "Expected number" not in shown


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))]
)
def test_an_error_survives_a_pickle(either: Either, copied: Any) -> None:
    said = answer(429, PROBLEM, X_Request_Id="srv-1", Retry_After="3600")
    with Server(lambda number, request: said) as server:
        error = refused(either, server)
    again = copied(error)
    assert type(again) is ApiError
    assert vars(again) == vars(error)
    assert (str(again), repr(again)) == (str(error), repr(error))
    assert (again.code, again.retry_after) == ("rate_limited", 3600.0)
    plain = copied(VeloraError("why", "no_secret"))
    assert (plain.code, plain.args) == ("no_secret", ("why",))


@pytest.mark.parametrize(
    ("status", "code", "attempts"),
    [
        (301, "unexpected_redirect", 1), (302, "unexpected_redirect", 1),
        (400, "invalid_request", 1), (401, "unauthorized", 1), (403, "forbidden", 1),
        (404, "not_found", 1), (409, "conflict", 1), (418, "invalid_request", 1),
        (422, "invalid_request", 1), (429, "rate_limited", 5), (500, "server_error", 5),
        (503, "server_error", 5),
    ],
)  # fmt: skip
def test_every_status_has_its_code(
    either: Either, status: int, code: str, attempts: int
) -> None:
    said = answer(status, {"error": "no"}, Location="http://127.0.0.1:9/")
    with Server(lambda number, request: said) as server:
        error = refused(either, server)
        assert len(server.seen) == attempts
    assert (error.code, error.status, error.attempts) == (code, status, attempts)
    assert error.is_retryable == (attempts > 1)


def test_attempts_are_as_many_as_asked_for(either: Either) -> None:
    for attempts in [1, 2, 7]:
        with Server(lambda number, request: answer(503)) as server:
            assert refused(either, server, attempts=attempts).attempts == attempts
            assert len(server.seen) == attempts


def test_a_fault_that_passes_is_not_seen(either: Either) -> None:
    page = {"events": [], "page": {"has_more": False}}
    script = [
        answer(503),
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        answer(200, page),
    ]
    with Server(lambda number, request: script[number]) as server:
        assert either.client(health, CANARY, **server.options()).probe() is None
        ids = {request.headers["x-request-id"] for request in server.seen}
    assert (len(server.seen), len(ids)) == (4, 1)


def test_an_hour_is_too_long_to_wait(either: Either) -> None:
    date = formatdate(time.time() + 3_600, usegmt=True)
    for value in ["3600", date]:
        with Server(lambda number, request: answer(429, Retry_After=value)) as server:  # noqa: B023
            client = either.client(billing, CANARY, **server.options())
            with pytest.raises(ApiError) as raised:
                client.recon_summary()
            limit = client.rate_limit.retry_at
        error = raised.value
        assert (error.code, error.attempts) == ("rate_limited", 1)
        assert error.retry_after is not None
        assert 3_500 < error.retry_after <= 3_600
        assert limit is not None
        assert 3_400 < (limit - datetime.now(timezone.utc)).total_seconds() <= 3_600


def test_how_long_is_too_long_is_an_option(either: Either) -> None:
    with Server(lambda number, request: answer(429, Retry_After="1")) as server:
        error = refused(either, server, max_retry_delay=0.5)
    assert (error.code, error.attempts, error.retry_after) == ("rate_limited", 1, 1.0)


def test_a_wait_is_kept_to(either: Either) -> None:
    script = [
        answer(429, Retry_After="1"),
        answer(200, {"pendingTickets": 1, "urgentTickets": 2, "openDisputes": 3}),
    ]
    with Server(lambda number, request: script[number]) as server:
        start = time.monotonic()
        summary = either.client(billing, CANARY, **server.options()).recon_summary()
    assert time.monotonic() - start >= 1
    assert (summary.pending_tickets, summary.as_of, summary.extra) == (1, None, {})


def test_each_timeout_has_its_limit(either: Either) -> None:
    with Server(hang) as server:
        for options, attempts in [
            ({"read_timeout": 0.1, "attempts": 2}, 2),
            ({"call_timeout": 0.2}, 1),
        ]:
            start = time.monotonic()
            error = refused(either, server, **options)
            assert (error.code, error.status, error.attempts) == ("timeout", None, attempts)
            assert time.monotonic() - start < 5


def test_nobody_there_is_a_connection_fault(either: Either) -> None:
    with Server(hang) as server:
        options = server.options()
    client = either.client(health, CANARY, **options)
    with pytest.raises(ApiError) as raised:
        client.probe()
    assert (raised.value.code, raised.value.attempts) == ("connection", 5)
    assert raised.value.status is None
    assert raised.value.is_retryable


def test_a_body_over_the_limit_is_not_read(either: Either) -> None:
    bomb = gzip.compress(b" " * (1 << 20))
    for said in [answer(200, b" " * 2_000), answer(200, bomb, Content_Encoding="gzip")]:
        with Server(lambda number, request: said) as server:  # noqa: B023
            error = refused(either, server, max_response_bytes=1_000)
        assert (error.code, error.attempts) == ("response_too_large", 1)


def test_what_is_not_the_documented_json(either: Either) -> None:
    for body in [b"<html>", [], {}, {"pendingTickets": "7"}]:
        with Server(lambda number, request: answer(200, body)) as server:  # noqa: B023
            error = refused(either, server)
        assert (error.code, error.status, error.attempts) == ("malformed_response", 200, 1)


def test_the_limit_is_told_by_its_own_reset(either: Either) -> None:
    for system, reset in [(billing, "2026-04-29T13:00:00Z"), (tv, "1777467600")]:
        said = answer(
            403, X_RateLimit_Limit="120", X_RateLimit_Remaining="7", X_RateLimit_Reset=reset
        )
        with Server(lambda number, request: said) as server:  # noqa: B023
            client = either.client(system, "key", **server.options())
            with pytest.raises(ApiError):
                client.recon_summary() if system is billing else client.create_webhook(
                    "a", "b", []
                )
        limit = client.rate_limit
        assert (limit.limit, limit.remaining, limit.retry_at) == (120, 7, None)
        assert limit.reset == datetime(2026, 4, 29, 13, tzinfo=timezone.utc)


def test_what_is_sent(either: Either) -> None:
    page = answer(200, {"events": [], "page": {"has_more": False}})
    with Server(lambda number, request: page) as server:
        client = either.client(health, CANARY, **server.options())
        assert (
            list(client.events(since="2026-05-01T00:00:00+00:00", action="a&b", limit=7)) == []
        )
    (sent,) = server.seen
    assert sent.headers["authorization"] == f"Bearer {CANARY}"
    assert sent.headers["accept-encoding"] == "gzip"
    assert sent.headers["user-agent"].startswith("velora")
    for part in ["since=2026-05-01T00%3A00%3A00", "action=a%26b", "limit=7"]:
        assert part in sent.target


def test_curae_tells_its_own_code_and_reads_unknown_types(either: Either) -> None:
    problem = {"type": "about:blank", "title": "t", "status": 503, "detail": "why",
               "code": "FINAL", "retryable": False}  # fmt: skip
    with Server(lambda number, request: answer(503, problem)) as server:
        client = either.client(curae, "cae_test_canary", **server.options())
        with pytest.raises(ApiError) as raised:
            client.webhooks.get("whe_1")
    error = raised.value
    assert (error.vendor_code, error.detail, error.is_retryable) == ("FINAL", "why", False)
    data = {"data": {"id": "whe_1", "eventTypes": ["user.graduated", "a.new_one"], "x": [1]}}
    with Server(lambda number, request: answer(200, data, ETag='"v1"')) as server:
        client = either.client(curae, "cae_test_canary", **server.options())
        found = client.webhooks.get("whe_1")
    assert found.etag == '"v1"'
    assert found.endpoint.event_types == (curae.EventType.USER_GRADUATED, "a.new_one")
    assert type(found.endpoint.event_types[0]) is curae.EventType
    assert found.endpoint.extra == {"x": [1]}


def test_a_proxy_is_used_only_where_it_was_given(
    either: Either, monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    refuse = answer(502)
    with Server(lambda number, request: refuse) as proxy:
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"]:
            monkeypatch.setenv(name, proxy.url)
        client = either.client(health, HEALTH_KEY, **simulator.options())
        assert next(iter(client.events(**WEEK)))
        assert proxy.seen == []
        options = simulator.options(base_url="https://api.velora.example", proxy=proxy.url)
        client = either.client(health, HEALTH_KEY, **options)
        with pytest.raises(ApiError) as raised:
            client.probe()
        assert raised.value.code == "connection"
        assert {request.method for request in proxy.seen} == {"CONNECT"}
        assert all(HEALTH_KEY not in str(request.headers) for request in proxy.seen)
