//! What all handlers share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use crate::billing::Runs;
use crate::builder::Options;
use crate::curae::Replays;
use crate::deliveries::UnderWay;
use crate::deliveries::registry::Registry;
use crate::faults::Faults;
use crate::health::data::Dataset;
use crate::limits::Limiter;
use crate::log::RequestLog;
use crate::tv::hub::Hub;

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) base_url: String,
    pub(crate) other_host: String,
    pub(crate) data: Arc<Dataset>,
    pub(crate) faults: Faults,
    pub(crate) limiter: Limiter,
    pub(crate) log: RequestLog,
    pub(crate) cache: Cache,
    pub(crate) registry: Registry,
    pub(crate) runs: Runs,
    pub(crate) replays: Replays,
    pub(crate) tv: Arc<Hub>,
    /// The client that sends deliveries.
    pub(crate) client: reqwest::Client,
    pub(crate) under_way: UnderWay,
    /// Where deliveries are sent from, whichever thread asks for them.
    pub(crate) runtime: tokio::runtime::Handle,
    latency_micros: AtomicU64,
}

impl App {
    pub(crate) fn new(
        options: Options,
        base_url: String,
        other_host: String,
        client: reqwest::Client,
        runtime: tokio::runtime::Handle,
    ) -> Self {
        Self {
            data: Arc::new(Dataset::new(&options.data)),
            faults: Faults::default(),
            limiter: Limiter::default(),
            log: RequestLog::default(),
            cache: Cache::new(options.cache_bytes),
            registry: Registry::new(options.data.seed),
            runs: Runs::default(),
            replays: Replays::default(),
            tv: Arc::new(Hub::new(options.tv_history)),
            client,
            under_way: UnderWay::default(),
            runtime,
            latency_micros: AtomicU64::new(options.latency.as_micros() as u64),
            base_url,
            other_host,
            options,
        }
    }

    pub(crate) fn latency(&self) -> Duration {
        Duration::from_micros(self.latency_micros.load(Ordering::Relaxed))
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        self.latency_micros
            .store(latency.as_micros() as u64, Ordering::Relaxed);
    }
}

/// Encoded pages and exports, kept as long as there is room, so that benches
/// measure the client. Only what no emitted event can change is kept.
#[derive(Debug)]
pub(crate) struct Cache {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    bodies: HashMap<String, Bytes>,
}

impl Cache {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            kept: Mutex::default(),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.capacity > 0
    }

    pub(crate) fn find(&self, key: &str) -> Option<Bytes> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bodies.get(key).cloned()
    }

    pub(crate) fn keep(&self, key: String, body: &Bytes) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let size = key.len() + body.len();
        if kept.bytes + size <= self.capacity && !kept.bodies.contains_key(&key) {
            kept.bytes += size;
            kept.bodies.insert(key, body.clone());
        }
    }
}
