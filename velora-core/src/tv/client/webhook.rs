//! Registering webhooks of an app.

use std::fmt;

use serde::Serialize;

use super::Client;
use crate::api::{Method, Path, Request, not_json};
use crate::error::{ApiError, EventFault};
use crate::secret::SigningSecret;
use crate::tv::EventType;
use crate::webhook::{Fields, RawJson};

/// Where the response may have its members, if not at the top level: it is not documented.
const WRAPPERS: [&str; 2] = ["data", "webhook"];

/// A webhook that was just registered.
///
/// The response is not documented. `id` and `secret` are taken from its members of these
/// names, at the top level or inside `data` or `webhook`, if it has them. `Debug` shows only
/// the id.
#[derive(Clone)]
#[non_exhaustive]
pub struct CreatedWebhook {
    /// The webhook's id, if the response has one.
    pub id: Option<String>,
    /// The secret that its deliveries are signed with, ready for a
    /// [`Verifier`](crate::Verifier), if the response has one. Otherwise the dashboard shows it.
    pub secret: Option<SigningSecret>,
    /// The whole response; `None` if it was empty. It contains the secret as plain text: do
    /// not log it.
    pub response: Option<RawJson>,
}

impl Client {
    /// Registers a webhook of an app: the URL that events of these types are delivered to.
    ///
    /// The call is never retried, because each success registers another webhook.
    ///
    /// Errors: `not_found` if there is no such app; `invalid_request`, such as for a URL that
    /// is not `https`; those of any call.
    pub async fn create_webhook(
        &self,
        client_id: &str,
        url: &str,
        events: &[EventType],
    ) -> Result<CreatedWebhook, ApiError> {
        #[derive(Serialize)]
        struct Body<'b> {
            url: &'b str,
            events: &'b [EventType],
        }

        let path = Path::new("/api/developer/apps").segment(client_id)?;
        let path = path.then("/webhooks");
        let request = Request::new("tv.create_webhook", Method::Post, path).answers_secret();
        let limit = self.api.max_response_bytes();
        self.api
            .call(
                request.json(&Body { url, events })?,
                |response| async move { CreatedWebhook::read(&response.written(limit).await?) },
            )
            .await
    }
}

impl CreatedWebhook {
    fn read(text: &str) -> Result<Self, ApiError> {
        let response = match text.trim() {
            "" => None,
            text => Some(serde_json::from_str(text).map_err(|error| not_json(&error))?),
        };
        // The webhook is there now: whatever JSON the answer is, the caller gets it.
        let (id, secret) = Fields::read(text, Self::members).unwrap_or_default();
        Ok(Self {
            id,
            secret: secret.and_then(|secret| SigningSecret::new(secret).ok()),
            response,
        })
    }

    fn members(mut fields: Fields<'_>) -> Result<(Option<String>, Option<String>), EventFault> {
        let (id, secret) = (fields.text("id").ok(), fields.text("secret").ok());
        let wrapped = WRAPPERS
            .iter()
            .find_map(|wrapper| fields.object(wrapper, Self::members));
        let (inner_id, inner_secret) = wrapped.unwrap_or_default();
        Ok((id.or(inner_id), secret.or(inner_secret)))
    }
}

impl fmt::Debug for CreatedWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedWebhook")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
