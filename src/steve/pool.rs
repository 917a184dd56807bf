//! One request: who asks, what the ledger says, and the answer.

use rustix::io::Errno;

use super::callers::Callers;
use super::file::{self, File};
use super::log::Log;
use super::names::Names;
use super::probe::Probe;
use super::snapshots::Snapshots;
use crate::ledger::{Action, Ledger, Limit, Time};
use crate::sys::channel::Channel;
use crate::sys::events::Events;
use crate::sys::request::{Header, Operation, Request};

/// The pool and all that its requests touch.
pub(super) struct Pool {
    pub(super) ledger: Ledger,
    pub(super) callers: Callers,
    pub(super) events: Events,
    pub(super) log: Log,
    pub(super) snapshots: Snapshots,
    pub(super) names: Names,
    pub(super) probe: Probe,
    /// The file, where a mount is served and not a device.
    pub(super) file: Option<File>,
    /// Opens so far.
    pub(super) opens: u64,
    pub(super) started: Time,
    /// The user that the service runs as; asking the kernel again is not among its system calls.
    pub(super) user: u32,
    /// Which limits said stop when that was last told, and when that was.
    pub(super) stops: ([bool; Limit::ALL.len()], Time),
}

/// One call on the device.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) now: Time,
    pub(super) header: Header,
    /// The number of the open file.
    pub(super) file: u64,
}

impl Pool {
    /// Answers one request.
    pub(super) fn handle(&mut self, now: Time, request: Request<'_>, channel: &Channel) {
        let Request {
            header,
            operation,
            reply,
        } = request;
        self.log.debug(|| {
            format!(
                "request {}: {operation:?} by thread {}",
                header.unique, header.tid
            )
        });
        let call = |file| Call { now, header, file };
        // A reply fails where its request is over, which its client knows better than we do; only
        // a token in it must not be lost.
        let _ = match operation {
            Operation::Open { flags } => self.open(flags, reply),
            Operation::Read { file, flags, .. } => self.read(call(file), flags, reply),
            Operation::Write { file, data, .. } => self.write(call(file), data, reply),
            Operation::Poll {
                file,
                kh,
                schedule_notify,
                events,
            } => self.poll(call(file), (kh, schedule_notify), events, reply),
            Operation::Ioctl {
                file, cmd, input, ..
            } => self.ioctl(call(file), cmd, input, reply),
            Operation::Interrupt { unique } => {
                if self.ledger.handle_interrupt(unique) {
                    self.log.debug(|| format!("reply {unique}: interrupted"));
                    let _ = channel.parked(unique).error(Errno::INTR);
                }
                reply.empty()
            }
            Operation::Release { file } => {
                self.release(now, file);
                reply.empty()
            }
            Operation::Getattr => match &self.file {
                Some(file) => reply.attr(&file.attr(), file::ATTR_SECONDS),
                None => reply.error(Errno::NOSYS),
            },
            Operation::Setattr(asked) => match &mut self.file {
                Some(file) => {
                    file.set(&asked);
                    reply.attr(&file.attr(), file::ATTR_SECONDS)
                }
                None => reply.error(Errno::NOSYS),
            },
            Operation::Statfs => reply.statfs(&file::statfs()),
            Operation::Forget | Operation::Destroy => reply.empty(),
            Operation::Malformed => reply.error(Errno::INVAL),
            // The kernel does without these from then on.
            Operation::Flush { .. } | Operation::Fsync { .. } | Operation::Unknown => {
                reply.error(Errno::NOSYS)
            }
            Operation::CuseInit { .. } | Operation::FuseInit { .. } => reply.error(Errno::INVAL),
        };
    }

    /// Carries out what the ledger has decided.
    pub(super) fn act(&mut self, now: Time, channel: &Channel) {
        while let Some(action) = self.ledger.poll_action(now) {
            match action {
                Action::Grant {
                    unique,
                    client,
                    byte,
                } => {
                    self.log
                        .debug(|| format!("reply {unique}: token {byte:#04x}"));
                    if channel.parked(unique).data(&[byte]).is_err() {
                        self.ledger.handle_undelivered(now, client, byte);
                    }
                }
                // Fails only where nobody polls any more.
                Action::Wake { kh, .. } => {
                    self.log.debug(|| format!("wake-up of poll {kh}"));
                    let _ = channel.notify_poll(kh);
                }
            }
        }
    }
}
