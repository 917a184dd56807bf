//! The answer to a request: the one place where reply headers are made.

use super::channel::Channel;
use super::fuse_abi::{
    fuse_attr, fuse_attr_out, fuse_ioctl_out, fuse_kstatfs, fuse_open_out, fuse_out_header,
    fuse_poll_out, fuse_write_out,
};
use super::fuse_flags::{FUSE_NOTIFY_POLL, FopenFlags, MAX_ERROR, PollEvents, opcode};
use super::plain::Plain;
use core::mem::size_of;
use rustix::io::{Errno, IoSlice, Result, write, writev};

/// The duty to answer one request. Answering consumes it; dropped unanswered it is a mistake in the
/// program: a panic in a debug build, else EIO to the client.
///
/// Each answer is one system call and no allocation. It fails with [`Errno::NOENT`] where the request
/// is over: the connection was aborted, or the request was answered before. Where a request wants
/// no answer (INTERRUPT, FORGET) nothing is sent, whatever is answered, and dropping is right.
#[derive(Debug)]
#[must_use = "every request wants exactly one answer"]
pub struct Reply<'c> {
    channel: &'c Channel,
    unique: u64,
    opcode: u32,
    owed: bool,
}

impl<'c> Reply<'c> {
    /// The duty to answer request `unique`.
    pub(super) fn new(channel: &'c Channel, unique: u64, opcode: u32) -> Reply<'c> {
        let silent = matches!(
            opcode,
            opcode::INTERRUPT | opcode::FORGET | opcode::BATCH_FORGET
        );
        Reply {
            channel,
            unique,
            opcode,
            owed: !silent,
        }
    }

    /// Leaves a READ unanswered for now; [`Channel::parked`] takes the number back.
    pub fn park(mut self) -> u64 {
        debug_assert_eq!(
            self.opcode,
            opcode::READ,
            "only reads may wait for their answer"
        );
        self.owed = false;
        self.unique
    }

    /// Answers with an errno.
    ///
    /// ENOSYS would switch polling, or any word of opens and closes, off for the whole connection: there, and
    /// for what is no errno that the kernel lets through (1 to 511), EIO is sent.
    pub fn error(mut self, errno: Errno) -> Result<()> {
        self.send_error(errno)
    }

    /// Answers with success and nothing more.
    pub fn empty(self) -> Result<()> {
        self.data(&[])
    }

    /// Answers a READ: as many bytes as it asked for, or fewer. None is an end of file.
    pub fn data(mut self, data: &[u8]) -> Result<()> {
        self.send(0, &[data])
    }

    /// Answers a WRITE: the bytes taken.
    pub fn written(self, size: u32) -> Result<()> {
        self.plain(&fuse_write_out { size, padding: 0 })
    }

    /// Answers a POLL: what holds now. Bits that were not asked for do no harm.
    pub fn polled(self, revents: PollEvents) -> Result<()> {
        self.plain(&fuse_poll_out {
            revents: revents.0,
            padding: 0,
        })
    }

    /// Answers an IOCTL: what the call returns (at least 0), and at most `out_size` bytes.
    pub fn ioctl(mut self, result: i32, data: &[u8]) -> Result<()> {
        let out = fuse_ioctl_out {
            result,
            ..fuse_ioctl_out::default()
        };
        self.send(0, &[out.as_bytes(), data])
    }

    /// Answers an OPEN: our number for the open file, which its other requests will carry.
    pub fn opened(self, file: u64, flags: FopenFlags) -> Result<()> {
        self.plain(&fuse_open_out {
            fh: file,
            open_flags: flags.0,
            padding: 0,
        })
    }

    /// Answers a GETATTR or SETATTR: the attributes, and the seconds that the kernel may keep them.
    pub fn attr(self, attr: &fuse_attr, seconds: u64) -> Result<()> {
        self.plain(&fuse_attr_out {
            attr_valid: seconds,
            attr: *attr,
            ..fuse_attr_out::default()
        })
    }

    /// Answers a STATFS.
    pub fn statfs(self, statfs: &fuse_kstatfs) -> Result<()> {
        self.plain(statfs)
    }

    /// Answers with a struct.
    pub(super) fn plain(mut self, value: &impl Plain) -> Result<()> {
        self.send(0, &[value.as_bytes()])
    }

    /// Answers a CUSE_INIT: a struct and strings.
    pub(super) fn plain_and(mut self, value: &impl Plain, data: &[u8]) -> Result<()> {
        self.send(0, &[value.as_bytes(), data])
    }

    fn send_error(&mut self, errno: Errno) -> Result<()> {
        let switches_off = matches!(self.opcode, opcode::POLL | opcode::OPEN | opcode::RELEASE);
        let code = match errno.raw_os_error() {
            libc::ENOSYS if switches_off => libc::EIO,
            code @ 1..=MAX_ERROR => code,
            _ => libc::EIO,
        };
        self.send(-code, &[])
    }

    fn send(&mut self, error: i32, parts: &[&[u8]]) -> Result<()> {
        if !core::mem::replace(&mut self.owed, false) {
            return Ok(());
        }
        write_message(self.channel, error, self.unique, parts)
    }
}

impl Drop for Reply<'_> {
    fn drop(&mut self) {
        if self.owed {
            debug_assert!(
                std::thread::panicking(),
                "request {} dropped unanswered",
                self.unique
            );
            let _ = self.send_error(Errno::IO);
        }
    }
}

/// Notifies everybody who polls the open file that the kernel calls `kh`. Success where it is gone.
pub(super) fn notify_poll(channel: &Channel, kh: u64) -> Result<()> {
    write_message(channel, FUSE_NOTIFY_POLL, 0, &[kh.as_bytes()])
}

/// Room for every answer but those of GETATTR, STATFS and the longer ones of IOCTL. Aligned so that it lies in one
/// page: the kernel pins each page of an answer, and each part of one, by itself.
#[repr(C, align(64))]
struct Short([u8; 64]);

/// Writes header and at most two parts, whole: the kernel takes a message as it is or refuses it.
fn write_message(channel: &Channel, error: i32, unique: u64, parts: &[&[u8]]) -> Result<()> {
    let size = parts.iter().map(|part| part.len()).sum::<usize>() + size_of::<fuse_out_header>();
    let len = u32::try_from(size).map_err(|_| Errno::MSGSIZE)?;
    let header = fuse_out_header { len, error, unique };
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let message = [header.as_bytes(), part(0), part(1)];
    let mut short = Short([0; 64]);
    // EINTR cannot follow a partial effect here, and is tried again by the kernel's own restart.
    match short.0.get_mut(..size) {
        Some(short) => {
            let mut rest = &mut *short;
            for part in message {
                let (place, after) = rest.split_at_mut(part.len());
                place.copy_from_slice(part);
                rest = after;
            }
            write(channel, short).map(drop)
        }
        None => writev(channel, &message.map(IoSlice::new)[..=parts.len()]).map(drop),
    }
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
