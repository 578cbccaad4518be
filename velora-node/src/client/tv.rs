//! Velora TV: webhooks of an app, and the stream of events.

use napi::bindgen_prelude::{Function, Promise, PromiseRaw, Result};
use napi::threadsafe_function::ThreadsafeFunction;
use napi::{Env, Status};
use napi_derive::napi;
use velora_core::api::{BoxFuture, TokenSource};
use velora_core::tv::{Client, CreatedWebhook, EventStream, EventType, StreamItem, StreamOptions};
use velora_core::{ApiError, ApiErrorKind, ApiKey, ConfigError, EventJson};

use super::extra::{Pairs, pairs};
use super::options::{ClientParts, RateLimitParts, seconds};
use super::streams::{Held, Stream};
use crate::cancel::{NativeCancel, promise};
use crate::failure::{Answer, Failure, answer};

/// A client of Velora TV.
#[napi]
pub struct NativeTv {
    client: Client,
}

/// A webhook that was just registered.
#[napi(object, object_from_js = false)]
pub struct CreatedWebhookParts {
    pub id: Option<String>,
    pub secret: Option<String>,
    /// The response in JSON.
    pub response: Option<String>,
}

/// One item of the stream: `connected`, `event` or `gap`.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct StreamItemParts {
    pub kind: &'static str,
    pub authenticated: Option<bool>,
    pub auto_subscribed: Option<bool>,
    pub channel_username: Option<String>,
    pub extra: Option<Pairs>,
    pub event_type: Option<String>,
    pub id: Option<String>,
    pub key: Option<String>,
    /// As received.
    pub data: Option<String>,
    /// The event in JSON, if the data is an envelope like that of a delivery.
    pub event: Option<String>,
    pub reason: Option<Failure>,
    pub since: Option<String>,
    pub last_event_id: Option<String>,
}

/// What the caller's token function returned. Both are absent if that was not a string.
#[napi(object, object_to_js = false)]
pub struct GivenToken {
    pub token: Option<String>,
    /// A message that may be shown, if the function threw.
    pub threw: Option<String>,
}

type Tokens = ThreadsafeFunction<(), Promise<GivenToken>, (), Status, false, true>;

/// The caller's function that returns tokens. If it throws, that is treated like a host that
/// cannot be reached: the next call may succeed.
struct HostTokens(Tokens);

impl TokenSource for HostTokens {
    fn token(&self) -> BoxFuture<'_, std::result::Result<ApiKey, ApiError>> {
        Box::pin(async move {
            let given = match self.0.call_async_catch(()).await {
                Ok(promise) => promise.await,
                Err(error) => Err(error),
            };
            let failed = |reason| ApiError::new(ApiErrorKind::Connection, reason);
            let given = given.map_err(|_| failed("no token could be obtained".to_owned()))?;
            if let Some(threw) = given.threw {
                return Err(failed(threw));
            }
            let key = given.token.and_then(|token| ApiKey::new(token).ok());
            key.ok_or_else(|| ApiError::new(ApiErrorKind::Unauthorized, "no token was given"))
        })
    }
}

#[napi]
impl NativeTv {
    #[napi(catch_unwind)]
    pub fn create(token: String, parts: ClientParts) -> Answer<NativeTv> {
        let client = || parts.build(Client::builder(ApiKey::new(&token)?));
        answer(client().map(|client| Self { client }))
    }

    #[napi(catch_unwind)]
    pub fn create_with_tokens(
        #[napi(ts_arg_type = "() => Promise<GivenToken>")] tokens: Function<
            '_,
            (),
            Promise<GivenToken>,
        >,
        parts: ClientParts,
    ) -> Result<Answer<NativeTv>> {
        let tokens = tokens.build_threadsafe_function().weak::<true>().build()?;
        let client = parts.build(Client::builder_with_tokens(HostTokens(tokens)));
        Ok(answer(client.map(|client| Self { client })))
    }

    #[napi(getter, catch_unwind)]
    pub fn base_url(&self) -> String {
        self.client.base_url().as_str().to_owned()
    }

    #[napi(catch_unwind)]
    pub fn rate_limit(&self) -> RateLimitParts {
        self.client.rate_limit().into()
    }

    #[napi(catch_unwind)]
    pub fn create_webhook<'env>(
        &self,
        env: &'env Env,
        client_id: String,
        url: String,
        events: Vec<String>,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<CreatedWebhookParts>>> {
        let client = self.client.clone();
        let events: Vec<EventType> = events.into_iter().map(EventType::from).collect();
        promise(env, cancel, async move {
            let created = client.create_webhook(&client_id, &url, &events).await;
            created.map(CreatedWebhookParts::from)
        })
    }

    /// Errors: `invalid_option`.
    #[napi(catch_unwind)]
    pub fn events(
        &self,
        idle_timeout: Option<f64>,
        max_outage: Option<f64>,
    ) -> Answer<NativeEventStream> {
        let stream = || {
            let mut options = StreamOptions::new();
            if let Some(timeout) = seconds("idleTimeout", idle_timeout)? {
                options = options.with_idle_timeout(timeout)?;
            }
            if let Some(outage) = seconds("maxOutage", max_outage)? {
                options = options.with_max_outage(outage);
            }
            Ok::<_, ConfigError>(NativeEventStream {
                stream: Held::new(self.client.events(options)),
            })
        };
        answer(stream())
    }
}

impl Stream for EventStream {
    type Item = StreamItemParts;

    async fn next(&mut self) -> Option<std::result::Result<StreamItemParts, ApiError>> {
        let item = EventStream::next(self).await?;
        Some(item.map(StreamItemParts::from))
    }
}

/// The stream of events.
#[napi]
pub struct NativeEventStream {
    stream: Held<EventStream>,
}

#[napi]
impl NativeEventStream {
    /// The next item; null once the stream is closed.
    #[napi(catch_unwind)]
    pub fn next<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<Option<StreamItemParts>>>> {
        self.stream.next(env, cancel)
    }

    #[napi(catch_unwind)]
    pub fn close<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, ()>> {
        self.stream.close(env)
    }
}

impl From<CreatedWebhook> for CreatedWebhookParts {
    fn from(created: CreatedWebhook) -> Self {
        let secret = created.secret.as_ref();
        Self {
            secret: secret.map(|secret| String::from_utf8_lossy(secret.expose_secret()).into()),
            id: created.id,
            response: created.response.map(|json| json.as_str().to_owned()),
        }
    }
}

impl From<StreamItem> for StreamItemParts {
    fn from(item: StreamItem) -> Self {
        match item {
            StreamItem::Connected(connected) => Self {
                kind: "connected",
                authenticated: connected.authenticated,
                auto_subscribed: connected.auto_subscribed,
                extra: Some(pairs(&connected.extra)),
                channel_username: connected.channel_username,
                ..Self::default()
            },
            StreamItem::Event(event) => Self {
                kind: "event",
                event_type: Some(event.event_type().as_str().to_owned()),
                id: event.id().map(str::to_owned),
                key: event.key().map(|key| key.as_str().to_owned()),
                data: Some(event.data().to_owned()),
                event: event.event_json().map(EventJson::into_string),
                ..Self::default()
            },
            StreamItem::Gap(gap) => Self {
                kind: "gap",
                reason: Some(gap.reason.into()),
                since: Some(gap.since.to_string()),
                last_event_id: gap.last_event_id,
                ..Self::default()
            },
            _ => Self {
                kind: "other",
                ..Self::default()
            },
        }
    }
}
