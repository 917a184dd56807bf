//! One request of the kernel, parsed.
//!
//! Nothing here trusts the bytes: arguments come off a cursor that yields nothing when they end
//! early, and a request whose lengths contradict each other is [`Operation::Malformed`].

use super::fuse_abi::{
    cuse_init_in, fuse_flush_in, fuse_fsync_in, fuse_getattr_in, fuse_in_header, fuse_interrupt_in,
    fuse_ioctl_in, fuse_open_in, fuse_poll_in, fuse_read_in, fuse_release_in, fuse_setattr_in,
    fuse_write_in,
};
use super::fuse_flags::{FUSE_POLL_SCHEDULE_NOTIFY, FileFlags, PollEvents, opcode};
use super::plain::Plain;
use super::reply::Reply;
use core::mem::size_of;

/// A request, and the handle that answers it.
#[derive(Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub header: Header,
    /// What for.
    pub operation: Operation<'a>,
    /// Where the answer goes.
    pub reply: Reply<'a>,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The request's number, which an INTERRUPT names.
    pub unique: u64,
    /// [`opcode`], for the log.
    pub opcode: u32,
    /// The calling thread in the server's pid namespace; 0 where it has no number there, and in
    /// RELEASE, INTERRUPT and the inits.
    pub tid: u32,
    /// The caller's file system user.
    pub uid: u32,
    /// The caller's file system group.
    pub gid: u32,
}

/// What a request asks for. `file` is the number that OPEN was answered with.
#[allow(missing_docs)] // of the fields: they carry the kernel's names
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<'a> {
    /// The handshake of /dev/cuse. `flags` are what the kernel offers.
    CuseInit { major: u32, minor: u32, flags: u32 },
    /// The handshake of a mount.
    FuseInit { major: u32, minor: u32, flags: u32 },
    /// `open(2)`.
    Open { flags: FileFlags },
    /// `read(2)` of at most `size` bytes, never 0.
    Read {
        file: u64,
        size: u32,
        flags: FileFlags,
    },
    /// `write(2)`, or a part of one.
    Write {
        file: u64,
        data: &'a [u8],
        flags: FileFlags,
    },
    /// `poll(2)`, `select(2)` or `epoll(7)`: which of `events` hold now? With `schedule_notify` somebody
    /// waits and is to be woken by a notification of `kh` when that changes.
    Poll {
        file: u64,
        kh: u64,
        schedule_notify: bool,
        events: PollEvents,
    },
    /// The caller of request `unique` got a signal. Wants no answer.
    Interrupt { unique: u64 },
    /// The last descriptor of the open file is gone.
    Release { file: u64 },
    /// `ioctl(2)`: the number, the bytes that came with it, how many the answer may have.
    Ioctl {
        file: u64,
        cmd: u32,
        input: &'a [u8],
        out_size: u32,
    },
    /// `stat(2)`.
    Getattr,
    /// `chmod(2)`, `chown(2)`, `utimes(2)`, `truncate(2)`.
    Setattr(fuse_setattr_in),
    /// `statfs(2)`.
    Statfs,
    /// A `close(2)` of one descriptor.
    Flush { file: u64 },
    /// `fsync(2)`.
    Fsync { file: u64 },
    /// The kernel forgets an inode. Wants no answer.
    Forget,
    /// The mount is about to end.
    Destroy,
    /// An operation that is not known here; ENOSYS tells the kernel so, and mostly once.
    Unknown,
    /// A known operation whose arguments are too short or contradict each other.
    Malformed,
}

/// Takes values off the front of a request.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take<T: Plain>(&mut self) -> Option<T> {
        let value = T::from_bytes(self.0)?;
        self.0 = self.0.get(size_of::<T>()..)?;
        Some(value)
    }

    fn take_bytes(&mut self, count: u32) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// Splits what one `read(2)` returned into header and operation; `None` where not even the header is whole.
pub(super) fn parse(bytes: &[u8]) -> Option<(Header, Operation<'_>)> {
    let mut cursor = Cursor(bytes);
    let header: fuse_in_header = cursor.take()?;
    let operation = if usize::try_from(header.len) == Ok(bytes.len()) {
        operation(header.opcode, cursor).unwrap_or(Operation::Malformed)
    } else {
        Operation::Malformed
    };
    let header = Header {
        unique: header.unique,
        opcode: header.opcode,
        tid: header.pid,
        uid: header.uid,
        gid: header.gid,
    };
    Some((header, operation))
}

/// Parses the arguments of one operation; `None` where they end early.
fn operation(opcode: u32, mut cursor: Cursor<'_>) -> Option<Operation<'_>> {
    Some(match opcode {
        opcode::CUSE_INIT => {
            let cuse_init_in {
                major,
                minor,
                flags,
                ..
            } = cursor.take()?;
            Operation::CuseInit {
                major,
                minor,
                flags,
            }
        }
        // Only the four words that every kernel sends: `fuse_init_in` grew in 7.36.
        opcode::INIT => {
            let [major, minor, _max_readahead, flags] = cursor.take()?;
            Operation::FuseInit {
                major,
                minor,
                flags,
            }
        }
        opcode::OPEN => {
            let open: fuse_open_in = cursor.take()?;
            Operation::Open {
                flags: FileFlags(open.flags),
            }
        }
        opcode::READ => {
            let read: fuse_read_in = cursor.take()?;
            Operation::Read {
                file: read.fh,
                size: read.size,
                flags: FileFlags(read.flags),
            }
        }
        opcode::WRITE => {
            let write: fuse_write_in = cursor.take()?;
            let data = cursor.take_bytes(write.size)?;
            Operation::Write {
                file: write.fh,
                data,
                flags: FileFlags(write.flags),
            }
        }
        opcode::POLL => {
            let poll: fuse_poll_in = cursor.take()?;
            Operation::Poll {
                file: poll.fh,
                kh: poll.kh,
                schedule_notify: poll.flags & FUSE_POLL_SCHEDULE_NOTIFY != 0,
                events: PollEvents(poll.events),
            }
        }
        opcode::INTERRUPT => {
            let interrupt: fuse_interrupt_in = cursor.take()?;
            Operation::Interrupt {
                unique: interrupt.unique,
            }
        }
        opcode::RELEASE => Operation::Release {
            file: cursor.take::<fuse_release_in>()?.fh,
        },
        opcode::IOCTL => {
            let ioctl: fuse_ioctl_in = cursor.take()?;
            let input = cursor.take_bytes(ioctl.in_size)?;
            Operation::Ioctl {
                file: ioctl.fh,
                cmd: ioctl.cmd,
                input,
                out_size: ioctl.out_size,
            }
        }
        opcode::GETATTR => {
            cursor.take::<fuse_getattr_in>()?;
            Operation::Getattr
        }
        opcode::SETATTR => Operation::Setattr(cursor.take()?),
        opcode::STATFS => Operation::Statfs,
        opcode::FLUSH => Operation::Flush {
            file: cursor.take::<fuse_flush_in>()?.fh,
        },
        opcode::FSYNC => Operation::Fsync {
            file: cursor.take::<fuse_fsync_in>()?.fh,
        },
        opcode::FORGET | opcode::BATCH_FORGET => Operation::Forget,
        opcode::DESTROY => Operation::Destroy,
        _ => Operation::Unknown,
    })
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
