//! The list of systems: the one place, beside its folder, where a new one is named.

use crate::error::ConfigError;
use crate::webhook::Scheme;
use crate::{billing, curae, health, tv};

const NAMES: &str = "health, billing, curae, tv, tv-body-only";

impl Scheme {
    /// The scheme called `health`, `billing`, `curae`, `tv` or `tv-body-only`.
    ///
    /// Errors: `unknown_scheme`.
    pub fn named(name: &str) -> Result<Self, ConfigError> {
        match name {
            "health" => Ok(health::scheme()),
            "billing" => Ok(billing::scheme()),
            "curae" => Ok(curae::scheme()),
            "tv" => Ok(tv::scheme()),
            "tv-body-only" => Ok(tv::body_only_scheme()),
            _ => Err(ConfigError::UnknownScheme { known: NAMES }),
        }
    }
}

#[cfg(feature = "events")]
pub use event::{Envelope, Event};

#[cfg(feature = "events")]
mod event {
    use serde::Serialize;

    use crate::error::VerificationError;
    use crate::webhook::{Delivery, Extra, FromDelivery};
    use crate::{billing, curae, health, tv};

    /// The event of whichever system the delivery's scheme names.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    #[serde(untagged)]
    #[non_exhaustive]
    pub enum Event {
        /// Of scheme `health`.
        Health(health::Event),
        /// Of scheme `billing`.
        Billing(billing::Event),
        /// Of scheme `curae`.
        Curae(curae::Event),
        /// Of scheme `tv`.
        Tv(tv::Event),
        /// Of scheme `tv-body-only`.
        TvBodyOnly(tv::BodyOnlyEvent),
        /// Of a scheme of your own: the members of its body.
        Other(Extra),
    }

    impl Event {
        /// What happened, as the system writes it, where the system is known and says so.
        pub fn event_type(&self) -> Option<&str> {
            match self {
                Self::Health(event) => Some(event.event_type.as_str()),
                Self::Billing(event) => event.event_type.as_ref().map(|kind| kind.as_str()),
                Self::Curae(event) => Some(event.event_type.as_str()),
                Self::Tv(event) => Some(event.event_type.as_str()),
                Self::TvBodyOnly(event) => Some(event.event_type.as_str()),
                Self::Other(_) => None,
            }
        }
    }

    /// Which event a delivery is, and nothing else of it, for hosts that read the body
    /// themselves. It is refused just where [`Event`] is.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct Envelope {
        /// What happened, as the system writes it, where the system is known and says so.
        pub event_type: Option<String>,
        /// Whether the signature vouches for that.
        pub type_is_signed: bool,
    }

    impl FromDelivery for Envelope {
        fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
            let mut fields = delivery.fields()?;
            let mut type_is_signed = true;
            let event_type = match delivery.scheme() {
                "health" => Some(health::event::named(&mut fields)?.0),
                "curae" => Some(curae::event::named(&mut fields)?.0),
                "tv" => Some(tv::event::named(&mut fields)?.0),
                "tv-body-only" => Some(tv::event::body_only_type(&mut fields)?),
                "billing" => billing::event::event_type(delivery)?.map(|kind| {
                    type_is_signed = matches!(kind, billing::EventType::Signed(_));
                    kind.as_str().to_owned()
                }),
                _ => None,
            };
            Ok(Self {
                event_type,
                type_is_signed,
            })
        }
    }

    impl FromDelivery for Event {
        fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
            match delivery.scheme() {
                "health" => delivery.event().map(Self::Health),
                "billing" => delivery.event().map(Self::Billing),
                "curae" => delivery.event().map(Self::Curae),
                "tv" => delivery.event().map(Self::Tv),
                "tv-body-only" => delivery.event().map(Self::TvBodyOnly),
                _ => Ok(Self::Other(delivery.fields()?.rest())),
            }
        }
    }
}
