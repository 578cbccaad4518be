//! Where claims are kept: in memory, or wherever the caller keeps them.

use std::sync::Arc;

use js_sys::{Array, Function, Promise};
use send_wrapper::SendWrapper;
use velora_core::dedupe::{Epoch, StoreFuture};
use velora_core::{Claim, ConfigError, Key, Lease, MemoryStore, Store, StoreError, StoreOptions};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use crate::failure::failure;
use crate::number::{duration, integer, whole};

/// A store that claims are made in.
#[wasm_bindgen]
pub struct RawStore {
    pub(crate) store: Arc<dyn Store>,
    memory: Option<Arc<MemoryStore>>,
}

#[wasm_bindgen]
impl RawStore {
    /// Times in seconds; what is absent is the core's default.
    ///
    /// Errors: `invalid_lease`, `invalid_retention`, `invalid_capacity`.
    pub fn memory(
        lease: Option<f64>,
        retention: Option<f64>,
        dangerous_short_retention: Option<f64>,
        capacity: Option<f64>,
    ) -> Result<RawStore, JsValue> {
        let store = || {
            let mut options = StoreOptions::default();
            // The longer of the two first: the lease has to be shorter.
            if let Some(seconds) = retention {
                let retention = duration(seconds).ok_or(ConfigError::InvalidRetention)?;
                options = options.with_retention(retention)?;
            }
            if let Some(seconds) = dangerous_short_retention {
                let retention = duration(seconds).ok_or(ConfigError::InvalidRetention)?;
                options = options.dangerous_short_retention(retention)?;
            }
            if let Some(seconds) = lease {
                let lease = duration(seconds).ok_or(ConfigError::InvalidLease)?;
                options = options.with_lease(lease)?;
            }
            let capacity = match capacity {
                Some(keys) => whole("capacity", keys)?,
                None => MemoryStore::DEFAULT_CAPACITY,
            };
            MemoryStore::new(options, capacity)
        };
        let store = Arc::new(store().map_err(failure)?);
        Ok(Self {
            store: store.clone(),
            memory: Some(store),
        })
    }

    /// A store of the caller's: `verbs(verb, key, epoch)` carries out `claim`, `commit`,
    /// `release` and `renew`. It gives a state and its number, where it has one, or `error`
    /// and a code; and it never fails.
    pub fn of(verbs: Function) -> Self {
        let verbs = SendWrapper::new(verbs);
        Self {
            store: Arc::new(HostStore { verbs }),
            memory: None,
        }
    }

    #[wasm_bindgen(getter)]
    pub fn size(&self) -> usize {
        self.memory.as_ref().map_or(0, |memory| memory.len())
    }

    #[wasm_bindgen(getter)]
    pub fn dropped_early(&self) -> f64 {
        let dropped = self.memory.as_ref().map(|memory| memory.dropped_early());
        dropped.unwrap_or_default() as f64
    }

    /// Gives what `verbs` does.
    ///
    /// Errors: `store_full`, `store_unavailable`.
    pub fn claim(&self, key: String) -> Promise {
        let store = Arc::clone(&self.store);
        future_to_promise(async move {
            let claimed = store.claim(Key::from(key.as_str())).await;
            claimed.map(|claim| said(&claim)).map_err(failure)
        })
    }

    /// Ends a lease, or lets it start anew.
    ///
    /// Errors: `lease_lost`, `store_unavailable`.
    pub fn end(&self, verb: String, key: String, epoch: f64) -> Promise {
        let store = Arc::clone(&self.store);
        future_to_promise(async move {
            let lease = Lease::new(&*store, Key::from(key.as_str()), epoch as Epoch);
            let ended = match verb.as_str() {
                "commit" => lease.commit().await,
                "release" => lease.release().await,
                _ => lease.renew().await,
            };
            ended.map(|()| JsValue::UNDEFINED).map_err(failure)
        })
    }
}

/// The state, and its number where it has one.
fn said(claim: &Claim<'_>) -> JsValue {
    let (state, number) = match claim {
        Claim::Fresh(lease) => ("fresh", Some(lease.epoch() as f64)),
        Claim::InFlight { retry_after } => ("in_flight", Some(retry_after.as_secs_f64())),
        Claim::Done => ("done", None),
    };
    Array::of2(&state.into(), &number.into()).into()
}

/// A store whose verbs are a function of JavaScript.
struct HostStore {
    verbs: SendWrapper<Function>,
}

/// What a store of the caller's answers.
struct Answer {
    state: String,
    number: Option<f64>,
}

impl HostStore {
    /// What the caller's store threw is the caller's: it is not repeated.
    fn ask(
        &self,
        verb: &'static str,
        key: &Key,
        epoch: Epoch,
    ) -> impl Future<Output = Result<Answer, StoreError>> + Send + use<> {
        let key = JsValue::from_str(key.as_str());
        let asked = self
            .verbs
            .call3(&JsValue::NULL, &verb.into(), &key, &(epoch as f64).into());
        SendWrapper::new(async move {
            let silent = |_| unavailable("it did not answer");
            let promise: Promise = asked.map_err(silent)?.dyn_into().map_err(silent)?;
            let answered = JsFuture::from(promise).await.map_err(silent)?;
            let answered: Array = answered.dyn_into().map_err(silent)?;
            let state = answered.get(0).as_string().unwrap_or_default();
            let second = answered.get(1);
            match (state.as_str(), second.as_string().as_deref()) {
                ("error", Some("lease_lost")) => Err(StoreError::LeaseLost),
                ("error", Some("store_full")) => Err(StoreError::StoreFull),
                ("error", _) => Err(unavailable("it failed")),
                _ => Ok(Answer {
                    number: second.as_f64(),
                    state,
                }),
            }
        })
    }
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable {
        reason: reason.to_owned(),
    }
}

impl Store for HostStore {
    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        let asked = self.ask("claim", &key, 0);
        Box::pin(async move {
            let Answer { state, number } = asked.await?;
            match state.as_str() {
                "fresh" => match number.and_then(integer) {
                    Some(epoch) => Ok(Claim::Fresh(Lease::new(self, key, epoch))),
                    None => Err(unavailable("the epoch of its claim is no whole number")),
                },
                "in_flight" => match number.and_then(duration) {
                    Some(retry_after) => Ok(Claim::InFlight { retry_after }),
                    None => Err(unavailable("the retryAfter of its claim is no time")),
                },
                "done" => Ok(Claim::Done),
                _ => Err(unavailable("its answer to a claim is none")),
            }
        })
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        let asked = self.ask("commit", key, epoch);
        Box::pin(async move { asked.await.map(drop) })
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        let asked = self.ask("release", key, epoch);
        Box::pin(async move { asked.await.map(drop) })
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        let asked = self.ask("renew", key, epoch);
        Box::pin(async move { asked.await.map(drop) })
    }
}
