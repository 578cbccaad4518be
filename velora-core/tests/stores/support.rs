//! What the tests share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use velora_core::{Claim, Key, Store, StoreOptions, open_store};
use velora_servers::{Postgres, Redis};

/// An empty store, and what must live as long.
pub(crate) struct Place {
    pub(crate) url: String,
    _folder: TempDir,
}

pub(crate) const KINDS: [&str; 3] = ["sqlite", "postgres", "redis"];

/// Where nobody has kept a claim yet. Servers start at the first call, which blocks.
pub(crate) fn place(kind: &str) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let url = match kind {
        "sqlite" => format!("sqlite://{}", folder.path().join("claims.db").display()),
        "postgres" => Postgres::shared().new_url(),
        "redis" => Redis::shared().new_url(),
        _ => panic!("{kind}"),
    };
    Place {
        url,
        _folder: folder,
    }
}

pub(crate) fn open(url: &str, options: StoreOptions) -> Arc<dyn Store> {
    open_store(url, options.with_timeout(PATIENCE).unwrap()).unwrap()
}

/// Longer than a busy machine stands still.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn patient() -> StoreOptions {
    StoreOptions::default().with_timeout(PATIENCE).unwrap()
}

/// Gives up soon, but leaves time to connect anew and to be answered.
pub(crate) fn steady() -> StoreOptions {
    let options = StoreOptions::default();
    options.with_timeout(Duration::from_secs(3)).unwrap()
}

/// Gives up so soon that a call which must succeed has to be tried again.
pub(crate) fn hasty() -> StoreOptions {
    let options = StoreOptions::default();
    options.with_timeout(Duration::from_millis(500)).unwrap()
}

pub(crate) fn options(lease: Duration, retention: Duration) -> StoreOptions {
    patient()
        .with_lease(lease)
        .unwrap()
        .dangerous_short_retention(retention)
        .unwrap()
}

/// What a claim is, with the epoch of a fresh one.
pub(crate) async fn claim(store: &dyn Store, key: &Key) -> (&'static str, u64) {
    match store.claim(key.clone()).await {
        Ok(Claim::Fresh(lease)) => ("fresh", lease.epoch()),
        Ok(Claim::InFlight { .. }) => ("in_flight", 0),
        Ok(Claim::Done) => ("done", 0),
        Err(error) => (error.code().as_str(), 0),
    }
}

/// Asks for new keys until the answer is this.
pub(crate) async fn until(store: &dyn Store, text: &str, expected: &str) {
    let start = Instant::now();
    for attempt in 0.. {
        let (state, _) = claim(store, &key(&format!("{text} {attempt}"))).await;
        if state == expected {
            return;
        }
        assert!(start.elapsed() < 3 * PATIENCE, "{text}: still {state}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(crate) fn key(text: &str) -> Key {
    Key::of_members("stores", &[text])
}

/// The schema that a URL of [`Postgres::new_url`] names.
pub(crate) fn schema(url: &str) -> &str {
    url.split_once("search_path%3D").unwrap().1
}
