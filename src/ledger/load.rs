//! What the pool itself has added to the load average.

use std::time::Duration;

use super::time::Time;

/// The kernel's step, LOAD_FREQ in include/linux/sched/loadavg.h.
const STEP: Duration = Duration::from_secs(5);

/// What a step leaves of the one-minute average: EXP_1 / FIXED_1, same file.
const DECAY: f64 = 1884.0 / 2048.0;

/// The natural logarithm of [`DECAY`].
const LN_DECAY: f64 = -0.08346653102309004;

/// [`DECAY`] to the power of `steps`, to ten digits: whole steps by multiplication, the rest as the
/// first terms of the exponential series. `powf` would bring in the C library's mathematics, and with
/// it as much memory as everything else here together.
fn decay(steps: f64) -> f64 {
    let whole = steps as i32; // saturates, where nothing is left of the average
    let x = (steps - f64::from(whole)) * LN_DECAY;
    let rest = (1..=6)
        .rev()
        .fold(1.0, |sum, n| 1.0 + x / f64::from(n) * sum);
    DECAY.powi(whole) * rest
}

/// The same exponential average that the kernel keeps of the running tasks, kept of the tokens in
/// use.
///
/// The kernel's steps come at moments that we do not know, so this has none: it decays as fast, but
/// all the time. Steps of our own, out of phase with the kernel's, would see other numbers in use
/// than it does wherever the limit makes that number swing, and go on seeing them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LoadShare {
    average: f64,
    at: Time,
}

impl LoadShare {
    /// The average at `now`, `in_use` tokens having been in use since the last change.
    pub(super) fn at(&self, now: Time, in_use: u16) -> f64 {
        let steps = now.since(self.at).as_secs_f64() / STEP.as_secs_f64();
        let in_use = f64::from(in_use);
        in_use + (self.average - in_use) * decay(steps)
    }

    /// Takes in the time up to `now`, before the number in use changes from `in_use`.
    pub(super) fn advance(&mut self, now: Time, in_use: u16) {
        self.average = self.at(now, in_use);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(s: u64) -> Time {
        Time::from_nanos(s * 1_000_000_000)
    }

    #[test]
    fn the_decay_is_the_power() {
        for steps in [0.0, 0.3, 0.999, 1.0, 7.5, 1000.25, 4e9] {
            assert!((decay(steps) - DECAY.powf(steps)).abs() < 1e-10, "{steps}");
        }
    }

    #[test]
    fn a_minute_of_eight_jobs_adds_as_much_as_twelve_steps_of_the_kernel() {
        let share = LoadShare::default();
        let expected = 8.0 * (1.0 - DECAY.powi(12));
        assert!((share.at(second(60), 8) - expected).abs() < 1e-9);
    }

    #[test]
    fn one_leap_equals_many_small_ones() {
        let (mut leap, mut steps) = (LoadShare::default(), LoadShare::default());
        leap.advance(second(62), 8);
        for s in 0..=62 {
            steps.advance(second(s), 8);
        }
        assert!((leap.average - steps.average).abs() < 1e-9);
    }

    #[test]
    fn what_has_ended_is_forgotten_as_the_kernel_forgets_it() {
        let mut share = LoadShare::default();
        share.advance(second(600), 8);
        assert!((share.at(second(605), 0) - 8.0 * DECAY).abs() < 1e-3);
    }
}
