//! A directory for one test.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

/// Goes with everything in it when it is dropped.
#[derive(Debug)]
pub(crate) struct Directory(PathBuf);

impl Directory {
    /// Makes an empty directory whose name has `test` in it.
    pub(crate) fn new(test: &str) -> Directory {
        let path = env::temp_dir().join(format!("steve-{}-{test}", process::id()));
        fs::create_dir(&path).unwrap();
        Directory(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
