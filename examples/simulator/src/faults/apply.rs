//! The layer around every route: logs the request, waits, and applies faults.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};

use super::{FaultKind, UnknownFault, body, error};
use crate::log::LoggedRequest;
use crate::net::Connection;
use crate::state::App;
use crate::text::http_date;

const MAX_REQUEST_BYTES: usize = 8 << 20;

/// The fault of this request, for handlers whose answer it changes.
#[derive(Clone, Debug)]
pub(crate) struct Active(pub(crate) Option<FaultKind>);

/// Wraps every route except the control calls.
pub(crate) async fn layer(
    State(app): State<Arc<App>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_REQUEST_BYTES).collect().await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let body = body.to_bytes();
    let number = app.log.arrived(LoggedRequest::new(false, &parts, &body));
    let fault = match asked_by_header(&parts) {
        Ok(None) => app.faults.strike(&parts),
        Ok(asked) => asked,
        Err(unknown) => {
            app.log.answered(number, Some(400), None);
            return (StatusCode::BAD_REQUEST, unknown.to_string()).into_response();
        }
    };
    let name = fault.as_ref().map(FaultKind::name);
    if name.is_some() {
        // Never answers.
        app.log.answered(number, None, name);
    }
    parts.extensions.insert(Active(fault.clone()));

    // Even a sleep of zero would last until the timer's next millisecond.
    if !app.latency().is_zero() {
        tokio::time::sleep(app.latency()).await;
    }
    let early = match &fault {
        Some(fault) => before(&app, &parts, fault).await,
        None => None,
    };
    let response = match early {
        Some(response) => response,
        None => next.run(Request::from_parts(parts, Body::from(body))).await,
    };
    if let Some(FaultKind::Reset | FaultKind::ResetAfter) = fault {
        app.log.answered(number, None, name);
        // None of the answer is sent: the first write finds the connection reset.
        connection.reset();
        return response;
    }
    let response = match &fault {
        Some(fault) => body::spoil(response, fault, connection).await,
        None => response,
    };
    app.log
        .answered(number, Some(response.status().as_u16()), name);
    response
}

fn asked_by_header(parts: &Parts) -> Result<Option<FaultKind>, UnknownFault> {
    let Some(value) = parts.headers.get("x-sim-fault") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or("not ASCII");
    match text.split_once('=') {
        Some((name, value)) => FaultKind::parse(name, Some(value)),
        None => FaultKind::parse(text, None),
    }
    .map(Some)
}

/// The answer, if the fault answers instead of the handler.
async fn before(app: &App, parts: &Parts, fault: &FaultKind) -> Option<Response> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let limited = |retry_after| error::limited(parts.uri.path(), retry_after);
    Some(match fault {
        FaultKind::RateLimited(seconds) => limited(Some(seconds.to_string())),
        FaultKind::RateLimitedDate(seconds) => limited(Some(http_date(*seconds))),
        FaultKind::RateLimitedHour => limited(Some("3600".to_owned())),
        FaultKind::RateLimitedBare => limited(None),
        FaultKind::Status(status) => {
            error::error(parts.uri.path(), StatusCode::from_u16(*status).ok()?)
        }
        FaultKind::Redirect(status, location) => {
            let location = location
                .clone()
                .unwrap_or_else(|| format!("{}{path}", app.other_host));
            let mut response = StatusCode::from_u16(*status).ok()?.into_response();
            let location = HeaderValue::try_from(location).ok()?;
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        FaultKind::Reset => StatusCode::OK.into_response(),
        FaultKind::Hang => std::future::pending().await,
        FaultKind::Latency(millis) => {
            tokio::time::sleep(Duration::from_millis(*millis)).await;
            return None;
        }
        _ => return None,
    })
}
