//! Faults of Redis, or of the connection to it.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::dedupe::durable::unavailable;
use crate::error::StoreError;

/// A fault, and its origin.
pub(super) struct Fault {
    pub(super) told: StoreError,
    pub(super) of: Of,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The server's response, which would be the same on another connection.
    Server,
    /// The connection: another one may not have this fault.
    Connection,
    /// The server: no claims may be made there.
    Place,
}

impl From<RedisError> for Fault {
    fn from(error: RedisError) -> Self {
        Self {
            of: match is_of_connection(&error) {
                true => Of::Connection,
                false => Of::Server,
            },
            told: told(error),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        fault.told
    }
}

/// Whether another connection may not have this fault. A server would respond the same on
/// another connection, unless it is a replica and its name now leads to another server, or the
/// connection is not authenticated.
fn is_of_connection(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => true,
        // How Redis before 7 reports it for a script.
        ErrorKind::Server(ServerErrorKind::ResponseError) => says(error, "READONLY"),
        ErrorKind::Server(_) => false,
        ErrorKind::Extension => matches!(error.code(), Some("NOAUTH" | "WRONGPASS")),
        _ => true,
    }
}

/// The message of the server or of the operating system; neither contains the password.
fn told(error: RedisError) -> StoreError {
    match error.kind() {
        ErrorKind::InvalidClientConfig => unavailable("the URL cannot be used"),
        ErrorKind::Server(ServerErrorKind::ResponseError) if says(&error, "OOM") => {
            StoreError::StoreFull
        }
        _ if error.code() == Some("OOM") => StoreError::StoreFull,
        _ => unavailable(error),
    }
}

fn says(error: &RedisError, word: &str) -> bool {
    error.to_string().contains(word)
}
