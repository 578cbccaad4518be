//! What became of a delivery, and the answer that its system gets.

use std::time::Duration;

use super::scheme::Scheme;
use crate::dedupe::{Claimed, Lease};
use crate::error::{Code, Error, StoreError, VerificationError};

/// How long a sender is asked to wait if the store cannot be reached.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(5);

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// How long the sender should wait before it sends again: `Retry-After`, in whole seconds.
    pub retry_after: Option<Duration>,
    /// Why: what became of the delivery.
    pub outcome: Outcome,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The handler ran, and its claim is committed.
    Processed,
    /// The event was handled before.
    Duplicate,
    /// Another delivery of the event is being handled.
    InFlight {
        /// How long until its lease expires, at most.
        retry_after: Duration,
    },
    /// The delivery is forged, stale or malformed.
    Refused(VerificationError),
    /// The body is over the limit and was not hashed.
    BodyTooLarge,
    /// The body could not be read to its end.
    BodyUnreadable,
    /// The handler returned an error.
    HandlerFailed,
    /// The handler panicked.
    HandlerPanicked,
    /// The claim could not be made or committed.
    StoreFailed(StoreError),
}

impl Outcome {
    /// For the answer to a claim: the lease or epoch to handle the event under, or the outcome.
    pub fn of_claim<F>(claimed: Result<Claimed<F>, StoreError>) -> Result<F, Self> {
        match claimed {
            Ok(Claimed::Fresh(fresh)) => Ok(fresh),
            Ok(Claimed::InFlight { retry_after }) => Err(Self::InFlight { retry_after }),
            Ok(Claimed::Done) => Err(Self::Duplicate),
            Err(error) => Err(Self::StoreFailed(error)),
        }
    }

    /// Commits the claim of an event that was handled. If the store is unavailable, it is asked
    /// once more: a connection that broke since the claim is no reason to run the handler again.
    pub async fn commit(lease: Lease<'_>) -> Self {
        match Self::of_first_commit(lease.try_commit().await) {
            Some(outcome) => outcome,
            None => Self::of_second_commit(lease.commit().await),
        }
    }

    /// The outcome after the handler succeeded, given the result of the commit; `None` if the
    /// store was unavailable and is to be asked once more.
    pub fn of_first_commit(committed: Result<(), StoreError>) -> Option<Self> {
        match committed {
            Err(StoreError::Unavailable { .. }) => None,
            committed => Some(Self::of_commit(committed)),
        }
    }

    /// The outcome, given the result of that second commit. If the first one took effect and
    /// only its answer was lost, the second finds no claim: that is `store_unavailable`, and
    /// the next delivery is a duplicate.
    pub fn of_second_commit(committed: Result<(), StoreError>) -> Self {
        Self::of_commit(committed.map_err(|error| match error {
            StoreError::LeaseLost => StoreError::Unavailable {
                reason: "the first of two commits was not answered".to_owned(),
            },
            other => other,
        }))
    }

    /// The outcome of a commit that is not repeated, such as one in a transaction.
    pub fn of_commit(committed: Result<(), StoreError>) -> Self {
        match committed {
            Ok(()) => Self::Processed,
            Err(error) => Self::StoreFailed(error),
        }
    }

    /// The outcome after the handler failed (`failed`), given the result of the release. If
    /// the store could not release the claim, the lease expires by itself and the outcome is
    /// still `failed`. If the claim was taken over, the outcome is `lease_lost`.
    pub fn of_release(released: Result<(), StoreError>, failed: Self) -> Self {
        match released {
            Err(StoreError::LeaseLost) => Self::StoreFailed(StoreError::LeaseLost),
            _ => failed,
        }
    }

    /// What whoever runs the service must be told, because a genuine event may be lost: why the
    /// store failed, or why a delivery was refused although its signature held. `None` for a
    /// forgery: a log of these could be filled by anybody.
    pub fn reason(&self) -> Option<Error> {
        match self {
            Self::StoreFailed(error) => Some(error.clone().into()),
            Self::Refused(
                error @ (VerificationError::MalformedEvent { .. }
                | VerificationError::HeaderBodyMismatch { .. }),
            ) => Some(error.clone().into()),
            _ => None,
        }
    }

    /// Logs the reason, which the reply does not contain. What the handler said is not known
    /// here; that it failed is.
    pub(super) fn warn(&self, scheme: &Scheme) {
        let (scheme, code) = (scheme.name(), self.as_str());
        if let Some(error) = self.reason() {
            tracing::warn!(scheme, code, %error, "an event was not handled");
        } else if matches!(self, Self::HandlerFailed | Self::HandlerPanicked) {
            tracing::warn!(scheme, code, "an event was not handled");
        }
    }

    /// The code, if the outcome is a failure.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Processed | Self::Duplicate | Self::InFlight { .. } => None,
            Self::Refused(error) => Some(error.code()),
            Self::BodyTooLarge => Some(Code::BodyTooLarge),
            Self::BodyUnreadable => Some(Code::BodyUnreadable),
            Self::HandlerFailed => Some(Code::HandlerFailed),
            Self::HandlerPanicked => Some(Code::HandlerPanicked),
            Self::StoreFailed(error) => Some(error.code()),
        }
    }

    /// `processed`, `duplicate`, `in_flight`, or the text of the code.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Duplicate => "duplicate",
            Self::InFlight { .. } => "in_flight",
            fault => fault.code().map_or("", Code::as_str),
        }
    }
}

impl Reply {
    /// The rules of the table in [`Receiver`](super::Receiver).
    pub(crate) fn to(scheme: &Scheme, outcome: Outcome) -> Self {
        let (status, retry_after) = match &outcome {
            Outcome::Processed | Outcome::Duplicate => (200, None),
            Outcome::InFlight { retry_after } => (503, Some(*retry_after)),
            Outcome::Refused(VerificationError::MalformedEvent { .. }) => (500, None),
            Outcome::Refused(_) => (scheme.handling.reject_status, None),
            Outcome::BodyTooLarge if scheme.handling.client_errors_are_final => (500, None),
            Outcome::BodyTooLarge => (413, None),
            Outcome::BodyUnreadable | Outcome::HandlerFailed | Outcome::HandlerPanicked => {
                (500, None)
            }
            Outcome::StoreFailed(_) => (503, Some(STORE_RETRY_AFTER)),
        };
        Self {
            status,
            retry_after: retry_after.map(whole_seconds),
            outcome,
        }
    }

    /// The value of the `Retry-After` header, if there is to be one.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(|wait| wait.as_secs())
    }
}

/// Rounded up, and never zero: the sender must not come back a moment too early.
fn whole_seconds(wait: Duration) -> Duration {
    let up = u64::from(wait.subsec_nanos() > 0);
    Duration::from_secs(wait.as_secs().saturating_add(up).max(1))
}
