//! What the device is opened for: read, write, poll, close.

use rustix::io::Errno;

use super::pool::{Call, Pool};
use crate::ledger::{Client, Id, Key, Read, Time};
use crate::sys::fuse_flags::{FileFlags, FopenFlags, PollEvents};
use crate::sys::reply::Reply;

/// The two lowest bits of the number of an open file say what it was opened for, since an ioctl
/// does not.
pub(super) const READABLE: u64 = 1;
pub(super) const WRITABLE: u64 = 2;

impl Pool {
    pub(super) fn open(&mut self, flags: FileFlags, reply: Reply<'_>) -> Result<(), Errno> {
        self.opens += 1;
        let readable = if flags.readable() { READABLE } else { 0 };
        let writable = if flags.writable() { WRITABLE } else { 0 };
        let flags = match self.file {
            Some(_) => FopenFlags::STREAM,
            None => FopenFlags::NONE,
        };
        reply.opened(self.opens << 2 | readable | writable, flags)
    }

    pub(super) fn read(
        &mut self,
        call: Call,
        flags: FileFlags,
        reply: Reply<'_>,
    ) -> Result<(), Errno> {
        let Call { now, header, .. } = call;
        let client = match self.meet(call) {
            Ok(client) => client,
            Err(errno) => return reply.error(errno),
        };
        if self.ledger.wants_readings(now) {
            self.look(now);
        }
        let unique = header.unique;
        match self
            .ledger
            .handle_read(now, client, unique, flags.nonblocking())
        {
            Ok(Read::Token(byte)) => {
                self.log
                    .debug(|| format!("reply {unique}: token {byte:#04x}"));
                if reply.data(&[byte]).is_err() {
                    self.ledger.handle_undelivered(now, client, byte);
                }
                Ok(())
            }
            Ok(Read::Again(refusal)) => {
                self.ledger.handle_miss(now, client, call.file);
                self.log
                    .debug(|| format!("reply {unique}: again ({refusal:?})"));
                reply.error(Errno::AGAIN)
            }
            Ok(Read::Parked) => {
                reply.park();
                Ok(())
            }
            Err(_) => {
                self.tell_full(now, client);
                reply.error(Errno::NOMEM)
            }
        }
    }

    pub(super) fn write(&mut self, call: Call, data: &[u8], reply: Reply<'_>) -> Result<(), Errno> {
        let client = match self.meet(call) {
            Ok(client) => client,
            Err(errno) => return reply.error(errno),
        };
        let returned = self.ledger.handle_write(call.now, client, data);
        if returned.foreign {
            let who = self.names.who(call.now, self.ledger.key(client));
            self.log.warn(format_args!(
                "{who} gives back a token that it does not hold: let the process that takes a \
                 token give it back, or start steve with --lenient-returns"
            ));
        }
        if returned.wrong_byte && self.log.is_verbose() {
            let who = self.names.who(call.now, self.ledger.key(client));
            self.log.verbose(|| {
                format!(
                    "{who} gives back another byte than it read, as GNU make does: its oldest \
                     token is taken, so the times of its jobs may be wrong"
                )
            });
        }
        let (unique, accepted) = (call.header.unique, returned.accepted);
        self.log
            .debug(|| format!("reply {unique}: {accepted} given back"));
        match u32::try_from(accepted) {
            Ok(accepted @ 1..) => reply.written(accepted),
            _ => reply.error(Errno::NOSPC),
        }
    }

    pub(super) fn poll(
        &mut self,
        call: Call,
        (kh, register): (u64, bool),
        events: PollEvents,
        reply: Reply<'_>,
    ) -> Result<(), Errno> {
        if !events.intersects(PollEvents::READABLE) {
            return reply.polled(PollEvents::WRITABLE);
        }
        let Call { now, header, file } = call;
        let client = match self.meet(call) {
            Ok(client) => client,
            Err(errno) => return reply.error(errno),
        };
        if self.ledger.wants_readings(now) {
            self.look(now);
        }
        let Ok(readable) = self.ledger.handle_poll(now, client, file, kh, register) else {
            self.tell_full(now, client);
            return reply.error(Errno::NOMEM);
        };
        self.log.debug(|| {
            let not = if readable { "" } else { "not " };
            format!("reply {}: {not}readable", header.unique)
        });
        match readable {
            true => reply.polled(PollEvents::READABLE.with(PollEvents::WRITABLE)),
            false => reply.polled(PollEvents::WRITABLE),
        }
    }

    pub(super) fn release(&mut self, now: Time, file: u64) {
        self.snapshots.forget(file);
        if let Some(gone) = self.ledger.handle_release(now, file) {
            self.log.verbose(|| {
                format!(
                    "open file {file} is closed; tokens free again: {}",
                    gone.tokens
                )
            });
        }
    }

    /// Takes in that the process `pid` has ended.
    pub(super) fn exit(&mut self, now: Time, pid: u32) {
        let key = Key::Process(pid);
        let Some(client) = self.ledger.client(key) else {
            return;
        };
        self.callers.forget(client);
        let gone = self.ledger.handle_exit(now, client);
        if self.log.is_verbose() {
            let who = self.names.who(now, key);
            self.log.verbose(|| match gone.tokens {
                0 => format!("{who} has gone"),
                1 => format!("{who} has gone; its token is free again"),
                tokens => format!("{who} has gone; its {tokens} tokens are free again"),
            });
        }
        self.names.forget(pid);
    }

    /// The client that asks, made one if it is new.
    pub(super) fn meet(&mut self, call: Call) -> Result<Id<Client>, Errno> {
        let Call { now, header, file } = call;
        let met = self
            .callers
            .meet(&mut self.ledger, &self.events, header.tid, file);
        match met {
            Ok((client, true)) if self.log.is_verbose() => {
                let who = self.names.who(now, self.ledger.key(client));
                self.log.verbose(|| format!("{who} has come"));
            }
            Ok(_) => {}
            Err(_) => self.log.verbose(|| {
                format!(
                    "thread {} is refused: there are too many clients, or too few descriptors to \
                     watch them by",
                    header.tid
                )
            }),
        }
        met.map(|(client, _)| client)
    }

    fn tell_full(&mut self, now: Time, client: Id<Client>) {
        if self.log.is_verbose() {
            let who = self.names.who(now, self.ledger.key(client));
            self.log
                .verbose(|| format!("{who} is refused: too many wait already"));
        }
    }
}
