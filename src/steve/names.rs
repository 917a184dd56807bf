//! Who the clients are, for people: what /proc says of them, kept for a while.
//!
//! The thread that serves takes the snapshots, so many in a row must not cost a walk through /proc
//! each.

use std::collections::HashMap;
use std::time::Duration;

use crate::ledger::Time;
use crate::sys::procfs::{self, COMMAND_LINE};

/// How long a name is believed: it changes when the process calls `execve(2)`.
const BELIEVED: Duration = Duration::from_secs(1);

/// What is known of one process.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// The user it runs as, where that can be seen.
    pub(super) uid: Option<u32>,
    /// Its command line; empty where that cannot be seen.
    pub(super) command: String,
    /// When that was read.
    read: Time,
}

/// The names read lately, by pid.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<u32, Name>);

impl Names {
    /// Drops the names that are no longer believed at `now`.
    pub(super) fn expire(&mut self, now: Time) {
        self.0.retain(|_, name| now.since(name.read) < BELIEVED);
    }

    /// The name of the process `pid`.
    pub(super) fn of(&mut self, now: Time, pid: u32) -> &Name {
        self.0.entry(pid).or_insert_with(|| Name {
            uid: procfs::user(pid).ok(),
            command: procfs::command_line(pid, &mut [0; COMMAND_LINE]).to_string(),
            read: now,
        })
    }
}
