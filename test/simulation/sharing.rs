//! Who gets how much: builds of all kinds side by side on twelve tokens.

use steve::ledger::Settings;

use crate::clients::{Kind, Way};
use crate::table::{Row, Table};
use crate::world::{MS, SECOND, World};

const JOBS: u16 = 12;

fn world(slice: u64) -> World {
    let settings = Settings {
        jobs: JOBS,
        ..Settings::default()
    };
    World::new(settings, slice)
}

/// Short jobs: a tenth of a second to half a one.
const SHORT: (u64, u64) = (100 * MS, 500 * MS);

fn rustc() -> Kind {
    Kind::Rustc { jobs_left: 3 }
}

/// A cargo with a hundred rustc processes.
fn cargo(world: &mut World, jobs: (u64, u64), start: u64) -> usize {
    let build = world.build("cargo", 1);
    for _ in 0..100 {
        world.spawn(build, rustc(), jobs, start);
    }
    build
}

fn one(world: &mut World, name: &'static str, kind: Kind, jobs: (u64, u64)) -> usize {
    let build = world.build(name, 1);
    world.spawn(build, kind, jobs, 0);
    build
}

/// A build alone gets the whole pool, at once.
pub(crate) fn alone(table: &mut Table) {
    for kind in [Kind::Make, rustc(), Kind::Ninja, Kind::Llvm] {
        let mut world = world(SECOND);
        let build = match kind {
            Kind::Rustc { .. } => cargo(&mut world, SHORT, 0),
            Kind::Make => one(&mut world, "make", kind, SHORT),
            Kind::Ninja => one(&mut world, "ninja", kind, SHORT),
            _ => one(&mut world, "llvm", kind, SHORT),
        };
        world.run(50 * MS);
        let at_once = world.builds[build].running;
        world.run(20 * SECOND);
        let mut row = Row::new("alone", &world, 1);
        row.bound("running after 50 ms", f64::from(at_once), 12.0..=12.0);
        row.bound("utilisation", world.utilisation(0), 0.97..=1.0);
        table.add(row);
    }
}

/// Two hungry builds have equal shares one job length after the second has come, whatever their
/// number of processes.
pub(crate) fn two_builds(table: &mut Table) {
    for many in [true, false] {
        let jobs = (200 * MS, 2 * SECOND);
        let mut world = world(10 * SECOND);
        let make = one(&mut world, "make", Kind::Make, jobs);
        world.run(10 * SECOND);
        let late = if many {
            cargo(&mut world, jobs, 10 * SECOND)
        } else {
            let late = world.build("late make", 1);
            world.spawn(late, Kind::Make, jobs, 10 * SECOND);
            late
        };
        world.run(10 * SECOND + jobs.1);
        world.watch();
        world.run(70 * SECOND);
        let name = if many {
            "make, then cargo"
        } else {
            "two makes"
        };
        let mut row = Row::new(name, &world, 2);
        for build in [make, late] {
            let build = &world.builds[build];
            row.bound("fewest", f64::from(build.fewest), 5.0..=7.0);
            row.bound("most", f64::from(build.most), 5.0..=7.0);
        }
        row.bound("Jain", world.jain(&[make, late], 2), 0.98..=1.0);
        table.add(row);
    }
}

/// Weights of three to one make shares of three to one.
pub(crate) fn weights(table: &mut Table) {
    let mut world = world(10 * SECOND);
    let heavy = world.build("make, 3", 3);
    world.spawn(heavy, Kind::Make, SHORT, 0);
    let light = cargo(&mut world, SHORT, 0);
    world.run(60 * SECOND);
    let ratio = world.mean(heavy, 1) / world.mean(light, 1);
    let mut row = Row::new("weights 3:1", &world, 1);
    row.bound("ratio", ratio, 2.7..=3.3);
    row.bound("Jain", world.jain(&[heavy, light], 1), 0.98..=1.0);
    table.add(row);
}

/// One cargo with a hundred processes does not starve five makes.
pub(crate) fn cargo_among_makes(table: &mut Table) {
    let mut world = world(10 * SECOND);
    let mut builds = vec![cargo(&mut world, SHORT, 0)];
    for name in ["make", "make", "make", "make", "make"] {
        builds.push(one(&mut world, name, Kind::Make, SHORT));
    }
    world.run(60 * SECOND);
    let mut row = Row::new("cargo, 5 makes", &world, 1);
    row.bound("Jain", world.jain(&builds, 1), 0.98..=1.0);
    row.bound("utilisation", world.utilisation(1), 0.98..=1.0);
    table.add(row);
}

/// A ninja that never stands in line keeps its share beside makes that always do, and costs little.
pub(crate) fn lazy_ninja(table: &mut Table) {
    for (name, jobs) in [
        ("ninja, jobs 0.1-0.5 s", SHORT),
        ("ninja, jobs 1-3 s", (SECOND, 3 * SECOND)),
        ("ninja, jobs 5-20 s", (5 * SECOND, 20 * SECOND)),
    ] {
        let length = 200 * jobs.1;
        let mut world = world(length / 10);
        let ninja = world.build("ninja", 1);
        for name in ["make", "make"] {
            one(&mut world, name, Kind::Make, jobs);
        }
        world.spawn(ninja, Kind::Ninja, jobs, jobs.1);
        world.run(length);
        let idle = world.builds[ninja].idle / (length as f64 * f64::from(JOBS));
        let mut row = Row::new(name, &world, 1);
        row.bound("of its share", world.mean(ninja, 1) / 4.0, 0.8..=1.1);
        row.bound("kept idle", idle, 0.0..=0.02);
        row.bound("utilisation", world.utilisation(1), 0.97..=1.0);
        table.add(row);
    }
}

/// A thread pool that drains the pool at its start and spins leaves the others theirs.
pub(crate) fn draining_llvm(table: &mut Table) {
    let mut world = world(10 * SECOND);
    let mut builds = vec![one(&mut world, "llvm", Kind::Llvm, SHORT)];
    for name in ["make", "make"] {
        builds.push(one(&mut world, name, Kind::Make, SHORT));
    }
    world.run(60 * SECOND);
    let mut row = Row::new("llvm, 2 makes", &world, 1);
    row.bound("Jain", world.jain(&builds, 1), 0.98..=1.0);
    row.bound("utilisation", world.utilisation(1), 0.98..=1.0);
    table.add(row);
}

/// Who takes tokens and sits on them gets no more than it holds; the rest share what is left.
pub(crate) fn idle_holder(table: &mut Table) {
    let mut world = world(10 * SECOND);
    let mut builds = Vec::new();
    for name in ["make", "make"] {
        builds.push(one(&mut world, name, Kind::Make, SHORT));
    }
    let holder = world.build("holder", 1);
    world.spawn(holder, Kind::Holder, SHORT, SECOND);
    let cargo = cargo(&mut world, SHORT, 2 * SECOND);
    builds.push(cargo);
    world.run(60 * SECOND);
    let mut row = Row::new("idle holder", &world, 1);
    row.bound("Jain of the others", world.jain(&builds, 1), 0.98..=1.0);
    row.bound("utilisation", world.utilisation(1), 0.97..=1.0);
    table.add(row);
}

/// What a crasher leaves is used at once.
pub(crate) fn crasher(table: &mut Table) {
    let mut world = world(10 * SECOND);
    let make = one(&mut world, "make", Kind::Make, SHORT);
    let crasher = world.build("crasher", 1);
    for _ in 0..20 {
        world.spawn(crasher, Kind::Crasher, SHORT, 0);
    }
    world.run(60 * SECOND);
    let mut row = Row::new("crasher, make", &world, 1);
    row.bound("Jain", world.jain(&[make, crasher], 1), 0.98..=1.0);
    row.bound("utilisation", world.utilisation(1), 0.98..=1.0);
    table.add(row);
}

/// Two hundred clients that come and go beside builds that stay: nobody waits longer than a job for
/// each that waited when it came.
pub(crate) fn come_and_go(table: &mut Table) {
    let jobs = (100 * MS, SECOND);
    let mut world = world(10 * SECOND);
    cargo(&mut world, jobs, 0);
    one(&mut world, "make", Kind::Make, jobs);
    one(&mut world, "ninja", Kind::Ninja, jobs);
    let visitors = world.build("visitors", 1);
    // Ten times two hundred, somewhat more than the pool can bear.
    for n in 0..2000 {
        let way = if n % 2 == 0 { Way::Read } else { Way::Poll };
        let start = world.random.u64(..90 * SECOND);
        let kind = Kind::Visitor(way);
        if n % 3 == 0 {
            world.spawn(visitors, kind, jobs, start);
        } else {
            world.spawn_alone(visitors, kind, jobs, start);
        }
    }
    world.run(240 * SECOND);
    let served = world
        .processes
        .iter()
        .all(|process| process.waiting.is_none() || !matches!(process.kind, Kind::Visitor(_)));
    let worst = world.builds.iter().map(|build| build.worst_turn);
    let worst = worst.fold(0.0, f64::max);
    let mut row = Row::new("2,000 come and go", &world, 1);
    row.bound("longest wait over (waiting x job)", worst, 0.0..=1.0);
    row.bound("all served", f64::from(served), 1.0..=1.0);
    table.add(row);
}
