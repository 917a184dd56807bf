//! What an administrator sets.

use std::time::Duration;

/// Most tokens that a pool may have.
pub const MAX_JOBS: u16 = 4096;

/// The settings of a pool; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Tokens in the pool: 1 to [`MAX_JOBS`].
    pub jobs: u16,
    /// Tokens that stay available whatever the limits say: 0 to `jobs`.
    pub min_jobs: u16,
    /// Most tokens that one client may hold; 0 is no limit.
    pub per_process_limit: u16,
    /// Load above which grants stop, in millionths.
    pub load_average: Option<i64>,
    /// MiB of available memory below which grants stop.
    pub min_memory_avail: Option<u64>,
    /// MiB that a job just started is expected still to take.
    pub job_memory: u64,
    /// Percent of "some" stall above which grants stop, in millionths: cpu, memory, io.
    pub max_pressure: [Option<i64>; 3],
    /// How often the limits are looked at again while someone waits on them.
    pub load_recheck_timeout: Duration,
    /// Whether a token may be given back by another client of the build.
    pub lenient_returns: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            jobs: 1,
            min_jobs: 1,
            per_process_limit: 0,
            load_average: None,
            min_memory_avail: None,
            job_memory: 0,
            max_pressure: [None; 3],
            load_recheck_timeout: Duration::from_millis(500),
            lenient_returns: false,
        }
    }
}

/// The settings contradict each other or are out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid;

impl Settings {
    /// Whether every number is in its range.
    ///
    /// # Errors
    /// [`Invalid`] if one is not.
    pub fn check(&self) -> Result<(), Invalid> {
        let percent = |limit: &Option<i64>| limit.is_none_or(|x| 0 < x && x <= 100_000_000);
        let valid = (1..=MAX_JOBS).contains(&self.jobs)
            && self.min_jobs <= self.jobs
            && self.per_process_limit <= MAX_JOBS
            && self.load_average.is_none_or(|load| load > 0)
            && self.max_pressure.iter().all(percent)
            && !self.load_recheck_timeout.is_zero();
        if valid { Ok(()) } else { Err(Invalid) }
    }
}

/// What one process asks of the whole pool for as long as it lives. The strictest of the settings
/// and of all leases holds for everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// No more than so many jobs; at least 1.
    pub jobs: Option<u16>,
    /// MiB of memory that must be available.
    pub min_memory_avail: Option<u32>,
}

impl Lease {
    pub(super) fn is_empty(&self) -> bool {
        *self == Lease::default()
    }

    /// Tightens `settings` to what this lease asks.
    pub(super) fn tighten(&self, settings: &mut Settings) {
        if let Some(jobs) = self.jobs {
            settings.jobs = settings.jobs.min(jobs.max(1));
            settings.min_jobs = settings.min_jobs.min(settings.jobs);
        }
        // `None` is less than any floor.
        let floor = self.min_memory_avail.map(u64::from);
        settings.min_memory_avail = settings.min_memory_avail.max(floor);
    }
}
