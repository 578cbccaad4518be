"""Every fault of the simulator: the exact rows, each once, or the core's code for it.

The expectations are those of the core's own tests of its clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from deliveries import code_of
from either import Either
from simulated import (
    BILLING_KEY,
    CURAE_KEY,
    EVENTS,
    EXPORT,
    HEALTH_KEY,
    ROOT,
    TV_TOKEN,
    WEEK,
    Simulator,
)
from velora import ApiError, billing, curae, health, tv

WHOLE = "whole"

OF_EVENTS: dict[str, tuple[str, str]] = {
    "rate_limited=1": (WHOLE, WHOLE),
    "rate_limited_date=1": (WHOLE, WHOLE),
    "rate_limited_bare": (WHOLE, WHOLE),
    "rate_limited_hour": ("rate_limited", "rate_limited"),
    "status=500": (WHOLE, WHOLE),
    "status=503": (WHOLE, WHOLE),
    "status=400": ("invalid_request", "invalid_request"),
    "status=401": ("unauthorized", "unauthorized"),
    "status=403": ("forbidden", "forbidden"),
    "status=404": ("not_found", "not_found"),
    "status=409": ("conflict", "conflict"),
    "status=422": ("invalid_request", "invalid_request"),
    "reset": (WHOLE, WHOLE),
    "reset_after": (WHOLE, WHOLE),
    "hang": (WHOLE, WHOLE),
    "latency=50": (WHOLE, WHOLE),
    "cut_length": (WHOLE, WHOLE),
    "cut_chunked": (WHOLE, WHOLE),
    "cut_row": (WHOLE, WHOLE),
    "cut_reset": (WHOLE, WHOLE),
    "stall": (WHOLE, WHOLE),
    "endless": ("response_too_large", WHOLE),
    "gzip": (WHOLE, WHOLE),
    "gzip_bomb=64": ("response_too_large", WHOLE),
    "wrong_content_type": (WHOLE, WHOLE),
    "not_json": ("malformed_response", "malformed_response"),
    "bad_row": ("malformed_response", "malformed_response"),
    "pretty": (WHOLE, WHOLE),
    "truncation_header=yes": (WHOLE, WHOLE),
    "repeat_cursor": ("cursor_loop", WHOLE),
    "loop_cursor": ("cursor_loop", WHOLE),
    "no_cursor": ("cursor_loop", WHOLE),
    "empty_page": (WHOLE, WHOLE),
    "duplicate_rows": (WHOLE, WHOLE),
    "redirect": ("unexpected_redirect", "unexpected_redirect"),
    "redirect_307": ("unexpected_redirect", "unexpected_redirect"),
    "redirect_308": ("unexpected_redirect", "unexpected_redirect"),
}
"""What becomes of a listing, and of an export."""

OF_BILLING: dict[str, tuple[str, str]] = {
    "rate_limited_bare": (WHOLE, WHOLE),
    "rate_limited_hour": ("rate_limited", "rate_limited"),
    "status=503": (WHOLE, WHOLE),
    "status=404": ("not_found", "not_found"),
    "reset": (WHOLE, WHOLE),
    "reset_after": (WHOLE, WHOLE),
    "hang": (WHOLE, WHOLE),
    # Behind the first row there is no going back.
    "cut_length": ("connection", WHOLE),
    "cut_chunked": ("connection", WHOLE),
    "cut_row": ("connection", WHOLE),
    "cut_reset": ("connection", WHOLE),
    "stall": ("timeout", WHOLE),
    "gzip": (WHOLE, WHOLE),
    "gzip_bomb=64": ("response_too_large", "response_too_large"),
    "wrong_content_type": (WHOLE, WHOLE),
    "not_json": ("malformed_response", "malformed_response"),
    "latency=20": (WHOLE, WHOLE),
    "pretty": (WHOLE, WHOLE),
    "repeat_cursor": (WHOLE, "cursor_loop"),
    "empty_page": (WHOLE, WHOLE),
    "duplicate_rows": (WHOLE, WHOLE),
    "redirect": ("unexpected_redirect", "unexpected_redirect"),
    "redirect_307": ("unexpected_redirect", "unexpected_redirect"),
    "redirect_308": ("unexpected_redirect", "unexpected_redirect"),
}
"""What becomes of a table, and of a log."""

AGAIN = ["loop_cursor", "not_json", "bad_row"]
"""Those that once are none."""

TERMINAL = ["unauthorized", "forbidden", "not_found", "conflict", "invalid_request",
            "rate_limited", "unexpected_redirect"]  # fmt: skip
"""What costs one request."""


def patience(fault: str) -> float:
    """The read timeout: short only for what never answers, or never ends."""
    return 1.0 if fault in ("hang", "stall") else 10.0


@pytest.fixture
def small() -> Iterator[Simulator]:
    """A system whose cap is low, so that few events are many pages and leaves."""
    with Simulator("--events", "2345", "--export-cap", "500") as simulator:
        yield simulator


def arm(simulator: Simulator, fault: str, path: str, skip: int) -> None:
    simulator.forget()
    simulator.inject(
        fault, path=path, skip=skip, **({"always": True} if fault in AGAIN else {})
    )


def verdict(rows: Any, truth: list[str], text: Callable[[Any], str]) -> str:
    """What came of it; a part of the rows, or one twice, is none of the allowed answers."""
    read: list[str] = []
    try:
        for row in rows:
            read.append(text(row))
    except ApiError as error:
        return error.code
    return WHOLE if sorted(read) == truth else f"{len(read)} of {len(truth)} rows"


def plain(event: health.AuditEvent) -> str:
    """Without what a pretty printer puts between the tokens."""
    return event.raw.replace("\r\n  ", "").strip()


def check_requests(simulator: Simulator, expected: str) -> None:
    """What is terminal costs one request; and nothing goes to another host, ever."""
    requests = simulator.requests()
    assert not any(request["other_host"] for request in requests)
    assert any(request["fault"] for request in requests)
    if expected in TERMINAL:
        assert sum(request["fault"] is not None for request in requests) == 1


@pytest.mark.parametrize("fault", OF_EVENTS)
def test_events_are_whole_or_it_is_said_why_not(
    either: Either, small: Simulator, fault: str
) -> None:
    options = small.options(read_timeout=patience(fault), max_response_bytes=1 << 20)
    client = either.client(health, HEALTH_KEY, **options)
    truth = small.truth(**WEEK)
    # A second's wait is the same for both; each kind has it once.
    is_slow = fault in ("rate_limited=1", "rate_limited_date=1")
    if not (is_slow and either.is_async):
        list_events(client, small, fault, truth)
    if not (is_slow and not either.is_async):
        export(client, small, fault, truth)


def list_events(client: Any, small: Simulator, fault: str, truth: list[str]) -> None:
    of_listing, _ = OF_EVENTS[fault]
    arm(small, fault, EVENTS, 2)
    assert verdict(client.events(**WEEK, limit=250), truth, plain) == of_listing
    # In a listing there is no header to be written otherwise.
    if fault != "truncation_header=yes":
        check_requests(small, of_listing)


def export(client: Any, small: Simulator, fault: str, truth: list[str]) -> None:
    _, of_export = OF_EVENTS[fault]
    arm(small, fault, EXPORT, 3)
    assert verdict(client.export(**WEEK), truth, plain) == of_export
    check_requests(small, of_export)


@pytest.fixture
def logged(simulator: Simulator) -> tuple[str, list[str]]:
    """An endpoint, and the ids of its deliveries."""
    asked = {"system": "billing", "url": "https://example.com"}
    endpoint_id = simulator.control("POST", "endpoints", asked)["id"]
    history = {"count": 700, "ok": False, "retained": True}
    simulator.control("POST", f"endpoints/{endpoint_id}/history", history)
    deliveries = simulator.control("GET", "deliveries")
    ids = [each["id"] for each in deliveries if each["endpoint_id"] == endpoint_id]
    return endpoint_id, sorted(ids)


@pytest.fixture
def lines(simulator: Simulator) -> list[str]:
    """The ids of the lines of a table."""
    with billing.Client(BILLING_KEY, **simulator.options()) as client:
        return sorted(row["lineId"] for row in client.audit_csv("run_demo"))


@pytest.mark.parametrize("fault", OF_BILLING)
def test_tables_and_logs_are_whole_or_it_is_said_why_not(
    either: Either,
    simulator: Simulator,
    lines: list[str],
    logged: tuple[str, list[str]],
    fault: str,
) -> None:
    assert len(lines) == 3_000
    (endpoint_id, ids), (of_table, of_log) = logged, OF_BILLING[fault]
    options = simulator.options(read_timeout=patience(fault), max_response_bytes=8 << 20)
    # What one is asked to wait for, all calls of a client wait for.
    first, second = (either.client(billing, BILLING_KEY, **options) for _ in range(2))
    arm(simulator, fault, "/api/audits/*", 0)
    table = first.audit_csv("run_demo")
    assert verdict(table, lines, lambda row: row["lineId"]) == of_table
    arm(simulator, fault, "/api/webhooks/*", 1)
    log = second.deliveries(endpoint_id, limit=200)
    assert verdict(log, ids, lambda row: row.id) == of_log
    check_requests(simulator, of_log)


def test_rows_that_came_before_an_error_were_given(
    simulator: Simulator, either: Either
) -> None:
    client = either.client(billing, BILLING_KEY, **simulator.options())
    arm(simulator, "cut_length", "/api/audits/*", 0)
    seen = []
    rows = (seen.append(row["lineId"]) for row in client.audit_csv("run_demo"))
    assert code_of(lambda: list(rows)) == "connection"
    assert len(seen) == len(set(seen))
    assert 100 < len(seen) < 3_000


def test_the_cap_is_known_though_nobody_names_it(simulator: Simulator, either: Either) -> None:
    client = either.client(health, HEALTH_KEY, **simulator.options())
    truth = simulator.truth(**WEEK)
    for fault in ["no_truncation_header", "truncation_header=TRUE", "truncation_header=maybe"]:
        simulator.forget()
        simulator.inject(fault, path=EXPORT, always=True)
        assert verdict(client.export(**WEEK), truth, plain) == WHOLE


@pytest.mark.parametrize("fault", ["status=503", "cut_chunked", "cut_row", "reset"])
def test_faults_again_and_again_are_survived(
    either: Either, small: Simulator, fault: str
) -> None:
    client = either.client(
        health, HEALTH_KEY, **small.options(attempts=20, backoff=(0.005, 0.005))
    )
    truth = small.truth(**WEEK)
    small.forget()
    small.inject(fault, every=3)
    assert verdict(client.events(**WEEK, limit=250), truth, plain) == WHOLE
    assert verdict(client.export(**WEEK), truth, plain) == WHOLE


@pytest.mark.parametrize(
    ("fault", "code"),
    [("empty_page", "cursor_loop"), ("status=500", "server_error"), ("hang", "timeout"),
     ("drip=20", "timeout")],
)  # fmt: skip
def test_a_fault_that_stays_is_reported(
    either: Either, small: Simulator, fault: str, code: str
) -> None:
    impatient = {"read_timeout": 0.1, "call_timeout": 0.6} if code == "timeout" else {}
    client = either.client(health, HEALTH_KEY, **small.options(**impatient))
    small.forget()
    small.inject(fault, path=EVENTS, always=True)
    assert verdict(client.events(**WEEK), [], plain) == code


def test_an_hour_is_in_the_error_at_once(either: Either, simulator: Simulator) -> None:
    simulator.inject("rate_limited_hour")
    with pytest.raises(ApiError) as raised:
        either.client(health, HEALTH_KEY, **simulator.options()).probe()
    assert (raised.value.code, raised.value.retry_after) == ("rate_limited", 3600.0)
    assert len(simulator.requests()) == 1


@pytest.mark.parametrize("status", [302, 307, 308])
def test_no_credential_follows_a_redirect(
    either: Either, simulator: Simulator, status: int
) -> None:
    options = simulator.options()
    simulator.inject("redirect" if status == 302 else f"redirect_{status}", always=True)
    for call in [
        lambda: either.client(health, HEALTH_KEY, **options).probe(),
        lambda: either.client(billing, BILLING_KEY, **options).retry_delivery("del_1"),
        lambda: either.client(curae, CURAE_KEY, **options).webhooks.get("whe_1"),
        lambda: next(either.client(tv, TV_TOKEN, **options).events()),
    ]:
        with pytest.raises(ApiError) as raised:
            call()
        error = raised.value
        assert (error.code, error.status, error.attempts) == ("unexpected_redirect", status, 1)
    requests = simulator.requests()
    assert len(requests) == 4
    assert not any(request["other_host"] for request in requests)


def test_every_fault_of_the_simulator_is_here() -> None:
    readme = (ROOT / "examples/simulator/README.md").read_text("utf-8")
    table = readme.split("| fault, and its default value |")[1].split("\n\n")[0]
    named = {
        word.strip("` ").split("=")[0]
        for row in table.splitlines()
        if row.startswith("| `")
        for word in row.split("|")[1].split(",")
    }
    assert len(named) > 25
    here = {fault.split("=")[0] for fault in [*OF_EVENTS, *OF_BILLING]}
    assert named <= here | {"drip", "no_truncation_header"}
