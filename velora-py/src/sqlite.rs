//! A driver for Python's own SQLite. Within one process, file locks work only between the
//! connections of one copy of SQLite, and the program's connections use that of `sqlite3`.

use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use velora_core::dedupe::{SqliteConnection, SqliteDriver, SqliteFault, Statement};

use crate::errors::invalid_option;
use crate::process::attached_shortly;
use crate::transaction::shown;

/// The Python module that runs the statements.
const MODULE: &str = "velora._sqlite";

/// The driver.
#[derive(Clone, Copy)]
pub(crate) struct Sqlite {
    version: i32,
}

impl Sqlite {
    /// Errors: `invalid_option` if this Python was built without `sqlite3`.
    pub(crate) fn new(py: Python<'_>) -> PyResult<Self> {
        let module =
            py.import(MODULE)
                .map_err(|error| match error.is_instance_of::<PyImportError>(py) {
                    true => invalid_option("url", "this Python has no `sqlite3`").into(),
                    false => error,
                })?;
        let version = module.getattr("version")?.call0()?.extract()?;
        Ok(Self { version })
    }
}

impl SqliteDriver for Sqlite {
    type Connection = Connection;

    fn version(&self) -> i32 {
        self.version
    }

    fn open(&self, path: &Path, busy: Duration) -> Result<Connection, SqliteFault> {
        static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        visit(|py| {
            let class = CLASS.import(py, MODULE, "Connection")?;
            let connection = class.call1((path, busy.as_secs_f64()))?;
            Ok(Connection(Arc::new(connection.unbind())))
        })
    }
}

/// A connection of `sqlite3`.
pub(crate) struct Connection(Arc<Py<PyAny>>);

impl SqliteConnection for Connection {
    fn script(&self, sql: &str) -> Result<(), SqliteFault> {
        visit(|py| self.0.call_method1(py, "script", (sql,)).map(drop))
    }

    fn row<const N: usize>(&self, statement: &Statement) -> Result<Option<[i64; N]>, SqliteFault> {
        visit(|py| self.run(py, "row", statement)?.extract())
    }

    fn change(&self, statement: &Statement) -> Result<u64, SqliteFault> {
        visit(|py| self.run(py, "change", statement)?.extract())
    }
}

impl Connection {
    fn run<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        statement: &Statement,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = shown(py, statement)?;
        self.0.bind(py).call_method1(method, arguments)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let closed = attached_shortly(|py| self.0.call_method0(py, "close").is_ok());
        if closed.is_none() {
            // Otherwise Python would warn about it when it is garbage-collected.
            mem::forget(Arc::clone(&self.0));
        }
    }
}

fn visit<T>(work: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T, SqliteFault> {
    attached_shortly(|py| work(py).map_err(|error| fault(py, &error)))
        .unwrap_or_else(|| Err(SqliteFault::Other("the program is exiting".to_owned())))
}

/// Judged by SQLite's message, because errors have a code only since Python 3.11.
fn fault(py: Python<'_>, error: &PyErr) -> SqliteFault {
    let words = error.value(py).to_string();
    match words.as_str() {
        "database is locked" | "database table is locked" => SqliteFault::Busy,
        "database or disk is full" => SqliteFault::Full,
        _ => SqliteFault::Other(words),
    }
}
