//! Every member of what the systems list, under the name that it has on the wire.

use jiff::Timestamp;
use velora_core::billing::{DeliveryQuery, DeliveryStatus};
use velora_core::curae;
use velora_core::health::{AuditEvent, EventType};

use crate::scripted::{Scripted, answer};
use crate::{billing, curae as curae_client};

fn at(text: &str) -> Option<Timestamp> {
    Some(text.parse().unwrap())
}

#[test]
fn of_an_audit_event() {
    let event = AuditEvent::from_json(
        r#"{"event_id":"8b2e5c11","timestamp":"2026-05-03T14:22:01+00:00","action":"phi.read",
        "user_id":"u-1234","user_role":"data_analyst","resource_type":"claim",
        "resource_id":"C-7890","fields_accessed":"[\"diagnosis_code\"]","phi_involved":true,
        "tenant_id":"acme","source_ip":"203.0.113.42","user_agent":"Mozilla/5.0",
        "justification":"underwriting renewal","success":false,
        "details":"{\"workflow\":\"renewal\"}"}"#,
    )
    .unwrap();
    let texts = [
        (event.event_id(), "8b2e5c11"),
        (event.action(), "phi.read"),
        (event.user_id(), "u-1234"),
        (event.user_role(), "data_analyst"),
        (event.resource_type(), "claim"),
        (event.resource_id(), "C-7890"),
        (event.tenant_id(), "acme"),
        (event.source_ip(), "203.0.113.42"),
        (event.user_agent(), "Mozilla/5.0"),
        (event.justification(), "underwriting renewal"),
    ];
    for (read, sent) in texts {
        assert_eq!(read.as_deref(), Some(sent));
    }
    assert_eq!(event.event_type(), Some(EventType::PhiRead));
    assert_eq!(event.timestamp(), at("2026-05-03T14:22:01Z"));
    assert_eq!(event.phi_involved(), Some(true));
    assert_eq!(event.success(), Some(false));
    let inner = [event.fields_accessed(), event.details()];
    let inner = inner.map(|json| json.unwrap().as_str().to_owned());
    assert_eq!(
        inner,
        [r#"["diagnosis_code"]"#, r#"{"workflow":"renewal"}"#]
    );
}

#[tokio::test(start_paused = true)]
async fn of_an_endpoint_of_health() {
    let body = r#"{"endpoints":[{"id":"wh_1","url":"https://example.com/hook",
        "event_filter":["phi.","admin."],"description":"SIEM","active":true,
        "consecutive_failures":2,"last_delivery_at":"2026-05-02T00:00:00+00:00",
        "created_at":"2026-05-01T00:00:00+00:00"}]}"#;
    let server = Scripted::new(move |_, _| answer(200, &[], body));
    let endpoints = server.client().webhooks().list().await.unwrap();
    let endpoint = endpoints.first().unwrap();
    assert_eq!(endpoint.id, "wh_1");
    assert_eq!(endpoint.url.as_deref(), Some("https://example.com/hook"));
    assert_eq!(endpoint.event_filter, ["phi.", "admin."]);
    assert_eq!(endpoint.description.as_deref(), Some("SIEM"));
    assert_eq!(endpoint.active, Some(true));
    assert_eq!(endpoint.consecutive_failures, 2);
    assert_eq!(endpoint.last_delivery_at, at("2026-05-02T00:00:00Z"));
    assert_eq!(endpoint.created_at, at("2026-05-01T00:00:00Z"));
}

#[tokio::test(start_paused = true)]
async fn of_an_endpoint_of_curae() {
    let body = r#"{"id":"whe_1","resourceType":"WebhookEndpoint",
        "url":"https://example.com/hook","eventTypes":["patient.created"],"status":"ACTIVE",
        "consecutiveFailures":2,"lastDeliveryAttemptAt":"2026-05-04T00:00:00Z",
        "lastSuccessfulDeliveryAt":"2026-05-03T00:00:00Z","createdAt":"2026-05-01T00:00:00Z",
        "updatedAt":"2026-05-02T00:00:00Z","_version":7}"#;
    let server = Scripted::new(move |_, _| answer(200, &[], body));
    let webhooks = curae_client::client(&server).webhooks();
    let endpoint = webhooks.get("whe_1").await.unwrap().endpoint;
    assert_eq!(endpoint.id, "whe_1");
    assert_eq!(endpoint.url.as_deref(), Some("https://example.com/hook"));
    assert_eq!(endpoint.event_types, [curae::EventType::PatientCreated]);
    assert_eq!(endpoint.status.as_deref(), Some("ACTIVE"));
    assert_eq!(endpoint.consecutive_failures, Some(2));
    assert_eq!(
        [
            endpoint.created_at,
            endpoint.updated_at,
            endpoint.last_successful_delivery_at,
            endpoint.last_delivery_attempt_at,
        ],
        ["01", "02", "03", "04"].map(|day| at(&format!("2026-05-{day}T00:00:00Z")))
    );
    assert_eq!(endpoint.version, Some(7));
    let extra: Vec<_> = endpoint.extra.iter().map(|(name, _)| name).collect();
    assert_eq!(extra, ["resourceType"]);
}

#[tokio::test(start_paused = true)]
async fn of_a_logged_delivery_of_billing() {
    let body = r#"{"deliveries":[{"id":"del_2","status":"failed","statusCode":503,
        "duration":12.5,"errorMessage":"Service Unavailable","retryable":true,
        "retryOfId":"del_1"}]}"#;
    let server = Scripted::new(move |_, _| answer(200, &[], body));
    let mut deliveries = billing::client(&server).deliveries(DeliveryQuery::new("wh_1"));
    let delivery = deliveries.next().await.unwrap().unwrap();
    assert_eq!(delivery.id, "del_2");
    assert_eq!(delivery.status, DeliveryStatus::Failed);
    assert_eq!(delivery.status_code, Some(503));
    assert_eq!(delivery.duration, Some(12.5));
    let message = delivery.error_message.as_deref();
    assert_eq!(message, Some("Service Unavailable"));
    assert!(delivery.retryable);
    assert_eq!(delivery.retry_of_id.as_deref(), Some("del_1"));
    assert_eq!(delivery.extra.iter().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn of_the_summary_of_billing() {
    let body = r#"{"pendingTickets":7,"urgentTickets":2,"openDisputes":4,
        "lastInvoiceAt":"2026-05-01T00:00:00Z","lastReconAt":"2026-05-02T00:00:00Z",
        "asOf":"2026-05-03T00:00:00Z"}"#;
    let server = Scripted::new(move |_, _| answer(200, &[], body));
    let summary = billing::client(&server).recon_summary().await.unwrap();
    assert_eq!(
        [
            summary.pending_tickets,
            summary.urgent_tickets,
            summary.open_disputes
        ],
        [7, 2, 4]
    );
    assert_eq!(
        [
            summary.last_invoice_at,
            summary.last_recon_at,
            summary.as_of
        ],
        ["01", "02", "03"].map(|day| at(&format!("2026-05-{day}T00:00:00Z")))
    );
    assert_eq!(summary.extra.iter().count(), 0);
}
