//! Load, memory and pressure, read from files that stay open.

use super::pressure::Resource;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, pread};
use std::fmt;
use std::os::fd::OwnedFd;

const LOADAVG: &str = "/proc/loadavg";
const MEMINFO: &str = "/proc/meminfo";

/// Enough for the first lines of each file.
const BUFFER: usize = 512;

/// The open files. Opened while we may, read ever after; a reading allocates nothing.
#[derive(Debug)]
pub struct Readings {
    loadavg: File,
    meminfo: File,
    pressure: [File; 3],
}

/// Memory in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What could be used without swapping: `MemAvailable`.
    pub available: u64,
    /// What the machine has: `MemTotal`.
    pub total: u64,
}

/// A file that could not be read. BADMSG: it does not say what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub path: &'static str,
    /// Why. NOENT and OPNOTSUPP of a pressure file: the kernel keeps no account of pressure.
    pub errno: Errno,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot read {}: {}",
            self.path,
            super::errno::text(self.errno)
        )
    }
}

impl std::error::Error for Error {}

impl Readings {
    /// Opens the files. One that is missing is told of when it is read.
    pub fn open() -> Readings {
        Readings {
            loadavg: File::open(LOADAVG),
            meminfo: File::open(MEMINFO),
            pressure: Resource::ALL.map(|resource| File::open(resource.path())),
        }
    }

    /// The load average of the last minute, in millionths.
    pub fn load(&self) -> Result<i64, Error> {
        self.loadavg.read(millionths)
    }

    /// Memory.
    pub fn memory(&self) -> Result<Memory, Error> {
        self.meminfo.read(memory)
    }

    /// The share of the last ten seconds in which some task was stalled, in millionths of a percent.
    pub fn pressure(&self, resource: Resource) -> Result<i64, Error> {
        let [cpu, memory, io] = &self.pressure;
        let file = match resource {
            Resource::Cpu => cpu,
            Resource::Memory => memory,
            Resource::Io => io,
        };
        file.read(some_avg10)
    }
}

/// A file that may have failed to open.
#[derive(Debug)]
struct File {
    path: &'static str,
    file: Result<OwnedFd, Errno>,
}

impl File {
    fn open(path: &'static str) -> File {
        File {
            path,
            file: open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()),
        }
    }

    fn read<T>(&self, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
        let failed = |errno| Error {
            path: self.path,
            errno,
        };
        let file = self.file.as_ref().map_err(|&errno| failed(errno))?;
        let mut buffer = [0; BUFFER];
        let size = pread(file, &mut buffer, 0).map_err(failed)?;
        let text = buffer
            .get(..size)
            .and_then(|text| core::str::from_utf8(text).ok());
        text.and_then(parse).ok_or(failed(Errno::BADMSG))
    }
}

fn memory(text: &str) -> Option<Memory> {
    let mebibytes = |label| {
        let line = text.lines().find_map(|line| line.strip_prefix(label))?;
        let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kibibytes / 1024)
    };
    Some(Memory {
        available: mebibytes("MemAvailable:")?,
        total: mebibytes("MemTotal:")?,
    })
}

fn some_avg10(text: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    millionths(
        line.split(' ')
            .find_map(|word| word.strip_prefix("avg10="))?,
    )
}

/// The decimal that a text begins with, in millionths; further digits are dropped.
fn millionths(text: &str) -> Option<i64> {
    let number = text
        .split(|char: char| !char.is_ascii_digit() && char != '.')
        .next()?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: i64 = whole.parse().ok()?;
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let fraction = digits.fold(0, |value, digit| {
        value * 10 + i64::from(digit) - i64::from(b'0')
    });
    whole.checked_mul(1_000_000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_millionths() {
        assert_eq!(millionths("0.52 0.58 0.59 1/467 12"), Some(520_000));
        assert_eq!(millionths("123.45"), Some(123_450_000));
        assert_eq!(millionths("7\n"), Some(7_000_000));
        assert_eq!(millionths("1.23456789"), Some(1_234_567));
        for text in ["", ".5", "x", "-1", "99999999999999999999"] {
            assert_eq!(millionths(text), None, "{text}");
        }
    }

    #[test]
    fn memory_is_found_by_its_labels() {
        let text = "MemTotal:       16303128 kB\nMemFree: 1 kB\nMemAvailable:   10485760 kB\nBuf";
        assert_eq!(
            memory(text),
            Some(Memory {
                available: 10240,
                total: 15921
            })
        );
        assert_eq!(memory("MemTotal:       16303128 kB\n"), None);
    }

    #[test]
    fn pressure_is_that_of_some_tasks_over_ten_seconds() {
        let text = "some avg10=12.34 avg60=5.00 avg300=1.00 total=7\nfull avg10=1.00 avg60=0.00\n";
        assert_eq!(some_avg10(text), Some(12_340_000));
        assert_eq!(some_avg10("full avg10=1.00\n"), None);
    }

    #[test]
    fn this_machine_has_load_and_memory() {
        let readings = Readings::open();
        assert!(readings.load().unwrap() >= 0);
        let memory = readings.memory().unwrap();
        assert!(memory.available <= memory.total && memory.total > 0);
    }

    #[test]
    fn pressure_is_read_or_the_kernel_has_none() {
        let readings = Readings::open();
        for resource in Resource::ALL {
            match readings.pressure(resource) {
                Ok(percent) => assert!((0..=100_000_000).contains(&percent)),
                Err(error) => {
                    assert_eq!(error.path, resource.path());
                    assert!(matches!(error.errno, Errno::NOENT | Errno::OPNOTSUPP));
                }
            }
        }
    }
}
