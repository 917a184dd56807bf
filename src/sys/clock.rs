//! The time.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of the monotonic clock, which nobody sets and which stands still in suspend.
pub fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_clock_does_not_go_back() {
        let before = super::now();
        assert!(before > 0);
        assert!(super::now() >= before);
    }
}
