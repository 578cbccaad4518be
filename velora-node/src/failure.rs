//! What went wrong, as a plain object.

use napi::bindgen_prelude::Either;
use napi_derive::napi;
use velora_core::{ApiError, Error, VerificationError};

/// An error of the core: its class, its code and its details.
#[napi(object, object_from_js = false)]
#[derive(Clone, Default)]
pub struct Failure {
    /// `config`, `verification`, `store`, `api`, `file`, `velora` for any newer class, or `aborted`
    /// if the caller's own signal ended the call.
    pub failure: &'static str,
    pub code: &'static str,
    pub message: String,
    /// The other members of an `ApiError`.
    pub api: Option<ApiFailure>,
}

/// The details of an API call that failed.
#[napi(object, object_from_js = false)]
#[derive(Clone, Default)]
pub struct ApiFailure {
    pub status: Option<u16>,
    pub request_id: Option<String>,
    pub attempts: u32,
    /// Seconds.
    pub retry_after: Option<f64>,
    pub is_retryable: bool,
    pub vendor_code: Option<String>,
    pub detail: Option<String>,
    pub issues: Vec<IssueParts>,
    pub raw: String,
}

/// One field that the system rejected.
#[napi(object, object_from_js = false)]
#[derive(Clone)]
pub struct IssueParts {
    pub code: Option<String>,
    pub path: Vec<String>,
    pub message: Option<String>,
}

/// The result of a call, or why it failed.
#[napi]
pub type Answer<T> = Either<T, Failure>;

/// The result in the form that the TypeScript layer expects.
pub(crate) fn answer<T, E: Into<Failure>>(result: Result<T, E>) -> Answer<T> {
    match result {
        Ok(value) => Either::A(value),
        Err(error) => Either::B(error.into()),
    }
}

impl Failure {
    /// The caller's signal ended the call.
    pub(crate) fn aborted() -> Self {
        Self {
            failure: "aborted",
            ..Self::default()
        }
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let (failure, api) = match &error {
            Error::Config(_) => ("config", None),
            Error::Verification(_) => ("verification", None),
            Error::File(_) => ("file", None),
            Error::Store(_) => ("store", None),
            Error::Api(error) => ("api", Some(ApiFailure::of(error))),
            _ => ("velora", None),
        };
        Self {
            failure,
            code: error.code().as_str(),
            message: error.to_string(),
            api,
        }
    }
}

impl ApiFailure {
    fn of(error: &ApiError) -> Self {
        let issues = error.issues().iter().map(|issue| IssueParts {
            code: issue.code.clone(),
            path: issue.path.clone(),
            message: issue.message.clone(),
        });
        Self {
            status: error.status(),
            request_id: error.request_id().map(str::to_owned),
            attempts: error.attempts(),
            retry_after: error.retry_after().map(|delay| delay.as_secs_f64()),
            is_retryable: error.is_retryable(),
            vendor_code: error.vendor_code().map(str::to_owned),
            detail: error.detail().map(str::to_owned),
            issues: issues.collect(),
            raw: error.raw().to_owned(),
        }
    }
}

/// The failure of the fast call, whose errors are all of one kind.
impl Failure {
    pub(crate) fn of_verification(error: &VerificationError) -> Self {
        Self {
            failure: "verification",
            code: error.code().as_str(),
            message: error.to_string(),
            api: None,
        }
    }
}
