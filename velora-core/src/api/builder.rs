//! The client builder, the same for every system.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::auth::Auth;
use super::call::{Api, Settings};
use super::{BaseUrl, RetryOptions, Runtime, Transport};
use crate::error::ConfigError;

/// Wraps an [`Api`] as a system's client, or says why it cannot.
type Finish<C> = Arc<dyn Fn(Api) -> Result<C, ConfigError> + Send + Sync>;

/// Builds the client `C` of a system. Each clone builds a client of its own.
///
/// | setting | default |
/// |---|---|
/// | base URL | the system's own |
/// | [`RetryOptions`] | 5 attempts, `Retry-After` up to 60 s |
/// | connect timeout | 10 s |
/// | read timeout, for each read | 30 s; Velora TV 5 min |
/// | call timeout, for all attempts and waits | 10 min; Velora TV 1 min |
/// | largest decoded body | 64 MiB |
/// | proxy | none; proxy environment variables are ignored |
pub struct ClientBuilder<C> {
    base_url: String,
    auth: Auth,
    finish: Finish<C>,
    options: Options,
    transport: Option<Arc<dyn Transport>>,
    runtime: Option<Arc<dyn Runtime>>,
    client: PhantomData<fn() -> C>,
}

/// The settings that a transport and the machinery read.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) proxy: Option<String>,
    retry: RetryOptions,
    call_timeout: Duration,
    max_response_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            proxy: None,
            retry: RetryOptions::default(),
            call_timeout: Duration::from_secs(600),
            max_response_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Options {
    /// What would let every call fail is refused.
    fn check(&self) -> Result<(), ConfigError> {
        let options = [
            ("connect_timeout", self.connect_timeout.is_zero()),
            ("read_timeout", self.read_timeout.is_zero()),
            ("call_timeout", self.call_timeout.is_zero()),
            ("max_response_bytes", self.max_response_bytes == 0),
        ];
        match options.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((option, _)) => Err(ConfigError::InvalidOption {
                option,
                reason: "it must be more than zero",
            }),
            None => Ok(()),
        }
    }
}

impl<C> ClientBuilder<C> {
    pub(crate) fn new(
        base_url: &str,
        auth: Auth,
        finish: impl Fn(Api) -> Result<C, ConfigError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            base_url: base_url.to_owned(),
            auth,
            finish: Arc::new(finish),
            options: Options::default(),
            transport: None,
            runtime: None,
            client: PhantomData,
        }
    }

    /// Sets the base URL of the API: `https`, or `http` on a loopback host.
    #[must_use]
    pub fn with_base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Sets how often, and after what delay, a call is retried.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryOptions) -> Self {
        self.options.retry = retry;
        self
    }

    /// What is set: how often, and after what delay, a call is retried.
    pub(super) fn retry(&self) -> RetryOptions {
        self.options.retry
    }

    /// What is set, for a transport of your own: the longest wait for a connection.
    pub fn connect_timeout(&self) -> Duration {
        self.options.connect_timeout
    }

    /// What is set, for a transport of your own: the longest wait for the next bytes.
    pub fn read_timeout(&self) -> Duration {
        self.options.read_timeout
    }

    /// Sets the longest wait for a connection. A transport of your own may ask for it:
    /// see [`connect_timeout`](Self::connect_timeout).
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.options.connect_timeout = timeout;
        self
    }

    /// Sets the longest wait for the next bytes. A transport of your own may ask for it:
    /// see [`read_timeout`](Self::read_timeout).
    #[must_use]
    pub fn with_read_timeout(mut self, timeout: Duration) -> Self {
        self.options.read_timeout = timeout;
        self
    }

    /// Sets the longest time a call may take, including all attempts and waits. For a CSV, which
    /// is read as it arrives, it ends with the first row.
    #[must_use]
    pub fn with_call_timeout(mut self, timeout: Duration) -> Self {
        self.options.call_timeout = timeout;
        self
    }

    /// Sets the largest body that is read, in bytes after decoding. In a CSV, which is read as it
    /// arrives, it limits each row.
    #[must_use]
    pub fn with_max_response_bytes(mut self, bytes: usize) -> Self {
        self.options.max_response_bytes = bytes;
        self
    }

    /// Sends all requests to an `https` base URL through a tunnel of this proxy, `http://…`
    /// or `https://…`. An `http` base URL is on a loopback host, and is never proxied. If
    /// this is not set there is no proxy, whatever the environment says. Ignored by a
    /// transport of your own.
    #[must_use]
    pub fn with_proxy(mut self, url: impl Into<String>) -> Self {
        self.options.proxy = Some(url.into());
        self
    }

    /// Sends requests with a transport of your own, such as a host's `fetch` or a test.
    #[must_use]
    pub fn with_transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Sleeps and runs background work with a runtime of your own.
    #[must_use]
    pub fn with_runtime(mut self, runtime: impl Runtime + 'static) -> Self {
        self.runtime = Some(Arc::new(runtime));
        self
    }

    /// Builds the client.
    ///
    /// Errors: `invalid_base_url`; `invalid_option` if a timeout or the largest body is
    /// zero, or the proxy is not an `http` or `https` URL; `no_transport` if the crate was
    /// built without `client-reqwest` and no transport was given, or if the built-in one
    /// cannot be set up; for CuraeAI also `wrong_environment` and `invalid_api_key`.
    pub fn build(self) -> Result<C, ConfigError> {
        let base_url = BaseUrl::new(&self.base_url)?;
        self.options.check()?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => native_transport(&self.options)?,
        };
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => native_runtime()?,
        };
        (self.finish)(Api::new(Settings {
            base_url,
            auth: self.auth,
            transport,
            runtime,
            retry: self.options.retry,
            call_timeout: self.options.call_timeout,
            max_response_bytes: self.options.max_response_bytes,
        }))
    }
}

impl<C> Clone for ClientBuilder<C> {
    fn clone(&self) -> Self {
        Self {
            base_url: self.base_url.clone(),
            auth: self.auth.clone(),
            finish: Arc::clone(&self.finish),
            options: self.options.clone(),
            transport: self.transport.clone(),
            runtime: self.runtime.clone(),
            client: PhantomData,
        }
    }
}

impl<C> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &BaseUrl::new(&self.base_url).ok())
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "client-reqwest")]
fn native_transport(options: &Options) -> Result<Arc<dyn Transport>, ConfigError> {
    Ok(Arc::new(super::reqwest::ReqwestTransport::new(options)?))
}

#[cfg(feature = "client-reqwest")]
fn native_runtime() -> Result<Arc<dyn Runtime>, ConfigError> {
    Ok(Arc::new(super::TokioRuntime))
}

#[cfg(not(feature = "client-reqwest"))]
fn native_transport(_: &Options) -> Result<Arc<dyn Transport>, ConfigError> {
    Err(ConfigError::NoTransport {
        reason: "pass a transport, or enable the feature `client-reqwest`".into(),
    })
}

#[cfg(not(feature = "client-reqwest"))]
fn native_runtime() -> Result<Arc<dyn Runtime>, ConfigError> {
    Err(ConfigError::NoTransport {
        reason: "pass a runtime, or enable the feature `client-reqwest`".into(),
    })
}
