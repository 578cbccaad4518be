//! Velora Health: exports.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Function, PromiseRaw, Result, ToNapiValue, spawn_blocking};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use velora_core::health::{Export, ExportQuery, LeafProof, Manifest, Progress, RawEvent, Window};
use velora_core::{ApiError, ConfigError, Error, FileError};

use super::events_text::EventsText;
use super::health::NativeHealth;
use super::streams::{Held, Stream};
use crate::cancel::{NativeCancel, promise};
use crate::failure::{Answer, Failure, answer};
use crate::number::whole;

/// How many rows are handed over at once: enough to make the crossing cheap, few enough
/// not to block the event loop.
const CHUNK: usize = 1_000;

/// Which events to export.
#[napi(object, object_to_js = false)]
pub struct ExportQueryParts {
    pub since: String,
    pub until: String,
    pub phi_involved: Option<bool>,
    pub concurrency: Option<f64>,
}

/// The result of one export call.
#[napi(object, object_from_js = false)]
pub struct ExportedOnceParts {
    /// `yes`, `no` or `unknown`.
    pub truncation: &'static str,
    pub events: EventsText,
}

/// The progress of an export.
#[napi(object, object_from_js = false)]
pub struct ProgressParts {
    pub since: String,
    pub until: String,
    pub done_until: String,
    pub rows: f64,
    pub leaves: f64,
    pub calls: f64,
}

/// The contents of a manifest.
#[napi(object, object_from_js = false)]
pub struct ManifestParts {
    pub format: u32,
    pub base_url: String,
    pub since: String,
    pub until: String,
    pub complete_until: String,
    pub phi_involved: Option<bool>,
    pub rows: f64,
    pub bytes: f64,
    pub leaves: Vec<LeafParts>,
}

/// A part of an export that was read completely in one go.
#[napi(object, object_from_js = false)]
pub struct LeafParts {
    pub since: String,
    pub until: String,
    pub rows: f64,
    pub bytes: f64,
    pub first_id: Option<String>,
    pub last_id: Option<String>,
    pub sha256: String,
}

#[napi]
impl NativeHealth {
    #[napi(catch_unwind)]
    pub fn export(
        &self,
        query: ExportQueryParts,
        progress: Option<Function<'_, ProgressParts, ()>>,
    ) -> Result<Answer<NativeExport>> {
        Ok(answer(match query.read(progress)? {
            Ok(query) => Ok::<_, Failure>(NativeExport {
                rows: Held::new(self.client.export(query).raw()),
            }),
            Err(error) => Err(error.into()),
        }))
    }

    #[napi(catch_unwind)]
    pub fn export_once<'env>(
        &self,
        env: &'env Env,
        query: ExportQueryParts,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<ExportedOnceParts>>> {
        let client = self.client.clone();
        let query = query.read(None)?;
        promise(env, cancel, async move {
            let exported = client.export_once(query?).await?;
            Ok::<_, Error>(ExportedOnceParts {
                truncation: exported.truncation().as_str(),
                events: EventsText::of(exported.raw()),
            })
        })
    }

    #[napi(catch_unwind)]
    pub fn export_to_file<'env>(
        &self,
        env: &'env Env,
        query: ExportQueryParts,
        path: String,
        progress: Option<Function<'_, ProgressParts, ()>>,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<NativeManifest>>> {
        let client = self.client.clone();
        let query = query.read(progress)?;
        promise(env, cancel, async move {
            let manifest = client.export_to_file(query?, path).await?;
            Ok::<_, Error>(NativeManifest::from(manifest))
        })
    }
}

/// The proof of an export.
#[napi]
pub struct NativeManifest {
    manifest: Arc<Manifest>,
}

#[napi]
impl NativeManifest {
    /// Reads the manifest of an exported file.
    ///
    /// Errors: `file_unusable`, `file_mismatch`.
    #[napi(catch_unwind)]
    pub fn read<'env>(
        env: &'env Env,
        path: String,
    ) -> Result<PromiseRaw<'env, Answer<NativeManifest>>> {
        reading(env, || Manifest::read(path).map(NativeManifest::from))
    }

    #[napi(getter, catch_unwind)]
    pub fn parts(&self) -> ManifestParts {
        ManifestParts::from(&*self.manifest)
    }

    /// Checks a file against the manifest.
    ///
    /// Errors: `file_unusable`, `file_mismatch`.
    #[napi(catch_unwind)]
    pub fn verify<'env>(
        &self,
        env: &'env Env,
        path: String,
    ) -> Result<PromiseRaw<'env, Answer<()>>> {
        let manifest = Arc::clone(&self.manifest);
        reading(env, move || manifest.verify(path))
    }
}

/// Reads files on a thread that may block.
fn reading<'env, T>(
    env: &'env Env,
    read: impl FnOnce() -> std::result::Result<T, FileError> + Send + 'static,
) -> Result<PromiseRaw<'env, Answer<T>>>
where
    T: Send + 'static,
    Answer<T>: ToNapiValue,
{
    env.spawn_future(async move {
        let read = spawn_blocking(read).await;
        let read = read.map_err(|_| napi::Error::from_reason("reading was interrupted"))?;
        Ok(answer(read))
    })
}

impl Stream for Export<RawEvent> {
    type Item = EventsText;

    async fn next(&mut self) -> Option<std::result::Result<EventsText, ApiError>> {
        let rows = self.next_chunk(CHUNK).await?;
        Some(rows.map(|rows| EventsText::of(rows.into_iter())))
    }
}

/// The rows of an export.
#[napi]
pub struct NativeExport {
    rows: Held<Export<RawEvent>>,
}

#[napi]
impl NativeExport {
    /// The next rows; null at the end.
    #[napi(catch_unwind)]
    pub fn next<'env>(
        &self,
        env: &'env Env,
        cancel: Option<&NativeCancel>,
    ) -> Result<PromiseRaw<'env, Answer<Option<EventsText>>>> {
        self.rows.next(env, cancel)
    }

    #[napi(catch_unwind)]
    pub fn close<'env>(&self, env: &'env Env) -> Result<PromiseRaw<'env, ()>> {
        self.rows.close(env)
    }
}

impl ExportQueryParts {
    fn read(
        self,
        progress: Option<Function<'_, ProgressParts, ()>>,
    ) -> Result<std::result::Result<ExportQuery, ConfigError>> {
        let tell = progress
            .map(|progress| progress.build_threadsafe_function().weak::<true>().build())
            .transpose()?;
        let query = || {
            let mut query = ExportQuery::new(Window::parse(&self.since, &self.until)?);
            if let Some(phi_involved) = self.phi_involved {
                query = query.with_phi_involved(phi_involved);
            }
            if let Some(concurrency) = self.concurrency {
                query = query.with_concurrency(whole("concurrency", concurrency)?)?;
            }
            Ok(match tell {
                Some(tell) => query.on_progress(move |progress| {
                    // Once the environment ends nobody wants to know.
                    let _ = tell.call(progress.into(), ThreadsafeFunctionCallMode::NonBlocking);
                }),
                None => query,
            })
        };
        Ok(query())
    }
}

impl From<Progress> for ProgressParts {
    fn from(progress: Progress) -> Self {
        Self {
            since: progress.window.since().to_string(),
            until: progress.window.until().to_string(),
            done_until: progress.done_until.to_string(),
            rows: progress.rows as f64,
            leaves: progress.leaves as f64,
            calls: progress.calls as f64,
        }
    }
}

impl From<Manifest> for NativeManifest {
    fn from(manifest: Manifest) -> Self {
        Self {
            manifest: Arc::new(manifest),
        }
    }
}

impl From<&Manifest> for ManifestParts {
    fn from(manifest: &Manifest) -> Self {
        Self {
            format: manifest.format,
            base_url: manifest.base_url.clone(),
            since: manifest.since.to_string(),
            until: manifest.until.to_string(),
            complete_until: manifest.complete_until.to_string(),
            phi_involved: manifest.phi_involved,
            rows: manifest.rows as f64,
            bytes: manifest.bytes as f64,
            leaves: manifest.leaves.iter().map(LeafParts::from).collect(),
        }
    }
}

impl From<&LeafProof> for LeafParts {
    fn from(leaf: &LeafProof) -> Self {
        Self {
            since: leaf.since.to_string(),
            until: leaf.until.to_string(),
            rows: leaf.rows as f64,
            bytes: leaf.bytes as f64,
            first_id: leaf.first_id.clone(),
            last_id: leaf.last_id.clone(),
            sha256: leaf.sha256.clone(),
        }
    }
}
