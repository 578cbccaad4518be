//! An audit event as the API lists and exports it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{Error as _, Serializer};
use serde_json::value::RawValue;

use super::members::{self, Members, value_of};
use super::{EventType, RawEvent};
use crate::api::malformed;
use crate::dedupe::Key;
use crate::error::ApiError;
use crate::webhook::RawJson;
use crate::{json, stamp};

/// An audit event of `GET /events` or of an export.
///
/// Its members are located once, and each is parsed when you call its accessor; a string
/// without escapes is borrowed. Any member may be absent. A member of an undocumented type
/// reads as absent, and is still in [`raw`](Self::raw). Serialising gives the system's own
/// text. `Debug` shows no PHI.
///
/// Source: Velora Health, *Audit events*.
#[derive(Clone)]
pub struct AuditEvent {
    raw: RawEvent,
    members: Members,
}

impl AuditEvent {
    /// Reads an event from its JSON text, such as a row of an exported file.
    ///
    /// Errors: `malformed_response` if it is not a JSON object.
    pub fn from_json(text: impl Into<String>) -> Result<Self, ApiError> {
        let text = Arc::new(text.into());
        let is_json = json::check(&text).is_ok();
        let raw = RawEvent::new(&text, 0..text.len());
        raw.filter(|_| is_json && text.trim_ascii_start().starts_with('{'))
            .map(Self::new)
            .ok_or_else(|| malformed("an event is not a JSON object"))
    }

    /// Finds the members of an event that is known to be a JSON object.
    pub(crate) fn new(raw: RawEvent) -> Self {
        let members = Members::find(raw.as_str());
        Self { raw, members }
    }

    /// The identity to deduplicate on. It equals the key of the event's delivery, so that
    /// a back-filled and a delivered event count once. `None` if the event lacks its id or
    /// its action, or one of them is empty.
    pub fn key(&self) -> Option<Key> {
        let members = [self.event_id()?, self.action()?];
        let whole = members.iter().all(|member| !member.is_empty());
        whole.then(|| Key::of_members("health", &members))
    }

    /// The event's id; in a delivery it is called `id`.
    pub fn event_id(&self) -> Option<Cow<'_, str>> {
        self.text(members::EVENT_ID)
    }

    /// When it happened.
    pub fn timestamp(&self) -> Option<Timestamp> {
        stamp::read(&self.text(members::TIMESTAMP)?)
    }

    /// What happened, as text; in a delivery it is called `type`.
    pub fn action(&self) -> Option<Cow<'_, str>> {
        self.text(members::ACTION)
    }

    /// What happened, as an [`EventType`].
    pub fn event_type(&self) -> Option<EventType> {
        self.action().map(|action| action.into_owned().into())
    }

    /// The id of the user who did it.
    pub fn user_id(&self) -> Option<Cow<'_, str>> {
        self.text(members::USER_ID)
    }

    /// The user's role, such as `data_analyst`.
    pub fn user_role(&self) -> Option<Cow<'_, str>> {
        self.text(members::USER_ROLE)
    }

    /// The kind of resource, such as `claim`.
    pub fn resource_type(&self) -> Option<Cow<'_, str>> {
        self.text(members::RESOURCE_TYPE)
    }

    /// The resource's id.
    pub fn resource_id(&self) -> Option<Cow<'_, str>> {
        self.text(members::RESOURCE_ID)
    }

    /// Which fields of the resource were read. The system sends JSON inside a string; this
    /// is the inner JSON.
    pub fn fields_accessed(&self) -> Option<RawJson> {
        self.json(members::FIELDS_ACCESSED)
    }

    /// Whether protected health information was involved.
    pub fn phi_involved(&self) -> Option<bool> {
        self.flag(members::PHI_INVOLVED)
    }

    /// The tenant it belongs to.
    pub fn tenant_id(&self) -> Option<Cow<'_, str>> {
        self.text(members::TENANT_ID)
    }

    /// The IP address that the request came from.
    pub fn source_ip(&self) -> Option<Cow<'_, str>> {
        self.text(members::SOURCE_IP)
    }

    /// The user agent of the request.
    pub fn user_agent(&self) -> Option<Cow<'_, str>> {
        self.text(members::USER_AGENT)
    }

    /// The stated reason.
    pub fn justification(&self) -> Option<Cow<'_, str>> {
        self.text(members::JUSTIFICATION)
    }

    /// Whether the action succeeded.
    pub fn success(&self) -> Option<bool> {
        self.flag(members::SUCCESS)
    }

    /// Free-form details: the JSON, whether it was sent as an object or inside a string.
    pub fn details(&self) -> Option<RawJson> {
        self.json(members::DETAILS)
    }

    /// Any member by name, including members that this version does not know.
    pub fn member(&self, name: &str) -> Option<RawJson> {
        RawJson::of(value_of(self.raw.as_str(), name)?)
    }

    /// The system's own text.
    pub fn raw(&self) -> &RawEvent {
        &self.raw
    }

    fn value(&self, member: usize) -> &str {
        self.members.value(self.raw.as_str(), member)
    }

    fn text(&self, member: usize) -> Option<Cow<'_, str>> {
        self.members.text(self.raw.as_str(), member)
    }

    fn flag(&self, member: usize) -> Option<bool> {
        match self.value(member) {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    fn json(&self, member: usize) -> Option<RawJson> {
        let value = self.value(member);
        let inner = self.text(member).and_then(|inner| RawJson::of(&inner));
        inner.or_else(|| RawJson::of(value).filter(|_| value != "null"))
    }
}

impl fmt::Debug for AuditEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditEvent")
            .field("event_id", &self.event_id())
            .field("action", &self.action())
            .finish_non_exhaustive()
    }
}

impl Serialize for AuditEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(self.raw.as_str())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = r#"{"event_id":"8b2e5c11","timestamp":"2026-05-03T14:22:01+00:00","action":"phi.read",
  "user_id":"u-1234","resource_id":null,"fields_accessed":"[\"diagnosis_code\"]","phi_involved":true,
  "justification":"under\u0077riting","success":"yes","details":"{\"workflow\":\"renewal\"}","new":{"a":1}}"#;

    #[test]
    fn reads_the_documented_event() {
        let event = AuditEvent::from_json(SEED).unwrap();
        assert_eq!(event.event_id().as_deref(), Some("8b2e5c11"));
        assert_eq!(
            event.timestamp().unwrap().to_string(),
            "2026-05-03T14:22:01Z"
        );
        assert_eq!(event.event_type(), Some(EventType::PhiRead));
        assert_eq!(event.resource_id(), None);
        assert_eq!(event.user_role(), None);
        assert_eq!(event.phi_involved(), Some(true));
        assert_eq!(event.success(), None);
        assert_eq!(event.justification().as_deref(), Some("underwriting"));
        assert_eq!(
            event.fields_accessed().unwrap().as_str(),
            r#"["diagnosis_code"]"#
        );
        assert_eq!(
            event.details().unwrap().as_str(),
            r#"{"workflow":"renewal"}"#
        );
        assert_eq!(event.member("new").unwrap().as_str(), r#"{"a":1}"#);
        assert_eq!(serde_json::to_string(&event).unwrap(), SEED);
    }

    #[test]
    fn has_the_key_of_its_delivery() {
        let event = AuditEvent::from_json(SEED).unwrap();
        let delivered = Key::of_members("health", &["8b2e5c11", "phi.read"]);
        assert_eq!(event.key(), Some(delivered));
        for keyless in [
            r#"{"event_id":"1"}"#,
            r#"{"event_id":"","action":"phi.read"}"#,
            r#"{"event_id":"1","action":""}"#,
        ] {
            assert_eq!(AuditEvent::from_json(keyless).unwrap().key(), None);
        }
    }

    #[test]
    fn details_may_be_an_object_or_a_plain_text() {
        let details = |value: &str| {
            let event = AuditEvent::from_json(format!("{{\"details\":{value}}}")).unwrap();
            event.details().map(|details| details.as_str().to_owned())
        };
        assert_eq!(details(r#"{"a":1}"#).as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(details(r#""not json""#).as_deref(), Some(r#""not json""#));
        assert_eq!(details("null"), None);
    }

    #[test]
    fn refuses_what_is_no_object() {
        for text in ["", "[]", "1", "{", "{}x", "null"] {
            let error = AuditEvent::from_json(text).unwrap_err();
            assert_eq!(error.code().as_str(), "malformed_response", "{text}");
        }
    }

    #[test]
    fn debug_shows_no_phi() {
        let shown = format!("{:?}", AuditEvent::from_json(SEED).unwrap());
        assert!(
            !shown.contains("u-1234") && !shown.contains("diagnosis"),
            "{shown}"
        );
    }
}
