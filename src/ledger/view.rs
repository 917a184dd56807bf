//! What can be seen of the ledger from outside.

use super::keys::{Key, Origin};
use super::limits::{self, Limit};
use super::records::{Build, Client};
use super::slab::Id;
use super::{Lease, Ledger, Time};

/// Why a client gets no token now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// All tokens are in use, or it is others' turn.
    NoneLeft,
    /// It holds as many as one client may.
    PerProcessLimit,
    /// Its build holds as many as it may.
    BuildLimit,
    /// A limit on the whole pool says stop.
    Limit(Limit),
}

impl Refusal {
    /// Number of kinds.
    pub const KINDS: usize = 3 + Limit::ALL.len();

    /// The kind's number.
    pub const fn index(self) -> usize {
        match self {
            Refusal::NoneLeft => 0,
            Refusal::PerProcessLimit => 1,
            Refusal::BuildLimit => 2,
            Refusal::Limit(limit) => 3 + limit.index(),
        }
    }
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tokens given out.
    pub grants: u64,
    /// Tokens taken back from the dead, and by order.
    pub reclaimed: u64,
    /// Reads that found nothing or had to wait, by [`Refusal::index`].
    pub refusals: [u64; Refusal::KINDS],
    /// Pollers woken.
    pub wakeups: u64,
    /// Reservations that ran out unread.
    pub lapsed: u64,
}

impl Totals {
    pub(super) fn count(&mut self, refusal: Refusal) {
        self.refusals[refusal.index()] += 1;
    }
}

/// A build, as it can be seen.
#[derive(Clone, Copy, Debug)]
pub struct BuildView {
    /// Which it is.
    pub id: Id<Build>,
    /// How it was found.
    pub origin: Origin,
    /// It counts for so many.
    pub weight: u16,
    /// Most tokens of all its clients together.
    pub limit: Option<u16>,
    /// Clients that live.
    pub members: u16,
    /// Tokens held by and reserved for its clients.
    pub in_use: u16,
}

/// A client, as it can be seen.
#[derive(Clone, Copy, Debug)]
pub struct ClientView {
    /// Which it is.
    pub id: Id<Client>,
    /// What it is known by.
    pub key: Key,
    /// The build it belongs to.
    pub build: Id<Build>,
    /// Tokens it holds.
    pub held: u16,
    /// Whether one more is set aside for it.
    pub reserved: bool,
    /// Since when it waits, blocked or polling.
    pub waiting: Option<Time>,
    /// When its last read without blocking found nothing, if it has got none since.
    pub missed: Option<Time>,
    /// What it asks of the whole pool.
    pub lease: Lease,
}

impl Ledger {
    /// Counts since the start.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Tokens held and reserved.
    pub fn in_use(&self) -> u16 {
        self.in_use
    }

    /// Tokens reserved.
    pub fn reserved(&self) -> u16 {
        self.reserved
    }

    /// Whether `limit` says stop at `now`.
    pub fn says_stop(&mut self, now: Time, limit: Limit) -> bool {
        let usage = self.usage(now);
        limits::says_stop(limit, &self.effective, &self.readings, &usage)
    }

    /// All builds.
    pub fn builds(&self) -> impl Iterator<Item = BuildView> {
        self.builds.iter().map(|(id, build)| BuildView {
            id,
            origin: build.origin,
            weight: build.weight,
            limit: build.limit,
            members: build.members,
            in_use: build.in_use,
        })
    }

    /// All clients, in the order of first contact.
    pub fn clients(&self) -> impl Iterator<Item = ClientView> {
        self.contacts.iter(&self.clients).map(|id| self.view(id))
    }

    /// One client.
    pub fn view(&self, id: Id<Client>) -> ClientView {
        let client = &self.clients[id];
        let waiter = self.earlier(client.reads.first(), client.polls.first());
        ClientView {
            id,
            key: client.key,
            build: client.build,
            held: client.held,
            reserved: client.is_reserved(),
            waiting: waiter.map(|waiter| self.waiters[waiter].since),
            missed: client.missed,
            lease: client.lease,
        }
    }

    /// The tokens of one client, oldest first: byte, and since when.
    pub fn tokens(&self, id: Id<Client>) -> impl Iterator<Item = (u8, Time)> {
        self.clients[id].tokens.iter(&self.tokens).map(|token| {
            let token = &self.tokens[token];
            (token.byte, token.since)
        })
    }
}
