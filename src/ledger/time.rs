//! Moments on the monotonic clock, as the ledger is told them.

use std::time::Duration;

/// Nanoseconds on a clock that never goes back; the ledger has none of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(u64);

impl Time {
    /// The moment `nanos` after the clock's zero.
    pub const fn from_nanos(nanos: u64) -> Self {
        Time(nanos)
    }

    /// Nanoseconds after the clock's zero.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This moment put off by `delay`.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Time(
            self.0
                .saturating_add(u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX)),
        )
    }

    /// How long ago `earlier` was; zero if it is still to come.
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}
