//! Converts numbers from JavaScript, which has one type of them where the core has several. A
//! number that does not fit is refused, never truncated or wrapped.

use std::time::Duration;

use velora_core::ConfigError;

/// `Number.MAX_SAFE_INTEGER`: up to here every whole number is represented exactly.
const MOST: f64 = 9_007_199_254_740_991.0;

/// A whole number of this type.
///
/// Errors: `invalid_option` if it is not a whole number, or out of range.
pub(crate) fn whole<T: TryFrom<u64>>(option: &'static str, number: f64) -> Result<T, ConfigError> {
    let reason = "it is not a whole number in range";
    integer(number)
        .and_then(|number| number.try_into().ok())
        .ok_or(ConfigError::InvalidOption { option, reason })
}

/// A whole number, zero or more.
pub(crate) fn integer(number: f64) -> Option<u64> {
    let is_whole = (0.0..=MOST).contains(&number) && number.fract() == 0.0;
    is_whole.then_some(number as u64)
}

/// Seconds, unless they are negative or NaN.
pub(crate) fn duration(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}
