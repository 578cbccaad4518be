//! Which answer something was read from.

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
