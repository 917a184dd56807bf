//! What a mount's file looks like to `stat(2)`.

use crate::sys::fuse_abi::{fuse_attr, fuse_kstatfs, fuse_setattr_in};
use crate::sys::fuse_flags::{FUSE_ROOT_ID, SetattrFlags};

/// How long the kernel may keep the attributes. Each change goes through us, and it forgets the
/// times by itself when it reads or writes.
pub(super) const ATTR_SECONDS: u64 = 3600;

/// Owner, mode and times of the file. Its size is always one token, so that the kernel lets clients
/// give one back at the same time ([`FopenFlags::STREAM`](crate::sys::fuse_flags::FopenFlags)).
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    mode: u32,
    uid: u32,
    gid: u32,
    /// Access, modification and change: seconds and nanoseconds since 1970.
    times: [(u64, u32); 3],
}

impl File {
    /// A file made at `now`, seconds since 1970.
    pub(super) fn new(mode: u32, uid: u32, gid: u32, now: u64) -> Self {
        File {
            mode: mode & 0o7777,
            uid,
            gid,
            times: [(now, 0); 3],
        }
    }

    pub(super) fn attr(&self) -> fuse_attr {
        let [(atime, atimensec), (mtime, mtimensec), (ctime, ctimensec)] = self.times;
        fuse_attr {
            ino: FUSE_ROOT_ID,
            size: 1,
            atime,
            mtime,
            ctime,
            atimensec,
            mtimensec,
            ctimensec,
            mode: libc::S_IFREG | self.mode,
            nlink: 1,
            uid: self.uid,
            gid: self.gid,
            blksize: 4096,
            ..fuse_attr::default()
        }
    }

    /// Changes what `asked` names. The kernel has checked the permission (default_permissions); a
    /// new size, which `>` asks for, is as good as done.
    pub(super) fn set(&mut self, asked: &fuse_setattr_in) {
        let valid = SetattrFlags(asked.valid);
        if valid.contains(SetattrFlags::MODE) {
            self.mode = asked.mode & 0o7777;
        }
        if valid.contains(SetattrFlags::UID) {
            self.uid = asked.uid;
        }
        if valid.contains(SetattrFlags::GID) {
            self.gid = asked.gid;
        }
        if valid.contains(SetattrFlags::ATIME) {
            self.times[0] = (asked.atime, asked.atimensec);
        }
        if valid.contains(SetattrFlags::MTIME) {
            self.times[1] = (asked.mtime, asked.mtimensec);
        }
    }
}

/// What `df` shows: a file system with one file and no room.
pub(super) fn statfs() -> fuse_kstatfs {
    fuse_kstatfs {
        files: 1,
        bsize: 4096,
        namelen: 255,
        frsize: 4096,
        ..fuse_kstatfs::default()
    }
}
