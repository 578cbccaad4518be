//! The durable stores, and beside each the bare statements that a careful user would
//! write: one to claim, one to commit, without leases, epochs or take-over.

use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use rusqlite::Connection;
use tokio::task::{JoinSet, block_in_place};
use tokio_postgres::{Client, NoTls, Statement};
use velora_core::{Claim, Key, Store, StoreOptions, open_store};
use velora_servers::{Postgres, Redis};

use crate::Failure;

type Claiming<'a> = Pin<Box<dyn Future<Output = Result<bool, Failure>> + Send + 'a>>;

/// A way to claim and commit.
pub trait Claimer: Send + Sync {
    /// Claims and commits a key; false if it was not fresh. No two calls at a time are
    /// of the same worker.
    fn claim_and_commit(&self, worker: usize, key: String) -> Claiming<'_>;
}

/// A store, and its bare statements, in the same place.
pub struct Beside {
    /// `sqlite`, `postgres` or `redis`.
    pub name: &'static str,
    /// At most so many times the time of the bare statements.
    pub target: f64,
    /// Ours.
    pub store: Arc<dyn Claimer>,
    /// What it is compared with.
    pub bare: Arc<dyn Claimer>,
}

/// All stores, each ready for so many workers, in files below `folder` and on servers
/// that end with this process. Redis writes each command to its disk, as PostgreSQL does.
pub async fn durable(folder: &Path, workers: usize) -> Result<Vec<Beside>, Failure> {
    let file = folder.join("claims.db");
    let postgres = Postgres::shared().url();
    let redis = Redis::shared().url();
    Ok(vec![
        Beside {
            name: "sqlite",
            target: 1.30,
            store: ours(&format!("sqlite://{}", file.display())).await?,
            bare: Arc::new(BareSqlite::open(&folder.join("bare.db"), workers)?),
        },
        Beside {
            name: "postgres",
            target: 1.15,
            store: ours(&postgres).await?,
            bare: Arc::new(BarePostgres::connect(&postgres, workers).await?),
        },
        Beside {
            name: "redis",
            target: 1.15,
            store: ours(&redis).await?,
            bare: Arc::new(BareRedis::connect(&redis).await?),
        },
    ])
}

struct Ours(Arc<dyn Store>);

async fn ours(url: &str) -> Result<Arc<dyn Claimer>, Failure> {
    let store = open_store(url, StoreOptions::default())?;
    store.ready().await?;
    Ok(Arc::new(Ours(store)))
}

impl Claimer for Ours {
    fn claim_and_commit(&self, _: usize, key: String) -> Claiming<'_> {
        Box::pin(async move {
            match self.0.claim(Key::from(key.as_str())).await? {
                Claim::Fresh(lease) => Ok(lease.commit().await.map(|()| true)?),
                _ => Ok(false),
            }
        })
    }
}

/// A connection a worker, in the modes of the store's own.
struct BareSqlite(Vec<Mutex<Connection>>);

impl BareSqlite {
    fn open(path: &Path, workers: usize) -> Result<Self, Failure> {
        let open = |_| {
            let connection = Connection::open(path)?;
            connection.busy_timeout(Duration::from_secs(60))?;
            connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.execute_batch(
                "CREATE TABLE IF NOT EXISTS events (key TEXT PRIMARY KEY, done INTEGER)",
            )?;
            Ok(Mutex::new(connection))
        };
        (0..workers).map(open).collect::<Result<_, _>>().map(Self)
    }
}

impl Claimer for BareSqlite {
    fn claim_and_commit(&self, worker: usize, key: String) -> Claiming<'_> {
        Box::pin(async move {
            let connection = self.0.get(worker).ok_or("no such worker")?;
            let connection = connection.lock().map_err(|_| "a worker panicked")?;
            block_in_place(|| {
                let claim = "INSERT INTO events VALUES (?1, 0) ON CONFLICT DO NOTHING";
                if connection.prepare_cached(claim)?.execute([&key])? == 0 {
                    return Ok(false);
                }
                let commit = "UPDATE events SET done = 1 WHERE key = ?1";
                connection.prepare_cached(commit)?.execute([&key])?;
                Ok(true)
            })
        })
    }
}

/// A connection a worker, with prepared statements.
struct BarePostgres(Vec<(Client, Statement, Statement)>);

impl BarePostgres {
    async fn connect(url: &str, workers: usize) -> Result<Self, Failure> {
        let mut clients = Vec::new();
        for _ in 0..workers {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            client
                .batch_execute(
                    "CREATE TABLE IF NOT EXISTS events (key text PRIMARY KEY, done bool)",
                )
                .await?;
            let claim = "INSERT INTO events VALUES ($1, false) ON CONFLICT DO NOTHING";
            let claim = client.prepare(claim).await?;
            let commit = "UPDATE events SET done = true WHERE key = $1";
            let commit = client.prepare(commit).await?;
            clients.push((client, claim, commit));
        }
        Ok(Self(clients))
    }
}

impl Claimer for BarePostgres {
    fn claim_and_commit(&self, worker: usize, key: String) -> Claiming<'_> {
        Box::pin(async move {
            let (client, claim, commit) = self.0.get(worker).ok_or("no such worker")?;
            if client.execute(claim, &[&key]).await? == 0 {
                return Ok(false);
            }
            client.execute(commit, &[&key]).await?;
            Ok(true)
        })
    }
}

/// One connection for all workers, as the store has.
struct BareRedis(MultiplexedConnection);

impl BareRedis {
    async fn connect(url: &str) -> Result<Self, Failure> {
        let client = redis::Client::open(url)?;
        Ok(Self(client.get_multiplexed_async_connection().await?))
    }
}

impl Claimer for BareRedis {
    fn claim_and_commit(&self, _: usize, key: String) -> Claiming<'_> {
        Box::pin(async move {
            let mut connection = self.0.clone();
            let mut claim = redis::cmd("SET");
            claim.arg(&key).arg("1").arg("NX").arg("PX").arg(60_000);
            let claimed: Option<String> = claim.query_async(&mut connection).await?;
            if claimed.is_none() {
                return Ok(false);
            }
            let mut commit = redis::cmd("DEL");
            commit.arg(&key).exec_async(&mut connection).await?;
            Ok(true)
        })
    }
}

/// What one turn took.
pub struct Turn {
    /// From the first claim to the last commit.
    pub elapsed: Duration,
    /// Each claim with its commit.
    pub each: Vec<Duration>,
}

/// Claims and commits so many new keys with each of so many workers.
pub async fn turn(
    claimer: &Arc<dyn Claimer>,
    workers: usize,
    keys_each: usize,
) -> Result<Turn, Failure> {
    static NEXT: AtomicU64 = AtomicU64::new(0);

    let start = Instant::now();
    let mut working = JoinSet::new();
    for worker in 0..workers {
        let claimer = Arc::clone(claimer);
        working.spawn(async move {
            let mut each = Vec::with_capacity(keys_each);
            for _ in 0..keys_each {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let key = format!("health:8b2e5c11-1234-4abc-89de-{number:012x}:phi.read");
                let start = Instant::now();
                if !claimer.claim_and_commit(worker, key).await? {
                    return Err("a new key is not fresh".into());
                }
                each.push(start.elapsed());
            }
            Ok::<_, Failure>(each)
        });
    }
    let mut each = Vec::new();
    while let Some(worked) = working.join_next().await {
        each.extend(worked??);
    }
    Ok(Turn {
        elapsed: start.elapsed(),
        each,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_key_is_fresh_once() -> Result<(), Failure> {
        let folder = tempfile::tempdir()?;
        for beside in durable(folder.path(), 2).await? {
            for claimer in [&beside.store, &beside.bare] {
                assert!(claimer.claim_and_commit(0, "once".to_owned()).await?);
                let again = claimer.claim_and_commit(1, "once".to_owned()).await?;
                // The lock of Redis remembers nothing once it is given back.
                let lock = beside.name == "redis" && Arc::ptr_eq(claimer, &beside.bare);
                assert_eq!(again, lock, "{}", beside.name);
                assert_eq!(turn(claimer, 2, 5).await?.each.len(), 10);
            }
        }
        Ok(())
    }
}
