//! The client of the developer and events API.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod feed;
mod item;
mod sse;
mod stream;
mod webhook;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::api::{Api, Auth, BaseUrl, ClientBuilder, RateLimit, TokenSource};
use crate::error::ConfigError;
use crate::secret::ApiKey;

pub use item::{Connected, Gap, StreamEvent, StreamItem};
pub use stream::{EventStream, StreamOptions};
pub use webhook::CreatedWebhook;

const BASE_URL: &str = "https://api.velora.tv";

/// A stream may be quiet for longer than other responses. Its own idle timeout is shorter.
const READ_TIMEOUT: Duration = Duration::from_secs(300);
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// The client of Velora TV. A clone is the same client.
///
/// ```no_run
/// use velora_core::Error;
/// use velora_core::api::TokenSource;
/// use velora_core::tv::{Client, StreamItem, StreamOptions};
///
/// /// Tokens last an hour: `tokens` is asked for one before each request.
/// async fn listen(tokens: impl TokenSource + 'static) -> Result<(), Error> {
///     let client = Client::builder_with_tokens(tokens).build()?;
///     let mut stream = client.events(StreamOptions::new());
///     while let Some(item) = stream.next().await {
///         match item? {
///             StreamItem::Connected(connected) => println!("{:?}", connected.channel_username),
///             StreamItem::Event(event) => println!("{}", event.event_type()),
///             StreamItem::Gap(gap) => println!("nothing heard since {}", gap.since),
///             _ => {}
///         }
///     }
///     Ok(())
/// }
/// ```
///
/// Every call may fail with `unauthorized`, `forbidden`, `not_found`, `conflict`,
/// `invalid_request` (also before it is sent), `rate_limited`, `server_error`, `connection`,
/// `timeout`, `malformed_response`, `response_too_large`, `unexpected_redirect`, and with
/// the error of the function that provides tokens.
///
/// Source: Velora TV, *Events API*, *Webhooks*, *Rate limits*.
#[derive(Clone)]
pub struct Client {
    api: Api,
}

impl Client {
    /// A client of `https://api.velora.tv` with one access token, and all defaults.
    ///
    /// Errors: those of [`build`](ClientBuilder::build).
    pub fn new(token: ApiKey) -> Result<Self, ConfigError> {
        Self::builder(token).build()
    }

    /// Starts building a client of `https://api.velora.tv` with one access token. A token is
    /// valid for an hour, after which every call is `unauthorized`.
    ///
    /// The defaults differ from other clients: the read timeout is 5 min, because streams are
    /// quiet, and the call timeout is 1 min.
    pub fn builder(token: ApiKey) -> ClientBuilder<Self> {
        Self::authorised(Auth::bearer(token))
    }

    /// Starts building a client with a function that returns a valid token. It is called
    /// before each request, and before a stream reconnects, so let it cache the token for as
    /// long as it is valid. See [`TokenSource`].
    pub fn builder_with_tokens(tokens: impl TokenSource + 'static) -> ClientBuilder<Self> {
        Self::authorised(Auth::fresh(Arc::new(tokens)))
    }

    fn authorised(auth: Auth) -> ClientBuilder<Self> {
        ClientBuilder::new(BASE_URL, auth, |api| Ok(Self { api }))
            .with_read_timeout(READ_TIMEOUT)
            .with_call_timeout(CALL_TIMEOUT)
    }

    /// The base URL of the API.
    pub fn base_url(&self) -> &BaseUrl {
        self.api.base_url()
    }

    /// The rate limit, according to the last response. Every response of this system
    /// mentions it.
    pub fn rate_limit(&self) -> RateLimit {
        self.api.rate_limit()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", self.api.base_url())
            .finish_non_exhaustive()
    }
}
