//! The client's side of the device.

#![allow(unsafe_code)]

use super::errno::check;
use super::plain::Plain;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, Result};
use rustix::ioctl::{Opcode, opcode};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// An open device, or file that stands in for one; closed on exec.
#[derive(Debug)]
pub struct Device(OwnedFd);

/// What a device is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To ask.
    Read,
    /// To change something, and to take tokens and give them back.
    ReadWrite,
}

impl Device {
    /// Opens a device.
    pub fn open(path: &Path, access: Access) -> Result<Device> {
        let access = match access {
            Access::Read => OFlags::RDONLY,
            Access::ReadWrite => OFlags::RDWR,
        };
        open(
            path,
            access | OFlags::CLOEXEC | OFlags::NOCTTY,
            Mode::empty(),
        )
        .map(Device)
    }

    /// Asks for the payload of a reading number; returns what the call returns, and the payload.
    ///
    /// # Errors
    /// [`Errno::NOTTY`] where the other side is no steve; [`Errno::INVAL`] also where the number is not for this payload.
    pub fn get<T: Plain>(&self, number: Opcode) -> Result<(u32, T)> {
        let mut payload = T::zeroed();
        fits(number, opcode::read::<T>)?;
        // SAFETY: the number says how many bytes the kernel writes at most, which is the payload's size.
        let result =
            check(unsafe { libc::ioctl(self.0.as_raw_fd(), number as _, &raw mut payload) })?;
        Ok((result.unsigned_abs(), payload))
    }

    /// Hands over the payload of a writing number; returns what the call returns.
    ///
    /// # Errors
    /// As for [`Device::get`].
    pub fn set<T: Plain>(&self, number: Opcode, payload: &T) -> Result<u32> {
        fits(number, opcode::write::<T>)?;
        // SAFETY: the number says how many bytes the kernel reads, which is the payload's size.
        let result =
            check(unsafe { libc::ioctl(self.0.as_raw_fd(), number as _, &raw const *payload) })?;
        Ok(result.unsigned_abs())
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Checks that a number is the one for a payload, going by how such numbers are built from direction and size.
fn fits(number: Opcode, build: fn(u8, u8) -> Opcode) -> Result<()> {
    let [nr, group, ..] = number.to_le_bytes();
    if build(group, nr) == number {
        Ok(())
    } else {
        Err(Errno::INVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_for_another_payload_is_refused_before_the_call() {
        let null = Device::open(Path::new("/dev/null"), Access::ReadWrite).unwrap();
        let (reading, writing) = (opcode::read::<u32>(0xE7, 1), opcode::write::<u32>(0xE7, 1));
        assert_eq!(null.get::<u64>(reading), Err(Errno::INVAL));
        assert_eq!(null.get::<u32>(writing), Err(Errno::INVAL));
        assert_eq!(null.set(writing, &0_u64), Err(Errno::INVAL));
        assert_eq!(null.set(reading, &0_u32), Err(Errno::INVAL));
    }

    #[test]
    fn what_is_no_steve_is_told_by_its_errno() {
        let null = Device::open(Path::new("/dev/null"), Access::Read).unwrap();
        assert_eq!(
            null.get::<u32>(opcode::read::<u32>(0xE7, 1)),
            Err(Errno::NOTTY)
        );
        assert_eq!(
            null.set(opcode::write::<u32>(0xE7, 1), &0_u32),
            Err(Errno::NOTTY)
        );
        assert_eq!(
            Device::open(Path::new("/dev/none"), Access::Read).unwrap_err(),
            Errno::NOENT
        );
    }
}
