//! Claims in Redis, for any number of machines.

mod connection;
mod script;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::{ErrorKind, RedisError, ScriptInvocation, ServerErrorKind};
use tokio::sync::OnceCell;

use connection::{Address, Connection};
use script::Scripts;

use super::Key;
use super::claimed::{Claimed, held, stored};
use super::durable::{unavailable, within};
use super::store::{Claim, Epoch, Store, StoreFuture, StoreOptions};
use crate::error::{ConfigError, StoreError};

/// A [`Store`] in Redis 5 or later, or Redis Cluster, for any number of machines
/// (feature `redis`).
///
/// # What it promises
///
/// Handlers run at least once, and bookkeeping is fenced, as long as Redis remembers.
/// Redis can forget: on a failover, as its replicas are asynchronous; on a crash, what
/// `appendfsync always` had not written; when memory is short, unless `maxmemory-policy`
/// is `noeviction`: another one, with a `maxmemory`, is refused with
/// `store_unavailable`. What it forgot is handled a second time. Where that must not be,
/// use [`SqliteStore`](super::SqliteStore) or [`PostgresStore`](super::PostgresStore),
/// whose `commit_in` makes effects exactly-once.
///
/// # Keys and privileges
///
/// Each verb is one Lua script on the one key `velora:dedupe:{…}`, which expires by
/// itself; the server's clock decides when. A user needs no more than
///
/// ```text
/// ACL SETUSER service on >password ~velora:dedupe:* +eval +evalsha +script|load +get +set +time +info +ping
/// ```
///
/// and `+cluster|slots` with a cluster. One connection is shared by all calls, and opened again
/// after a fault. A call that takes longer than
/// [`timeout`](StoreOptions::with_timeout) is `store_unavailable`. Needs a tokio runtime
/// with I/O and time.
///
/// ```no_run
/// use velora_core::dedupe::RedisStore;
/// use velora_core::{Store, StoreOptions};
///
/// # async fn run() -> Result<(), velora_core::Error> {
/// let store = RedisStore::new("rediss://service:password@cache.example.com", StoreOptions::default())?;
/// store.ready().await?;
/// # Ok(()) }
/// ```
pub struct RedisStore {
    address: Address,
    options: StoreOptions,
    scripts: Scripts,
    connection: Mutex<Arc<OnceCell<Connection>>>,
}

impl RedisStore {
    /// A store at this URL, `redis://user:password@host:port/database`, or `rediss://`
    /// for TLS, with the certificates of the operating system, or those of
    /// `SSL_CERT_FILE`. With `?cluster=true`, the only query there is, the host is any
    /// node of a cluster. It does not connect.
    ///
    /// Errors: `invalid_option` where it is not such a URL.
    pub fn new(url: &str, options: StoreOptions) -> Result<Self, ConfigError> {
        Ok(Self {
            address: Address::parse(url)?,
            options,
            scripts: Scripts::new(),
            connection: Mutex::default(),
        })
    }

    async fn call<T: redis::FromRedisValue>(
        &self,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        within(self.options.timeout(), async {
            self.connection()
                .await?
                .invoke(invocation)
                .await
                .map_err(fault)
        })
        .await
    }

    async fn connection(&self) -> Result<Connection, StoreError> {
        let open = async || {
            let connection = self.address.open(self.options).await.map_err(fault)?;
            connection.check_memory().await?;
            Ok(connection)
        };
        let connection = Arc::clone(&self.shared());
        connection.get_or_try_init(open).await.cloned()
    }

    fn shared(&self) -> MutexGuard<'_, Arc<OnceCell<Connection>>> {
        let shared = self.connection.lock();
        shared.unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a claim is kept that nobody ends: past its lease it may be committed.
    fn kept(&self) -> u64 {
        millis(
            self.options
                .lease()
                .saturating_add(self.options.retention()),
        )
    }

    async fn set(
        &self,
        invocation: &mut ScriptInvocation<'_>,
        key: &Key,
    ) -> Result<(), StoreError> {
        held(self.call(invocation.key(name(key))).await?)
    }
}

/// The hash tag makes the cluster look at the key alone.
fn name(key: &Key) -> String {
    format!("velora:dedupe:{{{}}}", stored(key))
}

/// Whole milliseconds, at least one.
fn millis(time: std::time::Duration) -> u64 {
    // Redis refuses what overflows its own clock.
    const CENTURY: u128 = 3_155_760_000_000;
    time.as_millis().clamp(1, CENTURY) as u64
}

/// In the server's words, or those of the operating system: neither knows the password.
fn fault(error: RedisError) -> StoreError {
    match error.kind() {
        ErrorKind::InvalidClientConfig => unavailable("the URL cannot be used"),
        ErrorKind::Server(ServerErrorKind::ResponseError) if error.to_string().contains("OOM") => {
            StoreError::StoreFull
        }
        _ if error.code() == Some("OOM") => StoreError::StoreFull,
        _ => unavailable(error),
    }
}

impl Store for RedisStore {
    fn ready(&self) -> StoreFuture<'_, ()> {
        Box::pin(within(self.options.timeout(), async {
            self.connection().await.map(drop)
        }))
    }

    fn close(&self) {
        *self.shared() = Arc::default();
    }

    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        Box::pin(async move {
            let lease = millis(self.options.lease()).saturating_mul(1_000);
            let mut invocation = self.scripts.claim.key(name(&key));
            invocation.arg(lease).arg(self.kept());
            let claimed = match self.call::<i64>(&invocation).await? {
                0 => Claimed::Done,
                left @ ..0 => Claimed::InFlight {
                    retry_after: std::time::Duration::from_micros(left.unsigned_abs()),
                },
                epoch => Claimed::Fresh(epoch.unsigned_abs()),
            };
            Ok(claimed.into_claim(self, key))
        })
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut invocation = self.scripts.commit.arg(epoch);
            invocation.arg(millis(self.options.retention()));
            self.set(&mut invocation, key).await
        })
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut invocation = self.scripts.release.arg(epoch);
            invocation.arg(self.kept());
            self.set(&mut invocation, key).await
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut invocation = self.scripts.renew.arg(epoch);
            let lease = millis(self.options.lease()).saturating_mul(1_000);
            invocation.arg(self.kept()).arg(lease);
            self.set(&mut invocation, key).await
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
