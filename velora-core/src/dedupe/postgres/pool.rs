//! The connections of the pool, and which of them are reused.

use std::error::Error as _;

use deadpool_postgres::{HookError, Object, Pool, PoolError};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::dedupe::durable::unavailable;
use crate::error::StoreError;

/// All work on the pool's connections goes through here. If there is no response, or nobody
/// waits for it any more, the connection is not reused.
pub(super) async fn on_connection<T>(
    pool: &Pool,
    work: impl AsyncFnOnce(&mut Object) -> Result<T, Error>,
) -> Result<T, StoreError> {
    let mut held = Held(Some(connection(pool).await?));
    let result = match &mut held.0 {
        Some(client) => work(client).await,
        None => return Err(unavailable("no connection")),
    };
    match &result {
        Err(error) if is_of_connection(error) => {
            // The other connections lead to the same server.
            pool.retain(|_, _| false);
        }
        _ => held.give_back(),
    }
    result.map_err(fault)
}

/// A connection of the pool. Opening a new one goes on, and it stays in the pool, even if its
/// caller gives up: otherwise callers that give up faster than it opens would never get one.
async fn connection(pool: &Pool) -> Result<Object, StoreError> {
    let got = match pool.status().available {
        0 => {
            let pool = pool.clone();
            let opened = tokio::spawn(async move { pool.get().await });
            opened.await.map_err(|_| unavailable("no connection"))?
        }
        _ => pool.get().await,
    };
    got.map_err(no_connection)
}

/// Whether another connection may not have this fault: the connection is broken; its session is
/// read-only, as on a server that has become a replica; its server is shutting down; or its
/// prepared statements are unknown, because someone changed its session or put another server
/// behind it.
fn is_of_connection(error: &Error) -> bool {
    error.code().is_none_or(|state| {
        let of_connection = ["08", "25", "26", "57P"];
        of_connection
            .iter()
            .any(|class| state.code().starts_with(class))
    })
}

/// A connection that is closed on drop unless it was given back.
struct Held(Option<Object>);

impl Held {
    fn give_back(&mut self) {
        self.0 = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(Object::take(client));
        }
    }
}

fn no_connection(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            fault(error)
        }
        _ => unavailable("no connection became free in time"),
    }
}

/// The message of the server or of the operating system; neither contains the password.
pub(super) fn fault(error: Error) -> StoreError {
    if let Some(fault) = error.as_db_error() {
        return match *fault.code() {
            SqlState::DISK_FULL | SqlState::OUT_OF_MEMORY => StoreError::StoreFull,
            _ => unavailable(format_args!(
                "{} ({})",
                fault.message(),
                fault.code().code()
            )),
        };
    }
    match error.source() {
        Some(cause) => unavailable(format_args!("{error}: {cause}")),
        None => unavailable(error),
    }
}
