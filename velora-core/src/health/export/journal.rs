//! The files of an export: its rows, its checkpoint, its manifest.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Digest;

use super::lock::{look_again, open_and_lock, private};
use super::manifest::{FORMAT, Hashing, LeafProof, Manifest, beside, check_leaves, hex};
use super::plan::Known;
use crate::error::FileError;
use crate::health::page::id_of;
use crate::health::raw_event::one_line;
use crate::health::window::Window;

/// The first line of a checkpoint.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    format: u32,
    base_url: String,
    since: Timestamp,
    until: Timestamp,
    phi_involved: Option<bool>,
}

/// Every other line: a leaf, and what was known once it was read.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    leaf: LeafProof,
    #[serde(flatten)]
    known: Known,
}

/// A file that is being exported to.
pub(crate) struct Journal {
    paths: Paths,
    header: Header,
    leaves: Vec<LeafProof>,
    known: Known,
    data: BufWriter<File>,
    checkpoint: File,
    /// A leaf that ends later may still get events, so it does not count for the next call. The
    /// client's clock, or that of the system if it is behind.
    as_of: Timestamp,
    /// Where the leaves end that count for the next call.
    counted_until: Timestamp,
    /// The leaf that is being written.
    open: Hashing,
    open_bytes: u64,
    first_id: Option<String>,
    last_id: Option<String>,
}

pub(crate) enum Opened {
    /// Nothing is left to do.
    Complete(Manifest),
    Journal(Box<Journal>),
}

/// What is at the path of an export.
enum Found {
    Complete(Manifest),
    /// New or begun, and locked.
    Checkpoint(File),
}

struct Paths {
    data: PathBuf,
    checkpoint: PathBuf,
    manifest: PathBuf,
}

impl Paths {
    fn of(path: &Path) -> Self {
        Self {
            data: path.to_owned(),
            checkpoint: beside(path, "checkpoint"),
            manifest: beside(path, "manifest.json"),
        }
    }

    fn is_complete(&self) -> bool {
        !self.checkpoint.exists() && self.manifest.exists()
    }

    /// Whether no row was ever written, such as by an export that was unauthorized.
    fn are_without_rows(&self) -> Result<bool, FileError> {
        Ok(!self.manifest.exists() && matches!(length(&self.data)?, None | Some(0)))
    }

    /// Whether an export can go on here, or begin. `false` if another one has just begun or
    /// ended, so that what was seen of its files does not fit together.
    fn is_begun_or_new(&self) -> Result<bool, FileError> {
        if self.checkpoint.exists() {
            return Ok(true);
        }
        match check_is_new(&self.data) {
            Err(_) if self.checkpoint.exists() || self.manifest.exists() => Ok(false),
            outcome => outcome.map(|()| true),
        }
    }
}

impl Journal {
    /// Starts an export, or resumes one.
    pub(crate) fn open(
        path: &Path,
        base_url: &str,
        window: Window,
        phi_involved: Option<bool>,
        as_of: Timestamp,
    ) -> Result<Opened, FileError> {
        let header = Header {
            format: FORMAT,
            base_url: base_url.to_owned(),
            since: window.since(),
            until: window.until(),
            phi_involved,
        };
        let paths = Paths::of(path);
        let found = look_again(&paths.checkpoint, || {
            if paths.is_complete() {
                return complete(path, &header).map(Found::Complete).map(Some);
            }
            if !paths.is_begun_or_new()? {
                return Ok(None);
            }
            let locked = open_and_lock(&paths.checkpoint)?;
            Ok(locked.map(Found::Checkpoint))
        })?;
        let checkpoint = match found {
            Found::Complete(manifest) => return Ok(Opened::Complete(manifest)),
            Found::Checkpoint(checkpoint) => checkpoint,
        };
        let lines = read_checkpoint(&paths, &checkpoint, &header)?;
        let lines = match lines {
            Some(lines) => lines,
            // Finished by another export before the lock was taken: the locked file is new.
            None if paths.manifest.exists() => {
                remove_if_there(&paths.checkpoint)?;
                return complete(path, &header).map(Opened::Complete);
            }
            None => {
                check_is_new(&paths.data)?;
                begin(&paths.checkpoint, &checkpoint, &header)?;
                Vec::new()
            }
        };
        let known = lines.last().map_or_else(Known::default, |line| line.known);
        let leaves: Vec<_> = lines.into_iter().map(|line| line.leaf).collect();
        let counted_until = leaves.last().map_or(header.since, |leaf| leaf.until);
        let data = open_data(&paths, &header, &leaves)?;
        Ok(Opened::Journal(Box::new(Self {
            paths,
            header,
            leaves,
            known,
            data: BufWriter::with_capacity(1 << 20, data),
            checkpoint,
            as_of,
            counted_until,
            open: Hashing::default(),
            open_bytes: 0,
            first_id: None,
            last_id: None,
        })))
    }

    pub(crate) fn leaves(&self) -> u64 {
        self.leaves.len().try_into().unwrap_or(u64::MAX)
    }

    pub(crate) fn known(&self) -> Known {
        self.known
    }

    pub(crate) fn rows(&self) -> u64 {
        self.leaves.iter().map(|leaf| leaf.rows).sum()
    }

    /// Everything before this instant is on the disk.
    pub(crate) fn done_until(&self) -> Timestamp {
        let last = self.leaves.last();
        last.map_or(self.header.since, |leaf| leaf.until)
    }

    /// Writes rows of the next leaf.
    pub(crate) fn rows_of_leaf<'r>(
        &mut self,
        rows: impl DoubleEndedIterator<Item = &'r str>,
    ) -> Result<(), FileError> {
        let mut last = None;
        for row in rows {
            if last.is_none() && self.open_bytes == 0 {
                self.first_id = id_of(row).map(Cow::into_owned);
            }
            last = Some(row);
            for part in [one_line(row).as_bytes(), b"\n"] {
                self.data
                    .write_all(part)
                    .map_err(FileError::unusable(&self.paths.data, "written"))?;
                self.open.hash.update(part);
                let bytes = part.len().try_into().unwrap_or(u64::MAX);
                self.open_bytes = self.open_bytes.saturating_add(bytes);
            }
            self.open.lines = self.open.lines.saturating_add(1);
        }
        if let Some(row) = last {
            self.last_id = id_of(row).map(Cow::into_owned);
        }
        Ok(())
    }

    /// Ends a leaf: its rows reach the disk first, then its line.
    pub(crate) fn end_of_leaf(
        &mut self,
        until: Timestamp,
        known: Known,
        as_of: Timestamp,
    ) -> Result<(), FileError> {
        let open = std::mem::take(&mut self.open);
        let leaf = LeafProof {
            since: self.done_until(),
            until: until.min(self.header.until),
            rows: open.lines,
            bytes: std::mem::take(&mut self.open_bytes),
            first_id: self.first_id.take(),
            last_id: self.last_id.take(),
            sha256: hex(open.hash),
        };
        self.data
            .flush()
            .and_then(|()| self.data.get_ref().sync_data())
            .map_err(FileError::unusable(&self.paths.data, "written"))?;
        let line = Line { leaf, known };
        self.as_of = self.as_of.min(as_of);
        if line.leaf.until <= self.as_of {
            append(&self.paths.checkpoint, &self.checkpoint, &line)?;
            self.counted_until = line.leaf.until;
        }
        self.leaves.push(line.leaf);
        Ok(())
    }

    /// Ends the export: the manifest replaces the checkpoint, which stays if the window has not
    /// ended.
    pub(crate) fn finish(self) -> Result<Manifest, FileError> {
        let complete_until = self.counted_until.max(self.as_of.min(self.header.until));
        let manifest = Manifest {
            format: FORMAT,
            base_url: self.header.base_url.clone(),
            since: self.header.since,
            until: self.header.until,
            complete_until,
            phi_involved: self.header.phi_involved,
            rows: self.rows(),
            bytes: bytes_of(&self.leaves),
            leaves: self.leaves,
        };
        let path = &self.paths.manifest;
        let draft = beside(path, "draft");
        let written = || {
            let text = serde_json::to_vec_pretty(&manifest)?;
            let mut file = private().truncate(true).open(&draft)?;
            file.write_all(&text)?;
            file.sync_all()
        };
        written()
            .and_then(|()| fs::rename(&draft, path))
            .and_then(|()| sync_folder(path))
            .map_err(FileError::unusable(path, "written"))?;
        if complete_until == manifest.until {
            remove_if_there(&self.paths.checkpoint)?;
        }
        Ok(manifest)
    }
}

/// The manifest of a finished export, if it is of this one.
fn complete(path: &Path, header: &Header) -> Result<Manifest, FileError> {
    let manifest = Manifest::read(path)?;
    let of = Header {
        format: manifest.format,
        base_url: manifest.base_url.clone(),
        since: manifest.since,
        until: manifest.until,
        phi_involved: manifest.phi_involved,
    };
    let Some(length) = length(path)? else {
        return Err(FileError::mismatch(path, "only its manifest is left"));
    };
    if of != *header || length != manifest.bytes {
        return Err(FileError::mismatch(
            path,
            "it holds another export, or was changed",
        ));
    }
    // The rest would be asked for with the checkpoint.
    if manifest.complete_until < manifest.until {
        return Err(FileError::mismatch(
            path,
            "its window had not ended, and its checkpoint is gone",
        ));
    }
    Ok(manifest)
}

/// A file that has content but no checkpoint belongs to somebody else.
fn check_is_new(path: &Path) -> Result<(), FileError> {
    match length(path)? {
        Some(1..) => Err(FileError::mismatch(path, "it exists without a checkpoint")),
        _ => Ok(()),
    }
}

/// How many bytes a file has; `None` if there is none.
///
/// Errors: `file_unusable` for a folder, or a device such as `/dev/null`.
fn length(path: &Path) -> Result<Option<u64>, FileError> {
    match fs::metadata(path) {
        Ok(data) if data.is_file() => Ok(Some(data.len())),
        Ok(_) => Err(FileError::unusable(path, "used")(
            "it is not a regular file",
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::unusable(path, "read")(error)),
    }
}

/// The leaves that count; `None` if not even the first line is complete, or if there are none,
/// of another export that got no rows at all. An incomplete last line does not count and is
/// removed, but only from a file that is our own checkpoint.
fn read_checkpoint(
    paths: &Paths,
    mut file: &File,
    header: &Header,
) -> Result<Option<Vec<Line>>, FileError> {
    let path = &paths.checkpoint;
    let failed = || FileError::unusable(path, "read");
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(failed())?;
    let damaged = |_| FileError::mismatch(path, "it is not a checkpoint");
    let mut whole = memchr::memrchr(b'\n', &text).map_or(0, |at| at.saturating_add(1));
    let mut lines = text
        .get(..whole)
        .unwrap_or_default()
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let lines = match lines.next() {
        Some(first) => {
            let written: Header = serde_json::from_slice(first).map_err(damaged)?;
            let lines = lines.map(|line| serde_json::from_slice(line).map_err(damaged));
            let lines: Vec<_> = lines.collect::<Result<_, _>>()?;
            if written == *header {
                Some(lines)
            } else if lines.is_empty() && paths.are_without_rows()? {
                whole = 0;
                None
            } else {
                return Err(FileError::mismatch(path, "it belongs to another export"));
            }
        }
        // The first line is incomplete. It must be the beginning of ours.
        None => {
            let first = serde_json::to_vec(header).unwrap_or_default();
            if !first.starts_with(&text) {
                return Err(FileError::mismatch(path, "it is not a checkpoint"));
            }
            None
        }
    };
    let length = whole.try_into().unwrap_or(u64::MAX);
    file.set_len(length)
        .and_then(|()| file.seek(SeekFrom::End(0)))
        .map_err(failed())?;
    Ok(lines)
}

fn begin(path: &Path, file: &File, header: &Header) -> Result<(), FileError> {
    append(path, file, header)?;
    sync_folder(path).map_err(FileError::unusable(path, "written"))
}

fn append<T: Serialize>(path: &Path, mut file: &File, line: &T) -> Result<(), FileError> {
    let mut written = || {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        file.write_all(&text)?;
        file.sync_data()
    };
    written().map_err(FileError::unusable(path, "written"))
}

/// Opens the file and cuts it off after the leaves that count. A file that a failing disk or
/// somebody else has changed is refused.
fn open_data(paths: &Paths, header: &Header, leaves: &[LeafProof]) -> Result<File, FileError> {
    let path = &paths.data;
    if !leaves.is_empty() && !path.exists() {
        return Err(FileError::mismatch(path, "only its checkpoint is left"));
    }
    let mut file = private()
        .read(true)
        .truncate(false)
        .open(path)
        .map_err(FileError::unusable(path, "opened"))?;
    let mut reader = BufReader::with_capacity(1 << 20, &file);
    if check_leaves(path, &mut reader, header.since, leaves)? > header.until {
        return Err(FileError::mismatch(
            path,
            "its leaves belong to another window",
        ));
    }
    // Of a call whose window had not ended, or that was killed at its very end.
    remove_if_there(&paths.manifest)?;
    let failed = || FileError::unusable(path, "written");
    let bytes = bytes_of(leaves);
    file.set_len(bytes)
        .and_then(|()| file.seek(SeekFrom::End(0)))
        .and_then(|_| sync_folder(path))
        .map_err(failed())?;
    Ok(file)
}

fn remove_if_there(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(FileError::unusable(path, "removed")(error))
        }
        _ => Ok(()),
    }
}

/// On Unix a new file name is on the disk only once its folder is synced.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn bytes_of(leaves: &[LeafProof]) -> u64 {
    leaves.iter().map(|leaf| leaf.bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_checkpoint_are_somebody_elses_unless_their_export_has_just_ended() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::of(&folder.path().join("events"));
        assert!(paths.is_begun_or_new().unwrap() && !paths.is_complete());
        fs::write(&paths.data, "{}\n").unwrap();
        let error = paths.is_begun_or_new().unwrap_err();
        assert_eq!(error.code().as_str(), "file_mismatch");
        fs::write(&paths.manifest, "{}").unwrap();
        assert!(!paths.is_begun_or_new().unwrap() && paths.is_complete());
        fs::write(&paths.checkpoint, "").unwrap();
        assert!(paths.is_begun_or_new().unwrap() && !paths.is_complete());
    }
}
