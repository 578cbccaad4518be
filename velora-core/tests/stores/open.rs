//! Opening stores by URL.

use futures_util::FutureExt;
use velora_core::{ConfigError, Store, StoreError, StoreOptions, open_store};
use velora_servers::{Postgres, Redis};

use super::support::{claim, key, open};

fn refusal(url: &str) -> ConfigError {
    match open_store(url, StoreOptions::default()) {
        Ok(_) => panic!("{url} names a store"),
        Err(error) => error,
    }
}

#[test]
fn refuses_what_names_no_store_and_repeats_nothing_of_it() {
    for url in [
        "",
        "memory",
        "memory:hunter2",
        "sqlite:",
        "sqlite://",
        "sqlite:hunter2",
        "sqlite://hunter2?mode=ro",
        "sqlite://hunter2\n",
        "sqlite:// hunter2",
        "sqlite://%ffhunter2",
        "sqlite://:memory:",
        "mysql://user:hunter2@host/shop",
        "postgres://user:hunter2@",
        "postgres://user:hunter2@host:port/shop",
        "postgres://user:hunter2@host/shop?sslmode=hunter2",
        "postgres://user:hunter2@host/shop?hunter2=1",
        "redis://user:hunter2@",
        "redis://user:hunter2@host:port",
        "redis://user:hunter2@host/hunter2",
        "rediss://user:hunter2@host/#insecure",
        "redis://user:hunter2@host/?cluster=true&hunter2",
        "redis://user:hunter2@host/?cluster=true?cluster=true",
        "redis://user:hunter2@host/?cluster=yes",
        "redis://user:hunter2@host?protocol=resp3",
        "rediss://user:hunter2@host/?insecure=true",
    ] {
        let error = refusal(url);
        assert_eq!(error.code().as_str(), "invalid_option", "{url}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn a_namespace_is_a_short_plain_name() {
    let name = |text: &str| StoreOptions::default().with_namespace(text);
    let longest = "n".repeat(64);
    for good in ["a", "Tenant-1.eu_west", "-", &longest] {
        assert_eq!(name(good).unwrap().namespace(), Some(good));
    }
    let longer = "n".repeat(65);
    for bad in [
        "", " ", "a b", "a:b", "a/b", "{a}", "ä", "a\0", "a\n", &longer,
    ] {
        assert_eq!(name(bad).unwrap_err().code().as_str(), "invalid_option");
    }
    assert_eq!(StoreOptions::default().namespace(), None);
}

#[tokio::test]
async fn the_file_is_where_the_url_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a claim ü%.db");
    let escaped = path
        .to_str()
        .unwrap()
        .replace('%', "%25")
        .replace(' ', "%20");
    open(&format!("sqlite://{escaped}"), StoreOptions::default())
        .ready()
        .await
        .unwrap();
    assert!(path.exists());
}

#[tokio::test]
async fn memory_is_of_one_store_alone() {
    let (one, other) = (
        open("memory:", StoreOptions::default()),
        open(
            "memory:",
            StoreOptions::default().with_namespace("other").unwrap(),
        ),
    );
    assert_eq!(claim(&*one, &key("own")).await.0, "fresh");
    assert_eq!(claim(&*one, &key("own")).await.0, "in_flight");
    assert_eq!(claim(&*other, &key("own")).await.0, "fresh");
}

/// What a server says to a wrong password; `ready` says it too.
async fn refused(url: &str) -> String {
    match open(url, StoreOptions::default()).ready().await {
        Err(error @ StoreError::Unavailable { .. }) => format!("{error} {error:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_shows_the_password() {
    let postgres = Postgres::start();
    postgres.sql("CREATE ROLE guarded LOGIN PASSWORD 'right'");
    let url = postgres.url().replace("postgres@", "guarded:hunter2@");
    let error = refused(&url).await;
    assert!(error.contains("password authentication failed"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");

    let redis = Redis::start_with(&["--requirepass", "right"]);
    let url = redis.url().replace("redis://", "redis://:hunter2@");
    let error = refused(&url).await;
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn no_debug_shows_the_password() {
    use velora_core::dedupe::{PostgresStore, RedisStore};

    let options = StoreOptions::default();
    let postgres = PostgresStore::new("postgres://user:hunter2@host/shop", options).unwrap();
    let redis = RedisStore::new("redis://user:hunter2@host", options).unwrap();
    let shown = format!("{postgres:?} {redis:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn outside_of_tokio_a_durable_store_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("claims.db").display());
    for url in [&file, "postgres://localhost/shop", "redis://localhost"] {
        let store = open_store(url, StoreOptions::default()).unwrap();
        let refused = store.ready().now_or_never().unwrap().unwrap_err();
        let refusal = StoreError::Unavailable {
            reason: "it was called outside of a tokio runtime".into(),
        };
        assert_eq!(refused, refusal, "{url}");
    }
}
