//! Temporary folders, named after the process that they belong to. They are not under
//! `target`: the user that PostgreSQL runs as may have no way there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder. Those of processes that have ended are removed.
pub(crate) fn create() -> PathBuf {
    static SWEPT: Once = Once::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);

    let user = rustix::process::geteuid().as_raw();
    let all = std::env::temp_dir().join(format!("velora-servers-{user}"));
    fs::create_dir_all(&all).unwrap();
    SWEPT.call_once(|| sweep(&all));
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = all.join(format!("{}-{number}", std::process::id()));
    // Left behind by a process that had the same number.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    folder
}

fn sweep(all: &Path) {
    for entry in fs::read_dir(all).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.split('-').next().unwrap_or_default();
        if !Path::new("/proc").join(owner).exists() {
            // Another process may sweep at the same time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
