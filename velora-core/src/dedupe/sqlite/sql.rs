//! The SQL statements, as values.

use crate::dedupe::{InTransaction, StoreOptions};

/// The store's SQL statements, to run on a connection of your own.
///
/// `?1` is the key. Times are in microseconds. `claim` returns a row with the new epoch if the
/// claim is fresh. If it returns none, `standing` returns the state (1 claimed, 2 done) and how
/// much longer it lasts. If `standing` returns no row, or one whose time is over, the key has
/// just changed: take it as in flight. `commit`, `release` and `renew` change one row; if they
/// change none, the lease is lost.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SqliteStatements {
    /// Creates the tables if they do not exist: one script, to run in a transaction that is
    /// begun with `BEGIN IMMEDIATE`.
    pub schema: &'static str,
    /// Returns the version of the tables.
    pub version: &'static str,
    /// `?2` is the lease.
    pub claim: &'static str,
    /// The state of a key that could not be claimed.
    pub standing: &'static str,
    /// `?2` is the epoch, `?3` the retention.
    pub commit: &'static str,
    /// `?2` is the epoch.
    pub release: &'static str,
    /// `?2` is the epoch, `?3` the lease.
    pub renew: &'static str,
    /// Moves on to the next `?1` rows to clean up.
    pub sweep: &'static str,
    /// Removes those of these rows whose time is over. `?1` is the retention.
    pub clean_up: &'static str,
}

/// Microseconds since 1970, by SQLite's own clock, which has milliseconds. Not
/// `unixepoch('subsec')`, because the host's SQLite may be as old as 3.35.
macro_rules! now {
    () => {
        "CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000"
    };
}

pub(super) const STATEMENTS: SqliteStatements = SqliteStatements {
    // The greatest epoch outlives the rows, so that no epoch is issued twice.
    schema: "
CREATE TABLE IF NOT EXISTS velora_dedupe_version (version INTEGER NOT NULL);
INSERT INTO velora_dedupe_version SELECT 1
    WHERE NOT EXISTS (SELECT 1 FROM velora_dedupe_version);
CREATE TABLE IF NOT EXISTS velora_dedupe_epoch (last INTEGER NOT NULL);
INSERT INTO velora_dedupe_epoch SELECT 0
    WHERE NOT EXISTS (SELECT 1 FROM velora_dedupe_epoch);
CREATE TABLE IF NOT EXISTS velora_dedupe_claims (
    key TEXT NOT NULL PRIMARY KEY,
    epoch INTEGER NOT NULL,
    state INTEGER NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS velora_dedupe_sweep (behind NOT NULL, last NOT NULL);
INSERT INTO velora_dedupe_sweep SELECT '', x''
    WHERE NOT EXISTS (SELECT 1 FROM velora_dedupe_sweep);
CREATE TRIGGER IF NOT EXISTS velora_dedupe_inserted AFTER INSERT ON velora_dedupe_claims
    BEGIN UPDATE velora_dedupe_epoch SET last = NEW.epoch; END;
CREATE TRIGGER IF NOT EXISTS velora_dedupe_taken_over AFTER UPDATE OF epoch ON velora_dedupe_claims
    BEGIN UPDATE velora_dedupe_epoch SET last = NEW.epoch; END;
",
    version: "SELECT version FROM velora_dedupe_version",
    claim: concat!(
        "INSERT INTO velora_dedupe_claims (key, epoch, state, until) \
         VALUES (?1, (SELECT last + 1 FROM velora_dedupe_epoch), 1, ",
        now!(),
        " + ?2) ON CONFLICT (key) DO UPDATE \
         SET epoch = excluded.epoch, state = 1, until = excluded.until \
         WHERE until <= ",
        now!(),
        " RETURNING epoch"
    ),
    standing: concat!(
        "SELECT state, until - ",
        now!(),
        " FROM velora_dedupe_claims WHERE key = ?1"
    ),
    commit: concat!(
        "UPDATE velora_dedupe_claims SET state = 2, until = ",
        now!(),
        " + ?3 WHERE key = ?1 AND epoch = ?2 AND state = 1"
    ),
    // Free, even if the clock is set back.
    release: "UPDATE velora_dedupe_claims SET state = 0, until = 0 \
              WHERE key = ?1 AND epoch = ?2 AND state = 1",
    renew: concat!(
        "UPDATE velora_dedupe_claims SET until = ",
        now!(),
        " + ?3 WHERE key = ?1 AND epoch = ?2 AND state = 1"
    ),
    // Goes through the keys round and round: an index on times would have to be written with
    // each claim. At the end `last` is a blob, which is greater than any text.
    sweep: "
UPDATE velora_dedupe_sweep SET
    behind = CASE typeof(last) WHEN 'text' THEN last ELSE '' END,
    last = coalesce(
        (SELECT key FROM velora_dedupe_claims
          WHERE key > CASE typeof(last) WHEN 'text' THEN last ELSE '' END
          ORDER BY key LIMIT 1 OFFSET ?1 - 1),
        x'')",
    // A claim whose lease has expired may still be committed: it stays for the retention.
    clean_up: concat!(
        "DELETE FROM velora_dedupe_claims \
          WHERE key > (SELECT behind FROM velora_dedupe_sweep) \
            AND key <= (SELECT last FROM velora_dedupe_sweep) \
            AND until <= ",
        now!(),
        " - CASE state WHEN 2 THEN 0 ELSE ?1 END"
    ),
};

/// The statements that claim and commit.
pub(super) fn in_transaction(options: StoreOptions) -> InTransaction {
    let statements = [STATEMENTS.claim, STATEMENTS.standing, STATEMENTS.commit];
    InTransaction::new("sqlite", statements, options)
}
