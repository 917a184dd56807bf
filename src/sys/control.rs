//! Controls of an open device, by number.

#![allow(unsafe_code)]

use super::errno::check;
use super::plain::Plain;
use core::mem::{MaybeUninit, size_of};
use rustix::io::{Errno, Result};
use rustix::ioctl::Opcode;
use std::os::fd::{AsFd, AsRawFd};

/// Asks for what `number`, an `_IOR` of a `T`, reads. Returns the result of the call as well.
pub fn read<T: Plain>(device: impl AsFd, number: Opcode) -> Result<(u32, T)> {
    fits::<T>(number)?;
    let mut value = MaybeUninit::<T>::zeroed();
    let fd = device.as_fd().as_raw_fd();
    // SAFETY: the kernel writes as many bytes as the number says, and that is what value has.
    let result = check(unsafe { libc::ioctl(fd, number as _, value.as_mut_ptr()) })?;
    // SAFETY: every byte was zero before, and a Plain may have any bytes.
    Ok((result.unsigned_abs(), unsafe { value.assume_init() }))
}

/// Hands over `value` with `number`, an `_IOW` of a `T`. Returns the result of the call.
pub fn write<T: Plain>(device: impl AsFd, number: Opcode, value: &T) -> Result<u32> {
    fits::<T>(number)?;
    let fd = device.as_fd().as_raw_fd();
    // SAFETY: the kernel reads as many bytes as the number says, and that is what value has.
    let result = check(unsafe { libc::ioctl(fd, number as _, &raw const *value) })?;
    Ok(result.unsigned_abs())
}

/// The size of the payload is in bits 16 to 29 of a number.
fn fits<T>(number: Opcode) -> Result<()> {
    if (number >> 16) as usize & 0x3fff == size_of::<T>() {
        Ok(())
    } else {
        Err(Errno::INVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::ioctl::opcode;

    #[test]
    fn a_payload_of_another_size_is_refused_before_the_call() {
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(
            read::<u32>(&reader, opcode::read::<i64>(b'x', 1)),
            Err(Errno::INVAL)
        );
        assert_eq!(
            write(&reader, opcode::write::<i64>(b'x', 1), &0_u32),
            Err(Errno::INVAL)
        );
    }

    #[test]
    fn a_file_without_such_a_control_says_so() {
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(
            read::<i64>(&reader, opcode::read::<i64>(b'x', 1)),
            Err(Errno::NOTTY)
        );
        assert_eq!(
            write(&reader, opcode::write::<i64>(b'x', 1), &0_i64),
            Err(Errno::NOTTY)
        );
    }
}
