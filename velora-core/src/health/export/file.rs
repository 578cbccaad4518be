//! Exports into a file, that go on where they were cut off.
//!
//! Rows are written leaf by leaf. A leaf counts once its line in the checkpoint is on
//! the disk, and that line is written only when its rows are. Whatever stands in the
//! file behind the last leaf that counts is cut off before going on.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::journal::{Journal, Opened};
use super::manifest::Manifest;
use super::query::ExportQuery;
use super::run::{Block, Blocks};
use crate::error::{Error, FileError};
use crate::health::Client;

impl Client {
    /// Exports a window whole into a file of NDJSON, the rows as the system wrote them,
    /// oldest first, and gives the proof.
    ///
    /// Killed at any point and called again, it reads what it has written, checks it and
    /// goes on: the file will hold the same bytes as if nothing had happened. While it
    /// runs, `<path>.checkpoint` stands beside the file; in the end `<path>.manifest.json`
    /// does. Called once more, it gives the manifest and asks for nothing. On Unix all of
    /// them are made with mode 0600, for their owner alone; a file that is there keeps its
    /// mode.
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
    /// Errors: those of [`export`](Self::export), after which a further call goes on;
    /// `file_unusable`, also where another process is at it; `file_mismatch` where the
    /// file exists and is not of this export: of another window, filter or base URL, or, of
    /// one that was cut off, no longer as it was written. An edit that keeps a finished
    /// file's length is seen by [`Manifest::verify`] alone, and an API key of another tenant
    /// by nobody.
    pub async fn export_to_file(
        &self,
        query: ExportQuery,
        path: impl AsRef<Path>,
    ) -> Result<Manifest, Error> {
        let path = path.as_ref().to_owned();
        let (window, phi_involved) = (query.window, query.phi_involved);
        let opened = blocking(&path, {
            let path = path.clone();
            let base_url = self.api.base_url().as_str().to_owned();
            move || Journal::open(&path, &base_url, window, phi_involved)
        })
        .await?;
        let mut journal = match opened {
            Opened::Complete(manifest) => return Ok(manifest),
            Opened::Journal(journal) => journal,
        };
        let blocks = Blocks::new(self.api.clone(), query);
        let mut blocks = blocks.resume(
            journal.done_until(),
            journal.rows(),
            journal.leaves().len().try_into().unwrap_or(u64::MAX),
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
        journal.end_of_leaf(at(block.leaf.until))?;
    }
    Ok(Box::new(journal))
}

/// Disks are waited for elsewhere: the leaves that follow keep coming in.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    let path: PathBuf = path.to_owned();
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(FileError::unusable(&path, "written")(error)),
    }
}
