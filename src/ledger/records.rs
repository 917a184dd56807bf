//! The rows of the ledger's tables.

use std::num::NonZeroU64;

use super::heap::{Heap, Node, Ranked};
use super::index::Keyed;
use super::keys::{Key, Origin};
use super::list::{Linked, Links, List};
use super::settings::Lease;
use super::slab::Id;
use super::time::Time;

/// A token in someone's hands.
pub(super) struct Token {
    pub(super) byte: u8,
    pub(super) client: Id<Client>,
    pub(super) since: Time,
    /// Whether it is in the list of young tokens.
    pub(super) young: bool,
    pub(super) by_client: Links<Token>,
    pub(super) by_age: Links<Token>,
}

pub(super) struct ByClient;
pub(super) struct ByAge;

impl Linked<Token> for ByClient {
    fn links(token: &Token) -> &Links<Token> {
        &token.by_client
    }
    fn links_mut(token: &mut Token) -> &mut Links<Token> {
        &mut token.by_client
    }
}

impl Linked<Token> for ByAge {
    fn links(token: &Token) -> &Links<Token> {
        &token.by_age
    }
    fn links_mut(token: &mut Token) -> &mut Links<Token> {
        &mut token.by_age
    }
}

/// What a waiter waits with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// A blocked read, by the number that its answer needs.
    Read { unique: u64 },
    /// A poll that registered for a wake-up, by its open file and the kernel's handle for it.
    Poll { file: u64, kh: u64 },
}

/// A number in the order of all arrivals.
pub(super) type Arrival = NonZeroU64;

pub(super) struct Waiter {
    pub(super) client: Id<Client>,
    pub(super) wait: Wait,
    pub(super) since: Time,
    pub(super) arrival: Arrival,
    pub(super) links: Links<Waiter>,
}

/// Reads are found by `unique` (even: the kernel counts in twos), polls by their file.
pub(super) fn read_key(unique: u64) -> u64 {
    unique & !1
}

pub(super) fn poll_key(file: u64) -> u64 {
    file << 1 | 1
}

impl Keyed<u64> for Waiter {
    fn key(&self) -> u64 {
        match self.wait {
            Wait::Read { unique } => read_key(unique),
            Wait::Poll { file, .. } => poll_key(file),
        }
    }
}

pub(super) struct InLine;

impl Linked<Waiter> for InLine {
    fn links(waiter: &Waiter) -> &Links<Waiter> {
        &waiter.links
    }
    fn links_mut(waiter: &mut Waiter) -> &mut Links<Waiter> {
        &mut waiter.links
    }
}

/// What a client's clock runs for; it has one at a time. The first three are reservations: a token
/// is set aside for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// It gave a token back and may want it again at once.
    Return,
    /// It was told that the device is readable.
    Promise,
    /// It never stands in line, and it is its turn.
    Keep,
    /// A token was kept for it in vain, and none is for a while.
    Pause,
    /// It let promises lapse, and is told for a while that there is nothing.
    Mute,
}

impl Timer {
    pub(super) const ALL: [Timer; 5] = [
        Timer::Return,
        Timer::Promise,
        Timer::Keep,
        Timer::Pause,
        Timer::Mute,
    ];

    pub(super) fn is_reservation(self) -> bool {
        matches!(self, Timer::Return | Timer::Promise | Timer::Keep)
    }
}

/// A client's row.
pub struct Client {
    pub(super) key: Key,
    pub(super) build: Id<Build>,
    pub(super) lease: Lease,
    pub(super) tokens: List<Token, ByClient>,
    pub(super) held: u16,
    /// Bytes of its tokens, by their place in [`super::tokens::BYTES`].
    pub(super) bytes: u64,
    pub(super) reads: List<Waiter, InLine>,
    pub(super) polls: List<Waiter, InLine>,
    /// The open file that it last polled to be woken, and the kernel's handle for that.
    pub(super) polled: Option<(NonZeroU64, u64)>,
    /// When a read without blocking last found nothing, unless it has got a token or stood in line
    /// since.
    pub(super) missed: Option<Time>,
    /// Tokens kept for it in vain since then.
    pub(super) kept: u8,
    /// Since when, in the order of arrivals, it wants a token that it has not got.
    pub(super) arrival: Option<Arrival>,
    pub(super) timer: Option<(Timer, Time)>,
    /// Promises in a row that lapsed unread.
    pub(super) lapses: u8,
    /// Whether it ever had a token, or gave back one that it never had.
    pub(super) took: bool,
    pub(super) warned_foreign: bool,
    pub(super) warned_byte: bool,
    pub(super) line: Node<Client>,
    pub(super) by_timer: Links<Client>,
    pub(super) by_contact: Links<Client>,
}

impl Client {
    pub(super) fn new(key: Key, build: Id<Build>) -> Self {
        Client {
            key,
            build,
            lease: Lease::default(),
            tokens: List::default(),
            held: 0,
            bytes: 0,
            reads: List::default(),
            polls: List::default(),
            polled: None,
            missed: None,
            kept: 0,
            arrival: None,
            timer: None,
            lapses: 0,
            took: false,
            warned_foreign: false,
            warned_byte: false,
            line: Node::default(),
            by_timer: Links::default(),
            by_contact: Links::default(),
        }
    }

    pub(super) fn is_reserved(&self) -> bool {
        self.timer.is_some_and(|(timer, _)| timer.is_reservation())
    }

    pub(super) fn is_paused(&self) -> bool {
        self.timer.is_some_and(|(timer, _)| timer == Timer::Pause)
    }

    pub(super) fn is_muted(&self) -> bool {
        self.timer.is_some_and(|(timer, _)| timer == Timer::Mute)
    }

    /// Tokens held and reserved.
    pub(super) fn in_use(&self) -> u16 {
        self.held + u16::from(self.is_reserved())
    }

    /// Whether it reads without blocking, found nothing the last time and waits with nothing since.
    pub(super) fn is_lazy(&self) -> bool {
        self.missed.is_some() && !self.is_muted()
    }
}

impl Keyed<u64> for Client {
    fn key(&self) -> u64 {
        self.key.number()
    }
}

/// In line, one token more counts as much as so many later arrivals: in effect the fewest tokens
/// come first and then the longest wait, and yet nobody waits for ever while others come and go.
const AGING: u64 = 1 << 16;

/// Within a build: the fewest tokens first, then the longest wait.
impl Ranked for Client {
    fn node_mut(&mut self) -> &mut Node<Self> {
        &mut self.line
    }
    fn before(&self, other: &Self) -> bool {
        let turn = |client: &Client| {
            u64::from(client.in_use()) * AGING + client.arrival.map_or(0, Arrival::get)
        };
        (turn(self), self.arrival) < (turn(other), other.arrival)
    }
}

pub(super) struct ByTimer;
pub(super) struct ByContact;

impl Linked<Client> for ByTimer {
    fn links(client: &Client) -> &Links<Client> {
        &client.by_timer
    }
    fn links_mut(client: &mut Client) -> &mut Links<Client> {
        &mut client.by_timer
    }
}

impl Linked<Client> for ByContact {
    fn links(client: &Client) -> &Links<Client> {
        &client.by_contact
    }
    fn links_mut(client: &mut Client) -> &mut Links<Client> {
        &mut client.by_contact
    }
}

/// A build's row.
pub struct Build {
    pub(super) origin: Origin,
    /// Whether its origin still names it: a root that is gone does not, since its pid may return.
    pub(super) named: bool,
    pub(super) weight: u16,
    /// Most tokens of all its clients together.
    pub(super) limit: Option<u16>,
    pub(super) members: u16,
    /// Tokens held by and reserved for its clients.
    pub(super) in_use: u16,
    /// Its clients that a token could be given to.
    pub(super) line: Heap<Client>,
    /// The arrival of the first of them.
    pub(super) arrival: Option<Arrival>,
    pub(super) node: Node<Build>,
}

impl Build {
    pub(super) fn new(origin: Origin) -> Self {
        Build {
            origin,
            named: true,
            weight: 1,
            limit: None,
            members: 0,
            in_use: 0,
            line: Heap::default(),
            arrival: None,
            node: Node::default(),
        }
    }

    pub(super) fn is_at_limit(&self) -> bool {
        self.limit.is_some_and(|limit| self.in_use >= limit)
    }

    /// How its share of the pool compares with `other`'s: tokens for each unit of weight.
    pub(super) fn cmp_share(&self, other: &Build) -> std::cmp::Ordering {
        let share = |a: &Build, b: &Build| u32::from(a.in_use) * u32::from(b.weight);
        share(self, other).cmp(&share(other, self))
    }
}

impl Keyed<u64> for Build {
    fn key(&self) -> u64 {
        self.origin.number()
    }
}

/// Among builds: the smallest share first, then the longest wait.
impl Ranked for Build {
    fn node_mut(&mut self) -> &mut Node<Self> {
        &mut self.node
    }
    fn before(&self, other: &Self) -> bool {
        let turn = |build: &Build| {
            u64::from(build.in_use) * AGING / u64::from(build.weight)
                + build.arrival.map_or(0, Arrival::get)
        };
        (turn(self), self.arrival) < (turn(other), other.arrival)
    }
}
