//! What must be true of the ledger's tables after every step.

use super::super::records::{Build, Client};
use super::super::slab::Id;
use super::super::{Ledger, Time, Timer};

impl Ledger {
    /// Checks everything that can be checked of the ledger alone. [`Ledger::poll_action`] has been
    /// called for `now` until there was nothing left.
    ///
    /// # Panics
    /// If something is not as it must be.
    pub(in super::super) fn audit(&mut self, now: Time) {
        self.audit_books(now);
        self.audit_lists();
        self.audit_indices();
        self.audit_line();
    }

    fn audit_books(&mut self, now: Time) {
        let held: u16 = self.clients.iter().map(|(_, client)| client.held).sum();
        let reserved = self.clients.iter().filter(|(_, c)| c.is_reserved()).count();
        assert_eq!(usize::from(self.reserved), reserved);
        assert_eq!(usize::from(held), self.tokens.audit());
        assert_eq!(self.in_use, held + self.reserved);
        let free = self.available(now);
        let jobs = self.effective.jobs;
        if self.in_use > jobs {
            assert_eq!(free, 0);
        } else {
            assert!(self.in_use + free <= jobs);
            if !self.effective.has_limits() {
                assert_eq!(self.in_use + free, jobs);
            }
        }
        for (id, build) in self.builds.iter() {
            let members = || self.clients.iter().filter(|(_, c)| c.build == id);
            assert_eq!(usize::from(build.members), members().count());
            assert!(build.members > 0, "an empty build is left behind");
            let in_use: u16 = members().map(|(_, client)| client.in_use()).sum();
            assert_eq!(build.in_use, in_use);
        }
        let young = self.tokens.iter().filter(|(_, token)| token.young).count();
        assert_eq!(usize::from(self.young_count), young);
    }

    fn audit_lists(&self) {
        let mut waiters = 0;
        for (id, client) in self.clients.iter() {
            let tokens = client.tokens.audit(&self.tokens);
            assert_eq!(tokens.len(), usize::from(client.held));
            assert!(tokens.iter().all(|&token| self.tokens[token].client == id));
            assert!(tokens.is_sorted_by_key(|&token| self.tokens[token].since));
            for list in [&client.reads, &client.polls] {
                let list = list.audit(&self.waiters);
                assert!(list.iter().all(|&waiter| self.waiters[waiter].client == id));
                assert!(list.is_sorted_by_key(|&waiter| self.waiters[waiter].arrival));
                waiters += list.len();
            }
        }
        assert_eq!(waiters, self.waiters.audit());
        assert_eq!(
            self.contacts.audit(&self.clients).len(),
            self.clients.audit()
        );
        for timer in Timer::ALL {
            let running = self.timers[timer as usize].audit(&self.clients);
            let end = |&id: &Id<Client>| self.clients[id].timer;
            assert!(running.iter().all(|id| end(id).unwrap().0 == timer));
            assert!(running.is_sorted_by_key(|id| end(id).unwrap().1));
            let all = self
                .clients
                .iter()
                .filter(|(_, client)| client.timer.is_some_and(|(other, _)| other == timer));
            assert_eq!(running.len(), all.count());
        }
        let young = self.young.audit(&self.tokens);
        assert_eq!(young.len(), usize::from(self.young_count));
        assert!(young.iter().all(|&token| self.tokens[token].young));
        assert!(young.is_sorted_by_key(|&token| self.tokens[token].since));
    }

    fn audit_indices(&self) {
        assert_eq!(self.clients_by_key.len(), self.clients.audit());
        assert_eq!(self.waiters_by_key.len(), self.waiters.audit());
        for (id, client) in self.clients.iter() {
            assert_eq!(self.client(client.key), Some(id));
        }
        let mut named = 0;
        for (id, build) in self.builds.iter().filter(|(_, build)| build.named) {
            let found = self
                .builds_by_origin
                .find(&self.builds, build.origin.number());
            assert_eq!(found, Some(id));
            named += 1;
        }
        assert_eq!(self.builds_by_origin.len(), named);
    }

    fn audit_line(&mut self) {
        for (id, _) in self.builds.iter().collect::<Vec<_>>() {
            let expected = ids(self
                .clients
                .iter()
                .filter(|(_, client)| client.build == id && self.is_eligible(client)));
            let build = &self.builds[id];
            let mut line = build.line.audit(&mut self.clients);
            line.sort_by_key(|id| id.index());
            assert_eq!(line, expected, "who stands in line in {id:?}");
            let first = build.line.first();
            let arrival = first.and_then(|first| self.clients[first].arrival);
            assert_eq!(build.arrival, arrival);
            assert!(first.is_none() || arrival.is_some());
        }
        let stands = |build: &Build| {
            build.line.first().is_some() && build.limit.is_none_or(|limit| build.in_use < limit)
        };
        let expected = ids(self.builds.iter().filter(|(_, build)| stands(build)));
        let mut line = self.line.audit(&mut self.builds);
        line.sort_by_key(|id| id.index());
        assert_eq!(line, expected, "which builds stand in line");
    }

    /// Whether a token could be given to `client` as far as it alone is concerned.
    fn is_eligible(&self, client: &Client) -> bool {
        let limit = self.effective.per_process_limit;
        let runs = |kind| client.timer.is_some_and(|(timer, _)| timer == kind);
        let (muted, paused) = (runs(Timer::Mute), runs(Timer::Pause));
        let reserved = client.timer.is_some() && !muted && !paused;
        let hungry = client.missed.is_some() && !paused;
        let wants = !client.reads.is_empty() || !muted && (!client.polls.is_empty() || hungry);
        wants && !reserved && (limit == 0 || client.held < limit)
    }
}

fn ids<'a, T: 'a>(rows: impl Iterator<Item = (Id<T>, &'a T)>) -> Vec<Id<T>> {
    rows.map(|(id, _)| id).collect()
}
