//! fusermount3, the set-user-id program that mounts for whom the kernel does not let.

use super::exec::is_there;
use super::mount::Error;
use core::mem::MaybeUninit;
use rustix::io::{Errno, IoSliceMut};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The names that the program goes by.
const NAMES: [&str; 2] = ["fusermount3", "fusermount"];

/// Options of every mount.
const OPTIONS: &str = "default_permissions,noexec,fsname=steve,subtype=steve";

/// Mounts on `path`; returns the open device, and whether others than we may use the mount, which
/// fusermount3 permits where /etc/fuse.conf says `user_allow_other`.
pub(super) fn mount(path: &Path) -> Result<(OwnedFd, bool), Error> {
    match attempt(path, &format!("{OPTIONS},allow_other")) {
        Err(Error::Fusermount(..)) => attempt(path, OPTIONS).map(|device| (device, false)),
        device => device.map(|device| (device, true)),
    }
}

/// Unmounts, also with files open.
pub(super) fn unmount(path: &Path) -> Result<(), Error> {
    run(path, Stdio::null(), &["-u", "-q", "-z"])
}

fn attempt(path: &Path, options: &str) -> Result<OwnedFd, Error> {
    let broken = |error| Error::Fusermount(path.to_owned(), format!("no descriptor came: {error}"));
    let (ours, its) = UnixStream::pair().map_err(broken)?;
    // Its end is the program's standard input: nothing beyond the usual three need be passed on.
    run(path, Stdio::from(OwnedFd::from(its)), &["-o", options])?;
    received(&ours).map_err(|errno| broken(errno.into()))
}

/// Runs the program and waits for it.
fn run(path: &Path, input: Stdio, arguments: &[&str]) -> Result<(), Error> {
    let program = NAMES.into_iter().find(|name| is_there(OsStr::new(name)));
    let program = program.ok_or_else(|| Error::NoFusermount(path.to_owned()))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg("--")
        .arg(path)
        .env("_FUSE_COMMFD", "0");
    let output = command.stdin(input).output();
    let refused = |told: &str| Error::Fusermount(path.to_owned(), told.to_owned());
    let Output { status, stderr, .. } = output.map_err(|error| refused(&error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&stderr);
    Err(refused(told.lines().next().unwrap_or("fusermount3 failed")))
}

/// Takes the descriptor off the socket.
fn received(socket: &UnixStream) -> rustix::io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut bytes = [IoSliceMut::new(&mut byte)];
    recvmsg(
        socket,
        &mut bytes,
        &mut control,
        RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT,
    )?;
    let descriptor = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    descriptor.ok_or(Errno::BADMSG)
}
