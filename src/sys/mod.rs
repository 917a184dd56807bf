//! Everything that is asked of the kernel, and every `unsafe`; knows nothing of tokens.
//!
//! Interfaces are safe, descriptors are owned, and an error is either the errno alone
//! ([`rustix::io::Errno`], which costs no allocation) or a small enum that names call and object.

pub mod channel;
pub mod fuse_abi;
pub mod fuse_flags;
pub mod plain;
pub mod reply;
pub mod request;
