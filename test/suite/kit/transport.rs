//! The two ways of being served: a device over /dev/cuse, a file over /dev/fuse.

use std::path::Path;

/// What the suite runs over, as `TRANSPORT` in the environment says; `fuse` unless it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Cuse,
    Fuse,
}

impl Transport {
    /// The one of this run.
    pub fn current() -> Transport {
        match std::env::var("TRANSPORT").as_deref() {
            Ok("cuse") => Transport::Cuse,
            Ok("fuse") | Err(_) => Transport::Fuse,
            Ok(other) => panic!("TRANSPORT is cuse or fuse, not '{other}'"),
        }
    }

    /// How often to do something that costs the guest, with its one slow CPU, ten times as much.
    pub fn at_most<T>(self, natively: T, in_guest: T) -> T {
        match self {
            Transport::Cuse => in_guest,
            Transport::Fuse => natively,
        }
    }

    /// Why it cannot be had on this machine, if so.
    pub fn missing(self) -> Option<String> {
        let device = match self {
            Transport::Cuse => "/dev/cuse",
            Transport::Fuse => "/dev/fuse",
        };
        if !rustix::process::geteuid().is_root() {
            return Some("not root".into());
        }
        (!Path::new(device).exists()).then(|| format!("no {device}"))
    }
}
