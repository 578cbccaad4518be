//! Stores of claims: in memory, in a database, or the caller's own.

use std::pin::Pin;
use std::sync::Arc;

use napi::bindgen_prelude::{FnArgs, Function, Promise, PromiseRaw, Result};
use napi::threadsafe_function::ThreadsafeFunction;
use napi::{Env, Status};
use napi_derive::napi;
use velora_core::dedupe::{
    CustomAnswer, CustomStore, CustomVerbs, Epoch, StoreFuture, StoreSeconds,
};
use velora_core::{Claim, ConfigError, Key, MemoryStore, Store, StoreOptions, open_store};

use crate::failure::{Answer, answer};
use crate::number::{duration, integer, whole};
use crate::transaction::NativeStatements;

/// A store of claims.
#[napi]
pub struct NativeStore {
    pub(crate) store: Arc<dyn Store>,
    memory: Option<Arc<MemoryStore>>,
}

/// The options of a store. Times are in seconds; absent options have the core's defaults.
#[napi(object, object_to_js = false)]
pub struct StoreParts {
    pub lease: Option<f64>,
    pub retention: Option<f64>,
    pub dangerous_short_retention: Option<f64>,
    pub timeout: Option<f64>,
    pub connections: Option<f64>,
    pub namespace: Option<String>,
    /// For a store in memory only.
    pub capacity: Option<f64>,
}

/// The result of `claim`, `commit`, `release` or `renew`.
#[napi(object)]
pub struct StoreAnswer {
    /// `fresh`, `in_flight`, `done`, `ok` or `error`.
    pub state: String,
    pub epoch: Option<f64>,
    /// Seconds.
    pub retry_after: Option<f64>,
    /// The code of an error.
    pub code: Option<String>,
}

#[napi]
impl NativeStore {
    /// Errors: `invalid_lease`, `invalid_retention`, `invalid_capacity`.
    #[napi(catch_unwind)]
    pub fn memory(parts: StoreParts) -> Answer<NativeStore> {
        answer(parts.memory().map(|store| {
            let store = Arc::new(store);
            Self {
                store: store.clone(),
                memory: Some(store),
            }
        }))
    }

    /// Opens the store that a URL names, without connecting yet.
    ///
    /// Errors: `invalid_lease`, `invalid_retention`, `invalid_option`.
    #[napi(catch_unwind)]
    pub fn open(url: String, parts: StoreParts) -> Answer<NativeStore> {
        let store = parts
            .options()
            .and_then(|options| open_store(&url, options));
        answer(store.map(|store| Self {
            store,
            memory: None,
        }))
    }

    /// A store of the caller's own: `verbs` carries out `claim`, `commit`, `release` and
    /// `renew`, and must never fail.
    #[napi(catch_unwind)]
    pub fn of(
        #[napi(ts_arg_type = "(verb: string, key: string, epoch: number) => Promise<StoreAnswer>")]
        verbs: Function<'_, VerbArguments, Promise<StoreAnswer>>,
    ) -> Result<Self> {
        let verbs = verbs.build_threadsafe_function().weak::<true>().build()?;
        Ok(Self {
            store: Arc::new(CustomStore(HostVerbs(verbs))),
            memory: None,
        })
    }

    #[napi(getter, catch_unwind)]
    pub fn size(&self) -> f64 {
        let size = self.memory.as_ref().map_or(0, |memory| memory.len());
        size as f64
    }

    #[napi(getter, catch_unwind)]
    pub fn dropped_early(&self) -> f64 {
        let dropped = self
            .memory
            .as_ref()
            .map_or(0, |memory| memory.dropped_early());
        dropped as f64
    }

    /// Closes the connections; a later call opens new ones.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.store.close();
    }

    /// The statements that claim and commit in a transaction of the caller's own; null if
    /// the store is not in a database that has transactions.
    #[napi(catch_unwind)]
    pub fn in_transaction(&self) -> Option<NativeStatements> {
        self.store.in_transaction().map(NativeStatements)
    }

    /// Errors: `store_unavailable`.
    #[napi(catch_unwind)]
    pub fn ready<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, Answer<bool>>> {
        let store = Arc::clone(&self.store);
        env.spawn_future(async move { Ok(answer(store.ready().await.map(|()| true))) })
    }

    /// Errors: `store_full`, `store_unavailable`.
    #[napi(catch_unwind)]
    pub fn claim<'env>(
        &self,
        env: &'env Env,
        key: String,
    ) -> Result<PromiseRaw<'env, Answer<StoreAnswer>>> {
        let store = Arc::clone(&self.store);
        env.spawn_future(async move {
            let claimed = store.claim(Key::from(key.as_str())).await;
            Ok(answer(claimed.map(StoreAnswer::from)))
        })
    }

    /// Errors: `lease_lost`, `store_unavailable`.
    #[napi(catch_unwind)]
    pub fn commit<'env>(
        &self,
        env: &'env Env,
        key: String,
        epoch: f64,
    ) -> Result<PromiseRaw<'env, Answer<bool>>> {
        self.held(env, key, epoch, <dyn Store>::commit)
    }

    /// Errors: `lease_lost`, `store_unavailable`.
    #[napi(catch_unwind)]
    pub fn release<'env>(
        &self,
        env: &'env Env,
        key: String,
        epoch: f64,
    ) -> Result<PromiseRaw<'env, Answer<bool>>> {
        self.held(env, key, epoch, <dyn Store>::release)
    }

    /// Errors: `lease_lost`, `store_unavailable`.
    #[napi(catch_unwind)]
    pub fn renew<'env>(
        &self,
        env: &'env Env,
        key: String,
        epoch: f64,
    ) -> Result<PromiseRaw<'env, Answer<bool>>> {
        self.held(env, key, epoch, <dyn Store>::renew)
    }
}

impl NativeStore {
    /// Carries out `commit`, `release` or `renew` for the holder of this epoch.
    fn held<'env>(
        &self,
        env: &'env Env,
        key: String,
        epoch: f64,
        verb: for<'s> fn(&'s (dyn Store + 'static), &'s Key, Epoch) -> StoreFuture<'s, ()>,
    ) -> Result<PromiseRaw<'env, Answer<bool>>> {
        let store = Arc::clone(&self.store);
        env.spawn_future(async move {
            let key = Key::from(key.as_str());
            let done = verb(&*store, &key, epoch as Epoch).await;
            Ok(answer(done.map(|()| true)))
        })
    }
}

impl StoreParts {
    fn options(&self) -> std::result::Result<StoreOptions, ConfigError> {
        let mut options = StoreOptions::try_from_secs_f64(StoreSeconds {
            lease: self.lease,
            retention: self.retention,
            dangerous_short_retention: self.dangerous_short_retention,
            timeout: self.timeout,
        })?;
        if let Some(connections) = self.connections {
            options = options.with_connections(whole("connections", connections)?)?;
        }
        if let Some(namespace) = &self.namespace {
            options = options.with_namespace(namespace)?;
        }
        Ok(options)
    }

    fn memory(&self) -> std::result::Result<MemoryStore, ConfigError> {
        let options = self.options()?;
        let capacity = match self.capacity {
            Some(capacity) => whole("capacity", capacity)?,
            None => MemoryStore::DEFAULT_CAPACITY,
        };
        MemoryStore::new(options, capacity)
    }
}

impl From<Claim<'_>> for StoreAnswer {
    fn from(claim: Claim<'_>) -> Self {
        let (state, epoch, retry_after) = match claim {
            Claim::Fresh(lease) => ("fresh", Some(lease.epoch() as f64), None),
            Claim::InFlight { retry_after } => ("in_flight", None, Some(retry_after.as_secs_f64())),
            Claim::Done => ("done", None, None),
        };
        Self {
            state: state.to_owned(),
            epoch,
            retry_after,
            code: None,
        }
    }
}

/// The verb, the key, the epoch.
type VerbArguments = FnArgs<(String, String, f64)>;
type Verbs =
    ThreadsafeFunction<VerbArguments, Promise<StoreAnswer>, VerbArguments, Status, false, true>;

/// Verbs that a JavaScript function carries out.
struct HostVerbs(Verbs);

impl CustomVerbs for HostVerbs {
    fn ask<'a>(
        &'a self,
        verb: &'static str,
        key: &'a Key,
        epoch: Option<Epoch>,
    ) -> Pin<Box<dyn Future<Output = CustomAnswer> + Send + 'a>> {
        let epoch = epoch.unwrap_or_default() as f64;
        let arguments = (verb.to_owned(), key.as_str().to_owned(), epoch).into();
        Box::pin(async move {
            let answered = match self.0.call_async_catch(arguments).await {
                Ok(promise) => promise.await,
                Err(error) => Err(error),
            };
            match answered {
                Ok(answered) => answered.read(),
                Err(_) => CustomAnswer::failed(None, "it did not answer"),
            }
        })
    }
}

impl StoreAnswer {
    fn read(&self) -> CustomAnswer {
        match self.state.as_str() {
            "fresh" => CustomAnswer::Fresh(self.epoch.and_then(integer)),
            "in_flight" => CustomAnswer::InFlight(self.retry_after.and_then(duration)),
            "done" => CustomAnswer::Done,
            "ok" => CustomAnswer::Ok,
            "error" => CustomAnswer::failed(self.code.as_deref(), "it failed"),
            _ => CustomAnswer::Unknown,
        }
    }
}
