//! Questions and changes that come by ioctl.

use rustix::io::Errno;

use super::ask::{self, Ask};
use super::pool::{Call, Pool, READABLE, WRITABLE};
use super::who::Who;
use crate::cli::format_decimal;
use crate::ioctl::{Register, Setting, Unit};
use crate::ledger::Key;
use crate::sys::reply::Reply;

impl Pool {
    /// Answers an ioctl.
    pub(super) fn ioctl(
        &mut self,
        call: Call,
        cmd: u32,
        input: &[u8],
        reply: Reply<'_>,
    ) -> Result<(), Errno> {
        let ask = match Ask::parse(cmd, input) {
            Ok(ask) => ask,
            Err(errno) => return reply.error(errno),
        };
        let needed = if ask.writes() { WRITABLE } else { READABLE };
        if call.file & needed == 0 {
            return reply.error(Errno::BADF);
        }
        match ask {
            Ask::Tokens => {
                reply.ioctl(0, &i64::from(self.ledger.available(call.now)).to_ne_bytes())
            }
            Ask::Get(setting) => {
                let value = ask::get(self.ledger.settings(), setting);
                reply.ioctl(0, &value.to_ne_bytes())
            }
            Ask::Set(setting, value) => {
                let done = self.set(call, setting, value);
                answer(reply, done.map(|()| 0))
            }
            Ask::Register(register) => {
                let done = self.register(call, &register);
                answer(reply, done.map(|()| 0))
            }
            Ask::SnapshotTake => {
                let length = self.take_snapshot(call);
                reply.ioctl(0, &length.to_ne_bytes())
            }
            Ask::SnapshotNext => {
                let piece = self.snapshots.next(call.file);
                reply.ioctl(i32::try_from(piece.len()).unwrap_or(0), piece)
            }
            Ask::Reclaim(pid) => {
                let done = self.reclaim(call, pid);
                answer(reply, done.map(i32::from))
            }
        }
    }

    fn set(&mut self, call: Call, setting: Setting, value: i64) -> Result<(), Errno> {
        if let Some(resource) = ask::resource(setting)
            && value > 0
            && !self.probe.has_pressure(resource)
        {
            return Err(Errno::OPNOTSUPP);
        }
        ask::set(&mut self.ledger, setting, value).map_err(|_| Errno::INVAL)?;
        self.probe.arm(self.ledger.settings());
        self.look(call.now);
        self.log.verbose(|| {
            let value = match setting.unit() {
                Unit::Integer => value.to_string(),
                Unit::Millionths => format_decimal(value),
            };
            let who = Who(Key::Process(call.header.tid));
            format!("{} set to {value} by {who}", setting.name())
        });
        Ok(())
    }

    fn register(&mut self, call: Call, register: &Register) -> Result<(), Errno> {
        let registration = ask::registration(register)?;
        let client = self.meet(call)?;
        if !matches!(self.ledger.key(client), Key::Process(_)) {
            return Err(Errno::SRCH);
        }
        let done = self.ledger.handle_register(call.now, client, registration);
        done.map_err(|_| Errno::NOMEM)?;
        self.look(call.now);
        let key = self.ledger.key(client);
        self.log
            .verbose(|| format!("{} begins a build: {registration:?}", Who(key)));
        Ok(())
    }

    /// Takes back what a process holds: root and the service's own user may.
    fn reclaim(&mut self, call: Call, pid: u32) -> Result<u16, Errno> {
        let asker = Who(Key::Process(call.header.tid));
        let holder = Key::Process(pid);
        if call.header.uid != 0 && call.header.uid != rustix::process::getuid().as_raw() {
            self.log
                .verbose(|| format!("{asker} may not reclaim the tokens of {}", Who(holder)));
            return Err(Errno::PERM);
        }
        let client = self.ledger.client(holder).ok_or(Errno::SRCH)?;
        let tokens = self.ledger.handle_reclaim(call.now, client);
        self.log
            .verbose(|| format!("{tokens} tokens of {} reclaimed by {asker}", Who(holder)));
        Ok(tokens)
    }
}

fn answer(reply: Reply<'_>, result: Result<i32, Errno>) -> Result<(), Errno> {
    match result {
        Ok(result) => reply.ioctl(result, &[]),
        Err(errno) => reply.error(errno),
    }
}
