//! Which events to list, and the request for them.

use std::fmt;

use jiff::Timestamp;

use super::client::audit;
use super::window::{Window, iso, iso_up};
use crate::api::{Method, Request, start_cursor};
use crate::error::ConfigError;
use crate::spell::decimal;

/// Which events to list. Everything by default, newest first, 1,000 per page.
///
/// When you back-fill, set the end of the window too, so that new events do not shift the
/// pages.
#[derive(Clone, Default)]
pub struct EventQuery {
    action: Option<String>,
    resource_type: Option<String>,
    phi_involved: Option<bool>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    limit: Option<u16>,
    pub(crate) cursor: Option<String>,
}

impl EventQuery {
    /// Everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only events with this action, such as `phi.read`.
    #[must_use]
    pub fn with_action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// Only events that concern this kind of resource, such as `claim`.
    #[must_use]
    pub fn with_resource_type(mut self, resource_type: impl Into<String>) -> Self {
        self.resource_type = Some(resource_type.into());
        self
    }

    /// Only events that do, or do not, involve protected health information.
    #[must_use]
    pub fn with_phi_involved(mut self, phi_involved: bool) -> Self {
        self.phi_involved = Some(phi_involved);
        self
    }

    /// Only events in this window.
    #[must_use]
    pub fn with_window(self, window: Window) -> Self {
        self.with_since(window.since()).with_until(window.until())
    }

    /// Only events at this instant or later.
    #[must_use]
    pub fn with_since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Only events before this instant.
    #[must_use]
    pub fn with_until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// The maximum number of events per page.
    ///
    /// Errors: `invalid_option` unless it is 1 to 1000.
    pub fn with_limit(mut self, limit: u16) -> Result<Self, ConfigError> {
        if !(1..=1_000).contains(&limit) {
            return Err(ConfigError::InvalidOption {
                option: "limit",
                reason: "it must be 1 to 1000",
            });
        }
        self.limit = Some(limit);
        Ok(self)
    }

    /// Starts where a page ended: at its [`next_cursor`](super::Page::next_cursor). Everything
    /// else must be as in the query of that page. An event at the edge of the pages may come
    /// again, as only what one stream returned is dropped from it.
    ///
    /// Errors: `invalid_option` if it is empty.
    pub fn with_cursor(mut self, cursor: impl Into<String>) -> Result<Self, ConfigError> {
        self.cursor = Some(start_cursor(cursor)?);
        Ok(self)
    }

    /// Any single event.
    pub(crate) fn one() -> Self {
        Self {
            limit: Some(1),
            ..Self::default()
        }
    }

    pub(crate) fn request(&self, cursor: Option<&str>) -> Request {
        let phi_involved = self
            .phi_involved
            .map(|phi| if phi { "true" } else { "false" });
        let limit = decimal(self.limit.unwrap_or(1_000).into());
        let mut path = audit("/events");
        for (name, value) in [
            ("action", self.action.as_deref()),
            ("resource_type", self.resource_type.as_deref()),
            ("phi_involved", phi_involved),
            ("since", self.since.map(iso).as_deref()),
            ("until", self.until.map(iso_up).as_deref()),
            ("limit", Some(limit.as_str())),
            ("cursor", cursor),
        ] {
            if let Some(value) = value {
                path = path.query(name, value);
            }
        }
        Request::new("health.events", Method::Get, path)
    }
}

/// A filter may reveal who is looked for, so `Debug` shows only the window.
impl fmt::Debug for EventQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventQuery")
            .field("since", &self.since)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
