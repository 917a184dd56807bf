//! The table of the service's options, and what their setters accept.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::{MAX_JOBS, ONE, Options};
use crate::cli::{Flag, Program, Section, Take, parse_decimal};

/// Most bytes of a device name.
const MAX_DEV_NAME: usize = 63;

pub(super) const JOBS: &str = "a whole number from 1 to 4096";
pub(super) const JOBS_OR_NONE: &str = "a whole number from 0 to 4096";
pub(super) const MEBIBYTES: &str = "a whole number of MiB";
pub(super) const PERCENT: &str = "a percentage above 0, up to 100";

const DEV_NAME: &str = "1 to 63 letters, digits, \"_\", \"-\" or \".\", not only dots and dashes";

/// The command line.
pub static PROGRAM: Program<Options> = Program {
    name: "steve",
    synopsis: "[option...]",
    about: "Serve one pool of job tokens to every build on the machine.",
    sections: &[
        Section {
            title: "The pool",
            flags: &[
                Flag {
                    short: Some('j'),
                    long: "jobs",
                    take: Take::Value("N", |o, v| {
                        store(&mut o.jobs, whole(v, 1, MAX_JOBS).map(Some), JOBS)
                    }),
                    help: "tokens in the pool (default: CPUs)",
                    man: "The number of tokens in the pool, 1 to 4096.\n\
                          The default is the number of CPUs that this process may use, its affinity\n\
                          and the CPU quota of its cgroup counted.",
                },
                Flag {
                    short: Some('m'),
                    long: "min-jobs",
                    take: Take::Value("N", |o, v| {
                        store(&mut o.min_jobs, whole(v, 0, MAX_JOBS), JOBS_OR_NONE)
                    }),
                    help: "tokens available whatever the limits say (1)",
                    man: "The number of tokens that stay available whatever load, memory and\n\
                          pressure say, 0 to the number of jobs.\n\
                          The default is 1, so that builds go on, if slowly.\n\
                          With 0 they can come to a stand.",
                },
                Flag {
                    short: Some('p'),
                    long: "per-process-limit",
                    take: Take::Value("N", |o, v| {
                        store(
                            &mut o.per_process_limit,
                            whole(v, 0, MAX_JOBS),
                            JOBS_OR_NONE,
                        )
                    }),
                    help: "most tokens one process may hold (0: no limit)",
                    man: "The most tokens that one process may hold, 0 to 4096.\n\
                          The default is 0: no limit.",
                },
                Flag {
                    short: None,
                    long: "lenient-returns",
                    take: Take::Switch(|o| o.lenient_returns = true),
                    help: "let a process return what its build holds",
                    man: "Let a process give back a token that it does not hold itself: it is taken\n\
                          from the process of the same build that has held one the longest, and where\n\
                          there is none the write succeeds without effect.\n\
                          For helpers that read tokens on behalf of their parents.\n\
                          Without this option such a write fails with ENOSPC.",
                },
            ],
        },
        Section {
            title: "Limits",
            flags: &[
                Flag {
                    short: Some('l'),
                    long: "load-average",
                    take: Take::Value("X", |o, v| {
                        store(
                            &mut o.load_average,
                            positive(v).map(Some),
                            "a decimal above 0",
                        )
                    }),
                    help: "stop above this load",
                    man: "Give out no token that would bring the load average above X.\n\
                          What the jobs of the pool have already added to the load average is known\n\
                          and counted, so that a burst of starts counts at once.",
                },
                Flag {
                    short: Some('a'),
                    long: "min-memory-avail",
                    take: Take::Value("MIB", |o, v| {
                        let limit = mebibytes(v).map(|mib| (mib > 0).then_some(mib));
                        store(&mut o.min_memory_avail, limit, MEBIBYTES)
                    }),
                    help: "stop below this much available memory",
                    man: "Give out no token while less than MIB mebibytes of memory are available\n\
                          (MemAvailable in /proc/meminfo). 0, the default, is no limit.",
                },
                Flag {
                    short: None,
                    long: "job-memory",
                    take: Take::Value("MIB", |o, v| {
                        store(&mut o.job_memory, mebibytes(v), MEBIBYTES)
                    }),
                    help: "memory a new job is expected still to take (0)",
                    man: "Count MIB mebibytes as used by every job that started less than ten\n\
                          seconds ago, when memory is compared with --min-memory-avail: compilers\n\
                          grow after they have been let in. The default is 0.",
                },
                Flag {
                    short: None,
                    long: "max-cpu-pressure",
                    take: Take::Value("PERCENT", |o, v| {
                        store(&mut o.max_cpu_pressure, percent(v).map(Some), PERCENT)
                    }),
                    help: "stop above this share of time stalled on CPU",
                    man: "Give out no token while the share of time in which some task waited for\n\
                          a CPU (\"some avg10\" in /proc/pressure/cpu) is above PERCENT.",
                },
                Flag {
                    short: None,
                    long: "max-memory-pressure",
                    take: Take::Value("PERCENT", |o, v| {
                        store(&mut o.max_memory_pressure, percent(v).map(Some), PERCENT)
                    }),
                    help: "the same for memory",
                    man: "The same for /proc/pressure/memory.",
                },
                Flag {
                    short: None,
                    long: "max-io-pressure",
                    take: Take::Value("PERCENT", |o, v| {
                        store(&mut o.max_io_pressure, percent(v).map(Some), PERCENT)
                    }),
                    help: "the same for io",
                    man: "The same for /proc/pressure/io.",
                },
                Flag {
                    short: Some('r'),
                    long: "load-recheck-timeout",
                    take: Take::Value("SECONDS", |o, v| {
                        let expected = "a number of seconds above 0";
                        store(&mut o.load_recheck_timeout, positive(v), expected)
                    }),
                    help: "how often limits are looked at again (0.5)",
                    man: "How often load, memory and pressure are looked at again while someone\n\
                          waits on them. The default is 0.5 seconds.",
                },
            ],
        },
        Section {
            title: "The device",
            flags: &[
                Flag {
                    short: None,
                    long: "dev-name",
                    take: Take::Value("NAME", |o, v| store(&mut o.dev_name, dev_name(v), DEV_NAME)),
                    help: "serve /dev/NAME (steve)",
                    man: "The device becomes /dev/NAME. The default is steve.",
                },
                Flag {
                    short: None,
                    long: "mount",
                    take: Take::Value("PATH", |o, v| {
                        let path = (!v.is_empty()).then(|| Some(PathBuf::from(v)));
                        store(&mut o.mount, path, "a path")
                    }),
                    help: "serve the file PATH in place of a device",
                    man: "Serve a file at PATH, over /dev/fuse, in place of a CUSE device: for\n\
                          kernels without CUSE, for containers, and for users other than root.\n\
                          The file is created when it does not exist, and then removed at the end.",
                },
                Flag {
                    short: None,
                    long: "group",
                    take: Take::Value("GROUP", |o, v| {
                        store(&mut o.group, name(v).map(Some), "a group name or gid")
                    }),
                    help: "group of the device: a name or gid",
                    man: "Give the device or file to GROUP, a name or a gid: for machines on which\n\
                          no udev rule does so.",
                },
                Flag {
                    short: None,
                    long: "mode",
                    take: Take::Value("OCTAL", |o, v| {
                        store(&mut o.mode, mode(v).map(Some), "an octal number up to 777")
                    }),
                    help: "mode of the device, such as 0660",
                    man: "Give the device or file this mode, such as 0660.",
                },
                Flag {
                    short: Some('u'),
                    long: "user",
                    take: Take::Value("USER", |o, v| {
                        store(&mut o.user, name(v).map(Some), "a user name or uid")
                    }),
                    help: "user to become: a name or uid",
                    man: "Become USER, a name or a uid, with that user's groups, once everything\n\
                          that needs root is done.",
                },
            ],
        },
        Section {
            title: "General",
            flags: &[
                Flag {
                    short: Some('v'),
                    long: "verbose",
                    take: Take::Switch(|o| o.verbose = true),
                    help: "say what changes: clients, limits, settings",
                    man: "Print a line for every change worth knowing: a client seen, a client gone\n\
                          and its tokens taken back, a limit reached or left, a setting changed.",
                },
                Flag {
                    short: Some('d'),
                    long: "debug",
                    take: Take::Switch(|o| o.debug = true),
                    help: "say every request and reply as well",
                    man: "Print a line for every request and reply as well.",
                },
                Flag {
                    short: Some('h'),
                    long: "help",
                    take: Take::Help,
                    help: "print this help",
                    man: "Print a summary of the options.",
                },
                Flag {
                    short: Some('V'),
                    long: "version",
                    take: Take::Version,
                    help: "print the version",
                    man: "Print the version.",
                },
            ],
        },
    ],
};

/// Stores a value that was understood, else says what would have been.
fn store<T>(place: &mut T, value: Option<T>, expected: &'static str) -> Result<(), &'static str> {
    *place = value.ok_or(expected)?;
    Ok(())
}

fn whole(value: &OsStr, least: u16, most: u16) -> Option<u16> {
    let number = value.to_str()?.parse().ok()?;
    (least..=most).contains(&number).then_some(number)
}

fn mebibytes(value: &OsStr) -> Option<u32> {
    value.to_str()?.parse().ok()
}

fn positive(value: &OsStr) -> Option<i64> {
    parse_decimal(value.to_str()?).filter(|&millionths| millionths > 0)
}

fn percent(value: &OsStr) -> Option<i64> {
    positive(value).filter(|&millionths| millionths <= 100 * ONE)
}

/// The kernel takes any bytes; these are the names that a path, a shell and udev take as well.
fn dev_name(value: &OsStr) -> Option<String> {
    let name = value.to_str()?;
    let good = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let distinct = name.bytes().any(|b| b.is_ascii_alphanumeric());
    (name.len() <= MAX_DEV_NAME && name.bytes().all(good) && distinct).then(|| name.to_string())
}

fn mode(value: &OsStr) -> Option<u32> {
    let digits = value.to_str()?;
    let octal = digits.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = u32::from_str_radix(digits, 8).ok()?;
    (octal && mode <= 0o777).then_some(mode)
}

fn name(value: &OsStr) -> Option<OsString> {
    (!value.is_empty()).then(|| value.to_os_string())
}
