//! The contract between the receiver and the store that keeps the claims.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Key;
use super::claimed::Claimed;
use super::in_transaction::InTransaction;
use super::namespace::{Namespace, named};
use crate::error::{ConfigError, StoreError};

/// The future that the operations of a store return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// The number of a claim. A later claim of the same key has a greater number.
pub type Epoch = u64;

/// Keeps claims. Endpoints of the same system that share a database need a
/// [namespace](StoreOptions::with_namespace) each.
///
/// # The contract
///
/// A key is *free*, *claimed* under an epoch until its lease runs out, or *done*
/// until its retention runs out.
///
/// - `claim` of a free key, or of a key whose lease has expired, claims it under a new
///   epoch: [`Claim::Fresh`]. Of any number of concurrent claims exactly one is fresh.
///   While the lease runs, a claim is [`Claim::InFlight`]; of a done key it is
///   [`Claim::Done`].
/// - `commit`, `release` and `renew` act only while the key is claimed under exactly
///   this epoch, in one step (compare and set). Otherwise they change nothing and
///   fail with `lease_lost`. A lease that has expired but was neither taken over nor
///   forgotten is still held: its work may be committed.
/// - `commit` makes the key done for the retention; `release` makes it free;
///   `renew` starts the lease again at its full length.
/// - An epoch is never given out twice for a key, not even after a release.
///
/// What may be lossy: a store with bounded room may forget a *done* key early, provided
/// that it counts this, and any store may forget a claim whose lease has expired. The event
/// would then be handled a second time. What must not be lossy: a key whose lease runs is
/// never forgotten to make room (the claim fails with `store_full` instead), and a failure is
/// an error, never a fresh claim.
///
/// Give each call a limit on its time, because a delivery waits for it.
///
/// A store of your own, over a table with conditional writes; this one is a map under a lock:
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use std::time::{Duration, Instant};
/// use velora_core::dedupe::{Epoch, StoreFuture};
/// use velora_core::{Claim, Key, Lease, Store, StoreError};
///
/// const LEASE: Duration = Duration::from_secs(60);
/// const RETENTION: Duration = Duration::from_secs(72 * 60 * 60);
///
/// #[derive(PartialEq)]
/// enum State { Free, Claimed, Done }
///
/// #[derive(Default)]
/// struct Rows(Mutex<HashMap<Key, (State, Epoch, Instant)>>);
///
/// impl Rows {
///     /// In SQL: `UPDATE … WHERE key = … AND epoch = … AND state = 'claimed'`.
///     fn change(&self, key: &Key, held: Epoch, state: State, time: Duration) -> StoreFuture<'_, ()> {
///         let changed = match self.0.lock().unwrap().get_mut(key) {
///             Some(row) if row.0 == State::Claimed && row.1 == held => {
///                 *row = (state, held, Instant::now() + time);
///                 Ok(())
///             }
///             _ => Err(StoreError::LeaseLost),
///         };
///         Box::pin(std::future::ready(changed))
///     }
/// }
///
/// impl Store for Rows {
///     fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
///         let (mut rows, now) = (self.0.lock().unwrap(), Instant::now());
///         let last = rows.get(&key).map_or(0, |row| row.1);
///         let claim = match rows.get(&key) {
///             Some((State::Done, _, until)) if now < *until => Claim::Done,
///             Some((State::Claimed, _, until)) if now < *until => {
///                 Claim::InFlight { retry_after: *until - now }
///             }
///             _ => {
///                 rows.insert(key.clone(), (State::Claimed, last + 1, now + LEASE));
///                 Claim::Fresh(Lease::new(self, key, last + 1))
///             }
///         };
///         Box::pin(std::future::ready(Ok(claim)))
///     }
///
///     fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
///         self.change(key, epoch, State::Done, RETENTION)
///     }
///
///     fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
///         self.change(key, epoch, State::Free, Duration::ZERO)
///     }
///
///     fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
///         self.change(key, epoch, State::Claimed, LEASE)
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (store, key) = (Rows::default(), Key::from("health:evt_1:phi.read"));
/// let Claim::Fresh(lease) = store.claim(key.clone()).await? else { panic!() };
/// assert!(matches!(store.claim(key.clone()).await?, Claim::InFlight { .. }));
/// lease.commit().await?;
/// assert!(matches!(store.claim(key.clone()).await?, Claim::Done));
/// # let (first, again) = (Key::from("a"), Key::from("a"));
/// # let Claim::Fresh(lease) = store.claim(first.clone()).await? else { panic!() };
/// # lease.release().await?;
/// # let Claim::Fresh(lease) = store.claim(again).await? else { panic!() };
/// # assert_eq!((lease.epoch(), store.commit(&first, 1).await), (2, Err(StoreError::LeaseLost)));
/// # lease.renew().await?;
/// # Ok::<(), StoreError>(()) }).unwrap();
/// ```
///
/// [`conformance`](crate::dedupe::conformance) (feature `store-conformance`) tests an
/// implementation against this contract.
pub trait Store: Send + Sync {
    /// Connects and creates missing tables, so that a misconfigured store is found when
    /// the service starts. Optional: the first operation does the same.
    ///
    /// Errors: `store_unavailable`; `store_full` if a disk or memory is full.
    fn ready(&self) -> StoreFuture<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Closes idle connections soon, without waiting for it. A later operation opens new
    /// ones; claims kept in memory stay. Optional: dropping the store closes them too.
    fn close(&self) {}

    /// The statements that claim and commit in the caller's own transaction, if the store's
    /// database supports it. Optional for an implementation.
    fn in_transaction(&self) -> Option<InTransaction> {
        None
    }

    /// Claims a key. Errors: `store_full`, `store_unavailable`.
    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>>;

    /// Marks the work as done. Errors: `lease_lost`, `store_full`, `store_unavailable`.
    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()>;

    /// Makes the key free again. Errors: `lease_lost`, `store_full`, `store_unavailable`.
    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()>;

    /// Restarts the lease at its full length. Errors: `lease_lost`, `store_full`,
    /// `store_unavailable`.
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
    /// The event is yours: handle it, then commit or release.
    Fresh(Lease<'s>),
    /// Someone else is handling it. Ask the sender to send again; never answer 2xx.
    InFlight {
        /// How long until the other lease expires, at most.
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

/// The right to handle one event, until it is committed, released or taken over.
///
/// A dropped lease is not released: it expires, and the next delivery of the event takes
/// it over.
#[must_use = "a lease that is not committed makes the event come again"]
pub struct Lease<'s> {
    store: &'s dyn Store,
    key: Key,
    epoch: Epoch,
}

impl<'s> Lease<'s> {
    /// The lease that a fresh claim returns, for implementations of [`Store`].
    pub fn new(store: &'s dyn Store, key: Key, epoch: Epoch) -> Self {
        Self { store, key, epoch }
    }

    /// The key that was claimed.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The number of the claim.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The work is done: every later claim is [`Claim::Done`].
    ///
    /// Errors: `lease_lost`, `store_full`, `store_unavailable`. Do not answer 2xx then.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.try_commit().await
    }

    pub(crate) async fn try_commit(&self) -> Result<(), StoreError> {
        self.store.commit(&self.key, self.epoch).await
    }

    /// The work is not done: the next claim is fresh.
    ///
    /// Errors: `lease_lost`, `store_full`, `store_unavailable`.
    pub async fn release(self) -> Result<(), StoreError> {
        self.store.release(&self.key, self.epoch).await
    }

    /// Gives long work more time: the lease starts again at its full length.
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

/// The options of every store: lease, retention, timeout, connections and namespace.
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

    /// Options from seconds, for languages whose durations are plain numbers. An absent
    /// value is the default. The lease is checked against the retention given here.
    ///
    /// Errors: `invalid_lease`, `invalid_retention` and `invalid_option`, as for the
    /// methods below, and also if a number is negative, NaN or infinite.
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

    /// How long an event may be handled before another delivery takes its claim over.
    /// The default is 60 s. Set more than the slowest handler needs, and far less than the
    /// time that the system retries for: about 36 min for Billing, 2.6 h for Velora TV. If a
    /// process dies in a handler, its event is in flight for the rest of the lease, and is
    /// lost if the last retry comes within it. Work that takes longer renews its lease.
    ///
    /// Errors: `invalid_lease` if it is zero, or not shorter than the retention.
    pub fn with_lease(self, lease: Duration) -> Result<Self, ConfigError> {
        Self { lease, ..self }.checked()
    }

    /// How long a done key is remembered. The default is 72 h.
    ///
    /// Errors: `invalid_retention` under 24 h; `invalid_lease` if the lease is not
    /// shorter.
    pub fn with_retention(self, retention: Duration) -> Result<Self, ConfigError> {
        if retention < Self::MIN_RETENTION {
            return Err(ConfigError::InvalidRetention);
        }
        self.dangerous_short_retention(retention)
    }

    /// Any retention, even under 24 h. If a system retries for longer than that, its event
    /// is handled a second time.
    ///
    /// Errors: `invalid_lease` if the lease is not shorter.
    pub fn dangerous_short_retention(self, retention: Duration) -> Result<Self, ConfigError> {
        Self { retention, ..self }.checked()
    }

    /// How long one operation may take before it is `store_unavailable`. The default is
    /// 3 s: the systems wait for 10 s, and a delivery takes two operations.
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
    /// other stores use one shared connection.
    ///
    /// Errors: `invalid_option` if it is zero.
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

    /// Keeps the keys apart from those of every other namespace, and from those without
    /// one (the default). Endpoints of one system that share a database need one each: two
    /// tenants, two services, or two endpoints of one service whose filters overlap. They
    /// are sent the same events, and the second would take each event for a duplicate.
    ///
    /// A [`MemoryStore`](super::MemoryStore) needs none, because nothing shares its memory.
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
    /// Errors: `invalid_option` if it is empty, over 64 bytes, or contains anything but
    /// ASCII letters, digits, `.`, `_` and `-`.
    pub fn with_namespace(self, name: &str) -> Result<Self, ConfigError> {
        let namespace = Some(named(name)?);
        Ok(Self { namespace, ..self })
    }

    /// The namespace, if one is set.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// How long one operation may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How many connections are opened at most.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// How long an event may be handled before its claim is taken over.
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

/// The durations of [`StoreOptions`] in seconds; see [`StoreOptions::try_from_secs_f64`].
#[derive(Clone, Copy, Debug, Default)]
pub struct StoreSeconds {
    /// See [`StoreOptions::with_lease`].
    pub lease: Option<f64>,
    /// See [`StoreOptions::with_retention`].
    pub retention: Option<f64>,
    /// See [`StoreOptions::dangerous_short_retention`]; takes precedence over `retention`.
    pub dangerous_short_retention: Option<f64>,
    /// See [`StoreOptions::with_timeout`].
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
