//! The control protocol as the service hears it: numbers and bytes become questions and changes.

use std::time::Duration;

use rustix::io::Errno;

use crate::ioctl::{self, Register, Setting};
use crate::ledger::{
    Invalid, Lease, Ledger, MAX_JOBS, MAX_WEIGHT, Registration, Resource, Settings,
};

/// One, in millionths.
const ONE: i64 = 1_000_000;

/// What an ioctl asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// The tokens that could be taken now.
    Tokens,
    /// A setting.
    Get(Setting),
    /// A setting to change.
    Set(Setting, i64),
    /// A build to begin.
    Register(Register),
    /// A snapshot to take.
    SnapshotTake,
    /// A piece of it.
    SnapshotNext,
    /// Tokens to take back from a process.
    Reclaim(u32),
}

impl Ask {
    /// What `cmd` with `input` means.
    ///
    /// # Errors
    /// `NOTTY` for a number that is none of ours.
    pub(super) fn parse(cmd: u32, input: &[u8]) -> Result<Ask, Errno> {
        let ask = match cmd {
            ioctl::GET_TOKENS => Ask::Tokens,
            ioctl::SNAPSHOT_TAKE => Ask::SnapshotTake,
            ioctl::SNAPSHOT_NEXT => Ask::SnapshotNext,
            ioctl::REGISTER => Ask::Register(register(input).ok_or(Errno::INVAL)?),
            ioctl::RECLAIM => Ask::Reclaim(u32::from_ne_bytes(array(input)?)),
            cmd => {
                let is_getter = |setting: &Setting| setting.getter() == cmd;
                let is_setter = |setting: &Setting| setting.setter() == cmd;
                if let Some(setting) = Setting::ALL.into_iter().find(is_getter) {
                    Ask::Get(setting)
                } else if let Some(setting) = Setting::ALL.into_iter().find(is_setter) {
                    Ask::Set(setting, i64::from_ne_bytes(array(input)?))
                } else {
                    return Err(Errno::NOTTY);
                }
            }
        };
        Ok(ask)
    }

    /// Whether it needs the device open for writing; the others need it open for reading.
    pub(super) fn writes(self) -> bool {
        matches!(self, Ask::Set(..) | Ask::Register(_) | Ask::Reclaim(_))
    }
}

fn array<const N: usize>(input: &[u8]) -> Result<[u8; N], Errno> {
    input.try_into().map_err(|_| Errno::INVAL)
}

fn register(input: &[u8]) -> Option<Register> {
    let (words, lease) = input.split_first_chunk::<16>()?;
    let word = |at: usize| {
        words
            .get(at..at + 4)?
            .try_into()
            .ok()
            .map(u32::from_ne_bytes)
    };
    Some(Register {
        weight: word(0)?,
        limit: word(4)?,
        lease_jobs: word(8)?,
        reserved: word(12)?,
        lease_min_memory_avail: lease.try_into().ok().map(u64::from_ne_bytes)?,
    })
}

/// What a build asks for, if it is in range.
pub(super) fn registration(register: &Register) -> Result<Registration, Errno> {
    let jobs = |number: u32| match u16::try_from(number) {
        Ok(0) => Ok(None),
        Ok(number) if number <= MAX_JOBS => Ok(Some(number)),
        _ => Err(Errno::INVAL),
    };
    let weight = u16::try_from(register.weight.max(1)).map_err(|_| Errno::INVAL)?;
    if weight > MAX_WEIGHT || register.reserved != 0 {
        return Err(Errno::INVAL);
    }
    let memory = u32::try_from(register.lease_min_memory_avail).map_err(|_| Errno::INVAL)?;
    Ok(Registration {
        weight,
        limit: jobs(register.limit)?,
        lease: Lease {
            jobs: jobs(register.lease_jobs)?,
            min_memory_avail: Some(memory).filter(|&mib| mib != 0),
        },
    })
}

/// The value of a setting as it goes over the wire.
pub(super) fn get(settings: &Settings, setting: Setting) -> i64 {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    match setting {
        Setting::Jobs => i64::from(settings.jobs),
        Setting::MinJobs => i64::from(settings.min_jobs),
        Setting::PerProcessLimit => i64::from(settings.per_process_limit),
        Setting::LoadAverage => settings.load_average.unwrap_or(-ONE),
        Setting::LoadRecheckTimeout => {
            i64::try_from(settings.load_recheck_timeout.as_micros()).unwrap_or(i64::MAX)
        }
        Setting::MinMemoryAvail => settings.min_memory_avail.map_or(-1, whole),
        Setting::JobMemory => whole(settings.job_memory),
        Setting::MaxCpuPressure => settings.max_pressure[0].unwrap_or(-ONE),
        Setting::MaxMemoryPressure => settings.max_pressure[1].unwrap_or(-ONE),
        Setting::MaxIoPressure => settings.max_pressure[2].unwrap_or(-ONE),
    }
}

/// What a setting limits the pressure on.
pub(super) fn resource(setting: Setting) -> Option<Resource> {
    match setting {
        Setting::MaxCpuPressure => Some(Resource::Cpu),
        Setting::MaxMemoryPressure => Some(Resource::Memory),
        Setting::MaxIoPressure => Some(Resource::Io),
        _ => None,
    }
}

/// Changes one setting of the ledger.
///
/// # Errors
/// [`Invalid`] if the value is out of range; nothing has changed then.
pub(super) fn set(ledger: &mut Ledger, setting: Setting, value: i64) -> Result<(), Invalid> {
    let mut settings = *ledger.settings();
    let tokens = || u16::try_from(value).map_err(|_| Invalid);
    let mib = || u64::try_from(value).map_err(|_| Invalid);
    let positive = Some(value).filter(|&value| value > 0);
    match setting {
        Setting::Jobs => settings.jobs = tokens()?,
        Setting::MinJobs => settings.min_jobs = tokens()?,
        Setting::PerProcessLimit => settings.per_process_limit = tokens()?,
        Setting::LoadAverage => settings.load_average = positive,
        Setting::LoadRecheckTimeout => {
            settings.load_recheck_timeout = Duration::from_micros(mib()?);
        }
        Setting::MinMemoryAvail => settings.min_memory_avail = positive.and(mib().ok()),
        Setting::JobMemory => settings.job_memory = mib()?,
        Setting::MaxCpuPressure => settings.max_pressure[0] = positive,
        Setting::MaxMemoryPressure => settings.max_pressure[1] = positive,
        Setting::MaxIoPressure => settings.max_pressure[2] = positive,
    }
    ledger.handle_settings(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Sizes;

    fn ledger() -> Ledger {
        let settings = Settings {
            jobs: 8,
            ..Settings::default()
        };
        Ledger::new(settings, Sizes::default()).unwrap()
    }

    #[test]
    fn what_is_set_is_what_is_got() {
        let mut ledger = ledger();
        let values = [
            7, 2, 3, 12_500_000, 250_000, 512, 300, 40_000_000, 50_000_000, 60_000_000,
        ];
        for (setting, value) in Setting::ALL.into_iter().zip(values) {
            assert_eq!(set(&mut ledger, setting, value), Ok(()), "{setting:?}");
        }
        for (setting, value) in Setting::ALL.into_iter().zip(values) {
            assert_eq!(get(ledger.settings(), setting), value, "{setting:?}");
        }
    }

    #[test]
    fn zero_and_less_set_no_limit_and_read_as_minus_one() {
        let mut ledger = ledger();
        for (setting, none) in [
            (Setting::LoadAverage, -ONE),
            (Setting::MinMemoryAvail, -1),
            (Setting::MaxCpuPressure, -ONE),
            (Setting::MaxMemoryPressure, -ONE),
            (Setting::MaxIoPressure, -ONE),
        ] {
            for value in [0, -1, i64::MIN] {
                set(&mut ledger, setting, 3_000_000).unwrap();
                set(&mut ledger, setting, value).unwrap();
                assert_eq!(get(ledger.settings(), setting), none, "{setting:?}");
            }
        }
    }

    #[test]
    fn values_out_of_range_change_nothing() {
        let mut ledger = ledger();
        let before = *ledger.settings();
        for (setting, value) in [
            (Setting::Jobs, 0),
            (Setting::Jobs, 4097),
            (Setting::Jobs, i64::MAX),
            (Setting::MinJobs, 9),
            (Setting::MinJobs, -1),
            (Setting::PerProcessLimit, 4097),
            (Setting::PerProcessLimit, -1),
            (Setting::LoadRecheckTimeout, 0),
            (Setting::JobMemory, -1),
            (Setting::MaxIoPressure, 100_000_001),
        ] {
            assert_eq!(
                set(&mut ledger, setting, value),
                Err(Invalid),
                "{setting:?} {value}"
            );
            assert_eq!(ledger.settings(), &before);
        }
    }

    #[test]
    fn numbers_and_payloads_are_told_apart() {
        let eight = 8i64.to_ne_bytes();
        assert_eq!(Ask::parse(ioctl::GET_TOKENS, &[]), Ok(Ask::Tokens));
        assert_eq!(
            Ask::parse(Setting::Jobs.getter(), &[]),
            Ok(Ask::Get(Setting::Jobs))
        );
        let set = Ask::parse(Setting::MaxIoPressure.setter(), &eight);
        assert_eq!(set, Ok(Ask::Set(Setting::MaxIoPressure, 8)));
        assert_eq!(
            Ask::parse(Setting::Jobs.setter(), &eight[..4]),
            Err(Errno::INVAL)
        );
        assert_eq!(Ask::parse(0x5401, &[]), Err(Errno::NOTTY));
    }

    #[test]
    fn a_registration_is_read_field_by_field() {
        let mut bytes = Vec::new();
        for word in [3u32, 4, 5, 0] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(600u64.to_ne_bytes());
        let Ok(Ask::Register(asked)) = Ask::parse(ioctl::REGISTER, &bytes) else {
            panic!("no registration");
        };
        assert_eq!(size_of::<Register>(), bytes.len());
        let lease = Lease {
            jobs: Some(5),
            min_memory_avail: Some(600),
        };
        let expected = Registration {
            weight: 3,
            limit: Some(4),
            lease,
        };
        assert_eq!(registration(&asked), Ok(expected));
        let nothing = Registration {
            weight: 1,
            limit: None,
            lease: Lease::default(),
        };
        assert_eq!(registration(&Register::default()), Ok(nothing));
        for bad in [
            Register {
                weight: 101,
                ..Register::default()
            },
            Register {
                limit: 4097,
                ..Register::default()
            },
            Register {
                lease_jobs: u32::MAX,
                ..Register::default()
            },
            Register {
                reserved: 1,
                ..Register::default()
            },
        ] {
            assert_eq!(registration(&bad), Err(Errno::INVAL), "{bad:?}");
        }
    }
}
