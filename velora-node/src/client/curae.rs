//! CuraeAI: endpoints and their versions.

use napi::Env;
use napi::bindgen_prelude::{PromiseRaw, Result};
use napi_derive::napi;
use velora_core::api::Pages;
use velora_core::curae::{
    Client, Endpoint, EndpointChange, EndpointQuery, EventType, IfChanged, NewEndpoint,
    Registration, Versioned,
};
use velora_core::{ApiError, ApiKey, ConfigError};

use super::extra::{Pairs, pairs};
use super::options::{ClientParts, RateLimitParts};
use super::streams::{Held, Stream};
use crate::cancel::{NativeCancel, promise};
use crate::failure::{Answer, answer};
use crate::number::whole;

/// A client of the platform API.
#[napi]
pub struct NativeCurae {
    client: Client,
}

/// A registered endpoint.
#[napi(object, object_from_js = false)]
pub struct CuraeEndpoint {
    pub id: String,
    pub url: Option<String>,
    pub event_types: Vec<String>,
    pub status: Option<String>,
    pub consecutive_failures: Option<f64>,
    pub last_delivery_attempt_at: Option<String>,
    pub last_successful_delivery_at: Option<String>,
    pub created_at: Option<String>,
    pub updated_at: Option<String>,
    pub version: Option<f64>,
    pub extra: Pairs,
}

/// A page of endpoints.
#[napi(object, object_from_js = false)]
pub struct EndpointPageParts {
    pub items: Vec<CuraeEndpoint>,
    pub next_cursor: Option<String>,
}

/// An endpoint and its version, and the secret if it was just registered.
#[napi(object, object_from_js = false)]
pub struct CuraeVersioned {
    pub endpoint: CuraeEndpoint,
    pub etag: Option<String>,
    pub secret: Option<String>,
}

/// What to change; absent members stay as they are.
#[napi(object, object_to_js = false)]
pub struct CuraeChange {
    pub url: Option<String>,
    pub event_types: Option<Vec<String>>,
    pub status: Option<String>,
    pub idempotency_key: Option<String>,
}

#[napi]
impl NativeCurae {
    /// Errors: `wrong_environment`, `invalid_api_key`, `invalid_base_url`, `invalid_option`.
    #[napi(catch_unwind)]
    pub fn create(api_key: String, parts: ClientParts) -> Answer<NativeCurae> {
        let client = || parts.build(Client::builder(ApiKey::new(&api_key)?));
        answer(client().map(|client| Self { client }))
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
        url: String,
        event_types: Vec<String>,
        idempotency_key: Option<String>,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<CuraeVersioned>>> {
        let webhooks = self.client.webhooks();
        let mut endpoint = NewEndpoint::new(url, event_types.into_iter().map(EventType::from));
        if let Some(key) = idempotency_key {
            endpoint = endpoint.with_idempotency_key(key);
        }
        promise(env, cancel, async move {
            webhooks.create(&endpoint).await.map(CuraeVersioned::from)
        })
    }

    /// Errors: `invalid_option` if the limit is out of its range, or the cursor is empty.
    #[napi(catch_unwind)]
    pub fn list_webhooks(
        &self,
        limit: Option<f64>,
        cursor: Option<String>,
    ) -> Answer<NativeEndpointPages> {
        let pages = || {
            let mut query = EndpointQuery::new();
            if let Some(limit) = limit {
                query = query.with_limit(whole("limit", limit)?)?;
            }
            if let Some(cursor) = cursor {
                query = query.with_cursor(cursor)?;
            }
            Ok::<_, ConfigError>(NativeEndpointPages {
                pages: Held::new(self.client.webhooks().list(query).pages()),
            })
        };
        answer(pages())
    }

    #[napi(catch_unwind)]
    pub fn get_webhook<'env>(
        &self,
        env: &'env Env,
        id: String,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<CuraeVersioned>>> {
        let webhooks = self.client.webhooks();
        promise(env, cancel, async move {
            webhooks.get(&id).await.map(CuraeVersioned::from)
        })
    }

    /// Null if the endpoint still has this version.
    #[napi(catch_unwind)]
    pub fn get_webhook_if_changed<'env>(
        &self,
        env: &'env Env,
        id: String,
        etag: String,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<Option<CuraeVersioned>>>> {
        let webhooks = self.client.webhooks();
        promise(env, cancel, async move {
            let found = webhooks.get_if_changed(&id, &etag).await?;
            Ok::<_, velora_core::Error>(match found {
                IfChanged::Changed(versioned) => Some(versioned.into()),
                IfChanged::NotModified => None,
            })
        })
    }

    #[napi(catch_unwind)]
    pub fn update_webhook<'env>(
        &self,
        env: &'env Env,
        id: String,
        etag: String,
        change: CuraeChange,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<CuraeVersioned>>> {
        let webhooks = self.client.webhooks();
        let change = change.read();
        promise(env, cancel, async move {
            let updated = webhooks.update(&id, &etag, &change).await;
            updated.map(CuraeVersioned::from)
        })
    }

    #[napi(catch_unwind)]
    pub fn delete_webhook<'env>(
        &self,
        env: &'env Env,
        id: String,
        etag: String,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<()>>> {
        let webhooks = self.client.webhooks();
        promise(
            env,
            cancel,
            async move { webhooks.delete(&id, &etag).await },
        )
    }
}

impl Stream for Pages<Endpoint> {
    type Item = EndpointPageParts;

    async fn next(&mut self) -> Option<std::result::Result<EndpointPageParts, ApiError>> {
        let page = Pages::next(self).await?;
        Some(page.map(|page| EndpointPageParts {
            next_cursor: page.next_cursor().map(str::to_owned),
            items: page.into_items().into_iter().map(Into::into).collect(),
        }))
    }
}

/// Pages of endpoints.
#[napi]
pub struct NativeEndpointPages {
    pages: Held<Pages<Endpoint>>,
}

#[napi]
impl NativeEndpointPages {
    /// The next page; null at the end.
    #[napi(catch_unwind)]
    pub fn next<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<Option<EndpointPageParts>>>> {
        self.pages.next(env, cancel)
    }

    #[napi(catch_unwind)]
    pub fn close<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, ()>> {
        self.pages.close(env)
    }
}

impl CuraeChange {
    fn read(self) -> EndpointChange {
        let mut change = EndpointChange::new();
        if let Some(url) = self.url {
            change = change.with_url(url);
        }
        if let Some(types) = self.event_types {
            change = change.with_event_types(types.into_iter().map(EventType::from));
        }
        if let Some(status) = self.status {
            change = change.with_status(status);
        }
        match self.idempotency_key {
            Some(key) => change.with_idempotency_key(key),
            None => change,
        }
    }
}

impl From<Endpoint> for CuraeEndpoint {
    fn from(endpoint: Endpoint) -> Self {
        let types = endpoint.event_types.iter();
        let extra = pairs(&endpoint.extra);
        Self {
            event_types: types.map(|name| name.as_str().to_owned()).collect(),
            id: endpoint.id,
            url: endpoint.url,
            status: endpoint.status,
            consecutive_failures: endpoint.consecutive_failures.map(|count| count as f64),
            last_delivery_attempt_at: endpoint.last_delivery_attempt_at.map(|at| at.to_string()),
            last_successful_delivery_at: endpoint
                .last_successful_delivery_at
                .map(|at| at.to_string()),
            created_at: endpoint.created_at.map(|at| at.to_string()),
            updated_at: endpoint.updated_at.map(|at| at.to_string()),
            version: endpoint.version.map(|version| version as f64),
            extra,
        }
    }
}

impl From<Versioned> for CuraeVersioned {
    fn from(versioned: Versioned) -> Self {
        Self {
            endpoint: versioned.endpoint.into(),
            etag: versioned.etag,
            secret: None,
        }
    }
}

impl From<Registration> for CuraeVersioned {
    fn from(registered: Registration) -> Self {
        let secret = registered.secret.expose_secret();
        Self {
            secret: Some(String::from_utf8_lossy(secret).into_owned()),
            endpoint: registered.endpoint.into(),
            etag: registered.etag,
        }
    }
}
