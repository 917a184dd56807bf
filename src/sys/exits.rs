//! One descriptor that tells which of many processes have ended.

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Most exits that one look tells; the rest is told by the next.
pub const BATCH: usize = 64;

/// Pidfds under watch, each with a key of the caller's choice. What a round of the loop costs does not grow
/// with their number.
#[derive(Debug)]
pub struct Exits(OwnedFd);

impl Exits {
    /// Watches nothing yet.
    pub fn new() -> Result<Exits> {
        epoll::create(CreateFlags::CLOEXEC).map(Exits)
    }

    /// Watches a process. Closing its pidfd ends that as [`Exits::remove`] does, where it has no copy.
    pub fn add(&self, pidfd: impl AsFd, key: u64) -> Result<()> {
        epoll::add(&self.0, pidfd, EventData::new_u64(key), EventFlags::IN)
    }

    /// Watches a process no longer.
    pub fn remove(&self, pidfd: impl AsFd) -> Result<()> {
        epoll::delete(&self.0, pidfd)
    }

    /// The keys of processes that have ended, without waiting. Each is told again until it is removed.
    pub fn ended<'k>(&self, keys: &'k mut [u64; BATCH]) -> Result<&'k [u64]> {
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

impl AsFd for Exits {
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
        let exits = Exits::new().unwrap();
        let mut keys = [0; BATCH];
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let process = resolve(child.id()).unwrap();
        exits.add(&process.pidfd, 1 << 40).unwrap();
        assert_eq!(exits.ended(&mut keys), Ok([].as_slice()));

        drop(child.stdin.take());
        let timeout = Timespec {
            tv_sec: 10,
            tv_nsec: 0,
        };
        let mut fds = [PollFd::new(&exits, PollFlags::IN)];
        assert_eq!(poll(&mut fds, Some(&timeout)), Ok(1));
        assert_eq!(exits.ended(&mut keys), Ok([1 << 40].as_slice()));
        assert_eq!(exits.ended(&mut keys), Ok([1 << 40].as_slice()));

        exits.remove(&process.pidfd).unwrap();
        assert_eq!(exits.ended(&mut keys), Ok([].as_slice()));
        child.wait().unwrap();
    }
}
