//! How requests are authorised.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::BoxFuture;
use crate::error::ApiError;
use crate::secret::ApiKey;

/// What authorises the calls of a client.
#[derive(Clone)]
pub(crate) struct Auth(Kind);

#[derive(Clone)]
enum Kind {
    Header(&'static str, Zeroizing<String>),
    Fresh(Arc<dyn TokenSource>),
}

/// Provides valid tokens, for systems whose tokens expire.
pub trait TokenSource: Send + Sync {
    /// Returns a valid token. This is called before every attempt, so cache the token until a
    /// minute before it expires. If the system refuses a token, the call or the stream ends.
    ///
    /// Errors: whatever prevents you from getting one. It counts as the failure of the
    /// attempt: a [retryable](ApiError::is_retryable) error, such as `connection`, is retried
    /// like any failed request; any other ends the call or the stream.
    fn token(&self) -> BoxFuture<'_, Result<ApiKey, ApiError>>;
}

/// A function that returns a token: `|| async { … }`.
impl<F, Fut> TokenSource for F
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Result<ApiKey, ApiError>> + Send + 'static,
{
    fn token(&self) -> BoxFuture<'_, Result<ApiKey, ApiError>> {
        Box::pin(self())
    }
}

impl Auth {
    /// `Authorization: Bearer …`
    pub(crate) fn bearer(key: ApiKey) -> Self {
        Self(Kind::Header(AUTHORIZATION, bearer(&key)))
    }

    /// A header of the system's own, such as `X-Api-Key`.
    pub(crate) fn header(name: &'static str, key: ApiKey) -> Self {
        let value = Zeroizing::new(key.expose().to_owned());
        Self(Kind::Header(name, value))
    }

    /// `Authorization: Bearer …` with a token that is requested each time.
    pub(crate) fn fresh(source: Arc<dyn TokenSource>) -> Self {
        Self(Kind::Fresh(source))
    }

    /// The header's name and value, for this attempt.
    pub(crate) async fn to_header(&self) -> Result<(&'static str, Zeroizing<String>), ApiError> {
        Ok(match &self.0 {
            Kind::Header(name, value) => (name, value.clone()),
            Kind::Fresh(source) => (AUTHORIZATION, bearer(&source.token().await?)),
        })
    }
}

const AUTHORIZATION: &str = "Authorization";
const BEARER: &str = "Bearer ";

fn bearer(key: &ApiKey) -> Zeroizing<String> {
    Zeroizing::new([BEARER, key.expose()].concat())
}

/// The credential in the value of a header that authorises: no key holds a blank.
pub(crate) fn credential(value: &str) -> &str {
    value.strip_prefix(BEARER).unwrap_or(value)
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth(..)")
    }
}
