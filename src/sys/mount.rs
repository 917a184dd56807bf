//! A FUSE mount on a regular file, in place of a device.

use super::channel::{Buffer, Channel, Received};
use super::errno;
use super::fuse_abi::fuse_init_out;
use super::fuse_flags::{
    FUSE_KERNEL_MINOR_VERSION, FUSE_KERNEL_VERSION, FUSE_OLDEST_MINOR_VERSION, MAX_WRITE,
};
use super::fusermount;
use super::keeper::Keeper;
use super::mountpoint::{Identity, Mountpoint};
use super::request::{Operation, Request};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, unmount};
use rustix::process::{getegid, geteuid};
use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

const FUSE: &str = "/dev/fuse";

/// How long the kernel may take to say its first word.
const INIT_TIMEOUT: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};

/// Why there is no mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The path is a directory.
    Directory(PathBuf),
    /// The path is no regular file.
    NotRegular(PathBuf),
    /// The directory that the file should be in is missing.
    NoParent(PathBuf),
    /// Something that is in use is mounted there.
    Busy(PathBuf),
    /// A call on the path failed: which, and why.
    Path(&'static str, PathBuf, Errno),
    /// There is no /dev/fuse, or no driver behind it: ENOENT, ENODEV or ENXIO.
    NoDevice(Errno),
    /// /dev/fuse may not be opened: EACCES or EPERM.
    Permission(Errno),
    /// We may not mount, and there is no fusermount3 to do it for us.
    NoFusermount(PathBuf),
    /// fusermount3 refused: the path, and what it said.
    Fusermount(PathBuf, String),
    /// The handshake failed at this call.
    Handshake(&'static str, Errno),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mount = |path: &Path| format!("cannot mount on '{}'", path.display());
        match self {
            Error::Directory(path) => write!(f, "{}: it is a directory", mount(path)),
            Error::NotRegular(path) => write!(f, "{}: it is no regular file", mount(path)),
            Error::NoParent(path) => write!(f, "{}: its directory is missing", mount(path)),
            Error::Busy(path) => {
                write!(f, "{}: something is mounted there and in use", mount(path))
            }
            Error::Path(call, path, code) => {
                write!(
                    f,
                    "cannot {call} '{}': {}",
                    path.display(),
                    errno::text(*code)
                )
            }
            Error::NoDevice(code) | Error::Permission(code) => {
                write!(f, "cannot open {FUSE}: {}", errno::text(*code))
            }
            Error::NoFusermount(path) => {
                write!(
                    f,
                    "{}: not permitted, and there is no fusermount3",
                    mount(path)
                )
            }
            Error::Fusermount(path, told) => write!(f, "{}: {told}", mount(path)),
            Error::Handshake(call, code) => {
                write!(f, "cannot {call} {FUSE}: {}", errno::text(*code))
            }
        }
    }
}

impl std::error::Error for Error {}

/// A mounted file. Dropping it unmounts, also with files open, and removes the file if it was made for this.
#[derive(Debug)]
pub struct Mount {
    path: PathBuf,
    for_all: bool,
    _keeper: Keeper,
}

impl Mount {
    /// Where it is, without symbolic links on the way.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether others than its owner may use the file, as far as its mode goes.
    pub fn is_for_all(&self) -> bool {
        self.for_all
    }
}

/// Mounts on the file at `path`, made where it is missing, and answers the kernel's handshake.
///
/// Mounts by `mount(2)` where that is permitted, else through fusermount3. A mount that a killed predecessor has
/// left is replaced. To be called before any thread is started: a child is forked that unmounts at the end.
pub fn mount(path: &Path) -> Result<(Channel, Mount), Error> {
    let mut mountpoint = Mountpoint::at(path)?;
    while mountpoint.is_stale_mount()? {
        detach(mountpoint.path())?;
        mountpoint = Mountpoint::at(path)?;
    }
    let (device, by, for_all) =
        device_for(&mountpoint).inspect_err(|_| mountpoint.remove_if_made())?;
    let channel = Channel::new(device).map_err(|errno| Error::Handshake("set up", errno))?;
    let path = mountpoint.path().to_owned();
    let ending = Ending {
        path: path.clone(),
        mounted: Mountpoint::at(&path)?.identity(),
        by,
        mountpoint,
    };
    let keeper = Keeper::start(&channel, move || ending.run())
        .map_err(|errno| Error::Path("keep the mount of", path.clone(), errno))?;
    let mount = Mount {
        path,
        for_all,
        _keeper: keeper,
    };
    handshake(&channel)?;
    Ok((channel, mount))
}

/// The seconds that this kernel gives a server to answer a request before it ends the mount (Linux 6.15 and newer;
/// an administrator has to ask for it). A client that waits longer for a token would end the service.
pub fn request_timeout() -> Option<u32> {
    let limits = ["default_request_timeout", "max_request_timeout"]
        .into_iter()
        .filter_map(|name| {
            let text = fs::read_to_string(format!("/proc/sys/fs/fuse/{name}")).ok()?;
            text.trim().parse().ok().filter(|&seconds| seconds != 0)
        });
    limits.min()
}

/// Who has mounted, and so can unmount.
#[derive(Clone, Copy, Debug)]
enum By {
    Kernel,
    Fusermount,
}

/// What is left to do when the service is gone.
#[derive(Debug)]
struct Ending {
    path: PathBuf,
    mounted: Identity,
    by: By,
    mountpoint: Mountpoint,
}

impl Ending {
    fn run(self) {
        // Somebody may have unmounted ours and mounted another.
        if Mountpoint::at(&self.path).is_ok_and(|now| now.identity() == self.mounted) {
            let _ = match self.by {
                By::Kernel => detach_ourselves(&self.path).map_err(drop),
                By::Fusermount => fusermount::unmount(&self.path).map_err(drop),
            };
        }
        self.mountpoint.remove_if_made();
    }
}

/// Mounts, whoever may; returns the open device, and whether others than its owner may use the mount.
fn device_for(mountpoint: &Mountpoint) -> Result<(OwnedFd, By, bool), Error> {
    match mount_ourselves(mountpoint) {
        // /dev/fuse is closed to us, or mounting is.
        Err(Error::Permission(_) | Error::Path("mount on", _, Errno::PERM)) => {
            let (device, for_all) = fusermount::mount(mountpoint.path())?;
            Ok((device, By::Fusermount, for_all))
        }
        device => Ok((device?, By::Kernel, true)),
    }
}

fn mount_ourselves(mountpoint: &Mountpoint) -> Result<OwnedFd, Error> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let device = open(FUSE, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::NOENT | Errno::NODEV | Errno::NXIO => Error::NoDevice(errno),
        Errno::ACCESS | Errno::PERM => Error::Permission(errno),
        _ => Error::Path("open", FUSE.into(), errno),
    })?;
    // rootmode gives the type alone: the permission bits come with the first GETATTR.
    let options = format!(
        "fd={},rootmode=100000,user_id={},group_id={},allow_other,default_permissions",
        device.as_raw_fd(),
        geteuid().as_raw(),
        getegid().as_raw()
    );
    let options = CString::new(options).unwrap_or_default();
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount(
        "steve",
        mountpoint.handle(),
        "fuse.steve",
        flags,
        options.as_c_str(),
    )
    .map_err(|errno| Error::Path("mount on", mountpoint.path().to_owned(), errno))?;
    Ok(device)
}

/// Takes away a mount that nobody serves any more.
fn detach(path: &Path) -> Result<(), Error> {
    match detach_ourselves(path) {
        Err(Errno::PERM) => fusermount::unmount(path),
        Err(errno) => Err(Error::Path("unmount", path.to_owned(), errno)),
        Ok(()) => Ok(()),
    }
}

fn detach_ourselves(path: &Path) -> rustix::io::Result<()> {
    unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)
}

/// Answers INIT, which the mount itself has queued. Until then every caller waits.
fn handshake(channel: &Channel) -> Result<(), Error> {
    let failed = |call| move |errno| Error::Handshake(call, errno);
    poll(
        &mut [PollFd::new(channel, PollFlags::IN)],
        Some(&INIT_TIMEOUT),
    )
    .map_err(failed("poll"))?;
    let mut buffer = Buffer::new();
    let Received::Request(Request {
        operation, reply, ..
    }) = channel.receive(&mut buffer).map_err(failed("read from"))?
    else {
        return Err(Error::Handshake("read from", Errno::NODEV));
    };
    let Operation::FuseInit {
        major: FUSE_KERNEL_VERSION,
        minor: minor @ FUSE_OLDEST_MINOR_VERSION..,
        flags: _,
    } = operation
    else {
        let _ = reply.error(Errno::PROTO);
        return Err(Error::Handshake("understand", Errno::PROTO));
    };
    let init = fuse_init_out {
        major: FUSE_KERNEL_VERSION,
        minor: minor.min(FUSE_KERNEL_MINOR_VERSION),
        max_write: MAX_WRITE,
        time_gran: 1,
        ..fuse_init_out::default()
    };
    reply.plain(&init).map_err(failed("write to"))
}

#[cfg(test)]
#[path = "mount_tests.rs"]
mod tests;
