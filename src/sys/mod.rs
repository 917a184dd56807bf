//! Everything that is asked of the kernel, and every `unsafe`; knows nothing of tokens.
//!
//! Interfaces are safe, descriptors are owned, and an error is either the errno alone
//! ([`rustix::io::Errno`], which costs no allocation) or a small enum that names call and object.

pub mod channel;
pub mod child;
pub mod clock;
pub mod cpus;
pub mod cuse;
pub mod device;
pub mod errno;
pub mod exec;
pub mod exits;
pub mod fuse_abi;
pub mod fuse_flags;
mod fusermount;
pub mod identity;
mod keeper;
pub mod mount;
mod mountpoint;
pub mod notify;
pub mod plain;
pub mod poll;
pub mod pressure;
pub mod privileges;
pub mod procfs;
pub mod readings;
pub mod reply;
pub mod request;
#[cfg(test)]
pub(crate) mod scratch;
pub mod seccomp;
pub mod signals;
pub mod users;
