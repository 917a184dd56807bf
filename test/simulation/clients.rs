//! How programs use a jobserver, boiled down to their system calls.

use crate::world::{MS, World};

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// GNU make 4.4: pselect, then a read without blocking. One job more runs without a token.
    Make,
    /// A rustc: one blocked read for each job; ends after so many, and another takes its place.
    Rustc { jobs_left: u32 },
    /// ninja up to 1.13: reads without blocking until there is none, when it starts and whenever
    /// one of its jobs ends. One job more runs without a token.
    Ninja,
    /// LLVM's thread pool: drains the pool, gives all back, then its idle workers spin.
    Llvm,
    /// Takes all it can get and keeps it: the kernel's jobserver-exec, wild.
    Holder,
    /// As [`Kind::Rustc`], but killed in the middle of its second job.
    Crasher,
    /// Comes, waits for one token, runs one job, goes.
    Visitor(Way),
}

/// How a visitor asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Read,
    Poll,
}

/// What happens to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Start,
    /// It reads without blocking.
    Read,
    /// The job with this token ends.
    JobEnds(u8),
    /// The job that runs without a token ends.
    FreeJobEnds,
    Dies,
}

/// How long a spinning worker takes from one read to the next.
const SPIN: u64 = 2 * MS;

impl World {
    pub(crate) fn step(&mut self, i: usize, what: What) {
        if let What::JobEnds(byte) = what {
            self.give(i, byte);
        }
        match self.processes[i].kind {
            Kind::Make => self.make(i, what),
            Kind::Rustc { jobs_left } => self.rustc(i, what, jobs_left),
            Kind::Ninja => self.ninja(i, what),
            Kind::Llvm => self.llvm(i, what),
            Kind::Holder => self.holder(i, what),
            Kind::Crasher => self.crasher(i, what),
            Kind::Visitor(way) => self.visitor(i, what, way),
        }
    }

    fn make(&mut self, i: usize, what: What) {
        match what {
            What::Start | What::FreeJobEnds => self.free_job(i),
            What::Read => {
                self.try_read(i);
            }
            What::JobEnds(_) | What::Dies => {}
        }
        self.poll(i);
    }

    /// Starts the job that needs no token.
    fn free_job(&mut self, i: usize) {
        let end = self.now + self.job_length(i);
        self.at(end, i, What::FreeJobEnds);
    }

    /// Goes into pselect, unless it is there.
    fn poll(&mut self, i: usize) {
        self.look_if_wanted();
        let file = i as u64;
        let id = self.processes[i].id;
        let readable = self.ledger.handle_poll(self.time(), id, file, file, true);
        if readable == Ok(true) {
            self.at(self.now + MS / 50, i, What::Read);
        }
        self.waits(i);
    }

    fn rustc(&mut self, i: usize, what: What, jobs_left: u32) {
        if let What::JobEnds(_) = what {
            if jobs_left == 0 {
                let (build, jobs) = (self.processes[i].build, self.processes[i].jobs);
                self.exit(i);
                let jobs_left = self.random.u32(1..6);
                return self.spawn(build, Kind::Rustc { jobs_left }, jobs, self.now);
            }
            self.processes[i].kind = Kind::Rustc {
                jobs_left: jobs_left - 1,
            };
        }
        self.block(i);
    }

    /// Reads, and blocks until there is a token.
    fn block(&mut self, i: usize) {
        self.look_if_wanted();
        self.waits(i);
        let id = self.processes[i].id;
        let unique = (self.now << 12 | i as u64) << 1;
        let read = self.ledger.handle_read(self.time(), id, unique, false);
        if let Ok(steve::ledger::Read::Token(byte)) = read {
            self.got(i, byte);
        }
    }

    fn ninja(&mut self, i: usize, what: What) {
        match what {
            What::Start | What::FreeJobEnds => self.free_job(i),
            What::Read => while self.try_read(i) {},
            What::JobEnds(_) | What::Dies => {}
        }
        if what != What::Read {
            self.at(self.now + MS / 10, i, What::Read);
        }
    }

    fn llvm(&mut self, i: usize, what: What) {
        match what {
            What::Start => {
                let mut tokens = Vec::new();
                let id = self.processes[i].id;
                while let Ok(steve::ledger::Read::Token(byte)) =
                    self.ledger.handle_read(self.time(), id, 0, true)
                {
                    tokens.push(byte);
                }
                self.ledger.handle_write(self.time(), id, &tokens);
                self.at(self.now + SPIN, i, What::Read);
            }
            What::Read => {
                self.try_read(i);
                self.at(self.now + SPIN, i, What::Read);
            }
            _ => {}
        }
    }

    fn holder(&mut self, i: usize, what: What) {
        if what == What::Start {
            self.processes[i].jobs = (u64::MAX / 4, u64::MAX / 4);
            while self.try_read(i) {}
        }
    }

    fn crasher(&mut self, i: usize, what: What) {
        match what {
            What::Dies => {
                let (build, jobs) = (self.processes[i].build, self.processes[i].jobs);
                self.exit(i);
                return self.spawn(build, Kind::Crasher, jobs, self.now + 100 * MS);
            }
            What::JobEnds(_) => {
                let half = self.processes[i].jobs.0 / 2;
                self.at(self.now + half, i, What::Dies);
            }
            _ => {}
        }
        self.block(i);
    }

    fn visitor(&mut self, i: usize, what: What, way: Way) {
        match what {
            What::Start => match way {
                Way::Read => self.block(i),
                Way::Poll => self.poll(i),
            },
            What::Read => {
                if !self.try_read(i) {
                    self.poll(i);
                }
            }
            What::JobEnds(_) => self.exit(i),
            What::FreeJobEnds | What::Dies => {}
        }
    }
}
