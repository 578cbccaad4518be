//! The connection that all calls share until it has a fault.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::connection::{Address, Connection};
use super::fault::Of;
use crate::dedupe::durable::{unavailable, within};
use crate::error::StoreError;

/// The pause after a failed attempt to connect, so that a server that refuses is not flooded.
/// Callers that arrive meanwhile wait.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) struct Shared {
    address: Arc<Address>,
    timeout: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    current: Option<Open>,
    opening: Option<Opening>,
    /// How many attempts there were. An attempt that ends after a later one began is ignored.
    attempts: u64,
}

/// A connection, and the attempt that opened it.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) connection: Connection,
    attempt: u64,
}

/// The outcome of an attempt, for all callers that wait for it.
type Opening = watch::Receiver<Option<Result<Open, StoreError>>>;

impl Shared {
    pub(super) fn new(address: Address, timeout: Duration) -> Self {
        Self {
            address: Arc::new(address),
            timeout,
            state: Arc::default(),
        }
    }

    /// The connection. If there is none, one of the callers opens it. Opening goes on even if
    /// that caller gives up, because others may be waiting for it.
    pub(super) async fn connection(&self) -> Result<Open, StoreError> {
        let mut opening = loop {
            let mut opening = {
                let mut state = lock(&self.state);
                match &state.current {
                    Some(open) => return Ok(open.clone()),
                    None => self.opening(&mut state),
                }
            };
            let has_failed = opening.borrow().is_some();
            if !has_failed {
                break opening;
            }
            while opening.changed().await.is_ok() {}
        };
        let outcome = opening.wait_for(Option::is_some).await;
        let outcome = outcome.ok().and_then(|outcome| outcome.clone());
        outcome.unwrap_or_else(|| Err(unavailable("the connection attempt was abandoned")))
    }

    /// Opens another connection if that may fix a fault of this one. A caller that reports the
    /// same fault later finds the new connection, and leaves it alone. A connection to a
    /// cluster stays in use until then, because only one node may be at fault.
    pub(super) fn blame(&self, faulty: &Open, of: Of) {
        let mut state = lock(&self.state);
        let is_current = |open: &Open| open.attempt == faulty.attempt;
        if !state.current.as_ref().is_some_and(is_current) {
            return;
        }
        match (of, &faulty.connection) {
            (Of::Server, _) => {}
            (Of::Connection, Connection::Cluster(_)) => drop(self.opening(&mut state)),
            (Of::Connection | Of::Place, _) => state.current = None,
        }
    }

    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        let attempts = state.attempts.saturating_add(1);
        *state = State {
            attempts,
            ..State::default()
        };
    }

    /// The attempt in progress or just failed, or else a new one.
    fn opening(&self, state: &mut State) -> Opening {
        // An attempt whose runtime has ended never reports an outcome.
        let under_way = state.opening.as_ref();
        if let Some(opening) = under_way.filter(|opening| opening.has_changed().is_ok()) {
            return opening.clone();
        }
        state.attempts = state.attempts.saturating_add(1);
        let attempt = state.attempts;
        let (tell, opening) = watch::channel(None);
        state.opening = Some(opening.clone());
        let (address, timeout) = (Arc::clone(&self.address), self.timeout);
        let shared = Arc::clone(&self.state);
        tokio::spawn(async move {
            let opened = within(timeout, async {
                let connection = address.open().await?;
                Ok(Open {
                    connection,
                    attempt,
                })
            })
            .await;
            let ended = |current: Option<Open>| {
                let mut state = lock(&shared);
                if state.attempts == attempt {
                    state.opening = None;
                    state.current = current.or(state.current.take());
                }
            };
            match &opened {
                Ok(open) => {
                    ended(Some(open.clone()));
                    tell.send_replace(Some(opened));
                }
                Err(_) => {
                    tell.send_replace(Some(opened));
                    sleep(PAUSE).await;
                    ended(None);
                }
            }
        });
        opening
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
