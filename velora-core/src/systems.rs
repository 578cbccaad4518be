//! The list of systems: apart from its own folder, the only place where a system is named.

use crate::error::ConfigError;
use crate::text::reason;
use crate::webhook::Scheme;
use crate::{billing, curae, health, tv};

static SCHEMES: [Scheme; 5] = [
    health::scheme(),
    billing::scheme(),
    curae::scheme(),
    tv::scheme(),
    tv::body_only_scheme(),
];
const NAMES: &str = "health, billing, curae, tv, tv-body-only";

impl Scheme {
    /// The scheme called `health`, `billing`, `curae`, `tv` or `tv-body-only`.
    ///
    /// Errors: `unknown_scheme`.
    pub fn named(name: &str) -> Result<Self, ConfigError> {
        match SCHEMES.iter().find(|scheme| scheme.name() == name) {
            Some(scheme) => Ok(scheme.clone()),
            None => Err(ConfigError::UnknownScheme {
                known: reason(NAMES),
            }),
        }
    }

    /// The schemes that [`named`](Self::named) knows.
    pub fn all() -> &'static [Self] {
        &SCHEMES
    }
}

#[cfg(feature = "events")]
pub use event::{Envelope, Event, EventJson};

#[cfg(feature = "events")]
mod event {
    use std::borrow::Cow;
    use std::fmt;

    use serde::Serialize;

    use crate::error::{EventFault, VerificationError};
    use crate::webhook::fields::Outline;
    use crate::webhook::shape::{self, Shape};
    use crate::webhook::{Delivery, Extra, FromDelivery};
    use crate::{billing, curae, health, tv};

    type Read<T> = Result<T, VerificationError>;

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
    /// The documented members of its events, where they are documented.
    fn members(scheme: &str) -> Option<Shape> {
        match scheme {
            "health" => Some(health::event::MEMBERS),
            "curae" => Some(curae::event::MEMBERS),
            "tv" => Some(tv::event::MEMBERS),
            "tv-body-only" => Some(tv::event::BODY_ONLY_MEMBERS),
            _ => None,
        }
    }

    /// Which event a delivery is, and nothing else of it. It is refused just where
    /// [`Event`] is.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct Envelope<'d> {
        /// What happened, as the system writes it, where the system is known and says so.
        pub event_type: Option<Cow<'d, str>>,
        /// Whether the signature vouches for that; not where nothing says it.
        pub type_is_signed: bool,
        /// The id, where events of the system have one.
        pub id: Option<Cow<'d, str>>,
    }

    impl<'d> Envelope<'d> {
        /// The members of a scheme's events that hold the type and the id, as far as its
        /// events always have them.
        pub fn names(scheme: &str) -> impl Iterator<Item = &'static str> {
            members(scheme).into_iter().flat_map(shape::names)
        }

        /// The envelope of a delivery and the text of its key, at the cost of one of them.
        /// There can be either without the other.
        ///
        /// Errors: `header_body_mismatch`; of each, `malformed_event`.
        pub fn with_key(delivery: &'d Delivery<'_>) -> Read<(Read<Self>, Read<String>)> {
            delivery.check_headers()?;
            let names = two(Self::names(delivery.scheme()));
            let envelope = Self::of(delivery, names);
            let texts = match &envelope {
                Ok(envelope) => [envelope.event_type.as_deref(), envelope.id.as_deref()],
                Err(_) => [None; 2],
            };
            let key = delivery.key_of(names, texts);
            Ok((envelope, key))
        }

        fn read(delivery: &'d Delivery<'_>) -> Read<Self> {
            delivery.check_headers()?;
            Self::of(delivery, two(Self::names(delivery.scheme())))
        }

        fn of(delivery: &'d Delivery<'_>, [type_name, id_name]: [Option<&str>; 2]) -> Read<Self> {
            if delivery.scheme() == "billing" {
                let event_type = billing::event::event_type(delivery)?;
                return Ok(Self {
                    type_is_signed: matches!(event_type, Some(billing::EventType::Signed(_))),
                    event_type: event_type.map(|kind| Cow::Owned(kind.as_str().to_owned())),
                    id: None,
                });
            }
            let outline = delivery.outline()?;
            let text = |name| outline.text(delivery.body(), name);
            Ok(Self {
                event_type: type_name.map(text).transpose()?,
                type_is_signed: type_name.is_some(),
                id: id_name.map(text).transpose()?,
            })
        }
    }

    /// The first two, where there are any.
    fn two<T>(mut items: impl Iterator<Item = T>) -> [Option<T>; 2] {
        [items.next(), items.next()]
    }

    impl FromDelivery for Envelope<'static> {
        fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
            let Envelope {
                event_type,
                type_is_signed,
                id,
            } = Envelope::read(delivery)?;
            let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
            Ok(Self {
                event_type: event_type.map(owned),
                type_is_signed,
                id: id.map(owned),
            })
        }
    }

    /// The event as a JSON object, for hosts that have a JSON parser of their own. It is
    /// refused just where [`Event`] is.
    ///
    /// It has the members that [`Event`] has, under their names on the wire and as the
    /// sender wrote them; every other member is in `extra`. Where no members are
    /// documented (`billing`, and schemes of your own) it is the body. `Debug` shows its
    /// length alone.
    #[derive(Clone, PartialEq, Eq)]
    pub struct EventJson(String);

    impl EventJson {
        /// The JSON text.
        pub fn as_str(&self) -> &str {
            &self.0
        }

        /// The JSON text.
        pub fn into_string(self) -> String {
            self.0
        }

        pub(crate) fn write(
            json: &[u8],
            outline: &Outline,
            shape: Shape,
            event_type: Option<&str>,
        ) -> Result<Self, EventFault> {
            let mut text = String::with_capacity(json.len().saturating_add(64));
            shape::write(&mut text, json, outline, shape, event_type)?;
            Ok(Self(text))
        }
    }

    impl FromDelivery for EventJson {
        fn from_delivery(delivery: &Delivery<'_>) -> Result<Self, VerificationError> {
            let Envelope { event_type, .. } = Envelope::read(delivery)?;
            let body = delivery.body();
            let Some(shape) = members(delivery.scheme()) else {
                // A body that has an outline is UTF-8.
                return Ok(Self(str::from_utf8(body).unwrap_or_default().to_owned()));
            };
            Ok(Self::write(
                body,
                delivery.outline()?,
                shape,
                event_type.as_deref(),
            )?)
        }
    }

    impl fmt::Debug for EventJson {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "EventJson({} bytes)", self.0.len())
        }
    }
}
