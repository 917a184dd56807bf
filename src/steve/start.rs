//! From the command line to a service that stands, and to its end.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{getgid, getuid};
use rustix::thread::CapabilitySet;

use super::callers::Callers;
use super::failure::Failure;
use super::file::File;
use super::log::{Level, Log};
use super::names::Names;
use super::options::Options;
use super::pool::Pool;
use super::probe::Probe;
use super::serve::{End, serve, time};
use super::snapshots::Snapshots;
use crate::cli;
use crate::ledger::{Ledger, Limit, Resource, Settings, Sizes, Time};
use crate::sys::channel::Channel;
use crate::sys::events::Events;
use crate::sys::mount::Mount;
use crate::sys::notify::Notify;
use crate::sys::signals::Signals;
use crate::sys::users::{self, User};
use crate::sys::{cuse, file_limit, mount, privileges, seccomp};

/// Mode of the file where none is asked for.
const FILE_MODE: u32 = 0o660;

/// Descriptors that are none of the clients' pidfds, and some to spare.
const OTHER_FILES: u64 = 64;

const CONFINED: &str = "no system calls but those it needs from here on (seccomp)";
const NOT_CONFINED: &str =
    "this kernel has no seccomp filters, so the system calls are not limited";

/// Serves as `options` say until there is a reason to end.
///
/// The order: all that can fail for a bad option; what needs root; the device; giving up root;
/// and only then the word that it runs.
///
/// # Errors
/// What kept it from serving, or ended it.
pub(super) fn start(options: &Options) -> Result<(), Failure> {
    let settings = settings(options);
    let probe = Probe::open();
    check_pressure(&settings, &probe)?;
    let user = options
        .user
        .as_deref()
        .map(|user| users::user(&user.to_string_lossy()));
    let user = user.transpose()?;
    let group = options
        .group
        .as_deref()
        .map(|group| users::group(&group.to_string_lossy()));
    let group = group.transpose()?;
    let sizes = Sizes::default();
    file_limit::raise(u64::from(sizes.clients) + OTHER_FILES);
    let signals = Signals::block().map_err(|e| Failure::call("block signals", e))?;
    let notify =
        Notify::connect().map_err(|e| Failure::new(format!("cannot reach $NOTIFY_SOCKET: {e}")))?;

    let (channel, served) = stand(options, group, user.as_ref())?;
    let mut pool = Pool {
        ledger: Ledger::new(settings, sizes).map_err(|_| Failure::new("settings out of range"))?,
        callers: Callers::new(sizes),
        events: Events::new().map_err(|e| Failure::call("wait for events", e))?,
        log: Log::new(level(options)),
        snapshots: Snapshots::default(),
        names: Names::default(),
        probe,
        file: served.file(),
        opens: 0,
        started: time(),
        user: user
            .as_ref()
            .map_or_else(|| getuid().as_raw(), |user| user.uid),
        stops: ([false; Limit::ALL.len()], Time::default()),
    };
    pool.probe.arm(&settings, &pool.events);
    if let Some(user) = &user {
        privileges::become_user(user)?;
    }
    privileges::harden(CapabilitySet::empty())?;
    let confined = seccomp::confine().map_err(|e| Failure::call("confine the service", e))?;

    say_hello(served.path(), &settings);
    pool.log
        .verbose(|| if confined { CONFINED } else { NOT_CONFINED });
    if let (Some(_), Some(seconds)) = (&options.mount, mount::request_timeout()) {
        pool.log.warn(format_args!(
            "this kernel ends a mount when a client has waited {seconds} s; set fs.fuse.default_request_timeout and max_request_timeout to 0"
        ));
    }
    let tell = |state| notify.iter().for_each(|notify| notify.send(state));
    tell("READY=1");
    let end = serve(&mut pool, &channel, &signals);
    tell("STOPPING=1");
    match end {
        Ok(End::Signal) => Ok(()),
        Ok(End::DeviceGone) => Err(Failure::new("the device was taken away")),
        Err(errno) => Err(Failure::call("serve", errno)),
    }
}

/// What clients open. It goes when this does.
enum Served {
    Device(cuse::Node),
    File(Mount, File),
}

impl Served {
    fn path(&self) -> &Path {
        match self {
            Served::Device(node) => node.path(),
            Served::File(mount, _) => mount.path(),
        }
    }

    fn file(&self) -> Option<File> {
        match self {
            Served::Device(_) => None,
            Served::File(_, file) => Some(*file),
        }
    }
}

/// Makes the device, or mounts the file.
fn stand(
    options: &Options,
    group: Option<u32>,
    user: Option<&User>,
) -> Result<(Channel, Served), Failure> {
    let Some(path) = &options.mount else {
        let (channel, node) = cuse::register(&options.dev_name)?;
        node.set_access(group, options.mode)?;
        return Ok((channel, Served::Device(node)));
    };
    let (channel, mount) = mount::mount(path)?;
    let uid = user.map_or(getuid().as_raw(), |user| user.uid);
    let gid = user.map_or(getgid().as_raw(), |user| user.gid);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mode = options.mode.unwrap_or(FILE_MODE);
    let file = File::new(mode, uid, group.unwrap_or(gid), now.as_secs());
    Ok((channel, Served::File(mount, file)))
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
