//! The loop: wait, take in what happened, answer one request, carry out what the ledger decides.

use std::time::Duration;

use rustix::io::Errno;

use super::pool::Pool;
use crate::ledger::{Limit, Time};
use crate::sys::channel::{Buffer, Channel, Received};
use crate::sys::events::BATCH;
use crate::sys::signals::{Signal, Signals};
use crate::sys::{clock, poll};

/// Why the service ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// SIGTERM or SIGINT.
    Signal,
    /// The device was taken away: aborted or unmounted.
    DeviceGone,
}

/// The key of the signals among the [events](crate::sys::events); processes have their pid.
const SIGNALS: u64 = u64::MAX;

/// Serves until there is a reason to end.
///
/// A round takes one request, so that the exits it took in before are all that happened before
/// that request ([`super::callers`]); with one client and no exits it is poll, read and write.
///
/// # Errors
/// What the wait, the device or the signals failed with.
pub(super) fn serve(pool: &mut Pool, channel: &Channel, signals: &Signals) -> Result<End, Errno> {
    pool.callers.events().add(signals, SIGNALS)?;
    let mut buffer = Buffer::new();
    let mut now = time();
    loop {
        let deadline = pool.ledger.poll_timeout(now).map(Time::as_nanos);
        let ready = poll::wait(
            channel,
            pool.callers.events(),
            pool.probe.triggers(),
            deadline,
        )?;
        now = time();
        if ready.events && pool.take_events(now, signals)? {
            return Ok(End::Signal);
        }
        pool.ledger.handle_timeout(now);
        if ready.pressure || pool.ledger.recheck_is_due(now) {
            pool.look(now);
        }
        // What has come free belongs to those who wait before it is anybody's who asks now.
        pool.act(now, channel);
        if ready.device {
            match channel.receive(&mut buffer)? {
                Received::Request(request) => pool.handle(now, request, channel),
                Received::Nothing => {}
                Received::Over => return Ok(End::DeviceGone),
            }
        }
        pool.act(now, channel);
        pool.tell_limits(now);
    }
}

/// The time on the ledger's clock.
pub(super) fn time() -> Time {
    Time::from_nanos(clock::now())
}

impl Pool {
    /// Takes in every exit there is, and the signals. True if one of them says end.
    fn take_events(&mut self, now: Time, signals: &Signals) -> Result<bool, Errno> {
        let mut keys = [0; BATCH];
        loop {
            let count = self.callers.events().ready(&mut keys)?.len();
            for &key in keys.iter().take(count) {
                if key != SIGNALS {
                    self.exit(now, u32::try_from(key).unwrap_or(0));
                    continue;
                }
                match signals.read()? {
                    Some(Signal::End) => return Ok(true),
                    Some(Signal::Report) => self.report(now),
                    None => {}
                }
            }
            if count < BATCH {
                return Ok(false);
            }
        }
    }

    /// Looks at what the limits are held against.
    pub(super) fn look(&mut self, now: Time) {
        let settings = self.ledger.effective();
        let readings = self.probe.read(|limit| settings.watches(limit));
        self.ledger.handle_readings(now, readings);
    }

    /// Says which limits have been reached or left since the last time, at most every second: a
    /// pool that lives at a limit passes it with every token.
    fn tell_limits(&mut self, now: Time) {
        let (told, at) = self.stops;
        if !self.log.is_verbose() || now.since(at) < Duration::from_secs(1) {
            return;
        }
        let stops = Limit::ALL.map(|limit| self.ledger.says_stop(now, limit));
        if stops == told {
            return;
        }
        self.stops = (stops, now);
        let snapshot = self.snapshot(now);
        for reason in snapshot.reasons() {
            self.log.verbose(|| format!("no new jobs: {reason}"));
        }
        if stops == [false; Limit::ALL.len()] {
            self.log.verbose(|| "no limit stops new jobs any more");
        }
    }
}
