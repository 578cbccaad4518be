//! Connections of the pool, and which of them are used again.

use std::error::Error as _;

use deadpool_postgres::{HookError, Object, Pool, PoolError};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::dedupe::durable::unavailable;
use crate::error::StoreError;

/// Whatever is done on a connection of the pool is done here. Where there is no answer, or
/// nobody waits for it any more, the connection is not used again.
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
            // Those beside it lead to where it leads.
            pool.retain(|_, _| false);
        }
        _ => held.give_back(),
    }
    result.map_err(fault)
}

/// A connection of the pool. One that is not there yet is opened to its end, and left in the
/// pool, also where its caller gives up: where callers come faster than a connection, there
/// would never be one.
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

/// Whether the fault may be that of the connection, and not one that another one would
/// answer with as well: it is broken; its session is read-only, as on a server that is a
/// replica now; its server shuts down; somebody has changed its session, or put another
/// server behind it, so that what was prepared there is unknown.
fn is_of_connection(error: &Error) -> bool {
    error.code().is_none_or(|state| {
        let of_connection = ["08", "25", "26", "57P"];
        of_connection
            .iter()
            .any(|class| state.code().starts_with(class))
    })
}

/// A connection that is closed unless it is given back.
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

/// In the server's words, or those of the operating system: neither knows the password.
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
