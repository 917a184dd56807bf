//! Waiting for a condition, and the conditions that the kernel shows of a process.

use std::fs;
use std::time::{Duration, Instant};

/// How long anything that has to happen may take, on a machine that is busy with other things too.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds.
///
/// # Panics
/// When it does not within [`PATIENCE`].
#[track_caller]
pub fn until(what: &str, condition: impl FnMut() -> bool) {
    if !comes(condition) {
        panic!("waited in vain until {what}");
    }
}

/// Whether `condition` holds within [`PATIENCE`].
pub fn comes(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

/// The state letter of a thread, `None` when there is none.
pub fn state(tid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{tid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The name of a process's program, cut at 15 bytes; empty when there is none.
pub fn name(pid: i32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().into()
}

/// Whether the thread sleeps in the kernel function `function`, or one that it called.
pub fn sleeps_in(tid: i32, function: &str) -> bool {
    let stack = fs::read_to_string(format!("/proc/{tid}/stack")).unwrap_or_default();
    matches!(state(tid), Some('S' | 'D')) && stack.contains(function)
}

/// Open descriptors of a process.
pub fn descriptors(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// The process that `pid` started first, as a wrapper does.
pub fn only_child(pid: i32) -> i32 {
    let mut child = None;
    until("the wrapper has started its program", || {
        let children =
            fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        child = children
            .split_whitespace()
            .next()
            .and_then(|pid| pid.parse().ok());
        child.is_some()
    });
    child.expect("just seen")
}
