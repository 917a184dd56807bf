//! What tests need to leave nothing behind: a directory of their own, or a process.

use std::any::type_name_of_val;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

/// Runs the body of the calling test in a process of its own, with one thread, as what it does cannot be undone or
/// needs that. To be called with a closure that stands in the test function itself.
pub(crate) fn alone(body: impl FnOnce()) {
    const ALONE: &str = "STEVE_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        return body();
    }
    let name = type_name_of_val(&body).trim_end_matches("::{{closure}}");
    let (_, name) = name.split_once("::").unwrap();
    let mut test = Command::new(env::current_exe().unwrap());
    test.args([
        "--exact",
        name,
        "--include-ignored",
        "--test-threads=1",
        "--nocapture",
    ])
    .env(ALONE, "1");
    let output = test.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{name}: {told}{errors}"
    );
}

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
