//! The top-level members of a verified body, each still in the sender's own text.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::EventFault;

/// Deeper nesting is refused: no system sends it, and readers further on recurse.
const MAX_DEPTH: usize = 64;

/// Where the members of a JSON object lie in its text.
#[derive(Clone, Debug)]
pub(crate) struct Outline(Vec<Place>);

#[derive(Clone, Debug)]
struct Place {
    name: Box<str>,
    value: Range<usize>,
}

impl Outline {
    pub(crate) fn read(json: &[u8]) -> Result<Self, EventFault> {
        let text = std::str::from_utf8(json).map_err(|_| EventFault::NotUtf8)?;
        if nested_deeper_than(MAX_DEPTH, json) {
            return Err(EventFault::TooDeep);
        }
        let members: Vec<(Cow<'_, str>, &RawValue)> = serde_json::from_str(text)
            .map(|Members(members)| members)
            .map_err(|error| match error.classify() {
                // The text is JSON, but of another type.
                serde_json::error::Category::Data => EventFault::NotAnObject,
                _ => EventFault::NotJson {
                    line: error.line(),
                    column: error.column(),
                },
            })?;
        let places = members.into_iter().map(|(name, value)| {
            // A raw value is a slice of the text it was read from.
            let start = value
                .get()
                .as_ptr()
                .addr()
                .saturating_sub(text.as_ptr().addr());
            Place {
                name: name.into(),
                value: start..start.saturating_add(value.get().len()),
            }
        });
        Ok(Self(places.collect()))
    }
}

/// Brackets are counted first, which is quick and nearly always settles it.
fn nested_deeper_than(limit: usize, json: &[u8]) -> bool {
    let opening = |byte: &&u8| matches!(byte, b'[' | b'{');
    if json.iter().filter(opening).count() <= limit {
        return false;
    }
    let mut depth = 0_usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_text(&mut bytes),
            b'[' | b'{' => {
                depth = depth.saturating_add(1);
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Goes on behind the closing quote: brackets in a text are not nesting.
fn skip_text(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

/// All members in order, repeated ones too, names and values borrowed.
struct Members<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[derive(Deserialize)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);

/// The members of a verified JSON object, to be read by name.
///
/// A member that every event has must stand once: which of two a reader takes would
/// depend on the reader. Other members are read liberally. One that is repeated, or is
/// not of the documented type, is not taken, and stays for [`rest`](Self::rest), so that
/// nothing of it is lost.
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
        let text: Option<String> = self.take(member)?;
        text.filter(|text| !text.is_empty())
            .ok_or_else(|| EventFault::MissingMember {
                member: member.to_owned().into(),
            })
    }

    /// Takes a member that may be absent or null.
    pub fn optional<T: DeserializeOwned>(&mut self, member: &str) -> Option<T> {
        self.take(member).ok().flatten()
    }

    /// Takes a member that is an object and that `read` accepts, through its own
    /// `Fields`.
    pub fn object<T>(
        &mut self,
        member: &str,
        read: impl FnOnce(Fields<'_>) -> Result<T, EventFault>,
    ) -> Option<T> {
        let at = self.position(member).ok()??;
        let value = self.value(at);
        let outline = Outline::read(value).ok()?;
        let object = read(Fields::new(value, &outline)).ok()?;
        self.places.remove(at);
        Some(object)
    }

    /// All members that were not taken, as the sender wrote them.
    pub fn rest(self) -> Extra {
        let members = (0..self.places.len()).filter_map(|at| {
            let name = self.places.get(at)?.name.clone();
            let value = std::str::from_utf8(self.value(at)).ok()?;
            Some((name.into(), RawJson(value.into())))
        });
        Extra(members.collect())
    }

    /// A member that is a text and stands once, left where it is.
    pub(crate) fn peek_text(&self, member: &str) -> Option<String> {
        let at = self.position(member).ok()??;
        serde_json::from_slice(self.value(at)).ok()
    }

    fn take<T: DeserializeOwned>(&mut self, member: &str) -> Result<Option<T>, EventFault> {
        let Some(at) = self.position(member)? else {
            return Ok(None);
        };
        let value = serde_json::from_slice(self.value(at)).map_err(|_| EventFault::WrongType {
            member: member.to_owned().into(),
        })?;
        self.places.remove(at);
        Ok(value)
    }

    fn position(&self, member: &str) -> Result<Option<usize>, EventFault> {
        let mut found = self
            .places
            .iter()
            .enumerate()
            .filter(|(_, place)| *place.name == *member);
        let first = found.next().map(|(at, _)| at);
        match found.next() {
            None => Ok(first),
            Some(_) => Err(EventFault::DuplicateMember {
                member: member.to_owned().into(),
            }),
        }
    }

    fn value(&self, at: usize) -> &'d [u8] {
        self.places
            .get(at)
            .and_then(|place| self.text.get(place.value.clone()))
            .unwrap_or_default()
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.places.iter().map(|place| &place.name))
            .finish()
    }
}

/// A JSON value in its sender's own text, so that no digit of a number, no
/// order and no unknown member is lost. `Debug` shows its length alone.
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson(Box<str>);

impl RawJson {
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
