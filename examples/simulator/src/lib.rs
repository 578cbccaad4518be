//! The four systems as specified on the wire, for tests: a seeded data set of any
//! size, limits, endpoint registries, signed deliveries with their retry ladders,
//! and faults on demand.
//!
//! ```
//! use velora_simulator::{Fault, FaultKind, Simulator};
//!
//! # async fn run() -> std::io::Result<()> {
//! let simulator = Simulator::builder().events(34_567).start().await?;
//! simulator.inject(Fault::new(FaultKind::Status(503)).path("/api/v2/public/audit/export"));
//!
//! // … read from `simulator.base_url()` with `HEALTH_KEY` …
//!
//! assert_eq!(simulator.all().count(), 34_567);
//! # Ok(()) }
//! ```
//!
//! The program of the same name serves it to other languages; see its README.

mod billing;
mod builder;
mod control;
mod curae;
mod deliveries;
mod faults;
mod handle;
mod health;
mod limits;
mod log;
mod net;
mod refusal;
mod server;
mod state;
mod text;
mod tv;

pub use billing::{BILLING_KEY, BILLING_READ_KEY, CSV_HEADER, csv_record};
pub use builder::{Builder, CursorMode, ExportOrder};
pub use curae::{CURAE_KEY, CURAE_LIVE_KEY, CURAE_NO_SCOPE_KEY, CuraeEnvironment};
pub use deliveries::actions::History;
pub use deliveries::registry::{DeliveryRecord, Endpoint, NewEndpoint, System};
pub use deliveries::{Emission, Emitted};
pub use faults::{Fault, FaultKind, UnknownFault};
pub use health::data::Truth;
pub use health::{
    HEALTH_EXPORT_KEY, HEALTH_KEY, HEALTH_NO_SCOPE_KEY, HEALTH_READ_KEY, HEALTH_WEBHOOKS_KEY, Scope,
};
pub use limits::{RateLimit, RateLimits};
pub use log::LoggedRequest;
pub use server::Simulator;
pub use text::Resolution;
pub use tv::TV_TOKEN;
