//! The proof of an export.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::FileError;

pub(crate) const FORMAT: u32 = 1;

/// The proof of an export: the leaves that tile its window, and what each of them holds.
/// A leaf is a window that was read completely in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The version of the manifest format.
    pub format: u32,
    /// The base URL that the rows came from. The tenant is not recorded: the API key
    /// decided it.
    pub base_url: String,
    /// The start of the window.
    pub since: Timestamp,
    /// The end of the window, exclusive.
    pub until: Timestamp,
    /// Up to here the window was over when it was read. It is `until`, unless the window ended in
    /// the future: what happened from here on may be missing.
    pub complete_until: Timestamp,
    /// The filter: `None` if both kinds of events were exported.
    pub phi_involved: Option<bool>,
    /// How many rows there are.
    pub rows: u64,
    /// How many bytes the file has.
    pub bytes: u64,
    /// The leaves, in order of time and of their place in the file.
    pub leaves: Vec<LeafProof>,
}

/// A part of an export that was read completely in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeafProof {
    /// The first instant in it.
    pub since: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// How many rows it holds.
    pub rows: u64,
    /// How many bytes of the file these rows take, line ends included.
    pub bytes: u64,
    /// The id of its first row.
    pub first_id: Option<String>,
    /// The id of its last row.
    pub last_id: Option<String>,
    /// The SHA-256 of those bytes, in hex.
    pub sha256: String,
}

impl Manifest {
    /// Reads the manifest of an exported file.
    ///
    /// Errors: `file_unusable` if there is none, `file_mismatch` if the file found is not a
    /// manifest.
    pub fn read(exported: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = beside(exported.as_ref(), "manifest.json");
        let text = fs::read(&path).map_err(FileError::unusable(&path, "read"))?;
        serde_json::from_slice(&text)
            .map_err(|_| FileError::mismatch(&path, "it is not a manifest"))
    }

    /// Checks that the leaves tile the window, and that the file holds exactly their rows: all
    /// that the system had up to [`complete_until`](Self::complete_until).
    ///
    /// Errors: `file_unusable`, `file_mismatch`.
    pub fn verify(&self, exported: impl AsRef<Path>) -> Result<(), FileError> {
        let path = exported.as_ref();
        let mismatch = |reason| Err(FileError::mismatch(path, reason));
        let file = File::open(path).map_err(FileError::unusable(path, "read"))?;
        let mut reader = std::io::BufReader::with_capacity(1 << 20, file);
        let until = check_leaves(path, &mut reader, self.since, &self.leaves)?;
        let rows = self.leaves.iter().map(|leaf| leaf.rows).sum::<u64>();
        let rest = std::io::copy(&mut reader, &mut std::io::sink())
            .map_err(FileError::unusable(path, "read"))?;
        if until != self.until || rows != self.rows || rest > 0 {
            return mismatch("its leaves do not add up to the whole");
        }
        Ok(())
    }
}

/// Checks that a file holds these leaves, and that they tile a window from `since` on. Returns
/// where they end.
///
/// Errors: `file_unusable`, `file_mismatch`.
pub(crate) fn check_leaves(
    path: &Path,
    reader: &mut impl Read,
    since: Timestamp,
    leaves: &[LeafProof],
) -> Result<Timestamp, FileError> {
    let mut until = since;
    for leaf in leaves {
        if leaf.since != until || leaf.until < until {
            return Err(FileError::mismatch(
                path,
                "its leaves do not tile the window",
            ));
        }
        let mut part = Hashing::default();
        let copied = std::io::copy(&mut reader.by_ref().take(leaf.bytes), &mut part)
            .map_err(FileError::unusable(path, "read"))?;
        if copied != leaf.bytes || hex(part.hash) != leaf.sha256 || part.lines != leaf.rows {
            return Err(FileError::mismatch(
                path,
                "a leaf does not match what was written",
            ));
        }
        until = leaf.until;
    }
    Ok(until)
}

/// Hashes what is written to it, and counts its lines.
#[derive(Default)]
pub(crate) struct Hashing {
    pub(crate) hash: Sha256,
    pub(crate) lines: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.hash.update(bytes);
        let lines = memchr::memchr_iter(b'\n', bytes).count();
        self.lines = self
            .lines
            .saturating_add(lines.try_into().unwrap_or(u64::MAX));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// `<file>.<suffix>`
pub(crate) fn beside(data: &Path, suffix: &str) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

pub(crate) fn hex(hash: Sha256) -> String {
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
