//! The connection to the kernel: requests come out, answers go in.

use super::fuse_flags::{FUSE_MIN_READ_BUFFER, opcode};
use super::reply::{self, Reply};
use super::request::{self, Request};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, FdFlags, Result, fcntl_setfd, read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// An open /dev/cuse or /dev/fuse, closed on exec and never blocking.
///
/// A copy of the descriptor that outlived the service would keep the device standing with nobody
/// serving it, and its clients would hang in place of failing.
#[derive(Debug)]
pub struct Channel(OwnedFd);

/// Room for one request, aligned as the kernel's structs are.
///
/// An ioctl that brings more than fits is refused by the kernel (EIO to its caller); nothing else can be larger.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct Buffer([u8; FUSE_MIN_READ_BUFFER]);

impl Buffer {
    /// An empty buffer.
    pub fn new() -> Box<Buffer> {
        Box::new(Buffer([0; FUSE_MIN_READ_BUFFER]))
    }
}

/// What one look at the channel found.
#[derive(Debug)]
pub enum Received<'a> {
    /// A request.
    Request(Request<'a>),
    /// Nothing: no request is queued, or it was withdrawn.
    Nothing,
    /// The connection is over: unmounted, or aborted by an administrator.
    Over,
}

impl Channel {
    /// Takes over an open device.
    pub fn new(device: OwnedFd) -> Result<Channel> {
        fcntl_setfd(&device, FdFlags::CLOEXEC)?;
        fcntl_setfl(&device, fcntl_getfl(&device)? | OFlags::NONBLOCK)?;
        Ok(Channel(device))
    }

    /// Reads at most one request: one `read(2)`.
    ///
    /// # Errors
    /// [`Errno::PERM`] before a mount; [`Errno::BADMSG`] for less than a header, which the kernel never sends.
    pub fn receive<'a>(&'a self, buffer: &'a mut Buffer) -> Result<Received<'a>> {
        let size = match read(&self.0, &mut buffer.0) {
            Ok(size) => size,
            // NOENT: the request was withdrawn while it was being copied.
            Err(Errno::AGAIN | Errno::INTR | Errno::NOENT) => return Ok(Received::Nothing),
            Err(Errno::NODEV | Errno::CONNABORTED) => return Ok(Received::Over),
            Err(errno) => return Err(errno),
        };
        let bytes = buffer.0.get(..size).unwrap_or_default();
        let (header, operation) = request::parse(bytes).ok_or(Errno::BADMSG)?;
        let reply = Reply::new(self, header.unique, header.opcode);
        Ok(Received::Request(Request {
            header,
            operation,
            reply,
        }))
    }

    /// The answer still owed to a READ that was [parked](Reply::park).
    pub fn parked(&self, unique: u64) -> Reply<'_> {
        Reply::new(self, unique, opcode::READ)
    }

    /// Wakes everybody who polls the open file that the kernel calls `kh`; each then polls again.
    ///
    /// Succeeds where that file is closed, and where the connection is over.
    pub fn notify_poll(&self, kh: u64) -> Result<()> {
        reply::notify_poll(self, kh)
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
