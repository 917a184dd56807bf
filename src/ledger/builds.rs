//! Builds that registered themselves, and what they asked for.

use super::keys::{Key, Origin};
use super::records::{Build, Client};
use super::slab::{Full, Id};
use super::{Lease, Ledger, Time};

/// What a build asks for when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// It counts for so many: 1 to 100.
    pub weight: u16,
    /// Most tokens of all its clients together; at least 1.
    pub limit: Option<u16>,
    /// What its root asks of the whole pool.
    pub lease: Lease,
}

/// Largest weight of a build.
pub const MAX_WEIGHT: u16 = 100;

impl Ledger {
    /// Whether `pid` is the root of a build.
    pub fn is_root(&self, pid: u32) -> bool {
        self.builds_by_origin
            .find(&self.builds, Origin::Root(pid).number())
            .is_some()
    }

    /// Whether any build has registered itself.
    pub fn has_roots(&self) -> bool {
        self.roots > 0
    }

    /// `client`, a process, becomes the root of a build of its own and moves there with what it
    /// holds; or changes what it asked for.
    ///
    /// # Errors
    /// [`Full`] if there is no room, or the client is no process; nothing has changed then.
    pub fn handle_register(
        &mut self,
        now: Time,
        id: Id<Client>,
        registration: Registration,
    ) -> Result<(), Full> {
        let Key::Process(pid) = self.clients[id].key else {
            return Err(Full);
        };
        if self.root_of(self.clients[id].build) != Some(self.clients[id].key) {
            let build = self.enter_build(Origin::Root(pid))?;
            self.move_to(now, id, build);
            self.roots += 1;
        }
        let build = self.clients[id].build;
        self.line.remove(&mut self.builds, build);
        self.builds[build].weight = registration.weight.clamp(1, MAX_WEIGHT);
        self.builds[build].limit = registration.limit;
        self.clients[id].lease = registration.lease;
        self.settle(id);
        self.apply_leases();
        Ok(())
    }

    /// The root of `build`, while it lives.
    pub(super) fn root_of(&self, build: Id<Build>) -> Option<Key> {
        match self.builds[build] {
            Build {
                origin: Origin::Root(pid),
                named: true,
                ..
            } => Some(Key::Process(pid)),
            _ => None,
        }
    }

    fn move_to(&mut self, now: Time, id: Id<Client>, build: Id<Build>) {
        let in_use = self.clients[id].in_use();
        let old = self.clients[id].build;
        self.builds[old].line.remove(&mut self.clients, id);
        for _ in 0..in_use {
            self.vacate(now, id);
        }
        self.requeue(old);
        self.leave_build(id);
        self.clients[id].build = build;
        for _ in 0..in_use {
            self.occupy(now, id);
        }
    }

    /// Works out what holds for everybody: the strictest of the settings and of all leases.
    pub(super) fn apply_leases(&mut self) {
        self.effective = self.settings;
        for (_, client) in self.clients.iter() {
            client.lease.tighten(&mut self.effective);
        }
    }
}
