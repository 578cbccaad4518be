//! The documented members of events, and an event's text in that shape, for hosts that have
//! their own JSON parser.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::fields::{Outline, one, required};
use crate::error::EventFault;
use crate::json::{Place, text_of};
use crate::stamp;

/// The documented members of an object, each once.
pub(crate) type Shape = &'static [Member];

pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// What a member is. All but a name may be absent or null.
pub(crate) enum Kind {
    /// A text that every such object has, and that is not empty. The first one of an event is
    /// its type.
    Name,
    /// A text.
    Text,
    /// True or false.
    Flag,
    /// A time in RFC 3339.
    Time,
    /// Anything.
    Any,
    /// An object.
    Object(Shape),
    /// In events of this type an object of this shape; in others anything.
    OfType(&'static str, Shape),
}

pub(crate) const fn member(name: &'static str, kind: Kind) -> Member {
    Member { name, kind }
}

/// The names of the texts that every object of this shape has, in its order.
pub(crate) fn names(shape: Shape) -> impl Iterator<Item = &'static str> {
    let name = |member: &&Member| matches!(member.kind, Kind::Name);
    shape.iter().filter(name).map(|member| member.name)
}

/// Rewrites the object: its documented members as written, and in `extra` those that are
/// undocumented, not of the documented kind, or repeated.
///
/// Errors: those of a name that is missing, repeated, empty or not a text.
pub(crate) fn write(
    out: &mut String,
    json: &[u8],
    outline: &Outline,
    shape: Shape,
    event_type: Option<&str>,
) -> Result<(), EventFault> {
    let mut rest: Vec<&Place> = outline.places().iter().collect();
    out.push('{');
    for Member { name, kind } in shape {
        let found = match one(rest.iter().copied(), json, name) {
            Err(repeated) if matches!(kind, Kind::Name) => return Err(repeated),
            found => found.ok().flatten(),
        };
        let value = found.map(|(_, place)| place.value(json));
        if let Kind::Name = kind {
            required(value.unwrap_or(b"null"), name)?;
        }
        let (Some((at, _)), Some(value)) = (found, value) else {
            continue;
        };
        let before = out.len();
        push_name(out, name.as_bytes());
        if write_value(out, value, kind, event_type) {
            out.push(',');
            rest.remove(at);
        } else {
            out.truncate(before);
        }
    }
    out.push_str("\"extra\":{");
    for (at, place) in rest.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_name(out, place.written_name(json));
        push(out, place.value(json));
    }
    out.push_str("}}");
    Ok(())
}

/// Writes the value if it is of this kind. Returns whether it is.
fn write_value(out: &mut String, value: &[u8], kind: &Kind, event_type: Option<&str>) -> bool {
    let null = value == b"null";
    let of_kind = match kind {
        Kind::Name | Kind::Any => true,
        Kind::Text => null || text_of(value).is_some(),
        Kind::Flag => null || value == b"true" || value == b"false",
        Kind::Time => {
            null || text_of(value).is_some_and(|text| stamp::since_epoch(&text).is_some())
        }
        Kind::OfType(name, _) if event_type != Some(name) => true,
        Kind::Object(shape) | Kind::OfType(_, shape) => {
            if write_object(out, value, shape, event_type) {
                return true;
            }
            null
        }
    };
    if of_kind {
        push(out, value);
    }
    of_kind
}

fn write_object(out: &mut String, value: &[u8], shape: Shape, event_type: Option<&str>) -> bool {
    let before = out.len();
    let written = Outline::read(value)
        .and_then(|outline| write(out, value, &outline, shape, event_type))
        .is_ok();
    if !written {
        out.truncate(before);
    }
    written
}

fn push_name(out: &mut String, name: &[u8]) {
    out.push('"');
    push(out, name);
    out.push_str("\":");
}

/// Everything written is part of a text that was found to be UTF-8.
fn push(out: &mut String, json: &[u8]) {
    out.push_str(str::from_utf8(json).unwrap_or_default());
}
