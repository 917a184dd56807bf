//! What is measured of the builds while time passes.

use steve::ledger::Origin;

use crate::world::{MS, World};

/// A build, and what is measured of it.
pub(crate) struct Build {
    pub(crate) name: &'static str,
    pub(crate) weight: u16,
    pub(crate) origin: Origin,
    /// Tokens that run a job.
    pub(crate) running: u32,
    /// Token-nanoseconds of jobs, in each slice of the run.
    pub(crate) slices: Vec<f64>,
    /// Token-nanoseconds that were set aside and idle.
    pub(crate) idle: f64,
    /// Fewest and most tokens in use at a time, once [`World::watch`] has been called.
    pub(crate) fewest: u32,
    pub(crate) most: u32,
    pub(crate) longest_wait: u64,
    /// The longest wait in jobs: each wait over (those who waited then) x (longest job).
    pub(crate) worst_turn: f64,
}

impl Build {
    pub(crate) fn new(name: &'static str, weight: u16, origin: Origin) -> Self {
        Build {
            name,
            weight,
            origin,
            running: 0,
            slices: Vec::new(),
            idle: 0.0,
            fewest: u32::MAX,
            most: 0,
            longest_wait: 0,
            worst_turn: 0.0,
        }
    }

    /// A process has got a token after so long, with so many in line when it came and jobs of up to
    /// `job` length.
    pub(crate) fn waited(&mut self, time: u64, line: usize, job: u64) {
        self.longest_wait = self.longest_wait.max(time);
        let turn = time as f64 / (line as u64 * job) as f64;
        self.worst_turn = self.worst_turn.max(turn);
    }
}

impl World {
    /// From now on notes how far the shares swing.
    pub(crate) fn watch(&mut self) {
        self.watching = true;
    }

    /// Lets time pass and measures.
    pub(crate) fn pass(&mut self, when: u64) {
        while self.now < when {
            let slice = (self.now / self.slice) as usize;
            let until = when.min((slice as u64 + 1) * self.slice);
            let passed = (until - self.now) as f64;
            for build in &mut self.builds {
                build.slices.resize(slice + 1, 0.0);
                build.slices[slice] += f64::from(build.running) * passed;
            }
            for view in self.ledger.builds() {
                let is_it = |build: &&mut Build| build.origin == view.origin;
                let Some(build) = self.builds.iter_mut().find(is_it) else {
                    continue;
                };
                let in_use = u32::from(view.in_use);
                build.idle += f64::from(in_use.saturating_sub(build.running)) * passed;
                // Shorter than that, a token is on its way from one hand to another.
                if self.watching && until - self.now > MS {
                    build.fewest = build.fewest.min(in_use);
                    build.most = build.most.max(in_use);
                }
            }
            self.now = until;
        }
    }

    /// Mean tokens that ran jobs of `build`, from slice `from` on.
    pub(crate) fn mean(&self, build: usize, from: usize) -> f64 {
        let slices = self.builds[build].slices.get(from..).unwrap_or_default();
        slices.iter().sum::<f64>() / (slices.len() as u64 * self.slice) as f64
    }

    /// Mean tokens that ran jobs of `build` in one slice.
    pub(crate) fn slice_mean(&self, build: usize, slice: usize) -> f64 {
        self.builds[build].slices[slice] / self.slice as f64
    }

    /// Share of the pool that ran jobs, from slice `from` on.
    pub(crate) fn utilisation(&self, from: usize) -> f64 {
        let builds = 0..self.builds.len();
        builds.map(|build| self.mean(build, from)).sum::<f64>() / f64::from(self.jobs)
    }

    /// Jain's index over the shares of `builds` by weight: 1 where all are equal.
    pub(crate) fn jain(&self, builds: &[usize], from: usize) -> f64 {
        let share = |&build: &usize| self.mean(build, from) / f64::from(self.builds[build].weight);
        let sum: f64 = builds.iter().map(share).sum();
        let squares: f64 = builds.iter().map(|build| share(build).powi(2)).sum();
        sum * sum / (builds.len() as f64 * squares)
    }
}
