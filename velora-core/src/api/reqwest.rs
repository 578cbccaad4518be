//! The native transport.

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::{io, iter};

use async_compression::futures::bufread::GzipDecoder;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use futures_util::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, StreamExt, TryStreamExt};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, TRANSFER_ENCODING};
use reqwest::redirect::Policy;
use reqwest::{Client, Proxy, Url, Version};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

use super::builder::Options;
use super::{Body, BoxFuture, Method, Request, Response, Transport};
use crate::error::{ApiError, ApiErrorKind, ConfigError};

const GZIP: &str = "gzip";
const CUT: &str = "the body was cut or cannot be decoded";

/// So many decoded bytes at a time.
const DECODED: usize = 32 * 1024;

/// `reqwest` over `rustls`, with the certificates of the operating system.
pub(crate) struct ReqwestTransport(Client);

impl ReqwestTransport {
    pub(crate) fn new(options: &Options) -> Result<Self, ConfigError> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .no_gzip()
            .tcp_nodelay(true)
            .connect_timeout(options.connect_timeout)
            .read_timeout(options.read_timeout);
        if let Some(url) = &options.proxy {
            builder = builder.proxy(proxy_at(url)?);
        }
        builder.build().map(Self).map_err(unavailable)
    }

    async fn send_now(&self, request: Request) -> Result<Response, ApiError> {
        let method = match request.method() {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut sent = self.0.request(method, request.url());
        let named = |name: &str| ACCEPT_ENCODING.as_str().eq_ignore_ascii_case(name);
        if !request.headers().any(|(name, _)| named(name)) {
            sent = sent.header(ACCEPT_ENCODING, GZIP);
        }
        for (name, value) in request.headers() {
            sent = sent.header(name, value);
        }
        if let Some(body) = request.body() {
            sent = sent.body(body.clone());
        }
        let response = sent.send().await.map_err(fault)?;
        let text =
            |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            };
        let headers = response.headers().iter().filter_map(text).collect();
        let status = response.status().as_u16();
        // As hyper reads it, so that what it takes for no framing is none here: a value that
        // is no text names nothing.
        let last = |name| {
            let value = response.headers().get_all(name).iter().next_back()?;
            value.to_str().ok()?.rsplit(',').next()
        };
        let is_last = |name, coding: &str| {
            let found = last(name).map(str::trim);
            found.is_some_and(|found| found.eq_ignore_ascii_case(coding))
        };
        // A body of any other coding ends where the connection does. That a gzip body ends
        // where a member of it does proves nothing: another one could follow.
        let framed = response.content_length().is_some()
            || is_last(TRANSFER_ENCODING, "chunked")
            || response.version() > Version::HTTP_11;
        let zipped = is_last(CONTENT_ENCODING, GZIP);
        let chunks = response.bytes_stream().map_err(fault);
        let response = match zipped {
            true => Response::new(status, headers, gunzip(chunks)),
            false => Response::new(status, headers, Body::new(chunks)),
        };
        Ok(match framed {
            true => response,
            false => response.without_framing(),
        })
    }
}

/// Decodes as it arrives, so that a caller who stops reading stops the decoding.
fn gunzip(chunks: impl Stream<Item = Result<Bytes, ApiError>> + Send + 'static) -> Body {
    let mut zipped = Box::pin(chunks.map_err(io::Error::other).into_async_read());
    let decoded = async move {
        // Nothing at all is not even a member, and is an empty body all the same.
        Ok(match zipped.fill_buf().await.map_err(not_gzip)? {
            [] => None,
            _ => Some(members(zipped)),
        })
    };
    let decoded = stream::once(decoded).map_ok(|body| stream::iter(body).flatten());
    Body::new(decoded.try_flatten())
}

/// What all members hold, one after the other.
fn members(
    zipped: impl AsyncBufRead + Send + Unpin,
) -> impl Stream<Item = Result<Bytes, ApiError>> + Send {
    let mut decoder = GzipDecoder::new(zipped);
    decoder.multiple_members(true);
    stream::try_unfold(decoder, async |mut decoder| {
        let mut decoded = vec![0; DECODED];
        let length = decoder.read(&mut decoded).await.map_err(not_gzip)?;
        decoded.truncate(length);
        Ok((length > 0).then(|| (Bytes::from(decoded), decoder)))
    })
}

/// What the transport said, if it was that; else the body was cut or is damaged.
fn not_gzip(error: io::Error) -> ApiError {
    let said = error.into_inner().and_then(|inner| inner.downcast().ok());
    said.map_or_else(
        || ApiError::new(ApiErrorKind::Connection, CUT),
        |said: Box<ApiError>| *said,
    )
}

impl Transport for ReqwestTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, ApiError>> {
        Box::pin(self.send_now(request))
    }
}

/// What goes to the loopback host over `http` is left alone. A proxy of another kind would
/// be passed by, or fail each call.
fn proxy_at(url: &str) -> Result<Proxy, ConfigError> {
    let url = Url::parse(url).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .and_then(|url| Proxy::https(url).ok())
        .ok_or(ConfigError::InvalidOption {
            option: "proxy",
            reason: "it is not the http or https URL of a proxy",
        })
}

/// The provider is named: a process that has none installed would panic otherwise.
fn tls() -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unavailable)?
        .with_platform_verifier()
        .map_err(unavailable)?;
    Ok(config.with_no_client_auth())
}

fn unavailable(error: impl std::fmt::Display) -> ConfigError {
    ConfigError::NoTransport {
        reason: error.to_string().into(),
    }
}

/// What went wrong, in words of our own: `reqwest`'s may hold the URL.
fn fault(error: reqwest::Error) -> ApiError {
    if error.is_timeout() {
        let reason = match error.is_connect() {
            true => "connecting took too long",
            false => "no data arrived for too long",
        };
        return ApiError::new(ApiErrorKind::Timeout, reason);
    }
    if error.is_builder() {
        return ApiError::new(ApiErrorKind::InvalidRequest, "the request cannot be sent");
    }
    let reason = match () {
        () if error.is_connect() => unconnected(&error),
        () if error.is_body() || error.is_decode() => CUT.into(),
        () => "the connection broke".into(),
    };
    ApiError::new(ApiErrorKind::Connection, reason)
}

/// Why there is no connection, as far as the causes say.
fn unconnected(error: &reqwest::Error) -> Cow<'static, str> {
    for cause in iter::successors(error.source(), |&cause| within(cause)) {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return format!("no connection to the host: TLS failed, {tls}").into();
        }
        let io = cause.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) {
            return "no connection to the host: it was refused".into();
        }
    }
    "no connection to the host".into()
}

/// What an error comes from: that of I/O names as its source what that of another comes from.
fn within<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}
