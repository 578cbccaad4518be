//! What the benchmarks of `velora-core` share: the deliveries, the contenders that
//! verify them, the bound that no verifier can beat, the ways to read an audit trail
//! and to keep a claim, and a way to measure on a noisy machine. The tests hold every
//! contender to telling a valid delivery from a tampered one, every reader to reading
//! all, and every claim to being fresh once, so that no benchmark times a no-op.

mod bound;
mod claims;
mod contender;
mod durable;
mod peers;
mod plain;
mod posted;
mod primitives;
mod reading;
mod rounds;
mod tally;

pub use bound::{Compression, blocks};
pub use claims::{Claims, LIVE_KEYS};
pub use contender::{Contender, Core, contenders};
pub use durable::{Beside, Claimer, Turn, durable, turn};
pub use peers::{AsyncStripe, StandardWebhooks, Svix};
pub use plain::Plain;
pub use posted::{HEADERS, Posted, SIZES, body, size_name};
pub use primitives::{AwsLc, Ring, RustCrypto};
pub use reading::{EVENTS, Reading};
pub use rounds::{Task, interleave, median, ratio};
pub use tally::Tally;

/// Any error of any contender: setting up a benchmark has one way to fail.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
