//! A running simulator.

use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::builder::{Builder, Options};
use crate::deliveries::send;
use crate::faults::{Fault, apply};
use crate::health::data::{Filter, Truth};
use crate::log::LoggedRequest;
use crate::net::{Connection, ResettableListener};
use crate::state::App;
use crate::text::micros;
use crate::{billing, control, curae, health, tv};

/// The four systems on one loopback address. They stop when this is dropped.
#[derive(Debug)]
pub struct Simulator {
    app: Arc<App>,
    /// Taken on drop alone.
    runtime: Option<Runtime>,
}

impl Simulator {
    /// The options, all at their defaults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn start(options: Options) -> io::Result<Self> {
        let main = StdListener::bind(options.address)?;
        let other = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let base_url = format!("http://{}", main.local_addr()?);
        // Another name and another port: another host to every client.
        let other_host = format!("http://localhost:{}", other.local_addr()?.port());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.worker_threads)
            .thread_name("velora-simulator")
            .enable_all()
            .build()?;
        let client = send::client(options.delivery_timeout).map_err(io::Error::other)?;
        let handle = runtime.handle().clone();
        let app = Arc::new(App::new(options, base_url, other_host, client, handle));
        let _entered = runtime.enter();
        serve(main, routes(&app))?;
        serve(
            other,
            Router::new()
                .fallback(at_other_host)
                .with_state(Arc::clone(&app)),
        )?;
        Ok(Self {
            app,
            runtime: Some(runtime),
        })
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.app.base_url
    }

    /// Where redirects lead: another name and port, which answers 200 to everything.
    /// Its requests stand in the log with `other_host`.
    pub fn other_host(&self) -> &str {
        &self.app.other_host
    }

    /// What a complete read of `[since, until)` must give; `None` is an open end.
    pub fn truth(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> Truth {
        let view = self.app.data.view();
        Truth::new(
            view,
            since.map(micros),
            until.map(micros),
            Filter::default(),
        )
    }

    /// What a complete read of everything must give.
    pub fn all(&self) -> Truth {
        self.truth(None, None)
    }

    /// Arms a fault, behind those that are armed already.
    pub fn inject(&self, fault: Fault) {
        self.app.faults.arm(fault);
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// From now on every answer waits so long.
    pub fn set_latency(&self, latency: Duration) {
        self.app.set_latency(latency);
    }

    /// The requests so far, control calls excluded; the last 100,000.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.app.log.all()
    }

    /// Empties the log.
    pub fn clear_requests(&self) {
        self.app.log.clear();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Does not wait: the drop may happen in another runtime's task.
            runtime.shutdown_background();
        }
    }
}

fn routes(app: &Arc<App>) -> Router {
    // A separate service, so that the layer also sees paths without a route.
    let systems = Router::new()
        .merge(health::routes())
        .merge(billing::routes(app))
        .merge(curae::routes(app))
        .merge(tv::routes(app))
        .layer(from_fn_with_state(Arc::clone(app), apply::layer))
        .with_state(Arc::clone(app));
    Router::new()
        .nest("/_sim", control::routes())
        .with_state(Arc::clone(app))
        .fallback_service(systems)
}

fn serve(listener: StdListener, router: Router) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = ResettableListener(TcpListener::from_std(listener)?);
    let service = router.into_make_service_with_connect_info::<Connection>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(())
}

/// A valid answer, for a client that wrongly follows a redirect.
async fn at_other_host(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let entry = LoggedRequest::new(true, &parts, &[]);
    let number = app.log.arrived(entry);
    app.log.answered(number, Some(200), None);
    let page = r#"{"events":[],"page":{"limit":100,"has_more":false,"next_cursor":null}}"#;
    ([("content-type", "application/json")], page).into_response()
}
