//! A claim that is held until it is ended.

use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use tokio::sync::Mutex;
use velora_core::dedupe::Epoch;
use velora_core::{Key, Lease, Outcome, Store};

use crate::call::Trouble;

/// A claim that is held. Ending it a second time is a `RuntimeError`.
#[derive(Clone)]
pub(crate) struct Held(Arc<Claim>);

struct Claim {
    store: Arc<dyn Store>,
    key: Key,
    epoch: Epoch,
    ended: Mutex<bool>,
}

impl Held {
    pub(crate) fn new(store: Arc<dyn Store>, key: Key, epoch: Epoch) -> Self {
        let ended = Mutex::new(false);
        Self(Arc::new(Claim {
            store,
            key,
            epoch,
            ended,
        }))
    }

    /// The key that was claimed.
    pub(crate) fn key(&self) -> &str {
        self.0.key.as_str()
    }

    /// The claim's epoch.
    pub(crate) fn epoch(&self) -> Epoch {
        self.0.epoch
    }

    /// The event was handled: commits the claim.
    pub(crate) async fn commit(self) -> Result<Outcome, Trouble> {
        self.end().await?;
        let Claim {
            store, key, epoch, ..
        } = &*self.0;
        let lease = Lease::new(&**store, key.clone(), *epoch);
        Ok(Outcome::commit(lease).await)
    }

    /// The event was handled, and the caller's own transaction has committed the claim.
    pub(crate) async fn committed(self) -> Result<Outcome, Trouble> {
        self.end().await?;
        Ok(Outcome::of_commit(Ok(())))
    }

    /// The event was not handled: releases the claim.
    pub(crate) async fn release(self) -> Result<Outcome, Trouble> {
        self.end().await?;
        let Claim {
            store, key, epoch, ..
        } = &*self.0;
        let released = store.release(key, *epoch).await;
        Ok(Outcome::of_release(released, Outcome::HandlerFailed))
    }

    /// Renews the lease, for long work.
    pub(crate) async fn renew(self) -> Result<(), Trouble> {
        let ended = self.0.ended.lock().await;
        check(*ended)?;
        Ok(self.0.store.renew(&self.0.key, self.0.epoch).await?)
    }

    async fn end(&self) -> Result<(), Trouble> {
        check(std::mem::replace(&mut *self.0.ended.lock().await, true))
    }
}

fn check(ended: bool) -> Result<(), Trouble> {
    match ended {
        true => Err(Trouble::Raised(PyRuntimeError::new_err(
            "this work has already ended",
        ))),
        false => Ok(()),
    }
}
