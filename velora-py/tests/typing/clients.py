"""What an editor knows of the calls of each system. Checked, never run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from typing_extensions import assert_type
from velora import (
    ApiError,
    AsyncItems,
    ClientOptions,
    Code,
    Issue,
    Items,
    Page,
    RateLimit,
    SigningSecret,
    billing,
    curae,
    health,
    tv,
)
from velora.events import OtherType

OPTIONS: ClientOptions = {"base_url": "https://api.velora.health", "backoff": (0.5, 20)}


class Derived(health.Client):
    """A client with something added."""


def of_health(at: datetime) -> None:
    with health.Client("key", **OPTIONS) as client:
        assert_type(client, health.Client)
        events = client.events(since=at, until="2026-05-08T00:00:00Z", phi_involved=True)
        assert_type(events, Items[health.AuditEvent])
        for event in events:
            assert_type(event, health.AuditEvent)
            assert_type(event.type, health.EventType | OtherType | None)
            assert_type(event.timestamp, datetime | None)
            assert_type(event.line, str)
            assert_type(event.key, str | None)
        for page in events.pages():
            assert_type(page, Page[health.AuditEvent])
            assert_type(page[0], health.AuditEvent)
            assert_type(page[:2], list[health.AuditEvent])
        assert_type(client.event("id"), health.AuditEvent)
        exported = client.export(since=at, until=at, on_progress=lambda told: told.rows)
        assert_type(exported, Items[health.AuditEvent])
        assert_type(client.export_once(since=at, until=at), health.ExportedOnce)
        manifest = client.export_to_file("x", since=at, until=at, on_progress=print)
        assert_type(manifest, health.Manifest)
        assert_type(manifest.leaves, tuple[health.LeafProof, ...])
        assert_type(client.rate_limit, RateLimit)
        made = client.webhooks.create("https://example.com", event_filter=["phi."])
        assert_type(made.secret, SigningSecret)
        assert_type(client.webhooks.list(), tuple[health.Endpoint, ...])
    assert_type(health.Client.from_env(attempts=3), health.Client)
    assert_type(Derived.from_env(), Derived)


async def of_health_awaited(at: datetime) -> None:
    async with health.AsyncClient("key", attempts=3) as client:
        await client.probe()
        events = client.events(since=at)
        assert_type(events, AsyncItems[health.AuditEvent])
        async for event in events:
            assert_type(event, health.AuditEvent)
        async for page in events.pages():
            assert_type(page, Page[health.AuditEvent])
        assert_type(await client.event("id"), health.AuditEvent)
        assert_type(await client.export_once(since=at, until=at), health.ExportedOnce)
        assert_type(await client.export_to_file("x", since=at, until=at), health.Manifest)
        assert_type(await client.webhooks.list(), tuple[health.Endpoint, ...])
    assert_type(health.AsyncClient.from_env(), health.AsyncClient)


def of_billing(client: billing.Client) -> None:
    assert_type(client.recon_summary(), billing.ReconSummary)
    assert_type(client.run_recon("invoice", "key").run_id, str | None)
    assert_type(client.audit_csv("run"), Items[dict[str, str]])
    assert_type(client.journal_csv("/gl", "qbo"), Items[dict[str, str]])
    assert_type(client.deliveries("wh_1", status="failed"), Items[billing.LoggedDelivery])
    assert_type(client.retry_delivery("del_1"), billing.Retried)
    report = client.refire_failed("wh_1", on_progress=lambda progress: progress.total)
    assert_type(report.stopped, ApiError | None)


async def of_billing_awaited(client: billing.AsyncClient) -> None:
    assert_type(await client.recon_summary(), billing.ReconSummary)
    assert_type(client.audit_csv("run"), AsyncItems[dict[str, str]])
    assert_type(await client.refire_failed("wh_1"), billing.RefireReport)


def of_curae(client: curae.Client) -> None:
    made = client.webhooks.create("https://example.com", [curae.EventType.USER_GRADUATED, "x"])
    assert_type(made.endpoint.event_types, tuple[curae.EventType | OtherType, ...])
    assert_type(client.webhooks.get_if_changed("id", "*"), curae.Versioned | None)
    for page in client.webhooks.list(limit=10).pages():
        assert_type(client.webhooks.list(cursor=page.next_cursor), Items[curae.Endpoint])


async def of_curae_awaited(client: curae.AsyncClient) -> None:
    assert_type(await client.webhooks.update("id", "*", url="x"), curae.Versioned)
    assert_type(client.webhooks.list(), AsyncItems[curae.Endpoint])


def of_tv(client: tv.Client) -> None:
    assert_type(client.create_webhook("app", "url", ["x"]).secret, SigningSecret | None)
    for item in client.events(max_outage=60):
        match item:
            case tv.Connected():
                assert_type(item.authenticated, bool | None)
            case tv.StreamEvent():
                assert_type(item.event, tv.Event | None)
            case tv.Gap():
                assert_type(item.reason, ApiError)
    assert_type(client.events(), tv.EventStream)


async def of_tv_awaited() -> None:
    async def token() -> str:
        return "token"

    client = tv.AsyncClient(token)
    async for item in client.events():
        assert_type(item, tv.StreamItem)
    assert_type(client.events(), tv.AsyncEventStream)
    tv.AsyncClient(lambda: "token")


def of_errors(error: ApiError) -> Any:
    assert_type(error.code, Code)
    assert_type(error.issues, tuple[Issue, ...])
    assert_type(error.retry_after, float | None)
    if error.code == "rate_limited":
        return error.retry_after
    return error.status
