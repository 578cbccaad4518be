//! The SQL statements, as values.

/// The store's SQL statements, to run on a connection of your own.
///
/// `$1` is the key. Times are in microseconds, as `bigint`. `claim` returns a row with the new
/// epoch if the claim is fresh. If it returns none, `standing` returns the state (1 claimed,
/// 2 done) and how much longer it lasts. If `standing` returns no row, or one whose time is
/// over, the key is just changing: take it as in flight. `commit`, `release` and `renew` change
/// one row; if they change none, the lease is lost.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PostgresStatements {
    /// Whether the tables exist: a `boolean`.
    pub exists: &'static str,
    /// Creates the tables if they do not exist: one script, to run in a transaction. It waits
    /// for any other transaction that does the same.
    pub schema: &'static str,
    /// Returns the version of the tables.
    pub version: &'static str,
    /// `$2` is the lease.
    pub claim: &'static str,
    /// The state of a key that could not be claimed.
    pub standing: &'static str,
    /// `$2` is the epoch, `$3` the retention. Returns the epoch of the row that it changed.
    pub commit: &'static str,
    /// `$2` is the epoch.
    pub release: &'static str,
    /// `$2` is the epoch, `$3` the lease.
    pub renew: &'static str,
    /// Checks the next `$2` rows, and removes those whose time is over. `$1` is the
    /// retention.
    pub clean_up: &'static str,
}

pub(super) const STATEMENTS: PostgresStatements = PostgresStatements {
    exists: "SELECT to_regclass('velora_dedupe_version') IS NOT NULL",
    // `IF NOT EXISTS` alone fails if two transactions run it at once. A sequence is never
    // rolled back, so no epoch is issued twice, even when rows are removed.
    schema: "
SELECT pg_advisory_xact_lock(7307, 1);
CREATE SEQUENCE IF NOT EXISTS velora_dedupe_epoch;
CREATE TABLE IF NOT EXISTS velora_dedupe_claims (
    key text COLLATE \"C\" PRIMARY KEY,
    epoch bigint NOT NULL,
    state smallint NOT NULL,
    until timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE IF NOT EXISTS velora_dedupe_sweep (last text COLLATE \"C\" NOT NULL);
INSERT INTO velora_dedupe_sweep SELECT '' WHERE NOT EXISTS (SELECT 1 FROM velora_dedupe_sweep);
CREATE TABLE IF NOT EXISTS velora_dedupe_version (version integer NOT NULL);
INSERT INTO velora_dedupe_version SELECT 1
    WHERE NOT EXISTS (SELECT 1 FROM velora_dedupe_version);
",
    version: "SELECT version::bigint FROM velora_dedupe_version",
    // Two conditions keep a claim from waiting for a transaction that holds the key: a key
    // that is visibly held is not tried, and of two that try, only one gets the advisory
    // lock. Both end with the transaction.
    claim: "
INSERT INTO velora_dedupe_claims AS held (key, epoch, state, until)
SELECT $1::text, nextval('velora_dedupe_epoch'), 1,
       clock_timestamp() + $2::bigint * interval '1 microsecond'
 WHERE NOT EXISTS (SELECT 1 FROM velora_dedupe_claims AS seen
                    WHERE seen.key = $1::text AND seen.until > clock_timestamp())
   AND pg_try_advisory_xact_lock(hashtextextended($1::text, 7307))
ON CONFLICT (key) DO UPDATE
   SET epoch = nextval('velora_dedupe_epoch'), state = 1, until = excluded.until
 WHERE held.until <= clock_timestamp()
RETURNING epoch",
    standing: "
SELECT state::bigint, (extract(epoch FROM until - clock_timestamp()) * 1000000)::bigint
  FROM velora_dedupe_claims WHERE key = $1::text",
    // Until the transaction ends, the advisory lock tells claims that the row is held, so that
    // they need not wait for it once its lease has expired. It does not protect the row: the
    // row's own lock does, under which a claim checks `until` again, and a commit `epoch`. The
    // lock is therefore optional: it is tried, and done without if someone else has it who is
    // just claiming the key, or has failed to in a transaction that is still open. Waiting for
    // that could lose work that is done.
    commit: "
UPDATE velora_dedupe_claims
   SET state = 2, until = clock_timestamp() + $3::bigint * interval '1 microsecond'
 WHERE key = $1::text AND epoch = $2::bigint AND state = 1
   AND pg_try_advisory_xact_lock(hashtextextended($1::text, 7307)) IS NOT NULL
RETURNING epoch",
    // Free, even if the clock is set back.
    release: "
UPDATE velora_dedupe_claims SET state = 0, until = to_timestamp(0)
 WHERE key = $1::text AND epoch = $2::bigint AND state = 1",
    renew: "
UPDATE velora_dedupe_claims
   SET until = clock_timestamp() + $3::bigint * interval '1 microsecond'
 WHERE key = $1::text AND epoch = $2::bigint AND state = 1",
    // Goes through the keys round and round: with an index on times, each commit would have
    // to write all indexes and not just the row. Of two sweeps at once, one does nothing. A
    // claim whose lease has expired may still be committed: it stays for the retention.
    clean_up: "
WITH place AS (SELECT last FROM velora_dedupe_sweep FOR UPDATE SKIP LOCKED),
     seen AS (SELECT key FROM velora_dedupe_claims
               WHERE key > (SELECT last FROM place) ORDER BY key LIMIT $2::bigint),
     moved AS (UPDATE velora_dedupe_sweep
                  SET last = CASE WHEN (SELECT count(*) FROM seen) < $2::bigint THEN ''
                                  ELSE (SELECT max(key) FROM seen) END
                WHERE EXISTS (SELECT 1 FROM place))
DELETE FROM velora_dedupe_claims WHERE key IN (
    SELECT key FROM velora_dedupe_claims
     WHERE key IN (SELECT key FROM seen)
       AND until <= now() - CASE state WHEN 2 THEN 0 ELSE $1::bigint END
                            * interval '1 microsecond'
       FOR UPDATE SKIP LOCKED)",
};

/// The part of `claim` for a key that has no row yet, as is nearly always the case. If it
/// returns no row, the key is known, or a transaction holds it.
pub(super) const CLAIM_NEW: &str = "
INSERT INTO velora_dedupe_claims (key, epoch, state, until)
SELECT $1::text, nextval('velora_dedupe_epoch'), 1,
       clock_timestamp() + $2::bigint * interval '1 microsecond'
 WHERE pg_try_advisory_xact_lock(hashtextextended($1::text, 7307))
ON CONFLICT DO NOTHING
RETURNING epoch";

/// Changes nothing, and fails if nothing can be written.
pub(super) const WRITES: &str = "UPDATE velora_dedupe_claims SET until = until WHERE false";

/// Session settings: statements time out when the store does, commits are durable once
/// acknowledged, and each statement sees what others have committed.
pub(super) fn session(timeout: std::time::Duration) -> String {
    let millis = timeout.as_millis();
    format!(
        "SET statement_timeout = {millis};
         SET lock_timeout = {};
         SET idle_in_transaction_session_timeout = {};
         SET default_transaction_isolation = 'read committed';
         SELECT set_config('synchronous_commit', 'on', false)
          WHERE current_setting('synchronous_commit') = 'off'",
        millis / 2,
        millis * 2,
    )
}
