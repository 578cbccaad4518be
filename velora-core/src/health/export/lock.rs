//! Files of one owner, and of one export at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::error::FileError;

/// Opens to write, or makes a file that on Unix its owner alone can read: rows are of
/// patients.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

const LOCK_ATTEMPTS: u32 = 40;
const LOCK_WAIT: Duration = Duration::from_millis(25);

/// The lock ends with the process, however it ends. An export that was just given up may
/// still have a write under way, which holds it.
pub(crate) fn open_and_lock(path: &Path) -> Result<File, FileError> {
    let file = private()
        .read(true)
        .truncate(false)
        .open(path)
        .map_err(FileError::unusable(path, "opened"))?;
    match try_lock(&file) {
        Ok(()) if is_still_at(&file, path) => Ok(file),
        // It was finished and removed between the opening and the locking.
        Ok(()) => Err(FileError::unusable(path, "locked")(
            "another export has just ended",
        )),
        Err(TryLockError::WouldBlock) => Err(FileError::unusable(path, "locked")(
            "another export is using it",
        )),
        Err(TryLockError::Error(error)) => Err(FileError::unusable(path, "locked")(error)),
    }
}

fn try_lock(file: &File) -> Result<(), TryLockError> {
    for _ in 1..LOCK_ATTEMPTS {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_WAIT),
            outcome => return outcome,
        }
    }
    file.try_lock()
}

#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let here = file.metadata().map(|file| (file.dev(), file.ino()));
    let there = fs::metadata(path).map(|file| (file.dev(), file.ino()));
    matches!((here, there), (Ok(here), Ok(there)) if here == there)
}

/// Where an open file cannot be removed, it is.
#[cfg(not(unix))]
fn is_still_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// What is locked then is a file that nobody will find.
    #[test]
    fn a_file_that_was_removed_while_it_was_waited_for_is_not_locked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let held = open_and_lock(&path).unwrap();
        let waiting = thread::spawn({
            let path = path.clone();
            move || open_and_lock(&path).map(drop)
        });
        thread::sleep(LOCK_WAIT * 10);
        fs::remove_file(&path).unwrap();
        drop(held);
        let error = waiting.join().unwrap().unwrap_err();
        assert_eq!(error.code().as_str(), "file_unusable");
        assert!(!path.exists());
        open_and_lock(&path).unwrap();
    }
}
