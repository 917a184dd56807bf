//! Reservations and other things that end by themselves.

use std::time::Duration;

use super::records::Client;
use super::slab::Id;
use super::{FRESH, KEEP, KEEPS, LAPSES, Ledger, MUTE, PAUSE, PROMISE, RETURN, Time, Timer};

impl Timer {
    fn length(self) -> Duration {
        match self {
            Timer::Return => RETURN,
            Timer::Promise => PROMISE,
            Timer::Keep => KEEP,
            Timer::Pause => PAUSE,
            Timer::Mute => MUTE,
        }
    }
}

impl Ledger {
    /// When [`Ledger::handle_timeout`], or new readings, are due; `None` while nothing runs.
    pub fn poll_timeout(&mut self, now: Time) -> Option<Time> {
        let first = |list: &super::List<Client, super::ByTimer>| {
            list.first()
                .and_then(|client| self.clients[client].timer)
                .map(|(_, end)| end)
        };
        let timer = self.timers.iter().filter_map(first).min();
        let recheck = self.recheck_at(now);
        timer.into_iter().chain(recheck).min()
    }

    /// When the limits are to be looked at again: only while someone waits on them.
    fn recheck_at(&mut self, now: Time) -> Option<Time> {
        if !self.effective.has_limits() || !self.waits_on_limit(now) {
            return None;
        }
        let timeout = self.settings.load_recheck_timeout.max(FRESH);
        Some(self.read_at.map_or(now, |at| at.after(timeout)))
    }

    /// Whether the limits are due to be looked at again at `now`.
    pub fn recheck_is_due(&mut self, now: Time) -> bool {
        self.recheck_at(now).is_some_and(|at| at <= now)
    }

    /// Ends what has run out by `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        for timer in Timer::ALL {
            while let Some(client) = self.timers[timer as usize].first() {
                if self.clients[client].timer.is_some_and(|(_, end)| end > now) {
                    break;
                }
                self.expire(now, client, timer);
            }
        }
    }

    fn expire(&mut self, now: Time, id: Id<Client>, timer: Timer) {
        self.cancel(now, id);
        let client = &mut self.clients[id];
        match timer {
            // It has not asked again at once: it wants no more for now.
            Timer::Return => client.missed = None,
            // It asks when one of its jobs ends, which may take longer than one is kept.
            Timer::Keep => {
                client.kept += 1;
                if client.kept < KEEPS {
                    self.start_timer(now, id, Timer::Pause);
                } else {
                    client.missed = None;
                }
            }
            Timer::Promise => {
                client.lapses = client.lapses.saturating_add(1);
                if client.lapses >= LAPSES {
                    self.start_timer(now, id, Timer::Mute);
                }
            }
            Timer::Pause | Timer::Mute => {}
        }
        if timer.is_reservation() {
            self.totals.lapsed += 1;
        }
        self.settle(id);
    }

    /// Sets a token aside for `client`.
    pub(super) fn reserve(&mut self, now: Time, id: Id<Client>, timer: Timer) {
        self.stop_timer(id);
        self.occupy(now, id);
        self.reserved += 1;
        self.start_timer(now, id, timer);
        self.settle(id);
    }

    /// Stops the client's timer, and gives up the token that was set aside for it.
    pub(super) fn cancel(&mut self, now: Time, id: Id<Client>) {
        if self.clients[id].is_reserved() {
            self.reserved -= 1;
            self.vacate(now, id);
        }
        self.stop_timer(id);
    }

    fn start_timer(&mut self, now: Time, id: Id<Client>, timer: Timer) {
        self.clients[id].timer = Some((timer, now.after(timer.length())));
        self.timers[timer as usize].push_back(&mut self.clients, id);
    }

    /// Stops the client's timer, if one runs.
    pub(super) fn stop_timer(&mut self, id: Id<Client>) {
        if let Some((timer, _)) = self.clients[id].timer.take() {
            self.timers[timer as usize].remove(&mut self.clients, id);
        }
    }
}
