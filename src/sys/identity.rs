//! From the thread that a request names to the process that it belongs to.

#![allow(unsafe_code)]

use super::errno::check;
use super::procfs;
use core::mem::size_of;
use rustix::io::{Errno, Result};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::{AsRawFd, OwnedFd};

/// A process: its number, and a descriptor that stays with it when the number is used again.
#[derive(Debug)]
pub struct Process {
    /// Its number in our pid namespace.
    pub pid: u32,
    /// Readable once it has ended, which is when its last thread has.
    pub pidfd: OwnedFd,
}

/// A pidfd for one thread (Linux 6.9); the kernel gives O_EXCL this second meaning.
const PIDFD_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(libc::O_EXCL as u32);

/// `_IOWR(0xFF, 11, struct pidfd_info)` with that struct's first size, 64 bytes (Linux 6.13).
pub(super) const PIDFD_GET_INFO: u32 = 3 << 30 | 64 << 16 | 0xFF << 8 | 11;

/// `struct pidfd_info` up to what is used of it.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroupid: u64,
    pid: u32,
    tgid: u32,
    rest: [u32; 10],
}

const _: () = assert!(size_of::<PidfdInfo>() == 64);

/// Finds the process of a thread.
///
/// While the thread waits for the answer to a request it cannot go away, so that neither its number nor
/// its process can change under this function: resolve first, answer then.
///
/// # Errors
/// [`Errno::SRCH`] where there is no such thread, or /proc hides it and the kernel (before 6.13) has no other
/// way to ask; [`Errno::MFILE`] and [`Errno::NFILE`] where no descriptor is left.
pub fn resolve(tid: u32) -> Result<Process> {
    match open_process(tid) {
        Ok(pidfd) => return Ok(Process { pid: tid, pidfd }),
        // Not the first thread of its process: INVAL before Linux 6.16, NOENT since.
        Err(Errno::INVAL | Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    let pid = match group_by_pidfd(tid) {
        Err(Errno::INVAL | Errno::NOTTY) => procfs::thread_group(tid).map_err(hidden)?,
        pid => pid?,
    };
    let pidfd = open_process(pid)?;
    if same_thread(pid, tid) {
        Ok(Process { pid, pidfd })
    } else {
        Err(Errno::SRCH)
    }
}

/// The error of a look into /proc, which says NOENT for a thread that is gone or is not shown to us.
fn hidden(errno: Errno) -> Errno {
    match errno {
        Errno::MFILE | Errno::NFILE => errno,
        _ => Errno::SRCH,
    }
}

/// Whether `tid` is a thread of process `pid` now. Costs one call, and works for anybody's processes.
pub fn same_thread(pid: u32, tid: u32) -> bool {
    // SAFETY: tgkill takes three integers; signal 0 is checked and not sent.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, 0) };
    sent == 0 || super::errno::last() == Errno::PERM
}

/// The session of a process; 0 where its leader is outside our pid namespace.
pub fn session(pid: u32) -> Result<u32> {
    let pid = number(pid)?.as_raw_pid();
    // SAFETY: getsid takes an integer. (The one of rustix takes for granted that the answer is not 0.)
    check(unsafe { libc::getsid(pid) }).map(i32::unsigned_abs)
}

/// A pidfd for the process whose first thread this is.
fn open_process(pid: u32) -> Result<OwnedFd> {
    pidfd_open(number(pid)?, PidfdFlags::empty())
}

/// Asks a thread's own pidfd for the thread group: INVAL before Linux 6.9, NOTTY before 6.13.
fn group_by_pidfd(tid: u32) -> Result<u32> {
    let thread = pidfd_open(number(tid)?, PIDFD_THREAD)?;
    let mut info = PidfdInfo::default();
    // SAFETY: the number says 64 bytes, which is the size of the struct that the kernel fills.
    check(unsafe { libc::ioctl(thread.as_raw_fd(), PIDFD_GET_INFO as _, &raw mut info) })?;
    if info.tgid == 0 {
        Err(Errno::SRCH)
    } else {
        Ok(info.tgid)
    }
}

fn number(pid: u32) -> Result<Pid> {
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or(Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::thread::gettid;
    use std::io::{Read, Write};
    use std::process::{Command, Stdio, id};
    use std::thread;

    fn tid() -> u32 {
        gettid().as_raw_nonzero().get().unsigned_abs()
    }

    #[test]
    fn a_first_thread_is_its_process() {
        assert_eq!(resolve(id()).unwrap().pid, id());
    }

    #[test]
    fn another_thread_belongs_to_its_process() {
        let thread = thread::spawn(|| {
            assert_ne!(tid(), id());
            assert_eq!(resolve(tid()).unwrap().pid, id());
            assert_eq!(procfs::thread_group(tid()), Ok(id()));
            assert!(same_thread(id(), tid()));
            tid()
        });
        let gone = thread.join().unwrap();
        assert!(!same_thread(id(), gone));
    }

    #[test]
    fn a_session_is_the_number_of_its_leader() {
        let mut setsid = Command::new("setsid");
        let mut child = setsid
            .args(["cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        assert_eq!(session(child.id()), Ok(child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(session(u32::MAX), Err(Errno::SRCH));
    }

    #[test]
    fn nobody_is_no_process() {
        assert_eq!(resolve(0).unwrap_err(), Errno::SRCH);
        assert_eq!(resolve(u32::MAX).unwrap_err(), Errno::SRCH);
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        assert!(!same_thread(id(), pid));
        child.wait().unwrap();
        assert_eq!(resolve(pid).unwrap_err(), Errno::SRCH);
    }
}
