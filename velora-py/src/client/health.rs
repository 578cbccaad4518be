//! Velora Health.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use velora_core::health::{
    Client, Endpoint, EventQuery, ExportQuery, ExportedOnce, NewEndpoint, Progress, Registration,
    Window,
};

use super::{Reports, keyed, lists, rate_limit};
use crate::argument::argument;
use crate::audit_event::{AuditEvent, Batch};
use crate::call::{Call, show_nothing};
use crate::errors::{Failure, Result};
use crate::manifest::Manifest;
use crate::number::Whole;
use crate::options::Options;
use crate::process::PerProcess;
use crate::record::record;
use crate::secret::SigningSecret;
use crate::stream::Stream;
use crate::text::{Lossy, Text, Texts};
use crate::time::{self, instant, instant_text};

/// The native part of the clients of `velora.health`.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Health(Arc<PerProcess<Client>>);

#[pymethods]
impl Health {
    /// A client with this API key.
    #[new]
    #[pyo3(signature = (api_key, **options))]
    fn new(api_key: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let Lossy(key) = argument("api_key", api_key)?;
        Ok(Self(keyed(key, Options::read(options)?, Client::builder)?))
    }

    /// A client from the environment.
    #[staticmethod]
    #[pyo3(signature = (**options))]
    fn from_env(options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let options = Options::read(options)?;
        // A forked process has the client that was made here, whatever its environment is.
        let builder = Client::builder_from_env().map_err(Failure::from)?;
        let make = move || options.build(builder.clone());
        Ok(Self(Arc::new(PerProcess::new(make)?)))
    }

    fn close(&self) {
        self.0.close();
    }

    fn rate_limit<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        rate_limit(py, self.0.get()?.rate_limit())
    }

    fn probe(&self) -> Result<Call> {
        let client = self.0.get()?;
        Ok(Call::new(async move { client.probe().await }, show_nothing))
    }

    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    #[pyo3(signature = (*, since, until, action, resource_type, phi_involved, limit, cursor))]
    fn events(
        &self,
        since: Option<&Bound<'_, PyAny>>,
        until: Option<&Bound<'_, PyAny>>,
        action: Option<Text>,
        resource_type: Option<Text>,
        phi_involved: Option<bool>,
        limit: Option<Whole>,
        cursor: Option<Text>,
    ) -> PyResult<Stream> {
        let mut query = EventQuery::new();
        if let Some(action) = action {
            query = query.with_action(action.0);
        }
        if let Some(resource_type) = resource_type {
            query = query.with_resource_type(resource_type.0);
        }
        if let Some(phi_involved) = phi_involved {
            query = query.with_phi_involved(phi_involved);
        }
        let since = since.map(|at| instant("since", at)).transpose()?;
        let until = until.map(|at| instant("until", at)).transpose()?;
        query = match (since, until) {
            (Some(since), Some(until)) => {
                query.with_window(Window::new(since, until).map_err(Failure::from)?)
            }
            (Some(since), None) => query.with_since(since),
            (None, Some(until)) => query.with_until(until),
            (None, None) => query,
        };
        if let Some(limit) = limit {
            query = query
                .with_limit(limit.fit("limit")?)
                .map_err(Failure::from)?;
        }
        if let Some(cursor) = cursor {
            query = query.with_cursor(cursor.0).map_err(Failure::from)?;
        }
        let client = Arc::clone(&self.0);
        let make = move || {
            let pages = client.get()?.events(query).pages();
            Ok(pages.map(|page| page.map(|page| Batch::of_page(&page))))
        };
        Ok(Stream::new(make, Batch::show))
    }

    fn event(&self, id: &Bound<'_, PyAny>) -> PyResult<Call> {
        let id: Text = argument("id", id)?;
        let client = self.0.get()?;
        Ok(Call::new(
            async move { client.event(&id).await },
            |py, event| Ok(Py::new(py, AuditEvent(event))?.into_any()),
        ))
    }

    #[pyo3(signature = (*, since, until, phi_involved, concurrency, on_progress))]
    fn export(
        &self,
        since: &Bound<'_, PyAny>,
        until: &Bound<'_, PyAny>,
        phi_involved: Option<bool>,
        concurrency: Option<Whole>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Stream> {
        let (reports, told) = Reports::to(on_progress, show_progress);
        let query = export_query(since, until, phi_involved, concurrency)?
            .on_progress(move |progress| reports.tell(progress));
        let client = Arc::clone(&self.0);
        let make = move || {
            let rows = lists(client.get()?.export(query));
            Ok(rows.map(|rows| rows.map(Batch::of_rows)))
        };
        Ok(Stream::reporting(make, told, Batch::show))
    }

    #[pyo3(signature = (*, since, until, phi_involved))]
    fn export_once(
        &self,
        since: &Bound<'_, PyAny>,
        until: &Bound<'_, PyAny>,
        phi_involved: Option<bool>,
    ) -> PyResult<Call> {
        let query = export_query(since, until, phi_involved, None)?;
        let client = self.0.get()?;
        Ok(Call::new(
            async move { client.export_once(query).await },
            show_once,
        ))
    }

    #[pyo3(signature = (path, *, since, until, phi_involved, concurrency, on_progress))]
    fn export_to_file(
        &self,
        path: PathBuf,
        since: &Bound<'_, PyAny>,
        until: &Bound<'_, PyAny>,
        phi_involved: Option<bool>,
        concurrency: Option<Whole>,
        on_progress: Option<Py<PyAny>>,
    ) -> PyResult<Call> {
        let (reports, told) = Reports::to(on_progress, show_progress);
        let query = export_query(since, until, phi_involved, concurrency)?
            .on_progress(move |progress| reports.tell(progress));
        let client = self.0.get()?;
        let work = async move { client.export_to_file(query, path).await };
        Ok(Call::reporting(work, told, |py, manifest| {
            Ok(Py::new(py, Manifest(manifest))?.into_any())
        }))
    }

    #[pyo3(signature = (url, *, event_filter, description))]
    fn create_webhook(
        &self,
        url: Text,
        event_filter: &Bound<'_, PyAny>,
        description: Option<Text>,
    ) -> PyResult<Call> {
        let Texts(event_filter) = argument("event_filter", event_filter)?;
        let mut endpoint = NewEndpoint::new(url.0).with_event_filter(event_filter);
        if let Some(description) = description {
            endpoint = endpoint.with_description(description.0);
        }
        let webhooks = self.0.get()?.webhooks();
        Ok(Call::new(
            async move { webhooks.create(&endpoint).await },
            show_registration,
        ))
    }

    fn list_webhooks(&self) -> Result<Call> {
        let webhooks = self.0.get()?.webhooks();
        Ok(Call::new(
            async move { webhooks.list().await },
            |py, endpoints| {
                let shown = endpoints.iter().map(|endpoint| show_endpoint(py, endpoint));
                let shown = shown.collect::<PyResult<Vec<_>>>()?;
                Ok(PyTuple::new(py, shown)?.into_any().unbind())
            },
        ))
    }

    fn disable_webhook(&self, id: Text) -> Result<Call> {
        let webhooks = self.0.get()?.webhooks();
        Ok(Call::new(
            async move { webhooks.disable(&id).await },
            show_nothing,
        ))
    }

    fn delete_webhook(&self, id: Text) -> Result<Call> {
        let webhooks = self.0.get()?.webhooks();
        Ok(Call::new(
            async move { webhooks.delete(&id).await },
            show_nothing,
        ))
    }

    fn base_url(&self) -> Result<String> {
        Ok(self.0.get()?.base_url().as_str().to_owned())
    }
}

fn export_query(
    since: &Bound<'_, PyAny>,
    until: &Bound<'_, PyAny>,
    phi_involved: Option<bool>,
    concurrency: Option<Whole>,
) -> PyResult<ExportQuery> {
    let (since, until) = (instant_text("since", since)?, instant_text("until", until)?);
    let window = Window::parse(&since, &until).map_err(Failure::from)?;
    let mut query = ExportQuery::new(window);
    if let Some(phi_involved) = phi_involved {
        query = query.with_phi_involved(phi_involved);
    }
    if let Some(concurrency) = concurrency {
        let concurrency = concurrency.fit("concurrency")?;
        query = query.with_concurrency(concurrency).map_err(Failure::from)?;
    }
    Ok(query)
}

fn show_once(py: Python<'_>, once: ExportedOnce) -> PyResult<Py<PyAny>> {
    let truncation = once.truncation().as_str();
    let events = once.events().map(|event| Py::new(py, AuditEvent(event)));
    let events = PyTuple::new(py, events.collect::<PyResult<Vec<_>>>()?)?;
    Ok(record!(py, "velora.health", "ExportedOnce", (events, truncation))?.unbind())
}

fn show_progress(py: Python<'_>, progress: Progress) -> PyResult<Bound<'_, PyAny>> {
    record!(
        py,
        "velora.health",
        "Progress",
        (
            time::datetime(py, Some(progress.window.since()))?,
            time::datetime(py, Some(progress.window.until()))?,
            time::datetime(py, Some(progress.done_until))?,
            progress.rows,
            progress.leaves,
            progress.calls,
        )
    )
}

fn show_registration(py: Python<'_>, registration: Registration) -> PyResult<Py<PyAny>> {
    let endpoint = show_endpoint(py, &registration.endpoint)?;
    let secret = SigningSecret(registration.secret);
    Ok(record!(py, "velora.health", "Registration", (endpoint, secret))?.unbind())
}

fn show_endpoint<'py>(py: Python<'py>, endpoint: &Endpoint) -> PyResult<Bound<'py, PyAny>> {
    record!(
        py,
        "velora.health",
        "Endpoint",
        (
            &endpoint.id,
            &endpoint.url,
            PyTuple::new(py, &endpoint.event_filter)?,
            &endpoint.description,
            endpoint.active,
            endpoint.consecutive_failures,
            time::datetime(py, endpoint.last_delivery_at)?,
            time::datetime(py, endpoint.created_at)?,
            endpoint.is_failing(),
        )
    )
}
