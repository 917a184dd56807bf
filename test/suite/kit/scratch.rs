//! A directory for one test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A fresh directory, removed with what is in it when dropped.
pub struct Dir(PathBuf);

impl Dir {
    pub fn new() -> Dir {
        let path = std::env::temp_dir().join(unique("steve-test"));
        std::fs::create_dir(&path)
            .unwrap_or_else(|e| panic!("cannot make {}: {e}", path.display()));
        Dir(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Gives the directory to the user and group that own nothing else.
    pub fn give_to_nobody(&self) {
        std::os::unix::fs::chown(&self.0, Some(NOBODY), Some(NOBODY)).expect("we are root");
    }

    /// A copy of `program` that everybody may run, wherever the original lies.
    pub fn copy_of(&self, program: &str) -> PathBuf {
        let copy = self.0.join(
            Path::new(program)
                .file_name()
                .expect("a program has a name"),
        );
        std::fs::copy(program, &copy).unwrap_or_else(|e| panic!("cannot copy {program}: {e}"));
        copy
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The user, and the group, that own nothing.
pub const NOBODY: u32 = 65534;

/// Runs its arguments as that user.
pub const AS_NOBODY: [&str; 4] = [
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
];

/// A name that nothing else on this machine has.
pub fn unique(stem: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{stem}.{}.{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}
