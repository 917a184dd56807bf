//! A command in the pool.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::process::Command;

use rustix::io::{FdFlags, dup, fcntl_setfd};

use super::device::Device;
use super::error::Error;
use super::makeflags::{with_auth, without_auth};
use crate::sys::exec::{self, exec};

/// stevie itself failed.
pub(super) const FAILED: u8 = 125;

/// Why there is no command, and what to exit with.
pub(super) type Failure = (Error, u8);

/// Becomes the command, which opens the device by its path. Returns only if that fails.
///
/// The token of the command is taken already: it stays with this process through the exec.
pub(super) fn by_path(device: &Device<'_>, token: u8, command: &[OsString]) -> Failure {
    become_command(device, token, prepare(command, &fifo(device.path())))
}

/// Becomes the command, which inherits the device open. Returns only if that fails.
///
/// Both descriptors are one open file, so that even where steve knows a client by its open file
/// alone, what is read through one and written through the other is the same client's.
pub(super) fn by_descriptors(device: &Device<'_>, token: u8, command: &[OsString]) -> Failure {
    let inherited = |errno| (Error::System("pass the device on", errno), FAILED);
    let writer: OwnedFd = match dup(device) {
        Ok(writer) => writer,
        Err(errno) => return inherited(errno),
    };
    if let Err(errno) = fcntl_setfd(device, FdFlags::empty()) {
        return inherited(errno);
    }
    let auth = format!("{},{}", device.as_fd().as_raw_fd(), writer.as_raw_fd());
    become_command(device, token, prepare(command, OsStr::new(&auth)))
}

/// The word that names a FIFO, or a device that passes for one.
pub(super) fn fifo(path: &Path) -> OsString {
    // The command may run in any directory.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut auth = OsString::from("fifo:");
    auth.push(path);
    auth
}

/// The command with the environment that leads it to the pool.
///
/// The jobserver crate of the Rust world takes the first that is set of CARGO_MAKEFLAGS, MAKEFLAGS
/// and MFLAGS, and cargo sets the first anew for what it runs: an inherited one would lead to
/// another pool, or to none. GNU make writes MFLAGS and never reads it, but recipes put it on
/// command lines, where a `-j` would take the command out of the pool.
pub(super) fn prepare(command: &[OsString], auth: &OsStr) -> Command {
    let (name, arguments) = command
        .split_first()
        .map_or((OsStr::new(""), command), |(n, a)| (n, a));
    let mut prepared = Command::new(name);
    prepared.args(arguments).env_remove("CARGO_MAKEFLAGS");
    let flags = std::env::var_os("MAKEFLAGS").unwrap_or_default();
    prepared.env("MAKEFLAGS", with_auth(&flags, auth));
    if let Some(flags) = std::env::var_os("MFLAGS") {
        prepared.env("MFLAGS", without_auth(&flags));
    }
    prepared
}

fn become_command(device: &Device<'_>, token: u8, mut command: Command) -> Failure {
    let failure = exec(&mut command);
    // The end of this process would give it back as well, but not before the message is out.
    let _ = device.give_back(&[token]);
    not_started(&command, failure)
}

/// What to say and to exit with when `command` did not start.
pub(super) fn not_started(command: &Command, failure: exec::Failure) -> Failure {
    (
        Error::Command(command.get_program().to_os_string(), failure),
        failure.status(),
    )
}
