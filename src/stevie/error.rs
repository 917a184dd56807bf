//! What can go wrong in the client, beyond its command line.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::sys::errno::text;
use crate::sys::exec::Failure;

/// A failure. The text is one line; the caller adds the program's name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Error {
    /// The device would not open.
    Open(PathBuf, Errno),
    /// The device refused something.
    Device {
        /// What: "get jobs from", "take a token from".
        what: String,
        /// The device.
        path: PathBuf,
        /// Why.
        errno: Errno,
    },
    /// A read of the device ended as a file ends.
    EndOfFile(PathBuf),
    /// The status that came from the device cannot be read.
    Status(PathBuf),
    /// The command would not start.
    Command(OsString, Failure),
    /// A call that has nothing to do with the device or the command.
    System(&'static str, Errno),
    /// The output could not be written.
    Output(Errno),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Open(path, errno) => {
                write!(f, "unable to open {}: {}", path.display(), text(*errno))
            }
            Error::Device { what, path, errno } => {
                let path = path.display();
                write!(f, "unable to {what} {path}: {}", text(*errno))?;
                match *errno {
                    Errno::NOTTY => f.write_str(": not a device of steve"),
                    Errno::INVAL => f.write_str(": does not go with the other settings"),
                    Errno::PERM => f.write_str(": for root and the user that steve runs as"),
                    Errno::SRCH => f.write_str(": not a client"),
                    Errno::OPNOTSUPP => f.write_str(": this kernel cannot tell"),
                    _ => Ok(()),
                }
            }
            Error::EndOfFile(path) => {
                let path = path.display();
                write!(
                    f,
                    "unable to take a token from {path}: end of file, so not a device of steve"
                )
            }
            Error::Status(path) => {
                let path = path.display();
                write!(
                    f,
                    "unable to read the status of {path}: steve and stevie differ in version"
                )
            }
            Error::Command(name, Failure::NotFound) => {
                write!(f, "unable to run {name:?}: {}", text(Errno::NOENT))
            }
            Error::Command(name, Failure::NotRunnable(errno)) => {
                write!(f, "unable to run {name:?}: {}", text(*errno))
            }
            Error::System(what, errno) => write!(f, "unable to {what}: {}", text(*errno)),
            Error::Output(errno) => write!(f, "unable to write to stdout: {}", text(*errno)),
        }
    }
}
