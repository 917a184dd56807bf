//! What clients ask: read, write, poll, and a signal in between.

use std::num::NonZeroU64;

use super::records::{Client, Wait, Waiter, read_key};
use super::slab::{Full, Id};
use super::{Key, Ledger, Links, Refusal, Time, Timer};

/// The answer to a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// A token.
    Token(u8),
    /// None now (EAGAIN).
    Again(Refusal),
    /// To be answered later, by an [`Action::Grant`](super::Action) or after
    /// [`Ledger::handle_interrupt`].
    Parked,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// Bytes accepted; 0 is ENOSPC.
    pub accepted: usize,
    /// The client gave back what it did not hold, for the first time.
    pub foreign: bool,
    /// The client gave back a byte other than those it holds, for the first time.
    pub wrong_byte: bool,
}

impl Ledger {
    /// A read by `client`; `unique` is what a later grant will name.
    ///
    /// # Errors
    /// [`Full`] if it would have to wait and there is no room; nothing has changed then.
    pub fn handle_read(
        &mut self,
        now: Time,
        id: Id<Client>,
        unique: u64,
        nonblocking: bool,
    ) -> Result<Read, Full> {
        if self.has_claim(now, id) || self.can_take(now, id) {
            let byte = self.take(now, id);
            self.settle(id);
            return Ok(Read::Token(byte));
        }
        if !nonblocking {
            self.add_waiter(now, id, Wait::Read { unique })?;
        }
        let refusal = self.refusal(now, id);
        self.totals.count(refusal);
        self.stop_timer(id); // a mute or a pause
        self.clients[id].lapses = 0;
        if nonblocking {
            self.arrive(id);
            let client = &mut self.clients[id];
            client.missed = Some(now);
            client.kept = 0;
        }
        self.settle(id);
        Ok(if nonblocking {
            Read::Again(refusal)
        } else {
            Read::Parked
        })
    }

    /// A write of `bytes` by `client`: up to as many tokens come back.
    pub fn handle_write(&mut self, now: Time, id: Id<Client>, bytes: &[u8]) -> Returned {
        let mut returned = Returned::default();
        for &byte in bytes {
            let Some(token) = self.token_for(id, byte) else {
                break;
            };
            let client = &mut self.clients[id];
            if self.tokens[token].byte != byte && !client.warned_byte {
                client.warned_byte = true;
                returned.wrong_byte = true;
            }
            self.put_back(now, token);
            returned.accepted += 1;
        }
        if returned.accepted < bytes.len() {
            self.handle_foreign(now, id, bytes.len(), &mut returned);
        }
        if self.clients[id]
            .timer
            .is_some_and(|(timer, _)| timer == Timer::Promise)
        {
            self.cancel(now, id);
        }
        self.settle(id);
        if returned.accepted > 0 {
            self.hold_for(now, id);
        }
        returned
    }

    /// The part of a write for which the writer holds no token.
    fn handle_foreign(&mut self, now: Time, id: Id<Client>, asked: usize, returned: &mut Returned) {
        if self.settings.lenient_returns {
            while returned.accepted < asked
                && let Some(token) = self.oldest_of_build(id)
            {
                let holder = self.tokens[token].client;
                self.put_back(now, token);
                self.settle(holder);
                returned.accepted += 1;
            }
            returned.accepted = asked;
            return;
        }
        let client = &mut self.clients[id];
        // Some programs give up their implicit slot before they take anything.
        if returned.accepted == 0 && !client.took {
            returned.accepted = 1;
        }
        client.took = true;
        if returned.accepted < asked && !client.warned_foreign {
            client.warned_foreign = true;
            returned.foreign = true;
        }
    }

    /// A client that never stands in line reads again at once if it wants to: the token that it
    /// gave back waits for that, unless a build in line has less.
    fn hold_for(&mut self, now: Time, id: Id<Client>) {
        let client = &self.clients[id];
        if !client.is_lazy() || client.is_reserved() {
            return;
        }
        let Some(next) = self.line.first() else {
            return;
        };
        let no_more = self.builds[client.build]
            .cmp_share(&self.builds[next])
            .is_le();
        if no_more && self.has_room(now, id) {
            self.reserve(now, id, Timer::Return);
        }
    }

    /// A poll by `client` of the open file `file`: whether it is readable. With `register`, and if
    /// it is not, an [`Action::Wake`](super::Action) with `kh` follows when it is.
    ///
    /// # Errors
    /// [`Full`] if there is no room to register; nothing has changed then.
    pub fn handle_poll(
        &mut self,
        now: Time,
        id: Id<Client>,
        file: u64,
        kh: u64,
        register: bool,
    ) -> Result<bool, Full> {
        if register {
            self.clients[id].polled = NonZeroU64::new(file).map(|file| (file, kh));
        }
        let reserved = self.has_claim(now, id);
        if reserved || !self.clients[id].is_muted() && self.can_take(now, id) {
            if let Some(waiter) = self.poll_of(id, file) {
                self.drop_waiter(waiter);
            }
            if !reserved {
                self.reserve(now, id, Timer::Promise);
            }
            return Ok(true);
        }
        if register {
            self.register_poll(now, id, file, kh)?;
        }
        Ok(false)
    }

    /// A read without blocking of the open file `file` has found nothing. Where `client` has polled
    /// that file it is in line from now on without another poll: one that waits for an edge
    /// (EPOLLET) sends none until it is woken.
    pub fn handle_miss(&mut self, now: Time, id: Id<Client>, file: u64) {
        let polled = self.clients[id].polled;
        if let Some((_, kh)) = polled.filter(|(polled, _)| polled.get() == file) {
            // Where there is no room it can still read again.
            let _ = self.register_poll(now, id, file, kh);
        }
    }

    fn register_poll(&mut self, now: Time, id: Id<Client>, file: u64, kh: u64) -> Result<(), Full> {
        if self.poll_of(id, file).is_none() {
            self.add_waiter(now, id, Wait::Poll { file, kh })?;
            self.settle(id);
        }
        Ok(())
    }

    /// A signal for whoever waits in the read `unique`: whether that read is to be answered EINTR.
    /// Its client keeps its place in line for when it comes back.
    pub fn handle_interrupt(&mut self, unique: u64) -> bool {
        let Some(waiter) = self.waiters_by_key.find(&self.waiters, read_key(unique)) else {
            return false;
        };
        let client = self.waiters[waiter].client;
        self.drop_waiter(waiter);
        self.settle(client);
        true
    }

    /// The answer with `byte` did not reach `client`.
    pub fn handle_undelivered(&mut self, now: Time, id: Id<Client>, byte: u8) {
        if let Some(token) = self.token_for(id, byte) {
            self.put_back(now, token);
            self.settle(id);
        }
    }

    /// The open file `file` is closed for good. Returns the tokens taken back, if it held any.
    pub fn handle_release(&mut self, now: Time, file: u64) -> Option<super::Gone> {
        let key = super::records::poll_key(file);
        while let Some(waiter) = self.waiters_by_key.find(&self.waiters, key) {
            let client = self.waiters[waiter].client;
            self.drop_waiter(waiter);
            self.settle(client);
        }
        let holder = self.client(Key::File(file))?;
        Some(self.handle_exit(now, holder))
    }

    fn poll_of(&self, id: Id<Client>, file: u64) -> Option<Id<Waiter>> {
        let is_it = |waiter: &Id<Waiter>| matches!(self.waiters[*waiter].wait, Wait::Poll { file: polled, .. } if polled == file);
        self.clients[id].polls.iter(&self.waiters).find(is_it)
    }

    fn add_waiter(&mut self, now: Time, id: Id<Client>, wait: Wait) -> Result<(), Full> {
        let client = &self.clients[id];
        let is_first = client.reads.is_empty() && client.polls.is_empty();
        if !is_first && self.waiters.len() >= self.shared_waiters {
            return Err(Full);
        }
        let arrival = self.arrivals;
        let links = Links::default();
        let waiter = self.waiters.insert(Waiter {
            client: id,
            wait,
            since: now,
            arrival,
            links,
        })?;
        self.arrivals = arrival.saturating_add(1);
        self.waiters_by_key.insert(&self.waiters, waiter);
        let client = &mut self.clients[id];
        let list = match wait {
            Wait::Read { .. } => &mut client.reads,
            Wait::Poll { .. } => &mut client.polls,
        };
        list.push_back(&mut self.waiters, waiter);
        client.missed = None; // now it does stand in line
        client.arrival.get_or_insert(arrival);
        Ok(())
    }

    pub(super) fn drop_waiter(&mut self, waiter: Id<Waiter>) {
        let Waiter { client, wait, .. } = self.waiters[waiter];
        let client = &mut self.clients[client];
        let list = match wait {
            Wait::Read { .. } => &mut client.reads,
            Wait::Poll { .. } => &mut client.polls,
        };
        list.remove(&mut self.waiters, waiter);
        self.waiters_by_key.remove(&self.waiters, waiter);
        self.waiters.remove(waiter);
    }

    /// Of two waiters, the one that came first.
    pub(super) fn earlier(
        &self,
        a: Option<Id<Waiter>>,
        b: Option<Id<Waiter>>,
    ) -> Option<Id<Waiter>> {
        a.into_iter()
            .chain(b)
            .min_by_key(|&waiter| self.waiters[waiter].arrival)
    }

    /// `client` wants a token from now on, unless it already did.
    fn arrive(&mut self, id: Id<Client>) {
        if self.clients[id].arrival.is_none() {
            self.clients[id].arrival = Some(self.arrivals);
            self.arrivals = self.arrivals.saturating_add(1);
        }
    }

    /// `client` has got a token: what counts is how long its other waiters have been there.
    pub(super) fn take_next_place(&mut self, id: Id<Client>) {
        let client = &self.clients[id];
        let next = self.earlier(client.reads.first(), client.polls.first());
        self.clients[id].arrival = next.map(|waiter| self.waiters[waiter].arrival);
    }
}
