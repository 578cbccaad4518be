//! Events on their way to registered endpoints, signed as in production.

pub(crate) mod actions;
pub(crate) mod ladder;
pub(crate) mod registry;
pub(crate) mod send;
mod under_way;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use registry::{Endpoint, System};
use send::{Outgoing, dispatch};
pub(crate) use under_way::UnderWay;

use crate::state::App;
use crate::text::{iso_z, now_micros};

/// An event to be delivered to every active endpoint that asks for it.
///
/// ```
/// use velora_simulator::{Emission, System};
///
/// let event = Emission::new(System::Tv, "stream.online").copies(3);
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emission {
    system: System,
    #[serde(rename = "type")]
    event_type: Option<String>,
    id: Option<String>,
    data: Option<Value>,
    body: Option<String>,
    endpoint_id: Option<String>,
    #[serde(default = "one")]
    copies: u32,
}

const fn one() -> u32 {
    1
}

impl Emission {
    /// An event of this type, its other members made up.
    pub fn new(system: System, event_type: &str) -> Self {
        Self {
            system,
            event_type: Some(event_type.to_owned()),
            id: None,
            data: None,
            body: None,
            endpoint_id: None,
            copies: 1,
        }
    }

    /// The event's id. In the health system the id of a listed event delivers that
    /// very event, whatever the type given here.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// The payload: `details` in the health system, `data` in the others.
    #[must_use]
    pub fn data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// The whole body, in place of the system's envelope.
    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self
    }

    /// One endpoint alone, whatever it asks for.
    #[must_use]
    pub fn to_endpoint(mut self, endpoint_id: &str) -> Self {
        self.endpoint_id = Some(endpoint_id.to_owned());
        self
    }

    /// So many deliveries of the same event to each endpoint, all at once.
    #[must_use]
    pub fn copies(mut self, copies: u32) -> Self {
        self.copies = copies;
        self
    }
}

/// What an emission came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Emitted {
    /// The event's id, as far as it has one.
    pub event_id: String,
    /// How many deliveries are under way.
    pub deliveries: usize,
}

/// Delivers an event; in the health system it is listed too, in the TV system it is
/// streamed too.
pub(crate) fn emit(app: &Arc<App>, emission: &Emission) -> Emitted {
    let outgoing = envelope(app, emission);
    let endpoints: Vec<Endpoint> = match &emission.endpoint_id {
        Some(id) => app.registry.endpoint(id).into_iter().collect(),
        None => app
            .registry
            .subscribed(emission.system, &outgoing.event_type),
    };
    for endpoint in &endpoints {
        for _ in 0..emission.copies {
            dispatch(app, endpoint.clone(), outgoing.clone());
        }
    }
    Emitted {
        event_id: outgoing.event_id,
        deliveries: endpoints.len() * emission.copies as usize,
    }
}

fn envelope(app: &App, emission: &Emission) -> Outgoing {
    let default = match emission.system {
        System::Health => "phi.read",
        System::Billing => "dispute.sla_breached",
        System::Curae => "records.export_ready",
        System::Tv | System::TvBodyOnly => "stream.online",
    };
    let event_type = emission.event_type.as_deref().unwrap_or(default).to_owned();
    let made_id = || format!("evt_{}", app.registry.unique(16));
    let given = emission.id.clone();
    if let Some(body) = &emission.body {
        return Outgoing {
            event_type,
            event_id: given.unwrap_or_default(),
            body: body.clone().into_bytes(),
        };
    }
    if emission.system == System::Health {
        return audit_event(app, emission, &event_type);
    }
    let event_id = given.unwrap_or_else(made_id);
    let now = iso_z(now_micros());
    let data = emission.data.clone().unwrap_or_else(|| match &*event_type {
        "stream.online" => json!({
            "streamId": "stream_xyz",
            "userId": "user_123",
            "username": "coolstreamer",
            "title": "Playing Velora Games!",
            "startedAt": now,
        }),
        _ => json!({"reference": event_id}),
    });
    let body = match emission.system {
        System::Curae => json!({"eventType": event_type, "eventId": event_id, "data": data}),
        System::TvBodyOnly => json!({"event": event_type, "timestamp": now, "data": data}),
        // The envelope of the billing system is not documented.
        _ => json!({"id": event_id, "type": event_type, "timestamp": now, "data": data}),
    };
    if emission.system == System::Tv {
        app.tv.push(&event_type, &event_id, &body);
    }
    Outgoing {
        event_type,
        event_id,
        body: body.to_string().into_bytes(),
    }
}

fn audit_event(app: &App, emission: &Emission, event_type: &str) -> Outgoing {
    let view = app.data.view();
    let listed = emission.id.as_deref().and_then(|id| view.index_of(id));
    if let Some(index) = listed
        && let Some(body) = view.delivered(index)
    {
        return Outgoing {
            event_type: view.action(index),
            event_id: view.id(index),
            body,
        };
    }
    let mut given = json!({"type": event_type, "id": emission.id});
    if let Some(details) = &emission.data {
        given["details"] = details.clone();
    }
    let (event_id, event_type, body) = app.data.emit(&given);
    Outgoing {
        event_type,
        event_id,
        body: body.to_string().into_bytes(),
    }
}
