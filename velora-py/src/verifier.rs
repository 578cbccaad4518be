//! The verifier, whose call must be fast.

use pyo3::prelude::*;
use velora_core::{
    Delivery as CoreDelivery, Headers, Tolerance, UnixTime, Verifier as CoreVerifier,
};

use crate::argument::argument;
use crate::body::raw_body;
use crate::delivery::Delivery;
use crate::errors::{Failure, Result};
use crate::headers::Found;
use crate::number::Real;
use crate::unchecked::Kept;
use crate::{scheme, secret, time};

/// From this size on, hashing takes longer than detaching from Python.
const DETACH_FROM: usize = 32 * 1024;

/// Verifies deliveries of one scheme under one or more secrets.
#[pyclass(frozen, generic, module = "velora")]
pub(crate) struct Verifier(pub(crate) CoreVerifier);

#[pymethods]
impl Verifier {
    #[new]
    #[pyo3(signature = (scheme, secrets, *, tolerance = None, dangerous_no_tolerance = false))]
    fn new(
        scheme: &Bound<'_, PyAny>,
        secrets: &Bound<'_, PyAny>,
        tolerance: Option<&Bound<'_, PyAny>>,
        dangerous_no_tolerance: bool,
    ) -> PyResult<Self> {
        let verifier = CoreVerifier::new(scheme::read(scheme)?, secret::read_all(secrets)?)
            .map_err(Failure::from)?;
        let tolerance = tolerance.map(|seconds| argument("tolerance", seconds));
        let seconds = tolerance.transpose()?.map(|Real(seconds)| seconds);
        let tolerance =
            Tolerance::of_options(seconds, dangerous_no_tolerance).map_err(Failure::from)?;
        Ok(Self(verifier.with_tolerance(tolerance)))
    }

    /// Verifies the raw body, exactly as received.
    #[pyo3(signature = (body, headers, now = None))]
    fn verify(
        slf: &Bound<'_, Self>,
        body: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Delivery> {
        let body = raw_body(body)?;
        let now = now.map(time::now).transpose()?;
        let found = Found::read(slf.get().0.precheck(), headers)?;
        if body.as_bytes().len() < DETACH_FROM {
            let kept = Kept::new(slf, body, |verifier, body| {
                verify(verifier, body, &found, now)
            });
            return Ok(Delivery::new(kept?));
        }
        let (py, found) = (slf.py(), found.detached());
        let kept = Kept::new(slf, body, |verifier, body| {
            py.detach(|| verify(verifier, body, &found, now))
        });
        Ok(Delivery::new(kept?))
    }

    /// The name of the scheme that deliveries are verified against.
    #[getter]
    fn scheme(&self) -> &str {
        self.0.scheme().name()
    }

    fn __repr__(&self) -> String {
        format!("Verifier('{}')", self.0.scheme().name())
    }
}

#[inline]
fn verify<'b, H: Headers>(
    verifier: &'b CoreVerifier,
    body: &'b [u8],
    headers: &H,
    now: Option<UnixTime>,
) -> Result<CoreDelivery<'b>> {
    let delivery = match now {
        Some(now) => verifier.verify_at(body, headers, now),
        None => verifier.verify(body, headers),
    };
    Ok(delivery?)
}
