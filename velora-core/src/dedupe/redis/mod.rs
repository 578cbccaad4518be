//! Claims in Redis, for any number of machines.

mod connection;
mod fault;
mod script;
mod shared;

use std::fmt;

use redis::ScriptInvocation;

use connection::{Address, Connection};
use fault::{Fault, Of};
use script::Scripts;
use shared::Shared;

use super::Key;
use super::claimed::{Claimed, held, stored};
use super::durable::{on_tokio, within};
use super::store::{Claim, Epoch, Store, StoreFuture, StoreOptions};
use crate::error::{ConfigError, StoreError};

/// A [`Store`] in Redis 5 or later, or Redis Cluster, for any number of machines
/// (feature `redis`).
///
/// # What it promises
///
/// Handlers run at least once, and bookkeeping is fenced, as long as Redis remembers.
/// Redis can forget:
///
/// - in a failover, because its replicas are asynchronous;
/// - in a crash, unless `appendfsync` is `always`;
/// - when memory is short, unless `maxmemory-policy` is `noeviction`. If `maxmemory` is set,
///   any other policy is `store_unavailable`: each new connection and each
///   [`ready`](Store::ready) checks it, in a cluster on all primaries.
///
/// An event that Redis forgot is handled a second time. If that must not happen, use
/// [`SqliteStore`](super::SqliteStore) or [`PostgresStore`](super::PostgresStore), whose
/// `commit_in` makes effects exactly-once.
///
/// # Keys and privileges
///
/// Each operation is one Lua script on one key, `velora:dedupe:{…}`, which expires by
/// itself; the server's clock decides when. In a [namespace](StoreOptions::with_namespace) it
/// begins with `velora:dedupe:{ns=name:`. A user needs only
///
/// ```text
/// ACL SETUSER service on >password ~velora:dedupe:* +eval +evalsha +script|load +get +set +time +info +ping
/// ```
///
/// and, with a cluster, `+cluster|slots`. All calls share one connection; after it fails, the
/// next call opens another. Connecting to a replica is `store_unavailable`, and so is a call
/// that takes longer than [`timeout`](StoreOptions::with_timeout). Needs a tokio runtime with
/// I/O and time.
///
/// In a cluster, the driver repeats commands that were in progress on a connection that
/// broke. If such a command had been executed already, a commit may return `lease_lost`, and
/// a claim may return in flight to its own caller. The event then comes again. It is either
/// done, or is handled once the lease has expired.
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
    options: StoreOptions,
    scripts: Scripts,
    shared: Shared,
}

impl RedisStore {
    /// A store at this URL, `redis://user:password@host:port/database`, or `rediss://` for
    /// TLS, verified against the certificates of the operating system or those in
    /// `SSL_CERT_FILE`. With `?cluster=true`, the only query parameter, the host is any node
    /// of a cluster. This does not connect.
    ///
    /// Errors: `invalid_option` if it is not such a URL.
    pub fn new(url: &str, options: StoreOptions) -> Result<Self, ConfigError> {
        Ok(Self {
            options,
            scripts: Scripts::new(),
            shared: Shared::new(Address::parse(url, options)?, options.timeout()),
        })
    }

    async fn call<T: redis::FromRedisValue>(
        &self,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        self.ask(async |connection| Ok(connection.invoke(invocation).await?))
            .await
    }

    /// One call to the server, including connecting if necessary, within the timeout for
    /// both.
    async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        on_tokio()?;
        let mut asked = None;
        // A timeout is taken as a fault of this connection.
        let mut of = Of::Connection;
        let answer = within(self.options.timeout(), async {
            let open = asked.insert(self.shared.connection().await?);
            question(&open.connection).await.map_err(|fault| {
                of = fault.of;
                fault.told
            })
        })
        .await;
        if let (Err(_), Some(open)) = (&answer, &asked) {
            self.shared.blame(open, of);
        }
        answer
    }

    /// How long a claim that nobody ends is kept: it may be committed even after its lease.
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
        held(self.call(invocation.key(self.name(key))).await?)
    }

    /// The hash tag makes the cluster route by this key alone.
    fn name(&self, key: &Key) -> String {
        format!("velora:dedupe:{{{}}}", stored(key, &self.options))
    }
}

/// Whole milliseconds, at least one.
fn millis(time: std::time::Duration) -> u64 {
    // Redis refuses a time that overflows its own clock.
    const CENTURY: u128 = 3_155_760_000_000;
    time.as_millis().clamp(1, CENTURY) as u64
}

impl Store for RedisStore {
    fn ready(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.ask(async |connection| connection.check().await))
    }

    fn close(&self) {
        self.shared.close();
    }

    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        Box::pin(async move {
            let lease = millis(self.options.lease()).saturating_mul(1_000);
            let mut invocation = self.scripts.claim.key(self.name(&key));
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
