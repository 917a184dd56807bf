//! What a scenario has shown, to read and to judge.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use crate::world::{SECOND, World};

/// Everything that was run.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

/// One scenario.
pub(crate) struct Row {
    name: String,
    text: String,
    held: bool,
}

impl Row {
    /// `world` has run; what counts is from slice `from` on.
    pub(crate) fn new(name: &str, world: &World, from: usize) -> Self {
        let mut text = String::new();
        for (i, build) in world.builds.iter().enumerate() {
            let slices: Vec<String> = (0..build.slices.len().min(10))
                .map(|slice| format!("{:4.1}", world.slice_mean(i, slice)))
                .collect();
            let wait = build.longest_wait as f64 / SECOND as f64;
            let _ = writeln!(
                text,
                "    {:<10} mean {:5.2}   waited at most {wait:6.2} s   over time {}",
                build.name,
                world.mean(i, from),
                slices.join(" "),
            );
        }
        Row {
            name: name.to_owned(),
            text,
            held: true,
        }
    }

    /// One without builds.
    pub(crate) fn bare(name: &str) -> Self {
        Row {
            name: name.to_owned(),
            text: String::new(),
            held: true,
        }
    }

    /// Notes a figure and the bounds that it must keep.
    pub(crate) fn bound(&mut self, what: &str, value: f64, bounds: RangeInclusive<f64>) {
        let held = bounds.contains(&value);
        self.held &= held;
        let verdict = if held { "" } else { "   NOT HELD" };
        let (low, high) = bounds.into_inner();
        let _ = writeln!(
            self.text,
            "    {what}: {value:.3} of {low} to {high}{verdict}"
        );
    }

    /// Notes a figure without bounds.
    pub(crate) fn note(&mut self, what: &str, value: f64) {
        let _ = writeln!(self.text, "    {what}: {value:.3}");
    }
}

impl Table {
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Whether all bounds were held.
    pub(crate) fn held(&self) -> bool {
        self.rows.iter().all(|row| row.held)
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for row in &self.rows {
            write!(f, "{}\n{}", row.name, row.text)?;
        }
        Ok(())
    }
}
