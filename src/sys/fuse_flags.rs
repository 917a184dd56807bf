//! The numbers of `linux/fuse.h`: version, sizes, operations, and one type for each flags word.

use rustix::fs::OFlags;

/// The protocol's major version; there has been no other since Linux 2.6.14.
pub const FUSE_KERNEL_VERSION: u32 = 7;

/// The minor version we speak: that of Linux 5.4. It fixes the structs' sizes, and nothing newer is needed.
pub const FUSE_KERNEL_MINOR_VERSION: u32 = 31;

/// The least minor version: CUSE begins here, and poll, ioctl and today's struct sizes are older.
pub const FUSE_OLDEST_MINOR_VERSION: u32 = 11;

/// The read buffer's size; with less `fuse_dev_do_read` refuses to hand out any request (EINVAL).
pub const FUSE_MIN_READ_BUFFER: usize = 8192;

/// Most bytes of one WRITE. Clients write a token or a few; `process_init_reply` raises less to this.
pub const MAX_WRITE: u32 = 4096;

/// The greatest errno that a reply may carry; `fuse_dev_do_write` refuses more.
pub const MAX_ERROR: i32 = 511;

/// Most bytes of the strings behind a `cuse_init_out`; `cuse_send_init` makes room for no more.
pub const CUSE_INIT_INFO_MAX: usize = 4096;

/// The notification that wakes pollers; `fuse_notify` is told apart by it.
pub const FUSE_NOTIFY_POLL: i32 = 1;

/// The inode of a mount's root.
pub const FUSE_ROOT_ID: u64 = 1;

/// In `fuse_poll_in.flags`: somebody waits, and is to be notified.
pub const FUSE_POLL_SCHEDULE_NOTIFY: u32 = 1;

/// What a request asks for.
pub mod opcode {
    #![allow(missing_docs)]

    pub const FORGET: u32 = 2;
    pub const GETATTR: u32 = 3;
    pub const SETATTR: u32 = 4;
    pub const OPEN: u32 = 14;
    pub const READ: u32 = 15;
    pub const WRITE: u32 = 16;
    pub const STATFS: u32 = 17;
    pub const RELEASE: u32 = 18;
    pub const FSYNC: u32 = 20;
    pub const FLUSH: u32 = 25;
    pub const INIT: u32 = 26;
    pub const INTERRUPT: u32 = 36;
    pub const DESTROY: u32 = 38;
    pub const IOCTL: u32 = 39;
    pub const POLL: u32 = 40;
    pub const BATCH_FORGET: u32 = 42;
    pub const CUSE_INIT: u32 = 4096;
}

/// `fuse_open_out.open_flags`, the `FOPEN_` bits. CUSE ignores them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FopenFlags(pub u32);

impl FopenFlags {
    /// None.
    pub const NONE: FopenFlags = FopenFlags(0);
    /// For a file that is a stream of tokens: DIRECT_IO, so that no byte is cached; STREAM, so that
    /// a read that waits does not hold the file position's lock, which every write would wait for; and
    /// PARALLEL_DIRECT_WRITES (Linux 6.2), so that one write does not wait for the answer to another, as
    /// long as it ends within the file's size (`fuse_dio_lock`).
    pub const STREAM: FopenFlags = FopenFlags(1 << 0 | 1 << 4 | 1 << 6);
}

/// `fuse_setattr_in.valid`, the `FATTR_` bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetattrFlags(pub u32);

impl SetattrFlags {
    /// `mode` counts: `chmod`.
    pub const MODE: SetattrFlags = SetattrFlags(1 << 0);
    /// `uid` counts: `chown`.
    pub const UID: SetattrFlags = SetattrFlags(1 << 1);
    /// `gid` counts: `chgrp`.
    pub const GID: SetattrFlags = SetattrFlags(1 << 2);
    /// `size` counts: a truncation.
    pub const SIZE: SetattrFlags = SetattrFlags(1 << 3);
    /// `atime` counts.
    pub const ATIME: SetattrFlags = SetattrFlags(1 << 4);
    /// `mtime` counts.
    pub const MTIME: SetattrFlags = SetattrFlags(1 << 5);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: SetattrFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// An open file's flags as OPEN, READ and WRITE carry them: those of `open(2)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileFlags(pub u32);

impl FileFlags {
    /// Whether the caller wants EAGAIN in place of a wait.
    pub const fn nonblocking(self) -> bool {
        self.0 & OFlags::NONBLOCK.bits() != 0
    }

    /// Whether the file may be read.
    pub const fn readable(self) -> bool {
        self.0 & OFlags::ACCMODE.bits() != OFlags::WRONLY.bits()
    }

    /// Whether the file may be written.
    pub const fn writable(self) -> bool {
        self.0 & OFlags::ACCMODE.bits() != OFlags::RDONLY.bits()
    }
}

/// `fuse_poll_in.events` and `fuse_poll_out.revents`: the bits of `poll(2)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollEvents(pub u32);

impl PollEvents {
    /// A read would not block.
    pub const READABLE: PollEvents = PollEvents(libc::POLLIN as u32 | libc::POLLRDNORM as u32);
    /// A write would not block.
    pub const WRITABLE: PollEvents = PollEvents(libc::POLLOUT as u32 | libc::POLLWRNORM as u32);

    /// The bits of both.
    pub const fn with(self, other: PollEvents) -> PollEvents {
        PollEvents(self.0 | other.0)
    }

    /// Whether any bit of `other` is set.
    pub const fn intersects(self, other: PollEvents) -> bool {
        self.0 & other.0 != 0
    }
}
