//! The table of the client's options.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use super::{Action, Auth, Options};
use crate::cli::{Flag, Program, Section, Take, parse_decimal};
use crate::ioctl::Setting;

/// An option that prints a setting.
macro_rules! get {
    ($setting:ident, $long:literal, $help:literal, $man:literal) => {
        Flag {
            short: None,
            long: $long,
            take: Take::Switch(|o: &mut Options| o.get(Setting::$setting)),
            help: $help,
            man: $man,
        }
    };
}

/// An option that changes a setting.
macro_rules! set {
    ($setting:ident, $long:literal $value:literal, $help:literal, $man:literal) => {
        Flag {
            short: None,
            long: $long,
            take: Take::Value($value, |o: &mut Options, v| o.set(Setting::$setting, v)),
            help: $help,
            man: $man,
        }
    };
}

const AUTH: &str = "\"fifo\", \"fds\", \"bridge\" or \"auto\"";
const TOKENS: &str = "a whole number from 1 to 4096";
const PID: &str = "a process id";
const SECONDS: &str = "a number of seconds, at least 0.1";
const WEIGHT: &str = "a whole number from 1 to 100";
const MEBIBYTES: &str = "a whole number of MiB above 0";

/// How often `--watch` looks unless it is told.
const PERIOD: Duration = Duration::from_secs(1);

/// The command line.
pub static PROGRAM: Program<Options> = Program {
    name: "stevie",
    synopsis: "[option...] [command [argument...]]",
    about: "Run a command in steve's pool of job tokens; look at the pool and change it.",
    sections: &[COMMAND, LOOK, CHANGE, GENERAL],
};

const COMMAND: Section<Options> = Section {
    title: "For the command",
    flags: &[
        Flag {
            short: None,
            long: "auth",
            take: Take::Value("HOW", |o, v| {
                o.auth = Some(auth(v).ok_or(AUTH)?);
                Ok(())
            }),
            help: "how it reaches the pool: fifo, fds, bridge, auto",
            man: "How the command reaches the pool.\n\
                  \"fifo\" names the device in MAKEFLAGS.\n\
                  \"fds\" opens the device and names the descriptors: for GNU make up to 4.3 and\n\
                  others that know no other way.\n\
                  \"bridge\" makes a real FIFO and moves tokens between it and the device as long\n\
                  as the command runs: for ninja 1.13.0 to 1.13.2 and others that insist on a\n\
                  FIFO. At most one token lies in the FIFO unasked for.\n\
                  \"auto\", the default, picks among these where the command is a make or ninja,\n\
                  by its version, and is \"fifo\" for everything else.\n\
                  --verbose says what it has picked, and why.",
        },
        Flag {
            short: None,
            long: "limit",
            take: Take::Value("N", |o, v| {
                o.build.limit = number(v, 1, 4096).ok_or(TOKENS)?;
                Ok(())
            }),
            help: "most tokens that its build may hold",
            man: "The most tokens that the command and all that it starts may hold together.",
        },
        Flag {
            short: None,
            long: "weight",
            take: Take::Value("N", |o, v| {
                o.build.weight = number(v, 1, 100).ok_or(WEIGHT)?;
                Ok(())
            }),
            help: "count its build as N builds, 1 to 100 (1)",
            man: "Count the command's build as N builds when tokens are shared, 1 to 100.\n\
                  The default is 1.",
        },
        Flag {
            short: None,
            long: "lease-jobs",
            take: Take::Value("N", |o, v| {
                o.build.lease_jobs = number(v, 1, 4096).ok_or(TOKENS)?;
                Ok(())
            }),
            help: "lower the whole pool to N jobs while it lives",
            man: "Lower the whole pool to N jobs for as long as the command lives.\n\
                  The strictest of all leases and of the setting holds, and a lease ends with its\n\
                  command, however that ends.",
        },
        Flag {
            short: None,
            long: "lease-min-memory-avail",
            take: Take::Value("MIB", |o, v| {
                let least = number(v, 1, u32::MAX).ok_or(MEBIBYTES)?;
                o.build.lease_min_memory_avail = least.into();
                Ok(())
            }),
            help: "raise the memory floor to MIB while it lives",
            man: "Give out no token to anyone while less than MIB mebibytes of memory are\n\
                  available, for as long as the command lives.",
        },
    ],
};

const LOOK: Section<Options> = Section {
    title: "Look",
    flags: &[
        Flag {
            short: Some('t'),
            long: "get-tokens",
            take: Take::Switch(|o| o.actions.push(Action::GetTokens)),
            help: "tokens that could be taken now",
            man: "Print the number of tokens that could be taken now.",
        },
        Flag {
            short: None,
            long: "status",
            take: Take::Switch(|o| o.actions.push(Action::Status)),
            help: "who holds tokens, who waits, and why",
            man: "Print the report: who holds tokens and for how long, who waits and why, and the\n\
                  limits that say stop. steve prints the same on SIGUSR1.",
        },
        Flag {
            short: None,
            long: "json",
            take: Take::Switch(|o| o.json = true),
            help: "the same and more as one JSON document",
            man: "Print the status as one JSON document, described below.",
        },
        Flag {
            short: None,
            long: "watch",
            take: Take::Optional("SECONDS", |o, v| {
                let period = v.map_or(Some(PERIOD), seconds).ok_or(SECONDS)?;
                o.actions.push(Action::Watch(period));
                Ok(())
            }),
            help: "the same as it changes, looked at every second",
            man: "Show the pool on the terminal as it changes, looked at every SECONDS, by default\n\
                  every second, until q is pressed. The number may also be an argument of its own.\n\
                  Where stdout is no terminal, print the report each time.",
        },
        Flag {
            short: None,
            long: "metrics",
            take: Take::Switch(|o| o.actions.push(Action::Metrics)),
            help: "its figures for Prometheus",
            man: "Print the pool's figures in the text format of Prometheus, as the textfile\n\
                  collector of node_exporter takes them.",
        },
        get!(
            Jobs,
            "get-jobs",
            "tokens in the pool",
            "Print the number of tokens in the pool."
        ),
        get!(
            MinJobs,
            "get-min-jobs",
            "tokens available whatever the limits say",
            "Print the number of tokens that stay available whatever load, memory and pressure say."
        ),
        get!(
            PerProcessLimit,
            "get-per-process-limit",
            "most tokens of one process, 0: no limit",
            "Print the most tokens that one process may hold, or 0 where there is no such limit."
        ),
        get!(
            LoadAverage,
            "get-load-average",
            "load above which none is given, -1: no limit",
            "Print the load average above which no token is given out, or -1."
        ),
        get!(
            LoadRecheckTimeout,
            "get-load-recheck-timeout",
            "seconds between looks at the limits",
            "Print how often, in seconds, the limits are looked at while someone waits on them."
        ),
        get!(
            MinMemoryAvail,
            "get-min-memory-avail",
            "MiB below which none is given, -1: no limit",
            "Print the mebibytes of available memory below which no token is given out, or -1."
        ),
        get!(
            JobMemory,
            "get-job-memory",
            "MiB that a new job is expected still to take",
            "Print the mebibytes that a job just started is expected still to take."
        ),
        get!(
            MaxCpuPressure,
            "get-max-cpu-pressure",
            "percent stalled on CPU, -1: no limit",
            "Print the CPU pressure, in percent, above which no token is given out, or -1."
        ),
        get!(
            MaxMemoryPressure,
            "get-max-memory-pressure",
            "percent stalled on memory, -1: no limit",
            "Print the memory pressure, in percent, above which no token is given out, or -1."
        ),
        get!(
            MaxIoPressure,
            "get-max-io-pressure",
            "percent stalled on io, -1: no limit",
            "Print the io pressure, in percent, above which no token is given out, or -1."
        ),
    ],
};

const CHANGE: Section<Options> = Section {
    title: "Change",
    flags: &[
        Flag {
            short: None,
            long: "reclaim",
            take: Take::Value("PID", |o, v| {
                let pid = number(v, 1, i32::MAX.unsigned_abs()).ok_or(PID)?;
                o.actions.push(Action::Reclaim(pid));
                Ok(())
            }),
            help: "take back the tokens of a process",
            man: "Take back the tokens of the process PID, which sits on them, and print how many\n\
                  that were. For root and the user that steve runs as.",
        },
        set!(
            Jobs,
            "set-jobs" "N",
            "tokens in the pool, 1 to 4096",
            "Set the number of tokens in the pool, 1 to 4096. When it is lowered nothing is taken\n\
             away: no token is given out until enough have come back."
        ),
        set!(
            MinJobs,
            "set-min-jobs" "N",
            "tokens available whatever the limits say",
            "Set the number of tokens that stay available whatever load, memory and pressure say,\n\
             0 to the number of jobs."
        ),
        set!(
            PerProcessLimit,
            "set-per-process-limit" "N",
            "most tokens of one process, 0: no limit",
            "Set the most tokens that one process may hold, 0 for no such limit."
        ),
        set!(
            LoadAverage,
            "set-load-average" "X",
            "load above which none is given, 0: no limit",
            "Set the load average above which no token is given out, 0 or less for no limit."
        ),
        set!(
            LoadRecheckTimeout,
            "set-load-recheck-timeout" "SECONDS",
            "seconds between looks at the limits",
            "Set how often the limits are looked at while someone waits on them."
        ),
        set!(
            MinMemoryAvail,
            "set-min-memory-avail" "MIB",
            "MiB below which none is given, 0: no limit",
            "Set the mebibytes of available memory below which no token is given out, 0 or less\n\
             for no limit."
        ),
        set!(
            JobMemory,
            "set-job-memory" "MIB",
            "MiB that a new job is expected still to take",
            "Set the mebibytes that a job just started is expected still to take."
        ),
        set!(
            MaxCpuPressure,
            "set-max-cpu-pressure" "PERCENT",
            "percent stalled on CPU, 0: no limit",
            "Set the CPU pressure above which no token is given out, 0 or less for no limit."
        ),
        set!(
            MaxMemoryPressure,
            "set-max-memory-pressure" "PERCENT",
            "percent stalled on memory, 0: no limit",
            "Set the memory pressure above which no token is given out, 0 or less for no limit."
        ),
        set!(
            MaxIoPressure,
            "set-max-io-pressure" "PERCENT",
            "percent stalled on io, 0: no limit",
            "Set the io pressure above which no token is given out, 0 or less for no limit."
        ),
    ],
};

const GENERAL: Section<Options> = Section {
    title: "General",
    flags: &[
        Flag {
            short: Some('D'),
            long: "device",
            take: Take::Value("PATH", |o, v| {
                o.device = Some((!v.is_empty()).then(|| PathBuf::from(v)).ok_or("a path")?);
                Ok(())
            }),
            help: "the device ($STEVE_DEVICE, else /dev/steve)",
            man: "The device, or the file that steve serves.\n\
                  The default is the value of $STEVE_DEVICE, else /dev/steve.",
        },
        Flag {
            short: Some('v'),
            long: "verbose",
            take: Take::Switch(|o| o.verbose = true),
            help: "say what --auth auto picks, and why",
            man: "Say on stderr what --auth auto picks, and why.",
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
};

/// A period that a person can follow, and that leaves the service its time.
pub(super) fn seconds(value: &OsStr) -> Option<Duration> {
    let millionths = u64::try_from(parse_decimal(value.to_str()?)?).ok()?;
    (millionths >= 100_000).then(|| Duration::from_micros(millionths))
}

fn auth(value: &OsStr) -> Option<Auth> {
    Auth::ALL.into_iter().find(|auth| value == auth.name())
}

fn number(value: &OsStr, least: u32, most: u32) -> Option<u32> {
    let number = value.to_str()?.parse().ok()?;
    (least..=most).contains(&number).then_some(number)
}
