//! The options.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;

use crate::Simulator;
use crate::curae::CuraeEnvironment;
use crate::health::data::DataOptions;
use crate::health::{Scope, default_keys};
use crate::limits::RateLimits;
use crate::text::{MICROS_PER_SECOND, Resolution, micros};

/// 2026-05-01T00:00:00Z, in microseconds.
const DEFAULT_START: i64 = 1_777_593_600 * MICROS_PER_SECOND;
const WEEK: i64 = 7 * 86_400 * MICROS_PER_SECOND;

/// What a cursor of `GET /events` contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CursorMode {
    /// A timestamp and the id of the last event: each event once.
    #[default]
    Sound,
    /// Like `Sound`, but the next page leaves out its first event.
    Leaky,
    /// A timestamp alone; the next page begins after it, so events that share it with
    /// the page's last one are never returned.
    SloppySkip,
    /// A timestamp alone; the next page begins with it, so events that share it with the
    /// page's last one are repeated. If they fill more than a page, this is a loop.
    SloppyRepeat,
}

/// The order of an export's rows, and which of them the cap leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExportOrder {
    /// Oldest first; the cap leaves the oldest.
    Ascending,
    /// Newest first, as `GET /events`; the cap leaves the newest.
    #[default]
    Descending,
    /// No order; the cap leaves the newest.
    Shuffled,
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) address: SocketAddr,
    pub(crate) data: DataOptions,
    pub(crate) inclusive_until: bool,
    pub(crate) exact_filters: bool,
    pub(crate) cursor_mode: CursorMode,
    pub(crate) wrapped_event: bool,
    pub(crate) export_cap: usize,
    pub(crate) export_order: ExportOrder,
    pub(crate) truncation_header: Option<String>,
    pub(crate) health_keys: Vec<(String, Vec<Scope>)>,
    pub(crate) rate_limits: RateLimits,
    pub(crate) latency: Duration,
    pub(crate) cache_bytes: usize,
    pub(crate) worker_threads: usize,
    pub(crate) time_scale: f64,
    pub(crate) delivery_timeout: Duration,
    pub(crate) billing_csv_records: u64,
    pub(crate) curae_environment: CuraeEnvironment,
    pub(crate) tv_history: usize,
    pub(crate) tv_heartbeat: Duration,
    pub(crate) tv_resume: bool,
}

/// Sets up a [`Simulator`]. Made by [`Simulator::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    options: Options,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            options: Options {
                address: SocketAddr::from(([127, 0, 0, 1], 0)),
                data: DataOptions {
                    seed: 1,
                    events: 10_000,
                    span: DEFAULT_START..DEFAULT_START + WEEK,
                    crowds: Vec::new(),
                    resolution: Resolution::Second,
                    object_details: false,
                },
                inclusive_until: false,
                exact_filters: false,
                cursor_mode: CursorMode::Sound,
                wrapped_event: false,
                export_cap: 10_000,
                export_order: ExportOrder::Descending,
                truncation_header: Some("true".to_owned()),
                health_keys: default_keys(),
                rate_limits: RateLimits::default(),
                latency: Duration::ZERO,
                cache_bytes: 0,
                worker_threads: 2,
                time_scale: 1.0,
                delivery_timeout: Duration::from_secs(10),
                billing_csv_records: 250,
                curae_environment: CuraeEnvironment::Any,
                tv_history: 1_000,
                tv_heartbeat: Duration::from_secs(15),
                tv_resume: true,
            },
        }
    }
}

/// The server.
impl Builder {
    /// The port on 127.0.0.1; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.options.address.set_port(port);
        self
    }

    /// Delays every answer by this time. Default: no delay.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.options.latency = latency;
        self
    }

    /// Caches this many bytes of encoded pages and exports, for benches that request the
    /// same ones again. Default: 0, no cache.
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.options.cache_bytes = bytes;
        self
    }

    /// The threads of the simulator's own runtime. Default: 2.
    pub fn worker_threads(mut self, threads: usize) -> Self {
        self.options.worker_threads = threads.max(1);
        self
    }

    /// The limits of each key. Default: none; see [`RateLimits::documented`].
    pub fn rate_limits(mut self, limits: RateLimits) -> Self {
        self.options.rate_limits = limits;
        self
    }

    /// Starts the server on its own threads, so that a paused clock or a busy runtime of
    /// the caller's does not affect it.
    pub async fn start(self) -> io::Result<Simulator> {
        Simulator::start(self.options)
    }

    /// Starts the server where there is no runtime.
    pub fn start_blocking(self) -> io::Result<Simulator> {
        Simulator::start(self.options)
    }
}

/// The audit events of the health system.
impl Builder {
    /// How many there are. Default: 10,000.
    pub fn events(mut self, count: u64) -> Self {
        self.options.data.events = count;
        self
    }

    /// The seed they are generated from. Default: 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.data.seed = seed;
        self
    }

    /// When the first may happen. Default: 2026-05-01T00:00:00Z. The length of the
    /// span stays.
    pub fn since(mut self, since: Timestamp) -> Self {
        let span = &mut self.options.data.span;
        let length = span.end - span.start;
        span.start = micros(since);
        span.end = span.start.saturating_add(length);
        self
    }

    /// The length of the span from then on. Default: seven days.
    pub fn span(mut self, length: Duration) -> Self {
        let micros = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        let span = &mut self.options.data.span;
        span.end = span.start.saturating_add(micros);
        self
    }

    /// Puts this many of the events into one instant; may be called again. Besides, there
    /// are natural ties of up to 400.
    pub fn crowd(mut self, events: u64) -> Self {
        self.options.data.crowds.push(events);
        self
    }

    /// The smallest difference in time that the server knows: printed timestamps have
    /// it, `since` and `until` are rounded down to it. Default: one second.
    pub fn resolution(mut self, resolution: Resolution) -> Self {
        self.options.data.resolution = resolution;
        self
    }

    /// `since` and `until` are compared as they were sent, whatever the resolution.
    /// Default: false.
    pub fn exact_filters(mut self, exact: bool) -> Self {
        self.options.exact_filters = exact;
        self
    }

    /// `until` belongs to the window. Default: false.
    pub fn inclusive_until(mut self, inclusive: bool) -> Self {
        self.options.inclusive_until = inclusive;
        self
    }

    /// Default: [`CursorMode::Sound`].
    pub fn cursor_mode(mut self, mode: CursorMode) -> Self {
        self.options.cursor_mode = mode;
        self
    }

    /// `GET /events/{id}` answers `{"event": …}`, not the bare event. Default: false.
    pub fn wrapped_event(mut self, wrapped: bool) -> Self {
        self.options.wrapped_event = wrapped;
        self
    }

    /// A few events have `details` as an object, not as a text. Default: false.
    pub fn object_details(mut self, objects: bool) -> Self {
        self.options.data.object_details = objects;
        self
    }

    /// The most rows of an export. Default: 10,000.
    pub fn export_cap(mut self, rows: usize) -> Self {
        self.options.export_cap = rows;
        self
    }

    /// Default: [`ExportOrder::Descending`].
    pub fn export_order(mut self, order: ExportOrder) -> Self {
        self.options.export_order = order;
        self
    }

    /// How `X-Velora-Truncated` says yes: `true` (the default), `1`, `yes`, `TRUE`, `True`,
    /// each with its opposite, or any text as it is; `None` leaves the header out.
    pub fn truncation_header(mut self, style: Option<&str>) -> Self {
        self.options.truncation_header = style.map(str::to_owned);
        self
    }

    /// One more API key of the health system.
    pub fn health_key(mut self, key: &str, scopes: &[Scope]) -> Self {
        let key = (key.to_owned(), scopes.to_vec());
        self.options.health_keys.push(key);
        self
    }
}

/// Deliveries and the other systems.
impl Builder {
    /// The waits of the retry ladders are divided by this: with 60,000 a minute takes
    /// a millisecond. Default: 1.
    pub fn time_scale(mut self, scale: f64) -> Self {
        self.options.time_scale = scale.max(f64::MIN_POSITIVE);
        self
    }

    /// How long a receiver may take to answer. Default: 10 s; not scaled.
    pub fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.options.delivery_timeout = timeout;
        self
    }

    /// The records of a billing run's CSV. Default: 250.
    pub fn billing_csv_records(mut self, records: u64) -> Self {
        self.options.billing_csv_records = records;
        self
    }

    /// Default: [`CuraeEnvironment::Any`].
    pub fn curae_environment(mut self, environment: CuraeEnvironment) -> Self {
        self.options.curae_environment = environment;
        self
    }

    /// How many of the latest events can be resumed from. Default: 1,000.
    pub fn tv_history(mut self, events: usize) -> Self {
        self.options.tv_history = events;
        self
    }

    /// How often a quiet stream sends a comment. Default: 15 s.
    pub fn tv_heartbeat(mut self, interval: Duration) -> Self {
        self.options.tv_heartbeat = interval;
        self
    }

    /// Streamed events have ids, and `Last-Event-ID` is heeded. Default: true.
    pub fn tv_resume(mut self, resume: bool) -> Self {
        self.options.tv_resume = resume;
        self
    }
}
