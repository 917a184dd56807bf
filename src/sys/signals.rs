//! Signals, taken as data from a descriptor in place of a handler.

#![allow(unsafe_code)]

use super::errno::check;
use core::mem::{MaybeUninit, size_of};
use rustix::io::{Errno, Result, read};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// A signal that the service acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: end.
    End,
    /// SIGUSR1: report.
    Report,
}

/// The signals that no longer act on the calling thread and those it starts; [`Signals::read`] takes them.
///
/// SIGHUP and SIGPIPE are blocked with them, and ignored when they are taken.
#[derive(Debug)]
pub struct Signals(OwnedFd);

impl Signals {
    /// Blocks the signals. To be called before any thread is started.
    pub fn block() -> Result<Signals> {
        let mask = set(&[
            libc::SIGTERM,
            libc::SIGINT,
            libc::SIGUSR1,
            libc::SIGHUP,
            libc::SIGPIPE,
        ]);
        change_mask(libc::SIG_BLOCK, &mask)?;
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: mask is an initialised set; -1 asks for a new descriptor.
        let fd = check(unsafe { libc::signalfd(-1, &raw const mask, flags) })?;
        // SAFETY: signalfd has just made this descriptor, and nobody else knows of it.
        Ok(Signals(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The next signal that asks for something, if one has come.
    pub fn read(&self) -> Result<Option<Signal>> {
        let mut record = [0; size_of::<libc::signalfd_siginfo>()];
        loop {
            match read(&self.0, &mut record) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Ok(None),
                Err(errno) => return Err(errno),
            }
            // ssi_signo, a u32, is the record's first field.
            let [a, b, c, d, ..] = record;
            match i32::from_ne_bytes([a, b, c, d]) {
                libc::SIGTERM | libc::SIGINT => return Ok(Some(Signal::End)),
                libc::SIGUSR1 => return Ok(Some(Signal::Report)),
                _ => {}
            }
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
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
}
