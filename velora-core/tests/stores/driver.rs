//! A store over the program's own copy of SQLite, and a store that is paused.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rusqlite::Connection;

use velora_core::dedupe::{
    SqliteConnection, SqliteDriver, SqliteFault, SqliteStore, Statement, Value,
};

use velora_core::{Store, StoreOptions};

use super::support::{PATIENCE, claim, key, patient};

const MOMENT: Duration = Duration::from_millis(100);

/// A copy that is of this version, and says this to whoever opens a file.
struct Odd(i32, SqliteFault);

impl SqliteDriver for Odd {
    type Connection = Connection;

    fn version(&self) -> i32 {
        self.0
    }

    fn open(&self, _: &Path, _: Duration) -> Result<Connection, SqliteFault> {
        Err(self.1.clone())
    }
}

#[tokio::test]
async fn says_why_a_file_cannot_be_opened() {
    let other = || SqliteFault::Other("it is locked away".to_owned());
    let hasty = patient().with_timeout(3 * MOMENT).unwrap();
    let unavailable = "store_unavailable";
    for (version, fault, options, code, reason) in [
        (3_034_999, other(), patient(), unavailable, "3034999"),
        (3_035_000, other(), patient(), unavailable, "locked away"),
        // The caller or the writer says so, whichever gives up first.
        (3_035_000, SqliteFault::Busy, hasty, unavailable, ""),
        (3_035_000, SqliteFault::Full, patient(), "store_full", ""),
    ] {
        let store = SqliteStore::driven_by(Odd(version, fault), "claims.db", options);
        let error = store.ready().await.unwrap_err();
        assert_eq!(error.code().as_str(), code, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

/// A copy whose claims take so long, and whose `COMMIT`s are counted.
#[derive(Clone, Default)]
struct Slow {
    claim: Duration,
    /// The first claim lasts until this end is closed.
    first: Option<Arc<Mutex<Receiver<()>>>>,
    commits: Arc<AtomicU32>,
}

impl Slow {
    /// The first claim takes until the sender is dropped.
    fn at_first() -> (Self, Sender<()>) {
        let (go_on, first) = channel();
        let slow = Self {
            first: Some(Arc::new(Mutex::new(first))),
            ..Self::default()
        };
        (slow, go_on)
    }
}

struct SlowConnection {
    connection: Connection,
    slow: Slow,
}

impl SqliteDriver for Slow {
    type Connection = SlowConnection;

    fn version(&self) -> i32 {
        rusqlite::version_number()
    }

    fn open(&self, path: &Path, _: Duration) -> Result<SlowConnection, SqliteFault> {
        Ok(SlowConnection {
            connection: Connection::open(path).unwrap(),
            slow: self.clone(),
        })
    }
}

impl SqliteConnection for SlowConnection {
    fn script(&self, sql: &str) -> Result<(), SqliteFault> {
        self.connection.script(sql)
    }

    fn row<const N: usize>(&self, statement: &Statement) -> Result<Option<[i64; N]>, SqliteFault> {
        if statement.sql == SqliteStore::STATEMENTS.claim {
            thread::sleep(self.slow.claim);
            if let Some(first) = &self.slow.first {
                // Closed, it is so for all that follow.
                let _ = first.lock().unwrap().recv();
            }
        }
        self.connection.row(statement)
    }

    fn change(&self, statement: &Statement) -> Result<u64, SqliteFault> {
        if statement.sql == "COMMIT" {
            self.slow.commits.fetch_add(1, Ordering::Relaxed);
        }
        self.connection.change(statement)
    }
}

#[tokio::test]
async fn a_slow_host_keeps_nobody_from_the_file_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let slow = Slow {
        claim: MOMENT,
        ..Slow::default()
    };
    let store = SqliteStore::driven_by(slow.clone(), folder.path().join("claims.db"), patient());
    store.ready().await.unwrap();
    let before = slow.commits.load(Ordering::Relaxed);
    let keys: Vec<_> = (0..8).map(|at| key(&format!("slow {at}"))).collect();
    let states = join_all(keys.iter().map(|key| claim(&store, key))).await;
    assert!(
        states.iter().all(|(state, _)| *state == "fresh"),
        "{states:?}"
    );
    // All but the first, which came alone, were asked together.
    assert!(slow.commits.load(Ordering::Relaxed) - before >= 2);
}

/// Waits until it has done what it was asked before.
async fn caught_up(store: &SqliteStore) {
    let start = Instant::now();
    while store.ready().await.is_err() {
        assert!(start.elapsed() < PATIENCE);
    }
}

#[tokio::test]
async fn who_gave_up_leaves_no_claim_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.db");
    let options = StoreOptions::default().with_timeout(MOMENT).unwrap();
    let (slow, go_on) = Slow::at_first();
    let hasty = SqliteStore::driven_by(slow, &path, options);
    caught_up(&hasty).await;
    assert_eq!(claim(&hasty, &key("slow")).await.0, "store_unavailable");
    drop(go_on);
    caught_up(&hasty).await;
    let patient = SqliteStore::new(&path, patient());
    assert_eq!(claim(&patient, &key("slow")).await.0, "fresh");
}

#[tokio::test]
async fn who_gave_up_is_done_with_what_they_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.db");
    let options = StoreOptions::default().with_timeout(MOMENT).unwrap();
    let (driver, go_on) = Slow::at_first();
    let hasty = SqliteStore::driven_by(driver, &path, options);
    let patient = SqliteStore::new(&path, patient());
    let (_, epoch) = claim(&patient, &key("done")).await;
    let (slow, done) = (key("slow"), key("done"));
    let (claimed, committed) = tokio::join!(claim(&hasty, &slow), hasty.commit(&done, epoch));
    assert_eq!(claimed.0, "store_unavailable");
    assert!(committed.is_err());
    drop(go_on);
    caught_up(&hasty).await;
    assert_eq!(claim(&patient, &key("done")).await.0, "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_lock_gives_way_to_a_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.db");
    let store = Arc::new(SqliteStore::new(&path, patient()));
    store.ready().await.unwrap();
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting = Arc::clone(&store);
    let waiting = tokio::spawn(async move { claim(&*waiting, &key("any")).await.0 });
    tokio::time::sleep(MOMENT).await;
    let resting = store.rest();
    assert!(resting.is_closed_within(PATIENCE / 4));
    assert_eq!(waiting.await.unwrap(), "store_unavailable");
    holder.execute_batch("ROLLBACK").unwrap();
    drop(resting);
    assert_eq!(claim(&*store, &key("any")).await.0, "fresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn rests_with_its_file_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.db");
    let store = SqliteStore::new(&path, patient());
    assert_eq!(claim(&store, &key("before")).await.0, "fresh");
    let log = folder.path().join("claims.db-wal");
    assert!(log.exists());
    let resting = store.rest();
    assert!(resting.is_closed_within(PATIENCE));
    // The last connection that closes takes the log along.
    assert!(!log.exists());
    let waiting = tokio::time::timeout(MOMENT, store.claim(key("meanwhile")));
    assert!(waiting.await.is_err());
    drop(resting);
    // Who gave up was not given a claim.
    assert_eq!(claim(&store, &key("meanwhile")).await.0, "fresh");
    assert_eq!(claim(&store, &key("before")).await.0, "in_flight");
}

#[test]
fn the_built_in_one_is_a_connection_as_any() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .script("CREATE TABLE t (k TEXT, n INTEGER); SELECT 1; INSERT INTO t VALUES ('a', 1)")
        .unwrap();
    let statement = |sql| {
        let key = Value::Text("a".to_owned());
        let values = vec![key, Value::Integer(5)];
        SqliteConnection::change(&connection, &Statement { sql, values })
    };
    assert_eq!(statement("UPDATE t SET n = ?2 WHERE k = ?1"), Ok(1));
    assert_eq!(statement("UPDATE t SET n = ?2 WHERE k <> ?1"), Ok(0));
    assert!(matches!(statement("nonsense"), Err(SqliteFault::Other(_))));
    let row = |sql| {
        SqliteConnection::row(
            &connection,
            &Statement {
                sql,
                values: vec![],
            },
        )
    };
    assert_eq!(row("SELECT n, n + 1 FROM t"), Ok(Some([5, 6])));
    assert_eq!(row("SELECT n, n FROM t WHERE n < 0"), Ok(None));
    assert!(matches!(
        row("SELECT k, n FROM t"),
        Err(SqliteFault::Other(_))
    ));
}

/// A claim is none where its transaction fails at its end, as on a disk that is full.
#[test]
fn a_row_that_is_not_committed_is_none() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .script(
            "PRAGMA foreign_keys = on; CREATE TABLE parents (id INTEGER PRIMARY KEY);
             CREATE TABLE children (
                 parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED
             )",
        )
        .unwrap();
    let sql = "INSERT INTO children VALUES (7) RETURNING parent";
    let row: Result<Option<[i64; 1]>, _> = SqliteConnection::row(
        &connection,
        &Statement {
            sql,
            values: vec![],
        },
    );
    assert!(matches!(row, Err(SqliteFault::Other(_))), "{row:?}");
}
