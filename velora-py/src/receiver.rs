//! The receiver: verifies, claims and replies.

use std::future::Future;
use std::sync::Arc;

use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use velora_core::dedupe::{Claimed, Epoch};
use velora_core::{
    Delivery as CoreDelivery, Event, EventFault, FromDelivery, Key, Outcome,
    Receiver as CoreReceiver, Reply, Store as CoreStore, VerificationError,
};

use crate::body::raw_body;
use crate::call::{Call, Trouble};
use crate::delivery::Delivery;
use crate::errors::{Failure, Result, invalid_option};
use crate::event;
use crate::headers::owned;
use crate::held::Held;
use crate::number::Whole;
use crate::record::record;
use crate::store::Store;
use crate::text::Text;
use crate::time::seconds;
use crate::unchecked::Kept;
use crate::verifier::Verifier;

/// Receives the deliveries of one endpoint.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Receiver {
    receiver: CoreReceiver,
    store: Arc<dyn CoreStore>,
}

#[pymethods]
impl Receiver {
    #[new]
    #[pyo3(signature = (verifier, store, *, body_limit = None))]
    fn new(
        verifier: &Bound<'_, Verifier>,
        store: &Bound<'_, Store>,
        body_limit: Option<Whole>,
    ) -> Result<Self> {
        let store = Arc::clone(&store.get().store);
        let receiver = CoreReceiver::new(verifier.get().0.clone(), Arc::clone(&store));
        let receiver = match body_limit {
            Some(bytes) => receiver.with_body_limit(bytes.fit("body_limit")?),
            None => receiver,
        };
        Ok(Self { receiver, store })
    }

    /// The largest body, in bytes, that is looked at.
    #[getter]
    fn body_limit(&self) -> usize {
        self.receiver.body_limit()
    }

    /// The `Reply` to a request whose body broke off.
    fn unreadable(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        show_reply(py, self.receiver.reply(Outcome::BodyUnreadable))
    }

    /// Verifies and claims: `Work` where there is some to do, else the `Reply`.
    fn begin(&self, body: &Bound<'_, PyAny>, headers: &Bound<'_, PyAny>) -> PyResult<Call> {
        let headers = owned(self.receiver.verifier().precheck(), headers)?;
        let body = raw_body(body)?;
        let (raw, body) = (body.clone().unbind(), PyBackedBytes::from(body));
        let (receiver, store) = (self.receiver.clone(), Arc::clone(&self.store));
        let begun = async move {
            let begun = receiver.begin_event::<_, Shown>(&body, &headers).await;
            let begun = begun.map(|(work, event)| {
                let held = Held::new(store, work.key().clone(), work.epoch());
                let delivery = work.delivery().clone().into_owned();
                (held, Kept::owned(delivery, raw), event)
            });
            Ok::<_, Failure>((receiver, begun))
        };
        Ok(Call::new(begun, |py, (receiver, begun)| match begun {
            Ok((held, delivery, Shown(event))) => {
                let delivery = Delivery::with_event(py, delivery, event);
                let work = Work {
                    receiver,
                    held,
                    delivery: Py::new(py, delivery)?,
                };
                Ok(Py::new(py, work)?.into_any())
            }
            Err(reply) => show_reply(py, reply),
        }))
    }

    /// Claims the key of a listed event: `Listed` where it is to be handled, else the
    /// `Backfilled`.
    fn backfill(&self, key: &Bound<'_, PyAny>) -> PyResult<Call> {
        let key = listed_key(key)?;
        let store = Arc::clone(&self.store);
        let claimed = async move {
            let claimed = store.claim(key.clone()).await.map(Claimed::from);
            let epoch = Outcome::of_claim(claimed).map(|lease| lease.epoch());
            Ok::<_, Failure>(epoch.map(|epoch| Held::new(store, key, epoch)))
        };
        Ok(Call::new(claimed, |py, claimed| match claimed {
            Ok(held) => Ok(Py::new(py, Listed(held))?.into_any()),
            Err(outcome) => show_backfilled(py, &outcome),
        }))
    }
}

/// Errors: `invalid_option`.
fn listed_key(key: &Bound<'_, PyAny>) -> PyResult<Key> {
    if key.is_none() {
        let reason = "the event has no identity: it cannot be told from others";
        return Err(invalid_option("key", reason).into());
    }
    match key.extract::<Text>() {
        Ok(text) => Ok(Key::from(&*text)),
        Err(_) => Err(invalid_option("key", "it must be a str: the event's key").into()),
    }
}

/// An event as its Python class. An event that Python cannot read is refused before it is claimed.
struct Shown(Py<PyAny>);

impl FromDelivery for Shown {
    fn from_delivery(delivery: &CoreDelivery<'_>) -> std::result::Result<Self, VerificationError> {
        let event: Event = delivery.event()?;
        // Runs in the calling thread, because nothing waits before an event is claimed.
        Python::attach(|py| event::record(py, &event, delivery.body()).map(Bound::unbind))
            .map(Self)
            .map_err(|_| EventFault::NotJson { line: 1, column: 1 }.into())
    }
}

fn show_reply(py: Python<'_>, reply: Reply) -> PyResult<Py<PyAny>> {
    let outcome = reply.outcome.as_str();
    let code = reply.outcome.code().map(|code| code.as_str());
    let retry_after = reply.retry_after_seconds();
    let error = reason(py, &reply.outcome);
    let reply = record!(
        py,
        "velora.receiving",
        "Reply",
        (reply.status, retry_after, outcome, code, error)
    )?;
    Ok(reply.unbind())
}

/// The core's [`Outcome::reason`].
fn reason(py: Python<'_>, outcome: &Outcome) -> Option<Py<PyBaseException>> {
    let error = outcome.reason()?;
    Some(PyErr::from(Failure::from(error)).into_value(py))
}

fn show_backfilled(py: Python<'_>, outcome: &Outcome) -> PyResult<Py<PyAny>> {
    let code = outcome.code().map(|code| code.as_str());
    let retry_after = match outcome {
        Outcome::InFlight { retry_after } => Some(seconds(*retry_after)),
        _ => None,
    };
    let error = reason(py, outcome);
    let backfilled = record!(
        py,
        "velora.receiving",
        "Backfilled",
        (outcome.as_str(), code, retry_after, error)
    )?;
    Ok(backfilled.unbind())
}

/// A genuine event that is ours to handle.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Work {
    receiver: CoreReceiver,
    held: Held,
    delivery: Py<Delivery>,
}

impl Work {
    /// Ends the work, once.
    fn end<F>(&self, end: fn(Held) -> F) -> Call
    where
        F: Future<Output = std::result::Result<Outcome, Trouble>> + Send + 'static,
    {
        let (receiver, held) = (self.receiver.clone(), self.held.clone());
        Call::of(async move {
            let reply = receiver.reply(end(held).await?);
            Ok(move |py: Python<'_>| show_reply(py, reply))
        })
    }
}

#[pymethods]
impl Work {
    /// What was claimed.
    #[getter]
    fn key(&self) -> &str {
        self.held.key()
    }

    /// Under which number.
    #[getter]
    fn epoch(&self) -> Epoch {
        self.held.epoch()
    }

    /// What was delivered.
    #[getter]
    fn delivery(&self, py: Python<'_>) -> Py<Delivery> {
        self.delivery.clone_ref(py)
    }

    /// The event that it carries.
    #[getter]
    fn event(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.delivery.get().event(py)
    }

    /// The event was handled.
    fn done(&self) -> Call {
        self.end(Held::commit)
    }

    /// The event was handled, and the claim is committed with what it did.
    fn committed(&self) -> Call {
        self.end(Held::committed)
    }

    /// The event was not handled.
    fn release(&self) -> Call {
        self.end(Held::release)
    }

    /// More time for long work.
    fn renew(&self) -> Call {
        let held = self.held.clone();
        Call::of(async move {
            held.renew().await?;
            Ok(|py: Python<'_>| Ok(py.None()))
        })
    }
}

/// A listed event that is ours to handle.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Listed(Held);

impl Listed {
    fn end<F>(&self, end: fn(Held) -> F) -> Call
    where
        F: Future<Output = std::result::Result<Outcome, Trouble>> + Send + 'static,
    {
        let held = self.0.clone();
        Call::of(async move {
            let outcome = end(held).await?;
            Ok(move |py: Python<'_>| show_backfilled(py, &outcome))
        })
    }
}

#[pymethods]
impl Listed {
    /// The event was handled.
    fn done(&self) -> Call {
        self.end(Held::commit)
    }

    /// The event was not handled.
    fn release(&self) -> Call {
        self.end(Held::release)
    }
}
