//! The events that deliveries carry.

use pyo3::prelude::*;
use velora_core::{Event, billing, curae, health, tv};

use crate::record::{event_type, extra, record};
use crate::{json, time};

/// The event as an instance of its class in `python/velora`, with the body it was read from.
pub(crate) fn record<'py>(
    py: Python<'py>,
    event: &Event,
    body: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    // A body that was read as an event is UTF-8.
    let raw = std::str::from_utf8(body).unwrap_or_default();
    match event {
        Event::Health(event) => health_event(py, event, raw),
        Event::Billing(event) => billing_event(py, event, raw),
        Event::Curae(event) => curae_event(py, event, raw),
        Event::Tv(event) => tv_event(py, event, raw),
        Event::TvBodyOnly(event) => body_only_event(py, event, raw),
        Event::Other(members) => record!(
            py,
            "velora.events",
            "CustomEvent",
            (extra(py, members)?, raw)
        ),
        // New variants may be added to the enum.
        _ => json::loads(py, raw),
    }
}

fn health_event<'py>(
    py: Python<'py>,
    event: &health::Event,
    raw: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let actor = match &event.actor {
        Some(actor) => Some(record!(
            py,
            "velora.health",
            "Actor",
            (&actor.user_id, &actor.user_role, extra(py, &actor.extra)?)
        )?),
        None => None,
    };
    let resource = match &event.resource {
        Some(resource) => Some(record!(
            py,
            "velora.health",
            "Resource",
            (
                &resource.resource_type,
                &resource.id,
                extra(py, &resource.extra)?
            )
        )?),
        None => None,
    };
    record!(
        py,
        "velora.health",
        "Event",
        (
            event_type!(py, "velora.health", event.event_type.as_str()),
            &event.id,
            time::datetime(py, event.timestamp)?,
            &event.tenant_id,
            actor,
            resource,
            event.phi_involved,
            event.success,
            json::value(py, event.details.as_ref())?,
            &event.schema_version,
            extra(py, &event.extra)?,
            raw,
        )
    )
}

fn billing_event<'py>(
    py: Python<'py>,
    event: &billing::Event,
    raw: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let signed = matches!(event.event_type, Some(billing::EventType::Signed(_)));
    let event_type = event.event_type.as_ref().map(|kind| kind.as_str());
    let members = extra(py, &event.members)?;
    record!(
        py,
        "velora.billing",
        "Event",
        (event_type, signed, members, raw)
    )
}

fn curae_event<'py>(
    py: Python<'py>,
    event: &curae::Event,
    raw: &str,
) -> PyResult<Bound<'py, PyAny>> {
    record!(
        py,
        "velora.curae",
        "Event",
        (
            event_type!(py, "velora.curae", event.event_type.as_str()),
            &event.id,
            json::value(py, event.data.as_ref())?,
            extra(py, &event.extra)?,
            raw,
        )
    )
}

pub(crate) fn tv_event<'py>(
    py: Python<'py>,
    event: &tv::Event,
    raw: &str,
) -> PyResult<Bound<'py, PyAny>> {
    record!(
        py,
        "velora.tv",
        "Event",
        (
            event_type!(py, "velora.tv", event.event_type.as_str()),
            &event.id,
            time::datetime(py, event.timestamp)?,
            tv_data(py, event.data.as_ref())?,
            extra(py, &event.extra)?,
            raw,
        )
    )
}

fn body_only_event<'py>(
    py: Python<'py>,
    event: &tv::BodyOnlyEvent,
    raw: &str,
) -> PyResult<Bound<'py, PyAny>> {
    record!(
        py,
        "velora.tv",
        "BodyOnlyEvent",
        (
            event_type!(py, "velora.tv", event.event_type.as_str()),
            time::datetime(py, event.timestamp)?,
            tv_data(py, event.data.as_ref())?,
            extra(py, &event.extra)?,
            raw,
        )
    )
}

fn tv_data<'py>(py: Python<'py>, data: Option<&tv::Data>) -> PyResult<Option<Bound<'py, PyAny>>> {
    match data {
        Some(tv::Data::StreamOnline(online)) => record!(
            py,
            "velora.tv",
            "StreamOnline",
            (
                &online.stream_id,
                &online.user_id,
                &online.username,
                &online.title,
                time::datetime(py, online.started_at)?,
                extra(py, &online.extra)?,
            )
        )
        .map(Some),
        Some(tv::Data::Other(data)) => json::value(py, Some(data)),
        _ => Ok(None),
    }
}
