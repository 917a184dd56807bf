//! Mounts on this machine, served by a thread that knows just enough.

use super::{Error, Mount, mount};
use crate::sys::channel::{Buffer, Channel, Received};
use crate::sys::fuse_abi::fuse_attr;
use crate::sys::fuse_flags::FopenFlags;
use crate::sys::privileges::become_user;
use crate::sys::request::Operation;
use crate::sys::scratch::{Directory, alone};
use crate::sys::users::User;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::geteuid;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;
use std::thread;

/// Answers until the connection is over: an open is allowed, a read gives `+`.
fn serve(channel: Channel) {
    let mut buffer = Buffer::new();
    loop {
        poll(&mut [PollFd::new(&channel, PollFlags::IN)], None).unwrap();
        let request = match channel.receive(&mut buffer).unwrap() {
            Received::Request(request) => request,
            Received::Nothing => continue,
            Received::Over => return,
        };
        let reply = request.reply;
        let answered = match request.operation {
            Operation::Open { .. } => reply.opened(1, FopenFlags::STREAM),
            Operation::Read { .. } => reply.data(b"+"),
            Operation::Write { data, .. } => reply.written(data.len().try_into().unwrap()),
            Operation::Getattr | Operation::Setattr(_) => {
                let attr = fuse_attr {
                    ino: 1,
                    mode: 0o100_600,
                    nlink: 1,
                    uid: geteuid().as_raw(),
                    ..fuse_attr::default()
                };
                reply.attr(&attr, 0)
            }
            Operation::Release { .. } => reply.empty(),
            _ => reply.error(Errno::NOSYS),
        };
        assert!(matches!(answered, Ok(()) | Err(Errno::NOENT)));
    }
}

fn mount_and_serve(path: &Path) -> Mount {
    let (channel, mount) = mount(path).unwrap();
    thread::spawn(|| serve(channel));
    mount
}

/// Whether a read of the file gives what [`serve`] gives.
fn is_served(path: &Path) -> bool {
    let mut byte = [0];
    File::open(path).is_ok_and(|mut file| file.read_exact(&mut byte).is_ok() && byte == *b"+")
}

#[test]
#[ignore = "needs /dev/fuse"]
fn a_file_is_made_served_and_gone_in_the_end() {
    alone(|| {
        let directory = Directory::new("made");
        let path = directory.path().join("file");
        let mount = mount_and_serve(&path);
        assert!(is_served(&path));
        let open = File::open(&path).unwrap();
        drop(mount);
        assert!(!path.exists());
        drop(open);
    });
}

#[test]
#[ignore = "needs /dev/fuse"]
fn a_file_that_was_there_is_there_afterwards() {
    alone(|| {
        let directory = Directory::new("kept");
        let path = directory.path().join("file");
        fs::write(&path, "text").unwrap();
        let mount = mount_and_serve(&path);
        assert!(is_served(&path));
        drop(mount);
        assert_eq!(fs::read(&path).unwrap(), b"text");
    });
}

#[test]
#[ignore = "needs /dev/fuse"]
fn a_mount_in_use_is_left_alone() {
    alone(|| {
        let directory = Directory::new("busy");
        let path = directory.path().join("file");
        let _mount = mount_and_serve(&path);
        assert_eq!(mount(&path).unwrap_err(), Error::Busy(path.clone()));
        assert!(is_served(&path));
    });
}

#[test]
#[ignore = "needs /dev/fuse"]
fn a_mount_that_was_left_behind_is_replaced_and_its_file_removed() {
    alone(|| {
        let directory = Directory::new("stale");
        let path = directory.path().join("file");
        let (channel, left) = mount(&path).unwrap();
        // As if both it and its child had been killed.
        core::mem::forget(left);
        drop(channel);
        assert!(fs::metadata(&path).is_err());
        let mount = mount_and_serve(&path);
        assert!(is_served(&path));
        drop(mount);
        assert!(!path.exists());
    });
}

#[test]
#[ignore = "needs /dev/fuse"]
fn a_mount_that_somebody_took_away_leaves_nothing_to_do() {
    alone(|| {
        let directory = Directory::new("away");
        let path = directory.path().join("file");
        let mount = mount_and_serve(&path);
        unmount(&path, UnmountFlags::DETACH).unwrap();
        drop(mount);
        assert!(!path.exists());
    });
}

#[test]
#[ignore = "needs root, /dev/fuse and fusermount3"]
fn an_ordinary_user_mounts_by_fusermount3() {
    alone(|| {
        let directory = Directory::new("user");
        chown(directory.path(), Some(65534), Some(65534)).unwrap();
        let path = directory.path().join("file");
        become_user(&User {
            uid: 65534,
            gid: 65534,
            groups: vec![65534],
        })
        .unwrap();
        let mount = mount_and_serve(&path);
        assert!(is_served(&path));
        drop(mount);
        assert!(!path.exists());
    });
}

#[test]
fn what_cannot_be_mounted_on_is_told_and_left_as_it_is() {
    let directory = Directory::new("bad");
    let at = |name: &str| directory.path().join(name);
    assert_eq!(
        mount(directory.path()).unwrap_err(),
        Error::Directory(directory.path().into())
    );
    assert_eq!(
        mount(Path::new("/")).unwrap_err(),
        Error::Directory("/".into())
    );
    assert_eq!(
        mount(&at("none/file")).unwrap_err(),
        Error::NoParent(at("none/file"))
    );
    fs::write(at("plain"), "").unwrap();
    assert_eq!(
        mount(&at("plain/file")).unwrap_err(),
        Error::NoParent(at("plain/file"))
    );
    symlink("plain", at("link")).unwrap();
    assert_eq!(
        mount(&at("link")).unwrap_err(),
        Error::NotRegular(at("link"))
    );
    assert_eq!(
        mount(Path::new("/dev/null")).unwrap_err(),
        Error::NotRegular("/dev/null".into())
    );
    let denied = mount(Path::new("/proc/steve")).unwrap_err();
    assert!(
        matches!(
            denied,
            Error::Path("create", _, Errno::NOENT | Errno::ACCESS)
        ),
        "{denied}"
    );
}
