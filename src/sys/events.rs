//! One descriptor that tells of all that happens beside the device: exits and signals.

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Most events that one look tells; the rest is told by the next.
pub const BATCH: usize = 64;

/// Descriptors under watch, pidfds for the most part, each with a key of the caller's choice. What a round of the
/// loop costs does not grow with their number.
///
/// No place for a pressure trigger: the kernel tells each of its events once, and would tell it to the look that
/// `poll(2)` takes at this descriptor.
#[derive(Debug)]
pub struct Events(OwnedFd);

impl Events {
    /// Watches nothing yet.
    pub fn new() -> Result<Events> {
        epoll::create(CreateFlags::CLOEXEC).map(Events)
    }

    /// Watches a descriptor until it is readable: a pidfd is once its process has ended. Closing it ends the watch
    /// as [`Events::remove`] does, where it has no copy.
    pub fn add(&self, fd: impl AsFd, key: u64) -> Result<()> {
        epoll::add(&self.0, fd, EventData::new_u64(key), EventFlags::IN)
    }

    /// Watches a descriptor no longer.
    pub fn remove(&self, fd: impl AsFd) -> Result<()> {
        epoll::delete(&self.0, fd)
    }

    /// The keys of what is readable, without waiting. Each is told again for as long as it is.
    pub fn ready<'k>(&self, keys: &'k mut [u64; BATCH]) -> Result<&'k [u64]> {
        let none = Event {
            flags: EventFlags::empty(),
            data: EventData::new_u64(0),
        };
        let mut events = [none; BATCH];
        let count = match epoll::wait(&self.0, &mut events, Some(&Timespec::default())) {
            Err(Errno::INTR) => 0,
            count => count?,
        };
        for (key, event) in keys.iter_mut().zip(&events) {
            *key = event.data.u64();
        }
        Ok(keys.get(..count).unwrap_or_default())
    }
}

/// Raises the most descriptors that we may have open to `wanted`, or as near as we may, and returns what it is now.
///
/// The limit that is usual (1024) would end the watch long before the client table is full.
pub fn raise_file_limit(wanted: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (soft, hard) = (current.unwrap_or(u64::MAX), maximum.unwrap_or(u64::MAX));
    if soft >= wanted {
        return soft;
    }
    let limit = |soft, hard| Rlimit {
        current: Some(soft),
        maximum: Some(hard),
    };
    let tries = [
        limit(wanted, hard.max(wanted)),
        limit(wanted.min(hard), hard),
    ];
    let done = tries
        .into_iter()
        .find(|&limit| setrlimit(Resource::Nofile, limit).is_ok());
    done.and_then(|limit| limit.current).unwrap_or(soft)
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::identity::resolve;
    use rustix::event::{PollFd, PollFlags, poll};
    use std::process::{Command, Stdio};

    #[test]
    fn the_file_limit_is_raised_and_never_lowered() {
        let before = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert_eq!(raise_file_limit(0), before);
        let raised = raise_file_limit(before.saturating_add(1));
        assert!(raised >= before);
        assert_eq!(
            getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
            raised
        );
    }

    #[test]
    fn an_exit_is_told_before_the_process_is_reaped_until_it_is_removed() {
        let watched = Events::new().unwrap();
        let mut keys = [0; BATCH];
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let process = resolve(child.id()).unwrap();
        watched.add(&process.pidfd, 1 << 40).unwrap();
        assert_eq!(watched.ready(&mut keys), Ok([].as_slice()));

        drop(child.stdin.take());
        let timeout = Timespec {
            tv_sec: 10,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::new(&watched, PollFlags::IN)];
        assert_eq!(poll(&mut fds, Some(&timeout)), Ok(1));
        assert_eq!(watched.ready(&mut keys), Ok([1 << 40].as_slice()));
        assert_eq!(watched.ready(&mut keys), Ok([1 << 40].as_slice()));

        watched.remove(&process.pidfd).unwrap();
        assert_eq!(watched.ready(&mut keys), Ok([].as_slice()));
        child.wait().unwrap();
    }
}
