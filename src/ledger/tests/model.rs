//! The ledger as one would write it without a thought to speed: every question is a scan.

use super::super::tokens::BYTES;
use super::*;

/// A client of the model.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) key: Key,
    /// Number of its build.
    pub(super) build: usize,
    pub(super) lease: Lease,
    /// Oldest first.
    pub(super) tokens: Vec<(u8, Time)>,
    pub(super) waiters: Vec<Waiting>,
    pub(super) missed: Option<Time>,
    pub(super) kept: u8,
    /// Its place in line: when, in the order of arrivals, it began to want a token.
    place: Option<u64>,
    pub(super) timer: Option<(Timer, Time)>,
    pub(super) lapses: u8,
    took: bool,
    warned_foreign: bool,
    warned_byte: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) with: With,
    pub(super) since: Time,
    arrival: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum With {
    Read(u64),
    Poll { file: u64, kh: u64 },
}

impl Party {
    pub(super) fn is_reserved(&self) -> bool {
        let kind = self.timer.map(|(timer, _)| timer);
        matches!(kind, Some(Timer::Return | Timer::Promise | Timer::Keep))
    }

    fn is_paused(&self) -> bool {
        matches!(self.timer, Some((Timer::Pause, _)))
    }

    fn is_muted(&self) -> bool {
        matches!(self.timer, Some((Timer::Mute, _)))
    }

    fn in_use(&self) -> usize {
        self.tokens.len() + usize::from(self.is_reserved())
    }

    fn is_lazy(&self) -> bool {
        self.missed.is_some() && !self.is_muted()
    }

    /// Its waiter that is to be served first.
    fn first_waiter(&self) -> Option<usize> {
        let counts = |w: &Waiting| !self.is_muted() || matches!(w.with, With::Read(_));
        (0..self.waiters.len())
            .filter(|&i| counts(&self.waiters[i]))
            .min_by_key(|&i| self.waiters[i].arrival)
    }
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) number: usize,
    /// `None` once its root is gone.
    pub(super) origin: Option<Origin>,
    pub(super) weight: u16,
    pub(super) limit: Option<u16>,
}

/// What [`Action`] says, by key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Grant(u64, Key, u8),
    Wake(Key, u64),
}

pub(super) struct Model {
    pub(super) settings: Settings,
    pub(super) readings: Readings,
    pub(super) read_at: Option<Time>,
    sizes: Sizes,
    /// In the order of first contact.
    pub(super) parties: Vec<Party>,
    pub(super) groups: Vec<Group>,
    groups_ever: usize,
    arrivals: u64,
    pub(super) totals: Totals,
    load_share: f64,
    load_at: Time,
}

impl Model {
    pub(super) fn new(settings: Settings, sizes: Sizes) -> Self {
        Model {
            settings,
            readings: Readings::default(),
            read_at: None,
            sizes,
            parties: Vec::new(),
            groups: Vec::new(),
            groups_ever: 0,
            arrivals: 0,
            totals: Totals::default(),
            load_share: 0.0,
            load_at: Time::default(),
        }
    }

    /// Tells the model the time, before anything else happens at `now`.
    pub(super) fn tick(&mut self, now: Time) {
        let steps = now.since(self.load_at).as_secs_f64() / 5.0;
        let in_use = self.in_use() as f64;
        let decayed = (self.load_share - in_use) * (1884.0_f64 / 2048.0).powf(steps);
        self.load_share = in_use + decayed;
        self.load_at = now;
    }

    pub(super) fn find(&self, key: Key) -> Option<usize> {
        self.parties.iter().position(|party| party.key == key)
    }

    pub(super) fn in_use(&self) -> usize {
        self.parties.iter().map(Party::in_use).sum()
    }

    pub(super) fn group(&self, number: usize) -> &Group {
        let mut groups = self.groups.iter();
        groups.find(|group| group.number == number).unwrap()
    }

    pub(super) fn group_use(&self, number: usize) -> usize {
        let members = self.parties.iter().filter(|party| party.build == number);
        members.map(Party::in_use).sum()
    }

    /// Tokens for each unit of weight, in 5,040ths: exact for the weights of the tests.
    fn share(&self, number: usize) -> usize {
        self.group_use(number) * 5040 / usize::from(self.group(number).weight)
    }

    pub(super) fn effective(&self) -> Settings {
        let mut effective = self.settings;
        for party in &self.parties {
            if let Some(jobs) = party.lease.jobs {
                effective.jobs = effective.jobs.min(jobs);
            }
            if let Some(floor) = party.lease.min_memory_avail {
                let least = effective.min_memory_avail.unwrap_or(0);
                effective.min_memory_avail = Some(least.max(u64::from(floor)));
            }
        }
        effective.min_jobs = effective.min_jobs.min(effective.jobs);
        effective
    }

    pub(super) fn usage(&self, now: Time) -> Usage {
        let tokens = self.parties.iter().flat_map(|party| &party.tokens);
        let young = tokens.filter(|(_, since)| now.since(*since) < YOUNG);
        let reserved = self.parties.iter().filter(|party| party.is_reserved());
        Usage {
            in_use: self.in_use() as u16,
            young: (young.count() + reserved.count()) as u16,
            load_share: self.load_share,
        }
    }

    /// The arithmetic of the limits has tests of its own.
    pub(super) fn room(&self, now: Time) -> usize {
        room(&self.effective(), &self.readings, &self.usage(now)).into()
    }

    fn is_at_own_limit(&self, party: &Party) -> bool {
        let limit = usize::from(self.settings.per_process_limit);
        limit != 0 && party.in_use() >= limit
    }

    fn is_at_group_limit(&self, number: usize) -> bool {
        let limit = self.group(number).limit;
        limit.is_some_and(|limit| self.group_use(number) >= usize::from(limit))
    }

    /// Whether `party` stands in line.
    fn stands(&self, party: &Party) -> bool {
        let wants = party.first_waiter().is_some() || party.is_lazy() && !party.is_paused();
        wants
            && !party.is_reserved()
            && !self.is_at_own_limit(party)
            && !self.is_at_group_limit(party.build)
    }

    /// Who gets the next token.
    fn next(&self) -> Option<usize> {
        let parties = &self.parties;
        let line = (0..parties.len()).filter(|&i| self.stands(&parties[i]));
        // The candidate of each build, and of those the best.
        let rank = |i: usize| (parties[i].in_use(), parties[i].place);
        let is_candidate = |&i: &usize| {
            let fellows = (0..parties.len())
                .filter(|&j| parties[j].build == parties[i].build && self.stands(&parties[j]));
            fellows.map(rank).min() == Some(rank(i))
        };
        line.filter(is_candidate)
            .min_by_key(|&i| (self.share(parties[i].build), parties[i].place))
    }

    pub(super) fn decide(&mut self, now: Time) -> Option<Decision> {
        while self.in_use() < self.room(now) {
            let i = self.next()?;
            let key = self.parties[i].key;
            let Some(waiter) = self.parties[i].first_waiter() else {
                self.parties[i].timer = Some((Timer::Keep, now.after(KEEP)));
                continue;
            };
            match self.parties[i].waiters.remove(waiter).with {
                With::Read(unique) => {
                    let byte = self.take(now, i);
                    return Some(Decision::Grant(unique, key, byte));
                }
                With::Poll { kh, .. } => {
                    self.parties[i].timer = Some((Timer::Promise, now.after(PROMISE)));
                    self.totals.wakeups += 1;
                    return Some(Decision::Wake(key, kh));
                }
            }
        }
        None
    }

    fn take(&mut self, now: Time, i: usize) -> u8 {
        let party = &mut self.parties[i];
        let held = |byte: u8| party.tokens.iter().any(|token| token.0 == byte);
        let byte = BYTES.iter().copied().find(|&byte| !held(byte));
        let byte = byte.unwrap_or(b'+');
        party.tokens.push((byte, now));
        party.timer = None;
        party.missed = None;
        party.lapses = 0;
        party.took = true;
        party.place = party.waiters.iter().map(|waiter| waiter.arrival).min();
        self.totals.grants += 1;
        byte
    }

    /// Whether a token is set aside for the party, and the limit in force allows it.
    fn has_claim(&mut self, i: usize) -> bool {
        let limit = usize::from(self.settings.per_process_limit);
        let party = &mut self.parties[i];
        if limit != 0 && party.tokens.len() >= limit && party.is_reserved() {
            party.timer = None;
        }
        party.is_reserved()
    }

    /// Whether the party may have a token right now.
    fn may_take(&self, now: Time, i: usize) -> bool {
        self.next().is_none_or(|next| next == i) && self.has_room(now, i)
    }

    fn has_room(&self, now: Time, i: usize) -> bool {
        let party = &self.parties[i];
        self.in_use() < self.room(now)
            && !self.is_at_own_limit(party)
            && !self.is_at_group_limit(party.build)
    }

    pub(super) fn refusal(&self, now: Time, i: usize) -> Refusal {
        let party = &self.parties[i];
        if self.is_at_own_limit(party) {
            return Refusal::PerProcessLimit;
        }
        if self.is_at_group_limit(party.build) {
            return Refusal::BuildLimit;
        }
        let effective = self.effective();
        if self.in_use() < usize::from(effective.jobs) && self.in_use() >= self.room(now) {
            let stops =
                |&limit: &Limit| says_stop(limit, &effective, &self.readings, &self.usage(now));
            let limit = Limit::ALL.into_iter().find(stops);
            return Refusal::Limit(limit.unwrap());
        }
        Refusal::NoneLeft
    }

    fn waiters(&self) -> usize {
        self.parties.iter().map(|party| party.waiters.len()).sum()
    }

    fn park(&mut self, now: Time, i: usize, with: With) -> Result<(), Full> {
        let is_first = self.parties[i].waiters.is_empty();
        if !is_first && self.waiters() >= usize::from(self.sizes.waiters) {
            return Err(Full);
        }
        self.arrivals += 1;
        let party = &mut self.parties[i];
        party.waiters.push(Waiting {
            with,
            since: now,
            arrival: self.arrivals,
        });
        party.missed = None;
        party.place = party.place.or(Some(self.arrivals));
        Ok(())
    }

    pub(super) fn read(
        &mut self,
        now: Time,
        i: usize,
        unique: u64,
        nonblocking: bool,
    ) -> Result<Read, Full> {
        if self.has_claim(i) || self.may_take(now, i) {
            return Ok(Read::Token(self.take(now, i)));
        }
        if !nonblocking {
            self.park(now, i, With::Read(unique))?;
        }
        let refusal = self.refusal(now, i);
        self.totals.refusals[refusal.index()] += 1;
        let arrivals = &mut self.arrivals;
        let party = &mut self.parties[i];
        party.lapses = 0;
        party.timer = None; // it could only be a mute or a pause
        if !nonblocking {
            return Ok(Read::Parked);
        }
        party.missed = Some(now);
        party.kept = 0;
        if party.place.is_none() {
            *arrivals += 1;
            party.place = Some(*arrivals);
        }
        Ok(Read::Again(refusal))
    }

    pub(super) fn write(&mut self, now: Time, i: usize, bytes: &[u8]) -> Returned {
        let mut returned = Returned::default();
        let lenient = self.settings.lenient_returns;
        for &byte in bytes {
            let party = &mut self.parties[i];
            if !party.tokens.is_empty() {
                let held = party.tokens.iter().position(|token| token.0 == byte);
                if held.is_none() && !party.warned_byte {
                    party.warned_byte = true;
                    returned.wrong_byte = true;
                }
                party.tokens.remove(held.unwrap_or(0));
                returned.accepted += 1;
            } else if lenient {
                self.give_for_another(i);
                returned.accepted += 1;
            } else if !party.took && returned.accepted == 0 {
                party.took = true;
                returned.accepted += 1;
            } else {
                party.took = true;
                if !party.warned_foreign {
                    party.warned_foreign = true;
                    returned.foreign = true;
                }
                break;
            }
        }
        if matches!(self.parties[i].timer, Some((Timer::Promise, _))) {
            self.parties[i].timer = None;
        }
        if returned.accepted > 0 && self.is_worth_waiting_for(now, i) {
            self.parties[i].timer = Some((Timer::Return, now.after(RETURN)));
        }
        returned
    }

    /// Takes the oldest token of another client of the build.
    fn give_for_another(&mut self, i: usize) {
        let build = self.parties[i].build;
        let others = (0..self.parties.len()).filter(|&j| {
            j != i && self.parties[j].build == build && !self.parties[j].tokens.is_empty()
        });
        if let Some(j) = others.min_by_key(|&j| self.parties[j].tokens[0].1) {
            self.parties[j].tokens.remove(0);
        }
    }

    /// Whether what the party has just given back is to wait for it.
    fn is_worth_waiting_for(&self, now: Time, i: usize) -> bool {
        let party = &self.parties[i];
        let line: Vec<&Party> = self.parties.iter().filter(|p| self.stands(p)).collect();
        let no_more = |other: &&Party| self.share(party.build) <= self.share(other.build);
        party.is_lazy()
            && !party.is_reserved()
            && !line.is_empty()
            && line.iter().all(no_more)
            && self.has_room(now, i)
    }

    pub(super) fn poll(
        &mut self,
        now: Time,
        i: usize,
        file: u64,
        kh: u64,
        register: bool,
    ) -> Result<bool, Full> {
        let polls =
            |waiter: &Waiting| matches!(waiter.with, With::Poll { file: f, .. } if f == file);
        let reserved = self.has_claim(i);
        let muted = self.parties[i].is_muted();
        if reserved || !muted && self.may_take(now, i) {
            if !reserved {
                self.parties[i].timer = Some((Timer::Promise, now.after(PROMISE)));
            }
            self.parties[i].waiters.retain(|waiter| !polls(waiter));
            return Ok(true);
        }
        if register && !self.parties[i].waiters.iter().any(polls) {
            self.park(now, i, With::Poll { file, kh })?;
        }
        Ok(false)
    }

    pub(super) fn interrupt(&mut self, unique: u64) -> bool {
        let before = self.waiters();
        for party in &mut self.parties {
            let is_it = |waiter: &Waiting| waiter.with == With::Read(unique);
            party.waiters.retain(|waiter| !is_it(waiter));
        }
        self.waiters() < before
    }

    pub(super) fn undelivered(&mut self, i: usize, byte: u8) {
        let tokens = &mut self.parties[i].tokens;
        if !tokens.is_empty() {
            let place = tokens.iter().position(|token| token.0 == byte);
            tokens.remove(place.unwrap_or(0));
        }
    }

    pub(super) fn contact(&mut self, key: Key, origin: Origin) -> Result<(), Full> {
        if self.parties.len() == usize::from(self.sizes.clients) {
            return Err(Full);
        }
        let mut groups = self.groups.iter();
        let known = groups.find(|group| group.origin == Some(origin));
        let build = known.map(|group| group.number);
        let build = build.unwrap_or_else(|| self.new_group(origin));
        self.parties.push(Party {
            key,
            build,
            lease: Lease::default(),
            tokens: Vec::new(),
            waiters: Vec::new(),
            missed: None,
            kept: 0,
            place: None,
            timer: None,
            lapses: 0,
            took: false,
            warned_foreign: false,
            warned_byte: false,
        });
        Ok(())
    }

    fn new_group(&mut self, origin: Origin) -> usize {
        self.groups_ever += 1;
        self.groups.push(Group {
            number: self.groups_ever,
            origin: Some(origin),
            weight: 1,
            limit: None,
        });
        self.groups_ever
    }

    pub(super) fn register(&mut self, i: usize, registration: Registration) -> Result<(), Full> {
        let Key::Process(pid) = self.parties[i].key else {
            return Err(Full);
        };
        let root = Origin::Root(pid);
        if self.group(self.parties[i].build).origin != Some(root) {
            self.parties[i].build = self.new_group(root);
        }
        let number = self.parties[i].build;
        let mut groups = self.groups.iter_mut();
        let group = groups.find(|group| group.number == number).unwrap();
        group.weight = registration.weight;
        group.limit = registration.limit;
        self.parties[i].lease = registration.lease;
        self.forget_empty_groups();
        Ok(())
    }

    fn forget_empty_groups(&mut self) {
        let parties = &self.parties;
        self.groups
            .retain(|group| parties.iter().any(|party| party.build == group.number));
    }

    pub(super) fn exit(&mut self, i: usize) -> Gone {
        let party = self.parties.remove(i);
        if let Key::Process(pid) = party.key {
            for group in &mut self.groups {
                if group.origin == Some(Origin::Root(pid)) {
                    group.origin = None;
                }
            }
        }
        self.forget_empty_groups();
        self.totals.reclaimed += party.tokens.len() as u64;
        Gone {
            tokens: party.tokens.len() as u16,
            lease: party.lease != Lease::default(),
        }
    }

    pub(super) fn release(&mut self, file: u64) -> Option<Gone> {
        let polls =
            |waiter: &Waiting| matches!(waiter.with, With::Poll { file: f, .. } if f == file);
        for party in &mut self.parties {
            party.waiters.retain(|waiter| !polls(waiter));
        }
        let holder = self.find(Key::File(file))?;
        Some(self.exit(holder))
    }

    pub(super) fn reclaim(&mut self, i: usize) -> u16 {
        let tokens = std::mem::take(&mut self.parties[i].tokens).len();
        self.totals.reclaimed += tokens as u64;
        tokens as u16
    }

    pub(super) fn timeout(&mut self, now: Time) {
        for party in &mut self.parties {
            let Some((timer, end)) = party.timer else {
                continue;
            };
            if end > now {
                continue;
            }
            party.timer = None;
            match timer {
                Timer::Mute | Timer::Pause => continue,
                Timer::Return => party.missed = None,
                Timer::Keep => {
                    party.kept += 1;
                    if party.kept == KEEPS {
                        party.missed = None;
                    } else {
                        party.timer = Some((Timer::Pause, now.after(PAUSE)));
                    }
                }
                Timer::Promise => {
                    party.lapses += 1;
                    if party.lapses >= LAPSES {
                        party.timer = Some((Timer::Mute, now.after(MUTE)));
                    }
                }
            }
            self.totals.lapsed += 1;
        }
    }

    pub(super) fn deadline(&self, now: Time) -> Option<Time> {
        let timers = self.parties.iter().filter_map(|party| party.timer);
        let timer = timers.map(|(_, end)| end).min();
        let effective = self.effective();
        let in_use = self.in_use();
        let stopped = self.next().is_some()
            && in_use < usize::from(effective.jobs)
            && in_use >= self.room(now);
        let every = effective.load_recheck_timeout.max(FRESH);
        let recheck = self.read_at.map_or(now, |at| at.after(every));
        timer.into_iter().chain(stopped.then_some(recheck)).min()
    }
}
