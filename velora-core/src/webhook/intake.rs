//! The part of a receiver that decides without a store.

use super::delivery::Delivery;
use super::headers::Headers;
use super::reply::{Outcome, Reply};
use super::verifier::Verifier;
use crate::clock::UnixTime;
use crate::dedupe::Key;
use crate::error::VerificationError;

/// Checked before hashing, so that nobody can make us hash gigabytes.
const DEFAULT_BODY_LIMIT: usize = 1024 * 1024;

/// The part of a [`Receiver`](super::Receiver) that needs no store, for hosts whose store is not
/// written in Rust. Such a host calls [`admit_at`](Self::admit_at), claims the key in its own
/// store, runs the handler, and commits or releases. [`Outcome::of_claim`],
/// [`Outcome::of_first_commit`], [`Outcome::of_second_commit`] and [`Outcome::of_release`] turn
/// the store's answers into outcomes.
#[derive(Clone, Debug)]
pub struct Intake {
    verifier: Verifier,
    body_limit: usize,
}

impl Intake {
    /// An intake with a body limit of 1 MiB.
    pub fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            body_limit: DEFAULT_BODY_LIMIT,
        }
    }

    /// Sets the largest body, in bytes, that is accepted.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// The largest body, in bytes, that is accepted.
    pub fn body_limit(&self) -> usize {
        self.body_limit
    }

    /// The verifier that decides what is genuine.
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Verifies a request as of `now`. Returns the delivery and the key to claim, or the
    /// reply to send at once.
    pub fn admit_at<'b, H: Headers + ?Sized>(
        &'b self,
        body: &'b [u8],
        headers: &H,
        now: UnixTime,
    ) -> Result<(Delivery<'b>, Key), Reply> {
        self.admitted(body, |verifier| verifier.verify_at(body, headers, now))
    }

    pub(super) fn admit<'b, H: Headers + ?Sized>(
        &'b self,
        body: &'b [u8],
        headers: &H,
    ) -> Result<(Delivery<'b>, Key), Reply> {
        self.admitted(body, |verifier| verifier.verify(body, headers))
    }

    fn admitted<'b>(
        &'b self,
        body: &[u8],
        verify: impl FnOnce(&'b Verifier) -> Result<Delivery<'b>, VerificationError>,
    ) -> Result<(Delivery<'b>, Key), Reply> {
        if body.len() > self.body_limit {
            return Err(self.reply(Outcome::BodyTooLarge));
        }
        verify(&self.verifier)
            .and_then(|delivery| {
                let key = delivery.key()?;
                Ok((delivery, key))
            })
            .map_err(|error| self.reply(Outcome::Refused(error)))
    }

    /// The reply for this outcome. The one place that decides statuses.
    pub fn reply(&self, outcome: Outcome) -> Reply {
        let scheme = self.verifier.scheme();
        let reply = Reply::to(scheme, outcome);
        reply.outcome.warn(scheme);
        tracing::debug!(
            scheme = scheme.name(),
            outcome = reply.outcome.as_str(),
            status = reply.status,
            "delivery answered"
        );
        reply
    }
}
