//! Virtual time: the ledger and the processes that use it.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

use steve::ledger::{
    Action, Client, Id, Key, Lease, Ledger, Origin, Read, Readings, Registration, Settings, Sizes,
    Time,
};

use crate::clients::{Kind, What};
use crate::measure::Build;

/// A millisecond, in the unit of the clock.
pub(crate) const MS: u64 = 1_000_000;
/// A second.
pub(crate) const SECOND: u64 = 1000 * MS;

/// A process that lives or has lived.
pub(crate) struct Process {
    pub(crate) build: usize,
    pub(crate) kind: Kind,
    pub(crate) id: Id<Client>,
    /// Shortest and longest job.
    pub(crate) jobs: (u64, u64),
    /// Since when it stands in line, and how many stood there then, itself included.
    pub(crate) waiting: Option<(u64, usize)>,
    /// The jobs that run with a token: its byte, and when it started.
    pub(crate) running: Vec<(u8, u64)>,
    pub(crate) alive: bool,
}

/// The machine that the jobs run on, as far as limits look at it.
pub(crate) trait Machine {
    /// When it has to see the world again.
    fn next(&self) -> u64;
    /// Lets it see the world; called at that moment, and whenever something changes.
    fn see(&mut self, now: u64, processes: &[Process]);
    fn readings(&self) -> Readings;
    /// The number of jobs that a jobserver of the plain kind would allow now.
    fn plain_jobs(&self) -> Option<u16> {
        None
    }
}

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) random: fastrand::Rng,
    pub(crate) now: u64,
    pub(crate) builds: Vec<Build>,
    pub(crate) processes: Vec<Process>,
    /// Processes by the index of their client.
    by_client: Vec<usize>,
    queue: BinaryHeap<Reverse<(u64, u64, usize, What)>>,
    events: u64,
    pids: u32,
    pub(crate) jobs: u16,
    /// Length of the slices of time that shares are noted for.
    pub(crate) slice: u64,
    /// Whether the swing of the shares is noted.
    pub(crate) watching: bool,
    in_line: usize,
    pub(crate) machine: Option<Rc<RefCell<dyn Machine>>>,
}

impl World {
    pub(crate) fn new(settings: Settings, slice: u64) -> Self {
        let seed = std::env::var("STEVE_SEED")
            .ok()
            .and_then(|s| s.parse().ok());
        World {
            ledger: Ledger::new(settings, Sizes::default()).expect("settings are in range"),
            random: fastrand::Rng::with_seed(seed.unwrap_or(1)),
            now: 0,
            builds: Vec::new(),
            processes: Vec::new(),
            by_client: vec![usize::MAX; usize::from(Sizes::default().clients)],
            queue: BinaryHeap::new(),
            events: 0,
            pids: 1000,
            jobs: settings.jobs,
            slice,
            watching: false,
            in_line: 0,
            machine: None,
        }
    }

    pub(crate) fn time(&self) -> Time {
        Time::from_nanos(self.now)
    }

    /// A build started through stevie, of so much weight.
    pub(crate) fn build(&mut self, name: &'static str, weight: u16) -> usize {
        self.pids += 1;
        let (pid, now) = (self.pids, self.time());
        let origin = Origin::Session(pid);
        let root = self.ledger.handle_contact(Key::Process(pid), origin);
        let registration = Registration {
            weight,
            limit: None,
            lease: Lease::default(),
        };
        let root = root.expect("there is room");
        let registered = self.ledger.handle_register(now, root, registration);
        registered.expect("there is room");
        self.builds
            .push(Build::new(name, weight, Origin::Root(pid)));
        self.builds.len() - 1
    }

    /// A process of `build`, which starts at `start` and runs jobs of `jobs` length.
    pub(crate) fn spawn(&mut self, build: usize, kind: Kind, jobs: (u64, u64), start: u64) {
        self.spawn_in(build, self.builds[build].origin, kind, jobs, start);
    }

    /// As [`World::spawn`], but in a session of its own; `build` is what it is counted under.
    pub(crate) fn spawn_alone(&mut self, build: usize, kind: Kind, jobs: (u64, u64), start: u64) {
        let origin = Origin::Session(self.pids + 1);
        self.spawn_in(build, origin, kind, jobs, start);
    }

    fn spawn_in(&mut self, build: usize, origin: Origin, kind: Kind, jobs: (u64, u64), start: u64) {
        self.pids += 1;
        let key = Key::Process(self.pids);
        let contact = self.ledger.handle_contact(key, origin);
        let id = contact.expect("there is room");
        self.processes.push(Process {
            build,
            kind,
            id,
            jobs,
            waiting: None,
            running: Vec::new(),
            alive: true,
        });
        let process = self.processes.len() - 1;
        self.by_client[id.index()] = process;
        self.at(start, process, What::Start);
    }

    /// Lets `process` do `what` at `when`.
    pub(crate) fn at(&mut self, when: u64, process: usize, what: What) {
        self.events += 1;
        self.queue.push(Reverse((when, self.events, process, what)));
    }

    /// Runs until `end`.
    pub(crate) fn run(&mut self, end: u64) {
        loop {
            let due = self.ledger.poll_timeout(self.time()).map(Time::as_nanos);
            let next = self.queue.peek().map(|Reverse((when, ..))| *when);
            let machine = self.machine.as_ref().map(|machine| machine.borrow().next());
            let when = due.into_iter().chain(next).chain(machine).min();
            let when = when.unwrap_or(end).max(self.now);
            self.pass(when.min(end));
            if when >= end {
                return;
            }
            self.show();
            self.ledger.handle_timeout(self.time());
            if self.ledger.recheck_is_due(self.time()) {
                self.look();
            }
            self.act();
            if next == Some(when)
                && let Some(Reverse((_, _, process, what))) = self.queue.pop()
                && self.processes[process].alive
            {
                self.step(process, what);
                self.act();
            }
        }
    }

    /// Lets the machine see what runs.
    fn show(&mut self) {
        let Some(machine) = &self.machine else {
            return;
        };
        let mut machine = machine.borrow_mut();
        machine.see(self.now, &self.processes);
        if let Some(jobs) = machine.plain_jobs() {
            let settings = Settings {
                jobs,
                ..*self.ledger.settings()
            };
            let set = self.ledger.handle_settings(settings);
            set.expect("settings are in range");
        }
    }

    fn look(&mut self) {
        if let Some(machine) = &self.machine {
            let readings = machine.borrow().readings();
            self.ledger.handle_readings(self.time(), readings);
        }
    }

    /// What the service does before a request: looks at the machine if it is time to.
    pub(crate) fn look_if_wanted(&mut self) {
        if self.ledger.wants_readings(self.time()) {
            self.look();
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.ledger.poll_action(self.time()) {
            match action {
                Action::Grant { client, byte, .. } => {
                    let process = self.by_client[client.index()];
                    self.got(process, byte);
                }
                Action::Wake { client, .. } => {
                    let process = self.by_client[client.index()];
                    self.at(self.now + MS / 20, process, What::Read);
                }
            }
        }
    }

    /// `process` has a token and starts a job with it.
    pub(crate) fn got(&mut self, process: usize, byte: u8) {
        let Process {
            waiting,
            running,
            build,
            jobs,
            ..
        } = &mut self.processes[process];
        running.push((byte, self.now));
        let build = &mut self.builds[*build];
        build.running += 1;
        if let Some((since, line)) = waiting.take() {
            self.in_line -= 1;
            build.waited(self.now - since, line, jobs.1);
        }
        let end = self.now + self.job_length(process);
        self.at(end, process, What::JobEnds(byte));
    }

    pub(crate) fn job_length(&mut self, process: usize) -> u64 {
        let (shortest, longest) = self.processes[process].jobs;
        self.random.u64(shortest..=longest)
    }

    /// A read by `process` without blocking.
    pub(crate) fn try_read(&mut self, process: usize) -> bool {
        self.look_if_wanted();
        let id = self.processes[process].id;
        let read = self
            .ledger
            .handle_read(self.time(), id, self.events * 2, true);
        let Ok(Read::Token(byte)) = read else {
            return false;
        };
        self.got(process, byte);
        true
    }

    /// `process` gives `byte` back.
    pub(crate) fn give(&mut self, process: usize, byte: u8) {
        let Process {
            id, build, running, ..
        } = &mut self.processes[process];
        running.retain(|&(held, _)| held != byte);
        self.builds[*build].running -= 1;
        let id = *id;
        let returned = self.ledger.handle_write(self.time(), id, &[byte]);
        assert_eq!(returned.accepted, 1);
    }

    pub(crate) fn exit(&mut self, process: usize) {
        let Process {
            id,
            build,
            running,
            waiting,
            alive,
            ..
        } = &mut self.processes[process];
        self.builds[*build].running -= running.len() as u32;
        running.clear();
        *alive = false;
        if waiting.take().is_some() {
            self.in_line -= 1;
        }
        self.ledger.handle_exit(Time::from_nanos(self.now), *id);
    }

    /// `process` asks and will wait, unless it already does.
    pub(crate) fn waits(&mut self, process: usize) {
        let waiting = &mut self.processes[process].waiting;
        if waiting.is_none() {
            self.in_line += 1;
            *waiting = Some((self.now, self.in_line));
        }
    }
}
