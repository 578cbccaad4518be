"""Every member of what the systems list, under the name that it has on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from scripted import Server, answer
from velora import billing, curae, health


def day(number: int) -> datetime:
    return datetime(2026, 5, number, tzinfo=UTC)


def members(read: Any, names: list[str]) -> dict[str, Any]:
    return {name: getattr(read, name) for name in names}


def test_of_an_audit_event() -> None:
    sent = {
        "event_id": "8b2e5c11", "action": "phi.read", "user_id": "u-1234",
        "user_role": "data_analyst", "resource_type": "claim", "resource_id": "C-7890",
        "phi_involved": True, "tenant_id": "acme", "source_ip": "203.0.113.42",
        "user_agent": "Mozilla/5.0", "justification": "underwriting renewal", "success": False,
    }  # fmt: skip
    row = {
        **sent, "timestamp": "2026-05-03T14:22:01+00:00",
        "fields_accessed": '["diagnosis_code"]', "details": '{"workflow":"renewal"}',
    }  # fmt: skip
    body = {"events": [row], "page": {"has_more": False}}
    with Server(lambda *_: answer(200, body)) as server:
        client = health.Client("vlk_live_test", **server.options())
        (event,) = client.events()
    assert members(event, list(sent)) == sent
    assert event.type == health.EventType.PHI_READ
    assert event.timestamp == datetime(2026, 5, 3, 14, 22, 1, tzinfo=UTC)
    assert event.fields_accessed == ["diagnosis_code"]
    assert event.details == {"workflow": "renewal"}


def test_of_an_endpoint_of_health() -> None:
    sent = {
        "id": "wh_1", "url": "https://example.com/hook", "description": "SIEM", "active": True,
        "consecutive_failures": 2,
    }  # fmt: skip
    row = {**sent, "event_filter": ["phi.", "admin."],
           "last_delivery_at": "2026-05-02T00:00:00+00:00",
           "created_at": "2026-05-01T00:00:00+00:00"}  # fmt: skip
    with Server(lambda *_: answer(200, {"endpoints": [row]})) as server:
        client = health.Client("vlk_live_test", **server.options())
        (endpoint,) = client.webhooks.list()
    assert members(endpoint, list(sent)) == sent
    assert endpoint.event_filter == ("phi.", "admin.")
    assert (endpoint.created_at, endpoint.last_delivery_at) == (day(1), day(2))


def test_of_an_endpoint_of_curae() -> None:
    row = {
        "id": "whe_1", "resourceType": "WebhookEndpoint", "url": "https://example.com/hook",
        "eventTypes": ["patient.created"], "status": "ACTIVE", "consecutiveFailures": 2,
        "lastDeliveryAttemptAt": "2026-05-04T00:00:00Z",
        "lastSuccessfulDeliveryAt": "2026-05-03T00:00:00Z",
        "createdAt": "2026-05-01T00:00:00Z", "updatedAt": "2026-05-02T00:00:00Z", "_version": 7,
    }  # fmt: skip
    with Server(lambda *_: answer(200, row)) as server:
        client = curae.Client("cae_test_canary", **server.options())
        endpoint = client.webhooks.get("whe_1").endpoint
    read = {
        "id": "whe_1", "url": "https://example.com/hook", "status": "ACTIVE",
        "event_types": (curae.EventType.PATIENT_CREATED,), "consecutive_failures": 2,
        "created_at": day(1), "updated_at": day(2), "last_successful_delivery_at": day(3),
        "last_delivery_attempt_at": day(4), "version": 7,
        "extra": {"resourceType": "WebhookEndpoint"},
    }  # fmt: skip
    assert members(endpoint, list(read)) == read


def test_of_a_logged_delivery_of_billing() -> None:
    row = {
        "id": "del_2", "status": "failed", "statusCode": 503, "duration": 12.5,
        "errorMessage": "Service Unavailable", "retryable": True, "retryOfId": "del_1",
    }  # fmt: skip
    with Server(lambda *_: answer(200, {"deliveries": [row]})) as server:
        client = billing.Client("vb_live_test", **server.options())
        (delivery,) = client.deliveries("wh_1")
    read = {
        "id": "del_2", "status": "failed", "status_code": 503,
        "duration": 12.5, "error_message": "Service Unavailable", "retryable": True,
        "retry_of_id": "del_1", "extra": {},
    }  # fmt: skip
    assert members(delivery, list(read)) == read


def test_of_the_summary_of_billing() -> None:
    row = {
        "pendingTickets": 7, "urgentTickets": 2, "openDisputes": 4,
        "lastInvoiceAt": "2026-05-01T00:00:00Z", "lastReconAt": "2026-05-02T00:00:00Z",
        "asOf": "2026-05-03T00:00:00Z",
    }  # fmt: skip
    with Server(lambda *_: answer(200, row)) as server:
        client = billing.Client("vb_live_test", **server.options())
        summary = client.recon_summary()
    read = {
        "pending_tickets": 7, "urgent_tickets": 2, "open_disputes": 4,
        "last_invoice_at": day(1), "last_recon_at": day(2), "as_of": day(3), "extra": {},
    }  # fmt: skip
    assert members(summary, list(read)) == read
