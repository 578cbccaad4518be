//! The receiving side of the demo: four endpoints, one store, and handlers that can be told
//! to crash or to wait.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;
use velora_core::axum::deliveries;
use velora_core::{Delivery, MemoryStore, Receiver, Scheme, SigningSecret, Verifier};

use crate::scenes::SYSTEMS;
use crate::sender::Sender;

/// How long a slow handler and its sender wait for each other, if something goes wrong.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running receiver, and a sender that knows its address.
pub(crate) struct Demo {
    pub(crate) sender: Sender,
    ledger: Arc<Ledger>,
}

/// What the handlers did: how often each event had its effect.
#[derive(Default)]
struct Ledger {
    effects: Mutex<BTreeMap<String, u32>>,
    crashed: Mutex<Vec<String>>,
    slow_begins: Notify,
    slow_may_end: Notify,
}

impl Demo {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let ledger = Arc::new(Ledger::default());
        let store = Arc::new(MemoryStore::default());
        let mut app = Router::new();
        for system in &SYSTEMS {
            let secret = SigningSecret::new(system.secret)?;
            let verifier = Verifier::new(Scheme::named(system.name)?, [secret])?;
            let receiver = Receiver::new(verifier, Arc::clone(&store));
            let ledger = Arc::clone(&ledger);
            let handler = move |delivery| handle(Arc::clone(&ledger), delivery);
            app = app.route(&format!("/{}", system.name), deliveries(receiver, handler));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self {
            sender: Sender::new(base)?,
            ledger,
        })
    }

    /// Waits until a slow handler has begun.
    pub(crate) async fn slow_handler_begins(&self) {
        let _ = timeout(PATIENCE, self.ledger.slow_begins.notified()).await;
    }

    /// Lets it end.
    pub(crate) fn slow_handler_may_end(&self) {
        self.ledger.slow_may_end.notify_one();
    }

    /// How often each event, by its key, had its effect.
    pub(crate) fn effects(&self) -> BTreeMap<String, u32> {
        self.ledger
            .effects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Does the event's work. The body may ask for a crash (once) or for slowness.
async fn handle(
    ledger: Arc<Ledger>,
    delivery: Delivery<'static>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let key = delivery.key()?.to_string();
    let asks_for = |what: &str| {
        delivery
            .body()
            .windows(what.len())
            .any(|part| part == what.as_bytes())
    };

    if asks_for("crash-once") && ledger.crashes_now(&key) {
        #[expect(clippy::panic, reason = "the crash that the demo shows")]
        {
            panic!("a handler crashes halfway");
        }
    }
    if asks_for("slow") {
        ledger.slow_begins.notify_one();
        let _ = timeout(PATIENCE, ledger.slow_may_end.notified()).await;
    }
    let mut effects = ledger
        .effects
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    *effects.entry(key).or_default() += 1;
    Ok(())
}

impl Ledger {
    fn crashes_now(&self, key: &str) -> bool {
        let mut crashed = self.crashed.lock().unwrap_or_else(PoisonError::into_inner);
        let first = !crashed.iter().any(|seen| seen == key);
        crashed.push(key.to_owned());
        first
    }
}
