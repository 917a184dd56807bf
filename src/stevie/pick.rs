//! `--auth auto`: how a command reaches the pool, by what it is.
//!
//! This is what happens unless `--auth` says otherwise. It differs from `fifo` only where the
//! command is a make or ninja that is known not to take a device for a FIFO: GNU make before 4.4
//! ends with an error, and ninja 1.13 builds without any limit. For these it asks the command for
//! its version, which costs a few milliseconds; everything else gets `fifo` unasked.

use std::ffi::OsStr;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::options::Auth;

/// What was picked, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pick {
    /// One of the three ways.
    pub(super) auth: Auth,
    /// Words that go on after "as": "GNU Make 4.3 knows no fifo:".
    pub(super) reason: String,
}

/// What is asked for its version, and how the answer is read. The answer is `None` where it does
/// not tell.
type Reader = fn(answer: &str, device: Kind) -> Option<Pick>;

/// What the device is, to those who look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A character device.
    Character,
    /// A file that stands in for one.
    File,
}

/// Picks the way for `command`, whose pool is behind `device`.
pub(super) fn pick(command: &OsStr, device: &Path) -> Pick {
    let fifo = |reason| Pick {
        auth: Auth::Fifo,
        reason,
    };
    let name = Path::new(command).file_name().and_then(OsStr::to_str);
    let reader: Reader = match name {
        Some("make" | "gmake" | "gnumake") => make,
        Some("ninja" | "ninja-build") => ninja,
        _ => return fifo(format!("nothing else is known of {command:?}")),
    };
    let kind = match std::fs::metadata(device) {
        Ok(about) if about.file_type().is_char_device() => Kind::Character,
        _ => Kind::File,
    };
    let picked = version(command).and_then(|answer| reader(&answer, kind));
    picked.unwrap_or_else(|| fifo(format!("{command:?} does not tell its version")))
}

/// What the command says of its version. It must not read what make reads in its environment.
fn version(command: &OsStr) -> Option<String> {
    let mut asked = Command::new(command);
    asked
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    asked.env_remove("MAKEFLAGS").env_remove("GNUMAKEFLAGS");
    String::from_utf8(asked.output().ok()?.stdout).ok()
}

fn make(answer: &str, _: Kind) -> Option<Pick> {
    let version = answer.strip_prefix("GNU Make ")?.lines().next()?;
    let (auth, what) = match numbers(version)? {
        (4, 2 | 3) => (Auth::Fds, "knows no fifo:"),
        older if older < (4, 2) => (Auth::Fifo, "knows no --jobserver-auth"),
        _ => (Auth::Fifo, "opens the device"),
    };
    Some(Pick {
        auth,
        reason: format!("GNU Make {version} {what}"),
    })
}

fn ninja(answer: &str, device: Kind) -> Option<Pick> {
    let version = answer.lines().next()?;
    let kitware = version.contains(".kitware.");
    let (auth, what) = match numbers(version)? {
        _ if kitware && version.contains(".jobserver-pipe-") => (Auth::Bridge, "insists on a FIFO"),
        _ if kitware && version.contains(".jobserver-") => (Auth::Fds, "knows no fifo:"),
        older if older < (1, 13) => (Auth::Fifo, "knows no jobserver"),
        (1, 13) => (Auth::Bridge, "insists on a FIFO"),
        _ if device == Kind::File => (Auth::Bridge, "takes no regular file"),
        _ => (Auth::Fifo, "opens the device"),
    };
    Some(Pick {
        auth,
        reason: format!("ninja {version} {what}"),
    })
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::scratch::Directory;
    use std::os::unix::fs::PermissionsExt;

    #[track_caller]
    fn check(reader: Reader, device: Kind, cases: &[(&str, Auth)]) {
        for &(answer, auth) in cases {
            assert_eq!(
                reader(answer, device).map(|pick| pick.auth),
                Some(auth),
                "{answer}"
            );
        }
    }

    #[test]
    fn make_reaches_the_pool_as_its_version_can() {
        let cases = [
            (
                "GNU Make 4.4.1\nBuilt for x86_64-pc-linux-gnu\n",
                Auth::Fifo,
            ),
            ("GNU Make 4.4\n", Auth::Fifo),
            ("GNU Make 5.0\n", Auth::Fifo),
            ("GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu\n", Auth::Fds),
            ("GNU Make 4.2.1\n", Auth::Fds),
            ("GNU Make 3.82\n", Auth::Fifo),
        ];
        check(make, Kind::Character, &cases);
        check(make, Kind::File, &cases);
        assert_eq!(make("usage: make [-BeikNnqrstWwX]", Kind::Character), None);
        assert_eq!(make("GNU Make four", Kind::Character), None);
    }

    #[test]
    fn ninja_reaches_the_pool_as_its_version_can() {
        let cases = [
            ("1.12.1\n", Auth::Fifo),
            ("1.13.0\n", Auth::Bridge),
            ("1.13.2\n", Auth::Bridge),
            ("1.13.0.git.kitware.jobserver-pipe-1\n", Auth::Bridge),
            ("1.11.1.git.kitware.jobserver-1\n", Auth::Fds),
        ];
        check(ninja, Kind::Character, &cases);
        check(
            ninja,
            Kind::Character,
            &[("1.14.0.git\n", Auth::Fifo), ("2.0.0\n", Auth::Fifo)],
        );
        check(ninja, Kind::File, &[("1.14.0.git\n", Auth::Bridge)]);
        assert_eq!(ninja("", Kind::Character), None);
        assert_eq!(ninja("one", Kind::Character), None);
    }

    #[test]
    fn a_command_is_asked_only_where_its_name_says_what_the_answer_means() {
        let scratch = Directory::new("pick");
        let write = |name: &str| {
            let path = scratch.path().join(name);
            std::fs::write(
                &path,
                "#!/bin/sh\ntouch \"$0.asked\"\necho \"GNU Make 4.3$MAKEFLAGS\"\n",
            )
            .unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
            path
        };
        let (make, other) = (write("make"), write("cargo"));
        let picked = pick(make.as_os_str(), Path::new("/dev/null"));
        let reason = "GNU Make 4.3 knows no fifo:".to_string();
        assert_eq!(
            picked,
            Pick {
                auth: Auth::Fds,
                reason
            }
        );
        assert_eq!(
            pick(other.as_os_str(), Path::new("/dev/null")).auth,
            Auth::Fifo
        );
        assert!(scratch.path().join("make.asked").exists());
        assert!(!scratch.path().join("cargo.asked").exists());
    }

    #[test]
    fn a_command_that_is_not_there_gets_the_usual_way() {
        let picked = pick(OsStr::new("/nowhere/make"), Path::new("/dev/null"));
        assert_eq!(picked.reason, "\"/nowhere/make\" does not tell its version");
        assert_eq!(picked.auth, Auth::Fifo);
    }
}
