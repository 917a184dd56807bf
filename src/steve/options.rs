//! The command line of the service.

mod table;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cli::{self, Error, Parsed};
use crate::sys::cpus;

pub use table::PROGRAM;

/// Most tokens that a pool can have.
pub const MAX_JOBS: u16 = 4096;
/// One, in the millionths of a decimal.
const ONE: i64 = 1_000_000;

/// What the command line asks for, validated as far as that needs nothing but the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Tokens in the pool, 1 to [`MAX_JOBS`]; `None` is one for each CPU ([`Options::jobs`]).
    pub jobs: Option<u16>,
    /// Tokens that stay available whatever the limits say, 0 to the number of jobs.
    pub min_jobs: u16,
    /// Most tokens of one client; 0: no such limit.
    pub per_process_limit: u16,
    /// Load above which grants stop, in millionths, above 0.
    pub load_average: Option<i64>,
    /// MiB of MemAvailable below which grants stop, above 0.
    pub min_memory_avail: Option<u32>,
    /// MiB that a job just started is expected still to take.
    pub job_memory: u32,
    /// Percent of "some" cpu stall above which grants stop, in millionths, above 0 and up to 100.
    pub max_cpu_pressure: Option<i64>,
    /// The same for memory.
    pub max_memory_pressure: Option<i64>,
    /// The same for io.
    pub max_io_pressure: Option<i64>,
    /// Seconds between looks at the limits while someone waits on them, in millionths, above 0.
    pub load_recheck_timeout: i64,
    /// The device is /dev/ and this.
    pub dev_name: String,
    /// The file to serve in place of a device.
    pub mount: Option<PathBuf>,
    /// Group of the node: a name or a gid.
    pub group: Option<OsString>,
    /// Mode of the node, up to 0777.
    pub mode: Option<u32>,
    /// User to become: a name or a uid.
    pub user: Option<OsString>,
    /// Returns that the caller has no token for are taken from its build.
    pub lenient_returns: bool,
    /// Say what changes.
    pub verbose: bool,
    /// Say what is asked and answered.
    pub debug: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            jobs: None,
            min_jobs: 1,
            per_process_limit: 0,
            load_average: None,
            min_memory_avail: None,
            job_memory: 0,
            max_cpu_pressure: None,
            max_memory_pressure: None,
            max_io_pressure: None,
            load_recheck_timeout: ONE / 2,
            dev_name: "steve".to_string(),
            mount: None,
            group: None,
            mode: None,
            user: None,
            lenient_returns: false,
            verbose: false,
            debug: false,
        }
    }
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve.
    Serve(Options),
    /// Print this text to stdout and end.
    Print(String),
}

impl Options {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    ///
    /// The first bad one; then what does not fit together once all are known.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, Error> {
        let mut options = Options::default();
        match cli::parse(&PROGRAM, &mut options, args)? {
            Parsed::Text(text) => return Ok(Command::Print(text)),
            Parsed::Rest(rest) => {
                if let Some(argument) = rest.into_iter().next() {
                    return Err(Error::UnexpectedArgument(argument));
                }
            }
        }
        let jobs = options.jobs();
        if options.min_jobs > jobs {
            return Err(Error::BadValue {
                option: "min-jobs",
                value: options.min_jobs.to_string().into(),
                expected: format!("a whole number from 0 to {jobs}, the number of jobs"),
            });
        }
        Ok(Command::Serve(options))
    }

    /// Tokens in the pool: as asked for, else one for each CPU that this process may use.
    pub fn jobs(&self) -> u16 {
        let cpus = || {
            u16::try_from(cpus::usable())
                .unwrap_or(MAX_JOBS)
                .min(MAX_JOBS)
        };
        self.jobs.unwrap_or_else(cpus)
    }
}
