//! The endpoints of all systems, and the log of what was sent to them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::text::{hex_id, mix, now_micros};

/// A system, as the one who sends deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// Velora Health.
    Health,
    /// Velora Billing.
    Billing,
    /// CuraeAI.
    Curae,
    /// Velora TV.
    Tv,
    /// Velora TV in the form that signs the body alone.
    TvBodyOnly,
}

impl System {
    /// The name of its scheme, as `Scheme::named` of `velora-core` reads it.
    pub const fn scheme_name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Billing => "billing",
            Self::Curae => "curae",
            Self::Tv => "tv",
            Self::TvBodyOnly => "tv-body-only",
        }
    }

    const fn id_prefix(self) -> &'static str {
        match self {
            Self::Curae => "whe_",
            _ => "wh_",
        }
    }

    /// Whether an endpoint that names `wanted` gets events of this type.
    fn wants(self, wanted: &[String], event_type: &str) -> bool {
        wanted.is_empty()
            || wanted.iter().any(|wanted| match self {
                Self::Health => event_type.starts_with(wanted.as_str()),
                _ => wanted == event_type,
            })
    }
}

/// A registered endpoint. Times are microseconds since the epoch.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// Made by the simulator.
    pub id: String,
    /// Who delivers to it.
    pub system: System,
    /// Where deliveries go.
    pub url: String,
    /// Prefixes of types (health) or whole types; empty is everything.
    pub events: Vec<String>,
    /// The signing secret, the newest first; more than one after a rotation.
    pub secrets: Vec<String>,
    /// As given on registration.
    pub description: Option<String>,
    /// Whether deliveries are sent.
    pub active: bool,
    /// Failed attempts since the last success.
    pub consecutive_failures: u32,
    /// When it was registered.
    pub created_at: i64,
    /// When it was changed.
    pub updated_at: i64,
    /// When something was last sent.
    pub last_attempt_at: Option<i64>,
    /// When something was last accepted.
    pub last_success_at: Option<i64>,
    /// Raised by each change.
    pub version: u64,
    /// The app that it belongs to, of a TV endpoint.
    pub owner: Option<String>,
}

/// What an endpoint is made of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEndpoint {
    /// Who delivers to it.
    pub system: System,
    /// Where deliveries go.
    pub url: String,
    /// Prefixes of types (health) or whole types; empty is everything.
    #[serde(default)]
    pub events: Vec<String>,
    /// The signing secret; made up unless given.
    pub secret: Option<String>,
    /// Any text.
    pub description: Option<String>,
    /// The app that it belongs to, of a TV endpoint.
    pub owner: Option<String>,
}

impl NewEndpoint {
    /// An endpoint that gets everything.
    pub fn new(system: System, url: impl Into<String>) -> Self {
        Self {
            system,
            url: url.into(),
            events: Vec::new(),
            secret: None,
            description: None,
            owner: None,
        }
    }
}

/// One attempt to deliver. Times are microseconds since the epoch.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DeliveryRecord {
    /// Made by the simulator; the billing system sends it along.
    pub id: String,
    /// Where it went.
    pub endpoint_id: String,
    /// Who sent it.
    pub system: System,
    /// The event's type.
    pub event_type: String,
    /// The event's id, as far as it has one.
    pub event_id: String,
    /// Counted from 1 along the ladder.
    pub attempt: u32,
    /// When it was sent.
    pub at: i64,
    /// Whether a 2xx came in time.
    pub ok: bool,
    /// What was answered, if anything was.
    pub status_code: Option<u16>,
    /// How long that took.
    pub duration_ms: u64,
    /// Why nothing was answered.
    pub error: Option<String>,
    /// The first attempt, where this is another one.
    pub retry_of: Option<String>,
    /// The body, unless it was too large to be retained.
    #[serde(skip)]
    pub body: Option<Vec<u8>>,
}

#[derive(Debug)]
pub(crate) struct Registry {
    seed: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    made: u64,
    endpoints: Vec<Endpoint>,
    records: Vec<DeliveryRecord>,
}

impl Registry {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            inner: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A text that no other call returns.
    pub(crate) fn unique(&self, digits: usize) -> String {
        let mut inner = self.lock();
        inner.made += 1;
        hex_id(mix(self.seed) ^ mix(inner.made), digits)
    }

    pub(crate) fn add(&self, new: NewEndpoint) -> Endpoint {
        let now = now_micros();
        let endpoint = Endpoint {
            id: format!("{}{}", new.system.id_prefix(), self.unique(8)),
            system: new.system,
            url: new.url,
            events: new.events,
            secrets: vec![new.secret.unwrap_or_else(|| self.unique(64))],
            description: new.description,
            active: true,
            consecutive_failures: 0,
            created_at: now,
            updated_at: now,
            last_attempt_at: None,
            last_success_at: None,
            version: 1,
            owner: new.owner,
        };
        self.lock().endpoints.push(endpoint.clone());
        endpoint
    }

    /// In the order of registration.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.lock().endpoints.clone()
    }

    pub(crate) fn of(&self, system: System) -> Vec<Endpoint> {
        let mut endpoints = self.endpoints();
        endpoints.retain(|endpoint| endpoint.system == system);
        endpoints
    }

    pub(crate) fn endpoint(&self, id: &str) -> Option<Endpoint> {
        let inner = self.lock();
        inner.endpoints.iter().find(|e| e.id == id).cloned()
    }

    /// Those that get an event of this type.
    pub(crate) fn subscribed(&self, system: System, event_type: &str) -> Vec<Endpoint> {
        let mut endpoints = self.of(system);
        endpoints.retain(|e| e.active && system.wants(&e.events, event_type));
        endpoints
    }

    /// Changes an endpoint and returns it as it is then.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Endpoint)) -> Option<Endpoint> {
        let mut inner = self.lock();
        let endpoint = inner.endpoints.iter_mut().find(|e| e.id == id)?;
        change(endpoint);
        endpoint.version += 1;
        endpoint.updated_at = now_micros();
        Some(endpoint.clone())
    }

    /// Removes an endpoint and what was sent to it.
    pub(crate) fn remove(&self, id: &str) -> Option<Endpoint> {
        let mut inner = self.lock();
        let place = inner.endpoints.iter().position(|e| e.id == id)?;
        inner.records.retain(|record| record.endpoint_id != id);
        Some(inner.endpoints.remove(place))
    }

    pub(crate) fn record(&self, record: DeliveryRecord) {
        self.lock().records.push(record);
    }

    /// Keeps an attempt, and what it says about its endpoint.
    pub(crate) fn attempted(&self, record: DeliveryRecord) {
        let mut inner = self.lock();
        let endpoint = inner
            .endpoints
            .iter_mut()
            .find(|e| e.id == record.endpoint_id);
        if let Some(endpoint) = endpoint {
            endpoint.last_attempt_at = Some(record.at);
            if record.ok {
                endpoint.last_success_at = Some(record.at);
                endpoint.consecutive_failures = 0;
            } else {
                endpoint.consecutive_failures += 1;
            }
            inner.records.push(record);
        }
    }

    /// In the order of sending.
    pub(crate) fn records(&self) -> Vec<DeliveryRecord> {
        self.lock().records.clone()
    }

    pub(crate) fn find_record(&self, id: &str) -> Option<DeliveryRecord> {
        let inner = self.lock();
        inner.records.iter().find(|record| record.id == id).cloned()
    }
}
