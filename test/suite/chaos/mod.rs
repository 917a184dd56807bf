//! Many clients that do as they like, are stopped, interrupted and killed, while settings change;
//! and the books are right all along.
//!
//! `SEED` in the environment repeats a run as far as the scheduler lets it.

pub mod client;
mod shared;

use std::collections::HashMap;
use std::process::{Child, Stdio};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use fastrand::Rng;

use steve::ioctl::Setting;
use steve::report::{Holder, Snapshot};

use crate::kit::{Service, Transport, scratch::Dir, stevie, sys, until, wait};
use shared::{CLIENTS, Shared};

tests![no_token_is_lost_or_made_whatever_clients_do];

/// Tokens; settings change it to fewer and back.
const JOBS: u32 = 12;

fn no_token_is_lost_or_made_whatever_clients_do() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    let (operations, time) = Transport::current().at_most((400_000, 60), (20_000, 400));
    let mut zoo = Zoo::open(seed);
    let deadline = Instant::now() + Duration::from_secs(time);
    while zoo.shared.operations.load(SeqCst) < operations && Instant::now() < deadline {
        zoo.step();
    }
    let done = zoo.shared.operations.load(SeqCst);
    zoo.close();
    let (peak, clients, log) = (zoo.shared.peak.load(SeqCst), zoo.spawned, &zoo.log);
    eprintln!(
        "chaos: seed {seed}, {done} operations by {clients} clients, {peak} out at most; {log:?}"
    );
    assert_eq!(
        peak,
        i64::from(JOBS),
        "the whole pool was in use at some time"
    );
    // In the given time two CPUs may do fewer than wished, but not fewer than were promised.
    assert!(done >= 20_000, "only {done} operations in {time} s");
}

struct Zoo {
    service: Service,
    shared: &'static Shared,
    memory: std::path::PathBuf,
    random: Rng,
    clients: Vec<Child>,
    spawned: u32,
    log: HashMap<&'static str, u32>,
    _dir: Dir,
}

impl Zoo {
    fn open(seed: u64) -> Zoo {
        let service = Service::start(&["-j", &JOBS.to_string()]);
        let dir = Dir::new();
        let memory = dir.path().join("memory");
        let mut zoo = Zoo {
            shared: Shared::map(&memory),
            service,
            memory,
            random: Rng::with_seed(seed),
            clients: Vec::new(),
            spawned: 0,
            log: HashMap::new(),
            _dir: dir,
        };
        for me in 0..CLIENTS {
            let child = zoo.spawn(me);
            zoo.clients.push(child);
        }
        zoo
    }

    fn spawn(&mut self, me: usize) -> Child {
        self.spawned += 1;
        self.shared.armed[me].store(0, SeqCst);
        let seed = self.random.u64(..);
        let command = client::command(me, self.service.path(), &self.memory, seed, &[]);
        command
            .expect("this program")
            .stdin(Stdio::null())
            .spawn()
            .expect("room for a process")
    }

    /// Does one thing to somebody, and looks after the ended.
    fn step(&mut self) {
        let me = self.random.usize(0..CLIENTS);
        let what = match self.random.u32(0..100) {
            0..35 if self.shared.armed[me].load(SeqCst) == 1 => {
                self.signal(me, libc::SIGUSR1, "signals")
            }
            35..60 => self.kill(me),
            60..70 => self.stop_and_go(me),
            70..80 => self.change_a_setting(),
            80..90 => self.check_the_books(),
            _ => self.look_after(me),
        };
        *self.log.entry(what).or_default() += 1;
        for me in 0..CLIENTS {
            self.look_after(me);
        }
        std::thread::sleep(Duration::from_micros(self.random.u64(0..5000)));
    }

    fn signal(&self, me: usize, signal: i32, what: &'static str) -> &'static str {
        let pid = self.clients[me].id() as i32;
        let _ = sys::tgkill(pid, pid, signal);
        what
    }

    /// Starts another where one has ended, which must have been content.
    fn look_after(&mut self, me: usize) -> &'static str {
        if let Some(status) = self.clients[me].try_wait().expect("a child") {
            assert_eq!(status.code(), Some(0), "client {me}: {status}");
            self.clients[me] = self.spawn(me);
        }
        "looks"
    }

    fn stop(&mut self, me: usize) -> bool {
        let pid = self.clients[me].id() as i32;
        self.signal(me, libc::SIGSTOP, "");
        until("it is stopped or has ended", || {
            matches!(wait::state(pid), Some('T' | 'Z') | None)
        });
        wait::state(pid) == Some('T')
    }

    fn stop_and_go(&mut self, me: usize) -> &'static str {
        self.stop(me);
        self.signal(me, libc::SIGCONT, "stops")
    }

    /// Kills one with what it holds: stopped before, so that it can be written off first.
    fn kill(&mut self, me: usize) -> &'static str {
        if !self.stop(me) {
            return "kills too late";
        }
        if !self.shared.write_off(me) {
            return self.signal(me, libc::SIGCONT, "kills in the middle");
        }
        self.clients[me].kill().expect("a child");
        self.clients[me].wait().expect("a child");
        self.clients[me] = self.spawn(me);
        "kills"
    }

    fn change_a_setting(&mut self) -> &'static str {
        let jobs = self.random.u32(1..=JOBS).to_string();
        match self.random.u32(0..4) {
            0 => stevie(&self.service, &["--set-per-process-limit", "2"]).exits_with(0),
            1 => stevie(&self.service, &["--set-per-process-limit", "0"]).exits_with(0),
            2 => stevie(&self.service, &["--set-min-jobs", "0", "--set-jobs", &jobs]).exits_with(0),
            _ => stevie(&self.service, &["--set-jobs", &JOBS.to_string()]).exits_with(0),
        };
        "settings"
    }

    fn check_the_books(&self) -> &'static str {
        let peak = self.shared.peak.load(SeqCst);
        assert!(peak <= i64::from(JOBS), "{peak} tokens were out at once");
        balance(&self.service.snapshot());
        "checks"
    }

    /// Lets all give back what they hold, and checks that every token is there.
    fn close(&mut self) {
        self.shared.over.store(1, SeqCst);
        for (me, child) in self.clients.iter_mut().enumerate() {
            let pid = child.id() as i32;
            let _ = sys::tgkill(pid, pid, libc::SIGCONT);
            let mut status = None;
            until("a client ends", || {
                status = child.try_wait().expect("a child");
                status.is_some()
            });
            assert!(
                status.is_some_and(|status| status.success()),
                "client {me}: {status:?}"
            );
        }
        stevie(
            &self.service,
            &[
                "--set-jobs",
                &JOBS.to_string(),
                "--set-per-process-limit",
                "0",
            ],
        )
        .exits_with(0);
        self.service.until_free(JOBS as u16);
        self.check_the_books();
        assert_eq!(self.shared.out.load(SeqCst), 0);
        until("all clients are forgotten", || {
            self.service.snapshot().clients.is_empty()
        });
        until("nothing is left unanswered", || {
            self.service.unanswered() == 0
        });
        let pool = self.service.snapshot();
        assert_eq!(pool.setting(Setting::Jobs), i64::from(JOBS));
        assert_eq!(self.service.stderr().matches("panicked").count(), 0);
    }
}

/// Free, reserved and held make up the pool, and every client is a process that is there.
fn balance(pool: &Snapshot) {
    let held: usize = pool.clients.iter().map(|client| client.tokens.len()).sum();
    let reserved = pool.clients.iter().filter(|client| client.reserved).count();
    let in_use = usize::from(pool.in_use);
    assert_eq!(usize::from(pool.reserved), reserved, "{pool:?}");
    assert_eq!(in_use, held + reserved, "{pool:?}");
    let jobs = pool.setting(Setting::Jobs) as usize;
    assert_eq!(
        usize::from(pool.available),
        jobs.saturating_sub(in_use),
        "{pool:?}"
    );
    assert!(
        pool.clients
            .iter()
            .all(|client| matches!(client.holder, Holder::Process(_)))
    );
}
