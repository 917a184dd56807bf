//! The behaviour of steve and stevie, on real processes, over CUSE or FUSE.
//!
//! One source for both: `TRANSPORT` in the environment says which ([`kit::transport`]). The same
//! program is the client process of its own tests: `suite be-client`.

#![allow(unreachable_pub, missing_docs, reason = "a program of its own")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and tells on stderr"
)]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use kit::Transport;

/// Names the tests of a module; one that is left out is an error, since nothing uses it.
macro_rules! tests {
    ($($name:ident),+ $(,)?) => {
        pub const TESTS: &[crate::Test] = &[$((stringify!($name), $name)),+];
    };
}

mod bridge;
mod builds;
mod chaos;
mod command;
mod control;
mod device;
mod fairness;
mod file;
mod interrupt;
mod kit;
mod limits;
mod namespaces;
mod poll;
mod process;
mod read;
mod serving;
mod start;
mod status;
mod steady;
mod tables;
mod terminal;
mod write;

/// A test and its name.
type Test = (&'static str, fn());

/// The tests of every module, and the one way of being served that they are about, if so.
const MODULES: &[(&str, Option<Transport>, &[Test])] = &[
    ("read", None, read::TESTS),
    ("write", None, write::TESTS),
    ("poll", None, poll::TESTS),
    ("process", None, process::TESTS),
    ("interrupt", None, interrupt::TESTS),
    ("control", None, control::TESTS),
    ("serving", None, serving::TESTS),
    ("start", None, start::TESTS),
    ("status", None, status::TESTS),
    ("terminal", None, terminal::TESTS),
    ("namespaces", None, namespaces::TESTS),
    ("fairness", None, fairness::TESTS),
    ("limits", None, limits::TESTS),
    ("tables", Some(Transport::Fuse), tables::TESTS),
    ("steady", Some(Transport::Fuse), steady::TESTS),
    ("builds", None, builds::TESTS),
    ("chaos", None, chaos::TESTS),
    ("device", Some(Transport::Cuse), device::TESTS),
    ("file", Some(Transport::Fuse), file::TESTS),
    ("command", None, command::TESTS),
    ("bridge", None, bridge::TESTS),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    match words.get(1).map(String::as_str) {
        Some("be-client") => kit::worker::main(words.get(2)),
        Some("be-wild") => chaos::client::main(&words[2..]),
        _ => {}
    }
    kit::sys::stop_ignoring_signals();
    let transport = Transport::current();
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for &(module, only, tests) in MODULES {
        if only.is_none_or(|only| only == transport) {
            for &(name, test) in tests {
                let name = format!("{module}::{name}");
                trials.push(Trial::ignorable_test(name, move || run(transport, test)));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs one test; where it cannot run it is skipped, but not in CI.
fn run(transport: Transport, test: fn()) -> Result<Completion, Failed> {
    match transport.missing() {
        Some(why) if std::env::var_os("CI").is_some() => Err(format!("cannot run: {why}").into()),
        Some(why) => Ok(Completion::ignored_with(why)),
        None => {
            test();
            Ok(Completion::Completed)
        }
    }
}
