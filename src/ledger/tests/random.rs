//! Random sequences of events, on the ledger and on the model side by side.

use std::io::Write as _;

use super::model::{Decision, Model, With};
use super::*;

/// How many sequences a run tries, and how long they are. `STEVE_SEED` runs one seed alone, and
/// `STEVE_SEQUENCES` so many.
const SEQUENCES: u64 = 100;
const STEPS: usize = 600;

fn environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn ledger_and_model_agree_on_every_result_and_state() {
    let seed = environment("STEVE_SEED");
    let first = seed.unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
    let many = environment("STEVE_SEQUENCES").unwrap_or(SEQUENCES);
    for seed in first..first + if seed.is_some() { 1 } else { many } {
        Pair::new(seed).run();
    }
}

/// The two, and what was done to them.
struct Pair {
    seed: u64,
    random: fastrand::Rng,
    ledger: Ledger,
    model: Model,
    now: Time,
    unique: u64,
    log: Vec<String>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let last = &self.log[self.log.len().saturating_sub(40)..];
            let story = format!("{}\nSTEVE_SEED={}\n", last.join("\n"), self.seed);
            let _ = std::io::stderr().write_all(story.as_bytes());
        }
    }
}

impl Pair {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let settings = random_settings(&mut random);
        let sizes = Sizes {
            clients: random.u16(2..8),
            waiters: random.u16(2..9),
        };
        Pair {
            seed,
            ledger: Ledger::new(settings, sizes).unwrap(),
            model: Model::new(settings, sizes),
            random,
            now: Time::from_nanos(1),
            unique: 0,
            log: vec![format!("{settings:?} {sizes:?}")],
        }
    }

    fn run(&mut self) {
        for _ in 0..STEPS {
            self.advance();
            self.event();
            // Not always: a request may come before what is due has been decided.
            if self.random.u8(..8) > 0 {
                self.decide();
                self.ledger.audit(self.now);
            }
            self.compare();
        }
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        let line = format!("{:>12} {}", self.now.as_nanos() / 1000, what());
        self.log.push(line);
    }

    fn advance(&mut self) {
        let random = &mut self.random;
        let milliseconds = match random.u8(..16) {
            0..9 => 0,
            9..12 => random.u64(..12),
            12 => random.u64(..300),
            13 => random.u64(..1100),
            14 => random.u64(..12_000),
            _ => u64::MAX,
        };
        let deadline = self.ledger.poll_timeout(self.now);
        assert_eq!(deadline, self.model.deadline(self.now), "the next deadline");
        // Never twice the same moment: of two tokens one is the older.
        let soon = self.now.after(Duration::from_nanos(1));
        self.now = if milliseconds == u64::MAX {
            deadline.map_or(soon, |deadline| deadline.max(soon))
        } else {
            soon.after(Duration::from_millis(milliseconds))
        };
        self.model.tick(self.now);
        self.ledger.handle_timeout(self.now);
        self.model.timeout(self.now);
        if self.random.bool() {
            self.decide();
        }
    }

    fn decide(&mut self) {
        loop {
            // One token at a moment, so that there is an oldest.
            self.now = self.now.after(Duration::from_nanos(1));
            self.model.tick(self.now);
            let real = self
                .ledger
                .poll_action(self.now)
                .map(|action| match action {
                    Action::Grant {
                        unique,
                        client,
                        byte,
                    } => Decision::Grant(unique, self.ledger.key(client), byte),
                    Action::Wake { client, kh } => Decision::Wake(self.ledger.key(client), kh),
                });
            let model = self.model.decide(self.now);
            self.note(|| format!("decided {model:?}"));
            assert_eq!(real, model, "the decision");
            match real {
                None => return,
                Some(Decision::Grant(_, key, _)) => self.check_limit(key),
                Some(Decision::Wake(..)) => {}
            }
        }
    }

    /// Whoever has just got a token holds no more than the limit in force.
    fn check_limit(&self, key: Key) {
        let held = self.ledger.view(self.ledger.client(key).unwrap()).held;
        let limit = self.ledger.settings().per_process_limit;
        assert!(
            limit == 0 || held <= limit,
            "{key:?} holds {held} of {limit}"
        );
    }

    fn event(&mut self) {
        if self.model.parties.is_empty() || self.random.u8(..12) == 0 {
            return self.contact();
        }
        let i = self.random.usize(..self.model.parties.len());
        let key = self.model.parties[i].key;
        let id = self.ledger.client(key).unwrap();
        match self.random.u8(..40) {
            0..14 => self.read(id, i),
            14..24 => self.write(id, i),
            24..31 => self.poll(id, i),
            31..33 => self.interrupt(i),
            33 => self.undelivered(id, i),
            34 => self.settings(),
            35 => self.readings(),
            36 => self.register(id, i),
            37 => self.release(),
            38 => {
                self.note(|| format!("exit of {key:?}"));
                let gone = self.ledger.handle_exit(self.now, id);
                assert_eq!(gone, self.model.exit(i));
            }
            _ => {
                self.note(|| format!("reclaim from {key:?}"));
                let tokens = self.ledger.handle_reclaim(self.now, id);
                assert_eq!(tokens, self.model.reclaim(i));
            }
        }
    }

    fn contact(&mut self) {
        let key = match self.random.u8(..8) {
            0 => Key::File(self.random.u64(1..4)),
            _ => Key::Process(self.random.u32(1..10)),
        };
        if self.ledger.client(key).is_some() {
            return;
        }
        let roots: Vec<u32> = (1..10).filter(|&pid| self.ledger.is_root(pid)).collect();
        assert_eq!(self.ledger.has_roots(), !roots.is_empty());
        let origin = match self.random.choice(&roots) {
            Some(&root) if self.random.bool() => Origin::Root(root),
            _ if self.random.u8(..8) == 0 => Origin::Unknown,
            _ => Origin::Session(self.random.u32(1..4)),
        };
        self.note(|| format!("contact of {key:?} of {origin:?}"));
        let real = self.ledger.handle_contact(key, origin).map(drop);
        assert_eq!(real, self.model.contact(key, origin));
    }

    fn read(&mut self, id: Who, i: usize) {
        let nonblocking = self.random.u8(..4) > 0;
        self.unique += 2;
        let (unique, key) = (self.unique, self.model.parties[i].key);
        self.note(|| format!("read {unique} by {key:?}, nonblocking: {nonblocking}"));
        let real = self.ledger.handle_read(self.now, id, unique, nonblocking);
        assert_eq!(real, self.model.read(self.now, i, unique, nonblocking));
        if matches!(real, Ok(Read::Token(_))) {
            self.check_limit(key);
        }
    }

    fn write(&mut self, id: Who, i: usize) {
        let many = [1, 1, 1, 1, 2, 3, 9][self.random.usize(..7)];
        let random = &mut self.random;
        let bytes: Vec<u8> = (0..many).map(|_| b"+ABC."[random.usize(..5)]).collect();
        let key = self.model.parties[i].key;
        self.note(|| format!("write of {many} by {key:?}"));
        let real = self.ledger.handle_write(self.now, id, &bytes);
        assert_eq!(real, self.model.write(self.now, i, &bytes));
    }

    fn poll(&mut self, id: Who, i: usize) {
        let register = self.random.u8(..4) > 0;
        let file = self.random.u64(1..5);
        let kh = file + 100;
        let key = self.model.parties[i].key;
        self.note(|| format!("poll of {file} by {key:?}, register: {register}"));
        let real = self.ledger.handle_poll(self.now, id, file, kh, register);
        assert_eq!(real, self.model.poll(self.now, i, file, kh, register));
    }

    fn interrupt(&mut self, i: usize) {
        let waiters = self.model.parties[i].waiters.iter();
        let reads = waiters.filter_map(|waiter| match waiter.with {
            With::Read(unique) => Some(unique),
            With::Poll { .. } => None,
        });
        let unique = reads.max().unwrap_or(self.unique);
        self.note(|| format!("interrupt of {unique}"));
        // The kernel marks an interrupt by the lowest bit.
        let real = self.ledger.handle_interrupt(unique);
        assert_eq!(real, self.model.interrupt(unique));
    }

    fn undelivered(&mut self, id: Who, i: usize) {
        let Some(&(byte, _)) = self.model.parties[i].tokens.last() else {
            return;
        };
        self.note(|| format!("{} was not delivered", char::from(byte)));
        self.ledger.handle_undelivered(self.now, id, byte);
        self.model.undelivered(i, byte);
    }

    fn settings(&mut self) {
        let mut settings = random_settings(&mut self.random);
        if self.random.u8(..6) == 0 {
            settings.min_jobs = settings.jobs + 1;
            assert_eq!(self.ledger.handle_settings(settings), Err(Invalid));
            return;
        }
        self.note(|| format!("{settings:?}"));
        assert_eq!(self.ledger.handle_settings(settings), Ok(()));
        self.model.settings = settings;
    }

    fn readings(&mut self) {
        let random = &mut self.random;
        let readings = Readings {
            load1: Some(random.i64(..8_000_000)),
            memory_available: Some(random.u64(..8000)),
            pressure: [Some(random.i64(..100_000_000)); 3],
        };
        self.note(|| format!("{readings:?}"));
        self.ledger.handle_readings(self.now, readings);
        self.model.readings = readings;
        self.model.read_at = Some(self.now);
    }

    fn register(&mut self, id: Who, i: usize) {
        let random = &mut self.random;
        let registration = Registration {
            weight: random.u16(1..5),
            limit: random.bool().then(|| random.u16(1..4)),
            lease: Lease {
                jobs: (random.u8(..3) == 0).then(|| random.u16(1..6)),
                min_memory_avail: (random.u8(..3) == 0).then(|| random.u32(..4000)),
            },
        };
        self.note(|| format!("{registration:?}"));
        let real = self.ledger.handle_register(self.now, id, registration);
        assert_eq!(real, self.model.register(i, registration));
    }

    fn release(&mut self) {
        let file = self.random.u64(1..5);
        self.note(|| format!("release of {file}"));
        let real = self.ledger.handle_release(self.now, file);
        assert_eq!(real, self.model.release(file));
    }

    fn compare(&mut self) {
        let (now, model) = (self.now, &self.model);
        assert_eq!(*self.ledger.settings(), model.settings);
        assert_eq!(*self.ledger.effective(), model.effective());
        assert_eq!(usize::from(self.ledger.in_use()), model.in_use());
        let free = model.room(now).saturating_sub(model.in_use());
        assert_eq!(usize::from(self.ledger.available(now)), free);
        assert_eq!(*self.ledger.totals(), model.totals);
        assert_eq!(self.ledger.builds().count(), model.groups.len());
        assert_eq!(self.ledger.clients().count(), model.parties.len());
        let views: Vec<ClientView> = self.ledger.clients().collect();
        for (i, (view, party)) in views.iter().zip(&model.parties).enumerate() {
            assert_eq!(view.key, party.key);
            assert!(self.ledger.tokens(view.id).eq(party.tokens.iter().copied()));
            assert_eq!(view.reserved, party.is_reserved());
            let waiting = party.waiters.iter().map(|waiter| waiter.since).min();
            assert_eq!(view.waiting, waiting);
            assert_eq!((view.missed, view.lease), (party.missed, party.lease));
            let row = &self.ledger.clients[view.id];
            assert_eq!((row.timer, row.lapses), (party.timer, party.lapses));
            assert!(row.missed.is_none() || row.kept == party.kept);
            assert_eq!(self.ledger.refusal(now, view.id), model.refusal(now, i));
            let group = model.group(party.build);
            let build = self.ledger.builds().find(|build| build.id == view.build);
            let build = build.unwrap();
            assert_eq!((build.weight, build.limit), (group.weight, group.limit));
            assert_eq!(usize::from(build.in_use), model.group_use(group.number));
            assert!(group.origin.is_none_or(|origin| origin == build.origin));
            for (other, fellow) in views.iter().zip(&model.parties) {
                let together = other.build == view.build;
                assert_eq!(together, fellow.build == party.build);
            }
        }
    }
}

fn random_settings(random: &mut fastrand::Rng) -> Settings {
    let jobs = random.u16(1..9);
    let limited = random.u8(..3) == 0;
    let set = |random: &mut fastrand::Rng| limited && random.u8(..3) == 0;
    Settings {
        jobs,
        min_jobs: random.u16(..=jobs),
        per_process_limit: [0, 0, 1, 2, 3][random.usize(..5)],
        load_average: set(random).then(|| random.i64(1..8_000_000)),
        min_memory_avail: set(random).then(|| random.u64(..4000)),
        job_memory: [0, 500, 1500][random.usize(..3)],
        max_pressure: [(); 3].map(|()| set(random).then(|| random.i64(1..100_000_000))),
        load_recheck_timeout: Duration::from_millis(random.u64(1..2000)),
        lenient_returns: random.u8(..4) == 0,
    }
}
