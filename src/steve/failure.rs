//! Why the service does not run: one line that says what failed, one that says what to do.

use std::fmt;

use rustix::io::Errno;

use crate::sys::{cuse, errno, mount, privileges, users};

/// A reason and, where there is a likely one, its cure.
#[derive(Debug)]
pub(super) struct Failure {
    reason: String,
    cure: Option<String>,
}

impl Failure {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Failure {
            reason: reason.into(),
            cure: None,
        }
    }

    /// A call that failed.
    pub(super) fn call(what: &str, error: Errno) -> Self {
        Failure::new(format!("cannot {what}: {}", errno::text(error)))
    }

    pub(super) fn cure(self, cure: impl Into<String>) -> Self {
        Failure {
            cure: Some(cure.into()),
            ..self
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        match &self.cure {
            Some(cure) => write!(f, "\n {cure}"),
            None => Ok(()),
        }
    }
}

impl From<cuse::Error> for Failure {
    fn from(error: cuse::Error) -> Self {
        let failure = Failure::new(error.to_string());
        match error {
            cuse::Error::NoDevice(_) => failure.cure(
                "try 'modprobe cuse' (CONFIG_CUSE), or serve a file with --mount PATH where the kernel has no CUSE",
            ),
            cuse::Error::Permission(_) => {
                failure.cure("start it as root, or as a member of the group that owns /dev/cuse")
            }
            cuse::Error::NameTaken(_) | cuse::Error::NameOwnedByAnother(_) => {
                failure.cure("try another --dev-name, or end the service that has this one")
            }
            cuse::Error::NoNode(_) => {
                failure.cure("mount devtmpfs on /dev, or start udev or mdev first")
            }
            cuse::Error::NoSysfs(_) => failure.cure("mount sysfs on /sys"),
            cuse::Error::Refused(_) => failure.cure("try another --dev-name; dmesg may say more"),
            cuse::Error::Version(..) => failure.cure("a kernel newer than 2.6.31 is needed"),
            _ => failure,
        }
    }
}

impl From<users::Error> for Failure {
    fn from(error: users::Error) -> Self {
        Failure::new(error.to_string()).cure("give a name that the user database has, or a number")
    }
}

impl From<privileges::Error> for Failure {
    fn from(error: privileges::Error) -> Self {
        Failure::new(error.to_string()).cure("start it as root, or leave --user out")
    }
}

impl From<mount::Error> for Failure {
    fn from(error: mount::Error) -> Self {
        use mount::Error;
        let failure = Failure::new(error.to_string());
        match error {
            Error::Directory(_) | Error::NotRegular(_) => {
                failure.cure("give the path of a file, which is made where it is missing")
            }
            Error::NoParent(_) => failure.cure("make the directory first"),
            Error::Busy(_) => failure.cure("end the service that has it, or give another path"),
            Error::NoDevice(_) => failure.cure("try 'modprobe fuse' (CONFIG_FUSE_FS)"),
            Error::NoFusermount(_) => {
                failure.cure("install fuse3, or start it as root or in a user namespace")
            }
            _ => failure,
        }
    }
}
