//! A delivery that has been verified.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
#[cfg(feature = "events")]
use std::sync::OnceLock;

use super::scheme::{Checked, Shared};
#[cfg(feature = "events")]
use super::{
    fields::{Fields, Outline},
    scheme::{CompanionValue, Identity},
};
use crate::clock::UnixTime;
#[cfg(feature = "events")]
use crate::{
    dedupe::{Key, Members, text_of_body},
    error::{EventFault, VerificationError},
};

/// A request that was proven to come from its system. Only a
/// [`Verifier`](crate::Verifier) or [`Precheck`](crate::Precheck) makes one.
///
/// It borrows the raw body and its verifier; [`into_owned`](Self::into_owned) makes it
/// stand alone. `Debug` shows sizes and times, never the body.
#[derive(Clone)]
pub struct Delivery<'b> {
    checked: Rules<'b>,
    body: Cow<'b, [u8]>,
    signed_timestamp: Option<UnixTime>,
    secret_index: usize,
    #[cfg(feature = "events")]
    watched: Vec<Watched>,
    #[cfg(feature = "events")]
    outline: OnceLock<Result<Outline, EventFault>>,
}

/// The scheme of a delivery. It is borrowed from the verifier, because sharing it in each
/// verification would cost more than a tenth of the verification.
#[derive(Clone)]
pub(crate) enum Rules<'b> {
    Borrowed(&'b Shared),
    Owned(Shared),
}

impl Rules<'_> {
    fn into_shared(self) -> Shared {
        match self {
            Self::Borrowed(checked) => checked.clone(),
            Self::Owned(checked) => checked,
        }
    }
}

impl Deref for Rules<'_> {
    type Target = Checked;

    fn deref(&self) -> &Checked {
        match self {
            Self::Borrowed(checked) => checked,
            Self::Owned(checked) => checked,
        }
    }
}

/// The value of a header outside the MAC that repeats or hints at the event.
#[cfg(feature = "events")]
#[derive(Clone)]
pub(crate) struct Watched {
    /// Its place in `Checked::watched`.
    pub(crate) index: usize,
    pub(crate) value: Box<[u8]>,
}

impl<'b> Delivery<'b> {
    pub(crate) fn verified(
        checked: Rules<'b>,
        body: &'b [u8],
        signed_timestamp: Option<UnixTime>,
        secret_index: usize,
        #[cfg(feature = "events")] watched: Vec<Watched>,
    ) -> Self {
        Self {
            checked,
            body: Cow::Borrowed(body),
            signed_timestamp,
            secret_index,
            #[cfg(feature = "events")]
            watched,
            #[cfg(feature = "events")]
            outline: OnceLock::new(),
        }
    }

    /// The name of the scheme it was verified against.
    pub fn scheme(&self) -> &str {
        self.checked.scheme.name()
    }

    /// The raw body: the very bytes that were under the MAC.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// When it was signed; `None` where the scheme does not sign its timestamp.
    pub fn signed_timestamp(&self) -> Option<UnixTime> {
        self.signed_timestamp
    }

    /// Which of the verifier's secrets matched, counted from 0. After a rotation
    /// the old secret can go once nothing matches it any more.
    pub fn secret_index(&self) -> usize {
        self.secret_index
    }

    /// The same delivery with everything it borrowed copied, so that it can outlive the request.
    pub fn into_owned(self) -> Delivery<'static> {
        Delivery {
            checked: Rules::Owned(self.checked.into_shared()),
            body: Cow::Owned(self.body.into_owned()),
            signed_timestamp: self.signed_timestamp,
            secret_index: self.secret_index,
            #[cfg(feature = "events")]
            watched: self.watched,
            #[cfg(feature = "events")]
            outline: self.outline,
        }
    }
}

/// Reading the verified body (feature `events`).
#[cfg(feature = "events")]
impl Delivery<'_> {
    /// The typed event: `delivery.event::<health::Event>()`, or [`Event`](crate::Event) for
    /// an event of any of the four systems.
    ///
    /// Errors: `malformed_event`, `header_body_mismatch`.
    pub fn event<E: FromDelivery>(&self) -> Result<E, VerificationError> {
        E::from_delivery(self)
    }

    /// The identity to deduplicate on, from authenticated bytes only.
    ///
    /// It reads only the members that identify the event, or none if the body's digest is the
    /// identity. So there can be a key even if `event` is `malformed_event`.
    ///
    /// Errors: `malformed_event`, `header_body_mismatch`.
    pub fn key(&self) -> Result<Key, VerificationError> {
        self.check_headers()?;
        Ok(Key::from(self.key_of([None; 2], [None; 2])?.as_str()))
    }

    /// The text of the key. `texts` are the members called `names`, if they are already known.
    pub(crate) fn key_of(
        &self,
        names: [Option<&str>; 2],
        texts: [Option<&str>; 2],
    ) -> Result<String, VerificationError> {
        match &self.checked.scheme.handling.identity {
            Identity::BodyDigest => Ok(text_of_body(self.scheme(), self.body())),
            Identity::Members(members) => {
                let mut key = Members::of(self.scheme());
                for member in members.iter() {
                    let mut known = names.iter().zip(texts);
                    match known.find(|(name, _)| **name == Some(member)) {
                        Some((_, Some(text))) => key.push(text),
                        _ => key.push(&self.outline()?.text(self.body(), member)?),
                    }
                }
                Ok(key.into_text())
            }
        }
    }

    /// The top-level members of the body, for event types of your own.
    ///
    /// Errors: `malformed_event`, `header_body_mismatch`.
    pub fn fields(&self) -> Result<Fields<'_>, VerificationError> {
        self.check_headers()?;
        Ok(Fields::new(self.body(), self.outline()?))
    }

    /// Checks that no header outside the MAC contradicts the verified body; `key`, `fields`
    /// and `event` do this too. A body that is not the system's JSON passes this check;
    /// reading it is `malformed_event`.
    ///
    /// Errors: `header_body_mismatch`.
    pub fn check_headers(&self) -> Result<(), VerificationError> {
        for watched in &self.watched {
            let Some((name, CompanionValue::Repeats(member))) =
                self.checked.watched.get(watched.index)
            else {
                continue;
            };
            let Ok(outline) = self.outline() else {
                return Ok(());
            };
            let contradicts = outline
                .peek_text(self.body(), member)
                .is_some_and(|text| text.as_bytes() != &*watched.value);
            if contradicts {
                return Err(VerificationError::HeaderBodyMismatch {
                    header: name.to_text(),
                });
            }
        }
        Ok(())
    }

    /// The value of the header outside the MAC that hints at the event, if it is text.
    pub(crate) fn hint(&self) -> Option<&str> {
        let hint = self.watched.iter().find(|watched| {
            matches!(
                self.checked.watched.get(watched.index),
                Some((_, CompanionValue::Hint(_)))
            )
        })?;
        std::str::from_utf8(&hint.value).ok()
    }

    pub(crate) fn outline(&self) -> Result<&Outline, EventFault> {
        let outline = self.outline.get_or_init(|| Outline::read(&self.body));
        outline.as_ref().map_err(EventFault::clone)
    }
}

impl fmt::Debug for Delivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("scheme", &self.scheme())
            .field("body_bytes", &self.body.len())
            .field("signed_timestamp", &self.signed_timestamp)
            .field("secret_index", &self.secret_index)
            .finish_non_exhaustive()
    }
}

/// A type that a delivery can be read as: a system's event, or one of your own.
///
/// ```
/// use velora_core::{Delivery, FromDelivery, VerificationError};
///
/// struct Order {
///     number: String,
///     total: Option<u64>,
/// }
///
/// impl FromDelivery for Order {
///     fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
///         let mut fields = delivery.fields()?;
///         Ok(Self { number: fields.text("number")?, total: fields.optional("total") })
///     }
/// }
/// ```
#[cfg(feature = "events")]
pub trait FromDelivery: Sized {
    /// Reads the event. Errors: `malformed_event`, `header_body_mismatch`.
    fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError>;
}

/// The delivery itself, for handlers that read the raw body.
#[cfg(feature = "events")]
impl FromDelivery for Delivery<'static> {
    fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
        delivery.check_headers()?;
        Ok(delivery.clone().into_owned())
    }
}
