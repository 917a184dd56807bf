//! One request: who asks, what the ledger says, and the answer.

use rustix::io::Errno;

use super::callers::Callers;
use super::file::{self, File};
use super::log::Log;
use super::names::Names;
use super::probe::Probe;
use super::snapshots::Snapshots;
use super::who::Who;
use crate::ledger::{Action, Client, Id, Ledger, Limit, Read, Time};
use crate::sys::channel::Channel;
use crate::sys::fuse_flags::{FileFlags, FopenFlags, PollEvents};
use crate::sys::reply::Reply;
use crate::sys::request::{Header, Operation, Request};

/// The pool and all that its requests touch.
pub(super) struct Pool {
    pub(super) ledger: Ledger,
    pub(super) callers: Callers,
    pub(super) log: Log,
    pub(super) snapshots: Snapshots,
    pub(super) names: Names,
    pub(super) probe: Probe,
    /// The file, where a mount is served and not a device.
    pub(super) file: Option<File>,
    /// Opens so far.
    pub(super) opens: u64,
    pub(super) started: Time,
    /// Which limits said stop when that was last told.
    pub(super) stops: [bool; Limit::ALL.len()],
}

/// One call on the device.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) now: Time,
    pub(super) header: Header,
    /// The number of the open file.
    pub(super) file: u64,
}

/// The two lowest bits of the number of an open file say what it was opened for, since an ioctl
/// does not.
pub(super) const READABLE: u64 = 1;
pub(super) const WRITABLE: u64 = 2;

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
            self.log.debug(|| format!("{action:?}"));
            match action {
                Action::Grant {
                    unique,
                    client,
                    byte,
                } => {
                    if channel.parked(unique).data(&[byte]).is_err() {
                        self.ledger.handle_undelivered(now, client, byte);
                    }
                }
                // Fails only where nobody polls any more.
                Action::Wake { kh, .. } => {
                    let _ = channel.notify_poll(kh);
                }
            }
        }
    }

    /// The client that asks, made one if it is new.
    pub(super) fn meet(&mut self, call: Call) -> Result<Id<Client>, Errno> {
        match self
            .callers
            .meet(&mut self.ledger, call.header.tid, call.file)
        {
            Ok((client, new)) => {
                if new {
                    let key = self.ledger.key(client);
                    self.log.verbose(|| format!("{} has come", Who(key)));
                }
                Ok(client)
            }
            Err(errno) => {
                self.log.verbose(|| {
                    format!(
                        "no room for thread {}: too many clients or too few descriptors",
                        call.header.tid
                    )
                });
                Err(errno)
            }
        }
    }

    fn open(&mut self, flags: FileFlags, reply: Reply<'_>) -> Result<(), Errno> {
        self.opens += 1;
        let access = if flags.readable() { READABLE } else { 0 }
            | if flags.writable() { WRITABLE } else { 0 };
        let flags = if self.file.is_some() {
            FopenFlags::STREAM
        } else {
            FopenFlags::NONE
        };
        reply.opened(self.opens << 2 | access, flags)
    }

    fn read(&mut self, call: Call, flags: FileFlags, reply: Reply<'_>) -> Result<(), Errno> {
        let client = match self.meet(call) {
            Ok(client) => client,
            Err(errno) => return reply.error(errno),
        };
        if self.ledger.wants_readings(call.now) {
            self.look(call.now);
        }
        match self
            .ledger
            .handle_read(call.now, client, call.header.unique, flags.nonblocking())
        {
            Ok(Read::Token(byte)) => {
                self.log
                    .debug(|| format!("reply {}: token {byte:#04x}", call.header.unique));
                if reply.data(&[byte]).is_err() {
                    self.ledger.handle_undelivered(call.now, client, byte);
                }
                Ok(())
            }
            Ok(Read::Again(refusal)) => {
                self.log
                    .debug(|| format!("reply {}: {refusal:?}", call.header.unique));
                reply.error(Errno::AGAIN)
            }
            Ok(Read::Parked) => {
                reply.park();
                Ok(())
            }
            Err(full) => {
                self.log
                    .verbose(|| format!("no room for one more that waits: {full:?}"));
                reply.error(Errno::NOMEM)
            }
        }
    }

    fn write(&mut self, call: Call, data: &[u8], reply: Reply<'_>) -> Result<(), Errno> {
        let client = match self.meet(call) {
            Ok(client) => client,
            Err(errno) => return reply.error(errno),
        };
        let returned = self.ledger.handle_write(call.now, client, data);
        let key = self.ledger.key(client);
        if returned.foreign {
            self.log.warn(format_args!(
                "{} gives back a token that it does not hold; --lenient-returns would look for it in its build",
                Who(key)
            ));
        }
        if returned.wrong_byte {
            self.log.verbose(|| {
                format!(
                    "{} gives back another byte than it read; its oldest token is taken",
                    Who(key)
                )
            });
        }
        self.log.debug(|| {
            format!(
                "reply {}: {} given back",
                call.header.unique, returned.accepted
            )
        });
        match u32::try_from(returned.accepted) {
            Ok(accepted @ 1..) => reply.written(accepted),
            _ => reply.error(Errno::NOSPC),
        }
    }

    fn poll(
        &mut self,
        call: Call,
        (kh, register): (u64, bool),
        events: PollEvents,
        reply: Reply<'_>,
    ) -> Result<(), Errno> {
        if !events.intersects(PollEvents::READABLE) {
            return reply.polled(PollEvents::WRITABLE);
        }
        let client = match self.meet(call) {
            Ok(client) => client,
            Err(errno) => return reply.error(errno),
        };
        if self.ledger.wants_readings(call.now) {
            self.look(call.now);
        }
        match self
            .ledger
            .handle_poll(call.now, client, call.file, kh, register)
        {
            Ok(true) => reply.polled(PollEvents::READABLE.with(PollEvents::WRITABLE)),
            Ok(false) => reply.polled(PollEvents::WRITABLE),
            Err(full) => {
                self.log
                    .verbose(|| format!("no room for one more that waits: {full:?}"));
                reply.error(Errno::NOMEM)
            }
        }
    }

    fn release(&mut self, now: Time, file: u64) {
        self.snapshots.forget(file);
        if let Some(gone) = self.ledger.handle_release(now, file) {
            self.log.verbose(|| {
                format!(
                    "open file {file} is closed; {} tokens are free again",
                    gone.tokens
                )
            });
        }
    }

    /// Takes in that the process `pid` has ended.
    pub(super) fn exit(&mut self, now: Time, pid: u32) {
        let key = crate::ledger::Key::Process(pid);
        let Some(client) = self.ledger.client(key) else {
            return;
        };
        let who = self.log.is_verbose().then(|| Who(key).to_string());
        self.callers.forget(client);
        let gone = self.ledger.handle_exit(now, client);
        if let Some(who) = who {
            self.log
                .verbose(|| format!("{who} has gone; {} tokens are free again", gone.tokens));
        }
    }
}
