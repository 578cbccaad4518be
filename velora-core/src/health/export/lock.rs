//! Files of one owner, and of one export at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use same_file::Handle;

use crate::error::FileError;

/// Opens a file for writing, or creates it. On Unix only its owner can read a new file, because
/// rows are about patients.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// 5 s in total, because a whole leaf may still be on its way to a slow disk.
const LOCK_ATTEMPTS: u32 = 200;
const LOCK_WAIT: Duration = Duration::from_millis(25);
const LOOKS: u32 = 10;

/// The lock ends with the process, however it ends. An export that was just given up may still
/// hold it for a write that is under way.
///
/// `None` if the file was removed before it was locked: the export that held it has ended.
pub(crate) fn open_and_lock(path: &Path) -> Result<Option<File>, FileError> {
    let file = private()
        .read(true)
        .truncate(false)
        .open(path)
        .map_err(FileError::unusable(path, "opened"))?;
    lock(file, path)
}

/// Looks until something is found. That fails after some attempts: each should mean that another
/// export has ended, but a file system may also not tell a file from another one.
pub(crate) fn look_again<T>(
    path: &Path,
    mut look: impl FnMut() -> Result<Option<T>, FileError>,
) -> Result<T, FileError> {
    for _ in 0..LOOKS {
        if let Some(found) = look()? {
            return Ok(found);
        }
    }
    Err(FileError::unusable(path, "locked")(
        "it was removed again and again",
    ))
}

fn lock(file: File, path: &Path) -> Result<Option<File>, FileError> {
    match try_lock(&file) {
        Ok(()) => Ok(Some(file).filter(|file| is_still_at(file, path))),
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

fn is_still_at(file: &File, path: &Path) -> bool {
    let here = file.try_clone().and_then(Handle::from_file);
    let there = Handle::from_path(path);
    matches!((here, there), (Ok(here), Ok(there)) if here == there)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Otherwise the lock would be on a file that nobody can find.
    #[test]
    fn a_file_that_was_removed_while_it_was_waited_for_is_not_locked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let waiting = private().open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(lock(waiting, &path).unwrap().is_none());
        assert!(!path.exists());
        assert!(open_and_lock(&path).unwrap().is_some());
    }

    #[test]
    fn what_is_never_found_is_not_looked_for_without_end() {
        let path = Path::new("checkpoint");
        let error = look_again(path, || Ok(None::<File>)).unwrap_err();
        assert_eq!(error.code().as_str(), "file_unusable");
        let mut looks = 0;
        let found = look_again(path, || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        });
        assert_eq!(found.unwrap(), 3);
    }
}
