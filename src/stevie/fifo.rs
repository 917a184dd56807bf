//! A FIFO of our own, for clients that insist on one.
//!
//! It lies in a directory that only its owner may enter, and that its maker keeps locked. The lock
//! goes with the maker, so that what a killed one has left behind is told from what is in use, and
//! the next to come takes it away.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::fs::{
    AtFlags, Dir, FlockOperation, Mode, OFlags, flock, fstat, mkdir, mkfifoat, open, openat, rmdir,
    unlinkat,
};
use rustix::io::{Errno, Result, ioctl_fionread, read, retry_on_intr, write};
use rustix::process::geteuid;

/// What the names of the directories begin with.
const PREFIX: &str = "stevie-";
/// The FIFO's name in its directory.
const NAME: &str = "fifo";
/// Directories to try before giving up; each failure means that someone else was there.
const ATTEMPTS: u32 = 100;

/// The FIFO, open at both ends and watched. Dropping it removes it.
pub(super) struct Fifo {
    directory: PathBuf,
    locked: OwnedFd,
    pipe: OwnedFd,
    watch: OwnedFd,
}

impl Fifo {
    /// Makes a FIFO in $XDG_RUNTIME_DIR, else in /tmp, and takes away what others have left there.
    pub(super) fn create() -> Result<Fifo> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let usable = runtime.filter(|path| path.is_absolute() && path.is_dir());
        Fifo::create_in(&usable.unwrap_or_else(|| "/tmp".into()))
    }

    fn create_in(parent: &Path) -> Result<Fifo> {
        sweep(parent);
        for attempt in 0..ATTEMPTS {
            let directory = parent.join(format!("{PREFIX}{}-{attempt}", std::process::id()));
            match mkdir(&directory, Mode::RWXU) {
                Ok(()) => {}
                Err(Errno::EXIST) => continue,
                Err(errno) => return Err(errno),
            }
            match Fifo::fill(&directory) {
                // Someone swept between two calls, when it was not locked yet.
                Err(Errno::NOENT | Errno::AGAIN) => continue,
                filled => return filled,
            }
        }
        Err(Errno::EXIST)
    }

    fn fill(directory: &Path) -> Result<Fifo> {
        let locked = lock(directory)?;
        mkfifoat(&locked, NAME, Mode::RUSR | Mode::WUSR)?;
        // Both ends: there is always a reader for what comes back, and never an end of file.
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let pipe = openat(&locked, NAME, flags, Mode::empty())?;
        let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let interest = WatchFlags::ACCESS | WatchFlags::MODIFY;
        inotify::add_watch(&watch, directory.join(NAME), interest)?;
        Ok(Fifo {
            directory: directory.to_path_buf(),
            locked,
            pipe,
            watch,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.directory.join(NAME)
    }

    /// How many bytes lie in it.
    pub(super) fn len(&self) -> Result<usize> {
        Ok(usize::try_from(ioctl_fionread(&self.pipe)?).unwrap_or(usize::MAX))
    }

    /// Puts a byte in.
    pub(super) fn put(&self, token: u8) -> Result<()> {
        let put = retry_on_intr(|| write(&self.pipe, &[token])).map(drop);
        // Our own write is no news.
        self.has_returned();
        put
    }

    /// Takes bytes out, as many as there are room for; none where clients were faster.
    pub(super) fn take<'b>(&self, room: &'b mut [u8]) -> Result<&'b [u8]> {
        match retry_on_intr(|| read(&self.pipe, &mut *room)) {
            Ok(count) => Ok(room.get(..count).unwrap_or_default()),
            Err(Errno::AGAIN) => Ok(&[]),
            Err(errno) => Err(errno),
        }
    }

    /// Whether a client has put a byte in since last asked. Forgets what the watch has seen.
    pub(super) fn has_returned(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let mut events = inotify::Reader::new(&self.watch, &mut buffer);
        let mut returned = false;
        while let Ok(event) = events.next() {
            returned |= event
                .events()
                .intersects(ReadFlags::MODIFY | ReadFlags::QUEUE_OVERFLOW);
        }
        returned
    }
}

impl AsFd for Fifo {
    /// Readable when a client has taken a byte or put one in.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        remove(&self.directory, &self.locked);
    }
}

/// Opens a directory of ours and locks it, unless someone has.
fn lock(directory: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = open(directory, flags, Mode::empty())?;
    if fstat(&opened)?.st_uid != geteuid().as_raw() {
        return Err(Errno::PERM);
    }
    flock(&opened, FlockOperation::NonBlockingLockExclusive)?;
    Ok(opened)
}

/// Removes what the dead have left in `parent`. What cannot be removed stays.
fn sweep(parent: &Path) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let entries = open(parent, flags, Mode::empty()).and_then(Dir::new);
    for entry in entries.into_iter().flatten().flatten() {
        if let Ok(name) = entry.file_name().to_str()
            && name.starts_with(PREFIX)
            && let directory = parent.join(name)
            && let Ok(locked) = lock(&directory)
        {
            remove(&directory, &locked);
        }
    }
}

/// Removes the FIFO and its directory; that either is gone already is as good.
fn remove(directory: &Path, locked: &OwnedFd) {
    let _ = unlinkat(locked, NAME, AtFlags::empty());
    let _ = rmdir(directory);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::scratch::Directory;

    fn entries(path: &Path) -> usize {
        std::fs::read_dir(path).unwrap().count()
    }

    #[test]
    fn a_fifo_is_there_for_its_owner_alone_until_it_is_dropped() {
        use std::os::unix::fs::{FileTypeExt, MetadataExt};
        let scratch = Directory::new("fifo-alone");
        let fifo = Fifo::create_in(scratch.path()).unwrap();
        let about = std::fs::metadata(fifo.path()).unwrap();
        assert!(about.file_type().is_fifo());
        assert_eq!(about.mode() & 0o777, 0o600);
        let parent = std::fs::metadata(fifo.path().parent().unwrap()).unwrap();
        assert_eq!(parent.mode() & 0o777, 0o700);
        drop(fifo);
        assert_eq!(entries(scratch.path()), 0);
    }

    #[test]
    fn what_the_dead_have_left_is_swept_and_what_is_in_use_is_not() {
        let scratch = Directory::new("fifo-sweep");
        let left = scratch.path().join("stevie-1-0");
        mkdir(&left, Mode::RWXU).unwrap();
        std::fs::write(left.join(NAME), "").unwrap();
        std::fs::write(scratch.path().join("stevie-file"), "").unwrap();
        let first = Fifo::create_in(scratch.path()).unwrap();
        let second = Fifo::create_in(scratch.path()).unwrap();
        assert!(!left.exists());
        assert!(first.path().exists() && second.path().exists());
        drop((first, second));
        assert_eq!(entries(scratch.path()), 1);
    }

    #[test]
    fn only_what_clients_do_is_news() {
        let scratch = Directory::new("fifo-news");
        let fifo = Fifo::create_in(scratch.path()).unwrap();
        fifo.put(b'a').unwrap();
        assert!(!fifo.has_returned());
        let client = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(fifo.path())
            .unwrap();
        write(&client, b"b").unwrap();
        assert!(fifo.has_returned());
        assert!(!fifo.has_returned());
        assert_eq!(fifo.len(), Ok(2));
        assert_eq!(fifo.take(&mut [0; 8]), Ok(&b"ab"[..]));
        assert_eq!(fifo.take(&mut [0; 8]), Ok(&b""[..]));
    }
}
