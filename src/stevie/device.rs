//! The device, as a client uses it.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::io::{Errno, read, retry_on_intr, write};

use super::error::Error;
use crate::ioctl::{
    GET_TOKENS, PIECE, RECLAIM, REGISTER, Register, SNAPSHOT_NEXT, SNAPSHOT_TAKE, Setting,
};
use crate::report::Snapshot;
use crate::sys::device::{self, Access};

/// Where the device is unless someone says otherwise.
const DEFAULT: &str = "/dev/steve";

/// The path to use: as named by an option, else by $STEVE_DEVICE, else the usual one.
pub(super) fn path(named: Option<PathBuf>) -> PathBuf {
    let variable = || std::env::var_os("STEVE_DEVICE").filter(|value| !value.is_empty());
    named
        .or_else(|| variable().map(PathBuf::from))
        .unwrap_or_else(|| DEFAULT.into())
}

/// More bytes than the snapshot of a full pool has.
const MAX_SNAPSHOT: u64 = 4 << 20;

/// An open device.
pub(super) struct Device<'p> {
    inner: device::Device,
    path: &'p Path,
}

impl<'p> Device<'p> {
    /// Opens the device to look at the pool.
    pub(super) fn open_to_look(path: &'p Path) -> Result<Self, Error> {
        Self::open(path, Access::Read)
    }

    /// Opens the device to change the pool, or to take tokens from it and give them back.
    pub(super) fn open_to_work(path: &'p Path) -> Result<Self, Error> {
        Self::open(path, Access::ReadWrite)
    }

    fn open(path: &'p Path, access: Access) -> Result<Self, Error> {
        let inner = retry_on_intr(|| device::Device::open(path, access))
            .map_err(|errno| Error::Open(path.to_path_buf(), errno))?;
        Ok(Device { inner, path })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &'p Path {
        self.path
    }

    /// The tokens that could be taken now.
    pub(super) fn tokens(&self) -> Result<i64, Error> {
        let (_, tokens) = self
            .inner
            .get(GET_TOKENS)
            .map_err(|e| self.failed("get tokens from", e))?;
        Ok(tokens)
    }

    /// A setting, as it goes over the wire.
    pub(super) fn get(&self, setting: Setting) -> Result<i64, Error> {
        let (_, value) = self
            .inner
            .get(setting.getter())
            .map_err(|e| self.failed(format!("get {} from", setting.name()), e))?;
        Ok(value)
    }

    /// Changes a setting.
    pub(super) fn set(&self, setting: Setting, value: i64) -> Result<(), Error> {
        self.inner
            .set(setting.setter(), &value)
            .map_err(|e| self.failed(format!("set {} of", setting.name()), e))?;
        Ok(())
    }

    /// The pool as it is now. It comes in pieces, all of the same moment.
    pub(super) fn snapshot(&self) -> Result<Snapshot, Error> {
        let failed = |errno| self.failed("get the status of", errno);
        let (_, size) = self.inner.get::<u64>(SNAPSHOT_TAKE).map_err(failed)?;
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < size.min(MAX_SNAPSHOT) {
            let (length, piece) = self
                .inner
                .get::<[u8; PIECE]>(SNAPSHOT_NEXT)
                .map_err(failed)?;
            match piece.get(..length as usize) {
                None | Some([]) => break,
                Some(piece) => bytes.extend_from_slice(piece),
            }
        }
        Snapshot::decode(&bytes).ok_or_else(|| Error::Status(self.path.to_path_buf()))
    }

    /// Takes back what the process `pid` holds; returns how many tokens that were.
    pub(super) fn reclaim(&self, pid: u32) -> Result<u32, Error> {
        self.inner
            .set(RECLAIM, &pid)
            .map_err(|e| self.failed(format!("reclaim the tokens of PID {pid} from"), e))
    }

    /// Makes this process the root of a build.
    ///
    /// A jobserver that is not steve's has no such control, which is no failure while the build
    /// asks for nothing.
    pub(super) fn register(&self, build: &Register) -> Result<(), Error> {
        let mut bytes = [0; size_of::<Register>()];
        let words = [build.weight, build.limit, build.lease_jobs, build.reserved];
        let (head, tail) = bytes.split_at_mut(size_of_val(&words));
        for (place, word) in head.chunks_exact_mut(size_of::<u32>()).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        tail.copy_from_slice(&build.lease_min_memory_avail.to_ne_bytes());
        match self.inner.set(REGISTER, &bytes) {
            Ok(_) => Ok(()),
            Err(Errno::NOTTY) if *build == Register::default() => Ok(()),
            Err(errno) => Err(self.failed("register a build with", errno)),
        }
    }

    /// Takes a token, waiting for one.
    pub(super) fn take(&self) -> Result<u8, Error> {
        let mut token = [0];
        match retry_on_intr(|| read(self, &mut token)) {
            Ok(0) => Err(Error::EndOfFile(self.path.to_path_buf())),
            Ok(_) => Ok(token[0]),
            Err(errno) => Err(self.failed("take a token from", errno)),
        }
    }

    /// Takes a token from a device that has been made non-blocking, if there is one.
    pub(super) fn try_take(&self) -> Result<Option<u8>, Error> {
        let mut token = [0];
        match retry_on_intr(|| read(self, &mut token)) {
            Ok(0) => Err(Error::EndOfFile(self.path.to_path_buf())),
            Ok(_) => Ok(Some(token[0])),
            Err(Errno::AGAIN) => Ok(None),
            Err(errno) => Err(self.failed("take a token from", errno)),
        }
    }

    /// Gives tokens back; returns how many of them were taken. The others were none of ours.
    pub(super) fn give_back(&self, tokens: &[u8]) -> Result<usize, Error> {
        match retry_on_intr(|| write(self, tokens)) {
            Err(Errno::NOSPC) => Ok(0),
            result => result.map_err(|errno| self.failed("give a token back to", errno)),
        }
    }

    fn failed(&self, what: impl Into<String>, errno: Errno) -> Error {
        Error::Device {
            what: what.into(),
            path: self.path.to_path_buf(),
            errno,
        }
    }
}

impl AsFd for Device<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}
