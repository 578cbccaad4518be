//! Time as the rules see it: the current instant, and the replay window.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use std::time::Instant;
#[cfg(all(
    not(target_os = "linux"),
    not(all(target_family = "wasm", target_os = "unknown"))
))]
use std::time::{SystemTime, UNIX_EPOCH};
#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "js"))]
use web_time::{Instant, SystemTime, UNIX_EPOCH};

use crate::error::ConfigError;

const MILLIS_PER_SECOND: i64 = 1_000;

/// A point in time, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// Whole seconds since the epoch.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MILLIS_PER_SECOND))
    }

    /// Seconds since the epoch as a float, as other languages give the time.
    ///
    /// Errors: `invalid_option` (`now`) if it is NaN or infinite.
    pub fn try_from_secs_f64(seconds: f64) -> Result<Self, ConfigError> {
        if !seconds.is_finite() {
            return Err(ConfigError::InvalidOption {
                option: "now",
                reason: "it is not a finite number of seconds",
            });
        }
        // By way of microseconds, which a float of today's seconds still holds: 0.001
        // would otherwise become 0.000999… and lose its millisecond. What no `i64` holds
        // becomes the first or the last instant that one does.
        let micros = (seconds * 1e6).round();
        Ok(Self((micros / 1e3).floor() as i64))
    }

    /// Milliseconds since the epoch, as an instant.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(MILLIS_PER_SECOND)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
}

/// The time that the rules read. Implement it to run them at a time of your choice.
pub trait Clock: Send + Sync {
    /// The wall clock, for the age of a timestamp.
    fn now(&self) -> UnixTime;

    /// A clock that never goes back, for leases and retention. Only differences count.
    fn monotonic(&self) -> Duration;
}

/// The clock of the operating system.
///
/// On `wasm32-unknown-unknown` with the feature `js` it is the JavaScript host's clock. Without
/// that feature there is no clock: the time stays at 1970, so every signed timestamp is
/// `timestamp_in_future` until you set a [`Clock`] of your own.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        wall_clock()
    }

    fn monotonic(&self) -> Duration {
        since_start()
    }
}

#[cfg(not(all(target_family = "wasm", target_os = "unknown", not(feature = "js"))))]
fn since_start() -> Duration {
    use std::sync::OnceLock;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// The time of the last tick, at most 10 ms ago: exact enough for a tolerance of
/// seconds, and a fifth of the cost of asking the hardware.
#[cfg(target_os = "linux")]
fn wall_clock() -> UnixTime {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    let millis = now.tv_nsec.div_euclid(1_000_000);
    UnixTime(
        now.tv_sec
            .saturating_mul(MILLIS_PER_SECOND)
            .saturating_add(millis),
    )
}

#[cfg(not(any(
    target_os = "linux",
    all(target_family = "wasm", target_os = "unknown", not(feature = "js"))
)))]
fn wall_clock() -> UnixTime {
    let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_millis()).map_or(i64::MIN, i64::saturating_neg)
        }
    };
    UnixTime(millis)
}

#[cfg(all(target_family = "wasm", target_os = "unknown", not(feature = "js")))]
fn wall_clock() -> UnixTime {
    UnixTime(0)
}

#[cfg(all(target_family = "wasm", target_os = "unknown", not(feature = "js")))]
fn since_start() -> Duration {
    Duration::ZERO
}

/// What a verifier reads the time from: the system's clock, unless it can be given another.
#[cfg(feature = "full")]
pub(crate) type SharedClock = std::sync::Arc<dyn Clock>;
#[cfg(not(feature = "full"))]
pub(crate) type SharedClock = SystemClock;

#[cfg(feature = "full")]
pub(crate) fn system_clock() -> SharedClock {
    std::sync::Arc::new(SystemClock)
}
#[cfg(not(feature = "full"))]
pub(crate) fn system_clock() -> SharedClock {
    SystemClock
}

/// A clock that stands still until it is moved, for tests.
///
/// ```
/// use std::time::Duration;
/// use velora_core::{Clock, ManualClock, UnixTime};
///
/// let clock = ManualClock::new(UnixTime::from_secs(1_780_000_000));
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), UnixTime::from_secs(1_780_000_060));
/// ```
#[derive(Debug)]
pub struct ManualClock {
    start: i64,
    millis: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: UnixTime) -> Self {
        Self {
            start: now.0,
            millis: AtomicI64::new(now.0),
        }
    }

    /// Moves the clock forward; fractions of a millisecond are dropped.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.millis.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixTime {
        UnixTime(self.millis.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        let millis = self.now().0.saturating_sub(self.start);
        Duration::from_millis(u64::try_from(millis).unwrap_or_default())
    }
}

impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> UnixTime {
        (**self).now()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }
}

/// The replay window: how far a timestamp may be from now, in either direction.
///
/// The default is 300 s, as all four vendors recommend; exactly 300 s passes.
/// A tolerance of zero means "this very second" (or millisecond, if that is the timestamp's unit),
/// never "off".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance(Window);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Window {
    Millis(u64),
    Off,
}

impl Tolerance {
    /// A tolerance in whole seconds.
    pub const fn from_secs(seconds: u32) -> Self {
        Self::from_millis((seconds as u64).saturating_mul(MILLIS_PER_SECOND as u64))
    }

    /// A tolerance in milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(Window::Millis(millis))
    }

    /// A tolerance in seconds as a float, as configuration files and other languages give it.
    ///
    /// Errors: `invalid_tolerance` if it is negative, NaN or infinite.
    pub fn try_from_secs_f64(seconds: f64) -> Result<Self, ConfigError> {
        if !(0.0..f64::INFINITY).contains(&seconds) {
            return Err(ConfigError::InvalidTolerance);
        }
        // By way of microseconds, as 1.001 * 1000 is a little less than 1001. What no `u64`
        // holds has no end that anybody could see.
        let micros = (seconds * 1e6).round_ties_even();
        Ok(Self::from_millis((micros / 1e3) as u64))
    }

    /// No age check at all: a captured delivery can be replayed for ever.
    ///
    /// Then only the deduplication store keeps a replay from the handler, and only for as
    /// long as it retains the key.
    pub const fn dangerous_no_tolerance() -> Self {
        Self(Window::Off)
    }

    /// A tolerance from the options of other languages: `tolerance` in seconds (300 if
    /// absent) and `dangerous_no_tolerance`.
    ///
    /// Errors: those of [`try_from_secs_f64`](Self::try_from_secs_f64); `invalid_option`
    /// if both are given, because they contradict each other.
    pub fn of_options(
        tolerance: Option<f64>,
        dangerous_no_tolerance: bool,
    ) -> Result<Self, ConfigError> {
        match (tolerance, dangerous_no_tolerance) {
            (None, false) => Ok(Self::default()),
            (None, true) => Ok(Self::dangerous_no_tolerance()),
            (Some(seconds), false) => Self::try_from_secs_f64(seconds),
            (Some(_), true) => Err(ConfigError::InvalidOption {
                option: "tolerance",
                reason: "it contradicts `dangerous_no_tolerance`",
            }),
        }
    }

    /// The window in milliseconds; `None` if it is switched off.
    pub const fn as_millis(self) -> Option<u64> {
        match self.0 {
            Window::Millis(millis) => Some(millis),
            Window::Off => None,
        }
    }
}

impl Default for Tolerance {
    fn default() -> Self {
        Self::from_secs(300)
    }
}
