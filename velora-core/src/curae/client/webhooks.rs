//! The calls that manage endpoints.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::endpoint::{ENDPOINTS, Endpoint, EndpointChange, EndpointQuery, NewEndpoint};
use crate::api::{
    Api, IDEMPOTENCY_KEY, Items, Listing, Method, Next, Page, Path, Request, Response, malformed,
    not_json, random_id,
};
use crate::error::{ApiError, ApiErrorKind, EventFault};
use crate::secret::SigningSecret;
use crate::webhook::Fields;

const NOT_MODIFIED: u16 = 304;

/// The result of registering an endpoint. Its secret is never shown again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Registration {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The ETag: which version of the endpoint this is.
    pub etag: Option<String>,
    /// The secret that its deliveries are signed with, ready for a
    /// [`Verifier`](crate::Verifier).
    pub secret: SigningSecret,
}

/// An endpoint with its ETag.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Versioned {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The ETag: which version of the endpoint this is, for [`update`](Webhooks::update),
    /// [`delete`](Webhooks::delete) and [`get_if_changed`](Webhooks::get_if_changed).
    pub etag: Option<String>,
}

/// The result of [`get_if_changed`](Webhooks::get_if_changed).
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is given back once, and taken apart"
)]
pub enum IfChanged {
    /// Its version has changed; this is the new one.
    Changed(Versioned),
    /// Its version is still the one given.
    NotModified,
}

/// The endpoints of an account: see [`Client::webhooks`](super::Client::webhooks).
#[derive(Clone)]
pub struct Webhooks {
    api: Api,
}

impl Webhooks {
    pub(super) fn new(api: Api) -> Self {
        Self { api }
    }

    /// Registers an endpoint. Store its secret before you do anything else: it is shown
    /// only once.
    ///
    /// Errors: `invalid_request`, such as for a URL that is not public `https` on port 443;
    /// `conflict`; those of any call.
    pub async fn create(&self, endpoint: &NewEndpoint) -> Result<Registration, ApiError> {
        let request = Request::new("curae.webhooks.create", Method::Post, Path::new(ENDPOINTS))
            .answers_secret();
        let request = self.once(request, endpoint.idempotency_key.as_deref())?;
        let limit = self.api.max_response_bytes();
        self.api
            .call(request.json(endpoint)?, |response| async move {
                let etag = etag_of(&response);
                let text = Zeroizing::new(response.json_text(limit).await?);
                let (endpoint, secret) = read(&text, |mut fields| {
                    let secret = Zeroizing::new(fields.text("signingSecret")?);
                    Ok((Endpoint::read(fields)?, secret))
                })?;
                Ok(Registration {
                    endpoint,
                    etag,
                    secret: SigningSecret::new(secret.as_str())
                        .map_err(|_| malformed("the endpoint's secret is not usable"))?,
                })
            })
            .await
    }

    /// The endpoints, one by one. For pages see [`Items::pages`].
    ///
    /// Errors: those of [`Items`].
    pub fn list(&self, query: EndpointQuery) -> Items<Endpoint> {
        let listing = Listing {
            start: query.cursor.clone(),
            request: Box::new(move |cursor| query.request(cursor)),
            read: read_page,
            peek: |_| None,
        };
        Items::new(self.api.clone(), listing)
    }

    /// One endpoint.
    ///
    /// Errors: `not_found`, and those of any call.
    pub async fn get(&self, id: &str) -> Result<Versioned, ApiError> {
        let request = self.one("curae.webhooks.get", Method::Get, id)?;
        self.versioned(request).await
    }

    /// One endpoint, if its version differs from this `etag`.
    ///
    /// Errors: `not_found`, and those of any call.
    pub async fn get_if_changed(&self, id: &str, etag: &str) -> Result<IfChanged, ApiError> {
        let request = self.one("curae.webhooks.get", Method::Get, id)?;
        let request = request.outside_header("If-None-Match", etag)?.conditional();
        let limit = self.api.max_response_bytes();
        self.api
            .call(request, |response| async move {
                match response.status() {
                    NOT_MODIFIED => Ok(IfChanged::NotModified),
                    _ => Versioned::read(response, limit)
                        .await
                        .map(IfChanged::Changed),
                }
            })
            .await
    }

    /// Changes an endpoint if its version is still this `etag`; `*` matches any version.
    ///
    /// Errors: `conflict` if it was changed meanwhile: get it again and decide anew;
    /// `not_found`; `invalid_request`; those of any call.
    pub async fn update(
        &self,
        id: &str,
        etag: &str,
        change: &EndpointChange,
    ) -> Result<Versioned, ApiError> {
        let request = self.one("curae.webhooks.update", Method::Patch, id)?;
        let request = request.outside_header("If-Match", etag)?;
        let request = self.once(request, change.idempotency_key.as_deref())?;
        self.versioned(request.json(change)?).await
    }

    /// Removes an endpoint if its version is still this `etag`; `*` matches any version.
    ///
    /// Errors: `conflict` if it was changed meanwhile; `not_found`; those of any call.
    pub async fn delete(&self, id: &str, etag: &str) -> Result<(), ApiError> {
        let request = self.one("curae.webhooks.delete", Method::Delete, id)?;
        let request = request.outside_header("If-Match", etag)?;
        let request = self.once(request, None)?;
        match self.api.done(request).await {
            // An earlier attempt got through, and only its response was lost.
            Err(error) if error.kind() == ApiErrorKind::NotFound && error.perhaps_done() => Ok(()),
            outcome => outcome,
        }
    }

    fn one(&self, operation: &'static str, method: Method, id: &str) -> Result<Request, ApiError> {
        let path = Path::new(ENDPOINTS).segment(id)?;
        Ok(Request::new(operation, method, path))
    }

    /// Makes a mutation safe to retry: all attempts carry the same key.
    fn once(&self, request: Request, key: Option<&str>) -> Result<Request, ApiError> {
        let request = match key {
            Some(key) => request.outside_header(IDEMPOTENCY_KEY, key)?,
            // Includes the time, because not every host has a source of randomness.
            None => {
                let runtime = self.api.runtime();
                let (id, now) = (random_id(runtime), runtime.now().as_millis());
                request.header(IDEMPOTENCY_KEY, &format!("{id}-{now:x}"))
            }
        };
        Ok(request.idempotent())
    }

    async fn versioned(&self, request: Request) -> Result<Versioned, ApiError> {
        let limit = self.api.max_response_bytes();
        self.api
            .call(request, |response| Versioned::read(response, limit))
            .await
    }
}

impl Versioned {
    async fn read(response: Response, limit: usize) -> Result<Self, ApiError> {
        if response.status() == NOT_MODIFIED {
            return Err(malformed("304 to an unconditional request"));
        }
        let etag = etag_of(&response);
        let endpoint = read(&response.json_text(limit).await?, Endpoint::read)?;
        Ok(Self { endpoint, etag })
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhooks(..)")
    }
}

fn etag_of(response: &Response) -> Option<String> {
    response.header("ETag").map(str::to_owned)
}

/// Reads `{"data": …}`, or its content without that wrapper.
fn read<T>(text: &str, read: impl Fn(Fields<'_>) -> Result<T, EventFault>) -> Result<T, ApiError> {
    Fields::read(text, |mut outer| match outer.object("data", &read) {
        Some(inner) => Ok(inner),
        None => read(outer),
    })
    .map_err(|_| malformed("the response is not in the documented form"))
}

fn read_page(text: String) -> Result<(Page<Endpoint>, Next), ApiError> {
    #[derive(Deserialize)]
    struct WirePage<'t> {
        #[serde(borrow)]
        data: Vec<&'t RawValue>,
        pagination: WireNext,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct WireNext {
        has_more: Option<bool>,
        next_cursor: Option<String>,
    }

    let page: WirePage<'_> = serde_json::from_str(&text).map_err(|error| not_json(&error))?;
    let endpoints = page.data.into_iter();
    let endpoints = endpoints.map(|endpoint| Fields::read(endpoint.get(), Endpoint::read));
    let endpoints: Result<Vec<_>, EventFault> = endpoints.collect();
    let next = match (page.pagination.has_more, page.pagination.next_cursor) {
        (Some(false), _) => Next::End,
        (None, None) => return Err(malformed("a page does not say whether there are more")),
        (_, cursor) => Next::More(cursor),
    };
    let endpoints =
        endpoints.map_err(|_| malformed("an endpoint is not in the documented form"))?;
    Ok((Page::new(endpoints, |endpoint| &endpoint.id), next))
}
