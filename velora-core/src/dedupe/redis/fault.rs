//! What Redis, or the way to it, does wrong.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::dedupe::durable::unavailable;
use crate::error::StoreError;

/// A fault, and whose it is.
pub(super) struct Fault {
    pub(super) told: StoreError,
    pub(super) of: Of,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// An answer, which another connection would get as well.
    Server,
    /// Another connection may be free of it.
    Connection,
    /// No claim may be made where the connection leads.
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

/// What a server answers, another connection to it would answer as well; unless the server is
/// none to claim at, and its name leads to another one now, or the connection is nobody's.
fn is_of_connection(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => true,
        // As Redis before 7 tells it of a script.
        ErrorKind::Server(ServerErrorKind::ResponseError) => says(error, "READONLY"),
        ErrorKind::Server(_) => false,
        ErrorKind::Extension => matches!(error.code(), Some("NOAUTH" | "WRONGPASS")),
        _ => true,
    }
}

/// In the server's words, or those of the operating system: neither knows the password.
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
