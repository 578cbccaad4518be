//! CuraeAI.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use velora_core::curae::{
    Client, Endpoint, EndpointChange, EndpointQuery, IfChanged, NewEndpoint, Registration,
    Versioned,
};

use super::{keyed, pages, rate_limit};
use crate::argument::argument;
use crate::call::{Call, show_nothing};
use crate::errors::Result;
use crate::number::Whole;
use crate::options::Options;
use crate::process::PerProcess;
use crate::record::{event_type, extra, record};
use crate::secret::SigningSecret;
use crate::stream::Stream;
use crate::text::{Lossy, Text, Texts};
use crate::time;

/// The native part of the clients of `velora.curae`.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Curae(Arc<PerProcess<Client>>);

#[pymethods]
impl Curae {
    #[new]
    #[pyo3(signature = (api_key, **options))]
    fn new(api_key: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let Lossy(key) = argument("api_key", api_key)?;
        Ok(Self(keyed(key, Options::read(options)?, Client::builder)?))
    }

    fn close(&self) {
        self.0.close();
    }

    fn rate_limit<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        rate_limit(py, self.0.get()?.rate_limit())
    }

    #[pyo3(signature = (url, event_types, *, idempotency_key))]
    fn create_webhook(
        &self,
        url: Text,
        event_types: &Bound<'_, PyAny>,
        idempotency_key: Option<Text>,
    ) -> PyResult<Call> {
        let Texts(types) = argument("event_types", event_types)?;
        let types = types.into_iter().map(|kind| kind.0.into());
        let mut endpoint = NewEndpoint::new(url.0, types);
        if let Some(key) = idempotency_key {
            endpoint = endpoint.with_idempotency_key(key.0);
        }
        let webhooks = self.0.get()?.webhooks();
        Ok(Call::new(
            async move { webhooks.create(&endpoint).await },
            show_registration,
        ))
    }

    #[pyo3(signature = (*, limit, cursor))]
    fn list_webhooks(&self, limit: Option<Whole>, cursor: Option<Text>) -> Result<Stream> {
        let mut query = EndpointQuery::new();
        if let Some(limit) = limit {
            query = query.with_limit(limit.fit("limit")?)?;
        }
        if let Some(cursor) = cursor {
            query = query.with_cursor(cursor.0)?;
        }
        let client = Arc::clone(&self.0);
        let make = move || Ok(client.get()?.webhooks().list(query).pages());
        Ok(pages(make, |py, endpoint| {
            Ok(show_endpoint(py, endpoint)?.unbind())
        }))
    }

    fn get_webhook(&self, id: Text) -> Result<Call> {
        let webhooks = self.0.get()?.webhooks();
        Ok(Call::new(
            async move { webhooks.get(&id).await },
            show_versioned,
        ))
    }

    fn get_webhook_if_changed(&self, id: Text, etag: Text) -> Result<Call> {
        let webhooks = self.0.get()?.webhooks();
        Ok(Call::new(
            async move { webhooks.get_if_changed(&id, &etag).await },
            |py, got| match got {
                IfChanged::Changed(endpoint) => show_versioned(py, endpoint),
                IfChanged::NotModified => Ok(py.None()),
            },
        ))
    }

    #[pyo3(signature = (id, etag, *, url, event_types, status, idempotency_key))]
    fn update_webhook(
        &self,
        id: Text,
        etag: Text,
        url: Option<Text>,
        event_types: Option<&Bound<'_, PyAny>>,
        status: Option<Text>,
        idempotency_key: Option<Text>,
    ) -> PyResult<Call> {
        let mut change = EndpointChange::new();
        if let Some(url) = url {
            change = change.with_url(url.0);
        }
        if let Some(types) = event_types {
            let Texts(types) = argument("event_types", types)?;
            change = change.with_event_types(types.into_iter().map(|kind| kind.0.into()));
        }
        if let Some(status) = status {
            change = change.with_status(status.0);
        }
        if let Some(key) = idempotency_key {
            change = change.with_idempotency_key(key.0);
        }
        let webhooks = self.0.get()?.webhooks();
        Ok(Call::new(
            async move { webhooks.update(&id, &etag, &change).await },
            show_versioned,
        ))
    }

    fn delete_webhook(&self, id: Text, etag: Text) -> Result<Call> {
        let webhooks = self.0.get()?.webhooks();
        Ok(Call::new(
            async move { webhooks.delete(&id, &etag).await },
            show_nothing,
        ))
    }

    fn base_url(&self) -> Result<String> {
        Ok(self.0.get()?.base_url().as_str().to_owned())
    }
}

fn show_endpoint<'py>(py: Python<'py>, endpoint: &Endpoint) -> PyResult<Bound<'py, PyAny>> {
    let types = endpoint
        .event_types
        .iter()
        .map(|kind| Ok(event_type!(py, "velora.curae", kind.as_str())));
    record!(
        py,
        "velora.curae",
        "Endpoint",
        (
            &endpoint.id,
            &endpoint.url,
            PyTuple::new(py, types.collect::<PyResult<Vec<_>>>()?)?,
            &endpoint.status,
            endpoint.consecutive_failures,
            time::datetime(py, endpoint.last_delivery_attempt_at)?,
            time::datetime(py, endpoint.last_successful_delivery_at)?,
            time::datetime(py, endpoint.created_at)?,
            time::datetime(py, endpoint.updated_at)?,
            endpoint.version,
            extra(py, &endpoint.extra)?,
        )
    )
}

fn show_versioned(py: Python<'_>, versioned: Versioned) -> PyResult<Py<PyAny>> {
    let endpoint = show_endpoint(py, &versioned.endpoint)?;
    Ok(record!(py, "velora.curae", "Versioned", (endpoint, versioned.etag))?.unbind())
}

fn show_registration(py: Python<'_>, registration: Registration) -> PyResult<Py<PyAny>> {
    let endpoint = show_endpoint(py, &registration.endpoint)?;
    let fields = (registration.etag, SigningSecret(registration.secret));
    Ok(record!(
        py,
        "velora.curae",
        "Registration",
        (endpoint, fields.0, fields.1)
    )?
    .unbind())
}
