//! The clients: each method gives a `Call` to wait for or to await, or a `Stream`.

mod billing;
mod curae;
mod health;
mod tv;

pub(crate) use billing::Billing;
pub(crate) use curae::Curae;
pub(crate) use health::Health;
pub(crate) use tv::Tv;

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};
use futures_util::stream::{Stream as CoreStream, StreamExt};
use pyo3::prelude::*;
use tokio::sync::mpsc;
use velora_core::ApiError;
use velora_core::api::{Pages, RateLimit};

use crate::call::{Call, Stream};
use crate::errors::Failure;
use crate::record::record;
use crate::time;

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

/// Pages whose items are shown one by one.
fn pages<T: Send + Unpin + 'static>(
    pages: Pages<T>,
    show: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
) -> Stream {
    let pages = pages.map(move |page| {
        page.map(|page| {
            let cursor = page.next_cursor().map(str::to_owned);
            (page.into_items(), cursor, show)
        })
    });
    Stream::new(pages, |py, (items, cursor, show)| {
        let items = items.into_iter().map(|item| show(py, item));
        let items = items.collect::<PyResult<Vec<_>>>()?;
        Ok(record!(py, "velora.paging", "Page", (items, cursor))?.unbind())
    })
}

/// How many rows are handed over together.
const ROWS: usize = 1_000;

/// Rows in lists. What came before an error is given before it.
fn lists<T: Send + 'static>(
    rows: impl CoreStream<Item = Result<T, ApiError>> + Send + 'static,
) -> impl CoreStream<Item = Result<Vec<T>, ApiError>> + Send + 'static {
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

/// Tells a function of the caller's how far work has come. What it raises ends the work.
struct Reports {
    callback: Option<Py<PyAny>>,
    raised: mpsc::UnboundedSender<PyErr>,
}

impl Reports {
    fn to(callback: Option<Py<PyAny>>) -> (Self, mpsc::UnboundedReceiver<PyErr>) {
        let (raised, raises) = mpsc::unbounded_channel();
        (Self { callback, raised }, raises)
    }

    fn tell(&self, progress: impl FnOnce(Python<'_>) -> PyResult<Bound<'_, PyAny>>) {
        let Some(callback) = &self.callback else {
            return;
        };
        let told = Python::attach(|py| callback.call1(py, (progress(py)?,)).map(drop));
        if let Err(error) = told {
            // The work has ended if nobody listens.
            let _ = self.raised.send(error);
        }
    }
}

/// Work that reports, until it is done or a report raises.
fn reporting<T, E, F>(
    work: F,
    mut raises: mpsc::UnboundedReceiver<PyErr>,
    show: fn(Python<'_>, T) -> PyResult<Py<PyAny>>,
) -> Call
where
    T: Send + 'static,
    E: Into<Failure> + Send,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    Call::of(async move {
        // A report is heard before the work goes on.
        let raised = pin!(async {
            match raises.recv().await {
                Some(error) => error,
                None => std::future::pending().await,
            }
        });
        match select(raised, pin!(work)).await {
            Either::Left((error, _)) => Err(error),
            Either::Right((done, _)) => {
                let value = done.map_err(|error| PyErr::from(error.into()))?;
                Ok(move |py: Python<'_>| show(py, value))
            }
        }
    })
}
