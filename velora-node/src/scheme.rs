//! Schemes, by name or by description.

use napi::bindgen_prelude::Either;
use napi_derive::napi;
use velora_core::{ConfigError, Identity, Scheme, SignatureForm, SignedPayload, TimeUnit};

use crate::number::whole;

/// A scheme of the caller's own. Each member is a method of the core's `Scheme`.
#[napi(object, object_to_js = false)]
pub struct SchemeParts {
    pub name: String,
    pub signature_header: String,
    /// The text before the hex digits; absent for a list of `t=` and `v1=`.
    pub prefix: Option<String>,
    pub timestamp_header: Option<String>,
    pub timestamp_in_milliseconds: Option<bool>,
    /// The text before and after the timestamp; absent if only the body is signed.
    pub signed_before: Option<String>,
    pub signed_after: Option<String>,
    /// The members that identify an event; absent if the body's digest does.
    pub identity: Option<Vec<String>>,
    pub reject_status: Option<f64>,
    pub client_errors_are_final: Option<bool>,
}

/// The name of a built-in scheme, or the description of another one.
#[napi]
pub type SchemeArgument = Either<String, SchemeParts>;

/// The scheme that was named or described.
pub(crate) fn scheme(argument: SchemeArgument) -> Result<Scheme, ConfigError> {
    match argument {
        Either::A(name) => Scheme::named(&name),
        Either::B(parts) => described(parts),
    }
}

fn described(parts: SchemeParts) -> Result<Scheme, ConfigError> {
    let form = match parts.prefix {
        Some(prefix) => SignatureForm::prefixed(prefix),
        None => SignatureForm::List,
    };
    let mut scheme = Scheme::new(parts.name, parts.signature_header, form);
    if let Some(header) = parts.timestamp_header {
        let unit = match parts.timestamp_in_milliseconds {
            Some(true) => TimeUnit::Milliseconds,
            _ => TimeUnit::Seconds,
        };
        scheme = scheme.timestamp_header(header, unit);
    }
    if parts.signed_before.is_some() || parts.signed_after.is_some() {
        let (before, after) = (parts.signed_before, parts.signed_after);
        scheme = scheme.signed_payload(SignedPayload::timestamped(
            before.unwrap_or_default(),
            after.unwrap_or_default(),
        ));
    }
    if let Some(members) = parts.identity {
        let members = members.into_iter().map(Into::into);
        scheme = scheme.identity(Identity::Members(members.collect()));
    }
    if let Some(status) = parts.reject_status {
        scheme = scheme.reject_status(whole("rejectStatus", status)?);
    }
    Ok(match parts.client_errors_are_final {
        Some(true) => scheme.client_errors_are_final(),
        _ => scheme,
    })
}
