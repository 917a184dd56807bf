//! Pressure stall triggers: the kernel tells when a share of time is lost to a lack of something.

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Result, write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What tasks may stall for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A CPU.
    Cpu,
    /// Memory.
    Memory,
    /// Input and output.
    Io,
}

impl Resource {
    /// All of them.
    pub const ALL: [Resource; 3] = [Resource::Cpu, Resource::Memory, Resource::Io];

    /// Its file.
    pub const fn path(self) -> &'static str {
        match self {
            Resource::Cpu => "/proc/pressure/cpu",
            Resource::Memory => "/proc/pressure/memory",
            Resource::Io => "/proc/pressure/io",
        }
    }
}

/// The window in microseconds. Without CAP_SYS_RESOURCE the kernel (`psi_trigger_create`) takes whole
/// multiples of 2 s only, and before Linux 6.4 nothing shorter than half a second from anybody.
const WINDOW: u64 = 2_000_000;

/// An armed trigger: an exceptional condition (POLLPRI), at most once in 2 s, while some task was
/// stalled for more than the share asked for.
#[derive(Debug)]
pub struct Trigger(OwnedFd);

impl Trigger {
    /// Arms a trigger at this share of time, in millionths of a percent.
    ///
    /// # Errors
    /// NOENT and OPNOTSUPP where the kernel keeps no account of pressure; ACCESS, PERM and INVAL where we may have
    /// no trigger. The file can be read from time to time all the same.
    pub fn arm(resource: Resource, percent: i64) -> Result<Trigger> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = open(resource.path(), flags, Mode::empty())?;
        write(
            &file,
            format!("some {} {WINDOW}\0", threshold(percent)).as_bytes(),
        )?;
        Ok(Trigger(file))
    }
}

impl AsFd for Trigger {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The stalled microseconds in a window that make this share; at least 1 and at most all of them.
fn threshold(percent: i64) -> u64 {
    (percent.unsigned_abs() / (100_000_000 / WINDOW)).clamp(1, WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn a_share_becomes_microseconds_of_the_window() {
        assert_eq!(threshold(50_000_000), 1_000_000);
        assert_eq!(threshold(100_000_000), 2_000_000);
        assert_eq!(threshold(1), 1);
        assert_eq!(threshold(i64::MAX), 2_000_000);
    }

    #[test]
    fn a_trigger_is_armed_or_refused_with_a_reason_we_know() {
        for resource in Resource::ALL {
            if let Err(errno) = Trigger::arm(resource, 50_000_000) {
                let known = [
                    Errno::NOENT,
                    Errno::OPNOTSUPP,
                    Errno::ACCESS,
                    Errno::PERM,
                    Errno::INVAL,
                ];
                assert!(known.contains(&errno), "{errno}");
            }
        }
    }
}
