//! The answer to a case.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use velora_core::Error;

/// One line of standard output.
pub(crate) struct Answer<'l> {
    /// The id of the case, which may be any JSON value.
    pub(crate) id: Option<&'l RawValue>,
    pub(crate) verdict: Verdict,
}

/// The outcome of a case.
pub(crate) enum Verdict {
    /// The delivery is genuine.
    Verified,
    /// The delivery is genuine and carries this event.
    Event {
        event_type: Option<String>,
        key: String,
        /// The members that are not as documented.
        extra: Vec<String>,
    },
    /// The delivery is genuine and has this key.
    Key(String),
    /// The code.
    Refused(&'static str),
}

impl<E: Into<Error>> From<E> for Verdict {
    fn from(error: E) -> Self {
        Self::Refused(error.into().code().as_str())
    }
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("id", &self.id)?;
        match &self.verdict {
            Verdict::Verified => members.serialize_entry("ok", &true)?,
            Verdict::Event {
                event_type,
                key,
                extra,
            } => {
                members.serialize_entry("ok", &true)?;
                members.serialize_entry("type", event_type)?;
                members.serialize_entry("key", key)?;
                members.serialize_entry("extra", extra)?;
            }
            Verdict::Key(key) => {
                members.serialize_entry("ok", &true)?;
                members.serialize_entry("key", key)?;
            }
            Verdict::Refused(code) => {
                members.serialize_entry("ok", &false)?;
                members.serialize_entry("code", code)?;
            }
        }
        members.end()
    }
}
