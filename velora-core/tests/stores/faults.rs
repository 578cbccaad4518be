//! Stores that are down, slow, full or misconfigured, and that recover.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use velora_core::{
    Delivery, Receiver, Scheme, SignedDelivery, Signer, SigningSecret, Store, StoreOptions,
    Verifier, open_store,
};
use velora_servers::{Postgres, Redis, Signal, signal};

use super::support::{PATIENCE, claim, hasty, key, open, options, patient, place, until};

/// A server that can be killed.
enum Server {
    Postgres(Postgres),
    Redis(Redis),
}

impl Server {
    fn start(kind: &str) -> Self {
        match kind {
            "postgres" => Self::Postgres(Postgres::start()),
            _ => Self::Redis(Redis::start()),
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Postgres(server) => server.url(),
            Self::Redis(server) => server.url(),
        }
    }

    fn kill(&mut self) {
        match self {
            Self::Postgres(server) => server.kill(),
            Self::Redis(server) => server.kill(),
        }
    }

    fn restart(&mut self) {
        match self {
            Self::Postgres(server) => server.restart(),
            Self::Redis(server) => server.restart(),
        }
    }
}

/// The state, which must come about soon after a timeout of half a second.
async fn claim_in_time(store: &dyn Store, text: &str) -> &'static str {
    let start = Instant::now();
    let (state, _) = claim(store, &key(text)).await;
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_is_given_up() {
    // The kernel accepts; nobody ever reads.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    for url in [
        format!("postgres://user@{address}/shop"),
        format!("redis://{address}"),
    ] {
        let store = open_store(&url, hasty()).unwrap();
        let state = claim_in_time(&*store, "silent").await;
        assert_eq!(state, "store_unavailable", "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_is_given_up_and_used_again() {
    let server = Redis::start();
    let store = open_store(&server.url(), hasty()).unwrap();
    until(&*store, "before", "fresh").await;
    signal(server.child(), Signal::Stop);
    assert_eq!(claim_in_time(&*store, "still").await, "store_unavailable");
    signal(server.child(), Signal::Continue);
    until(&*store, "after", "fresh").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_table_is_given_up_and_used_again() {
    let place = place("postgres");
    let store = open_store(&place.url, hasty()).unwrap();
    until(&*store, "before", "fresh").await;
    let (mut client, connection) = tokio_postgres::connect(&place.url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let transaction = client.transaction().await.unwrap();
    transaction
        .batch_execute("LOCK TABLE velora_dedupe_claims")
        .await
        .unwrap();
    // Whoever holds it may be claiming this very key.
    let state = claim_in_time(&*store, "locked").await;
    assert!(
        ["in_flight", "store_unavailable"].contains(&state),
        "{state}"
    );
    transaction.rollback().await.unwrap();
    until(&*store, "after", "fresh").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_file_is_given_up_and_used_again() {
    let place = place("sqlite");
    let store = open_store(&place.url, hasty()).unwrap();
    until(&*store, "before", "fresh").await;
    let path = place.url.strip_prefix("sqlite://").unwrap();
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(PATIENCE).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(claim_in_time(&*store, "locked").await, "store_unavailable");
    // The caller and the writer give up at about the same time, and each says it.
    let error = store.ready().await.unwrap_err().to_string();
    assert!(error.contains("the file locked"), "{error}");
    connection.execute_batch("ROLLBACK").unwrap();
    until(&*store, "after", "fresh").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgets_for_room_is_refused() {
    let forgetful = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    let server = Redis::start_with(&forgetful);
    let store = open(&server.url(), StoreOptions::default());
    assert_eq!(claim(&*store, &key("any")).await.0, "store_unavailable");
    let error = store.ready().await.unwrap_err().to_string();
    assert!(error.contains("noeviction"), "{error}");
    // Put right, it is used without a restart of ours.
    server
        .ask("CONFIG SET maxmemory-policy noeviction")
        .unwrap();
    assert_eq!(claim(&*store, &key("any")).await.0, "fresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_redis_is_full_and_forgets_nothing() {
    let server = Redis::start();
    let store = open(&server.url(), StoreOptions::default());
    assert_eq!(claim(&*store, &key("held")).await.0, "fresh");
    let (done, epoch) = (key("done"), claim(&*store, &key("done")).await.1);
    store.commit(&done, epoch).await.unwrap();
    server.ask("CONFIG SET maxmemory 1").unwrap();
    assert_eq!(claim(&*store, &key("more")).await.0, "store_full");
    assert_eq!(claim(&*store, &key("held")).await.0, "in_flight");
    assert_eq!(claim(&*store, &done).await.0, "done");
    server.ask("CONFIG SET maxmemory 0").unwrap();
    assert_eq!(claim(&*store, &key("more")).await.0, "fresh");
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn receiver(url: &str, options: StoreOptions) -> Receiver {
    let secret = SigningSecret::new(SECRET).unwrap();
    let verifier = Verifier::new(Scheme::named("health").unwrap(), [secret]).unwrap();
    Receiver::new(verifier, open_store(url, options).unwrap())
}

fn delivery(id: &str) -> SignedDelivery {
    let secret = SigningSecret::new(SECRET).unwrap();
    Signer::new(Scheme::named("health").unwrap(), [secret])
        .unwrap()
        .sign(format!(r#"{{"id":"{id}","type":"phi.read"}}"#))
}

/// Delivers until the answer is 2xx, as the systems do; each other answer must be 503
/// and say when to come again.
async fn deliver(receiver: &Receiver, id: &str, handled: &AtomicU32) -> &'static str {
    let start = Instant::now();
    loop {
        let signed = delivery(id);
        let handle = async |_: Delivery<'static>| {
            handled.fetch_add(1, Ordering::Relaxed);
            Ok::<(), ()>(())
        };
        let reply = receiver
            .receive(&signed.body, &signed.headers, handle)
            .await;
        if reply.status == 200 {
            return reply.outcome.as_str();
        }
        let outcome = reply.outcome.as_str();
        assert_eq!(reply.status, 503, "{outcome}");
        assert!(reply.retry_after.is_some(), "{outcome}");
        assert!(start.elapsed() < 3 * PATIENCE, "still {outcome}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn outlives_an_outage(kind: &str) {
    let mut server = Server::start(kind);
    let lease = Duration::from_secs(1);
    let receiver = receiver(&server.url(), options(lease, 1_000 * lease));
    let handled = AtomicU32::new(0);
    assert_eq!(deliver(&receiver, "before", &handled).await, "processed");

    server.kill();
    let signed = delivery("while it is down");
    let reply = receiver.begin(&signed.body, &signed.headers).await;
    let reply = reply.expect_err("it was not claimed");
    let answer = (reply.status, reply.outcome.as_str());
    assert_eq!(answer, (503, "store_unavailable"));
    assert_eq!(reply.retry_after_seconds(), Some(5));
    server.restart();
    let handled = AtomicU32::new(0);
    let outcome = deliver(&receiver, "while it is down", &handled).await;
    assert_eq!((outcome, handled.into_inner()), ("processed", 1));

    // Down between claim and commit: what was done is not acknowledged.
    let signed = delivery("in between");
    let killed = Mutex::new(server);
    let handle = async |_: Delivery<'static>| {
        killed.lock().unwrap().kill();
        Ok::<(), ()>(())
    };
    let reply = receiver
        .receive(&signed.body, &signed.headers, handle)
        .await;
    let answer = (reply.status, reply.outcome.as_str());
    assert_eq!(answer, (503, "store_unavailable"));
    let mut server = killed.into_inner().unwrap();
    server.restart();
    let handled = AtomicU32::new(0);
    let outcome = deliver(&receiver, "in between", &handled).await;
    assert_eq!((outcome, handled.into_inner()), ("processed", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_outlives_an_outage_of_postgres() {
    outlives_an_outage("postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_outlives_an_outage_of_redis() {
    outlives_an_outage("redis").await;
}

/// Kills and restarts under load, `VELORA_SOAK_OUTAGES` times.
async fn forgets_nothing_acknowledged(kind: &str) {
    let outages = match std::env::var("VELORA_SOAK_OUTAGES") {
        Ok(outages) => outages.parse().unwrap(),
        Err(_) => 2,
    };
    let mut server = Server::start(kind);
    let store = open(&server.url(), patient());
    let acknowledged = Arc::new(Mutex::new(HashSet::new()));
    let next = Arc::new(AtomicU32::new(0));
    let load: Vec<_> = (0..8)
        .map(|_| {
            let (store, next) = (Arc::clone(&store), Arc::clone(&next));
            let acknowledged = Arc::clone(&acknowledged);
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let key = key(&number.to_string());
                    let (state, epoch) = claim(&*store, &key).await;
                    if state == "fresh" && store.commit(&key, epoch).await.is_ok() {
                        acknowledged.lock().unwrap().insert(number);
                    }
                }
            })
        })
        .collect();

    let count = || acknowledged.lock().unwrap().len();
    for _ in 0..outages {
        // Enough that the kill comes amid others.
        let start = Instant::now();
        let before = count();
        while count() < before + 200 {
            assert!(start.elapsed() < 3 * PATIENCE, "the load has stopped");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        server.kill();
        thread::sleep(Duration::from_millis(100));
        server.restart();
    }
    until(&*store, "after", "fresh").await;
    load.iter().for_each(tokio::task::JoinHandle::abort);
    for task in load {
        assert!(task.await.unwrap_err().is_cancelled());
    }
    let acknowledged = acknowledged.lock().unwrap().clone();
    for number in &acknowledged {
        let (state, _) = claim(&*store, &key(&number.to_string())).await;
        assert_eq!(state, "done", "{kind} forgot {number}");
    }
    println!(
        "{kind}: {} keys through {outages} outages",
        acknowledged.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_postgres_forgets_nothing() {
    forgets_nothing_acknowledged("postgres").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_redis_forgets_nothing() {
    forgets_nothing_acknowledged("redis").await;
}
