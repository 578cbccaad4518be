//! The one thread that writes, and what it is asked.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::pace::Pace;
use super::sql::STATEMENTS;
use crate::dedupe::claimed::{Claimed, column, epoch, held, micros};
use crate::dedupe::durable::{
    BATCH, COMMITS_PER_BATCH, SCHEMA_VERSION, foreign_schema, unavailable,
};
use crate::dedupe::{Epoch, StoreOptions};
use crate::error::StoreError;

/// So many jobs at most share one transaction, and so one write to the disk.
const SHARED: usize = 64;

/// Between attempts of what SQLite itself does not wait for.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) enum Verb {
    Ready,
    Claim(String),
    Commit(String, Epoch),
    Release(String, Epoch),
    Renew(String, Epoch),
    CleanUp,
}

#[derive(Clone, Copy)]
pub(super) enum Answer {
    Ok,
    Claimed(Claimed),
    Removed(u64),
}

pub(super) type Reply = Result<Answer, StoreError>;

pub(super) struct Job {
    pub(super) verb: Verb,
    pub(super) reply: oneshot::Sender<Reply>,
}

pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) options: StoreOptions,
    pace: Arc<Pace>,
    connection: Option<Connection>,
    commits: u64,
}

impl Writer {
    pub(super) fn new(path: PathBuf, options: StoreOptions, pace: Arc<Pace>) -> Self {
        Self {
            path,
            options,
            pace,
            connection: None,
            commits: 0,
        }
    }

    /// Works until nobody can ask any more. What waits is done in one transaction.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Some(first) = self.next(jobs) {
            let mut batch = VecDeque::from([first]);
            while batch.len() < SHARED
                && let Ok(job) = jobs.try_recv()
            {
                batch.push_back(job);
            }
            // Whoever has gone must not be given a claim.
            batch.retain(|job| !job.reply.is_closed());
            let alone = batch.len() == 1;
            let pace = Arc::clone(&self.pace);
            pace.measure(alone, || self.answer(batch));
        }
    }

    /// Sleeps until there is one, unless it comes at once.
    fn next(&self, jobs: &Receiver<Job>) -> Option<Job> {
        let at_once = self.pace.awake(|| jobs.try_recv().ok());
        at_once.or_else(|| jobs.recv().ok())
    }

    fn answer(&mut self, batch: VecDeque<Job>) {
        if batch.is_empty() {
            return;
        }
        match self.transact(&batch) {
            Ok(replies) => {
                for (job, reply) in batch.into_iter().zip(replies) {
                    // Whoever has gone meanwhile finds out when the event comes again.
                    let _ = job.reply.send(reply);
                }
            }
            Err(error) => {
                // A new connection starts from what is on the disk.
                self.connection = None;
                for job in batch {
                    let _ = job.reply.send(Err(error.clone()));
                }
            }
        }
    }

    fn transact(&mut self, batch: &VecDeque<Job>) -> Result<Vec<Reply>, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => open(&self.path, self.options)?,
        };
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fault)?;
        let mut replies = Vec::with_capacity(batch.len());
        for job in batch {
            let reply = match act(&transaction, &job.verb, self.options) {
                Err(error) if error != StoreError::LeaseLost => return Err(error),
                reply => reply,
            };
            if matches!((&job.verb, &reply), (Verb::Commit(..), Ok(_))) {
                if self.commits.is_multiple_of(COMMITS_PER_BATCH) {
                    clean_up(&transaction, self.options)?;
                }
                self.commits = self.commits.wrapping_add(1);
            }
            replies.push(reply);
        }
        transaction.commit().map_err(fault)?;
        self.connection = Some(connection);
        Ok(replies)
    }
}

fn act(on: &Connection, verb: &Verb, options: StoreOptions) -> Reply {
    match verb {
        Verb::Ready => Ok(Answer::Ok),
        Verb::Claim(key) => claim(on, key, options).map(Answer::Claimed),
        Verb::Commit(key, epoch) => commit(on, key, *epoch, options).map(|()| Answer::Ok),
        Verb::Release(key, epoch) => {
            set(on, STATEMENTS.release, params![key, column(*epoch)]).map(|()| Answer::Ok)
        }
        Verb::Renew(key, epoch) => {
            let lease = micros(options.lease());
            let values = params![key, column(*epoch), lease];
            set(on, STATEMENTS.renew, values).map(|()| Answer::Ok)
        }
        Verb::CleanUp => clean_up(on, options).map(Answer::Removed),
    }
}

pub(super) fn claim(
    on: &Connection,
    key: &str,
    options: StoreOptions,
) -> Result<Claimed, StoreError> {
    let lease = options.lease();
    let fresh: Option<i64> = on
        .prepare_cached(STATEMENTS.claim)
        .and_then(|mut claim| {
            let row = claim.query_row(params![key, micros(lease)], |row| row.get(0));
            row.optional()
        })
        .map_err(fault)?;
    if let Some(fresh) = fresh {
        return Ok(Claimed::Fresh(epoch(fresh)));
    }
    let row = on
        .prepare_cached(STATEMENTS.standing)
        .and_then(|mut standing| {
            let row = standing.query_row(params![key], |row| Ok((row.get(0)?, row.get(1)?)));
            row.optional()
        })
        .map_err(fault)?;
    Ok(Claimed::standing(row, lease))
}

pub(super) fn commit(
    on: &Connection,
    key: &str,
    epoch: Epoch,
    options: StoreOptions,
) -> Result<(), StoreError> {
    let values = params![key, column(epoch), micros(options.retention())];
    set(on, STATEMENTS.commit, values)
}

fn set(
    on: &Connection,
    statement: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<(), StoreError> {
    let rows = on
        .prepare_cached(statement)
        .and_then(|mut statement| statement.execute(values))
        .map_err(fault)?;
    held(rows as u64)
}

fn clean_up(on: &Connection, options: StoreOptions) -> Result<u64, StoreError> {
    let run = |statement, value: i64| {
        on.prepare_cached(statement)
            .and_then(|mut statement| statement.execute([value]))
            .map_err(fault)
    };
    run(STATEMENTS.sweep, BATCH)?;
    let removed = run(STATEMENTS.clean_up, micros(options.retention()))?;
    Ok(removed as u64)
}

fn open(path: &PathBuf, options: StoreOptions) -> Result<Connection, StoreError> {
    let attempts = options.timeout().as_millis() / PAUSE.as_millis();
    for _ in 0..attempts {
        match try_open(path, options) {
            // The change to WAL does not wait for another process that makes it too.
            Err(error) if is_busy(&error) => thread::sleep(PAUSE),
            Err(error) => return Err(fault(error)),
            Ok(connection) => {
                let found: i64 = connection
                    .query_row(STATEMENTS.version, [], |row| row.get(0))
                    .map_err(fault)?;
                return match found == i64::from(SCHEMA_VERSION) {
                    true => Ok(connection),
                    false => Err(foreign_schema(found)),
                };
            }
        }
    }
    Err(unavailable("another process keeps the database locked"))
}

fn try_open(path: &PathBuf, options: StoreOptions) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(options.timeout())?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(STATEMENTS.schema)?;
    transaction.commit()?;
    Ok(connection)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

pub(super) fn fault(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::StoreFull,
        _ => unavailable(error),
    }
}
