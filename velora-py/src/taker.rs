//! Takes the items of a stream, one by one.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::call::Call;
use crate::stream::{Stream, Taken};

/// Takes items one by one, or page by page. Items that were taken and not yet returned are kept
/// here and not in Python, so that no item is lost if a signal handler raises between two steps.
#[pyclass(subclass, frozen, generic, module = "velora._velora")]
pub(crate) struct Taker {
    stream: Py<Stream>,
    /// Whether items that come together are returned together.
    whole: bool,
    /// The rest of items that came together. Several threads may each have begun some.
    taken: Mutex<VecDeque<Py<PyAny>>>,
}

enum Step {
    Item(Py<PyAny>),
    End,
    Later(Call),
}

#[pymethods]
impl Taker {
    #[new]
    #[pyo3(signature = (stream, *, whole = false))]
    fn new(stream: Py<Stream>, whole: bool) -> Self {
        let taken = Mutex::default();
        Self {
            stream,
            whole,
            taken,
        }
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        loop {
            match self.step(py)? {
                Step::Item(item) => return Ok(Some(item)),
                Step::End => return Ok(None),
                Step::Later(call) => call.wait(py)?,
            };
        }
    }

    /// The next item, `None` at the end, or a `Call` to wait for before the next attempt.
    fn _take(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.step(py)? {
            Step::Item(item) => Ok(item),
            Step::End => Ok(py.None()),
            Step::Later(call) => Ok(Py::new(py, call)?.into_any()),
        }
    }

    /// The pages that were not begun yet, page by page.
    fn _whole(&self, py: Python<'_>) -> Self {
        Self::new(self.stream.clone_ref(py), true)
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) {
        self.close();
    }

    /// Closes the stream, and cancels the request in progress.
    fn close(&self) {
        self.stream.get().close();
        // Dropped while no lock is held.
        let taken = mem::take(&mut *self.taken());
        drop(taken);
    }
}

impl Taker {
    fn step(&self, py: Python<'_>) -> PyResult<Step> {
        loop {
            if let Some(item) = self.taken().pop_front() {
                return Ok(Step::Item(item));
            }
            match self.stream.get().take(py, |item| self.keep(py, item))? {
                Taken::One => {}
                Taken::End => return Ok(Step::End),
                Taken::Later(call) => return Ok(Step::Later(call)),
            }
        }
    }

    /// No Python code runs here that could raise halfway.
    fn keep(&self, py: Python<'_>, item: Py<PyAny>) -> PyResult<()> {
        if self.whole {
            self.taken().push_back(item);
            return Ok(());
        }
        let items = item.bind(py).getattr("_items")?;
        let items = items.cast::<PyList>()?;
        self.taken().extend(items.iter().map(Bound::unbind));
        Ok(())
    }

    fn taken(&self) -> MutexGuard<'_, VecDeque<Py<PyAny>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
