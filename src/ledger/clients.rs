//! Clients come and go.

use super::keys::{Key, Origin};
use super::records::{Build, Client};
use super::slab::{Full, Id};
use super::{Ledger, Time};

/// What a client left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Tokens that it held, free again.
    pub tokens: u16,
    /// Whether a lease ended with it.
    pub lease: bool,
}

impl Ledger {
    /// The client known by `key`.
    pub fn client(&self, key: Key) -> Option<Id<Client>> {
        self.clients_by_key.find(&self.clients, key.number())
    }

    /// What `client` is known by.
    pub fn key(&self, client: Id<Client>) -> Key {
        self.clients[client].key
    }

    /// A client comes for the first time.
    ///
    /// # Errors
    /// [`Full`] if there is no room for it; nothing has changed then.
    pub fn handle_contact(&mut self, key: Key, origin: Origin) -> Result<Id<Client>, Full> {
        if self.clients.is_full() {
            return Err(Full);
        }
        let build = self.enter_build(origin)?;
        let client = self.clients.insert(Client::new(key, build))?;
        self.clients_by_key.insert(&self.clients, client);
        self.contacts.push_back(&mut self.clients, client);
        Ok(client)
    }

    /// `client` is gone, however it went: its tokens and its lease are free.
    pub fn handle_exit(&mut self, now: Time, id: Id<Client>) -> Gone {
        let gone = Gone {
            tokens: self.take_back(now, id),
            lease: !self.clients[id].lease.is_empty(),
        };
        self.cancel(now, id);
        self.clients[id].missed = None;
        // Blocked reads: a process that has ended has none left (the kernel lets no thread go
        // while its request is unanswered), so none is forgotten here.
        while let Some(waiter) = self.earlier(
            self.clients[id].reads.first(),
            self.clients[id].polls.first(),
        ) {
            self.drop_waiter(waiter);
        }
        self.settle(id);
        self.leave_build(id);
        self.contacts.remove(&mut self.clients, id);
        self.clients_by_key.remove(&self.clients, id);
        self.clients.remove(id);
        if gone.lease {
            self.apply_leases();
        }
        self.totals.reclaimed += u64::from(gone.tokens);
        gone
    }

    /// Undoes [`Ledger::handle_contact`] for a client that has asked for nothing yet.
    pub fn handle_leave(&mut self, client: Id<Client>) {
        self.handle_exit(Time::default(), client);
    }

    /// Takes back all that `client`, which lives on, holds. Returns how many tokens that were.
    pub fn handle_reclaim(&mut self, now: Time, id: Id<Client>) -> u16 {
        let tokens = self.take_back(now, id);
        self.settle(id);
        self.totals.reclaimed += u64::from(tokens);
        tokens
    }

    fn take_back(&mut self, now: Time, id: Id<Client>) -> u16 {
        let tokens = self.clients[id].held;
        while let Some(token) = self.clients[id].tokens.first() {
            self.put_back(now, token);
        }
        tokens
    }

    /// The build with `origin`, made if there is none, with one member more.
    pub(super) fn enter_build(&mut self, origin: Origin) -> Result<Id<Build>, Full> {
        let known = self.builds_by_origin.find(&self.builds, origin.number());
        let build = match known {
            Some(build) => build,
            None => {
                let build = self.builds.insert(Build::new(origin))?;
                self.builds_by_origin.insert(&self.builds, build);
                build
            }
        };
        self.builds[build].members += 1;
        Ok(build)
    }

    /// Takes `client`, which holds and wants nothing, out of its build.
    pub(super) fn leave_build(&mut self, id: Id<Client>) {
        let build = self.clients[id].build;
        if self.root_of(build) == Some(self.clients[id].key) {
            self.forget_origin(build);
            self.roots -= 1;
        }
        self.builds[build].members -= 1;
        if self.builds[build].members == 0 {
            self.line.remove(&mut self.builds, build);
            self.forget_origin(build);
            self.builds.remove(build);
        }
    }

    fn forget_origin(&mut self, build: Id<Build>) {
        if self.builds[build].named {
            self.builds_by_origin.remove(&self.builds, build);
            self.builds[build].named = false;
        }
    }
}
