//! Stores that are written in the host's language, and what their answers mean.

use std::pin::Pin;
use std::time::Duration;

use super::Key;
use super::claimed::Claimed;
use super::store::{Claim, Epoch, Store, StoreFuture};
use crate::error::StoreError;

/// Carries out the operations of a store, in the host's language.
pub trait CustomVerbs: Send + Sync {
    /// Carries out `claim`, `commit`, `release` or `renew`. A claim has no epoch yet.
    fn ask<'a>(
        &'a self,
        verb: &'static str,
        key: &'a Key,
        epoch: Option<Epoch>,
    ) -> Pin<Box<dyn Future<Output = CustomAnswer> + Send + 'a>>;
}

/// A store whose operations are carried out in the host's language.
#[derive(Clone, Copy, Debug)]
pub struct CustomStore<V>(pub V);

impl<V: CustomVerbs> Store for CustomStore<V> {
    fn claim(&self, key: Key) -> StoreFuture<'_, Claim<'_>> {
        Box::pin(async move {
            let claimed = self.0.ask("claim", &key, None).await.claimed()?;
            Ok(claimed.into_claim(self, key))
        })
    }

    fn commit<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.0.ask("commit", key, Some(epoch)).await.ended() })
    }

    fn release<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.0.ask("release", key, Some(epoch)).await.ended() })
    }

    fn renew<'a>(&'a self, key: &'a Key, epoch: Epoch) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.0.ask("renew", key, Some(epoch)).await.ended() })
    }
}

/// The answer of a store in the host's language, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomAnswer {
    /// A claim is fresh, under this epoch; `None` if it is not a whole number.
    Fresh(Option<Epoch>),
    /// Someone else is handling it, for at most this long; `None` if it is not a valid time.
    InFlight(Option<Duration>),
    /// It was handled before.
    Done,
    /// The operation, which was not a claim, was carried out.
    Ok,
    /// The store failed.
    Failed(StoreError),
    /// None of these.
    Unknown,
}

impl CustomAnswer {
    /// The store raised an error. A code of store errors is kept; anything else is
    /// `store_unavailable`, with `reason`. The error's own message is not repeated.
    pub fn failed(code: Option<&str>, reason: &str) -> Self {
        Self::Failed(match code {
            Some("lease_lost") => StoreError::LeaseLost,
            Some("store_full") => StoreError::StoreFull,
            _ => unavailable(reason),
        })
    }

    /// As the answer to a claim.
    ///
    /// Errors: `store_full`, `lease_lost`, `store_unavailable`.
    pub fn claimed(self) -> Result<Claimed, StoreError> {
        match self {
            Self::Fresh(Some(epoch)) => Ok(Claimed::Fresh(epoch)),
            Self::InFlight(Some(retry_after)) => Ok(Claimed::InFlight { retry_after }),
            Self::Done => Ok(Claimed::Done),
            Self::Failed(error) => Err(error),
            Self::Fresh(None) => Err(unavailable("its claim's epoch is not a whole number")),
            Self::InFlight(None) => Err(unavailable("its claim's time to wait is not valid")),
            Self::Ok | Self::Unknown => Err(unavailable("it did not return a valid claim")),
        }
    }

    /// As the answer to any other verb.
    ///
    /// Errors: `lease_lost`, `store_full`, `store_unavailable`.
    pub fn ended(self) -> Result<(), StoreError> {
        match self {
            Self::Ok => Ok(()),
            Self::Failed(error) => Err(error),
            _ => Err(unavailable("it returned no valid result")),
        }
    }
}

fn unavailable(reason: &str) -> StoreError {
    StoreError::Unavailable {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_none_is_no_claim() {
        let second = Duration::from_secs(1);
        let in_flight = Claimed::InFlight {
            retry_after: second,
        };
        for (answer, claimed) in [
            (CustomAnswer::Fresh(Some(0)), Ok(Claimed::Fresh(0))),
            (CustomAnswer::InFlight(Some(second)), Ok(in_flight)),
            (CustomAnswer::Done, Ok(Claimed::Done)),
            (CustomAnswer::Fresh(None), Err("store_unavailable")),
            (CustomAnswer::InFlight(None), Err("store_unavailable")),
            (CustomAnswer::Ok, Err("store_unavailable")),
            (CustomAnswer::Unknown, Err("store_unavailable")),
            (
                CustomAnswer::failed(Some("store_full"), ""),
                Err("store_full"),
            ),
        ] {
            assert_eq!(
                answer.claimed().map_err(|error| error.code().as_str()),
                claimed
            );
        }
    }

    #[test]
    fn only_an_answer_to_it_ends_a_claim() {
        for (answer, ended) in [
            (CustomAnswer::Ok, Ok(())),
            (CustomAnswer::Done, Err("store_unavailable")),
            (CustomAnswer::Unknown, Err("store_unavailable")),
            (
                CustomAnswer::failed(Some("lease_lost"), ""),
                Err("lease_lost"),
            ),
            (
                CustomAnswer::failed(Some("store_full"), ""),
                Err("store_full"),
            ),
            (
                CustomAnswer::failed(Some("ok"), ""),
                Err("store_unavailable"),
            ),
            (CustomAnswer::failed(None, ""), Err("store_unavailable")),
        ] {
            assert_eq!(answer.ended().map_err(|error| error.code().as_str()), ended);
        }
    }
}
