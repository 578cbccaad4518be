//! Exports into a file, which resume where they were interrupted.
//!
//! Rows are written leaf by leaf. A leaf counts once its line in the checkpoint is on
//! the disk, and that line is written only after the leaf's rows are on the disk. To
//! resume, everything in the file after the last leaf that counts is cut off.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::runtime::Handle;

use super::journal::{Journal, Opened};
use super::manifest::Manifest;
use super::query::ExportQuery;
use super::run::{Block, Blocks};
use crate::api::running;
use crate::error::{Error, FileError};
use crate::health::Client;

impl Client {
    /// Exports a window completely into an NDJSON file, and returns the proof. Rows are
    /// oldest first, each on one line, in the system's own text.
    ///
    /// If the process is killed at any point, call it again: it checks what it has written
    /// and resumes behind the last leaf, a window of up to 10,000 rows, that was on the disk.
    /// The file ends up with the same bytes as without the interruption.
    /// While it runs, `<path>.checkpoint` is next to the file; at the end it is replaced by
    /// `<path>.manifest.json`. If the export is finished already, it returns the manifest
    /// and sends no request. On Unix all three files are created with mode 0600; an existing
    /// file keeps its mode.
    ///
    /// If the window ends in the future, the file has the events so far, the manifest says up to
    /// when ([`Manifest::complete_until`]), and the checkpoint stays: another call replaces what
    /// had not ended yet. The client's clock decides, or that of the system, by the `Date` of
    /// its responses, if it is behind. For a file that stays as it is, let the window end in the
    /// past.
    ///
    /// ```no_run
    /// # use velora_core::health::{Client, ExportQuery, Window};
    /// # async fn read(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let window = Window::new("2026-05-01T00:00:00Z".parse()?, "2026-05-08T00:00:00Z".parse()?)?;
    /// let manifest = client.export_to_file(ExportQuery::new(window), "may.ndjson").await?;
    /// println!("{} rows in {} leaves", manifest.rows, manifest.leaves.len());
    /// # Ok(()) }
    /// ```
    ///
    /// Errors:
    ///
    /// - those of [`export`](Self::export); another call resumes;
    /// - `file_unusable`, also if another export to the file goes on for more than 5 s;
    /// - `file_mismatch` if what is there is not part of this export: it has another window, filter
    ///   or base URL, or an unfinished file was changed after it was written; or if one of the
    ///   three files is gone that this export left.
    ///
    /// Two mistakes are not detected here. An edit that keeps a finished file's length is
    /// found only by [`Manifest::verify`]. An API key of another tenant is not found at all.
    pub async fn export_to_file(
        &self,
        query: ExportQuery,
        path: impl AsRef<Path>,
    ) -> Result<Manifest, Error> {
        running(self.api.runtime())?;
        let path = path.as_ref().to_owned();
        let (window, phi_involved) = (query.window, query.phi_involved);
        let now = self.api.runtime().now().as_millis();
        let now = Timestamp::from_millisecond(now).unwrap_or(Timestamp::MIN);
        let opened = blocking(&path, {
            let path = path.clone();
            let base_url = self.api.base_url().as_str().to_owned();
            move || Journal::open(&path, &base_url, window, phi_involved, now)
        })
        .await?;
        let mut journal = match opened {
            Opened::Complete(manifest) => return Ok(manifest),
            Opened::Journal(journal) => journal,
        };
        let blocks = Blocks::new(self.api.clone(), query);
        let mut blocks = blocks.resume(
            journal.done_until(),
            journal.known(),
            (journal.rows(), journal.leaves()),
        );
        while let Some(block) = futures_util::StreamExt::next(&mut blocks).await {
            let block = block?;
            journal = blocking(&path, move || write(*journal, block)).await?;
        }
        Ok(blocking(&path, move || journal.finish()).await?)
    }
}

fn write(mut journal: Journal, block: Block) -> Result<Box<Journal>, FileError> {
    journal.rows_of_leaf(block.rows.texts())?;
    if block.ends {
        let at = |micros| Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
        journal.end_of_leaf(at(block.leaf.until), block.known, block.as_of)?;
    }
    Ok(Box::new(journal))
}

/// Disk writes run on another thread, so that the next leaves keep arriving.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    let path: PathBuf = path.to_owned();
    // A client with a runtime of its own may be called outside of tokio.
    let Ok(tokio) = Handle::try_current() else {
        return work();
    };
    match tokio.spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(FileError::unusable(&path, "written")(error)),
    }
}
