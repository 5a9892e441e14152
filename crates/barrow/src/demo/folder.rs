//! The folder of the demo's sockets, and those that killed demos have left.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Beginning of the folder's name; the process id follows.
const PREFIX: &str = "barrow-demo-";
/// The file in the folder that is locked as long as its demo runs, however that ends.
const LOCK: &str = "lock";

/// A folder of this demo's own, removed when dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder in `parent`, and removes those of demos that no longer run.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        for entry in fs::read_dir(parent)?.filter_map(Result::ok) {
            let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
            if is_ours && entry.file_type()?.is_dir() && is_left(&entry.path()) {
                // Somebody else's, perhaps: then it is not ours to remove.
                drop(fs::remove_dir_all(entry.path()));
            }
        }
        let path = parent.join(format!("{PREFIX}{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path)?;
        let lock = File::create(path.join(LOCK))?;
        lock.lock()?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of the folder is of no use to anybody.
        drop(fs::remove_dir_all(&self.path));
    }
}

/// Whether no demo runs in a folder. One that has no lock yet is just being made.
fn is_left(folder: &Path) -> bool {
    let Ok(lock) = File::open(folder.join(LOCK)) else {
        return false;
    };
    !matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::{Folder, LOCK, PREFIX};
    use std::fs;

    #[test]
    fn what_a_killed_demo_has_left_is_removed_and_what_runs_is_not() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let running = Folder::new(parent.path()).expect("it is ours");
        let left = parent.path().join(format!("{PREFIX}999999999"));
        let other = parent.path().join("another-program");
        fs::create_dir_all(&left).expect("it is ours");
        fs::create_dir_all(&other).expect("it is ours");
        fs::write(left.join(LOCK), "").expect("it is ours");
        // It cannot make the same folder again in this process; but it cleans up first.
        assert!(Folder::new(parent.path()).is_err());
        assert!(!left.exists());
        assert!(running.path().exists() && other.exists());
    }
}
