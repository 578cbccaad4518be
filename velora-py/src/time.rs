//! Converts instants and durations from and to Python.

use std::time::Duration;

use jiff::Timestamp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;
use velora_core::health::Window;
use velora_core::{ConfigError, UnixTime};

use crate::errors::{Failure, Result, invalid_option};
use crate::number::Real;

/// A duration in seconds, as in `time.sleep`.
pub(crate) fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

/// A duration of an option.
///
/// Errors: `invalid_option` if it is negative, NaN or too long.
pub(crate) fn duration(option: &'static str, Real(seconds): Real) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| invalid_option(option, "it is not a number of seconds, zero or more"))
}

/// A `datetime` or a `str` as text, which the core parses.
pub(crate) fn instant_text(option: &'static str, at: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = match at.cast::<PyString>() {
        Ok(text) => text.clone(),
        Err(_) => at
            .call_method0("isoformat")
            .and_then(|text| Ok(text.cast_into::<PyString>()?))
            .map_err(|_| invalid_option(option, "it is neither a datetime nor a str"))?,
    };
    Ok(text
        .extract()
        .map_err(|_| invalid_option(option, "it cannot be encoded as UTF-8"))?)
}

/// An instant from a `datetime` or a `str`.
///
/// Errors: `invalid_option`, also for a naive `datetime`.
pub(crate) fn instant(option: &'static str, at: &Bound<'_, PyAny>) -> PyResult<Timestamp> {
    let text = instant_text(option, at)?;
    let window = Window::parse(&text, &text).map_err(|error| match error {
        ConfigError::InvalidOption { reason, .. } => {
            Failure::from(ConfigError::InvalidOption { option, reason })
        }
        other => Failure::from(other),
    });
    Ok(window?.since())
}

/// An aware `datetime` in UTC; `None` if it is out of the range of `datetime`.
pub(crate) fn datetime<'py>(
    py: Python<'py>,
    at: Option<Timestamp>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    static FROM_ISO: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    let Some(text) = at.and_then(iso) else {
        return Ok(None);
    };
    let from_iso = FROM_ISO.get_or_try_init(py, || {
        let class = py.import("datetime")?.getattr("datetime")?;
        PyResult::Ok(class.getattr("fromisoformat")?.unbind())
    })?;
    from_iso.bind(py).call1((text.as_str(),)).map(Some)
}

/// `2026-05-01T00:00:00.000000+00:00`, which every version of Python parses; `None`
/// outside the years 1 to 9999.
fn iso(at: Timestamp) -> Option<String> {
    let civil = at.to_zoned(jiff::tz::TimeZone::UTC).datetime();
    if civil.year() < 1 {
        return None;
    }
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+00:00",
        civil.year(),
        civil.month(),
        civil.day(),
        civil.hour(),
        civil.minute(),
        civil.second(),
        civil.subsec_nanosecond().div_euclid(1_000),
    ))
}

pub(crate) fn of_unix(at: UnixTime) -> Option<Timestamp> {
    Timestamp::from_millisecond(at.as_millis()).ok()
}

/// The current time to assume: seconds since the epoch, or a `datetime`.
///
/// Errors: `invalid_option`.
pub(crate) fn now(at: &Bound<'_, PyAny>) -> PyResult<UnixTime> {
    match at.extract() {
        Ok(Real(seconds)) => Ok(UnixTime::try_from_secs_f64(seconds).map_err(Failure::from)?),
        Err(error) if !error.is_instance_of::<PyTypeError>(at.py()) => Err(error),
        Err(_) if at.hasattr("isoformat")? => {
            let micros = instant("now", at)?.as_microsecond();
            Ok(UnixTime::from_millis(micros.div_euclid(1_000)))
        }
        Err(_) => {
            let reason = "it is neither a number of seconds nor a datetime";
            Err(invalid_option("now", reason).into())
        }
    }
}
