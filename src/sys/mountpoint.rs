//! The file that is mounted on: found or made, looked at without asking who serves it, removed in the end.

use super::mount::Error;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, StatxAttributes, StatxFlags, open, stat, statx,
};
use rustix::io::Errno;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The mode of a file that we make, by which one that a killed predecessor has made is known: nobody else has a
/// use for an empty file that can only be written. (fusermount3 wants it to be writable.)
const MADE: u32 = 0o200;

/// Which file it is: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: (u32, u32),
    inode: u64,
}

/// A regular file, held by a descriptor so that nobody can put another in its place.
#[derive(Debug)]
pub(super) struct Mountpoint {
    path: PathBuf,
    handle: OwnedFd,
    identity: Identity,
    is_mount: bool,
    made: bool,
}

impl Mountpoint {
    /// Finds the file, or makes it. Symbolic links are followed in the directories, not in the name.
    pub(super) fn at(path: &Path) -> Result<Mountpoint, Error> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::Directory(path.to_owned()));
        };
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        let directory =
            fs::canonicalize(parent).map_err(|error| match Errno::from_io_error(&error) {
                Some(Errno::NOENT | Errno::NOTDIR) | None => Error::NoParent(path.to_owned()),
                Some(errno) => Error::Path("look into", parent.to_owned(), errno),
            })?;
        let path = directory.join(name);
        let found = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let handle = match open(&path, found, Mode::empty()) {
            Err(Errno::NOENT) => open(&path, made, Mode::from_raw_mode(MADE))
                .map_err(|errno| Error::Path("create", path.clone(), errno))?,
            Err(Errno::NOTDIR) => return Err(Error::NoParent(path)),
            handle => handle.map_err(|errno| Error::Path("look at", path.clone(), errno))?,
        };
        Mountpoint::look(path, handle)
    }

    /// Looks at the file without a request to whoever may serve it.
    fn look(path: PathBuf, handle: OwnedFd) -> Result<Mountpoint, Error> {
        let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
        let stat = statx(&handle, "", flags, StatxFlags::BASIC_STATS)
            .map_err(|errno| Error::Path("look at", path.clone(), errno))?;
        let mode = u32::from(stat.stx_mode);
        match FileType::from_raw_mode(mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(Error::Directory(path)),
            _ => return Err(Error::NotRegular(path)),
        }
        let is_mount = stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
        let made = !is_mount && stat.stx_size == 0 && mode & 0o7777 == MADE;
        let identity = Identity {
            device: (stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
        };
        Ok(Mountpoint {
            path,
            handle,
            identity,
            is_mount,
            made,
        })
    }

    /// The file's absolute path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A path that leads to this very file, whatever has happened to its name.
    pub(super) fn handle(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.handle.as_raw_fd()))
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether a mount is there whose server is gone.
    ///
    /// # Errors
    /// [`Error::Busy`] where one is there that is in use.
    pub(super) fn is_stale_mount(&self) -> Result<bool, Error> {
        if !self.is_mount {
            return Ok(false);
        }
        // Asks the server.
        match stat(&self.path) {
            Err(Errno::NOTCONN | Errno::CONNABORTED) => Ok(true),
            _ => Err(Error::Busy(self.path.clone())),
        }
    }

    /// Removes the file, if we or a predecessor made it and it is still the one under its name.
    pub(super) fn remove_if_made(&self) {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::STATX_DONT_SYNC;
        let same = statx(CWD, &self.path, flags, StatxFlags::BASIC_STATS).is_ok_and(|stat| {
            let device = (stat.stx_dev_major, stat.stx_dev_minor);
            self.identity
                == Identity {
                    device,
                    inode: stat.stx_ino,
                }
        });
        if self.made && same {
            let _ = fs::remove_file(&self.path);
        }
    }
}
