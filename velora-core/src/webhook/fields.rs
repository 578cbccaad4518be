//! The top-level members of a verified body, each still in the sender's own text.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, Deserializer};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::EventFault;
use crate::json::{self, Place};
use crate::stamp;

/// Where the members of a JSON object lie in its text.
#[derive(Clone, Debug)]
pub(crate) struct Outline(Vec<Place>);

impl Outline {
    pub(crate) fn read(json: &[u8]) -> Result<Self, EventFault> {
        let text = str::from_utf8(json).map_err(|_| EventFault::NotUtf8)?;
        json::members(text).map(Self).map_err(|fault| match fault {
            json::Fault::Syntax(at) => not_json(json, at),
            json::Fault::TooDeep => EventFault::TooDeep,
            json::Fault::NotAnObject => EventFault::NotAnObject,
        })
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.0
    }

    /// A text that every event has.
    pub(crate) fn text<'t>(
        &self,
        json: &'t [u8],
        member: &str,
    ) -> Result<Cow<'t, str>, EventFault> {
        match one(self.0.iter(), json, member)? {
            Some((_, place)) => required(place.value(json), member),
            None => Err(missing(member)),
        }
    }

    /// The text of a member that occurs once.
    pub(crate) fn peek_text<'t>(&self, json: &'t [u8], member: &str) -> Option<Cow<'t, str>> {
        let (_, place) = one(self.0.iter(), json, member).ok()??;
        json::text_of(place.value(json))
    }
}

/// The line and column of this byte, for people.
fn not_json(json: &[u8], at: usize) -> EventFault {
    let read = json.get(..at).unwrap_or(json);
    let line = read.iter().filter(|byte| **byte == b'\n').count();
    let column = read.iter().rev().take_while(|byte| **byte != b'\n').count();
    EventFault::NotJson {
        line: line.saturating_add(1),
        column: column.saturating_add(1),
    }
}

/// The only member of this name, and its index.
pub(super) fn one<'p>(
    places: impl Iterator<Item = &'p Place>,
    json: &[u8],
    member: &str,
) -> Result<Option<(usize, &'p Place)>, EventFault> {
    let mut found = places
        .enumerate()
        .filter(|(_, place)| place.is_named(json, member));
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(_) => Err(EventFault::DuplicateMember {
            member: member.to_owned().into(),
        }),
    }
}

/// A text that must be present and not empty.
pub(super) fn required<'t>(value: &'t [u8], member: &str) -> Result<Cow<'t, str>, EventFault> {
    match json::text_of(value) {
        Some(text) if !text.is_empty() => Ok(text),
        None if value != b"null" => Err(EventFault::WrongType {
            member: member.to_owned().into(),
        }),
        _ => Err(missing(member)),
    }
}

fn missing(member: &str) -> EventFault {
    EventFault::MissingMember {
        member: member.to_owned().into(),
    }
}

/// The members of a verified JSON object, to be read by name.
///
/// A member that every event has must occur once, because readers differ in which of two they
/// take. Other members are read leniently: one that is repeated, or not of the documented type,
/// is not taken and stays for [`rest`](Self::rest), so that nothing of it is lost.
pub struct Fields<'d> {
    text: &'d [u8],
    places: Vec<&'d Place>,
}

impl<'d> Fields<'d> {
    pub(crate) fn new(text: &'d [u8], outline: &'d Outline) -> Self {
        Self {
            text,
            places: outline.0.iter().collect(),
        }
    }

    /// Reads an object that is not the body of a delivery.
    #[cfg(feature = "client")]
    pub(crate) fn read<T>(
        json: &str,
        read: impl FnOnce(Fields<'_>) -> Result<T, EventFault>,
    ) -> Result<T, EventFault> {
        let outline = Outline::read(json.as_bytes())?;
        read(Fields::new(json.as_bytes(), &outline))
    }

    /// Takes a text that every event has.
    ///
    /// Errors: `malformed_event` where it is absent, empty, repeated, or not a text.
    pub fn text(&mut self, member: &str) -> Result<String, EventFault> {
        let (at, value) = self.find(member)?.ok_or_else(|| missing(member))?;
        let text = required(value, member)?.into_owned();
        self.places.remove(at);
        Ok(text)
    }

    /// Takes a member that may be absent or null.
    pub fn optional<T: DeserializeOwned>(&mut self, member: &str) -> Option<T> {
        let (at, value) = self.find(member).ok()??;
        let value = serde_json::from_slice(value).ok()?;
        self.places.remove(at);
        value
    }

    /// Takes a time in RFC 3339 that may be absent or null.
    pub fn timestamp(&mut self, member: &str) -> Option<Timestamp> {
        let (at, value) = self.find(member).ok()??;
        let time = match json::text_of(value) {
            Some(text) => Some(stamp::read(&text)?),
            None if value == b"null" => None,
            _ => return None,
        };
        self.places.remove(at);
        time
    }

    /// Takes a member that may be absent or null, or else is an object that `read`
    /// accepts, through its own `Fields`.
    pub fn object<T>(
        &mut self,
        member: &str,
        read: impl FnOnce(Fields<'_>) -> Result<T, EventFault>,
    ) -> Option<T> {
        let (at, value) = self.find(member).ok()??;
        let object = if value == b"null" {
            None
        } else {
            let outline = Outline::read(value).ok()?;
            Some(read(Fields::new(value, &outline)).ok()?)
        };
        self.places.remove(at);
        object
    }

    /// All members that were not taken, as the sender wrote them.
    pub fn rest(self) -> Extra {
        let text = |bytes| str::from_utf8(bytes).ok();
        let members = self.places.iter().filter_map(|place| {
            let name = text(place.name(self.text))?.to_owned();
            Some((name, RawJson(text(place.value(self.text))?.into())))
        });
        Extra(members.collect())
    }

    fn find(&self, member: &str) -> Result<Option<(usize, &'d [u8])>, EventFault> {
        let found = one(self.places.iter().copied(), self.text, member)?;
        Ok(found.map(|(at, place)| (at, place.value(self.text))))
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(
                self.places
                    .iter()
                    .map(|place| String::from_utf8_lossy(place.name(self.text))),
            )
            .finish()
    }
}

/// A JSON value in its sender's own text, so that no digit of a number, no order and no unknown
/// member is lost. `Debug` shows only its length.
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson(Box<str>);

impl RawJson {
    /// The JSON text without the blanks around it; `None` if it is not JSON.
    #[cfg(feature = "client")]
    pub(crate) fn of(text: &str) -> Option<Self> {
        json::check(text).ok()?;
        Some(Self(text.trim_matches([' ', '\n', '\r', '\t']).into()))
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the value as a type of your own, or as `serde_json::Value`.
    /// `None` where it is not of that type.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.as_str()).ok()
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({} bytes)", self.as_str().len())
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0)
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|value| Self(value.into()))
    }
}

/// The members that an event type does not name, in the order received.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra(Vec<(String, RawJson)>);

impl Extra {
    /// The first member of this name.
    pub fn member(&self, name: &str) -> Option<&RawJson> {
        self.iter()
            .find(|(member, _)| *member == name)
            .map(|(_, value)| value)
    }

    /// All members in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
