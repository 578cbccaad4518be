//! The sending side of the demo: signs as the systems do, and posts over loopback.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use velora_core::{Scheme, SignedDelivery, Signer, SigningSecret, UnixTime};

use crate::scenes::System;

pub(crate) struct Sender {
    client: reqwest::Client,
    base: String,
}

/// The receiver's response.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) why: String,
}

impl Sender {
    pub(crate) fn new(base: String) -> Result<Self, Box<dyn Error>> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .no_proxy()
            .build()?;
        Ok(Self { client, base })
    }

    pub(crate) async fn post(
        &self,
        system: &str,
        delivery: SignedDelivery,
    ) -> Result<Answer, Box<dyn Error>> {
        let mut request = self.client.post(format!("{}/{system}", self.base));
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        let response = request.body(delivery.body).send().await?;
        let retry_after = response.headers().get("retry-after");
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            why: response.text().await?,
        })
    }
}

/// A delivery as the system would have signed it this many seconds ago.
pub(crate) fn sign(
    system: &System,
    body: &str,
    seconds_ago: i64,
) -> Result<SignedDelivery, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let then = UnixTime::from_secs(i64::try_from(now)?.saturating_sub(seconds_ago));
    let secret = SigningSecret::new(system.secret)?;
    Ok(Signer::new(Scheme::named(system.name)?, [secret])?.sign_at(body, then))
}

/// The same delivery with one header rewritten.
pub(crate) fn rewritten(mut delivery: SignedDelivery, header: &str, to: &str) -> SignedDelivery {
    delivery
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case(header));
    delivery.headers.push((header.to_owned(), to.to_owned()));
    delivery
}
