//! The ledger in virtual time among models of its clients: fairness, waits, limits.
//!
//! Prints what each scenario has shown and fails if a bound is not held. An argument runs only the
//! scenarios whose names contain it; `STEVE_SEED` changes the lengths of the jobs.

// What is not as expected ends the run, and is meant to.
#![allow(clippy::expect_used)]

mod clients;
mod limits;
mod measure;
mod sharing;
mod table;
mod world;

use std::io::Write as _;
use std::process::ExitCode;

use table::Table;

type Scenario = (&'static str, fn(&mut Table));

const SCENARIOS: &[Scenario] = &[
    ("alone", sharing::alone),
    ("two_builds", sharing::two_builds),
    ("weights", sharing::weights),
    ("cargo_among_makes", sharing::cargo_among_makes),
    ("lazy_ninja", sharing::lazy_ninja),
    ("draining_llvm", sharing::draining_llvm),
    ("idle_holder", sharing::idle_holder),
    ("crasher", sharing::crasher),
    ("come_and_go", sharing::come_and_go),
    ("load", limits::load),
    ("memory", limits::memory),
];

fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let mut table = Table::default();
    for (name, scenario) in SCENARIOS {
        if wanted.as_ref().is_none_or(|wanted| name.contains(wanted)) {
            scenario(&mut table);
        }
    }
    let _ = std::io::stdout().write_all(table.to_string().as_bytes());
    if table.held() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
