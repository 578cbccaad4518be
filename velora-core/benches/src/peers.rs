//! Other webhook libraries, each through its own public API.

use std::time::{SystemTime, UNIX_EPOCH};

use stripe_webhook::{Webhook, WebhookError};

use crate::contender::SECRET;
use crate::{Contender, Failure, Posted};

const MESSAGE_ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";

/// `async-stripe-webhook`, verification only.
///
/// Its one way in, `construct_event`, goes on to parse the body as a Stripe event.
/// But it compares the time after the MAC and before it parses: for a delivery of
/// yesterday, `BadTimestamp` says that the header was read, the clock too, and that
/// the MAC has held; a body that was tampered with is `BadSignature`.
#[derive(Debug)]
pub struct AsyncStripe;

impl Contender for AsyncStripe {
    fn name(&self) -> &'static str {
        "async-stripe"
    }

    fn post(&self, body: String) -> Result<Posted, Failure> {
        let yesterday = unix_seconds()? - 24 * 60 * 60;
        let header = Webhook::generate_test_header(&body, SECRET, Some(yesterday));
        Posted::new(body, &[("stripe-signature", header)])
    }

    fn accepts(&self, posted: &Posted) -> bool {
        let Some(Ok(header)) = posted.headers.get("stripe-signature").map(|v| v.to_str()) else {
            return false;
        };
        let outcome = Webhook::construct_event(&posted.body, header, SECRET);
        matches!(outcome, Err(WebhookError::BadTimestamp(_)))
    }
}

/// `standardwebhooks`.
pub struct StandardWebhooks(standardwebhooks::Webhook);

impl StandardWebhooks {
    /// A verifier, made once and kept.
    pub fn new() -> Result<Self, Failure> {
        let key = SECRET.as_bytes().to_vec();
        Ok(Self(standardwebhooks::Webhook::from_bytes(key)?))
    }
}

impl Contender for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standardwebhooks"
    }

    fn post(&self, body: String) -> Result<Posted, Failure> {
        let now = unix_seconds()?;
        let signature = self.0.sign(MESSAGE_ID, now, body.as_bytes())?;
        post_standard("webhook", body, now, signature)
    }

    fn accepts(&self, posted: &Posted) -> bool {
        let body = posted.body.as_bytes();
        self.0.verify(body, &posted.headers).is_ok()
    }
}

/// `svix`.
#[derive(Debug)]
pub struct Svix(svix::webhooks::Webhook);

impl Svix {
    /// A verifier, made once and kept.
    pub fn new() -> Result<Self, Failure> {
        let key = SECRET.as_bytes().to_vec();
        Ok(Self(svix::webhooks::Webhook::from_bytes(key)?))
    }
}

impl Contender for Svix {
    fn name(&self) -> &'static str {
        "svix"
    }

    fn post(&self, body: String) -> Result<Posted, Failure> {
        let now = unix_seconds()?;
        let signature = self.0.sign(MESSAGE_ID, now, body.as_bytes())?;
        post_standard("svix", body, now, signature)
    }

    fn accepts(&self, posted: &Posted) -> bool {
        let body = posted.body.as_bytes();
        self.0.verify(body, &posted.headers).is_ok()
    }
}

/// The three headers of a Standard Webhooks delivery.
fn post_standard(
    prefix: &str,
    body: String,
    now: i64,
    signature: String,
) -> Result<Posted, Failure> {
    let own = [
        (format!("{prefix}-id"), MESSAGE_ID.to_owned()),
        (format!("{prefix}-timestamp"), now.to_string()),
        (format!("{prefix}-signature"), signature),
    ];
    Posted::new(body, &own)
}

fn unix_seconds() -> Result<i64, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(since.as_secs().try_into()?)
}
