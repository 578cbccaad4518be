//! All rules joined.

use std::future::{Future, ready};
use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use tokio::sync::Mutex;
use velora_core::dedupe::Epoch;
use velora_core::{
    Delivery, Event, EventFault, FromDelivery, Outcome, Receiver as CoreReceiver, Reply,
    VerificationError, Work as CoreWork,
};

use crate::body::raw_body;
use crate::call::{Call, Trouble};
use crate::errors::{Failure, Result};
use crate::event;
use crate::headers::owned;
use crate::number::Whole;
use crate::record::record;
use crate::store::Store;
use crate::verifier::Verifier;

/// Receives the deliveries of one endpoint.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Receiver(CoreReceiver);

#[pymethods]
impl Receiver {
    #[new]
    #[pyo3(signature = (verifier, store, *, body_limit = None))]
    fn new(
        verifier: &Bound<'_, Verifier>,
        store: &Bound<'_, Store>,
        body_limit: Option<Whole>,
    ) -> Result<Self> {
        let receiver = CoreReceiver::new(verifier.get().0.clone(), Arc::clone(&store.get().store));
        Ok(Self(match body_limit {
            Some(bytes) => receiver.with_body_limit(bytes.fit("body_limit")?),
            None => receiver,
        }))
    }

    /// The largest body, in bytes, that is looked at.
    #[getter]
    fn body_limit(&self) -> usize {
        self.0.body_limit()
    }

    /// The `Reply` to a request whose body broke off.
    fn unreadable(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        show_reply(py, self.0.reply(Outcome::BodyUnreadable))
    }

    /// Verifies and claims: `Work` where there is some to do, else the `Reply`.
    fn begin(&self, body: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<Call> {
        let headers = owned(self.0.verifier().precheck(), headers)?;
        let body = PyBackedBytes::from(raw_body(body)?);
        let receiver = self.0.clone();
        let begun = async move {
            let begun = receiver.begin_event::<_, Shown>(&body, &headers).await;
            Ok::<_, Failure>(begun.map(|(work, event)| (work.into_owned(), event)))
        };
        Ok(Call::new(begun, |py, begun| match begun {
            Ok((work, event)) => Ok(Py::new(py, Work::new(work, event))?.into_any()),
            Err(reply) => show_reply(py, reply),
        }))
    }
}

/// An event as its Python class: what Python cannot read is refused before it is claimed.
struct Shown(Py<PyAny>);

impl FromDelivery for Shown {
    fn from_delivery(delivery: &Delivery<'_>) -> std::result::Result<Self, VerificationError> {
        let event: Event = delivery.event()?;
        // This is the thread that asked: nothing is waited for before an event is claimed.
        Python::attach(|py| event::record(py, &event, delivery.body()).map(Bound::unbind))
            .map(Self)
            .map_err(|_| EventFault::NotJson { line: 1, column: 1 }.into())
    }
}

fn show_reply(py: Python<'_>, reply: Reply) -> PyResult<Py<PyAny>> {
    let outcome = reply.outcome.as_str();
    let code = reply.outcome.code().map(|code| code.as_str());
    let retry_after = reply.retry_after_seconds();
    let fields = (reply.status, retry_after, outcome, code);
    let reply = record!(
        py,
        "velora.receiving",
        "Reply",
        (fields.0, fields.1, fields.2, fields.3)
    )?;
    Ok(reply.unbind())
}

/// A genuine event that is ours to handle.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Work {
    key: String,
    epoch: Epoch,
    event: Py<PyAny>,
    work: Arc<Mutex<Option<CoreWork<'static>>>>,
}

impl Work {
    fn new(work: CoreWork<'static>, Shown(event): Shown) -> Self {
        Self {
            key: work.key().as_str().to_owned(),
            epoch: work.epoch(),
            event,
            work: Arc::new(Mutex::new(Some(work))),
        }
    }

    /// Ends the work, once.
    fn end<F>(&self, end: fn(CoreWork<'static>) -> F) -> Call
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let work = Arc::clone(&self.work);
        Call::of(async move {
            let work = work.lock().await.take().ok_or_else(ended)?;
            let reply = end(work).await;
            Ok(move |py: Python<'_>| show_reply(py, reply))
        })
    }
}

#[pymethods]
impl Work {
    /// What was claimed.
    #[getter]
    fn key(&self) -> &str {
        &self.key
    }

    /// Under which number.
    #[getter]
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What was delivered.
    #[getter]
    fn event(&self, py: Python<'_>) -> Py<PyAny> {
        self.event.clone_ref(py)
    }

    /// The event was handled.
    fn done(&self) -> Call {
        self.end(CoreWork::done)
    }

    /// The event was handled, and the claim is committed with what it did.
    fn committed(&self) -> Call {
        self.end(|work| ready(work.committed()))
    }

    /// The event was not handled.
    fn release(&self) -> Call {
        self.end(CoreWork::release)
    }

    /// More time for long work.
    fn renew(&self) -> Call {
        let work = Arc::clone(&self.work);
        Call::of(async move {
            let held = work.lock().await;
            held.as_ref().ok_or_else(ended)?.renew().await?;
            Ok(|py: Python<'_>| Ok(py.None()))
        })
    }
}

fn ended() -> Trouble {
    Trouble::Raised(PyRuntimeError::new_err("this work was ended already"))
}
