//! What clients and builds are known by.

/// Who a token is accounted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A process (thread group), by its pid.
    Process(u32),
    /// An open file, by its number, where the kernel does not name the process.
    File(u64),
}

impl Key {
    /// A number of its own for each, to be found by.
    pub(super) fn number(self) -> u64 {
        match self {
            Key::Process(pid) => u64::from(pid) << 1,
            Key::File(file) => file << 1 | 1,
        }
    }
}

/// How a client's build was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Everything under the process with this pid, which registered itself.
    Root(u32),
    /// Everything in this session.
    Session(u32),
    /// Everything of which neither is known.
    Unknown,
}

impl Origin {
    /// A number of its own for each, to be found by.
    pub(super) fn number(self) -> u64 {
        match self {
            Origin::Root(pid) => u64::from(pid) << 2 | 1,
            Origin::Session(sid) => u64::from(sid) << 2 | 2,
            Origin::Unknown => 3,
        }
    }
}
