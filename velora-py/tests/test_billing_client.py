"""The client of Velora Billing, synchronous and asynchronous, against the simulator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from deliveries import code_of
from either import Either
from simulated import BILLING_KEY, Simulator
from velora import ApiError, billing
from velora.paging import Page

ONLY_READ = "vb_live_read_0123456789abcdef"


@pytest.fixture
def client(either: Either, simulator: Simulator) -> Any:
    # The base URL of the docs ends with `/api`, as the paths start.
    options = simulator.options(base_url=f"{simulator.url}/api")
    return either.client(billing, BILLING_KEY, **options)


@pytest.fixture
def endpoint_id(simulator: Simulator) -> str:
    """An endpoint where nobody listens."""
    asked = {"system": "billing", "url": "http://127.0.0.1:9"}
    made: str = simulator.control("POST", "endpoints", asked)["id"]
    return made


def history(simulator: Simulator, endpoint_id: str, count: int, **more: bool) -> None:
    row = {"count": count, "ok": False, "retained": True, **more}
    simulator.control("POST", f"endpoints/{endpoint_id}/history", row)


def test_reads_the_summary(client: Any) -> None:
    summary = client.recon_summary()
    assert isinstance(summary, billing.ReconSummary)
    assert all(
        isinstance(count, int)
        for count in [summary.pending_tickets, summary.urgent_tickets, summary.open_disputes]
    )
    assert summary.as_of is None or isinstance(summary.as_of, datetime)
    assert isinstance(summary.extra, dict)


def test_a_run_is_one_run_for_its_key(client: Any) -> None:
    first, again, other = (client.run_recon("inv_1", key) for key in ["k", "k", "l"])
    assert first.run_id == again.run_id != other.run_id
    assert isinstance(first.response, dict)
    for invoice, code, status in [
        ("inv_missing_1", "not_found", 404),
        ("inv_locked_1", "conflict", 409),
    ]:
        with pytest.raises(ApiError) as raised:
            client.run_recon(invoice, "k")
        assert (raised.value.code, raised.value.status) == (code, status)
        assert raised.value.detail
    with pytest.raises(ApiError) as raised:
        client.run_recon("", "k")
    assert raised.value.code == "invalid_request"
    assert all(isinstance(issue.path, tuple) for issue in raised.value.issues)
    assert raised.value.issues
    assert raised.value.issues[0].path == ("invoiceId",)


def test_reads_a_table_by_its_header(client: Any) -> None:
    rows = list(client.audit_csv("run_demo"))
    assert len(rows) == 3_000
    assert all(type(row) is dict and "lineId" in row for row in rows)
    assert len({row["lineId"] for row in rows}) == 3_000
    pages = list(client.audit_csv("run_demo").pages())
    assert [row for page in pages for row in page] == rows
    with pytest.raises(ApiError) as raised:
        list(client.audit_csv("none"))
    assert raised.value.code == "not_found"


def test_reads_a_journal_where_the_caller_says(client: Any) -> None:
    for format in ["qbo", "netsuite"]:
        rows = list(client.journal_csv("/api/audits/run_demo/gl", format))
        assert len(rows) == 6_000
    for path in ["https://evil.example.com/", "gl", "/../gl", ""]:
        with pytest.raises(ApiError) as raised:
            list(client.journal_csv(path, "qbo"))
        assert (raised.value.code, raised.value.attempts) == ("invalid_request", 0)
    assert code_of(lambda: client.journal_csv("/gl", "excel")) == "invalid_option"


def test_a_table_that_is_left_early_ends(client: Any) -> None:
    with client.audit_csv("run_demo") as rows:
        assert next(iter(rows))
    assert code_of(lambda: list(rows)) == "connection"


def test_walks_the_log(client: Any, simulator: Simulator, endpoint_id: str) -> None:
    history(simulator, endpoint_id, 401)
    history(simulator, endpoint_id, 100, ok=True)
    for status, count in [(None, 501), ("failed", 401), ("ok", 100)]:
        rows = list(client.deliveries(endpoint_id, status=status, limit=200))
        assert len({row.id for row in rows}) == len(rows) == count
        assert status is None or {row.status for row in rows} == {status}
        assert all(isinstance(row, billing.LoggedDelivery) for row in rows)
    assert any(row.retryable for row in rows) or all(row.status == "ok" for row in rows)
    pages = list(client.deliveries(endpoint_id, limit=200).pages())
    assert [len(page) for page in pages] == [200, 200, 101]
    assert isinstance(pages[0], Page)
    rest = [row for page in pages[1:] for row in page]
    assert list(client.deliveries(endpoint_id, cursor=pages[0].next_cursor)) == rest
    assert code_of(lambda: client.deliveries(endpoint_id, cursor="")) == "invalid_option"
    for limit in [0, 201, -1, 1 << 20]:
        assert code_of(lambda: client.deliveries(endpoint_id, limit=limit)) == "invalid_option"  # noqa: B023
    with pytest.raises(ApiError) as raised:
        list(client.deliveries("none"))
    assert raised.value.code == "not_found"


def test_sends_a_delivery_again_once(
    client: Any, simulator: Simulator, endpoint_id: str
) -> None:
    history(simulator, endpoint_id, 1)
    history(simulator, endpoint_id, 1, ok=True)
    failed = next(iter(client.deliveries(endpoint_id, status="failed")))
    retried = client.retry_delivery(failed.id)
    assert isinstance(retried, billing.Retried)
    assert retried.delivery_id != failed.id
    assert retried.status == "failed"
    (again,) = (row for row in client.deliveries(endpoint_id) if row.id == retried.delivery_id)
    assert again.retry_of_id == failed.id
    arrived = next(iter(client.deliveries(endpoint_id, status="ok")))
    for id, code in [(arrived.id, "conflict"), ("none", "not_found")]:
        with pytest.raises(ApiError) as raised:
            client.retry_delivery(id)
        assert (raised.value.code, raised.value.attempts) == (code, 1)
    simulator.inject("status=503", always=True)
    with pytest.raises(ApiError) as raised:
        client.retry_delivery(failed.id)
    assert (raised.value.code, raised.value.attempts) == ("server_error", 1)


def test_sweeps_the_log(client: Any, simulator: Simulator, endpoint_id: str) -> None:
    history(simulator, endpoint_id, 7)
    history(simulator, endpoint_id, 3, retained=False)
    history(simulator, endpoint_id, 2, ok=True)
    told: list[billing.Progress] = []
    report = client.refire_failed(endpoint_id, writes_per_minute=1000, on_progress=told.append)
    assert isinstance(report, billing.RefireReport)
    assert (report.refired, report.stopped, report.left) == ((), None, ())
    assert len(report.failed_again) == 7
    assert len(report.not_refired) == 3
    assert {each.why for each in report.not_refired} == {"not_retryable"}
    assert all(each.error is None for each in report.not_refired)
    assert all(each.attempt.delivery_id != each.of_id for each in report.failed_again)
    assert repr(report) == (
        "RefireReport(0 refired, 7 failed again, 3 not refired, 0 left, stopped=None)"
    )
    last = told[-1]
    assert (last.total, last.refired, last.failed_again, last.not_refired) == (10, 0, 7, 3)


def test_a_sweep_that_cannot_go_on_says_why(
    client: Any, simulator: Simulator, endpoint_id: str
) -> None:
    history(simulator, endpoint_id, 5)
    simulator.inject("status=403", method="POST", skip=2)
    report = client.refire_failed(endpoint_id, writes_per_minute=1000)
    assert isinstance(report.stopped, ApiError)
    assert (report.stopped.code, report.stopped.status) == ("forbidden", 403)
    assert (len(report.failed_again), len(report.left)) == (2, 3)
    simulator.inject("status=500", method="POST")
    report = client.refire_failed(endpoint_id, writes_per_minute=1000)
    assert [each.why for each in report.not_refired] == ["unknown"]
    error = report.not_refired[0].error
    assert error is not None
    assert error.code == "server_error"
    for odd in [0, -1, 1 << 70]:
        refused = code_of(lambda: client.refire_failed(endpoint_id, writes_per_minute=odd))  # noqa: B023
        assert refused == "invalid_option"
    with pytest.raises(ApiError) as raised:
        client.refire_failed("none")
    assert raised.value.code == "not_found"


def test_what_a_report_raises_ends_the_sweep(
    client: Any, simulator: Simulator, endpoint_id: str
) -> None:
    history(simulator, endpoint_id, 50)
    raised, told = LookupError("by the report"), list[billing.Progress]()

    def report(progress: billing.Progress) -> None:
        told.append(progress)
        if progress.failed_again == 2:
            raise raised

    with pytest.raises(LookupError) as caught:
        client.refire_failed(endpoint_id, writes_per_minute=1000, on_progress=report)
    assert caught.value is raised
    assert [each.failed_again for each in told] == [0, 1, 2]
    retries = [each for each in simulator.requests() if each["path"].endswith("/retry")]
    assert 2 <= len(retries) < 50


def test_a_report_that_nobody_would_await_is_refused(
    client: Any, simulator: Simulator, endpoint_id: str
) -> None:
    async def report(progress: billing.Progress) -> None: ...

    history(simulator, endpoint_id, 1)
    simulator.forget()
    with pytest.raises(TypeError):
        client.refire_failed(endpoint_id, on_progress=report)
    assert simulator.requests() == []


def test_the_limit_is_told(client: Any, either: Either, simulators: Any) -> None:
    limited = simulators("--rate-limits")
    client = either.client(billing, BILLING_KEY, **limited.options())
    before = client.rate_limit
    assert (before.limit, before.remaining, before.reset, before.retry_at) == (None,) * 4
    client.recon_summary()
    simulated = client.rate_limit
    assert simulated.remaining is None or simulated.remaining <= 120
    limited.inject("rate_limited=1")
    client.recon_summary()
    assert isinstance(client.rate_limit.retry_at, datetime)


def test_a_key_that_may_only_read(either: Either, simulator: Simulator) -> None:
    reader = either.client(billing, ONLY_READ, **simulator.options())
    assert reader.recon_summary()
    assert code_of(lambda: reader.run_recon("inv_1", "k")) == "forbidden"
