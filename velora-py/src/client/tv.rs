//! Velora TV.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use velora_core::api::BoxFuture;
use velora_core::tv::{
    Client, Connected, CreatedWebhook, EventType, Gap, StreamEvent, StreamItem, StreamOptions,
};
use velora_core::{ApiError, ApiErrorKind, ApiKey};

use super::{keyed, rate_limit};
use crate::argument::argument;
use crate::call::Call;
use crate::errors::{Result, api_error};
use crate::event::tv_event;
use crate::json;
use crate::number::Real;
use crate::options::Options;
use crate::process::PerProcess;
use crate::process::attached;
use crate::record::{event_type, extra, record};
use crate::secret::SigningSecret;
use crate::stream::Stream;
use crate::text::{Lossy, Text, Texts};
use crate::time::{self, duration};

/// The native part of the clients of `velora.tv`.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Tv(Arc<PerProcess<Client>>);

#[pymethods]
impl Tv {
    /// A client with one token, or with a function that returns a valid one.
    #[new]
    #[pyo3(signature = (token, **options))]
    fn new(token: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let options = Options::read(options)?;
        if let Ok(text) = token.cast::<PyString>() {
            return Ok(Self(keyed(
                text.to_string_lossy(),
                options,
                Client::builder,
            )?));
        }
        if !token.is_callable() {
            let message = "a token is a str, or a function that returns one";
            return Err(PyTypeError::new_err(message));
        }
        let tokens = Arc::new(token.clone().unbind());
        let make = move || {
            let tokens = Arc::clone(&tokens);
            options.build(Client::builder_with_tokens(move || ask(&tokens)))
        };
        Ok(Self(Arc::new(PerProcess::new(make)?)))
    }

    fn close(&self) {
        self.0.close();
    }

    fn rate_limit<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        rate_limit(py, self.0.get()?.rate_limit())
    }

    fn create_webhook(
        &self,
        client_id: Text,
        url: Text,
        events: &Bound<'_, PyAny>,
    ) -> PyResult<Call> {
        let Texts(events) = argument("events", events)?;
        let client = self.0.get()?;
        let events: Vec<EventType> = events.into_iter().map(|kind| kind.0.into()).collect();
        Ok(Call::new(
            async move { client.create_webhook(&client_id, &url, &events).await },
            show_created,
        ))
    }

    #[pyo3(signature = (*, idle_timeout, max_outage))]
    fn events(&self, idle_timeout: Option<Real>, max_outage: Option<Real>) -> Result<Stream> {
        let mut options = StreamOptions::new();
        if let Some(seconds) = idle_timeout {
            options = options.with_idle_timeout(duration("idle_timeout", seconds)?)?;
        }
        if let Some(seconds) = max_outage {
            options = options.with_max_outage(duration("max_outage", seconds)?);
        }
        let client = Arc::clone(&self.0);
        let make = move || Ok(client.get()?.events(options));
        Ok(Stream::new(make, show_item).endless())
    }

    fn base_url(&self) -> Result<String> {
        Ok(self.0.get()?.base_url().as_str().to_owned())
    }
}

/// Calls the caller's token function, in a thread that may block. If it raises, the type of the
/// exception is logged, and the failure is treated like a host that cannot be reached: the next
/// call may succeed.
fn ask(tokens: &Arc<Py<PyAny>>) -> BoxFuture<'static, std::result::Result<ApiKey, ApiError>> {
    let tokens = Arc::clone(tokens);
    Box::pin(async move {
        let asked = tokio::task::spawn_blocking(move || {
            attached(|py| match tokens.bind(py).call0() {
                Ok(given) => Some(given.extract().ok()),
                Err(error) => {
                    log(py, &error);
                    None
                }
            })
        });
        let given = asked.await.ok().flatten().flatten().ok_or_else(|| {
            let reason = "the token function raised";
            ApiError::new(ApiErrorKind::Connection, reason)
        })?;
        let key = given.and_then(|Lossy(token)| ApiKey::new(token).ok());
        key.ok_or_else(|| {
            let reason = "the token function returned no token";
            ApiError::new(ApiErrorKind::Unauthorized, reason)
        })
    })
}

/// Logs only the type, because the exception's text may contain the token.
fn log(py: Python<'_>, error: &PyErr) {
    let logged = || {
        let logger = py
            .import("logging")?
            .call_method1("getLogger", ("velora",))?;
        let kind = error.get_type(py).name()?;
        let message = "the token function raised %s";
        logger.call_method1("error", (message, kind))
    };
    // A failure to log is ignored.
    let _: PyResult<_> = logged();
}

fn show_created(py: Python<'_>, created: CreatedWebhook) -> PyResult<Py<PyAny>> {
    let secret = created.secret.map(SigningSecret);
    let response = json::answer(py, created.response.as_ref())?;
    Ok(record!(
        py,
        "velora.tv",
        "CreatedWebhook",
        (created.id, secret, response)
    )?
    .unbind())
}

fn show_item(py: Python<'_>, item: &StreamItem) -> PyResult<Py<PyAny>> {
    match item {
        StreamItem::Connected(connected) => show_connected(py, connected),
        StreamItem::Event(event) => show_event(py, event),
        StreamItem::Gap(gap) => show_gap(py, gap),
        // New variants may be added to the enum.
        _ => Ok(py.None()),
    }
}

fn show_connected(py: Python<'_>, connected: &Connected) -> PyResult<Py<PyAny>> {
    let connected = record!(
        py,
        "velora.tv",
        "Connected",
        (
            connected.authenticated,
            connected.auto_subscribed,
            &connected.channel_username,
            extra(py, &connected.extra)?,
        )
    );
    Ok(connected?.unbind())
}

fn show_event(py: Python<'_>, event: &StreamEvent) -> PyResult<Py<PyAny>> {
    let envelope = event
        .event()
        .map(|envelope| tv_event(py, envelope, event.data()));
    let event = record!(
        py,
        "velora.tv",
        "StreamEvent",
        (
            event_type!(py, "velora.tv", event.event_type().as_str()),
            event.id(),
            event.data(),
            envelope.transpose()?,
            event.key().map(|key| key.as_str().to_owned()),
        )
    );
    Ok(event?.unbind())
}

fn show_gap(py: Python<'_>, gap: &Gap) -> PyResult<Py<PyAny>> {
    let reason = api_error(py, &gap.reason)?;
    let since = time::datetime(py, Some(gap.since))?;
    Ok(record!(py, "velora.tv", "Gap", (reason, since, &gap.last_event_id))?.unbind())
}
