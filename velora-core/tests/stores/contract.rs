//! Every store fulfils the contract of stores.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use velora_core::dedupe::conformance::{Subject, check};
use velora_core::{Key, Store, StoreError, StoreOptions};
use velora_servers::{Postgres, Redis, RedisCluster};

use super::support::{self, KINDS, PATIENCE, claim, open, place};

async fn conforms(kind: &str) {
    // Kept to the end: the checks run at the same time.
    let places = RefCell::new(Vec::new());
    check(async |options: StoreOptions| {
        let place = place(kind);
        let store = open(&place.url, options);
        places.borrow_mut().push(place);
        Subject::new(store, tokio::time::sleep)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_conforms() {
    conforms("sqlite").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_conforms() {
    conforms("postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_conforms() {
    conforms("redis").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_cluster_conforms() {
    let cluster = RedisCluster::start();
    let url = format!("{}/?cluster=true", cluster.url());
    // A cluster has one database; each check has keys of its own.
    check(async |options: StoreOptions| Subject::new(open(&url, options), tokio::time::sleep))
        .await;
    // Of so many keys each node has some.
    let store = open(&url, StoreOptions::default());
    for number in 0..60 {
        let key = support::key(&format!("spread {number}"));
        assert_eq!(claim(&*store, &key).await.0, "fresh", "{number}");
    }
    assert!(cluster.keys().iter().all(|keys| *keys > 0));
}

/// Two stores on one place are two processes: they know nothing of each other.
#[tokio::test(flavor = "multi_thread")]
async fn stores_share_what_they_claim() {
    for kind in KINDS {
        let place = place(kind);
        let (one, other) = (
            open(&place.url, StoreOptions::default()),
            open(&place.url, StoreOptions::default()),
        );
        let key = support::key("shared");
        let (fresh, epoch) = claim(&*one, &key).await;
        assert_eq!(fresh, "fresh", "{kind}");
        assert_eq!(claim(&*other, &key).await.0, "in_flight", "{kind}");
        other.commit(&key, epoch).await.unwrap();
        assert_eq!(claim(&*one, &key).await.0, "done", "{kind}");
    }
}

/// Endpoints of one system that share a place are sent the same events.
#[tokio::test(flavor = "multi_thread")]
async fn namespaces_share_no_key() {
    for kind in KINDS {
        let place = place(kind);
        let named = |name| StoreOptions::default().with_namespace(name).unwrap();
        let stores = [StoreOptions::default(), named("north"), named("south")]
            .map(|options| open(&place.url, options));
        let key = support::key("same");
        let mut epochs = Vec::new();
        for store in &stores {
            let (state, epoch) = claim(&**store, &key).await;
            assert_eq!(state, "fresh", "{kind}");
            epochs.push(epoch);
        }
        let [none, north, south] = &stores;
        north.renew(&key, epochs[1]).await.unwrap();
        let lost = Err(StoreError::LeaseLost);
        assert_eq!(south.commit(&key, epochs[1]).await, lost, "{kind}");
        north.commit(&key, epochs[1]).await.unwrap();
        assert_eq!(claim(&**north, &key).await.0, "done", "{kind}");
        assert_eq!(claim(&**none, &key).await.0, "in_flight", "{kind}");
        south.release(&key, epochs[2]).await.unwrap();
        assert_eq!(claim(&**south, &key).await.0, "fresh", "{kind}");
        // Another process that serves the same endpoint.
        let same = open(&place.url, named("north"));
        assert_eq!(claim(&*same, &key).await.0, "done", "{kind}");
        // A key that looks like one of theirs.
        let alike = Key::from("ns=north:stores:same");
        assert_eq!(claim(&**none, &alike).await.0, "fresh", "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_any_form_are_kept_apart() {
    let named = StoreOptions::default().with_namespace("shop").unwrap();
    for (kind, options) in KINDS
        .into_iter()
        .flat_map(|kind| [(kind, named), (kind, StoreOptions::default())])
    {
        let place = place(kind);
        let store = open(&place.url, options);
        let long = "k".repeat(100_000);
        let longer = "k".repeat(100_001);
        let keys = [
            "", "\0", "\0\0", "}", "{}", "{a}b", "ü", "'", "a:b", &long, &longer,
        ];
        for text in keys {
            let key = Key::from(text);
            let (state, epoch) = claim(&*store, &key).await;
            assert_eq!(state, "fresh", "{kind} {:.9}", text);
            store.renew(&key, epoch).await.unwrap();
        }
        for text in keys {
            assert_eq!(claim(&*store, &Key::from(text)).await.0, "in_flight");
        }
    }
}

/// Many who start at once, on a place that has no tables yet.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_use_may_be_concurrent() {
    for kind in KINDS {
        let place = place(kind);
        let key = support::key("first");
        let claims = (0..12).map(|_| {
            let store = open(&place.url, StoreOptions::default());
            let key = key.clone();
            tokio::spawn(async move { claim(&*store, &key).await.0 })
        });
        let mut states = Vec::new();
        for claim in claims.collect::<Vec<_>>() {
            states.push(claim.await.unwrap());
        }
        let fresh = states.iter().filter(|state| **state == "fresh").count();
        assert_eq!(fresh, 1, "{kind} {states:?}");
        let in_flight = states.iter().filter(|state| **state == "in_flight");
        assert_eq!(in_flight.count(), 11, "{kind} {states:?}");
    }
}

/// Claims and commits. Where it took so long that the claim was forgotten, again.
async fn do_once(store: &dyn Store, key: &Key) -> u64 {
    let start = Instant::now();
    loop {
        let (_, epoch) = claim(store, key).await;
        match store.commit(key, epoch).await {
            Err(StoreError::LeaseLost) => assert!(start.elapsed() < PATIENCE, "{key}"),
            committed => {
                committed.unwrap();
                return epoch;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn epochs_grow_though_rows_are_removed() {
    for kind in KINDS {
        let place = place(kind);
        let options = support::options(Duration::from_millis(100), Duration::from_millis(200));
        let store: Arc<_> = open(&place.url, options);
        let key = support::key("removed");
        let first = do_once(&*store, &key).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        // The first commit of a store cleans up; here it removes the row above.
        let other = open(&place.url, options);
        do_once(&*other, &support::key("other")).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (state, second) = claim(&*store, &key).await;
        assert_eq!(state, "fresh", "{kind}");
        assert!(second > first, "{kind}: {second} after {first}");
    }
}

/// Waits until something is so.
async fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_lets_go_of_its_connections() {
    let key = support::key("closed");
    let place = place("sqlite");
    let log = format!("{}-wal", place.url.strip_prefix("sqlite://").unwrap());
    let store = open(&place.url, StoreOptions::default());
    claim(&*store, &key).await;
    assert!(Path::new(&log).exists());
    store.close();
    soon("the file is closed", || !Path::new(&log).exists()).await;

    let postgres = Postgres::start();
    let store = open(&postgres.url(), StoreOptions::default());
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'velora-dedupe'";
    claim(&*store, &key).await;
    assert!(!postgres.sql(count).contains('0'));
    store.close();
    soon("PostgreSQL has none", || postgres.sql(count).contains('0')).await;

    let redis = Redis::start();
    let store = open(&redis.url(), StoreOptions::default());
    // One line for whoever asks.
    let clients = || redis.ask("CLIENT LIST").unwrap().matches("addr=").count();
    let alone = clients();
    claim(&*store, &key).await;
    assert!(clients() > alone);
    store.close();
    soon("Redis has none", || clients() == alone).await;
}
