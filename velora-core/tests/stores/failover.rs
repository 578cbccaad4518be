//! Faults of a connection, or of its server, from which the store recovers.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use velora_core::{Store, open_store};
use velora_servers::{Postgres, Redis, RedisCluster};

use super::support::{PATIENCE, claim, hasty, key, open, patient, place, schema, steady, until};
use super::wire::{Wire, port_of};

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
    let store = open_store(&wire.url(&old.url()), patient()).unwrap();
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
    let store = open_store(&replica.url(), patient()).unwrap();
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
    let store = open_store(&wire.url(&server.url()), steady()).unwrap();
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
    let store = open_store(&wire.url(&server.url()), steady()).unwrap();
    until(&*store, "before", "fresh").await;
    let before = wire.connections();
    wire.falls_silent();
    let late = async {
        tokio::time::sleep(steady().timeout() * 3 / 5).await;
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

/// Whoever comes while there is no connection gives up before there is one.
async fn is_back_after_an_outage_however_many_ask(url: String) {
    let wire = Wire::to(&url).await;
    let options = hasty().with_timeout(4 * hasty().timeout()).unwrap();
    let store = open_store(&wire.url(&url), options).unwrap();
    until(&*store, "before", "fresh").await;
    wire.takes(80);
    wire.hangs(true);
    let start = Instant::now();
    let claims = (0..).map(async |at| {
        let arrival = options.timeout() / 50 * at;
        tokio::time::sleep_until((start + arrival).into()).await;
        if at == 100 {
            wire.hangs(false);
        }
        claim(&*store, &key(&format!("crowd {at}"))).await.0
    });
    let mut states = stream::iter(claims).buffered(100);
    while states.next().await.unwrap() != "fresh" {
        assert!(start.elapsed() < 3 * PATIENCE, "not back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_back_after_an_outage_however_many_ask() {
    is_back_after_an_outage_however_many_ask(Redis::start().url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_back_after_an_outage_however_many_ask() {
    is_back_after_an_outage_however_many_ask(Postgres::start().url()).await;
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

/// Claims new keys of all nodes until all of them are claimed.
async fn until_all_fresh(store: &dyn Store, text: &str) {
    let start = Instant::now();
    for attempt in 0.. {
        if all_fresh(store, &format!("{text} {attempt}")).await {
            return;
        }
        assert!(start.elapsed() < 3 * PATIENCE, "{text}: not all");
    }
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
        until_all_fresh(&*store, &silent.len().to_string()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_node_of_a_cluster_silences_no_other() {
    let (cluster, wires) = wired().await;
    let node = cluster.nodes().first().unwrap().url();
    let url = format!("{}/?cluster=true", wires.first().unwrap().url(&node));
    let store = open_store(&url, steady()).unwrap();
    until(&*store, "before", "fresh").await;
    // A call has time for an answer, and none to connect anew.
    wires.iter().for_each(|wire| wire.takes(240));
    wires.last().unwrap().hangs(true);
    // The first round meets the connection that was, and the second the attempt at another.
    for round in 0..2 {
        let keys: Vec<_> = (0..30).map(|at| key(&format!("{round} {at}"))).collect();
        let states = join_all(keys.iter().map(|key| claim(&*store, key))).await;
        let fresh = states.iter().filter(|(state, _)| *state == "fresh");
        let fresh = fresh.count();
        assert!((10..30).contains(&fresh), "{fresh} in {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_answers_costs_no_connection() {
    let server = Redis::start();
    let wire = Wire::to(&server.url()).await;
    let store = open_store(&wire.url(&server.url()), patient()).unwrap();
    until(&*store, "before", "fresh").await;
    server.ask("CONFIG SET min-replicas-to-write 1").unwrap();
    let before = wire.connections();
    for at in 0..10 {
        let (state, _) = claim(&*store, &key(&format!("refused {at}"))).await;
        assert_eq!(state, "store_unavailable");
    }
    server.ask("CONFIG SET min-replicas-to-write 0").unwrap();
    assert_eq!(claim(&*store, &key("after")).await.0, "fresh");
    assert_eq!(wire.connections(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_outlives_the_node_of_the_url() {
    let cluster = RedisCluster::start();
    for node in cluster.nodes() {
        node.ask("CONFIG SET cluster-require-full-coverage no");
    }
    let store = open_store(&format!("{}/?cluster=true", cluster.url()), steady()).unwrap();
    until_all_fresh(&*store, "before").await;
    cluster.nodes().first().unwrap().ask("SHUTDOWN NOSAVE");
    // Each of them meets with keys of the node that is gone, and with others.
    for round in 0..3 {
        let keys: Vec<_> = (0..30).map(|at| key(&format!("{round} {at}"))).collect();
        let states = join_all(keys.iter().map(|key| claim(&*store, key))).await;
        let fresh = states.iter().filter(|(state, _)| *state == "fresh").count();
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

/// A role whose sessions are read-only is what a server is that has become a replica.
#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_was_read_only_is_used_again() {
    let server = Postgres::start();
    open(&server.url(), patient()).ready().await.unwrap();
    server.sql("CREATE ROLE service LOGIN SUPERUSER");
    let url = server.url().replace("postgres@", "service@");
    for more in ["", "?target_session_attrs=any"] {
        let store = open_store(&format!("{url}{more}"), patient()).unwrap();
        until(&*store, &format!("before {more}"), "fresh").await;
        let read_only = |how: &str| {
            server.sql(&format!(
                "ALTER ROLE service SET default_transaction_read_only = {how}"
            ));
        };
        read_only("on");
        server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'",
        );
        // Several at once: there are several connections then.
        for round in 0..3 {
            let keys: Vec<_> = (0..8)
                .map(|at| key(&format!("{more} {round} {at}")))
                .collect();
            for (state, _) in join_all(keys.iter().map(|key| claim(&*store, key))).await {
                assert_eq!(state, "store_unavailable", "{more}");
            }
        }
        assert!(store.ready().await.is_err(), "{more}");
        read_only("off");
        store.ready().await.unwrap();
        assert_eq!(claim(&*store, &key(more)).await.0, "fresh", "{more}");
    }
}

/// As those that a proxy keeps open while it goes over to another server.
#[tokio::test(flavor = "multi_thread")]
async fn one_read_only_connection_is_given_up_with_all_beside_it() {
    let server = Postgres::start();
    let store = open_store(&server.url(), patient()).unwrap();
    let keys: Vec<_> = (0..8).map(|at| key(&at.to_string())).collect();
    join_all(keys.iter().map(|key| claim(&*store, key))).await;
    let open = || {
        let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = ";
        server
            .sql(&format!("{count}'velora-dedupe'"))
            .trim()
            .parse::<u32>()
            .unwrap()
    };
    assert!(open() > 1);
    server.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    server.sql("SELECT pg_reload_conf()");
    // The news may take a moment.
    until(&*store, "read-only", "store_unavailable").await;
    let start = Instant::now();
    while open() > 0 {
        assert!(start.elapsed() < PATIENCE, "some are left");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.sql("ALTER SYSTEM RESET default_transaction_read_only");
    server.sql("SELECT pg_reload_conf()");
    until(&*store, "after", "fresh").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_past_hosts_that_are_gone_or_cannot_be_written() {
    // Where nobody is let in any more, a host is as good as gone.
    let gone = TcpSocket::new_v4().unwrap();
    gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let gone = gone.listen(1).unwrap();
    let address = gone.local_addr().unwrap();
    let mut waiting = Vec::new();
    let moment = Duration::from_millis(100);
    while let Ok(let_in) = timeout(moment, TcpStream::connect(address)).await {
        waiting.push(let_in.unwrap());
    }

    let (standby, primary) = (Postgres::start(), Postgres::start());
    standby.sql("ALTER DATABASE postgres SET default_transaction_read_only = on");
    let hosts = format!("@{address},127.0.0.1:{},", port_of(&standby.url()));
    let url = primary.url().replace('@', &hosts);
    let store = open_store(&url, patient().with_timeout(PATIENCE / 4).unwrap()).unwrap();
    assert_eq!(claim(&*store, &key("any")).await.0, "fresh");
    let kept = primary.sql("SELECT count(*) FROM velora_dedupe_claims");
    assert_eq!(kept.trim(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_has_forgotten_is_prepared_in_another() {
    let place = place("postgres");
    let store = open(&place.url, patient());
    store.ready().await.unwrap();
    Postgres::shared().sql(&format!(
        "SET search_path = {};
         CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN EXECUTE ''DEALLOCATE ALL''; RETURN NEW; END';
         CREATE TRIGGER forget AFTER INSERT ON velora_dedupe_claims FOR EACH ROW
             WHEN (NEW.key LIKE '%forget%') EXECUTE FUNCTION forget()",
        schema(&place.url),
    ));
    assert_eq!(claim(&*store, &key("forget")).await.0, "fresh");
    let (state, _) = claim(&*store, &key("first")).await;
    assert_eq!(state, "store_unavailable");
    assert_eq!(claim(&*store, &key("second")).await.0, "fresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_fell_silent_is_connected_to_anew() {
    let server = Postgres::start();
    open(&server.url(), patient()).ready().await.unwrap();
    let wire = Wire::to(&server.url()).await;
    let store = open_store(&wire.url(&server.url()), steady()).unwrap();
    // Under the first statement of all.
    wire.falls_silent_at("to_regclass");
    assert_eq!(claim(&*store, &key("first")).await.0, "store_unavailable");
    let (state, epoch) = claim(&*store, &key("second")).await;
    assert_eq!(state, "fresh");
    // Under what follows the first commit, and nobody waits for.
    wire.falls_silent_at("SKIP LOCKED");
    store.commit(&key("second"), epoch).await.unwrap();
    tokio::time::sleep(steady().timeout() * 5 / 4).await;
    assert_eq!(claim(&*store, &key("third")).await.0, "fresh");
    assert_eq!(wire.connections(), 3);
}
