//! Decides who gets the next token: a pure state machine in tables of fixed size.
//!
//! It has no file descriptors and no clock, and does not allocate once it is made. Its methods come
//! in three families:
//!
//! * `handle_*` takes one event, and the time;
//! * [`Ledger::poll_action`] then hands out one decision at a time, until there is none;
//! * [`Ledger::poll_timeout`] is the next moment at which [`Ledger::handle_timeout`] is due.
//!
//! The rest are getters. A blocked read is an opaque number to it, and a poll two: what they mean
//! is the caller's business.
//!
//! The books: tokens held + reserved + free = `jobs`; or, while `jobs` has just been lowered,
//! held + reserved >= `jobs` and nothing is free.

mod builds;
mod clients;
mod heap;
mod index;
mod keys;
mod limits;
mod line;
mod list;
mod load;
mod records;
mod requests;
mod settings;
mod slab;
mod time;
mod timers;
mod tokens;
mod view;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use builds::{MAX_WEIGHT, Registration};
pub use clients::Gone;
pub use keys::{Key, Origin};
pub use limits::{Limit, Readings, Resource, Usage, room, says_stop};
pub use records::{Build, Client, Timer};
pub use requests::{Read, Returned};
pub use settings::{Invalid, Lease, MAX_JOBS, Settings};
pub use slab::{Full, Id};
pub use time::Time;
pub use view::{BuildView, ClientView, Refusal, Totals};

use heap::Heap;
use index::Index;
use list::{Links, List};
use load::LoadShare;
use records::{Arrival, ByAge, ByContact, ByTimer, Token, Waiter};
use slab::Slab;

/// A client that was told "readable" has so long to read.
pub const PROMISE: Duration = Duration::from_millis(250);
/// A token just given back waits so long for a client that never stands in line.
pub const RETURN: Duration = Duration::from_millis(10);
/// A token is kept so long for the next read of a client that never stands in line.
pub const KEEP: Duration = Duration::from_secs(1);
/// After a token was kept in vain none is kept for so long: a fifth of one token is no more than a
/// fiftieth of a pool of ten.
pub const PAUSE: Duration = Duration::from_secs(4);
/// Tokens kept in vain before a client counts as one that wants no more.
pub const KEEPS: u8 = 16;
/// A client that lets promises lapse is told so long that there is nothing.
pub const MUTE: Duration = Duration::from_secs(1);
/// Promises in a row that may lapse before that.
pub const LAPSES: u8 = 2;
/// A job is expected to grow for so long after it got its token.
pub const YOUNG: Duration = Duration::from_secs(10);
/// Readings are good for so long when a token is asked for.
pub const FRESH: Duration = Duration::from_millis(100);

/// Room in the tables; there is always room for [`MAX_JOBS`] tokens.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Clients that live at the same time, and so builds.
    pub clients: u16,
    /// Blocked reads and registered polls. One for each client has room beside these, so that no
    /// client keeps the others from waiting.
    pub waiters: u16,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes {
            clients: 4096,
            waiters: 8192,
        }
    }
}

/// A decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Answer a blocked read with a token.
    Grant {
        /// The read's number.
        unique: u64,
        /// Who reads.
        client: Id<Client>,
        /// The token.
        byte: u8,
    },
    /// Wake a poller: a token is set aside for it.
    Wake {
        /// Who polls.
        client: Id<Client>,
        /// The kernel's handle for the poll.
        kh: u64,
    },
}

/// The ledger of one pool.
pub struct Ledger {
    settings: Settings,
    /// `settings`, tightened by all leases.
    effective: Settings,
    readings: Readings,
    read_at: Option<Time>,
    tokens: Slab<Token>,
    /// Tokens younger than [`YOUNG`], oldest first; those past it are taken off when counted.
    young: List<Token, ByAge>,
    young_count: u16,
    clients: Slab<Client>,
    clients_by_key: Index<Client>,
    contacts: List<Client, ByContact>,
    /// Clients by the timer that runs for them, first to end first: each kind lasts equally long.
    timers: [List<Client, ByTimer>; Timer::ALL.len()],
    builds: Slab<Build>,
    builds_by_origin: Index<Build>,
    /// Builds with a client that a token could be given to.
    line: Heap<Build>,
    roots: u16,
    waiters: Slab<Waiter>,
    /// [`Sizes::waiters`].
    shared_waiters: usize,
    waiters_by_key: Index<Waiter>,
    /// The number of the next arrival.
    arrivals: Arrival,
    /// Tokens held and reserved.
    in_use: u16,
    reserved: u16,
    load_share: LoadShare,
    totals: Totals,
}

impl Ledger {
    /// An idle pool.
    ///
    /// # Errors
    /// [`Invalid`] if `settings` are.
    pub fn new(settings: Settings, sizes: Sizes) -> Result<Self, Invalid> {
        settings.check()?;
        let clients = usize::from(sizes.clients);
        let shared_waiters = usize::from(sizes.waiters);
        let waiters = shared_waiters + clients;
        Ok(Ledger {
            settings,
            effective: settings,
            readings: Readings::default(),
            read_at: None,
            tokens: Slab::new(usize::from(MAX_JOBS)),
            young: List::default(),
            young_count: 0,
            clients: Slab::new(clients),
            clients_by_key: Index::new(clients),
            contacts: List::default(),
            timers: [const { List::new() }; Timer::ALL.len()],
            // A build has a member; a root that leaves another build needs one more for a moment.
            builds: Slab::new(clients + 1),
            builds_by_origin: Index::new(clients + 1),
            line: Heap::default(),
            roots: 0,
            waiters: Slab::new(waiters),
            shared_waiters,
            waiters_by_key: Index::new(waiters),
            arrivals: Arrival::MIN,
            in_use: 0,
            reserved: 0,
            load_share: LoadShare::default(),
            totals: Totals::default(),
        })
    }

    /// The settings as they were made.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings as they hold, tightened by all leases.
    pub fn effective(&self) -> &Settings {
        &self.effective
    }

    /// What was last seen of the machine.
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// Replaces the settings; takes effect with the next [`Ledger::poll_action`]. Lowering `jobs`
    /// takes nothing away.
    ///
    /// # Errors
    /// [`Invalid`] if they are; nothing has changed then.
    pub fn handle_settings(&mut self, settings: Settings) -> Result<(), Invalid> {
        settings.check()?;
        self.settings = settings;
        self.apply_leases();
        // The limit of a process decides who stands in line.
        let mut next = self.contacts.first();
        while let Some(client) = next {
            self.settle(client);
            next = self.contacts.after(&self.clients, client);
        }
        Ok(())
    }

    /// Takes in what was seen of the machine at `now`.
    pub fn handle_readings(&mut self, now: Time, readings: Readings) {
        self.readings = readings;
        self.read_at = Some(now);
    }

    /// Whether a token asked for at `now` wants new readings first.
    pub fn wants_readings(&self, now: Time) -> bool {
        self.effective.has_limits() && self.read_at.is_none_or(|at| now.since(at) >= FRESH)
    }
}
