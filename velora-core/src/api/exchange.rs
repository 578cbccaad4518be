//! Which answer something was read from.

use crate::error::ApiError;

/// The call and the answer that something was read from, for an error that is found only
/// after the call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) status: u16,
    /// The system's own, else the one that was sent. Without the credential.
    pub(crate) request_id: String,
    /// How many requests it took.
    pub(crate) attempts: u32,
}

impl ApiError {
    /// Says in what was answered the fault was found. An error that a call ended with says
    /// so already.
    pub(crate) fn found_in(self, exchange: &Exchange) -> Self {
        if self.request_id().is_some() {
            return self;
        }
        self.with_status(exchange.status)
            .with_request_id(&exchange.request_id)
            .with_attempts(exchange.attempts)
    }
}
