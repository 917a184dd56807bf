//! Signals, taken as data from a descriptor in place of a handler.

#![allow(unsafe_code)]

use super::errno::check;
use super::plain::Plain;
use core::fmt;
use core::mem::{MaybeUninit, size_of};
use rustix::io::{Errno, Result, read};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// A signal that the service acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: end.
    End,
    /// SIGUSR1: report.
    Report,
}

/// Numbers by which signals are named here.
pub mod number {
    pub use libc::{
        SIGCHLD as CHLD, SIGCONT as CONT, SIGHUP as HUP, SIGINT as INT, SIGQUIT as QUIT,
        SIGTERM as TERM, SIGTSTP as TSTP, SIGUSR1 as USR1, SIGUSR2 as USR2, SIGWINCH as WINCH,
    };
}

/// A signal that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Which.
    pub number: i32,
    /// Whether no process sent it: so come a terminal's, which go to every process of the foreground group.
    pub by_kernel: bool,
}

/// Signals that no longer act on the calling thread and those it starts, but are read here.
pub struct Signals {
    fd: OwnedFd,
    before: libc::sigset_t,
}

impl Signals {
    /// Blocks what the service acts on, and SIGHUP and SIGPIPE, which it ignores. To be called before any
    /// thread is started.
    pub fn block() -> Result<Signals> {
        Signals::block_these(&[
            libc::SIGTERM,
            libc::SIGINT,
            libc::SIGUSR1,
            libc::SIGHUP,
            libc::SIGPIPE,
        ])
    }

    /// Blocks these signals. To be called before any thread is started.
    pub fn block_these(signals: &[i32]) -> Result<Signals> {
        let mask = set(signals);
        let before = change_mask(libc::SIG_BLOCK, &mask)?;
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: mask is an initialised set; -1 asks for a new descriptor.
        let fd = check(unsafe { libc::signalfd(-1, &raw const mask, flags) })?;
        // SAFETY: signalfd has just made this descriptor, and nobody else knows of it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Signals { fd, before })
    }

    /// Gives a command the signal mask that was in force before, when it starts.
    pub fn restore_in(&self, command: &mut Command) {
        let before = self.before;
        let restore = move || Ok(change_mask(libc::SIG_SETMASK, &before).map(drop)?);
        // SAFETY: between fork and exec the closure makes one system call and allocates nothing.
        unsafe { command.pre_exec(restore) };
    }

    /// The next signal that the service acts on, if one has come.
    pub fn read(&self) -> Result<Option<Signal>> {
        while let Some(received) = self.read_next()? {
            match received.number {
                libc::SIGTERM | libc::SIGINT => return Ok(Some(Signal::End)),
                libc::SIGUSR1 => return Ok(Some(Signal::Report)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The next signal, if one has come.
    pub fn read_next(&self) -> Result<Option<Received>> {
        let mut record = [0; size_of::<libc::signalfd_siginfo>()];
        loop {
            match read(&self.fd, &mut record) {
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(errno) => return Err(errno),
            }
        }
        // The record begins with ssi_signo, ssi_errno and ssi_code, 32 bits each.
        let Some([number, _, code]) = <[i32; 3]>::from_bytes(&record) else {
            return Ok(None);
        };
        let by_kernel = code == libc::SI_KERNEL;
        Ok(Some(Received { number, by_kernel }))
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signals").field(&self.fd).finish()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Blocks every signal that can be, until this thread ends.
pub(super) fn block_all() -> Result<()> {
    let mut all = set(&[]);
    // SAFETY: the pointer is to an initialised set.
    unsafe { libc::sigfillset(&raw mut all) };
    change_mask(libc::SIG_BLOCK, &all).map(drop)
}

/// A set of these signals, which are all valid numbers.
fn set(signals: &[libc::c_int]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the pointer is to room for a set, which the call fills.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: sigemptyset has initialised it; it cannot fail.
    let mut set = unsafe { set.assume_init() };
    for &signal in signals {
        // SAFETY: the pointer is to an initialised set; a number that is no signal changes nothing.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    set
}

/// Changes the calling thread's mask and returns the one before.
fn change_mask(how: libc::c_int, mask: &libc::sigset_t) -> Result<libc::sigset_t> {
    let mut before = set(&[]);
    // SAFETY: both pointers are to initialised sets, of which the second may be written.
    match unsafe { libc::pthread_sigmask(how, mask, &raw mut before) } {
        0 => Ok(before),
        code => Err(Errno::from_raw_os_error(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a signal to the calling thread alone, so that tests beside this one do not get it.
    fn raise(signal: libc::c_int) {
        // SAFETY: raise takes any number, and sends to the calling thread.
        assert_eq!(unsafe { libc::raise(signal) }, 0);
    }

    #[test]
    fn signals_are_read_in_place_of_acting() {
        let signals = Signals::block().unwrap();
        assert_eq!(signals.read(), Ok(None));
        for (signal, expected) in [
            (libc::SIGTERM, Some(Signal::End)),
            (libc::SIGINT, Some(Signal::End)),
            (libc::SIGUSR1, Some(Signal::Report)),
            (libc::SIGHUP, None),
            (libc::SIGPIPE, None),
        ] {
            raise(signal);
            assert_eq!(signals.read(), Ok(expected));
        }
        assert_eq!(signals.read(), Ok(None));
    }

    #[test]
    fn a_command_runs_with_the_mask_from_before() {
        let blocked = |command: &mut Command| {
            let output = command
                .args(["SigBlk", "/proc/self/status"])
                .output()
                .unwrap();
            let line = String::from_utf8(output.stdout).unwrap();
            u64::from_str_radix(line.trim_start_matches("SigBlk:").trim(), 16).unwrap()
        };
        let term = 1 << (libc::SIGTERM - 1);
        let signals = Signals::block_these(&[libc::SIGTERM]).unwrap();
        assert_ne!(blocked(&mut Command::new("grep")) & term, 0);
        let mut restored = Command::new("grep");
        signals.restore_in(&mut restored);
        assert_eq!(blocked(&mut restored) & term, 0);
    }
}
