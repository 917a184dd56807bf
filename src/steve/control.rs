//! Questions and changes that come by ioctl.

use std::fmt;

use rustix::io::Errno;

use super::ask::{self, Ask};
use super::names::passer_by;
use super::pool::{Call, Pool};
use super::requests::{READABLE, WRITABLE};
use crate::cli::format_decimal;
use crate::ioctl::{Register, Setting, Unit};
use crate::ledger::{Key, Registration};
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
        self.probe.arm(self.ledger.settings(), &self.events);
        self.look(call.now);
        let value = match (ask::get(self.ledger.settings(), setting), setting.unit()) {
            (..0, _) => "none".to_string(),
            (value, Unit::Integer) => value.to_string(),
            (value, Unit::Millionths) => format_decimal(value),
        };
        self.tell(call, |who| {
            format!("{who} sets {} to {value}", setting.name())
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
        self.tell(call, |who| {
            let asked = Asked(registration);
            format!("{who} begins a build{asked}")
        });
        Ok(())
    }

    /// Takes back what a process holds: root and the service's own user may.
    fn reclaim(&mut self, call: Call, pid: u32) -> Result<u16, Errno> {
        let holder = Key::Process(pid);
        if call.header.uid != 0 && call.header.uid != self.user {
            self.tell(call, |who| {
                format!("{who} may not reclaim the tokens of PID {pid}")
            });
            return Err(Errno::PERM);
        }
        let client = self.ledger.client(holder).ok_or(Errno::SRCH)?;
        let tokens = self.ledger.handle_reclaim(call.now, client);
        let holder = self.names.who(call.now, holder);
        let asker = passer_by(call.header.tid);
        self.log.warn(format_args!(
            "{tokens} tokens of {holder} are reclaimed by {asker}"
        ));
        Ok(tokens)
    }

    /// Says what the caller has done.
    fn tell(&mut self, call: Call, text: impl FnOnce(&str) -> String) {
        if self.log.is_verbose() {
            self.log.verbose(|| text(&passer_by(call.header.tid)));
        }
    }
}

/// What a build asks for, in words.
struct Asked(Registration);

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Registration {
            weight,
            limit,
            lease,
        } = self.0;
        if weight > 1 {
            write!(f, ", which counts {weight} times")?;
        }
        if let Some(limit) = limit {
            write!(f, ", of at most {limit} jobs")?;
        }
        if let Some(jobs) = lease.jobs {
            write!(f, "; meanwhile the pool has no more than {jobs} jobs")?;
        }
        if let Some(mib) = lease.min_memory_avail {
            write!(
                f,
                "; meanwhile at least {mib} MiB of memory must be available"
            )?;
        }
        Ok(())
    }
}

fn answer(reply: Reply<'_>, result: Result<i32, Errno>) -> Result<(), Errno> {
    match result {
        Ok(result) => reply.ioctl(result, &[]),
        Err(errno) => reply.error(errno),
    }
}
