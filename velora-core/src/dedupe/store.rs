//! The contract between the receiver and whatever keeps the claims.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Key;
use super::claimed::Claimed;
use super::in_transaction::InTransaction;
use super::namespace::{Namespace, named};
use crate::error::{ConfigError, StoreError};

/// What a store's verbs return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Numbers the claims of a key. A later claim of the same key has a greater one.
pub type Epoch = u64;

/// Keeps the claims of one endpoint; those of another that shares the place are in another
/// [namespace](StoreOptions::with_namespace).
///
/// # The contract
///
/// A key is *free*, *claimed* under an epoch until its lease runs out, or *done*
/// until its retention runs out.
///
/// - `claim` of a free key, or of one whose lease has run out, claims it under a
///   new epoch: [`Claim::Fresh`]. Of any number of concurrent claims exactly one
///   is fresh. Of a key whose lease runs it is [`Claim::InFlight`], of a done key
///   [`Claim::Done`].
/// - `commit`, `release` and `renew` act only while the key is claimed under just
///   this epoch, in one step (compare and set); otherwise they change nothing and
///   fail with `lease_lost`. A lease that has run out but was not taken over is
///   still held: its work may be committed.
/// - `commit` makes the key done for the retention; `release` makes it free;
///   `renew` starts the lease anew.
/// - An epoch is never given out twice for a key, not even after a release.
///
/// What may be lossy: a store with bounded room may forget a *done* key early, if
/// it counts it; the event would then be handled a second time. What must not be:
/// a key whose lease runs is never forgotten to make room (`store_full` instead),
/// and a fault is an error, never a fresh claim.
///
/// [`conformance`](crate::dedupe::conformance) (feature `store-conformance`) holds
/// an implementation to this.
pub trait Store: Send + Sync {
    /// Connects, and creates what is missing, so that a misconfigured store is found
    /// when the service starts. Not needed: the first verb does the same.
    ///
    /// Errors: `store_unavailable`.
    fn ready(&self) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Closes the connections that nobody is using, soon: it does not wait. A later verb
    /// opens new ones; what is kept in memory stays. Not needed: a store that is dropped
    /// closes them too.
    fn close(&self) {}

    /// The statements that claim and commit in a transaction of the caller's, where the
    /// store is in a database that has such. Not needed to be a store.
    fn in_transaction(&self) -> Option<InTransaction> {
        None
    }

    /// Claims a key. Errors: `store_full`, `store_unavailable`.
    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>>;

    /// Marks the work as done. Errors: `lease_lost`, `store_full`, `store_unavailable`.
    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()>;

    /// Gives the key back undone. Errors: `lease_lost`, `store_full`, `store_unavailable`.
    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()>;

    /// Starts the lease anew. Errors: `lease_lost`, `store_full`, `store_unavailable`.
    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()>;
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn ready(&self) -> StoreFuture<'_, ()> {
        (**self).ready()
    }

    fn close(&self) {
        (**self).close();
    }

    fn in_transaction(&self) -> Option<InTransaction> {
        (**self).in_transaction()
    }

    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        (**self).claim(key)
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        (**self).commit(key, epoch)
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        (**self).release(key, epoch)
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        (**self).renew(key, epoch)
    }
}

/// The answer to a claim.
#[derive(Debug)]
pub enum Claim<'s> {
    /// The event is yours: work, then commit or release.
    Fresh(Lease<'s>),
    /// Someone is working on it. Ask the sender to come again; never answer 2xx.
    InFlight {
        /// When the lease runs out at the latest.
        retry_after: Duration,
    },
    /// It was handled before: answer 2xx.
    Done,
}

impl<'s> From<Claim<'s>> for Claimed<Lease<'s>> {
    fn from(claim: Claim<'s>) -> Self {
        match claim {
            Claim::Fresh(lease) => Self::Fresh(lease),
            Claim::InFlight { retry_after } => Self::InFlight { retry_after },
            Claim::Done => Self::Done,
        }
    }
}

/// The right to work on one event, until it is committed, released or taken over.
///
/// A lease that is dropped is not released: it runs out, and the next delivery of
/// the event takes it over.
#[must_use = "a lease that is not committed makes the event come again"]
pub struct Lease<'s> {
    store: &'s dyn Store,
    key: Key,
    epoch: Epoch,
}

impl<'s> Lease<'s> {
    /// For those who write a [`Store`]: the lease that a fresh claim hands out.
    pub fn new(store: &'s dyn Store, key: Key, epoch: Epoch) -> Self {
        Self { store, key, epoch }
    }

    /// What was claimed.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Under which number.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The work is done: every later claim is [`Claim::Done`].
    ///
    /// Errors: `lease_lost`, `store_full`, `store_unavailable`. Do not answer 2xx then.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.store.commit(&self.key, self.epoch).await
    }

    /// The work is not done: the next claim is fresh.
    ///
    /// Errors: `lease_lost`, `store_full`, `store_unavailable`.
    pub async fn release(self) -> Result<(), StoreError> {
        self.store.release(&self.key, self.epoch).await
    }

    /// More time for long work: the lease starts anew.
    ///
    /// Errors: `lease_lost`, after which the work should stop; `store_full`, `store_unavailable`.
    pub async fn renew(&self) -> Result<(), StoreError> {
        self.store.renew(&self.key, self.epoch).await
    }
}

impl std::fmt::Debug for Lease<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lease")
            .field("key", &self.key)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// How long a store keeps what, and under which name: the same for every store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    lease: Duration,
    retention: Duration,
    timeout: Duration,
    connections: usize,
    namespace: Option<Namespace>,
}

impl StoreOptions {
    /// Above the longest retry ladder of the four systems (17.5 h), with room.
    const MIN_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

    /// From seconds, for hosts whose times are plain numbers. What is absent is the
    /// default, and the lease is compared with the retention that is wanted.
    ///
    /// Errors: `invalid_lease`, `invalid_retention` and `invalid_option` as of the
    /// methods below; each also where the number is negative, NaN or infinite.
    pub fn try_from_secs_f64(seconds: StoreSeconds) -> Result<Self, ConfigError> {
        let duration = |seconds| Duration::try_from_secs_f64(seconds).ok();
        let mut options = Self::default();
        if let Some(lease) = seconds.lease {
            options.lease = duration(lease).ok_or(ConfigError::InvalidLease)?;
        }
        if let Some(retention) = seconds.retention {
            let retention = duration(retention).ok_or(ConfigError::InvalidRetention)?;
            options = options.with_retention(retention)?;
        }
        if let Some(retention) = seconds.dangerous_short_retention {
            let retention = duration(retention).ok_or(ConfigError::InvalidRetention)?;
            options = options.dangerous_short_retention(retention)?;
        }
        if let Some(timeout) = seconds.timeout {
            // What is no time at all is too long a one.
            options = options.with_timeout(duration(timeout).unwrap_or(Duration::MAX))?;
        }
        options.checked()
    }

    /// How long a claim may be worked on before another delivery takes it over.
    /// The default is 60 s; give more than the slowest handler needs.
    ///
    /// Errors: `invalid_lease` where it is zero or not under the retention.
    pub fn with_lease(self, lease: Duration) -> Result<Self, ConfigError> {
        Self { lease, ..self }.checked()
    }

    /// How long a done key is remembered. The default is 72 h.
    ///
    /// Errors: `invalid_retention` under 24 h, `invalid_lease` where the lease is
    /// not shorter.
    pub fn with_retention(self, retention: Duration) -> Result<Self, ConfigError> {
        if retention < Self::MIN_RETENTION {
            return Err(ConfigError::InvalidRetention);
        }
        self.dangerous_short_retention(retention)
    }

    /// Any retention. A system that retries for longer will have its event handled
    /// a second time.
    ///
    /// Errors: `invalid_lease` where the lease is not shorter.
    pub fn dangerous_short_retention(self, retention: Duration) -> Result<Self, ConfigError> {
        Self { retention, ..self }.checked()
    }

    /// How long one call of a store may take before it is `store_unavailable`. The
    /// default is 3 s: the systems wait for 10 s, and a delivery takes two calls.
    ///
    /// Errors: `invalid_option` under 100 ms or over a minute.
    pub fn with_timeout(self, timeout: Duration) -> Result<Self, ConfigError> {
        if timeout < Duration::from_millis(100) || timeout > Duration::from_secs(60) {
            return Err(ConfigError::InvalidOption {
                option: "timeout",
                reason: "it must be 100 ms to 60 s",
            });
        }
        Ok(Self { timeout, ..self })
    }

    /// How many connections a PostgreSQL store opens at most. The default is 16. The
    /// other stores have one, which calls share.
    ///
    /// Errors: `invalid_option` where it is zero.
    pub fn with_connections(self, connections: usize) -> Result<Self, ConfigError> {
        if connections == 0 {
            return Err(ConfigError::InvalidOption {
                option: "connections",
                reason: "there must be at least one",
            });
        }
        Ok(Self {
            connections,
            ..self
        })
    }

    /// Keeps the keys apart from those of every other namespace, and from those of none,
    /// which is the default. Endpoints of one system that share a place need one each: two
    /// tenants, two services, or two endpoints of one service whose filters overlap. They
    /// are sent the same events, and the second would take each for handled.
    ///
    /// The memory of a [`MemoryStore`](super::MemoryStore) is shared with nobody.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use velora_core::{Claim, Key, Store, StoreOptions, open_store};
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let url = &format!("sqlite://{}", folder.path().join("claims.db").display());
    ///
    /// let event = Key::from("health:evt_1:phi.read");
    /// for tenant in ["north", "south"] {
    ///     let store = open_store(url, StoreOptions::default().with_namespace(tenant)?)?;
    ///     assert!(matches!(store.claim(event.clone()).await?, Claim::Fresh(_)));
    /// }
    /// # Ok::<(), velora_core::Error>(()) }).unwrap(); }
    /// ```
    ///
    /// Errors: `invalid_option` where it is empty, over 64 bytes, or made of anything but
    /// ASCII letters, digits, `.`, `_` and `-`.
    pub fn with_namespace(self, name: &str) -> Result<Self, ConfigError> {
        let namespace = Some(named(name)?);
        Ok(Self { namespace, ..self })
    }

    /// What keeps the keys apart, if anything does.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// How long one call may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How many connections are opened at most.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// How long a claim may be worked on.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// How long a done key is remembered.
    pub fn retention(&self) -> Duration {
        self.retention
    }

    fn checked(self) -> Result<Self, ConfigError> {
        if self.lease.is_zero() || self.lease >= self.retention {
            return Err(ConfigError::InvalidLease);
        }
        Ok(self)
    }
}

/// The times of [`StoreOptions`] in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoreSeconds {
    /// As of [`StoreOptions::with_lease`].
    pub lease: Option<f64>,
    /// As of [`StoreOptions::with_retention`].
    pub retention: Option<f64>,
    /// As of [`StoreOptions::dangerous_short_retention`], which goes before `retention`.
    pub dangerous_short_retention: Option<f64>,
    /// As of [`StoreOptions::with_timeout`].
    pub timeout: Option<f64>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            retention: Duration::from_secs(72 * 60 * 60),
            timeout: Duration::from_secs(3),
            connections: 16,
            namespace: None,
        }
    }
}
