//! The structs of `linux/fuse.h` that a CUSE device or a one-file FUSE mount meets.
//!
//! A translation and nothing else: the kernel's names, field order and padding, in the machine's
//! byte order, each with its size and offsets as the kernel has them. Only the kernel writes the
//! `_in` structs and only we write the `_out` ones; fields without a comment have no use here.

#![allow(unsafe_code, missing_docs, non_camel_case_types)]

use super::plain::Plain;
use core::mem::{offset_of, size_of};

/// Declares kernel structs: the size behind the name, each field's offset before it. All are checked
/// at compile time, and so is that the fields fill the struct, which leaves no room for padding.
macro_rules! kernel_structs {
    ($($(#[$doc:meta])* struct $name:ident $size:literal {
        $($(#[$field_doc:meta])* $offset:literal $field:ident: $type:ty,)*
    })*) => {
        $(
            $(#[$doc])*
            #[repr(C)]
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $type,)*
            }

            const _: () = {
                assert!(size_of::<$name>() == $size);
                assert!(0 $(+ size_of::<$type>())* == $size);
                $(assert!(offset_of!($name, $field) == $offset);)*
            };

            // SAFETY: the fields are integers and arrays of them, and the assertions above leave no padding.
            unsafe impl Plain for $name {}
        )*
    };
}

kernel_structs! {
    /// Begins every request.
    struct fuse_in_header 40 {
        /// Bytes of the whole request, this header included.
        0 len: u32,
        4 opcode: u32,
        /// The request's number: even; odd in an INTERRUPT. The reply repeats it.
        8 unique: u64,
        16 nodeid: u64,
        /// The caller's fsuid, seen from the user namespace of the opener or the mount.
        24 uid: u32,
        28 gid: u32,
        /// The calling *thread*; 0 where it has no number in the server's pid namespace, and in RELEASE, INTERRUPT and INIT.
        32 pid: u32,
        36 total_extlen: u16,
        38 padding: u16,
    }

    /// Begins every reply and notification.
    struct fuse_out_header 16 {
        /// Bytes of the whole reply; must equal the bytes written.
        0 len: u32,
        /// 0 or a negated errno; the code of a notification.
        4 error: i32,
        /// The request's number; 0 in a notification.
        8 unique: u64,
    }

    /// CUSE_INIT, asked once by the kernel for each open of /dev/cuse.
    struct cuse_init_in 16 {
        0 major: u32,
        4 minor: u32,
        8 unused: u32,
        12 flags: u32,
    }

    /// The answer to CUSE_INIT; `KEY=VALUE\0` strings follow.
    struct cuse_init_out 72 {
        0 major: u32,
        4 minor: u32,
        8 unused: u32,
        12 flags: u32,
        16 max_read: u32,
        20 max_write: u32,
        /// The device number asked for; major 0 lets the kernel choose one.
        24 dev_major: u32,
        28 dev_minor: u32,
        32 spare: [u32; 10],
    }

    /// INIT, asked once by the kernel for each mount. Kernels before 7.36 send the first 16 bytes.
    struct fuse_init_in 64 {
        0 major: u32,
        4 minor: u32,
        8 max_readahead: u32,
        12 flags: u32,
        16 flags2: u32,
        20 unused: [u32; 11],
    }

    /// The answer to INIT.
    struct fuse_init_out 64 {
        0 major: u32,
        4 minor: u32,
        8 max_readahead: u32,
        12 flags: u32,
        16 max_background: u16,
        18 congestion_threshold: u16,
        20 max_write: u32,
        24 time_gran: u32,
        28 max_pages: u16,
        30 map_alignment: u16,
        32 flags2: u32,
        36 unused: [u32; 7],
    }

    /// OPEN.
    struct fuse_open_in 8 {
        /// `open(2)` flags, without those that act at the open only.
        0 flags: u32,
        4 open_flags: u32,
    }

    /// The answer to OPEN.
    struct fuse_open_out 16 {
        /// Our name for the open file, which later requests repeat.
        0 fh: u64,
        /// [`FopenFlags`](super::fuse_flags::FopenFlags).
        8 open_flags: u32,
        12 padding: u32,
    }

    /// READ. The answer is 0 to `size` bytes.
    struct fuse_read_in 40 {
        0 fh: u64,
        8 offset: u64,
        16 size: u32,
        20 read_flags: u32,
        24 lock_owner: u64,
        /// The open file's flags as they are now: `fcntl` may have changed them since the open.
        32 flags: u32,
        36 padding: u32,
    }

    /// WRITE; `size` bytes follow.
    struct fuse_write_in 40 {
        0 fh: u64,
        8 offset: u64,
        16 size: u32,
        20 write_flags: u32,
        24 lock_owner: u64,
        /// As in [`fuse_read_in`].
        32 flags: u32,
        36 padding: u32,
    }

    /// The answer to WRITE: the bytes taken.
    struct fuse_write_out 8 {
        0 size: u32,
        4 padding: u32,
    }

    /// POLL.
    struct fuse_poll_in 24 {
        0 fh: u64,
        /// The kernel's name for the open file, to be repeated in a notification.
        8 kh: u64,
        16 flags: u32,
        20 events: u32,
    }

    /// The answer to POLL.
    struct fuse_poll_out 8 {
        0 revents: u32,
        4 padding: u32,
    }

    /// The notification that wakes who polls the open file `kh`.
    struct fuse_notify_poll_wakeup_out 8 {
        0 kh: u64,
    }

    /// INTERRUPT: the caller of request `unique` got a signal.
    struct fuse_interrupt_in 8 {
        0 unique: u64,
    }

    /// RELEASE: the open file's last reference is gone. The answer is empty.
    struct fuse_release_in 24 {
        0 fh: u64,
        8 flags: u32,
        12 release_flags: u32,
        16 lock_owner: u64,
    }

    /// FLUSH: one descriptor of the open file was closed. The answer is empty.
    struct fuse_flush_in 24 {
        0 fh: u64,
        8 unused: u32,
        12 padding: u32,
        16 lock_owner: u64,
    }

    /// IOCTL; `in_size` bytes follow.
    struct fuse_ioctl_in 32 {
        0 fh: u64,
        8 flags: u32,
        12 cmd: u32,
        16 arg: u64,
        24 in_size: u32,
        28 out_size: u32,
    }

    /// The answer to IOCTL; 0 to `out_size` bytes follow.
    struct fuse_ioctl_out 16 {
        /// What the call returns; -1 to -4095 becomes an errno.
        0 result: i32,
        4 flags: u32,
        8 in_iovs: u32,
        12 out_iovs: u32,
    }

    /// GETATTR.
    struct fuse_getattr_in 16 {
        0 getattr_flags: u32,
        4 dummy: u32,
        8 fh: u64,
    }

    /// A file's attributes.
    struct fuse_attr 88 {
        0 ino: u64,
        8 size: u64,
        16 blocks: u64,
        24 atime: u64,
        32 mtime: u64,
        40 ctime: u64,
        48 atimensec: u32,
        52 mtimensec: u32,
        56 ctimensec: u32,
        60 mode: u32,
        64 nlink: u32,
        68 uid: u32,
        72 gid: u32,
        76 rdev: u32,
        80 blksize: u32,
        84 flags: u32,
    }

    /// The answer to GETATTR and SETATTR.
    struct fuse_attr_out 104 {
        /// Seconds that the kernel may keep the attributes.
        0 attr_valid: u64,
        8 attr_valid_nsec: u32,
        12 dummy: u32,
        16 attr: fuse_attr,
    }

    /// SETATTR: `valid` says which fields count.
    struct fuse_setattr_in 88 {
        /// [`SetattrFlags`](super::fuse_flags::SetattrFlags).
        0 valid: u32,
        4 padding: u32,
        8 fh: u64,
        16 size: u64,
        24 lock_owner: u64,
        32 atime: u64,
        40 mtime: u64,
        48 ctime: u64,
        56 atimensec: u32,
        60 mtimensec: u32,
        64 ctimensec: u32,
        68 mode: u32,
        72 unused4: u32,
        76 uid: u32,
        80 gid: u32,
        84 unused5: u32,
    }

    /// What `statfs(2)` says. With the size of `fuse_statfs_out`, its only wrapper.
    struct fuse_kstatfs 80 {
        0 blocks: u64,
        8 bfree: u64,
        16 bavail: u64,
        24 files: u64,
        32 ffree: u64,
        40 bsize: u32,
        44 namelen: u32,
        48 frsize: u32,
        52 padding: u32,
        56 spare: [u32; 6],
    }

    /// FSYNC. The answer is empty.
    struct fuse_fsync_in 16 {
        0 fh: u64,
        8 fsync_flags: u32,
        12 padding: u32,
    }
}
