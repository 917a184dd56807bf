//! Becoming another program.

use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{env, io};

/// Why a command did not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such program (or the one that its first line names is missing).
    NotFound,
    /// It is there and cannot be run.
    NotRunnable(Errno),
}

impl Failure {
    /// What a shell would exit with: 127 or 126.
    pub const fn status(self) -> u8 {
        match self {
            Failure::NotFound => 127,
            Failure::NotRunnable(_) => 126,
        }
    }
}

/// Replaces this program by the command, looked up in $PATH; returns only where that failed.
///
/// The process, and with it whatever is accounted to it, stays. SIGPIPE, which Rust ignores, acts again.
pub fn exec(command: &mut Command) -> Failure {
    let error = command.exec();
    failure(command.get_program(), &error)
}

/// What the error of starting this program means.
pub fn failure(program: &OsStr, error: &io::Error) -> Failure {
    match Errno::from_io_error(error).unwrap_or(Errno::INVAL) {
        Errno::NOENT | Errno::NOTDIR => Failure::NotFound,
        // Also the outcome of a search on which some directory could not be looked into.
        Errno::ACCESS if !is_there(program) => Failure::NotFound,
        errno => Failure::NotRunnable(errno),
    }
}

/// Whether there is a file for this name: it has a slash, or some directory of $PATH has it.
pub(super) fn is_there(program: &OsStr) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    program.as_bytes().contains(&b'/')
        || env::split_paths(&path).any(|directory| directory.join(program).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries to start a program in a child, so that this process stays as it is.
    fn failure(program: &str) -> Failure {
        let error = Command::new(program).spawn().unwrap_err();
        super::failure(OsStr::new(program), &error)
    }

    #[test]
    fn what_is_missing_is_told_from_what_cannot_be_run() {
        assert_eq!(failure("steve-no-such-command"), Failure::NotFound);
        assert_eq!(failure("/etc/passwd/x"), Failure::NotFound);
        assert_eq!(failure("/etc/passwd"), Failure::NotRunnable(Errno::ACCESS));
        assert_eq!(failure("/"), Failure::NotRunnable(Errno::ACCESS));
    }

    #[test]
    fn a_directory_that_is_closed_to_us_does_not_make_a_missing_program_unrunnable() {
        let error = io::Error::from(Errno::ACCESS);
        assert_eq!(
            super::failure(OsStr::new("steve-no-such-command"), &error),
            Failure::NotFound
        );
        let denied = Failure::NotRunnable(Errno::ACCESS);
        assert_eq!(super::failure(OsStr::new("cat"), &error), denied);
        assert_eq!(super::failure(OsStr::new("./x"), &error), denied);
    }

    #[test]
    fn the_statuses_are_those_of_a_shell() {
        assert_eq!(Failure::NotFound.status(), 127);
        assert_eq!(Failure::NotRunnable(Errno::ACCESS).status(), 126);
    }
}
