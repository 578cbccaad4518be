//! The single thread that writes, and the jobs that it takes.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::driver::{SqliteConnection, SqliteDriver, SqliteFault};
use super::pace::Pace;
use super::rest::{Pause, Wanted};
use super::sql::{STATEMENTS, in_transaction};
use crate::clock::{Clock, SystemClock};
use crate::dedupe::claimed::{Claimed, column, held, micros};
use crate::dedupe::durable::{
    BATCH, COMMITS_PER_BATCH, SCHEMA_VERSION, foreign_schema, unavailable,
};
use crate::dedupe::{Epoch, InTransaction, Key, Statement, StoreOptions, Value};
use crate::error::StoreError;

/// How many jobs at most share one transaction, and thus one write to the disk.
const SHARED: usize = 64;

/// After this time a shared transaction takes no further jobs: the disk may be slow, and other
/// processes that wait for the lock should not have to wait for all of the jobs.
const LONGEST: Duration = Duration::from_millis(250);

/// How long SQLite itself waits for a lock before it is called again, so that its driver gets
/// control back now and then.
const BUSY: Duration = Duration::from_millis(500);

/// The pause before it is called again, because SQLite does not wait for every lock.
const PAUSE: Duration = Duration::from_millis(10);

/// The first version of SQLite that has `RETURNING`.
const OLDEST: i32 = 3_035_000;

/// Returns a row if the version table exists.
const HAS_VERSION: &str =
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'velora_dedupe_version'";

const BEGIN: Statement = plain("BEGIN IMMEDIATE");
const COMMIT: Statement = plain("COMMIT");

pub(super) enum Verb {
    Ready,
    Claim(Key),
    Commit(Key, Epoch),
    Release(Key, Epoch),
    Renew(Key, Epoch),
    CleanUp,
}

#[derive(Clone, Copy)]
pub(super) enum Answer {
    Ok,
    Claimed(Claimed),
    Removed(u64),
}

pub(super) type Reply = Result<Answer, StoreError>;

pub(super) enum Job {
    Ask(Asked),
    Rest(Pause),
}

pub(super) struct Asked {
    pub(super) verb: Verb,
    pub(super) reply: oneshot::Sender<Reply>,
}

pub(super) struct Writer<D: SqliteDriver> {
    driver: D,
    path: PathBuf,
    options: StoreOptions,
    statements: InTransaction,
    pace: Arc<Pace>,
    rest: Arc<Wanted>,
    connection: Option<D::Connection>,
    commits: u64,
}

impl<D: SqliteDriver> Writer<D> {
    pub(super) fn new(
        driver: D,
        path: PathBuf,
        options: StoreOptions,
        pace: Arc<Pace>,
        rest: Arc<Wanted>,
    ) -> Self {
        Self {
            driver,
            path,
            options,
            statements: in_transaction(options),
            pace,
            rest,
            connection: None,
            commits: 0,
        }
    }

    /// Works until the store is dropped. Jobs that wait share transactions.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Some(first) = self.next(jobs) {
            let mut batch = VecDeque::new();
            let mut next = Some(first);
            while let Some(Job::Ask(asked)) = next {
                batch.push_back(asked);
                next = match batch.len() < SHARED {
                    true => jobs.try_recv().ok(),
                    false => None,
                };
            }
            let alone = batch.len() == 1;
            let pace = Arc::clone(&self.pace);
            pace.measure(alone, || self.answer(batch));
            if let Some(Job::Rest(pause)) = next {
                self.connection = None;
                pause.keep();
            }
        }
    }

    /// Waits for the next job, awake for a moment if that is worth it.
    fn next(&self, jobs: &Receiver<Job>) -> Option<Job> {
        let at_once = self.pace.awake(|| jobs.try_recv().ok());
        at_once.or_else(|| jobs.recv().ok())
    }

    fn answer(&mut self, mut batch: VecDeque<Asked>) {
        let mut next = Vec::new();
        while !batch.is_empty() {
            batch.retain(Asked::is_wanted);
            let verbs: Vec<_> = batch.iter().map(|asked| &asked.verb).collect();
            let replies = self.work(&verbs);
            for (asked, reply) in batch.drain(..replies.len()).zip(replies) {
                next.extend(self.tell(asked, reply));
            }
        }
        // Nobody waits for these. If they fail, leases expire, and rows stay for a while.
        while !next.is_empty() {
            let verbs: Vec<_> = next.iter().collect();
            let replies = self.work(&verbs);
            next.drain(..replies.len());
        }
    }

    /// Sends the reply to the caller, and returns what to do next, if anything.
    fn tell(&mut self, Asked { verb, reply: asks }: Asked, reply: Reply) -> Option<Verb> {
        let committed = matches!((&verb, &reply), (Verb::Commit(..), Ok(_)));
        let unheard = asks.send(reply).err();
        if committed {
            let due = self.commits.is_multiple_of(COMMITS_PER_BATCH);
            self.commits = self.commits.wrapping_add(1);
            return due.then_some(Verb::CleanUp);
        }
        match (verb, unheard) {
            // A caller that has gone meanwhile will not end its claim.
            (Verb::Claim(key), Some(Ok(Answer::Claimed(Claimed::Fresh(epoch))))) => {
                Some(Verb::Release(key, epoch))
            }
            _ => None,
        }
    }

    /// The replies to the first of these jobs, or to all of them if the transaction failed.
    fn work(&mut self, verbs: &[&Verb]) -> Vec<Reply> {
        if verbs.is_empty() {
            return Vec::new();
        }
        self.transact(verbs).unwrap_or_else(|error| {
            // A new connection starts from what is on the disk.
            self.connection = None;
            vec![Err(error); verbs.len()]
        })
    }

    fn transact(&mut self, verbs: &[&Verb]) -> Result<Vec<Reply>, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        let on = Patient {
            connection: &connection,
            patience: self.patience(),
        };
        let replies = match verbs {
            // A single statement is a transaction by itself.
            [Verb::Claim(_) | Verb::Commit(..) | Verb::Release(..) | Verb::Renew(..)] => {
                self.act_all(&on, verbs)?
            }
            _ => {
                on.change(&BEGIN)?;
                let replies = self.act_all(&on, verbs)?;
                on.change(&COMMIT)?;
                replies
            }
        };
        self.connection = Some(connection);
        Ok(replies)
    }

    /// Does as many of these jobs as fit into one transaction, and at least one.
    fn act_all(
        &self,
        on: &impl SqliteConnection,
        verbs: &[&Verb],
    ) -> Result<Vec<Reply>, StoreError> {
        let end = SystemClock.monotonic().saturating_add(LONGEST);
        let mut replies = Vec::with_capacity(verbs.len());
        for verb in verbs {
            match self.act(on, verb) {
                Err(error) if error != StoreError::LeaseLost => return Err(error),
                reply => replies.push(reply),
            }
            if SystemClock.monotonic() >= end {
                break;
            }
        }
        Ok(replies)
    }

    fn act(&self, on: &impl SqliteConnection, verb: &Verb) -> Reply {
        match verb {
            Verb::Ready => Ok(Answer::Ok),
            Verb::Claim(key) => claim(on, key, &self.statements).map(Answer::Claimed),
            Verb::Commit(key, epoch) => {
                commit(on, key, *epoch, &self.statements).map(|()| Answer::Ok)
            }
            Verb::Release(key, epoch) => {
                let values = [column(*epoch)];
                set(on, &self.statements.of_key(STATEMENTS.release, key, values))
            }
            Verb::Renew(key, epoch) => {
                let values = [column(*epoch), micros(self.options.lease())];
                set(on, &self.statements.of_key(STATEMENTS.renew, key, values))
            }
            Verb::CleanUp => self.clean_up(on).map(Answer::Removed),
        }
    }

    fn clean_up(&self, on: &impl SqliteConnection) -> Result<u64, StoreError> {
        let retention = micros(self.options.retention());
        on.change(&number(STATEMENTS.sweep, BATCH))?;
        Ok(on.change(&number(STATEMENTS.clean_up, retention))?)
    }

    fn open(&self) -> Result<D::Connection, StoreError> {
        let version = self.driver.version();
        if version < OLDEST {
            return Err(unavailable(format_args!(
                "its SQLite has version {version}, but must be {OLDEST} or newer"
            )));
        }
        self.patience().with(|| self.try_open())?
    }

    /// The outer error is worth another attempt if the file is locked.
    fn try_open(&self) -> Result<Result<D::Connection, StoreError>, SqliteFault> {
        let busy = BUSY.min(self.options.timeout());
        let connection = self.driver.open(&self.path, busy)?;
        if let Some([_]) = connection.row(&plain(HAS_VERSION))?
            && let Some([found]) = connection.row(&plain(STATEMENTS.version))?
            && found != i64::from(SCHEMA_VERSION)
        {
            return Ok(Err(foreign_schema(found)));
        }
        connection.script("PRAGMA journal_mode = wal; PRAGMA synchronous = full")?;
        let schema = STATEMENTS.schema;
        connection.script(&format!("BEGIN IMMEDIATE; {schema} COMMIT"))?;
        Ok(Ok(connection))
    }

    fn patience(&self) -> Patience<'_> {
        Patience {
            limit: self.options.timeout(),
            rest: &self.rest,
        }
    }
}

/// How long to try again while the file is locked.
#[derive(Clone, Copy)]
struct Patience<'w> {
    limit: Duration,
    rest: &'w Wanted,
}

impl Patience<'_> {
    fn with<T>(
        self,
        mut attempt: impl FnMut() -> Result<T, SqliteFault>,
    ) -> Result<T, SqliteFault> {
        let end = SystemClock.monotonic().saturating_add(self.limit);
        loop {
            match attempt() {
                Err(SqliteFault::Busy) if !self.rest.any() && SystemClock.monotonic() < end => {
                    thread::sleep(PAUSE);
                }
                result => return result,
            }
        }
    }
}

/// A connection that tries again while the file is locked.
struct Patient<'w, C> {
    connection: &'w C,
    patience: Patience<'w>,
}

impl<C: SqliteConnection> SqliteConnection for Patient<'_, C> {
    fn script(&self, sql: &str) -> Result<(), SqliteFault> {
        self.patience.with(|| self.connection.script(sql))
    }

    fn row<const N: usize>(&self, statement: &Statement) -> Result<Option<[i64; N]>, SqliteFault> {
        self.patience.with(|| self.connection.row(statement))
    }

    fn change(&self, statement: &Statement) -> Result<u64, SqliteFault> {
        self.patience.with(|| self.connection.change(statement))
    }
}

impl Asked {
    /// A caller that has gone must not get a claim; its commits and releases still count.
    fn is_wanted(&self) -> bool {
        matches!(self.verb, Verb::Commit(..) | Verb::Release(..)) || !self.reply.is_closed()
    }
}

pub(super) fn claim(
    on: &impl SqliteConnection,
    key: &Key,
    statements: &InTransaction,
) -> Result<Claimed, StoreError> {
    if let Some([row]) = on.row(&statements.claim(key))? {
        return Ok(statements.fresh(row));
    }
    let row = on.row(&statements.standing(key))?;
    Ok(statements.stands(row.map(|[state, left]| (state, left))))
}

pub(super) fn commit(
    on: &impl SqliteConnection,
    key: &Key,
    epoch: Epoch,
    statements: &InTransaction,
) -> Result<(), StoreError> {
    statements.committed(on.change(&statements.commit(key, epoch))?)
}

fn set(on: &impl SqliteConnection, statement: &Statement) -> Reply {
    held(on.change(statement)?).map(|()| Answer::Ok)
}

const fn plain(sql: &'static str) -> Statement {
    let values = Vec::new();
    Statement { sql, values }
}

fn number(sql: &'static str, value: i64) -> Statement {
    let values = vec![Value::Integer(value)];
    Statement { sql, values }
}
