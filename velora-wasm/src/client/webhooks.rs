//! The endpoints that events are delivered to.

use velora_core::health::{Endpoint, NewEndpoint};

use super::health::{ask, text_of};
use crate::frame::{self, Items, item};

/// The items of an endpoint.
mod tag {
    /// The first item: whether it is active, its consecutive failures, its two times, whether it
    /// is failing.
    pub(super) const NUMBERS: u8 = 0;
    pub(super) const ID: u8 = 1;
    pub(super) const URL: u8 = 2;
    pub(super) const FILTER: u8 = 3;
    pub(super) const DESCRIPTION: u8 = 4;
    pub(super) const SECRET: u8 = 5;
}

exports! {
    /// Starts registering the endpoint in the frame; ends with it, and its secret.
    fn create_webhook(at: usize, items: usize) -> u32 {
        let endpoint = frame::read(items, 0, |items, _| described(Items(items)));
        ask(at, async move |client| {
            let registered = client.webhooks().create(&endpoint).await?;
            let mut told = Vec::new();
            tell(&mut told, &registered.endpoint);
            item(&mut told, tag::SECRET, &[registered.secret.expose_secret()]);
            Ok(told)
        })
    }

    /// Starts listing the endpoints.
    fn list_webhooks(at: usize) -> u32 {
        ask(at, async |client| {
            let mut told = Vec::new();
            for endpoint in client.webhooks().list().await? {
                tell(&mut told, &endpoint);
            }
            Ok(told)
        })
    }

    /// Starts disabling or deleting the endpoint with the id in the frame.
    fn end_webhook(at: usize, id: usize, delete: u32) -> u32 {
        let id = text_of(id);
        ask(at, async move |client| {
            let webhooks = client.webhooks();
            match delete {
                0 => webhooks.disable(&id).await?,
                _ => webhooks.delete(&id).await?,
            }
            Ok(Vec::new())
        })
    }
}

fn described(items: Items<'_>) -> NewEndpoint {
    let (mut url, mut filter, mut description) = (String::new(), Vec::new(), None);
    for (tag, bytes) in items {
        let text = frame::text(bytes).to_owned();
        match tag {
            tag::URL => url = text,
            tag::FILTER => filter.push(text),
            _ => description = Some(text),
        }
    }
    let endpoint = NewEndpoint::new(url).with_event_filter(filter);
    match description {
        Some(description) => endpoint.with_description(description),
        None => endpoint,
    }
}

fn tell(told: &mut Vec<u8>, endpoint: &Endpoint) {
    let time = |at: Option<jiff::Timestamp>| at.map_or(f64::NAN, |at| at.as_millisecond() as f64);
    let numbers = frame::numbers([
        endpoint
            .active
            .map_or(f64::NAN, |active| f64::from(u8::from(active))),
        endpoint.consecutive_failures as f64,
        time(endpoint.last_delivery_at),
        time(endpoint.created_at),
        endpoint.is_failing().into(),
    ]);
    item(told, tag::NUMBERS, &[&numbers]);
    item(told, tag::ID, &[endpoint.id.as_bytes()]);
    if let Some(url) = &endpoint.url {
        item(told, tag::URL, &[url.as_bytes()]);
    }
    for prefix in &endpoint.event_filter {
        item(told, tag::FILTER, &[prefix.as_bytes()]);
    }
    if let Some(description) = &endpoint.description {
        item(told, tag::DESCRIPTION, &[description.as_bytes()]);
    }
}
