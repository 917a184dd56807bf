//! The loop: wait, take in what happened, answer one request, carry out what the ledger decides.

use std::time::Duration;

use rustix::io::Errno;

use super::pool::Pool;
use crate::ledger::{Limit, Time};
use crate::sys::channel::{Buffer, Channel, Received};
use crate::sys::clock;
use crate::sys::events::{Batch, Event};
use crate::sys::signals::{Signal, Signals};

/// Why the service ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// SIGTERM or SIGINT.
    Signal,
    /// The device was taken away: aborted or unmounted.
    DeviceGone,
}

/// Serves until there is a reason to end.
///
/// A round takes one request, so that the exits it took in before are all that happened before
/// that request ([`super::callers`]); with one client and no exits it is wait, read and write.
///
/// # Errors
/// What the wait, the device or the signals failed with.
pub(super) fn serve(pool: &mut Pool, channel: &Channel, signals: &Signals) -> Result<End, Errno> {
    pool.events.watch_channel(channel)?;
    pool.events.watch_signals(signals)?;
    let mut buffer = Buffer::new();
    let mut batch = Batch::default();
    let mut now = time();
    loop {
        let deadline = pool.ledger.poll_timeout(now).map(Time::as_nanos);
        pool.events.wait(&mut batch, deadline)?;
        now = time();
        let mut requested = false;
        for event in batch.iter() {
            match event {
                Event::Exit(pid) => pool.exit(now, pid),
                Event::Signal => match signals.read()? {
                    Some(Signal::End) => return Ok(End::Signal),
                    Some(Signal::Report) => pool.report(now),
                    None => {}
                },
                Event::Pressure(_) => pool.look(now),
                Event::NoTrigger(resource) => pool.probe.disarm(resource),
                // There may be exits that came before it.
                Event::Request => requested = !batch.is_full(),
            }
        }
        pool.ledger.handle_timeout(now);
        if pool.ledger.recheck_is_due(now) {
            pool.look(now);
        }
        // What has come free belongs to those who wait before it is anybody's who asks now.
        pool.act(now, channel);
        if requested {
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
