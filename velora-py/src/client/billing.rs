//! Velora Billing.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use velora_core::billing::{
    Client, CsvRow, CsvRows, DeliveryQuery, JournalFormat, LoggedDelivery, Progress, ReconRun,
    ReconSummary, RefireReport, Refired, Retried, Sweep, WhyNot,
};

use super::{Reports, keyed, lists, pages, rate_limit};
use crate::argument::argument;
use crate::call::Call;
use crate::errors::{Result, api_error};
use crate::number::Whole;
use crate::options::Options;
use crate::process::PerProcess;
use crate::record::{extra, record};
use crate::stream::Stream;
use crate::text::{Lossy, Text};
use crate::{json, time};

/// The native part of the clients of `velora.billing`.
#[pyclass(frozen, module = "velora._velora")]
pub(crate) struct Billing(Arc<PerProcess<Client>>);

#[pymethods]
impl Billing {
    #[new]
    #[pyo3(signature = (api_key, **options))]
    fn new(api_key: &Bound<'_, PyAny>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let Lossy(key) = argument("api_key", api_key)?;
        Ok(Self(keyed(key, Options::read(options)?, Client::builder)?))
    }

    fn close(&self) {
        self.0.close();
    }

    fn rate_limit<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        rate_limit(py, self.0.get()?.rate_limit())
    }

    fn recon_summary(&self) -> Result<Call> {
        let client = self.0.get()?;
        Ok(Call::new(
            async move { client.recon_summary().await },
            show_summary,
        ))
    }

    fn run_recon(&self, invoice_id: Text, run_key: Text) -> Result<Call> {
        let client = self.0.get()?;
        Ok(Call::new(
            async move { client.run_recon(&invoice_id, &run_key).await },
            show_run,
        ))
    }

    fn audit_csv(&self, run_id: Text) -> Result<Stream> {
        let client = Arc::clone(&self.0);
        Ok(rows(move || Ok(client.get()?.audit_csv(&run_id))))
    }

    fn journal_csv(&self, path: Text, format: &str) -> Result<Stream> {
        let format: JournalFormat = format.parse()?;
        let client = Arc::clone(&self.0);
        Ok(rows(move || Ok(client.get()?.journal_csv(&path, format))))
    }

    #[pyo3(signature = (endpoint_id, *, status, limit, cursor))]
    fn deliveries(
        &self,
        endpoint_id: Text,
        status: Option<Text>,
        limit: Option<Whole>,
        cursor: Option<Text>,
    ) -> Result<Stream> {
        let mut query = DeliveryQuery::new(endpoint_id.0);
        if let Some(status) = status {
            query = query.with_status(status.0.into());
        }
        if let Some(limit) = limit {
            query = query.with_limit(limit.fit("limit")?)?;
        }
        if let Some(cursor) = cursor {
            query = query.with_cursor(cursor.0)?;
        }
        let client = Arc::clone(&self.0);
        let make = move || Ok(client.get()?.deliveries(query).pages());
        Ok(pages(make, show_delivery))
    }

    fn retry_delivery(&self, id: Text) -> Result<Call> {
        let client = self.0.get()?;
        Ok(Call::new(
            async move { client.retry_delivery(&id).await },
            |py, retried| Ok(show_retried(py, &retried)?.unbind()),
        ))
    }

    #[pyo3(signature = (endpoint_id, *, writes_per_minute, on_progress))]
    fn refire_failed(
        &self,
        endpoint_id: Text,
        writes_per_minute: Option<Whole>,
        on_progress: Option<Py<PyAny>>,
    ) -> Result<Call> {
        let mut sweep = Sweep::new(endpoint_id.0);
        if let Some(writes) = writes_per_minute {
            sweep = sweep.with_writes_per_minute(writes.fit("writes_per_minute")?)?;
        }
        let (reports, told) = Reports::to(on_progress, show_progress);
        let sweep = sweep.on_progress(move |progress| reports.tell(progress));
        let client = self.0.get()?;
        let work = async move { client.refire_failed(sweep).await };
        Ok(Call::reporting(work, told, show_report))
    }

    fn base_url(&self) -> Result<String> {
        Ok(self.0.get()?.base_url().as_str().to_owned())
    }
}

fn rows(make: impl FnOnce() -> Result<CsvRows> + Send + 'static) -> Stream {
    Stream::new(
        move || Ok(lists(make()?)),
        |py, rows: &Vec<CsvRow>| {
            let rows = rows.iter().map(|row| {
                let dict = PyDict::new(py);
                for (column, field) in row.iter() {
                    if !dict.contains(column)? {
                        dict.set_item(column, field)?;
                    }
                }
                Ok(dict)
            });
            let rows = rows.collect::<PyResult<Vec<_>>>()?;
            Ok(record!(py, "velora.paging", "Page", (rows, py.None()))?.unbind())
        },
    )
}

fn show_summary(py: Python<'_>, summary: ReconSummary) -> PyResult<Py<PyAny>> {
    let summary = record!(
        py,
        "velora.billing",
        "ReconSummary",
        (
            summary.pending_tickets,
            summary.urgent_tickets,
            summary.open_disputes,
            time::datetime(py, summary.last_invoice_at)?,
            time::datetime(py, summary.last_recon_at)?,
            time::datetime(py, summary.as_of)?,
            extra(py, &summary.extra)?,
        )
    );
    Ok(summary?.unbind())
}

fn show_run(py: Python<'_>, run: ReconRun) -> PyResult<Py<PyAny>> {
    let response = json::answer(py, run.response.as_ref())?;
    Ok(record!(py, "velora.billing", "ReconRun", (run.run_id, response))?.unbind())
}

fn show_delivery(py: Python<'_>, delivery: &LoggedDelivery) -> PyResult<Py<PyAny>> {
    let delivery = record!(
        py,
        "velora.billing",
        "LoggedDelivery",
        (
            &delivery.id,
            delivery.status.as_str(),
            delivery.status_code,
            delivery.duration,
            &delivery.error_message,
            delivery.retryable,
            &delivery.retry_of_id,
            extra(py, &delivery.extra)?,
        )
    );
    Ok(delivery?.unbind())
}

fn show_retried<'py>(py: Python<'py>, retried: &Retried) -> PyResult<Bound<'py, PyAny>> {
    let fields = (
        &retried.delivery_id,
        retried.status.as_str(),
        retried.status_code,
    );
    record!(
        py,
        "velora.billing",
        "Retried",
        (fields.0, fields.1, fields.2)
    )
}

fn show_progress(py: Python<'_>, progress: Progress) -> PyResult<Bound<'_, PyAny>> {
    record!(
        py,
        "velora.billing",
        "Progress",
        (
            progress.total,
            progress.refired,
            progress.failed_again,
            progress.not_refired,
        )
    )
}

fn show_report(py: Python<'_>, report: RefireReport) -> PyResult<Py<PyAny>> {
    let refired = |refired: &[Refired]| {
        let shown = refired.iter().map(|each| {
            let attempt = show_retried(py, &each.attempt)?;
            record!(py, "velora.billing", "Refired", (&each.of_id, attempt))
        });
        PyTuple::new(py, shown.collect::<PyResult<Vec<_>>>()?)
    };
    let not_refired = report.not_refired.iter().map(|each| {
        let (why, error) = match &each.why {
            WhyNot::Refused(error) => ("refused", Some(api_error(py, error)?)),
            WhyNot::Unknown(error) => ("unknown", Some(api_error(py, error)?)),
            _ => ("not_retryable", None),
        };
        record!(
            py,
            "velora.billing",
            "NotRefired",
            (&each.of_id, why, error)
        )
    });
    let not_refired = PyTuple::new(py, not_refired.collect::<PyResult<Vec<_>>>()?)?;
    let stopped = report.stopped.as_ref();
    let report = record!(
        py,
        "velora.billing",
        "RefireReport",
        (
            refired(&report.refired)?,
            refired(&report.failed_again)?,
            not_refired,
            stopped.map(|error| api_error(py, error)).transpose()?,
            PyTuple::new(py, &report.left)?,
        )
    );
    Ok(report?.unbind())
}
