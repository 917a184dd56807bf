//! Answers as the kernel would read them, taken off a pipe.

use super::{Reply, opcode};
use crate::sys::channel::Channel;
use crate::sys::fuse_abi::fuse_attr;
use crate::sys::fuse_flags::{FopenFlags, PollEvents};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

const UNIQUE: u64 = 0x1716_1514_1312_1110;

/// What `answer` writes for a request of this opcode, as native-endian words and the bytes behind.
fn written(opcode: u32, answer: impl FnOnce(Reply<'_>)) -> Vec<u8> {
    let (reader, writer) = std::io::pipe().unwrap();
    let channel = Channel::new(OwnedFd::from(writer)).unwrap();
    answer(Reply::new(&channel, UNIQUE, opcode));
    drop(channel);
    let mut bytes = Vec::new();
    File::from(OwnedFd::from(reader))
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

fn message(len: u32, error: i32, unique: u64, body: &[&[u8]]) -> Vec<u8> {
    [
        &len.to_ne_bytes(),
        &error.to_ne_bytes(),
        unique.to_ne_bytes().as_slice(),
        &body.concat(),
    ]
    .concat()
}

#[test]
fn data_follows_the_header() {
    let bytes = written(opcode::READ, |reply| reply.data(b"+").unwrap());
    assert_eq!(bytes, message(17, 0, UNIQUE, &[b"+"]));
    let bytes = written(opcode::RELEASE, |reply| reply.empty().unwrap());
    assert_eq!(bytes, message(16, 0, UNIQUE, &[]));
}

#[test]
fn each_struct_has_the_kernel_s_length() {
    let bytes = written(opcode::WRITE, |reply| reply.written(3).unwrap());
    assert_eq!(
        bytes,
        message(24, 0, UNIQUE, &[&3_u32.to_ne_bytes(), &[0; 4]])
    );
    let bytes = written(opcode::POLL, |reply| {
        reply.polled(PollEvents(0x41)).unwrap()
    });
    assert_eq!(
        bytes,
        message(24, 0, UNIQUE, &[&0x41_u32.to_ne_bytes(), &[0; 4]])
    );
    let bytes = written(opcode::OPEN, |reply| {
        reply.opened(9, FopenFlags::STREAM).unwrap()
    });
    assert_eq!(
        bytes,
        message(
            32,
            0,
            UNIQUE,
            &[&9_u64.to_ne_bytes(), &0x51_u32.to_ne_bytes(), &[0; 4]]
        )
    );
    let bytes = written(opcode::IOCTL, |reply| reply.ioctl(7, b"xyz").unwrap());
    assert_eq!(
        bytes,
        message(35, 0, UNIQUE, &[&7_i32.to_ne_bytes(), &[0; 12], b"xyz"])
    );
    let bytes = written(opcode::GETATTR, |reply| {
        reply.attr(&fuse_attr::default(), 1).unwrap()
    });
    assert_eq!(
        bytes,
        message(120, 0, UNIQUE, &[&1_u64.to_ne_bytes(), &[0; 96]])
    );
}

#[test]
fn an_errno_is_negated() {
    let bytes = written(opcode::READ, |reply| reply.error(Errno::AGAIN).unwrap());
    assert_eq!(bytes, message(16, -libc::EAGAIN, UNIQUE, &[]));
    let bytes = written(opcode::STATFS, |reply| reply.error(Errno::NOSYS).unwrap());
    assert_eq!(bytes, message(16, -libc::ENOSYS, UNIQUE, &[]));
}

#[test]
fn an_errno_that_would_do_harm_is_sent_as_eio() {
    for (opcode, code) in [
        (opcode::POLL, libc::ENOSYS),
        (opcode::OPEN, libc::ENOSYS),
        (opcode::READ, 512),
    ] {
        let bytes = written(opcode, |reply| {
            reply.error(Errno::from_raw_os_error(code)).unwrap()
        });
        assert_eq!(bytes, message(16, -libc::EIO, UNIQUE, &[]));
    }
}

#[test]
fn an_interrupt_is_never_answered() {
    assert!(written(opcode::INTERRUPT, |reply| drop(reply)).is_empty());
    let refused = written(opcode::INTERRUPT, |reply| {
        reply.error(Errno::NOSYS).unwrap();
    });
    assert!(refused.is_empty());
}

#[test]
fn a_parked_read_is_answered_once_and_later() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let channel = Channel::new(OwnedFd::from(writer)).unwrap();
    let unique = Reply::new(&channel, UNIQUE, opcode::READ).park();
    assert_eq!(unique, UNIQUE);
    channel.parked(unique).data(b"a").unwrap();
    drop(channel);
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, message(17, 0, UNIQUE, &[b"a"]));
}

#[test]
#[cfg_attr(debug_assertions, should_panic(expected = "dropped unanswered"))]
fn a_request_dropped_unanswered_is_noticed() {
    let bytes = written(opcode::READ, |reply| drop(reply));
    assert_eq!(bytes, message(16, -libc::EIO, UNIQUE, &[]));
}

#[test]
fn a_notification_has_no_unique() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let channel = Channel::new(OwnedFd::from(writer)).unwrap();
    channel.notify_poll(5).unwrap();
    drop(channel);
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, message(24, 1, 0, &[&5_u64.to_ne_bytes()]));
}
