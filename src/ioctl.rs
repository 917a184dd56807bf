//! The control protocol: ioctl numbers and payloads that steve and stevie share.
//!
//! Every number is built like `_IOR`/`_IOW`, with the payload's size inside, so that it passes a
//! *restricted* FUSE ioctl: the kernel itself copies that many bytes in or out. Payloads have the
//! same layout on 32 and 64 bit. Reading ones need the device open for reading, writing ones for
//! writing.

use rustix::ioctl::{Opcode, opcode};

/// The letter of every number here.
const GROUP: u8 = 0xE7;

/// Bytes of one piece of a snapshot ([`SNAPSHOT_NEXT`]): some machines have 13 bits for the size.
pub const PIECE: usize = 4096;

/// Out: `i64`, the tokens that could be taken now.
pub const GET_TOKENS: Opcode = opcode::read::<i64>(GROUP, 0x00);
/// In: [`Register`]. Makes the caller the root of a build of its own.
pub const REGISTER: Opcode = opcode::write::<Register>(GROUP, 0x01);
/// Out: `u64`, the bytes of a snapshot taken now and kept for this open file ([`crate::report`]).
pub const SNAPSHOT_TAKE: Opcode = opcode::read::<u64>(GROUP, 0x02);
/// Out: the next piece of that snapshot; the call returns its length, 0 at the end.
pub const SNAPSHOT_NEXT: Opcode = opcode::read::<[u8; PIECE]>(GROUP, 0x03);
/// In: `u32`, a process id. Takes back what that process holds; the call returns how many tokens.
pub const RECLAIM: Opcode = opcode::write::<u32>(GROUP, 0x04);

const SETTING_GET: u8 = 0x10;
const SETTING_SET: u8 = 0x40;

/// What [`REGISTER`] says of the build that begins. Zero in a field asks for nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// Claims that the build counts for, 1 to 100; 0 is 1.
    pub weight: u32,
    /// Most tokens the build may hold.
    pub limit: u32,
    /// Lease: the pool counts no more than so many jobs while the caller lives.
    pub lease_jobs: u32,
    /// Keeps the layout free of padding; sent as 0.
    pub reserved: u32,
    /// Lease: MiB of memory that must be available while the caller lives.
    pub lease_min_memory_avail: u64,
}

/// How a setting's `i64` is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A plain integer.
    Integer,
    /// Millionths, shown as a decimal.
    Millionths,
}

/// A setting of the running service. On the wire each is one `i64`; negative is "none".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Setting {
    /// Tokens in the pool.
    Jobs,
    /// Tokens that stay available whatever the limits say.
    MinJobs,
    /// Most tokens of one client; 0: none.
    PerProcessLimit,
    /// Load above which grants stop.
    LoadAverage,
    /// Seconds between looks at the limits while someone waits on them.
    LoadRecheckTimeout,
    /// MiB of MemAvailable below which grants stop.
    MinMemoryAvail,
    /// MiB that a job just started is expected still to take.
    JobMemory,
    /// Percent of "some" cpu stall above which grants stop.
    MaxCpuPressure,
    /// The same for memory.
    MaxMemoryPressure,
    /// The same for io.
    MaxIoPressure,
}

impl Setting {
    /// All settings, in the order of their numbers.
    pub const ALL: [Setting; 10] = [
        Setting::Jobs,
        Setting::MinJobs,
        Setting::PerProcessLimit,
        Setting::LoadAverage,
        Setting::LoadRecheckTimeout,
        Setting::MinMemoryAvail,
        Setting::JobMemory,
        Setting::MaxCpuPressure,
        Setting::MaxMemoryPressure,
        Setting::MaxIoPressure,
    ];

    /// The setting's name, as in the options `--get-NAME` and `--set-NAME`.
    pub const fn name(self) -> &'static str {
        match self {
            Setting::Jobs => "jobs",
            Setting::MinJobs => "min-jobs",
            Setting::PerProcessLimit => "per-process-limit",
            Setting::LoadAverage => "load-average",
            Setting::LoadRecheckTimeout => "load-recheck-timeout",
            Setting::MinMemoryAvail => "min-memory-avail",
            Setting::JobMemory => "job-memory",
            Setting::MaxCpuPressure => "max-cpu-pressure",
            Setting::MaxMemoryPressure => "max-memory-pressure",
            Setting::MaxIoPressure => "max-io-pressure",
        }
    }

    /// How the setting's number is to be read.
    pub const fn unit(self) -> Unit {
        match self {
            Setting::Jobs
            | Setting::MinJobs
            | Setting::PerProcessLimit
            | Setting::MinMemoryAvail
            | Setting::JobMemory => Unit::Integer,
            Setting::LoadAverage
            | Setting::LoadRecheckTimeout
            | Setting::MaxCpuPressure
            | Setting::MaxMemoryPressure
            | Setting::MaxIoPressure => Unit::Millionths,
        }
    }

    /// The number that reads the setting. Out: `i64`.
    pub const fn getter(self) -> Opcode {
        opcode::read::<i64>(GROUP, SETTING_GET + self as u8)
    }

    /// The number that changes the setting. In: `i64`.
    pub const fn setter(self) -> Opcode {
        opcode::write::<i64>(GROUP, SETTING_SET + self as u8)
    }
}
