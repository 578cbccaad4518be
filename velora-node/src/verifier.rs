//! Verifiers, and what can be read from a delivery.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Function, Result, Uint8Array, Unknown};
use napi_derive::napi;
use velora_core::{Envelope, Error, Tolerance, UnixTime, Verifier};

use crate::failure::{Answer, answer};
use crate::fast::{self, Task};
use crate::headers::{Values, names};
use crate::scheme::{SchemeArgument, scheme};
use crate::secret::{SecretArgument, secrets};

/// The core's verifier.
#[napi]
pub struct NativeVerifier {
    pub(crate) verifier: Arc<Verifier>,
    /// For deliveries whose age has already been checked: they do not age while they are
    /// processed.
    again: Arc<Verifier>,
}

/// The tolerance; absent members have the core's defaults.
#[napi(object, object_to_js = false)]
pub struct ToleranceParts {
    pub seconds: Option<f64>,
    pub dangerous_no_tolerance: Option<bool>,
}

#[napi]
impl NativeVerifier {
    /// Errors: those of the scheme, of the secrets in order, and of the tolerance.
    #[napi(catch_unwind)]
    pub fn create(
        scheme_argument: SchemeArgument,
        secret_arguments: Vec<SecretArgument>,
        tolerance: ToleranceParts,
    ) -> Answer<NativeVerifier> {
        let verifier = || {
            let scheme = scheme(scheme_argument)?;
            let verifier = Verifier::new(scheme, secrets(&secret_arguments)?)?;
            let none = tolerance.dangerous_no_tolerance == Some(true);
            let tolerance = Tolerance::of_options(tolerance.seconds, none)?;
            Ok::<_, Error>(verifier.with_tolerance(tolerance))
        };
        answer(verifier().map(|verifier| {
            Self {
                again: Arc::new(
                    verifier
                        .clone()
                        .with_tolerance(Tolerance::dangerous_no_tolerance()),
                ),
                verifier: Arc::new(verifier),
            }
        }))
    }

    /// The headers whose values must be passed, in this order.
    #[napi(getter, catch_unwind)]
    pub fn header_names(&self) -> Vec<String> {
        names(&self.verifier)
    }

    /// The event members that hold the type and the id, if every event has them.
    #[napi(getter, catch_unwind)]
    pub fn event_names(&self) -> Vec<&'static str> {
        Envelope::names(self.verifier.scheme().name()).collect()
    }

    /// `(body, nowMillis | undefined, ...values) => string | Failure`: see [`fast`].
    #[napi(
        catch_unwind,
        ts_return_type = "(...args: unknown[]) => string | Failure"
    )]
    pub fn fast_verify<'env>(
        &self,
        env: &'env Env,
        and_read: bool,
    ) -> Result<Function<'env, Unknown<'env>, Unknown<'env>>> {
        let task = match and_read {
            true => Task::VerifyAndRead,
            false => Task::Verify,
        };
        fast::function(env, Arc::clone(&self.verifier), task)
    }

    /// `(copy, how, ...values) => string[] | string | Failure`: see [`fast`].
    #[napi(
        catch_unwind,
        ts_return_type = "(...args: unknown[]) => string[] | string | Failure"
    )]
    pub fn fast_read<'env>(
        &self,
        env: &'env Env,
    ) -> Result<Function<'env, Unknown<'env>, Unknown<'env>>> {
        fast::function(env, Arc::clone(&self.again), Task::Read)
    }

    /// Verifies a delivery again, except for its age, and compares the headers outside the MAC
    /// with the body.
    ///
    /// Errors: those of the verifier; `header_body_mismatch`.
    #[napi(catch_unwind)]
    pub fn check_headers(&self, body: Uint8Array, values: Vec<Vec<String>>) -> Answer<bool> {
        let headers = Values::new(&self.again, &values);
        let delivery = self.again.verify(&body, &headers);
        answer(delivery.and_then(|delivery| delivery.check_headers().map(|()| true)))
    }
}

/// The instant of the host's clock; a value out of range becomes the first or last instant.
pub(crate) fn instant(millis: f64) -> UnixTime {
    UnixTime::from_millis(millis as i64)
}
