//! Stores, and the claims that they issue.

use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use velora_core::dedupe::{CustomStore, Epoch, SqliteStore, StoreSeconds};
use velora_core::{
    Claim as CoreClaim, Key, MemoryStore, Store as CoreStore, StoreError, StoreOptions, open_store,
};

use crate::argument::argument;
use crate::call::{Call, show_nothing};
use crate::custom::PythonVerbs;
use crate::errors::{Failure, Result};
use crate::forked::{Forked, in_file};
use crate::number::{Real, Whole};
use crate::sqlite::Sqlite;
use crate::text::Text;
use crate::time::seconds;
use crate::transaction::Statements;

/// A store of claims.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Store {
    pub(crate) store: Arc<dyn CoreStore>,
    memory: Option<Arc<MemoryStore>>,
}

/// The options of a store that were given. The defaults are the core's.
#[derive(Default)]
struct Options {
    lease: Option<Real>,
    retention: Option<Real>,
    dangerous_short_retention: Option<Real>,
    timeout: Option<Real>,
    connections: Option<Whole>,
    namespace: Option<Text>,
}

impl Options {
    /// Errors: `TypeError`, as from any Python function, if an option is unknown or has a wrong
    /// type.
    fn read(given: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut options = Self::default();
        for (name, value) in given.into_iter().flatten() {
            let name: &str = name.extract()?;
            match name {
                "lease" => options.lease = argument(name, &value)?,
                "retention" => options.retention = argument(name, &value)?,
                "dangerous_short_retention" => {
                    options.dangerous_short_retention = argument(name, &value)?;
                }
                "timeout" => options.timeout = argument(name, &value)?,
                "connections" => options.connections = argument(name, &value)?,
                "namespace" => options.namespace = argument(name, &value)?,
                unknown => {
                    let message = format!("unexpected keyword argument '{unknown}'");
                    return Err(PyTypeError::new_err(message));
                }
            }
        }
        Ok(options)
    }

    fn build(&self) -> Result<StoreOptions> {
        let seconds = |number: Option<Real>| number.map(|Real(seconds)| seconds);
        let mut options = StoreOptions::try_from_secs_f64(StoreSeconds {
            lease: seconds(self.lease),
            retention: seconds(self.retention),
            dangerous_short_retention: seconds(self.dangerous_short_retention),
            timeout: seconds(self.timeout),
        })?;
        if let Some(connections) = &self.connections {
            options = options.with_connections(connections.fit("connections")?)?;
        }
        if let Some(namespace) = &self.namespace {
            options = options.with_namespace(namespace)?;
        }
        Ok(options)
    }
}

#[pymethods]
impl Store {
    /// A store in the memory of this process. Times are in seconds.
    #[staticmethod]
    #[pyo3(signature = (*, capacity = None, **options))]
    fn memory(capacity: Option<Whole>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let options = Options::read(options)?.build()?;
        let capacity = match capacity {
            Some(capacity) => capacity.fit("capacity")?,
            None => MemoryStore::DEFAULT_CAPACITY,
        };
        let memory = Arc::new(MemoryStore::new(options, capacity).map_err(Failure::from)?);
        Ok(Self {
            store: Arc::clone(&memory) as Arc<dyn CoreStore>,
            memory: Some(memory),
        })
    }

    /// The store that a URL names.
    #[staticmethod]
    #[pyo3(signature = (url, **options))]
    fn open(url: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let (py, url) = (url.py(), argument::<Text>("url", url)?);
        let options = Options::read(options)?.build()?;
        let store = match SqliteStore::path_of(&url).map_err(Failure::from)? {
            Some(path) => {
                let sqlite = Sqlite::new(py)?;
                py.detach(|| Forked::new(move || Ok(in_file(sqlite, &path, options)?)))?
            }
            None => Forked::new(move || Ok(open_store(&url, options)?))?,
        };
        Ok(Self {
            store: Arc::new(store),
            memory: None,
        })
    }

    /// A store of the caller's own: `verbs` carries out each operation.
    #[staticmethod]
    fn custom(verbs: Py<PyAny>) -> Self {
        Self {
            store: Arc::new(CustomStore(PythonVerbs::new(verbs))),
            memory: None,
        }
    }

    /// Connects, and creates what is missing.
    fn ready(&self) -> Call {
        let store = Arc::clone(&self.store);
        Call::new(async move { store.ready().await }, show_nothing)
    }

    /// Closes the connections; a later call opens new ones.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.store.close());
    }

    /// The statements for a transaction of the caller's own, if the store has transactions.
    fn in_transaction(&self, py: Python<'_>) -> Option<Statements> {
        py.detach(|| self.store.in_transaction()).map(Statements)
    }

    /// Claims a key.
    fn claim(&self, key: &Bound<'_, PyAny>) -> PyResult<Call> {
        let key = Key::from(&*argument::<Text>("key", key)?);
        let store = Arc::clone(&self.store);
        Ok(Call::new(
            async move {
                let state = match store.claim(key.clone()).await? {
                    CoreClaim::Fresh(lease) => State::Fresh(lease.epoch()),
                    CoreClaim::InFlight { retry_after } => State::InFlight(seconds(retry_after)),
                    CoreClaim::Done => State::Done,
                };
                Ok::<_, StoreError>(Claim { store, key, state })
            },
            |py, claim| Ok(Py::new(py, claim)?.into_any()),
        ))
    }

    /// How many keys are held in memory.
    fn held(&self) -> usize {
        self.memory.as_ref().map_or(0, |memory| memory.len())
    }

    /// How many done keys were forgotten for lack of room.
    fn dropped_early(&self) -> u64 {
        self.memory
            .as_ref()
            .map_or(0, |memory| memory.dropped_early())
    }
}

/// The answer to a claim.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Claim {
    store: Arc<dyn CoreStore>,
    key: Key,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    Fresh(Epoch),
    InFlight(f64),
    Done,
}

#[pymethods]
impl Claim {
    /// `fresh`, `in_flight` or `done`.
    #[getter]
    fn state(&self) -> &'static str {
        match self.state {
            State::Fresh(_) => "fresh",
            State::InFlight(_) => "in_flight",
            State::Done => "done",
        }
    }

    /// When another holder's lease expires at the latest, in seconds.
    #[getter]
    fn retry_after(&self) -> Option<f64> {
        match self.state {
            State::InFlight(seconds) => Some(seconds),
            _ => None,
        }
    }

    /// The epoch of a fresh claim.
    #[getter]
    fn epoch(&self) -> Option<Epoch> {
        match self.state {
            State::Fresh(epoch) => Some(epoch),
            _ => None,
        }
    }

    /// The work is done: commits the claim.
    fn commit(&self) -> PyResult<Call> {
        let (store, key, epoch) = self.held()?;
        let work = async move { store.commit(&key, epoch).await };
        Ok(Call::new(work, show_nothing))
    }

    /// The work is not done: releases the claim.
    fn release(&self) -> PyResult<Call> {
        let (store, key, epoch) = self.held()?;
        let work = async move { store.release(&key, epoch).await };
        Ok(Call::new(work, show_nothing))
    }

    /// Renews the lease, for long work.
    fn renew(&self) -> PyResult<Call> {
        let (store, key, epoch) = self.held()?;
        let work = async move { store.renew(&key, epoch).await };
        Ok(Call::new(work, show_nothing))
    }
}

impl Claim {
    fn held(&self) -> PyResult<(Arc<dyn CoreStore>, Key, Epoch)> {
        match self.state {
            State::Fresh(epoch) => Ok((Arc::clone(&self.store), self.key.clone(), epoch)),
            _ => Err(PyValueError::new_err("this claim is not fresh")),
        }
    }
}
