//! The statements of `claim_in` and `commit_in`, which run on the host's own connection.

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString, PyTuple};
use velora_core::Key;
use velora_core::dedupe::{Claimed, Epoch, InTransaction, Statement, Value};

use crate::errors::Result;
use crate::text::Text;
use crate::time::seconds;

/// The SQL statements to run, and how to read their results.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Statements(pub(crate) InTransaction);

/// The state, the epoch of a fresh claim, and the seconds until a claim in flight expires.
type Shown = (&'static str, Option<Epoch>, Option<f64>);

#[pymethods]
impl Statements {
    /// `sqlite` or `postgres`.
    #[getter]
    fn database(&self) -> &'static str {
        self.0.database()
    }

    /// The statement and its parameters.
    fn claim<'py>(&self, py: Python<'py>, key: Text) -> PyResult<Bound<'py, PyTuple>> {
        shown(py, &self.0.claim(&Key::from(&*key)))
    }

    /// Interprets the row that `claim` returned.
    fn fresh(&self, row: i64) -> Shown {
        claimed(self.0.fresh(row))
    }

    /// The statement and its parameters.
    fn standing<'py>(&self, py: Python<'py>, key: Text) -> PyResult<Bound<'py, PyTuple>> {
        shown(py, &self.0.standing(&Key::from(&*key)))
    }

    /// Interprets the row that `standing` returned, if it returned one.
    fn stands(&self, row: Option<(i64, i64)>) -> Shown {
        claimed(self.0.stands(row))
    }

    /// The statement and its parameters.
    fn commit<'py>(
        &self,
        py: Python<'py>,
        key: Text,
        epoch: Epoch,
    ) -> PyResult<Bound<'py, PyTuple>> {
        shown(py, &self.0.commit(&Key::from(&*key), epoch))
    }

    /// Interprets the number of rows that `commit` changed.
    fn committed(&self, rows: u64) -> Result<()> {
        Ok(self.0.committed(rows)?)
    }
}

fn claimed(claimed: Claimed) -> Shown {
    match claimed {
        Claimed::Fresh(epoch) => ("fresh", Some(epoch), None),
        Claimed::InFlight { retry_after } => ("in_flight", None, Some(seconds(retry_after))),
        Claimed::Done => ("done", None, None),
    }
}

/// A statement and its parameters.
pub(crate) fn shown<'py>(py: Python<'py>, statement: &Statement) -> PyResult<Bound<'py, PyTuple>> {
    let values = statement.values.iter().map(|value| match value {
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Integer(number) => PyInt::new(py, *number).into_any(),
    });
    let values = PyTuple::new(py, values.collect::<Vec<_>>())?;
    (statement.sql, values).into_pyobject(py)
}
