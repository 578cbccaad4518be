//! `GET /api/events/stream`: Server-Sent Events.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};

use super::hub::{Cut, Streamed, Subscription};
use super::token;
use crate::net::Connection;
use crate::state::App;

const CONNECTED: &str = "event: connected\ndata: {\"authenticated\":true,\"autoSubscribed\":true,\
                         \"channelUsername\":\"coolstreamer\"}\n\n";
/// How often a stream checks whether its token has expired.
const TOKEN_CHECK: Duration = Duration::from_millis(20);

pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    headers: HeaderMap,
) -> Response {
    let resumed = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .filter(|_| app.options.tv_resume);
    let reader = Reader {
        subscription: app.tv.subscribe(resumed),
        token: token(&headers).unwrap_or_default().to_owned(),
        connection,
        quiet: Duration::ZERO,
        app,
    };
    let connected = stream::iter([Ok(Bytes::from_static(CONNECTED.as_bytes()))]);
    let events = stream::unfold(reader, |mut reader| async {
        let piece = reader.next().await?;
        Some((piece, reader))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, Body::from_stream(connected.chain(events))).into_response()
}

struct Reader {
    app: Arc<App>,
    subscription: Subscription,
    token: String,
    connection: Connection,
    /// The time since something was last sent.
    quiet: Duration,
}

impl Reader {
    /// The next bytes; `None` is the stream's end.
    async fn next(&mut self) -> Option<Result<Bytes, std::io::Error>> {
        loop {
            match self.subscription.take() {
                Ok(events) if events.is_empty() => {}
                Ok(events) => {
                    self.quiet = Duration::ZERO;
                    return Some(Ok(self.written(&events)));
                }
                Err(Cut::End) => return None,
                Err(Cut::Reset) => {
                    self.connection.reset();
                    return Some(Err(std::io::ErrorKind::ConnectionReset.into()));
                }
            }
            if !self.app.tv.is_good(&self.token) {
                return None;
            }
            if self.quiet >= self.app.options.tv_heartbeat {
                self.quiet = Duration::ZERO;
                return Some(Ok(Bytes::from_static(b": heartbeat\n\n")));
            }
            let wait = tokio::time::timeout(TOKEN_CHECK, self.subscription.changed());
            if wait.await.is_err() {
                self.quiet += TOKEN_CHECK;
            }
        }
    }

    fn written(&self, events: &[Arc<Streamed>]) -> Bytes {
        let mut text = String::new();
        for event in events {
            if self.app.options.tv_resume {
                text.push_str(&format!("id: {}\n", event.id));
            }
            text.push_str(&format!(
                "event: {}\ndata: {}\n\n",
                event.event_type, event.data
            ));
        }
        text.into()
    }
}
