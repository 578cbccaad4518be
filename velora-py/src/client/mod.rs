//! The clients. Each method returns a `Call`, to wait for or to await, or a `Stream`.

mod billing;
mod curae;
mod health;
mod tv;

pub(crate) use billing::Billing;
pub(crate) use curae::Curae;
pub(crate) use health::Health;
pub(crate) use tv::Tv;

use std::sync::Arc;

use futures_util::stream::{Stream as CoreStream, StreamExt};
use pyo3::prelude::*;
use tokio::sync::mpsc;
use velora_core::api::{ClientBuilder, Pages, RateLimit};
use velora_core::{ApiError, ApiKey};

use crate::call::Report;
use crate::errors::Result;
use crate::options::Options;
use crate::process::PerProcess;
use crate::record::record;
use crate::stream::Stream;
use crate::time;

/// A client with one key.
fn keyed<C: Clone + Send + Sync + 'static>(
    key: impl AsRef<str>,
    options: Options,
    builder: fn(ApiKey) -> ClientBuilder<C>,
) -> Result<Arc<PerProcess<C>>> {
    let key = ApiKey::new(key)?;
    let make = move || options.build(builder(key.clone()));
    Ok(Arc::new(PerProcess::new(make)?))
}

fn rate_limit(py: Python<'_>, limit: RateLimit) -> PyResult<Bound<'_, PyAny>> {
    record!(
        py,
        "velora.api",
        "RateLimit",
        (
            limit.limit,
            limit.remaining,
            time::datetime(py, limit.reset)?,
            time::datetime(py, limit.retry_at)?,
        )
    )
}

/// A stream of pages, whose items are converted one by one.
fn pages<T: Send + Unpin + 'static>(
    make: impl FnOnce() -> Result<Pages<T>> + Send + 'static,
    show: fn(Python<'_>, &T) -> PyResult<Py<PyAny>>,
) -> Stream {
    let make = move || {
        let pages = make()?.map(move |page| {
            page.map(|page| {
                let cursor = page.next_cursor().map(str::to_owned);
                (page.into_items(), cursor, show)
            })
        });
        Ok(pages)
    };
    Stream::new(make, |py, (items, cursor, show)| {
        let items = items.iter().map(|item| show(py, item));
        let items = items.collect::<PyResult<Vec<_>>>()?;
        Ok(record!(py, "velora.paging", "Page", (items, cursor))?.unbind())
    })
}

/// How many rows are handed over together.
const ROWS: usize = 1_000;

/// Rows in lists. Rows that came before an error are returned before it.
fn lists<T: Send + 'static>(
    rows: impl CoreStream<Item = std::result::Result<T, ApiError>> + Send + 'static,
) -> impl CoreStream<Item = std::result::Result<Vec<T>, ApiError>> + Send + 'static {
    rows.ready_chunks(ROWS).flat_map(|chunk| {
        let mut rows = Vec::with_capacity(chunk.len());
        let mut failed = None;
        for row in chunk {
            match row {
                Ok(row) => rows.push(row),
                Err(error) => failed = Some(Err(error)),
            }
        }
        let rows = (!rows.is_empty()).then_some(Ok(rows));
        futures_util::stream::iter(rows.into_iter().chain(failed))
    })
}

/// Reports progress to a function of the caller's. If it raises, the work ends.
struct Reports<P> {
    told: Option<(Arc<Py<PyAny>>, mpsc::UnboundedSender<Report>)>,
    show: fn(Python<'_>, P) -> PyResult<Bound<'_, PyAny>>,
}

impl<P: Send + 'static> Reports<P> {
    fn to(
        callback: Option<Py<PyAny>>,
        show: fn(Python<'_>, P) -> PyResult<Bound<'_, PyAny>>,
    ) -> (Self, mpsc::UnboundedReceiver<Report>) {
        let (tell, reports) = mpsc::unbounded_channel();
        let told = callback.map(|callback| (Arc::new(callback), tell));
        (Self { told, show }, reports)
    }

    fn tell(&self, progress: P) {
        let Some((callback, tell)) = &self.told else {
            return;
        };
        let (callback, show) = (Arc::clone(callback), self.show);
        let report = move |py: Python<'_>| {
            callback.call1(py, (show(py, progress)?,))?;
            Ok(())
        };
        // If nobody listens any more, the work has ended.
        let _ = tell.send(Box::new(report));
    }
}
