//! Tables, their version, the privileges that are needed, and the clean-up.

use rusqlite::Connection;
use velora_core::dedupe::{PostgresStore, SqliteStore};
use velora_core::{Store, StoreOptions};
use velora_servers::{Postgres, Redis};

use super::support::{claim, key, open, patient, place, schema};

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_version_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.db");
    let sqlite = format!("sqlite://{}", path.display());
    let postgres = Postgres::shared().new_url();
    for url in [&sqlite, &postgres] {
        open(url, StoreOptions::default()).ready().await.unwrap();
    }
    let newer = "UPDATE velora_dedupe_version SET version = 2";
    Connection::open(&path).unwrap().execute(newer, []).unwrap();
    Postgres::shared().sql(&format!("SET search_path = {}; {newer}", schema(&postgres)));
    for url in [&sqlite, &postgres] {
        let store = open(url, StoreOptions::default());
        assert_eq!(claim(&*store, &key("any")).await.0, "store_unavailable");
        let error = store.ready().await.unwrap_err().to_string();
        assert!(error.contains("version 2"), "{error}");
    }
}

#[tokio::test]
async fn a_file_of_another_version_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE velora_dedupe_version (version INTEGER NOT NULL);
             INSERT INTO velora_dedupe_version VALUES (2)",
        )
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = SqliteStore::new(&path, patient()).ready().await;
    assert_eq!(error.unwrap_err().code().as_str(), "store_unavailable");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// The version is read before anything is made.
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_another_version_gets_no_table() {
    let url = Postgres::shared().new_url();
    let schema = schema(&url);
    Postgres::shared().sql(&format!(
        "CREATE TABLE {schema}.velora_dedupe_version (version integer NOT NULL);
         INSERT INTO {schema}.velora_dedupe_version VALUES (2)"
    ));
    let store = open(&url, StoreOptions::default());
    let error = store.ready().await.unwrap_err().to_string();
    assert!(error.contains("version 2"), "{error}");
    let made =
        format!("SELECT relname FROM pg_class WHERE relnamespace = '{schema}'::regnamespace");
    let made = Postgres::shared().sql(&made);
    assert_eq!(made.trim(), "velora_dedupe_version");
}

/// What the documentation of the two stores says is enough.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_privileges_are_enough() {
    let postgres = Postgres::start();
    let owner = open(&postgres.url(), StoreOptions::default());
    owner.ready().await.unwrap();
    postgres.sql(
        "CREATE ROLE service LOGIN;
         REVOKE ALL ON SCHEMA public FROM PUBLIC;
         GRANT USAGE ON SCHEMA public TO service;
         GRANT SELECT, INSERT, UPDATE, DELETE ON velora_dedupe_claims TO service;
         GRANT SELECT, UPDATE ON velora_dedupe_sweep TO service;
         GRANT SELECT ON velora_dedupe_version TO service;
         GRANT USAGE ON velora_dedupe_epoch TO service;",
    );
    uses_every_verb(&postgres.url().replace("postgres@", "service@")).await;

    let redis = Redis::start();
    let rule = "on >password ~velora:dedupe:* +eval +evalsha +script|load +get +set +time \
                +info +ping";
    let answer = redis.ask(&format!("ACL SETUSER service {rule}")).unwrap();
    assert_eq!(answer.trim(), "+OK");
    uses_every_verb(&redis.url().replace("redis://", "redis://service:password@")).await;
}

async fn uses_every_verb(url: &str) {
    let store = open(url, StoreOptions::default());
    store.ready().await.unwrap();
    let key = key("verbs");
    let (_, epoch) = claim(&*store, &key).await;
    store.renew(&key, epoch).await.unwrap();
    store.release(&key, epoch).await.unwrap();
    let (state, epoch) = claim(&*store, &key).await;
    assert_eq!(state, "fresh", "{url}");
    store.commit(&key, epoch).await.unwrap();
    assert_eq!(claim(&*store, &key).await.0, "done");
}

/// To a clock that is set back by an hour, what it wrote before lies an hour ahead.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_released_is_free_though_the_clock_is_set_back() {
    for kind in ["sqlite", "postgres"] {
        let place = place(kind);
        let store = open(&place.url, patient());
        let (released, held) = (key("released"), key("held"));
        let (_, epoch) = claim(&*store, &released).await;
        store.release(&released, epoch).await.unwrap();
        assert_eq!(claim(&*store, &held).await.0, "fresh");
        match place.url.strip_prefix("sqlite://") {
            Some(path) => {
                let ahead = "UPDATE velora_dedupe_claims SET until = until + 3600 * 1000000";
                Connection::open(path).unwrap().execute(ahead, []).unwrap();
            }
            None => {
                let schema = schema(&place.url);
                Postgres::shared().sql(&format!(
                    "UPDATE {schema}.velora_dedupe_claims SET until = until + interval '1 hour'"
                ));
            }
        }
        assert_eq!(claim(&*store, &released).await.0, "fresh", "{kind}");
        assert_eq!(claim(&*store, &held).await.0, "in_flight", "{kind}");
    }
}

#[tokio::test]
async fn a_file_is_cleaned_up_in_batches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("claims.db");
    let store = SqliteStore::new(&path, patient());
    store.ready().await.unwrap();
    let connection = Connection::open(&path).unwrap();
    let old = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
               INSERT INTO velora_dedupe_claims SELECT 'old' || i, i, i % 3, 1 FROM n";
    // What may still be committed stays for the retention; what is done has had it.
    let aging = "WITH n(i) AS (VALUES (0), (1), (2))
                 INSERT INTO velora_dedupe_claims
                 SELECT 'aging' || i, i, i, (unixepoch() - 1) * 1000000 FROM n";
    let (_, epoch) = claim(&store, &key("young")).await;
    assert!(epoch > 0);
    connection.execute(aging, []).unwrap();
    assert_eq!(store.clean_up().await.unwrap(), 1);
    // To the end of the keys, and from their beginning again.
    for _ in 0..2 {
        connection.execute(old, []).unwrap();
        assert_eq!(store.clean_up().await.unwrap(), 998);
        assert_eq!(store.clean_up().await.unwrap(), 502);
    }
    assert_eq!(store.clean_up().await.unwrap(), 0);
    let keys = "SELECT group_concat(key) FROM (SELECT key FROM velora_dedupe_claims ORDER BY key)";
    let keys: String = connection.query_row(keys, [], |row| row.get(0)).unwrap();
    assert_eq!(keys, "aging0,aging1,stores:young");
    assert_eq!(claim(&store, &key("young")).await.0, "in_flight");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_cleaned_up_in_batches() {
    let place = place("postgres");
    let store = PostgresStore::new(&place.url, patient()).unwrap();
    store.ready().await.unwrap();
    let schema = schema(&place.url);
    let insert = |rows: &str| {
        Postgres::shared().sql(&format!(
            "INSERT INTO {schema}.velora_dedupe_claims SELECT {rows}"
        ));
    };
    claim(&store, &key("young")).await;
    insert("'aging' || i, i, i, now() - interval '1 second' FROM generate_series(0, 2) i");
    assert_eq!(store.clean_up().await.unwrap(), 1);
    for _ in 0..2 {
        insert("'old' || i, i, i % 3, 'epoch' FROM generate_series(1, 1500) i");
        assert_eq!(store.clean_up().await.unwrap(), 998);
        assert_eq!(store.clean_up().await.unwrap(), 502);
    }
    assert_eq!(store.clean_up().await.unwrap(), 0);
    assert_eq!(claim(&store, &key("young")).await.0, "in_flight");
}
