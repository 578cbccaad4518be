//! Velora Billing: reconciliation, and the delivery log.

use napi::Env;
use napi::bindgen_prelude::{Function, PromiseRaw, Result};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use velora_core::api::{Items, Pages};
use velora_core::billing::{Client, CsvRows, DeliveryQuery, DeliveryStatus, LoggedDelivery, Sweep};
use velora_core::{ApiError, ApiKey, ConfigError, Error};

use super::billing_parts::{
    DeliveryPageParts, ReconRunParts, ReconSummaryParts, RefireProgressParts, RefireReportParts,
    RetriedParts,
};
use super::extra::Pairs;
use super::options::{ClientParts, RateLimitParts};
use super::streams::{Held, Stream};
use crate::cancel::{NativeCancel, promise};
use crate::failure::{Answer, answer};
use crate::number::whole;

/// A client of the integration API.
#[napi]
pub struct NativeBilling {
    client: Client,
}

#[napi]
impl NativeBilling {
    #[napi(catch_unwind)]
    pub fn create(api_key: String, parts: ClientParts) -> Answer<NativeBilling> {
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
    pub fn recon_summary<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<ReconSummaryParts>>> {
        let client = self.client.clone();
        promise(env, cancel, async move {
            client.recon_summary().await.map(ReconSummaryParts::from)
        })
    }

    #[napi(catch_unwind)]
    pub fn run_recon<'env>(
        &self,
        env: &'env Env,
        invoice_id: String,
        run_key: String,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<ReconRunParts>>> {
        let client = self.client.clone();
        promise(env, cancel, async move {
            let run = client.run_recon(&invoice_id, &run_key).await;
            run.map(ReconRunParts::from)
        })
    }

    #[napi(catch_unwind)]
    pub fn audit_csv(&self, run_id: String) -> NativeCsvRows {
        NativeCsvRows {
            rows: Held::new(self.client.audit_csv(&run_id)),
        }
    }

    /// Errors: `invalid_option` if the format is neither `qbo` nor `netsuite`.
    #[napi(catch_unwind)]
    pub fn journal_csv(&self, path: String, format: String) -> Answer<NativeCsvRows> {
        answer(format.parse().map(|format| NativeCsvRows {
            rows: Held::new(self.client.journal_csv(&path, format)),
        }))
    }

    /// Errors: `invalid_option` if the limit is out of its range, or the cursor is empty.
    #[napi(catch_unwind)]
    pub fn deliveries(
        &self,
        endpoint_id: String,
        status: Option<String>,
        limit: Option<f64>,
        cursor: Option<String>,
    ) -> Answer<NativeDeliveryPages> {
        let pages = || {
            let mut query = DeliveryQuery::new(endpoint_id);
            if let Some(status) = status {
                query = query.with_status(DeliveryStatus::from(status));
            }
            if let Some(limit) = limit {
                query = query.with_limit(whole("limit", limit)?)?;
            }
            if let Some(cursor) = cursor {
                query = query.with_cursor(cursor)?;
            }
            let items: Items<LoggedDelivery> = self.client.deliveries(query);
            Ok::<_, ConfigError>(NativeDeliveryPages {
                pages: Held::new(items.pages()),
            })
        };
        answer(pages())
    }

    #[napi(catch_unwind)]
    pub fn retry_delivery<'env>(
        &self,
        env: &'env Env,
        id: String,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<RetriedParts>>> {
        let client = self.client.clone();
        promise(env, cancel, async move {
            client.retry_delivery(&id).await.map(RetriedParts::from)
        })
    }

    #[napi(catch_unwind)]
    pub fn refire_failed<'env>(
        &self,
        env: &'env Env,
        endpoint_id: String,
        writes_per_minute: Option<f64>,
        progress: Option<Function<'_, RefireProgressParts, ()>>,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<RefireReportParts>>> {
        let client = self.client.clone();
        let tell = progress
            .map(|progress| progress.build_threadsafe_function().weak::<true>().build())
            .transpose()?;
        promise(env, cancel, async move {
            let mut sweep = Sweep::new(endpoint_id);
            if let Some(writes) = writes_per_minute {
                sweep = sweep.with_writes_per_minute(whole("writesPerMinute", writes)?)?;
            }
            if let Some(tell) = tell {
                sweep = sweep.on_progress(move |progress| {
                    // Once the environment ends nobody wants to know.
                    let _ = tell.call(progress.into(), ThreadsafeFunctionCallMode::NonBlocking);
                });
            }
            let report = client.refire_failed(sweep).await?;
            Ok::<_, Error>(RefireReportParts::from(report))
        })
    }
}

impl Stream for Pages<LoggedDelivery> {
    type Item = DeliveryPageParts;

    async fn next(&mut self) -> Option<std::result::Result<DeliveryPageParts, ApiError>> {
        let page = Pages::next(self).await?;
        Some(page.map(|page| DeliveryPageParts {
            next_cursor: page.next_cursor().map(str::to_owned),
            items: page.into_items().into_iter().map(Into::into).collect(),
        }))
    }
}

impl Stream for CsvRows {
    type Item = Pairs;

    async fn next(&mut self) -> Option<std::result::Result<Pairs, ApiError>> {
        let row = CsvRows::next(self).await?;
        let owned = |(name, field): (&str, &str)| (name.to_owned(), field.to_owned());
        Some(row.map(|row| row.iter().map(owned).collect()))
    }
}

/// Pages of the delivery log.
#[napi]
pub struct NativeDeliveryPages {
    pages: Held<Pages<LoggedDelivery>>,
}

#[napi]
impl NativeDeliveryPages {
    /// The next page; null at the end.
    #[napi(catch_unwind)]
    pub fn next<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<Option<DeliveryPageParts>>>> {
        self.pages.next(env, cancel)
    }

    #[napi(catch_unwind)]
    pub fn close<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, ()>> {
        self.pages.close(env)
    }
}

/// The rows of a CSV file.
#[napi]
pub struct NativeCsvRows {
    rows: Held<CsvRows>,
}

#[napi]
impl NativeCsvRows {
    /// The next row, as pairs of a column's name and the field; null at the end.
    #[napi(catch_unwind)]
    pub fn next<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<Option<Pairs>>>> {
        self.rows.next(env, cancel)
    }

    #[napi(catch_unwind)]
    pub fn close<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, ()>> {
        self.rows.close(env)
    }
}
