//! What the pool itself has added to the load average.

use std::time::Duration;

use super::time::Time;

/// The kernel's step, LOAD_FREQ in include/linux/sched/loadavg.h.
pub(super) const STEP: Duration = Duration::from_secs(5);

/// What a step leaves of the one-minute average: EXP_1 / FIXED_1, same file.
const DECAY: f64 = 1884.0 / 2048.0;

/// The same exponential average that the kernel keeps of the running tasks, kept of the tokens in
/// use. Told of each change, it needs no timer: between two changes the number stands still, and
/// any number of steps is one power.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LoadShare {
    average: f64,
    stepped: Time,
}

impl LoadShare {
    /// The average at `now`, `in_use` tokens having been in use since the last call.
    pub(super) fn at(&self, now: Time, in_use: u16) -> f64 {
        let steps = now.since(self.stepped).as_secs() / STEP.as_secs();
        let steps = i32::try_from(steps).unwrap_or(i32::MAX);
        let in_use = f64::from(in_use);
        in_use + (self.average - in_use) * DECAY.powi(steps)
    }

    /// Takes the steps that are due, before the number in use changes from `in_use`.
    pub(super) fn advance(&mut self, now: Time, in_use: u16) {
        let passed = now.since(self.stepped);
        if passed >= STEP {
            self.average = self.at(now, in_use);
            let rest = Duration::from_nanos((passed.as_nanos() % STEP.as_nanos()) as u64);
            self.stepped = Time::from_nanos(now.as_nanos() - rest.as_nanos() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_leap_over_many_steps_equals_step_by_step() {
        let second = |s: u64| Time::from_nanos(s * 1_000_000_000);
        let (mut leap, mut steps) = (LoadShare::default(), LoadShare::default());
        leap.advance(second(62), 8);
        for s in 0..=62 {
            steps.advance(second(s), 8);
        }
        assert!((leap.average - steps.average).abs() < 1e-9);
        assert_eq!(leap.stepped, steps.stepped);
        assert!((leap.average - 8.0 * (1.0 - DECAY.powi(12))).abs() < 1e-9);
    }
}
