//! Who stands in line, and who is next.
//!
//! Two heaps: one of the builds, and in each build one of its clients. A client stands in line
//! while a token could be given to it if there were one.

use super::records::{Build, Client, Wait};
use super::slab::Id;
use super::{Action, Ledger, Refusal, Time, Timer, Usage};
use super::{Limit, limits};

impl Ledger {
    /// The next decision at `now`; call it until there is none.
    ///
    /// Each call does the work of at most as many clients as there are tokens free.
    pub fn poll_action(&mut self, now: Time) -> Option<Action> {
        while self.in_use < self.room(now) {
            let build = self.line.first()?;
            let client = self.builds[build].line.first()?;
            if let Some(action) = self.serve(now, client) {
                return Some(action);
            }
        }
        None
    }

    /// Gives the next token to `client`, whose turn it is.
    fn serve(&mut self, now: Time, id: Id<Client>) -> Option<Action> {
        let client = &self.clients[id];
        let (read, poll) = (client.reads.first(), client.polls.first());
        let muted = client.is_muted();
        let Some(waiter) = self.earlier(read, poll.filter(|_| !muted)) else {
            self.reserve(now, id, Timer::Keep);
            return None;
        };
        let wait = self.waiters[waiter].wait;
        self.drop_waiter(waiter);
        let action = match wait {
            Wait::Read { unique } => {
                let byte = self.take(now, id);
                Action::Grant {
                    unique,
                    client: id,
                    byte,
                }
            }
            Wait::Poll { kh, .. } => {
                self.reserve(now, id, Timer::Promise);
                self.totals.wakeups += 1;
                Action::Wake { client: id, kh }
            }
        };
        self.settle(id);
        Some(action)
    }

    /// Puts `client`, and its build, where they now belong: call it after every change to the
    /// client's waiters, its tokens or what limits it.
    pub(super) fn settle(&mut self, id: Id<Client>) {
        let build = self.clients[id].build;
        let stands = self.stands_in_line(id);
        let line = &mut self.builds[build].line;
        line.remove(&mut self.clients, id);
        if stands {
            line.insert(&mut self.clients, id);
        }
        self.requeue(build);
    }

    /// Puts `build` where it now belongs among the builds.
    pub(super) fn requeue(&mut self, build: Id<Build>) {
        self.line.remove(&mut self.builds, build);
        let first = self.builds[build].line.first();
        self.builds[build].arrival = first.and_then(|first| self.clients[first].arrival);
        if first.is_some() && !self.builds[build].is_at_limit() {
            self.line.insert(&mut self.builds, build);
        }
    }

    fn stands_in_line(&self, id: Id<Client>) -> bool {
        let client = &self.clients[id];
        let polls = !client.polls.is_empty() && !client.is_muted();
        let lazy = client.is_lazy() && !client.is_paused();
        let wants = !client.reads.is_empty() || polls || lazy;
        wants && !client.is_reserved() && !self.is_at_limit(id)
    }

    /// Whether the per-process limit stands against one token more for `client`.
    fn is_at_limit(&self, id: Id<Client>) -> bool {
        let limit = self.settings.per_process_limit;
        limit != 0 && self.clients[id].in_use() >= limit
    }

    /// Whether a token is set aside for `client`; it is not any more if the limit of a process has
    /// been lowered since.
    pub(super) fn has_claim(&mut self, now: Time, id: Id<Client>) -> bool {
        let limit = self.settings.per_process_limit;
        let client = &self.clients[id];
        if client.is_reserved() && limit != 0 && client.held >= limit {
            self.cancel(now, id);
            self.settle(id);
        }
        self.clients[id].is_reserved()
    }

    /// Whether a token could be given to `client` at once: there is room, and nobody comes before
    /// it. (While there is room nobody stands in line, unless [`Ledger::poll_action`] is still to be
    /// called for what has changed.)
    pub(super) fn can_take(&mut self, now: Time, id: Id<Client>) -> bool {
        let next = self.line.first();
        let first = next.and_then(|build| self.builds[build].line.first());
        first.is_none_or(|first| first == id) && self.has_room(now, id)
    }

    /// Whether neither the pool's room nor its own limits stand against one token more for `client`.
    pub(super) fn has_room(&mut self, now: Time, id: Id<Client>) -> bool {
        let build = self.clients[id].build;
        !self.is_at_limit(id) && !self.builds[build].is_at_limit() && self.in_use < self.room(now)
    }

    /// How many tokens may be in use at `now`.
    pub(super) fn room(&mut self, now: Time) -> u16 {
        if !self.effective.has_limits() {
            return self.effective.jobs;
        }
        let usage = self.usage(now);
        limits::room(&self.effective, &self.readings, &usage)
    }

    /// What the pool itself has in use at `now`.
    pub fn usage(&mut self, now: Time) -> Usage {
        self.age(now);
        let load_share = self.load_share.at(now, self.in_use);
        Usage {
            in_use: self.in_use,
            young: self.young_count + self.reserved,
            load_share,
        }
    }

    /// Tokens that could be taken at `now`.
    pub fn available(&mut self, now: Time) -> u16 {
        self.room(now).saturating_sub(self.in_use)
    }

    /// Whether someone waits for nothing but a limit.
    pub(super) fn waits_on_limit(&mut self, now: Time) -> bool {
        self.line.first().is_some()
            && self.in_use < self.effective.jobs
            && self.in_use >= self.room(now)
    }

    /// Why no token is given to `client` at `now`.
    pub fn refusal(&mut self, now: Time, id: Id<Client>) -> Refusal {
        let build = self.clients[id].build;
        if self.is_at_limit(id) {
            return Refusal::PerProcessLimit;
        }
        if self.builds[build].is_at_limit() {
            return Refusal::BuildLimit;
        }
        if self.in_use >= self.effective.jobs {
            return Refusal::NoneLeft;
        }
        let usage = self.usage(now);
        if self.in_use >= limits::room(&self.effective, &self.readings, &usage) {
            let stops =
                |&limit: &Limit| limits::says_stop(limit, &self.effective, &self.readings, &usage);
            if let Some(limit) = Limit::ALL.into_iter().find(|limit| stops(limit)) {
                return Refusal::Limit(limit);
            }
        }
        Refusal::NoneLeft
    }
}
