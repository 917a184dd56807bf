//! A character device of our own: registration at /dev/cuse, and the proof that it stands.
//!
//! The kernel accepts the answer to CUSE_INIT, with success, also where it then makes no device. What it
//! made is looked up in three places: the channel, sysfs, and /dev.

use super::channel::{Buffer, Channel, Received};
use super::errno;
use super::fuse_abi::cuse_init_out;
use super::fuse_flags::{
    CUSE_INIT_INFO_MAX, FUSE_KERNEL_MINOR_VERSION, FUSE_KERNEL_VERSION, FUSE_OLDEST_MINOR_VERSION,
    MAX_WRITE,
};
use super::request::{Operation, Request};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{
    AtFlags, CWD, Dev, FileType, Gid, Mode, OFlags, chmod, chownat, lstat, makedev, open,
};
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fmt, fs, thread};

const CUSE: &str = "/dev/cuse";

/// Most bytes of a device's name. The kernel takes more, and beyond 255 makes no node.
pub const NAME_MAX: usize = 63;

/// How long to wait for a node that is not there yet. devtmpfs makes it before the registration
/// returns; this is for a /dev that a daemon fills.
const NODE_TIMEOUT: Duration = Duration::from_secs(3);

/// Why there is no device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The name is empty, too long, or has other bytes than letters, digits, `_`, `-` and `.`.
    BadName(String),
    /// There is no /dev/cuse, or no driver behind it: ENOENT, ENODEV or ENXIO.
    NoDevice(Errno),
    /// /dev/cuse may not be opened: EACCES or EPERM.
    Permission(Errno),
    /// /dev/cuse could not be opened for another reason.
    Open(Errno),
    /// The handshake failed at this call.
    Handshake(&'static str, Errno),
    /// The kernel speaks no version of the protocol that we do.
    Version(u32, u32),
    /// Another CUSE device has the name.
    NameTaken(String),
    /// /dev/NAME is there and belongs to another driver, or is no device.
    NameOwnedByAnother(PathBuf),
    /// The kernel made no device and gives no reason.
    Refused(String),
    /// The device has no entry in sysfs: it is not mounted.
    NoSysfs(PathBuf),
    /// The device stands, and nothing has made a node for it.
    NoNode(PathBuf),
    /// Owner group or mode of the node could not be set: the call and its errno.
    Access(&'static str, PathBuf, Errno),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::BadName(name) => write!(
                f,
                "bad device name '{}': use 1 to {NAME_MAX} letters, digits, '_', '-' or '.'",
                name.escape_default()
            ),
            Error::NoDevice(errno) | Error::Permission(errno) | Error::Open(errno) => {
                write!(f, "cannot open {CUSE}: {}", errno::text(*errno))
            }
            Error::Handshake(call, errno) => {
                write!(f, "cannot {call} {CUSE}: {}", errno::text(*errno))
            }
            Error::Version(major, minor) => {
                write!(
                    f,
                    "{CUSE} speaks version {major}.{minor} of the protocol, not 7.11 or newer"
                )
            }
            Error::NameTaken(name) => {
                write!(
                    f,
                    "cannot register the device '{name}': another CUSE device has that name"
                )
            }
            Error::NameOwnedByAnother(path) => {
                write!(
                    f,
                    "cannot register {}: it belongs to another driver",
                    path.display()
                )
            }
            Error::Refused(name) => {
                write!(
                    f,
                    "cannot register the device '{name}': refused by the kernel"
                )
            }
            Error::NoSysfs(path) => write!(f, "cannot verify the device: no {}", path.display()),
            Error::NoNode(path) => write!(
                f,
                "the device is registered, but nothing made {}",
                path.display()
            ),
            Error::Access(call, path, errno) => {
                write!(
                    f,
                    "cannot {call} {}: {}",
                    path.display(),
                    errno::text(*errno)
                )
            }
        }
    }
}

impl std::error::Error for Error {}

/// Whether a device may be called so.
pub fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(plain) && name != "." && name != ".."
}

/// The node of a registered device. It goes when the channel is closed.
#[derive(Debug)]
pub struct Node {
    path: PathBuf,
}

impl Node {
    /// /dev/NAME.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets the owner group and the permission bits, where given.
    pub fn set_access(&self, group: Option<u32>, mode: Option<u32>) -> Result<(), Error> {
        let failed = |call| move |errno| Error::Access(call, self.path.clone(), errno);
        if let Some(group) = group {
            let group = Some(Gid::from_raw(group));
            chownat(CWD, &self.path, None, group, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(failed("change the group of"))?;
        }
        if let Some(mode) = mode {
            chmod(&self.path, Mode::from_raw_mode(mode)).map_err(failed("change the mode of"))?;
        }
        Ok(())
    }
}

/// Makes the device /dev/NAME and waits until it stands.
pub fn register(name: &str) -> Result<(Channel, Node), Error> {
    if !is_name(name) {
        return Err(Error::BadName(name.to_owned()));
    }
    let channel = open_cuse()?;
    handshake(&channel, name)?;
    let node = Node {
        path: Path::new("/dev").join(name),
    };
    let entry = Path::new("/sys/class/cuse").join(name);
    if !alive(&channel)? {
        let taken = entry.exists();
        return Err(if taken {
            Error::NameTaken
        } else {
            Error::Refused
        }(name.to_owned()));
    }
    wait_for_node(&node.path, device_number(&entry.join("dev"))?)?;
    Ok((channel, node))
}

fn open_cuse() -> Result<Channel, Error> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let device = open(CUSE, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::NOENT | Errno::NODEV | Errno::NXIO => Error::NoDevice(errno),
        Errno::ACCESS | Errno::PERM => Error::Permission(errno),
        _ => Error::Open(errno),
    })?;
    Channel::new(device).map_err(Error::Open)
}

/// Answers CUSE_INIT, which the open itself has queued.
fn handshake(channel: &Channel, name: &str) -> Result<(), Error> {
    let failed = |call| move |errno| Error::Handshake(call, errno);
    let mut buffer = Buffer::new();
    let Received::Request(Request {
        operation, reply, ..
    }) = channel.receive(&mut buffer).map_err(failed("read from"))?
    else {
        return Err(Error::Handshake("read from", Errno::NODEV));
    };
    let Operation::CuseInit {
        major,
        minor,
        flags: _,
    } = operation
    else {
        let _ = reply.error(Errno::PROTO);
        return Err(Error::Handshake("understand", Errno::PROTO));
    };
    if major != FUSE_KERNEL_VERSION || minor < FUSE_OLDEST_MINOR_VERSION {
        let _ = reply.error(Errno::PROTO);
        return Err(Error::Version(major, minor));
    }
    // No flags: with UNRESTRICTED_IOCTL the sizes would no longer come from the ioctl's number.
    let init = cuse_init_out {
        major,
        minor: minor.min(FUSE_KERNEL_MINOR_VERSION),
        max_read: MAX_WRITE,
        max_write: MAX_WRITE,
        ..cuse_init_out::default()
    };
    let info = format!("DEVNAME={name}\0");
    debug_assert!(info.len() <= CUSE_INIT_INFO_MAX);
    reply
        .plain_and(&init, info.as_bytes())
        .map_err(failed("write to"))
}

/// Whether the kernel kept the connection. It drops it where it made no device; a request that has come
/// already is left where it is.
fn alive(channel: &Channel) -> Result<bool, Error> {
    let mut fds = [PollFd::new(channel, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).map_err(|errno| Error::Handshake("poll", errno))?;
    Ok(!fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP))
}

/// Reads `MAJOR:MINOR` from a device's `dev` file in sysfs.
fn device_number(path: &Path) -> Result<Dev, Error> {
    let text = fs::read_to_string(path).map_err(|_| Error::NoSysfs(path.to_owned()))?;
    let number = text
        .trim()
        .split_once(':')
        .and_then(|(major, minor)| Some(makedev(major.parse().ok()?, minor.parse().ok()?)));
    number.ok_or_else(|| Error::NoSysfs(path.to_owned()))
}

/// Waits until `path` is the device; fails at once where it is something else.
fn wait_for_node(path: &Path, device: Dev) -> Result<(), Error> {
    let deadline = Instant::now() + NODE_TIMEOUT;
    loop {
        match lstat(path) {
            Ok(stat)
                if FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
                    && stat.st_rdev == device =>
            {
                return Ok(());
            }
            Ok(_) => return Err(Error::NameOwnedByAnother(path.to_owned())),
            Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            Err(_) => return Err(Error::NoNode(path.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_before_anything_is_opened() {
        for name in ["", ".", "..", "a/b", "a b", "a\0b", "ä", &"n".repeat(64)] {
            assert_eq!(register(name).unwrap_err(), Error::BadName(name.to_owned()));
        }
        for name in ["steve", "a.b-c_D9", &"n".repeat(63)] {
            assert!(is_name(name));
        }
    }

    #[test]
    #[ignore = "needs /dev/cuse"]
    fn a_device_stands_with_the_access_asked_for_until_its_channel_closes() {
        let (channel, node) = register("steve-unit").unwrap();
        node.set_access(Some(100), Some(0o640)).unwrap();
        let stat = lstat(node.path()).unwrap();
        assert_eq!((stat.st_gid, stat.st_mode & 0o7777), (100, 0o640));
        drop(channel);
        assert!(!node.path().exists());
    }

    #[test]
    #[ignore = "needs /dev/cuse"]
    fn a_name_in_use_is_refused_and_its_owner_is_left_alone() {
        let (channel, node) = register("steve-twice").unwrap();
        assert_eq!(
            register("steve-twice").unwrap_err(),
            Error::NameTaken("steve-twice".to_owned())
        );
        assert!(alive(&channel).unwrap());
        assert!(node.path().exists());
    }

    #[test]
    #[ignore = "needs /dev/cuse"]
    fn a_name_of_another_driver_is_refused() {
        assert_eq!(
            register("null").unwrap_err(),
            Error::NameOwnedByAnother("/dev/null".into())
        );
        assert_eq!(lstat("/dev/null").unwrap().st_rdev, makedev(1, 3));
    }
}
