//! Events as the audit API lists and exports them.

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::PyString;
use velora_core::health::{AuditEvent as CoreEvent, Page};

use crate::errors::Result;
use crate::record::{event_type, record};
use crate::text::Text;
use crate::{json, time};

/// An audit event as the API lists and exports it. Each member is parsed when it is read.
#[pyclass(frozen, freelist = 1024, module = "velora.health")]
pub(crate) struct AuditEvent(pub(crate) CoreEvent);

#[pymethods]
impl AuditEvent {
    /// Reads an event from its JSON text, such as a row of an exported file.
    #[staticmethod]
    fn from_json(text: Text) -> Result<Self> {
        Ok(Self(CoreEvent::from_json(text)?))
    }

    /// The event's id; in a delivery it is called `id`.
    #[getter]
    fn event_id<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        text(py, self.0.event_id())
    }

    /// When it happened.
    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        time::datetime(py, self.0.timestamp())
    }

    /// What happened, as text; in a delivery it is called `type`.
    #[getter]
    fn action<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        text(py, self.0.action())
    }

    /// What happened, as an `EventType`.
    #[getter]
    fn r#type<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(match self.0.action() {
            Some(action) => Some(event_type!(py, "velora.health", &action)),
            None => None,
        })
    }

    /// The id of the user who did it.
    #[getter]
    fn user_id<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        text(py, self.0.user_id())
    }

    /// The user's role, such as `data_analyst`.
    #[getter]
    fn user_role<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        text(py, self.0.user_role())
    }

    /// The kind of resource, such as `claim`.
    #[getter]
    fn resource_type<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        text(py, self.0.resource_type())
    }

    /// The resource's id.
    #[getter]
    fn resource_id<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        text(py, self.0.resource_id())
    }

    /// Which fields of the resource were read.
    #[getter]
    fn fields_accessed<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        json::answer(py, self.0.fields_accessed().as_ref())
    }

    /// Whether protected health information was involved.
    #[getter]
    fn phi_involved(&self) -> Option<bool> {
        self.0.phi_involved()
    }

    /// The tenant it belongs to.
    #[getter]
    fn tenant_id<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        text(py, self.0.tenant_id())
    }

    /// The IP address that the request came from.
    #[getter]
    fn source_ip<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        text(py, self.0.source_ip())
    }

    /// The user agent of the request.
    #[getter]
    fn user_agent<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        text(py, self.0.user_agent())
    }

    /// The stated reason.
    #[getter]
    fn justification<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        text(py, self.0.justification())
    }

    /// Whether the action succeeded.
    #[getter]
    fn success(&self) -> Option<bool> {
        self.0.success()
    }

    /// Free-form details.
    #[getter]
    fn details<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        json::answer(py, self.0.details().as_ref())
    }

    /// The system's own text.
    #[getter]
    fn raw(&self) -> &str {
        self.0.raw().as_str()
    }

    /// The same on one line, without a line end.
    #[getter]
    fn line(&self) -> Cow<'_, str> {
        self.0.raw().as_line()
    }

    /// The identity to deduplicate on: equal to the key of the event's delivery.
    #[getter]
    fn key(&self) -> Option<String> {
        self.0.key().map(|key| key.as_str().to_owned())
    }

    /// Any member by name, including members that this version does not know.
    fn member<'py>(&self, py: Python<'py>, name: Text) -> PyResult<Option<Bound<'py, PyAny>>> {
        json::answer(py, self.0.member(&name).as_ref())
    }

    /// All members, as the system wrote them.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::answered(py, self.raw())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.raw().hash(&mut hasher);
        hasher.finish()
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyString>,))> {
        let text = PyString::new(slf.py(), slf.get().raw());
        Ok((slf.get_type().getattr("from_json")?, (text,)))
    }

    fn __repr__(&self) -> String {
        let shown = |text: Option<Cow<'_, str>>| {
            text.map_or_else(|| "None".to_owned(), |text| format!("{text:?}"))
        };
        let (id, action) = (shown(self.0.event_id()), shown(self.0.action()));
        format!("AuditEvent(event_id={id}, action={action})")
    }
}

fn text<'py>(py: Python<'py>, text: Option<Cow<'_, str>>) -> Option<Bound<'py, PyString>> {
    text.map(|text| PyString::new(py, &text))
}

/// Events of one response, with their members located.
pub(crate) struct Batch {
    pub(crate) events: Vec<CoreEvent>,
    next_cursor: Option<String>,
}

impl Batch {
    pub(crate) fn of_page(page: &Page) -> Self {
        Self {
            events: page.events().collect(),
            next_cursor: page.next_cursor().map(str::to_owned),
        }
    }

    pub(crate) fn of_rows(events: Vec<CoreEvent>) -> Self {
        Self {
            events,
            next_cursor: None,
        }
    }

    pub(crate) fn show(py: Python<'_>, batch: &Self) -> PyResult<Py<PyAny>> {
        let events = batch.events.iter().cloned().map(AuditEvent);
        let events = events.map(|event| Py::new(py, event));
        let events = events.collect::<PyResult<Vec<_>>>()?;
        let page = record!(py, "velora.paging", "Page", (events, &batch.next_cursor))?;
        Ok(page.unbind())
    }
}
