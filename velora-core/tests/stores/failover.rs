//! Faults of a connection, or of the server that it leads to, that are over again.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use velora_core::{Store, open_store};
use velora_servers::{Redis, RedisCluster};

use super::support::{PATIENCE, claim, hasty, key, open, patient, until};
use super::wire::Wire;

const RULE: &str = "on >password ~velora:dedupe:* +eval +evalsha +script|load +get +set +time \
                    +info +ping";

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_comes_late_is_let_in() {
    let mut server = Redis::start();
    let rule = format!("ACL SETUSER service {RULE}");
    server.ask(&rule).unwrap();
    let url = server
        .url()
        .replace("redis://", "redis://service:password@");
    let store = open_store(&url, hasty()).unwrap();
    until(&*store, "before", "fresh").await;
    // What it knows of users is gone with it.
    server.restart();
    for at in 0..4 {
        let (state, _) = claim(&*store, &key(&format!("refused {at}"))).await;
        assert_eq!(state, "store_unavailable");
    }
    server.ask(&rule).unwrap();
    until(&*store, "after", "fresh").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_a_name_to_the_new_primary() {
    let (old, new) = (Redis::start(), Redis::start());
    let wire = Wire::to(&old.url()).await;
    let store = open_store(&wire.url(&old.url()), hasty()).unwrap();
    until(&*store, "before", "fresh").await;
    // Its clients stay connected.
    let primary = new.url().replace("redis://", "").replace(':', " ");
    old.ask(&format!("REPLICAOF {primary}")).unwrap();
    assert_eq!(claim(&*store, &key("any")).await.0, "store_unavailable");
    assert!(store.ready().await.is_err());
    wire.leads_to(&new.url());
    until(&*store, "after", "fresh").await;
    store.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_not_ready() {
    let (primary, replica) = (Redis::start(), Redis::start());
    let store = open_store(&replica.url(), hasty()).unwrap();
    store.ready().await.unwrap();
    let of = primary.url().replace("redis://", "").replace(':', " ");
    replica.ask(&format!("REPLICAOF {of}")).unwrap();
    assert!(store.ready().await.is_err());
    replica.ask("REPLICAOF NO ONE").unwrap();
    store.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_fell_silent_is_connected_to_anew_and_once() {
    let server = Redis::start();
    let wire = Wire::to(&server.url()).await;
    let store = open_store(&wire.url(&server.url()), hasty()).unwrap();
    until(&*store, "before", "fresh").await;
    let before = wire.connections();
    wire.falls_silent();
    for expected in ["store_unavailable", "fresh"] {
        let keys: Vec<_> = (0..16).map(|at| key(&format!("crowd {at}"))).collect();
        for (state, _) in join_all(keys.iter().map(|key| claim(&*store, key))).await {
            assert_eq!(state, expected);
        }
    }
    assert_eq!(wire.connections(), before + 1);
}

/// What comes too late to fail on the old connection leaves the new one alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_to_fail_throws_away_no_new_connection() {
    let server = Redis::start();
    let wire = Wire::to(&server.url()).await;
    let store = open_store(&wire.url(&server.url()), hasty()).unwrap();
    until(&*store, "before", "fresh").await;
    let before = wire.connections();
    wire.falls_silent();
    let late = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        claim(&*store, &key("late")).await.0
    };
    let meanwhile = async {
        let (first, _) = claim(&*store, &key("first")).await;
        until(&*store, "meanwhile", "fresh").await;
        first
    };
    let (late, first) = tokio::join!(late, meanwhile);
    assert_eq!((first, late), ("store_unavailable", "store_unavailable"));
    until(&*store, "after", "fresh").await;
    assert_eq!(wire.connections(), before + 1);
}

/// A cluster whose nodes know each other by wires.
async fn wired() -> (RedisCluster, Vec<Wire>) {
    let cluster = RedisCluster::start();
    let mut wires = Vec::new();
    for node in cluster.nodes() {
        let wire = Wire::to(&node.url()).await;
        let port = wire.port();
        node.ask(&format!("CONFIG SET cluster-announce-port {port}"));
        wires.push(wire);
    }
    let start = Instant::now();
    let known = |node: &Redis| {
        let slots = node.ask("CLUSTER SLOTS").unwrap();
        let known = |wire: &Wire| slots.contains(&format!(":{}\r", wire.port()));
        wires.iter().all(known)
    };
    while !cluster.nodes().iter().all(known) {
        assert!(start.elapsed() < PATIENCE, "the ports are not known");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (cluster, wires)
}

/// Claims keys that all nodes have a part of.
async fn all_fresh(store: &dyn Store, text: &str) -> bool {
    let keys: Vec<_> = (0..30).map(|at| key(&format!("{text} {at}"))).collect();
    let states = join_all(keys.iter().map(|key| claim(store, key))).await;
    states.iter().all(|(state, _)| *state == "fresh")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_fell_silent_is_connected_to_anew() {
    let (cluster, wires) = wired().await;
    let node = cluster.nodes().first().unwrap().url();
    let url = format!("{}/?cluster=true", wires.first().unwrap().url(&node));
    let store = open_store(&url, hasty()).unwrap();
    until(&*store, "before", "fresh").await;
    // One of them, which the URL does not name, and then all.
    for silent in [&wires[1..2], &wires[..]] {
        silent.iter().for_each(Wire::falls_silent);
        let start = Instant::now();
        for attempt in 0.. {
            if all_fresh(&*store, &format!("{} {attempt}", silent.len())).await {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "still silent");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_outlives_the_node_of_the_url() {
    let cluster = RedisCluster::start();
    for node in cluster.nodes() {
        node.ask("CONFIG SET cluster-require-full-coverage no");
    }
    let store = open_store(&format!("{}/?cluster=true", cluster.url()), hasty()).unwrap();
    assert!(all_fresh(&*store, "before").await);
    cluster.nodes().first().unwrap().ask("SHUTDOWN NOSAVE");
    // Each of them meets with keys of the node that is gone, and with others.
    for round in 0..5 {
        let mut states = Vec::new();
        for at in 0..30 {
            states.push(claim(&*store, &key(&format!("{round} {at}"))).await.0);
        }
        let fresh = states.iter().filter(|state| **state == "fresh").count();
        assert!((10..30).contains(&fresh), "{round}: {states:?}");
    }
}

const EVICT: [&str; 2] = [
    "CONFIG SET maxmemory 100mb",
    "CONFIG SET maxmemory-policy allkeys-lru",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_begins_to_forget_is_found_out() {
    let server = Redis::start();
    let (asked, connected) = (
        open(&server.url(), patient()),
        open(&server.url(), patient()),
    );
    for store in [&asked, &connected] {
        store.ready().await.unwrap();
    }
    for setting in EVICT {
        server.ask(setting).unwrap();
    }
    let error = asked.ready().await.unwrap_err().to_string();
    assert!(error.contains("noeviction"), "{error}");
    assert_eq!(claim(&*asked, &key("asked")).await.0, "store_unavailable");
    // As after a restart.
    server.ask("CLIENT KILL TYPE normal SKIPME yes").unwrap();
    for at in 0..3 {
        let (state, _) = claim(&*connected, &key(&format!("connected {at}"))).await;
        assert_eq!(state, "store_unavailable");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_of_a_cluster_may_forget() {
    let cluster = RedisCluster::start();
    let url = format!("{}/?cluster=true", cluster.url());
    let store = open(&url, patient());
    store.ready().await.unwrap();
    let last = cluster.nodes().last().unwrap();
    for setting in EVICT {
        last.ask(setting).unwrap();
    }
    for store in [&store, &open(&url, patient())] {
        let error = store.ready().await.unwrap_err().to_string();
        assert!(error.contains("noeviction"), "{error}");
        assert_eq!(claim(&**store, &key("any")).await.0, "store_unavailable");
    }
    last.ask("CONFIG SET maxmemory-policy noeviction").unwrap();
    store.ready().await.unwrap();
    assert!(all_fresh(&*store, "after").await);
}
