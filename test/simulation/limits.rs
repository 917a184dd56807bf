//! Machines that limits are held against: one with a load average, one with memory.

use std::cell::RefCell;
use std::rc::Rc;

use steve::ledger::{Readings, Settings};

use crate::clients::Kind;
use crate::table::{Row, Table};
use crate::world::{MS, Machine, Process, SECOND, World};

/// A load average as kernel/sched/loadavg.c keeps it.
struct Load {
    /// avenrun[0]: fixed point of 11 bits.
    average: u64,
    next: u64,
    /// Load from outside the pool.
    others: u64,
    /// Stops like jobservers of the plain kind, at this load.
    plain: Option<u64>,
    highest: u64,
}

/// LOAD_FREQ, 5 * HZ + 1 ticks, at 250 Hz.
const STEP: u64 = 5004 * MS;
/// After so long a run counts.
const SETTLED: u64 = 60 * SECOND;

impl Load {
    fn new(phase: u64, others: u64, plain: Option<u64>) -> Self {
        Load {
            average: others << 11,
            next: phase,
            others,
            plain,
            highest: 0,
        }
    }

    /// Hundredths, as /proc/loadavg shows them.
    fn shown(&self) -> u64 {
        let rounded = self.average + 2048 / 200;
        (rounded >> 11) * 100 + (((rounded & 2047) * 100) >> 11)
    }
}

impl Machine for Load {
    fn next(&self) -> u64 {
        self.next
    }

    fn see(&mut self, now: u64, processes: &[Process]) {
        if now >= self.next {
            let running: u64 = processes.iter().map(|p| p.running.len() as u64).sum();
            // calc_load()
            let active = (running + self.others) << 11;
            let mut load = self.average * 1884 + active * (2048 - 1884);
            if active >= self.average {
                load += 2047;
            }
            self.average = load / 2048;
            self.next += STEP;
            self.highest = self.highest.max(self.shown());
        }
    }

    fn readings(&self) -> Readings {
        let load1 = self.shown() as i64 * 10_000;
        Readings {
            load1: Some(load1),
            ..Readings::default()
        }
    }

    fn plain_jobs(&self) -> Option<u16> {
        let limit = self.plain?;
        Some(if self.shown() >= limit * 100 { 1 } else { 12 })
    }
}

/// Twelve tokens, a load limit of eight, endless work of mixed length.
pub(crate) fn load(table: &mut Table) {
    const LIMIT: u64 = 8;
    for others in [0, 3, 5] {
        let (mut worst, mut least) = (0, f64::INFINITY);
        for phase in (0..10).map(|tenth| tenth * STEP / 10) {
            let (highest, world) = load_run(phase, LIMIT, others, None);
            worst = highest.max(worst);
            least = least.min(world.mean(0, 6) / (LIMIT - others) as f64);
            if phase == 0 {
                let name = format!("load limit {LIMIT}, {others} from outside the pool");
                let mut row = Row::new(&name, &world, 6);
                load_notes(&mut row, &world, highest);
                table.add(row);
            }
        }
        let mut row = Row::bare("the same at ten phases of the kernel's steps");
        row.bound("highest load", worst as f64 / 100.0, 0.0..=8.5);
        row.bound("least utilisation of the limit", least, 0.95..=1.1);
        table.add(row);
    }

    let (highest, world) = load_run(0, LIMIT, 0, Some(LIMIT));
    let mut row = Row::new("plain `load1 >= 8`, for comparison", &world, 6);
    load_notes(&mut row, &world, highest);
    let overshoot = highest as f64 / 100.0 - LIMIT as f64;
    row.bound("overshoot", overshoot, 0.5..=4.0);
    table.add(row);
}

fn load_notes(row: &mut Row, world: &World, highest: u64) {
    row.note("highest load", highest as f64 / 100.0);
    row.note("fewest jobs", f64::from(world.builds[0].fewest));
    row.note("most jobs", f64::from(world.builds[0].most));
}

/// Runs ten minutes and returns the highest load that was shown.
fn load_run(phase: u64, limit: u64, others: u64, plain: Option<u64>) -> (u64, World) {
    let settings = Settings {
        jobs: 12,
        load_average: plain.is_none().then_some(limit as i64 * 1_000_000),
        ..Settings::default()
    };
    let mut world = World::new(settings, SETTLED / 6);
    let machine = Rc::new(RefCell::new(Load::new(phase, others, plain)));
    world.machine = Some(machine.clone());
    let build = world.build("rustc", 1);
    for n in 0..60 {
        let longest = [SECOND / 2, 4 * SECOND, 20 * SECOND, 60 * SECOND][n % 4];
        let kind = Kind::Rustc { jobs_left: 1 << 30 };
        world.spawn(build, kind, (longest / 4, longest), 0);
    }
    world.run(SETTLED);
    world.watch();
    world.run(600 * SECOND);
    let highest = machine.borrow().highest;
    (highest, world)
}

/// Sixteen GiB, and compilers that grow to 1.5 GiB in eight seconds.
struct Memory {
    now: u64,
    available: u64,
    /// MiB that somebody else holds until `released`.
    others: u64,
    released: u64,
    lowest: u64,
}

impl Machine for Memory {
    fn next(&self) -> u64 {
        self.now + 50 * MS
    }

    fn see(&mut self, now: u64, processes: &[Process]) {
        const GROWTH: u64 = 8 * SECOND;
        let jobs = processes.iter().flat_map(|process| &process.running);
        let used: u64 = jobs
            .map(|&(_, start)| 1536 * (now - start).min(GROWTH) / GROWTH)
            .sum();
        let others = if now < self.released { self.others } else { 0 };
        self.now = now;
        self.available = (16_384_u64 - 1024).saturating_sub(used + others);
        if now >= self.released {
            self.lowest = self.lowest.min(self.available);
        }
    }

    fn readings(&self) -> Readings {
        Readings {
            memory_available: Some(self.available),
            ..Readings::default()
        }
    }
}

/// Thirty-one jobs held by a memory floor and released all at once.
pub(crate) fn memory(table: &mut Table) {
    for (name, job_memory, bounds) in [
        (
            "memory floor 2048, --job-memory 1536",
            1536,
            1024.0..=16_384.0,
        ),
        (
            "the same without --job-memory, for comparison",
            0,
            0.0..=1024.0,
        ),
    ] {
        let settings = Settings {
            jobs: 31,
            min_memory_avail: Some(2048),
            job_memory,
            ..Settings::default()
        };
        let mut world = World::new(settings, 20 * SECOND);
        let machine = Rc::new(RefCell::new(Memory {
            now: 0,
            available: 0,
            others: 13_800,
            released: 10 * SECOND,
            lowest: u64::MAX,
        }));
        world.machine = Some(machine.clone());
        let build = world.build("rustc", 1);
        for n in 0..62 {
            let kind = if n % 2 == 0 {
                Kind::Rustc { jobs_left: 1 << 30 }
            } else {
                Kind::Make
            };
            world.spawn(build, kind, (9 * SECOND, 25 * SECOND), 0);
        }
        world.run(200 * SECOND);
        let mut row = Row::new(name, &world, 1);
        row.bound(
            "lowest MemAvailable, MiB",
            machine.borrow().lowest as f64,
            bounds,
        );
        table.add(row);
    }
}
