//! A child that runs while we stay.

#![allow(unsafe_code)]

use super::signals::Signals;
use rustix::io::{Errno, Result, retry_on_intr};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process,
    set_parent_process_death_signal, waitid,
};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// A child, not yet waited for.
#[derive(Debug)]
pub struct Child(Pid);

/// What became of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has exited with this status.
    Exited(u8),
    /// It was ended by this signal.
    Killed(u8),
    /// It was stopped, and can be continued.
    Stopped,
}

impl Child {
    /// Starts `command` with the signal mask from before `signals` were blocked. Should this process die first, however
    /// that comes, the child gets SIGTERM. To be called from the main thread, whose end the kernel goes by.
    pub fn start(command: &mut Command, signals: &Signals) -> io::Result<Child> {
        signals.restore_in(command);
        let parent = getpid();
        let follow = move || {
            set_parent_process_death_signal(Some(Signal::TERM))?;
            // Had the parent died before that call, nothing would come.
            if getppid() == Some(parent) {
                Ok(())
            } else {
                Err(Errno::SRCH.into())
            }
        };
        // SAFETY: between fork and exec the closure makes two system calls and allocates nothing.
        unsafe { command.pre_exec(follow) };
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        pid.map(Child).ok_or_else(|| Errno::SRCH.into())
    }

    /// What has become of it since last asked, if anything. Once it has ended there is nothing more to ask.
    pub fn change(&self) -> Result<Option<Change>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        let Some(status) = retry_on_intr(|| waitid(WaitId::Pid(self.0), options))? else {
            return Ok(None);
        };
        let byte = |number: i32| number.to_le_bytes()[0];
        Ok(if let Some(status) = status.exit_status() {
            Some(Change::Exited(byte(status)))
        } else if let Some(signal) = status.terminating_signal() {
            Some(Change::Killed(byte(signal)))
        } else {
            Some(Change::Stopped)
        })
    }

    /// Sends it a signal, which must be one that has a name.
    pub fn signal(&self, number: i32) -> Result<()> {
        kill_process(self.0, Signal::from_named_raw(number).ok_or(Errno::INVAL)?)
    }
}

/// Stops this process, as a shell's job control does, until it is continued.
pub fn stop_self() -> Result<()> {
    kill_process(getpid(), Signal::STOP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// Starts a shell with this script, and waits until something becomes of it.
    fn run(script: &str, after: impl FnOnce(&Child)) -> Change {
        let signals = Signals::block_these(&[libc::SIGCHLD]).unwrap();
        let child = Child::start(Command::new("sh").args(["-c", script]), &signals).unwrap();
        after(&child);
        let second = Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        };
        for _ in 0..20 {
            if let Some(change) = child.change().unwrap() {
                if change == Change::Stopped {
                    // No signal but this one ends a process that is stopped.
                    child.signal(libc::SIGKILL).unwrap();
                }
                return change;
            }
            // SIGCHLD may go to another thread of the test; the look again does not depend on it.
            let _ = poll(&mut [PollFd::new(&signals, PollFlags::IN)], Some(&second));
            let _ = signals.read_next();
        }
        panic!("nothing became of {script}");
    }

    #[test]
    fn every_end_is_told() {
        assert_eq!(run("exit 0", |_| ()), Change::Exited(0));
        assert_eq!(run("exit 255", |_| ()), Change::Exited(255));
        assert_eq!(run("kill -9 $$", |_| ()), Change::Killed(9));
        assert_eq!(run("kill -STOP $$", |_| ()), Change::Stopped);
    }

    #[test]
    fn a_signal_reaches_it() {
        let end = |child: &Child| child.signal(libc::SIGTERM).unwrap();
        assert_eq!(run("exec sleep 60", end), Change::Killed(15));
    }
}
