//! From the command line to a service that stands, and to its end.

use std::time::Duration;

use super::callers::Callers;
use super::failure::Failure;
use super::log::{Level, Log};
use super::names::Names;
use super::options::Options;
use super::pool::Pool;
use super::probe::Probe;
use super::serve::{End, serve, time};
use super::snapshots::Snapshots;
use crate::cli;
use crate::ledger::{Ledger, Limit, Resource, Settings, Sizes};
use crate::sys::channel::Channel;
use crate::sys::cuse;
use crate::sys::signals::Signals;

/// Serves as `options` say until there is a reason to end.
///
/// # Errors
/// What kept it from serving, or ended it.
pub(super) fn start(options: &Options) -> Result<(), Failure> {
    let settings = settings(options);
    let probe = Probe::open();
    check_pressure(&settings, &probe)?;
    let sizes = Sizes::default();
    let ledger = Ledger::new(settings, sizes).map_err(|_| Failure::new("bad settings"))?;
    let signals = Signals::block().map_err(|e| Failure::call("block signals", e))?;
    let callers = Callers::new(sizes).map_err(|e| Failure::call("watch processes", e))?;
    let (channel, node) = cuse::register(&options.dev_name)?;
    node.set_access(None, options.mode)?;
    let mut pool = Pool {
        ledger,
        callers,
        log: Log::new(level(options)),
        snapshots: Snapshots::default(),
        names: Names::default(),
        probe,
        file: None,
        opens: 0,
        started: time(),
        stops: [false; Limit::ALL.len()],
    };
    pool.probe.arm(&settings);
    say_hello(node.path(), &settings);
    run(&mut pool, &channel, &signals)
}

fn run(pool: &mut Pool, channel: &Channel, signals: &Signals) -> Result<(), Failure> {
    match serve(pool, channel, signals) {
        Ok(End::Signal) => Ok(()),
        Ok(End::DeviceGone) => Err(Failure::new("the device was taken away")),
        Err(errno) => Err(Failure::call("serve", errno)),
    }
}

fn level(options: &Options) -> Level {
    match (options.debug, options.verbose) {
        (true, _) => Level::Debug,
        (false, true) => Level::Verbose,
        (false, false) => Level::Quiet,
    }
}

fn settings(options: &Options) -> Settings {
    let micros = u64::try_from(options.load_recheck_timeout).unwrap_or(0);
    Settings {
        jobs: options.jobs(),
        min_jobs: options.min_jobs,
        per_process_limit: options.per_process_limit,
        load_average: options.load_average,
        min_memory_avail: options.min_memory_avail.map(u64::from),
        job_memory: u64::from(options.job_memory),
        max_pressure: [
            options.max_cpu_pressure,
            options.max_memory_pressure,
            options.max_io_pressure,
        ],
        load_recheck_timeout: Duration::from_micros(micros),
        lenient_returns: options.lenient_returns,
    }
}

fn check_pressure(settings: &Settings, probe: &Probe) -> Result<(), Failure> {
    for resource in [Resource::Cpu, Resource::Memory, Resource::Io] {
        if settings.watches(Limit::Pressure(resource)) && !probe.has_pressure(resource) {
            return Err(Failure::new("this kernel keeps no account of pressure")
                .cure("leave the pressure limits out, or boot a kernel with CONFIG_PSI (psi=1)"));
        }
    }
    Ok(())
}

/// Says that it runs, and under which limits.
fn say_hello(path: &std::path::Path, settings: &Settings) {
    let mut text = format!(
        "steve running on {} for {} jobs\n at least {} jobs will be always available\n",
        path.display(),
        settings.jobs,
        settings.min_jobs
    );
    let mut line = |what: String| text.push_str(&format!(" {what}\n"));
    if settings.per_process_limit > 0 {
        line(format!(
            "at most {} jobs for one process",
            settings.per_process_limit
        ));
    }
    if let Some(load) = settings.load_average {
        line(format!(
            "no new jobs above load average {}",
            cli::format_decimal(load)
        ));
    }
    if let Some(mib) = settings.min_memory_avail {
        line(format!("no new jobs below {mib} MiB of available memory"));
    }
    if settings.job_memory > 0 {
        line(format!(
            "{} MiB of it set aside for each job just started",
            settings.job_memory
        ));
    }
    for (what, limit) in ["cpu", "memory", "io"].iter().zip(settings.max_pressure) {
        if let Some(percent) = limit {
            line(format!(
                "no new jobs above {} % {what} pressure",
                cli::format_decimal(percent)
            ));
        }
    }
    // Nobody need listen.
    let _ = cli::print(&text);
}
