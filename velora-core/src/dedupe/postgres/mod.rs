//! Claims in PostgreSQL, for any number of machines.

mod pool;
mod sql;
mod tls;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, QueueMode, RecyclingMethod, Runtime,
    Timeouts,
};
use tokio::sync::OnceCell;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, GenericClient, NoTls, Transaction};

pub use sql::PostgresStatements;

use pool::{fault, on_connection};

use super::Key;
use super::claimed::{Claimed, column, epoch, held, micros, stored};
use super::durable::{
    BATCH, COMMITS_PER_BATCH, SCHEMA_VERSION, foreign_schema, on_tokio, unavailable, within,
};
use super::in_transaction::InTransaction;
use super::open::refused;
use super::store::{Claim, Epoch, Store, StoreFuture, StoreOptions};
use crate::error::{ConfigError, StoreError};

/// A [`Store`] in PostgreSQL 11 or later, for any number of machines (feature
/// `postgres`).
///
/// # What it promises
///
/// What was committed survives whatever PostgreSQL itself survives. Handlers run at least
/// once, and bookkeeping is fenced; with
/// [`claim_in`](Self::claim_in), or [`commit_in`](Self::commit_in) alone, what a handler
/// writes into the same database is written exactly once. The server's clock decides
/// when a lease expires. With asynchronous replicas, a failover may lose the last commits;
/// use synchronous replicas if that must not happen.
///
/// # Tables and privileges
///
/// Created at the first call, in the first schema of the `search_path`:
///
/// | | |
/// |---|---|
/// | `velora_dedupe_claims` | `key text`, `epoch bigint`, `state smallint` (0 free, 1 claimed, 2 done), `until timestamptz`: one row per key |
/// | `velora_dedupe_epoch` | a sequence, so that epochs keep growing when rows are removed |
/// | `velora_dedupe_sweep` | `last text`: how far the clean-up has come |
/// | `velora_dedupe_version` | `version integer`: 1; tables of another version are not touched |
///
/// Only creating them needs `CREATE` on the schema. If the tables exist already (run
/// [`STATEMENTS.schema`](PostgresStatements::schema) as their owner), the service needs
/// only
///
/// ```sql
/// GRANT SELECT, INSERT, UPDATE, DELETE ON velora_dedupe_claims TO service;
/// GRANT SELECT, UPDATE ON velora_dedupe_sweep TO service;
/// GRANT SELECT ON velora_dedupe_version TO service;
/// GRANT USAGE ON velora_dedupe_epoch TO service;
/// ```
///
/// After every 256 commits, a process checks the next 1,000 keys, round and round, and
/// removes those that have expired.
///
/// Connections are opened as needed, up to
/// [`connections`](StoreOptions::with_connections), and again after a failure. A call that
/// takes longer than [`timeout`](StoreOptions::with_timeout) is `store_unavailable`.
/// A connection pooler in between must pool sessions, not transactions. Needs a tokio
/// runtime with I/O and time.
///
/// ```no_run
/// use velora_core::dedupe::PostgresStore;
/// use velora_core::{Receiver, Scheme, SigningSecret, Store, StoreOptions, Verifier};
///
/// # async fn run() -> Result<(), velora_core::Error> {
/// let url = "postgres://service:password@db.example.com/shop?sslmode=require";
/// let store = PostgresStore::new(url, StoreOptions::default())?;
/// store.ready().await?;
/// let secret = SigningSecret::new("0123456789abcdef0123456789abcdef")?;
/// let verifier = Verifier::new(Scheme::named("health")?, [secret])?;
/// let receiver = Receiver::new(verifier, store);
/// # Ok(()) }
/// ```
pub struct PostgresStore {
    pool: Pool,
    options: StoreOptions,
    prepared: Arc<OnceCell<()>>,
    commits: AtomicU64,
}

impl PostgresStore {
    /// The SQL statements of the operations, for a connection of your own.
    pub const STATEMENTS: PostgresStatements = sql::STATEMENTS;

    /// A store at this URL, `postgres://user:password@host:port/database`. It does not
    /// connect.
    ///
    /// `sslmode` is `disable`, `prefer` (the default) or `require`. With TLS, the
    /// certificate and the host name are always verified, against the certificates of the
    /// operating system or those in `SSL_CERT_FILE`. Use `require` across a network. For a
    /// local server with a self-signed certificate, use `disable`, or put its certificate
    /// into `SSL_CERT_FILE`.
    ///
    /// You can name several hosts, `primary,standby:5433`, or one name that points to
    /// another server after a failover. `target_session_attrs` defaults to `read-write`, so
    /// that a read-only server is skipped. That costs one query for each new connection; if
    /// there is only one server, `target_session_attrs=any` saves it.
    ///
    /// Errors: `invalid_option` if it is not such a URL.
    pub fn new(url: &str, options: StoreOptions) -> Result<Self, ConfigError> {
        // The parser's own message may contain a part of the URL.
        let mut config = Config::from_str(&tls::strictest(url))
            .map_err(|_| refused("it is not a valid PostgreSQL URL"))?;
        if config.get_hosts().is_empty() {
            return Err(refused("the URL has no host"));
        }
        // If one of several hosts is gone, time is left for the next one.
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX);
        config.connect_timeout(options.timeout() / hosts);
        // The name may still lead to a server that is no longer the primary.
        if !url.contains("target_session_attrs=") {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_application_name().is_none() {
            config.application_name("velora-dedupe");
        }
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        // Without TLS no certificates are needed.
        let manager = match config.get_ssl_mode() {
            SslMode::Disable => Manager::from_config(config, NoTls, recycling),
            _ => Manager::from_config(config, tls::connector()?, recycling),
        };
        let session = sql::session(options.timeout());
        let pool = Pool::builder(manager)
            .max_size(options.connections())
            // The connection that was used last: the server's process for it is still warm.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            // By then its caller may have given up.
            .timeouts(Timeouts {
                wait: Some(options.timeout()),
                create: Some(options.timeout()),
                recycle: None,
            })
            .post_create(Hook::async_fn(move |client, _| {
                let session = session.clone();
                Box::pin(async move {
                    let set = client.batch_execute(&session).await;
                    set.map_err(HookError::Backend)
                })
            }))
            .build()
            .map_err(|_| refused("no pool can be created for it"))?;
        Ok(Self {
            pool,
            options,
            prepared: Arc::default(),
            commits: AtomicU64::new(0),
        })
    }

    /// Claims a key in your own transaction, in the same database. If the transaction is
    /// rolled back, nothing was claimed.
    ///
    /// With [`commit_in`](Self::commit_in) in the same transaction, claim and effects are
    /// atomic: no crash leaves one without the other. Use the default isolation level,
    /// `READ COMMITTED`, and call [`Store::ready`] once beforehand, which creates the
    /// tables. Until the transaction ends, other claims of the key are in flight.
    ///
    /// Use it for an event that no [`Receiver`](crate::Receiver) has claimed. In a receiver's
    /// handler the event is already claimed, so this returns [`Claimed::InFlight`]; there
    /// you need `commit_in` only.
    ///
    /// Errors: `store_full`, `store_unavailable`; roll back then.
    ///
    /// ```no_run
    /// use velora_core::dedupe::{Claimed, PostgresStore};
    /// use velora_core::Key;
    ///
    /// async fn status(
    ///     store: &PostgresStore,
    ///     client: &mut tokio_postgres::Client,
    ///     key: &Key,
    /// ) -> Result<u16, Box<dyn std::error::Error>> {
    ///     let transaction = client.transaction().await?;
    ///     let claimed = store.claim_in(&transaction, key).await?;
    ///     if let Claimed::Fresh(epoch) = claimed {
    ///         transaction.execute("INSERT INTO payments VALUES (100)", &[]).await?;
    ///         store.commit_in(&transaction, key, epoch).await?;
    ///     }
    ///     transaction.commit().await?;
    ///     Ok(match claimed {
    ///         // What someone else is working on may yet fail there.
    ///         Claimed::InFlight { .. } => 503,
    ///         Claimed::Fresh(_) | Claimed::Done => 200,
    ///     })
    /// }
    /// ```
    pub async fn claim_in(
        &self,
        transaction: &Transaction<'_>,
        key: &Key,
    ) -> Result<Claimed, StoreError> {
        claim(transaction, &stored(key, &self.options), self.options)
            .await
            .map_err(fault)
    }

    /// Commits the claim in your own transaction, which holds the effects.
    ///
    /// The epoch comes from [`claim_in`](Self::claim_in) in the same transaction, or from
    /// a lease that was claimed before, such as a receiver's
    /// [`Work::epoch`](crate::Work::epoch). Either way the effects are written exactly once,
    /// because a lease that was taken over fails with `lease_lost`.
    ///
    /// Errors: `lease_lost`, `store_full`, `store_unavailable`; roll back then.
    ///
    /// ```no_run
    /// use velora_core::dedupe::PostgresStore;
    /// use velora_core::{Headers, Outcome, Receiver, Reply, health};
    ///
    /// # type Failure = Box<dyn std::error::Error>;
    /// /// The receiver claims; what is written and the claim are committed as one.
    /// async fn receive(
    ///     receiver: &Receiver,
    ///     store: &PostgresStore, // The receiver has an `Arc` of it.
    ///     client: &mut tokio_postgres::Client,
    ///     body: &[u8],
    ///     headers: &impl Headers,
    /// ) -> Result<Reply, Failure> {
    ///     let begun = receiver.begin_event::<_, health::Event>(body, headers).await;
    ///     let (work, event) = match begun {
    ///         Ok(begun) => begun,
    ///         Err(reply) => return Ok(reply),
    ///     };
    ///     let transaction = client.transaction().await?;
    ///     transaction.execute("INSERT INTO audit VALUES ($1)", &[&event.id]).await?;
    ///     if let Err(lost) = store.commit_in(&transaction, work.key(), work.epoch()).await {
    ///         transaction.rollback().await?;
    ///         return Ok(receiver.reply(Outcome::StoreFailed(lost)));
    ///     }
    ///     transaction.commit().await?;
    ///     Ok(work.committed())
    /// }
    /// ```
    pub async fn commit_in(
        &self,
        transaction: &Transaction<'_>,
        key: &Key,
        epoch: Epoch,
    ) -> Result<(), StoreError> {
        let retention = micros(self.options.retention());
        let rows = transaction
            .execute(
                Self::STATEMENTS.commit,
                &[&&*stored(key, &self.options), &column(epoch), &retention],
            )
            .await
            .map_err(fault)?;
        held(rows)
    }

    /// Checks the next 1,000 keys, removes those that have expired, and returns how many. The
    /// store does this by itself after every 256 commits.
    ///
    /// Errors: `store_full`, `store_unavailable`.
    pub async fn clean_up(&self) -> Result<u64, StoreError> {
        self.call(async |client| clean_up(client, self.options).await)
            .await
    }

    async fn set(&self, verb: Verb, key: &Key, epoch: Epoch) -> Result<(), StoreError> {
        let key = stored(key, &self.options);
        let epoch = column(epoch);
        let rows = self.call(async |client| match verb {
            Verb::Commit => {
                let statement = client.prepare_cached(Self::STATEMENTS.commit).await?;
                let retention = micros(self.options.retention());
                client
                    .execute(&statement, &[&&*key, &epoch, &retention])
                    .await
            }
            Verb::Release => {
                let statement = client.prepare_cached(Self::STATEMENTS.release).await?;
                client.execute(&statement, &[&&*key, &epoch]).await
            }
            Verb::Renew => {
                let statement = client.prepare_cached(Self::STATEMENTS.renew).await?;
                let lease = micros(self.options.lease());
                client.execute(&statement, &[&&*key, &epoch, &lease]).await
            }
        });
        held(rows.await?)
    }

    /// One call on a connection of the pool, within its timeout.
    async fn call<T>(
        &self,
        work: impl AsyncFnOnce(&mut Object) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        on_tokio()?;
        within(self.options.timeout(), async {
            self.prepare().await?;
            on_connection(&self.pool, work).await
        })
        .await
    }

    /// Creates the tables if they do not exist, and checks their version. Like opening a
    /// connection, this goes on even if the caller gives up.
    async fn prepare(&self) -> Result<(), StoreError> {
        if self.prepared.initialized() {
            return Ok(());
        }
        let (prepared, pool) = (Arc::clone(&self.prepared), self.pool.clone());
        let timeout = self.options.timeout();
        let work = async move {
            let looked = || within(timeout, prepare_on(&pool));
            prepared.get_or_try_init(looked).await.copied()
        };
        let done = tokio::spawn(work).await;
        done.map_err(|_| unavailable("no connection"))?
    }

    /// Runs concurrently with the commit, which does not wait for it.
    fn clean_up_at_times(&self) {
        let commits = self.commits.fetch_add(1, Ordering::Relaxed);
        if commits.is_multiple_of(COMMITS_PER_BATCH) {
            let (pool, options) = (self.pool.clone(), self.options);
            tokio::spawn(async move {
                let work = async |client: &mut Object| clean_up(client, options).await;
                let cleaned = within(options.timeout(), on_connection(&pool, work));
                if let Err(error) = cleaned.await {
                    tracing::debug!(code = error.code().as_str(), "claims not cleaned up");
                }
            });
        }
    }
}

async fn prepare_on(pool: &Pool) -> Result<(), StoreError> {
    let found = on_connection(pool, async |client| prepare(client).await).await?;
    match found == i64::from(SCHEMA_VERSION) {
        true => Ok(()),
        false => Err(foreign_schema(found)),
    }
}

#[derive(Clone, Copy)]
enum Verb {
    Commit,
    Release,
    Renew,
}

async fn claim(
    client: &impl GenericClient,
    key: &str,
    options: StoreOptions,
) -> Result<Claimed, Error> {
    let lease = options.lease();
    let claimed = client
        .query_opt(sql::STATEMENTS.claim, &[&key, &micros(lease)])
        .await?;
    if let Some(row) = claimed {
        return Ok(Claimed::Fresh(epoch(row.try_get(0)?)));
    }
    let row = client.query_opt(sql::STATEMENTS.standing, &[&key]).await?;
    let row = row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    Ok(Claimed::standing(row.transpose()?, lease))
}

/// The same with statements that the connection has prepared, starting with the one that is
/// nearly always enough.
async fn claim_pooled(client: &Object, key: &str, options: StoreOptions) -> Result<Claimed, Error> {
    if let Some(claimed) = attempt(client, sql::CLAIM_NEW, key, options).await? {
        return Ok(claimed);
    }
    let statement = client.prepare_cached(sql::STATEMENTS.standing).await?;
    if let Some(row) = client.query_opt(&statement, &[&key]).await? {
        let (state, left) = (row.try_get(0)?, row.try_get(1)?);
        if left > 0 {
            return Ok(Claimed::standing(Some((state, left)), options.lease()));
        }
    }
    let claimed = attempt(client, sql::STATEMENTS.claim, key, options).await?;
    Ok(claimed.unwrap_or_else(|| Claimed::under_way(options.lease())))
}

async fn attempt(
    client: &Object,
    statement: &str,
    key: &str,
    options: StoreOptions,
) -> Result<Option<Claimed>, Error> {
    let lease = options.lease();
    let statement = client.prepare_cached(statement).await?;
    match client.query_opt(&statement, &[&key, &micros(lease)]).await {
        Ok(Some(row)) => Ok(Some(Claimed::Fresh(epoch(row.try_get(0)?)))),
        Ok(None) => Ok(None),
        // Another transaction holds the row, and may take its time.
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            Ok(Some(Claimed::under_way(lease)))
        }
        Err(error) => Err(error),
    }
}

async fn prepare(client: &mut Client) -> Result<i64, Error> {
    let exists: bool = client
        .query_one(sql::STATEMENTS.exists, &[])
        .await?
        .try_get(0)?;
    if !exists {
        let transaction = client.transaction().await?;
        transaction.batch_execute(sql::STATEMENTS.schema).await?;
        transaction.commit().await?;
    }
    client
        .query_one(sql::STATEMENTS.version, &[])
        .await?
        .try_get(0)
}

async fn clean_up(client: &Object, options: StoreOptions) -> Result<u64, Error> {
    let retention = micros(options.retention());
    let statement = client.prepare_cached(sql::STATEMENTS.clean_up).await?;
    client.execute(&statement, &[&retention, &BATCH]).await
}

impl Store for PostgresStore {
    fn ready(&self) -> StoreFuture<'_, ()> {
        Box::pin(self.call(async |client| client.batch_execute(sql::WRITES).await))
    }

    fn close(&self) {
        self.pool.retain(|_, _| false);
    }

    fn in_transaction(&self) -> Option<InTransaction> {
        let sql = Self::STATEMENTS;
        let statements = [sql.claim, sql.standing, sql.commit];
        Some(InTransaction::new("postgres", statements, self.options))
    }

    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        Box::pin(async move {
            let text = stored(&key, &self.options);
            let claimed = self
                .call(async |client| claim_pooled(client, &text, self.options).await)
                .await?;
            drop(text);
            Ok(claimed.into_claim(self, key))
        })
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.set(Verb::Commit, key, epoch).await?;
            self.clean_up_at_times();
            Ok(())
        })
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(self.set(Verb::Release, key, epoch))
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(self.set(Verb::Renew, key, epoch))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
