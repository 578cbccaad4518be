//! The process that the crash tests kill. It claims one key, does its work, and commits. At a
//! given point it prints the point and pauses, to be killed or to continue. At the end it
//! prints `processed`, `done`, `in_flight` or a code.
//!
//! As a crowd it claims many keys at once, commits them, and prints those that it got.

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use rusqlite::{Connection, TransactionBehavior};
use tokio::task::JoinSet;
use velora_core::dedupe::{Claimed, PostgresStore, SqliteStore};
use velora_core::{Claim, ConfigError, Key, Store, StoreError, StoreOptions, open_store};

type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Works under a lease: appends the key to a file.
    Lease {
        effects: PathBuf,
        #[command(flatten)]
        job: Job,
    },
    /// Works in a transaction of SQLite or PostgreSQL, which also claims and commits: inserts
    /// the key into the tables `effects` and `more_effects`.
    Transaction {
        #[command(flatten)]
        job: Job,
    },
    /// Claims and commits the keys `FIRST..FIRST + COUNT`, some at a time.
    Crowd {
        store: String,
        first: usize,
        count: usize,
    },
}

#[derive(Args)]
struct Job {
    store: String,
    lease_ms: u64,
    key: String,
    /// The point at which to pause.
    point: Option<String>,
}

/// How many keys of a crowd are claimed at a time.
const AT_A_TIME: usize = 16;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let end = match Arguments::parse().command {
        Command::Lease { effects, job } => job.with_lease(effects).await,
        Command::Transaction { job } => match job.store.strip_prefix("sqlite://") {
            Some(path) => job.in_sqlite(path).await,
            None => job.in_postgres().await,
        },
        Command::Crowd {
            store,
            first,
            count,
        } => return crowd(&store, first, count).await,
    };
    match end {
        Ok(end) => println!("{end}"),
        Err(error) => println!("{}", error.downcast::<StoreError>()?.code()),
    }
    Ok(())
}

impl Job {
    async fn with_lease(&self, effects: PathBuf) -> Result<&'static str, Failure> {
        let store = open_store(&self.store, self.options()?)?;
        store.ready().await?;
        self.reach("before_claim")?;
        let lease = match store.claim(self.key()).await? {
            Claim::Fresh(lease) => lease,
            Claim::InFlight { .. } => return Ok("in_flight"),
            Claim::Done => return Ok("done"),
        };
        self.reach("after_claim")?;
        let mut effects = File::options().create(true).append(true).open(effects)?;
        self.reach("mid_effect")?;
        effects.write_all(format!("{}\n", self.key).as_bytes())?;
        self.reach("after_effect")?;
        effects.sync_all()?;
        self.reach("before_commit")?;
        lease.commit().await?;
        self.reach("after_commit")?;
        Ok("processed")
    }

    async fn in_sqlite(&self, path: &str) -> Result<&'static str, Failure> {
        let store = SqliteStore::new(path, self.options()?);
        store.ready().await?;
        let mut connection = Connection::open(path)?;
        // Others stand still in their transactions meanwhile.
        connection.busy_timeout(Duration::from_secs(60))?;
        self.reach("before_claim")?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let epoch = match store.claim_in(&transaction, &self.key())? {
            Claimed::Fresh(epoch) => epoch,
            Claimed::InFlight { .. } => return Ok("in_flight"),
            Claimed::Done => return Ok("done"),
        };
        self.reach("after_claim")?;
        transaction.execute("INSERT INTO effects VALUES (?1)", [&self.key])?;
        self.reach("mid_effect")?;
        transaction.execute("INSERT INTO more_effects VALUES (?1)", [&self.key])?;
        self.reach("after_effect")?;
        store.commit_in(&transaction, &self.key(), epoch)?;
        self.reach("before_commit")?;
        transaction.commit()?;
        self.reach("after_commit")?;
        Ok("processed")
    }

    async fn in_postgres(&self) -> Result<&'static str, Failure> {
        let store = PostgresStore::new(&self.store, self.options()?)?;
        store.ready().await?;
        let connecting = tokio_postgres::connect(&self.store, tokio_postgres::NoTls);
        let (mut client, connection) = connecting.await?;
        tokio::spawn(connection);
        self.reach("before_claim")?;
        let transaction = client.transaction().await?;
        let epoch = match store.claim_in(&transaction, &self.key()).await? {
            Claimed::Fresh(epoch) => epoch,
            Claimed::InFlight { .. } => return Ok("in_flight"),
            Claimed::Done => return Ok("done"),
        };
        self.reach("after_claim")?;
        let effect = "INSERT INTO effects VALUES ($1)";
        transaction.execute(effect, &[&self.key]).await?;
        self.reach("mid_effect")?;
        let effect = "INSERT INTO more_effects VALUES ($1)";
        transaction.execute(effect, &[&self.key]).await?;
        self.reach("after_effect")?;
        store.commit_in(&transaction, &self.key(), epoch).await?;
        self.reach("before_commit")?;
        transaction.commit().await?;
        self.reach("after_commit")?;
        Ok("processed")
    }

    /// Pauses at the given point until there is a line of input.
    fn reach(&self, point: &str) -> io::Result<()> {
        if self.point.as_deref() == Some(point) {
            println!("{point}");
            io::stdin().lock().read_line(&mut String::new())?;
        }
        Ok(())
    }

    fn options(&self) -> Result<StoreOptions, Failure> {
        let lease = Duration::from_millis(self.lease_ms);
        Ok(patient()?.with_lease(lease)?)
    }

    fn key(&self) -> Key {
        Key::from(self.key.as_str())
    }
}

async fn crowd(store: &str, first: usize, count: usize) -> Result<(), Failure> {
    let store = open_store(store, patient()?)?;
    let mut workers = JoinSet::new();
    for worker in 0..AT_A_TIME {
        let store = store.clone();
        workers.spawn(async move {
            let mut fresh = Vec::new();
            for number in (first..first + count).skip(worker).step_by(AT_A_TIME) {
                let key = Key::of_members("crowd", &[number.to_string()]);
                if let Claim::Fresh(lease) = store.claim(key).await? {
                    lease.commit().await?;
                    fresh.push(number);
                }
            }
            Ok::<_, StoreError>(fresh)
        });
    }
    let mut output = io::stdout().lock();
    while let Some(fresh) = workers.join_next().await {
        for number in fresh?? {
            writeln!(output, "{number}")?;
        }
    }
    Ok(())
}

/// A busy machine is slow, and a call that timed out may still have been carried out.
fn patient() -> Result<StoreOptions, ConfigError> {
    StoreOptions::default().with_timeout(Duration::from_secs(60))
}
