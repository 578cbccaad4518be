//! Stores, and the claims they give out.

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use velora_core::dedupe::Epoch;
use velora_core::{
    Claim as CoreClaim, Key, MemoryStore, Store as CoreStore, StoreError, StoreOptions,
};

use crate::call::{Call, show_nothing};
use crate::errors::Result;
use crate::number::{Real, Whole};
use crate::text::Text;
use crate::time::{duration, seconds};

/// Keeps the claims.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Store {
    pub(crate) store: Arc<dyn CoreStore>,
    memory: Option<Arc<MemoryStore>>,
}

#[pymethods]
impl Store {
    /// In the memory of this process. Times are in seconds.
    #[staticmethod]
    #[pyo3(signature = (*, capacity = None, lease = None, retention = None, dangerous_short_retention = None))]
    fn memory(
        capacity: Option<Whole>,
        lease: Option<Real>,
        retention: Option<Real>,
        dangerous_short_retention: Option<Real>,
    ) -> Result<Self> {
        let options = StoreOptions::default();
        let lease = match lease {
            Some(seconds) => duration("lease", seconds)?,
            None => options.lease(),
        };
        // The shortest one first: the retention is compared with the one that is wanted alone.
        let mut options = options.with_lease(Duration::from_nanos(1))?;
        if let Some(seconds) = retention {
            options = options.with_retention(duration("retention", seconds)?)?;
        }
        if let Some(seconds) = dangerous_short_retention {
            let retention = duration("dangerous_short_retention", seconds)?;
            options = options.dangerous_short_retention(retention)?;
        }
        let options = options.with_lease(lease)?;
        let capacity = match capacity {
            Some(capacity) => capacity.fit("capacity")?,
            None => MemoryStore::DEFAULT_CAPACITY,
        };
        let memory = Arc::new(MemoryStore::new(options, capacity)?);
        Ok(Self {
            store: Arc::clone(&memory) as Arc<dyn CoreStore>,
            memory: Some(memory),
        })
    }

    /// Claims a key.
    fn claim(&self, key: Text) -> Call {
        let (store, key) = (Arc::clone(&self.store), Key::from(&*key));
        Call::new(
            async move {
                let state = match store.claim(key.clone()).await? {
                    CoreClaim::Fresh(lease) => State::Fresh(lease.epoch()),
                    CoreClaim::InFlight { retry_after } => State::InFlight(seconds(retry_after)),
                    CoreClaim::Done => State::Done,
                };
                Ok::<_, StoreError>(Claim { store, key, state })
            },
            |py, claim| Ok(Py::new(py, claim)?.into_any()),
        )
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

    /// When the lease of somebody else's claim runs out at the latest, in seconds.
    #[getter]
    fn retry_after(&self) -> Option<f64> {
        match self.state {
            State::InFlight(seconds) => Some(seconds),
            _ => None,
        }
    }

    /// The number of a fresh claim.
    #[getter]
    fn epoch(&self) -> Option<Epoch> {
        match self.state {
            State::Fresh(epoch) => Some(epoch),
            _ => None,
        }
    }

    /// The work is done.
    fn commit(&self) -> PyResult<Call> {
        let (store, key, epoch) = self.held()?;
        let work = async move { store.commit(&key, epoch).await };
        Ok(Call::new(work, show_nothing))
    }

    /// The work is not done.
    fn release(&self) -> PyResult<Call> {
        let (store, key, epoch) = self.held()?;
        let work = async move { store.release(&key, epoch).await };
        Ok(Call::new(work, show_nothing))
    }

    /// More time for long work.
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
