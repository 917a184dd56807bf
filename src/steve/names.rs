//! Who the clients are, for people: what /proc says of them, kept for a while.
//!
//! The thread that serves takes the snapshots, so many in a row must not cost a walk through /proc
//! each; and of a process that has ended /proc says no more.

use std::collections::HashMap;
use std::time::Duration;

use crate::ledger::{Key, Time};
use crate::sys::procfs::{self, COMMAND_LINE};

/// How long a name is believed: it changes when the process calls `execve(2)`.
const BELIEVED: Duration = Duration::from_millis(100);

/// What is known of one process.
#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    /// The user it runs as, where that can be seen.
    pub(super) uid: Option<u32>,
    /// Its command line; empty where that cannot be seen.
    pub(super) command: String,
    /// When that was read.
    read: Option<Time>,
}

/// The names of clients, by pid.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<u32, Name>);

impl Names {
    /// The name of the process `pid`.
    pub(super) fn of(&mut self, now: Time, pid: u32) -> &Name {
        let known = self.0.entry(pid).or_default();
        if known.read.is_none_or(|read| now.since(read) >= BELIEVED) {
            known.read = Some(now);
            known.uid = procfs::user(pid).ok().or(known.uid);
            let mut buffer = [0; COMMAND_LINE];
            let command = procfs::command_line(pid, &mut buffer);
            // A zombie has no command line but its name in brackets; better what it was before.
            let ended = command.is_empty() || command.starts_with('[');
            if !ended || known.command.is_empty() {
                known.command = command.to_string();
            }
        }
        known
    }

    /// How a client is called in a message: `PID 42 (make -j8)`, or the open file.
    pub(super) fn who(&mut self, now: Time, key: Key) -> String {
        match key {
            Key::File(file) => format!("open file {file}"),
            Key::Process(pid) => call(pid, &self.of(now, pid).command),
        }
    }

    /// The process `pid` has ended, and its number is free.
    pub(super) fn forget(&mut self, pid: u32) {
        self.0.remove(&pid);
    }
}

/// How a process is called that need not be a client.
pub(super) fn passer_by(pid: u32) -> String {
    call(pid, procfs::command_line(pid, &mut [0; COMMAND_LINE]))
}

fn call(pid: u32, command: &str) -> String {
    match command {
        "" => format!("PID {pid}"),
        command => format!("PID {pid} ({command})"),
    }
}
