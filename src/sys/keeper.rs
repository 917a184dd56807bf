//! A child that outlives the service by one errand, whatever way the service ends.
//!
//! A mount does not go with the process that serves it, and who has dropped its privileges can no longer take it
//! away. The child keeps them, and does nothing but wait.

#![allow(unsafe_code)]

use super::channel::Channel;
use super::errno::check;
use super::signals;
use rustix::io::{Errno, Result, read};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitOptions, waitpid};
use rustix::thread::set_name;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The child. Dropping this sends it on its errand and waits until that is done.
#[derive(Debug)]
pub(super) struct Keeper {
    pid: Pid,
    line: Option<OwnedFd>,
}

impl Keeper {
    /// Forks the child, which runs `errand` as soon as this process has dropped the keeper or is gone. It keeps no
    /// copy of the channel, which would stay alive with it. To be called before any thread is started.
    pub(super) fn start(channel: &Channel, errand: impl FnOnce()) -> Result<Keeper> {
        let (end, line) = pipe_with(PipeFlags::CLOEXEC)?;
        let channel = channel.as_fd().as_raw_fd();
        // SAFETY: there are no other threads that could hold a lock which the child would find held for ever.
        let pid = check(unsafe { libc::fork() })?;
        if let Some(pid) = Pid::from_raw(pid) {
            return Ok(Keeper {
                pid,
                line: Some(line),
            });
        }
        drop(line);
        // SAFETY: the child never touches the channel, and leaves this function by _exit alone.
        unsafe { libc::close(channel) };
        let _ = set_name(c"steve-keeper");
        // What ends the service, a terminal's Ctrl-C for one, must not end the child before it.
        let _ = signals::block_all();
        while read(&end, &mut [0]) == Err(Errno::INTR) {}
        // Nothing may unwind into what the parent was doing.
        let _ = catch_unwind(AssertUnwindSafe(errand));
        // SAFETY: takes an integer; skips what exit would do in the parent's name.
        unsafe { libc::_exit(0) }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.line = None;
        while matches!(
            waitpid(Some(self.pid), WaitOptions::empty()),
            Err(Errno::INTR)
        ) {}
    }
}
