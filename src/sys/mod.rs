//! Everything that is asked of the kernel, and every `unsafe`; knows nothing of tokens.
//!
//! Interfaces are safe, descriptors are owned, and an error is either the errno alone
//! ([`rustix::io::Errno`], which costs no allocation) or a small enum that names call and object.
//!
//! * Serving: [`cuse`] and [`mount`] make a [`channel`]; a [`request`] comes out of it and a
//!   [`reply`] goes in, in the bytes of [`fuse_abi`] and the numbers of [`fuse_flags`].
//! * Waiting: [`events`], for requests, exits, [`signals`] and [`pressure`].
//! * Who asks: [`identity`] and [`procfs`].
//! * The machine: [`readings`], [`cpus`], [`clock`].
//! * Starting: [`file_limit`], [`users`], [`privileges`], [`seccomp`], [`notify`].
//! * Being a client: [`device`], [`exec`], [`child`].

pub mod channel;
pub mod child;
pub mod clock;
pub mod cpus;
pub mod cuse;
pub mod device;
pub mod errno;
pub mod events;
pub mod exec;
pub mod file_limit;
pub mod fuse_abi;
pub mod fuse_flags;
mod fusermount;
pub mod identity;
mod keeper;
pub mod mount;
mod mountpoint;
pub mod notify;
pub mod plain;
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
