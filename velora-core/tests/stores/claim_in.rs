//! Claims in the caller's own transaction.

use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use tokio_postgres::{Client, NoTls};
use velora_core::dedupe::{Claimed, PostgresStore, SqliteStore};
use velora_core::{Store, StoreError, StoreOptions};

use super::support::{PATIENCE, Place, claim, key, options, patient, place};

async fn sqlite(options: StoreOptions) -> (SqliteStore, Connection, Place) {
    let place = place("sqlite");
    let path = place.url.strip_prefix("sqlite://").unwrap();
    let store = SqliteStore::new(path, options);
    store.ready().await.unwrap();
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(20)).unwrap();
    connection
        .execute("CREATE TABLE effects (amount INTEGER)", [])
        .unwrap();
    (store, connection, place)
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn postgres(options: StoreOptions) -> (PostgresStore, Client, Place) {
    let place = place("postgres");
    let store = PostgresStore::new(&place.url, options).unwrap();
    store.ready().await.unwrap();
    let client = connect(&place.url).await;
    client
        .batch_execute("CREATE TABLE effects (amount INTEGER)")
        .await
        .unwrap();
    (store, client, place)
}

fn fresh(claimed: Claimed) -> u64 {
    match claimed {
        Claimed::Fresh(epoch) => epoch,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_knows_only_what_was_committed() {
    let (store, mut connection, _place) = sqlite(patient()).await;
    let key = key("file");
    let begin = TransactionBehavior::Immediate;

    let transaction = connection.transaction_with_behavior(begin).unwrap();
    let epoch = fresh(store.claim_in(&transaction, &key).unwrap());
    let again = store.claim_in(&transaction, &key).unwrap();
    assert!(matches!(again, Claimed::InFlight { .. }));
    store.commit_in(&transaction, &key, epoch).unwrap();
    assert_eq!(store.claim_in(&transaction, &key).unwrap(), Claimed::Done);
    transaction.rollback().unwrap();
    let (state, held) = claim(&store, &key).await;
    assert_eq!(state, "fresh", "after a rollback");
    store.release(&key, held).await.unwrap();

    let transaction = connection.transaction_with_behavior(begin).unwrap();
    let epoch = fresh(store.claim_in(&transaction, &key).unwrap());
    store.commit_in(&transaction, &key, epoch).unwrap();
    transaction.commit().unwrap();
    assert_eq!(claim(&store, &key).await.0, "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_knows_only_what_was_committed() {
    let (store, mut client, place) = postgres(patient()).await;
    let key = key("database");

    let transaction = client.transaction().await.unwrap();
    let epoch = fresh(store.claim_in(&transaction, &key).await.unwrap());
    // Nobody waits for the transaction to end.
    assert_eq!(claim(&store, &key).await.0, "in_flight");
    let mut other = connect(&place.url).await;
    let beside = other.transaction().await.unwrap();
    let claimed = store.claim_in(&beside, &key).await.unwrap();
    assert!(matches!(claimed, Claimed::InFlight { .. }));
    drop(beside);
    store.commit_in(&transaction, &key, epoch).await.unwrap();
    assert_eq!(claim(&store, &key).await.0, "in_flight");
    transaction.rollback().await.unwrap();
    let (state, held) = claim(&store, &key).await;
    assert_eq!(state, "fresh", "after a rollback");
    store.release(&key, held).await.unwrap();

    let transaction = client.transaction().await.unwrap();
    let epoch = fresh(store.claim_in(&transaction, &key).await.unwrap());
    store.commit_in(&transaction, &key, epoch).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(claim(&store, &key).await.0, "done");
}

/// A lease that is claimed first, and committed with the effects.
#[tokio::test]
async fn effects_of_a_lost_lease_are_not_written_to_a_file() {
    let lease = Duration::from_millis(100);
    let (store, mut connection, _place) = sqlite(options(lease, 1_000 * lease)).await;
    let key = key("lost");
    let (_, first) = claim(&store, &key).await;
    tokio::time::sleep(2 * lease).await;
    let (_, second) = claim(&store, &key).await;

    for (epoch, expected) in [(first, Err(StoreError::LeaseLost)), (second, Ok(()))] {
        let begin = TransactionBehavior::Immediate;
        let transaction = connection.transaction_with_behavior(begin).unwrap();
        transaction
            .execute("INSERT INTO effects VALUES (1)", [])
            .unwrap();
        let committed = store.commit_in(&transaction, &key, epoch);
        assert_eq!(committed, expected);
        match committed {
            Ok(()) => transaction.commit().unwrap(),
            Err(_) => transaction.rollback().unwrap(),
        }
    }
    let count = "SELECT count(*) FROM effects";
    let effects: i64 = connection.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(effects, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_of_a_lost_lease_are_not_written_to_a_database() {
    let lease = Duration::from_millis(100);
    let (store, mut client, _place) = postgres(options(lease, 1_000 * lease)).await;
    let key = key("lost");
    let (_, first) = claim(&store, &key).await;
    tokio::time::sleep(2 * lease).await;
    let (_, second) = claim(&store, &key).await;

    for (epoch, expected) in [(first, Err(StoreError::LeaseLost)), (second, Ok(()))] {
        let transaction = client.transaction().await.unwrap();
        let effect = "INSERT INTO effects VALUES (1)";
        transaction.execute(effect, &[]).await.unwrap();
        let committed = store.commit_in(&transaction, &key, epoch).await;
        assert_eq!(committed, expected);
        match committed {
            Ok(()) => transaction.commit().await.unwrap(),
            Err(_) => transaction.rollback().await.unwrap(),
        }
    }
    let effects = client.query_one("SELECT count(*) FROM effects", &[]);
    assert_eq!(effects.await.unwrap().get::<_, i64>(0), 1);
}

/// Whether its lease has run out or not, its transaction commits first: nobody takes it
/// over, nor waits for the end of the transaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_beside_a_late_commit_is_in_flight() {
    for lease in [PATIENCE, Duration::from_millis(100)] {
        let options = options(lease, 1_000 * PATIENCE);
        let (store, mut client, _place) =
            postgres(options.with_timeout(3 * PATIENCE).unwrap()).await;
        let key = key("late");
        let (_, epoch) = claim(&store, &key).await;
        if lease < PATIENCE {
            tokio::time::sleep(2 * lease).await;
        }
        let transaction = client.transaction().await.unwrap();
        store.commit_in(&transaction, &key, epoch).await.unwrap();
        let beside = tokio::time::timeout(PATIENCE, claim(&store, &key)).await;
        assert_eq!(beside.unwrap().0, "in_flight");
        transaction.commit().await.unwrap();
        assert_eq!(claim(&store, &key).await.0, "done");
    }
}

/// One that lost a race for the key has its lock until their transaction ends.
#[tokio::test(flavor = "multi_thread")]
async fn who_claimed_in_vain_keeps_no_work_from_being_committed() {
    let (store, mut client, place) = postgres(patient()).await;
    let key = key("race");
    let (_, epoch) = claim(&store, &key).await;
    let mut loser = connect(&place.url).await;
    let open = loser.transaction().await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 7307))";
    open.execute(lock, &[&key.as_str()]).await.unwrap();

    let transaction = client.transaction().await.unwrap();
    let committed = store.commit_in(&transaction, &key, epoch);
    let committed = tokio::time::timeout(PATIENCE / 4, committed).await;
    assert_eq!(committed.unwrap(), Ok(()));
    transaction.rollback().await.unwrap();
    assert_eq!(store.commit(&key, epoch).await, Ok(()));
    assert_eq!(claim(&store, &key).await.0, "done");
    open.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_stays_in_the_namespace_of_its_store() {
    let north = || patient().with_namespace("north").unwrap();
    let key = key("same");

    let (store, mut connection, place) = sqlite(north()).await;
    let others = SqliteStore::new(place.url.strip_prefix("sqlite://").unwrap(), patient());
    let (_, epoch) = claim(&store, &key).await;
    let transaction = connection.transaction().unwrap();
    assert!(matches!(
        others.claim_in(&transaction, &key),
        Ok(Claimed::Fresh(_))
    ));
    let claimed = store.claim_in(&transaction, &key).unwrap();
    assert!(matches!(claimed, Claimed::InFlight { .. }));
    store.commit_in(&transaction, &key, epoch).unwrap();
    transaction.commit().unwrap();
    assert_eq!(claim(&store, &key).await.0, "done");
    assert_eq!(claim(&others, &key).await.0, "in_flight");

    let (store, mut client, place) = postgres(north()).await;
    let others = PostgresStore::new(&place.url, patient()).unwrap();
    let (_, epoch) = claim(&store, &key).await;
    let transaction = client.transaction().await.unwrap();
    let claimed = others.claim_in(&transaction, &key).await.unwrap();
    assert!(matches!(claimed, Claimed::Fresh(_)));
    let claimed = store.claim_in(&transaction, &key).await.unwrap();
    assert!(matches!(claimed, Claimed::InFlight { .. }));
    store.commit_in(&transaction, &key, epoch).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(claim(&store, &key).await.0, "done");
    assert_eq!(claim(&others, &key).await.0, "in_flight");
}
