//! How many tokens may be in use now: one pure function of settings, readings and use.

use super::settings::Settings;

/// What the kernel accounts stalls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Runnable and waiting for a CPU.
    Cpu,
    /// Waiting for memory.
    Memory,
    /// Waiting for storage.
    Io,
}

/// What may say stop although tokens are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The load average.
    Load,
    /// Available memory.
    Memory,
    /// The share of time that some task was stalled.
    Pressure(Resource),
}

impl Limit {
    /// All limits, in the order of their numbers.
    pub const ALL: [Limit; 5] = [
        Limit::Load,
        Limit::Memory,
        Limit::Pressure(Resource::Cpu),
        Limit::Pressure(Resource::Memory),
        Limit::Pressure(Resource::Io),
    ];

    /// The limit's place in [`Limit::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Limit::Load => 0,
            Limit::Memory => 1,
            Limit::Pressure(resource) => 2 + resource as usize,
        }
    }
}

impl Settings {
    /// Whether anything but the number of jobs caps the pool.
    pub(super) fn has_limits(&self) -> bool {
        Limit::ALL.iter().any(|&limit| self.watches(limit))
    }

    /// Whether `limit` is set.
    pub fn watches(&self, limit: Limit) -> bool {
        match limit {
            Limit::Load => self.load_average.is_some(),
            Limit::Memory => self.min_memory_avail.is_some(),
            Limit::Pressure(resource) => self.max_pressure[resource as usize].is_some(),
        }
    }
}

/// What was last seen of the machine; `None` where it could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// The load average of a minute, in millionths.
    pub load1: Option<i64>,
    /// MemAvailable, MiB.
    pub memory_available: Option<u64>,
    /// "some avg10" of cpu, memory and io, percent in millionths.
    pub pressure: [Option<i64>; 3],
}

/// What the pool itself has in use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Tokens held and reserved.
    pub in_use: u16,
    /// Tokens held for less than [`YOUNG`](super::YOUNG), or reserved.
    pub young: u16,
    /// What the pool has already added to the load average (`load.rs`).
    pub load_share: f64,
}

/// Tokens that may be in use at the same time as far as `limit` goes: `None` where it is not set,
/// or there is nothing to hold it against.
fn room_under(
    limit: Limit,
    settings: &Settings,
    readings: &Readings,
    usage: &Usage,
) -> Option<u16> {
    match limit {
        Limit::Load => {
            let spare = settings.load_average? - readings.load1?;
            // The cast saturates, and takes the fraction off.
            Some((spare as f64 / 1e6 + usage.load_share + LOAD_SLACK) as u16)
        }
        Limit::Memory => {
            let spare = readings
                .memory_available?
                .checked_sub(settings.min_memory_avail?);
            // The job that asks counts as one just started: it will grow like the others.
            let starts = spare.map_or(0, |spare| {
                spare.checked_div(settings.job_memory).unwrap_or(u64::MAX)
            });
            let more = u16::try_from(starts)
                .unwrap_or(u16::MAX)
                .saturating_sub(usage.young);
            Some(usage.in_use.saturating_add(more))
        }
        Limit::Pressure(resource) => {
            let seen = readings.pressure[resource as usize]?;
            let most = settings.max_pressure[resource as usize]?;
            Some(if seen > most { 0 } else { u16::MAX })
        }
    }
}

/// By how much a grant may seem to pass the load limit. The kernel shows the load in hundredths
/// and samples it at moments that we do not know; without this the last token would stay out of
/// use for minutes at some of them.
const LOAD_SLACK: f64 = 0.4;

/// How many tokens may be in use: `jobs`, or less where a limit says stop, but never less than
/// `min_jobs`.
pub fn room(settings: &Settings, readings: &Readings, usage: &Usage) -> u16 {
    let under = |&limit: &Limit| room_under(limit, settings, readings, usage);
    let tightest = Limit::ALL
        .iter()
        .filter_map(under)
        .min()
        .unwrap_or(u16::MAX);
    tightest.clamp(settings.min_jobs, settings.jobs)
}

/// Whether `limit` stands against one token more.
pub fn says_stop(limit: Limit, settings: &Settings, readings: &Readings, usage: &Usage) -> bool {
    room_under(limit, settings, readings, usage).is_some_and(|room| room <= usage.in_use)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings {
        jobs: 12,
        min_jobs: 1,
        per_process_limit: 0,
        load_average: None,
        min_memory_avail: None,
        job_memory: 0,
        max_pressure: [None; 3],
        load_recheck_timeout: std::time::Duration::from_millis(500),
        lenient_returns: false,
    };

    fn usage(in_use: u16, young: u16, load_share: f64) -> Usage {
        Usage {
            in_use,
            young,
            load_share,
        }
    }

    fn load(load1: f64) -> Readings {
        Readings {
            load1: Some((load1 * 1e6) as i64),
            ..Readings::default()
        }
    }

    fn memory(mib: u64) -> Readings {
        Readings {
            memory_available: Some(mib),
            ..Readings::default()
        }
    }

    #[test]
    fn without_limits_the_room_is_the_number_of_jobs() {
        assert_eq!(room(&SETTINGS, &load(99.0), &usage(3, 3, 0.0)), 12);
    }

    #[test]
    fn a_burst_of_grants_counts_before_the_load_average_shows_it() {
        let settings = Settings {
            load_average: Some(8_000_000),
            ..SETTINGS
        };
        assert_eq!(room(&settings, &load(0.0), &usage(0, 0, 0.0)), 8);
        assert_eq!(room(&settings, &load(0.0), &usage(8, 8, 0.0)), 8);
    }

    #[test]
    fn a_burst_of_ends_is_forgotten_before_the_load_average_shows_it() {
        let settings = Settings {
            load_average: Some(8_000_000),
            ..SETTINGS
        };
        assert_eq!(room(&settings, &load(8.0), &usage(0, 0, 8.0)), 8);
    }

    #[test]
    fn load_of_others_takes_room_down_to_min_jobs() {
        let settings = Settings {
            load_average: Some(8_000_000),
            min_jobs: 2,
            ..SETTINGS
        };
        assert_eq!(room(&settings, &load(5.0), &usage(0, 0, 0.0)), 3);
        assert_eq!(room(&settings, &load(50.0), &usage(0, 0, 0.0)), 2);
    }

    #[test]
    fn a_memory_floor_stops_below_it_and_not_at_it() {
        let settings = Settings {
            min_memory_avail: Some(1000),
            ..SETTINGS
        };
        assert_eq!(room(&settings, &memory(1000), &usage(5, 5, 0.0)), 12);
        assert_eq!(room(&settings, &memory(999), &usage(5, 5, 0.0)), 5);
    }

    #[test]
    fn job_memory_is_set_aside_for_young_jobs_and_the_one_that_asks() {
        let settings = Settings {
            min_memory_avail: Some(1000),
            job_memory: 500,
            ..SETTINGS
        };
        assert_eq!(room(&settings, &memory(2999), &usage(0, 0, 0.0)), 3);
        assert_eq!(room(&settings, &memory(2999), &usage(5, 2, 0.0)), 6);
        assert_eq!(room(&settings, &memory(2999), &usage(5, 5, 0.0)), 5);
    }

    #[test]
    fn pressure_above_its_limit_leaves_min_jobs() {
        let mut settings = SETTINGS;
        settings.max_pressure[Resource::Io as usize] = Some(20_000_000);
        let mut readings = Readings::default();
        readings.pressure[Resource::Io as usize] = Some(20_000_000);
        assert_eq!(room(&settings, &readings, &usage(4, 0, 0.0)), 12);
        readings.pressure[Resource::Io as usize] = Some(20_010_000);
        assert_eq!(room(&settings, &readings, &usage(4, 0, 0.0)), 1);
        assert!(says_stop(
            Limit::Pressure(Resource::Io),
            &settings,
            &readings,
            &usage(4, 0, 0.0)
        ));
    }

    #[test]
    fn what_cannot_be_read_does_not_stop() {
        let settings = Settings {
            load_average: Some(1),
            min_memory_avail: Some(1),
            ..SETTINGS
        };
        assert_eq!(room(&settings, &Readings::default(), &usage(4, 0, 0.0)), 12);
    }
}
