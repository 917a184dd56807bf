//! How a client is called in a message.

use std::fmt;

use crate::ledger::Key;
use crate::sys::procfs;

/// `PID 42 (make -j8)`, or the open file.
pub(super) struct Who(pub(super) Key);

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Key::File(file) => write!(f, "open file {file}"),
            Key::Process(pid) => {
                let mut buffer = [0; procfs::COMMAND_LINE];
                match procfs::command_line(pid, &mut buffer) {
                    "" => write!(f, "PID {pid}"),
                    command => write!(f, "PID {pid} ({command})"),
                }
            }
        }
    }
}
