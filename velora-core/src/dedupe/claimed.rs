//! A claim as a database row: what is written to its columns, and what is read from them.

use std::borrow::Cow;
use std::time::Duration;

use super::Key;
use super::namespace::MARK;
use super::store::{Claim, Epoch, Lease, Store, StoreOptions};
use crate::error::StoreError;

/// The `retry_after` of a claim that met another one in progress, whose end is not known.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// The longest key that is stored as it is; an index of any database can hold it.
const MAX_BYTES: usize = 255;

const CLAIMED: i64 = 1;
const DONE: i64 = 2;

/// The answer to a claim, like [`Claim`](super::Claim) but with an epoch instead of a
/// [`Lease`]: the claim is ended by your own transaction, or by calling the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed<F = Epoch> {
    /// The event is yours: handle it, then commit under this epoch. If you claimed in a
    /// transaction, use `commit_in` in the same one.
    Fresh(F),
    /// Someone else is handling it. Ask the sender to send again; never answer 2xx.
    InFlight {
        /// How long until the other lease expires, at most.
        retry_after: Duration,
    },
    /// It was handled before: answer 2xx.
    Done,
}

impl Claimed {
    pub(super) fn into_claim(self, store: &dyn Store, key: Key) -> Claim<'_> {
        match self {
            Self::Fresh(epoch) => Claim::Fresh(Lease::new(store, key, epoch)),
            Self::InFlight { retry_after } => Claim::InFlight { retry_after },
            Self::Done => Claim::Done,
        }
    }

    /// From the row: its state, and how many microseconds that state lasts. If there is no
    /// row, or it is free, another transaction changed it between the two statements.
    pub(super) fn standing(row: Option<(i64, i64)>, lease: Duration) -> Self {
        match row {
            Some((DONE, micros)) if micros > 0 => Self::Done,
            Some((CLAIMED, micros)) if micros > 0 => Self::InFlight {
                // A lease of another process may be longer than ours.
                retry_after: Duration::from_micros(micros.unsigned_abs()),
            },
            _ => Self::under_way(lease),
        }
    }

    /// Another transaction is claiming the key right now.
    pub(super) fn under_way(lease: Duration) -> Self {
        Self::InFlight {
            retry_after: lease.min(UNDER_WAY),
        }
    }
}

/// The text under which a key is stored: `ns=name:key` in a namespace, otherwise the key
/// itself. A key that the caller made up and that does not fit into a column, or that looks
/// as if it were in a namespace, is replaced by its digest.
pub(super) fn stored<'k>(key: &'k Key, options: &StoreOptions) -> Cow<'k, str> {
    let text = key.as_str();
    let fits = |room: usize| text.len() <= room && !text.contains('\0');
    let digest = || Key::of_body("", text.as_bytes());
    let Some(name) = options.namespace() else {
        return match fits(MAX_BYTES) && !text.starts_with(MARK) {
            true => Cow::Borrowed(text),
            false => Cow::Owned(digest().as_str().to_owned()),
        };
    };
    let mut stored = String::with_capacity(MAX_BYTES);
    stored.extend([MARK, name, ":"]);
    match fits(MAX_BYTES.saturating_sub(stored.len())) {
        true => stored.push_str(text),
        false => stored.push_str(digest().as_str()),
    }
    Cow::Owned(stored)
}

/// Whole microseconds, at least one.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros())
        .unwrap_or(i64::MAX / 4)
        .max(1)
}

/// Epochs are below 2^63 in every database; any other number was never given out.
pub(super) fn column(epoch: Epoch) -> i64 {
    i64::try_from(epoch).unwrap_or(-1)
}

pub(super) fn epoch(column: i64) -> Epoch {
    Epoch::try_from(column).unwrap_or(0)
}

/// The result of a compare-and-set: `lease_lost` if it changed no row.
pub(super) fn held(rows: u64) -> Result<(), StoreError> {
    match rows {
        0 => Err(StoreError::LeaseLost),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_two_namespaces_have_a_key_in_common() {
        let long = "k".repeat(1_000);
        let texts = [
            "",
            "a",
            "a:b",
            "b:a",
            ":a",
            "ns=a",
            "ns=a:b",
            "ns=a:ns=b:",
            "\0",
            &long,
        ];
        let names = ["a", "b", "a.b", "A", "ns", "-", &long[..64]];
        let options = StoreOptions::default();
        let named = names.map(|name| options.with_namespace(name).unwrap());
        let mut seen = HashMap::new();
        for options in [options].iter().chain(&named) {
            for text in texts {
                let stored = stored(&Key::from(text), options).into_owned();
                assert!(
                    stored.len() <= MAX_BYTES && !stored.contains('\0'),
                    "{stored}"
                );
                let by = (options.namespace().map(str::to_owned), text);
                assert_eq!(seen.insert(stored, by.clone()), None, "{by:?}");
            }
        }
    }

    #[test]
    fn keys_without_a_namespace_are_kept_as_they_are() {
        for text in [
            "health:evt_1:phi.read",
            "billing:sha256=00",
            "",
            "own key",
            "ns:a",
        ] {
            let kept = stored(&Key::from(text), &StoreOptions::default()).into_owned();
            assert_eq!(kept, text);
        }
        let shop = StoreOptions::default().with_namespace("shop").unwrap();
        let kept = stored(&Key::from("tv:evt_1"), &shop).into_owned();
        assert_eq!(kept, "ns=shop:tv:evt_1");
    }
}
