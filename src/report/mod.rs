//! One moment of the pool, as the service tells it: to a signal as text, to stevie as bytes.
//!
//! Plain data that owns what it shows. [`Snapshot::encode`] and [`Snapshot::decode`] carry it
//! through the ioctls, [`text()`] is the report, and a [`Reason`] is a refusal with the figure seen and the
//! limit.

mod reason;
mod seconds;
mod text;
mod wire;

use std::fmt;
use std::time::Duration;

use crate::ioctl::Setting;

pub use reason::{Figure, Number, Reason};
pub use seconds::Seconds;
pub use text::text;
pub use wire::VERSION;

/// The pool at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// How long the service has run.
    pub uptime: Duration,
    /// The settings as they were made, in the order of [`Setting::ALL`]; negative is none.
    pub settings: [i64; Setting::ALL.len()],
    /// The settings as they hold, tightened by all leases.
    pub effective: [i64; Setting::ALL.len()],
    /// Tokens that could be taken now.
    pub available: u16,
    /// Tokens held and reserved.
    pub in_use: u16,
    /// Tokens reserved.
    pub reserved: u16,
    /// What was last seen of the machine.
    pub readings: Readings,
    /// The limits that stand against one token more.
    pub stops: Vec<Limit>,
    /// All builds.
    pub builds: Vec<Build>,
    /// All clients, in the order of first contact.
    pub clients: Vec<Client>,
    /// Counts since the start.
    pub totals: Totals,
}

/// What was last seen of the machine; `None` where it was not looked at, or could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// The load average of a minute, in millionths.
    pub load: Option<i64>,
    /// What the load average comes to with the jobs that run now and one more, in millionths.
    pub load_expected: Option<i64>,
    /// MemAvailable, MiB.
    pub memory: Option<i64>,
    /// What is left of it when the jobs just started, and one more, have grown; MiB, may be
    /// negative.
    pub memory_expected: Option<i64>,
    /// "some avg10" of cpu, memory and io: percent, in millionths.
    pub pressure: [Option<i64>; 3],
}

/// What may say stop although tokens are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The load average.
    Load,
    /// Available memory.
    Memory,
    /// The share of time that some task waited for a CPU.
    CpuPressure,
    /// The same for memory.
    MemoryPressure,
    /// The same for storage.
    IoPressure,
}

impl Limit {
    /// All limits, in the order of their numbers.
    pub const ALL: [Limit; 5] = [
        Limit::Load,
        Limit::Memory,
        Limit::CpuPressure,
        Limit::MemoryPressure,
        Limit::IoPressure,
    ];

    /// The limit's name for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Limit::Load => "load_average",
            Limit::Memory => "memory",
            Limit::CpuPressure => "cpu_pressure",
            Limit::MemoryPressure => "memory_pressure",
            Limit::IoPressure => "io_pressure",
        }
    }
}

/// Why a client gets no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// All tokens are in use, or it is others' turn.
    NoneLeft,
    /// It holds as many as one client may.
    PerProcessLimit,
    /// Its build holds as many as it may.
    BuildLimit,
    /// A limit on the whole pool says stop.
    Limit(Limit),
}

impl Refusal {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Refusal; 8] = [
        Refusal::NoneLeft,
        Refusal::PerProcessLimit,
        Refusal::BuildLimit,
        Refusal::Limit(Limit::Load),
        Refusal::Limit(Limit::Memory),
        Refusal::Limit(Limit::CpuPressure),
        Refusal::Limit(Limit::MemoryPressure),
        Refusal::Limit(Limit::IoPressure),
    ];

    /// The reason's name for machines.
    pub const fn name(self) -> &'static str {
        match self {
            Refusal::NoneLeft => "no_tokens_left",
            Refusal::PerProcessLimit => "per_process_limit",
            Refusal::BuildLimit => "build_limit",
            Refusal::Limit(limit) => limit.name(),
        }
    }
}

/// Who tokens are accounted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A process, by its pid.
    Process(u32),
    /// An open file, where the kernel does not name the process.
    File(u64),
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Process(pid) => write!(f, "PID {pid}"),
            Holder::File(file) => write!(f, "open file {file}"),
        }
    }
}

/// How a build was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Everything under the process with this pid, which registered itself.
    Root(u32),
    /// Everything in this session.
    Session(u32),
    /// Everything of which neither is known.
    Unknown,
}

/// The clients that share one claim on the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// How it was found.
    pub origin: Origin,
    /// It counts for so many.
    pub weight: u16,
    /// Most tokens of all its clients together.
    pub limit: Option<u16>,
    /// Tokens held by and reserved for its clients.
    pub tokens: u16,
    /// Clients that live.
    pub members: u16,
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Who it is.
    pub holder: Holder,
    /// The user it runs as, where that could be seen.
    pub uid: Option<u32>,
    /// Its command line for people; empty where that could not be seen.
    pub command: String,
    /// The place of its build in [`Snapshot::builds`].
    pub build: u16,
    /// The tokens that it holds, youngest first.
    pub tokens: Vec<Token>,
    /// Whether one more is set aside for it.
    pub reserved: bool,
    /// How long it has waited, blocked or polling.
    pub waiting: Option<Duration>,
    /// How long ago its last read without blocking found nothing, if it has got none since.
    pub missed: Option<Duration>,
    /// Why one that waits or missed gets no token.
    pub refusal: Option<Refusal>,
    /// What it asks of the whole pool for as long as it lives.
    pub lease: Lease,
}

/// A token in someone's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// The byte that was read.
    pub byte: u8,
    /// How long ago that was.
    pub age: Duration,
}

/// What a process asks of the whole pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// No more than so many jobs.
    pub jobs: Option<u16>,
    /// MiB of memory that must be available.
    pub min_memory_avail: Option<u64>,
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tokens given out.
    pub grants: u64,
    /// Tokens taken back from the dead, and by order.
    pub reclaimed: u64,
    /// Reads that found nothing or had to wait, in the order of [`Refusal::ALL`].
    pub refusals: [u64; Refusal::ALL.len()],
    /// Pollers woken.
    pub wakeups: u64,
    /// Reservations that ran out unread.
    pub lapsed: u64,
}

impl Snapshot {
    /// A setting as it was made; negative is none.
    pub fn setting(&self, setting: Setting) -> i64 {
        self.settings[setting as usize]
    }

    /// A setting as it holds, tightened by all leases; negative is none.
    pub fn effective(&self, setting: Setting) -> i64 {
        self.effective[setting as usize]
    }

    /// The clients that wait.
    pub fn waiting(&self) -> impl Iterator<Item = &Client> {
        self.clients
            .iter()
            .filter(|client| client.waiting.is_some())
    }

    /// The clients that hold a lease.
    pub fn leases(&self) -> impl Iterator<Item = &Client> {
        self.clients
            .iter()
            .filter(|client| client.lease != Lease::default())
    }
}

impl Client {
    /// Tokens held and reserved.
    pub fn in_use(&self) -> usize {
        self.tokens.len() + usize::from(self.reserved)
    }
}

#[cfg(test)]
pub(crate) mod tests;
