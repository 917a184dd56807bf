//! What the service says while it runs, to stdout; warnings to stderr.
//!
//! Saying it never blocks the service, and never ends it: a line that does not fit into a pipe or
//! a terminal now is lost, and the next that does fit says how many were.

use std::fmt::Display;
use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::write;

/// A terminal or a pipe that polls as writable takes so many bytes without blocking: a pipe has
/// room for PIPE_BUF, a terminal for WAKEUP_CHARS (`n_tty_poll` in drivers/tty/n_tty.c).
const CHUNK: usize = 256;

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Reports and warnings.
    #[default]
    Quiet,
    /// And each change worth knowing.
    Verbose,
    /// And each request and reply.
    Debug,
}

/// The service's two streams.
#[derive(Debug, Default)]
pub(super) struct Log {
    level: Level,
    /// Lines lost since the last that was said.
    lost: u64,
}

impl Log {
    pub(super) fn new(level: Level) -> Self {
        Log { level, lost: 0 }
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.level >= Level::Verbose
    }

    /// Says a change. The text is made only where it is wanted.
    pub(super) fn verbose<T: Display>(&mut self, text: impl FnOnce() -> T) {
        if self.level >= Level::Verbose {
            self.say(&format!("steve: {}\n", text()));
        }
    }

    /// Says a request or a reply. The text is made only where it is wanted.
    pub(super) fn debug<T: Display>(&mut self, text: impl FnOnce() -> T) {
        if self.level >= Level::Debug {
            self.say(&format!("steve: {}\n", text()));
        }
    }

    /// Warns on stderr.
    pub(super) fn warn(&mut self, text: impl Display) {
        say_to(
            rustix::stdio::stderr(),
            format!("steve: {text}\n").as_bytes(),
        );
    }

    /// Says whole lines.
    pub(super) fn say(&mut self, lines: &str) {
        if self.lost > 0 {
            let missing = format!("steve: {} messages did not fit here\n", self.lost);
            if !say_to(rustix::stdio::stdout(), missing.as_bytes()) {
                self.lost += 1;
                return;
            }
            self.lost = 0;
        }
        if !say_to(rustix::stdio::stdout(), lines.as_bytes()) {
            self.lost += 1;
        }
    }
}

/// Writes `text` as far as that does not block; false if something is left.
fn say_to(stream: BorrowedFd<'_>, text: &[u8]) -> bool {
    text.chunks(CHUNK).all(|chunk| {
        let mut fds = [PollFd::new(&stream, PollFlags::OUT)];
        let ready = poll(&mut fds, Some(&Timespec::default())) == Ok(1);
        ready && fds[0].revents() == PollFlags::OUT && write(stream, chunk) == Ok(chunk.len())
    })
}
