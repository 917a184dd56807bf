//! The picture: a pure function of the snapshot and the window.

use std::cmp::Reverse;
use std::fmt;
use std::time::Duration;

use super::bar::bar;
use super::table::{builds, clients};
use crate::cli::format_decimal;
use crate::ioctl::Setting;
use crate::report::{Client, Snapshot};

/// Where the picture has to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Columns.
    pub(super) width: usize,
    /// Lines.
    pub(super) height: usize,
    /// Whether escape sequences may colour it.
    pub(super) colour: bool,
}

/// The picture, at most as many lines as the window has, none of them wider.
pub(super) fn render(snapshot: &Snapshot, window: Window) -> String {
    let ranks = Ranks::new(snapshot);
    let mut lines = vec![
        window.paint(Style::Bold, &window.clip(&totals(snapshot))),
        bar(snapshot, &ranks, window),
    ];
    let reasons = snapshot
        .reasons()
        .map(|reason| (Style::Alarm, format!("limit reached: {reason}")));
    let leases = snapshot.leases().map(|client| {
        let text = format!("lease of {}: {}", client.holder, client.lease);
        (Style::Bold, text)
    });
    let notes = reasons.chain(leases).take(window.height / 4);
    lines.extend(notes.map(|(style, note)| window.paint(style, &window.clip(&note))));
    let room = window.height.saturating_sub(lines.len());
    // The clients say most, and get what there is where that is little.
    let few = if room < 12 { 0 } else { room / 3 };
    let builds = builds(snapshot, &ranks, window, few);
    let room = room.saturating_sub(builds.len());
    let clients = clients(snapshot, &ranks, window, room);
    lines.extend(builds.into_iter().chain(clients));
    lines.truncate(window.height);
    lines.join("\n")
}

/// One line of totals, the most important first, since its end may be cut.
fn totals(snapshot: &Snapshot) -> String {
    let (jobs, all) = (
        snapshot.effective(Setting::Jobs),
        snapshot.setting(Setting::Jobs),
    );
    let held = snapshot.in_use.saturating_sub(snapshot.reserved);
    let mut parts = vec![match jobs == all {
        true => format!("{jobs} jobs"),
        false => format!("{jobs} of {all} jobs"),
    }];
    parts.push(format!("{held} held"));
    if snapshot.reserved > 0 {
        parts.push(format!("{} reserved", snapshot.reserved));
    }
    parts.push(format!("{} available", snapshot.available));
    match snapshot.waiting().filter_map(|client| client.waiting).max() {
        Some(longest) => {
            let waiting = snapshot.waiting().count();
            parts.push(format!("{waiting} waiting up to {}", Short(longest)));
        }
        None => parts.push("none waiting".to_string()),
    }
    let readings = &snapshot.readings;
    parts.extend(
        readings
            .load
            .map(|load| format!("load {}", format_decimal(load))),
    );
    parts.extend(readings.memory.map(|mib| format!("memory {mib} MiB")));
    parts.push(format!("up {}", Short(snapshot.uptime)));
    format!("steve: {}", parts.join(", "))
}

/// The builds, busiest first, and the letter that each is shown by.
pub(super) struct Ranks {
    /// Places in the snapshot's list, busiest first.
    pub(super) order: Vec<usize>,
    /// By place in the snapshot's list: the rank, and how many of its clients wait.
    builds: Vec<(usize, usize)>,
}

impl Ranks {
    fn new(snapshot: &Snapshot) -> Self {
        let mut builds = vec![(0, 0); snapshot.builds.len()];
        for client in snapshot.waiting() {
            if let Some((_, waiting)) = builds.get_mut(usize::from(client.build)) {
                *waiting += 1;
            }
        }
        let mut order: Vec<usize> = (0..builds.len()).collect();
        order.sort_by_key(|&place| Reverse((snapshot.builds[place].tokens, builds[place].1)));
        for (rank, &place) in order.iter().enumerate() {
            builds[place].0 = rank;
        }
        Ranks { order, builds }
    }

    /// How many clients of the build in `place` wait.
    pub(super) fn waiting(&self, place: usize) -> usize {
        self.builds.get(place).map_or(0, |&(_, waiting)| waiting)
    }

    /// The letter of the build in `place`, in its colour.
    pub(super) fn letter(&self, place: usize) -> (char, Style) {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let rank = self.builds.get(place).map_or(usize::MAX, |&(rank, _)| rank);
        let letter = LETTERS.get(rank).map_or('+', |&letter| letter.into());
        (letter, Style::Build(rank))
    }
}

/// How a text looks where there is colour.
#[derive(Clone, Copy, Debug)]
pub(super) enum Style {
    /// Stands out.
    Bold,
    /// Trouble.
    Alarm,
    /// The head of a table.
    Head,
    /// In the colour of the build of this rank.
    Build(usize),
    /// On a ground of that colour.
    Ground(usize),
}

impl Window {
    /// Cuts `text` to the width.
    pub(super) fn clip(&self, text: &str) -> String {
        text.chars().take(self.width).collect()
    }

    /// Puts `text` in a style, where there is colour.
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_string();
        }
        // Green, yellow, blue, magenta, cyan: red is left for trouble.
        let colour = |rank: usize| 2 + rank % 5;
        match style {
            Style::Bold => format!("\x1b[1m{text}\x1b[m"),
            Style::Alarm => format!("\x1b[1;31m{text}\x1b[m"),
            Style::Head => format!("\x1b[4m{text}\x1b[m"),
            Style::Build(rank) => format!("\x1b[1;3{}m{text}\x1b[m", colour(rank)),
            Style::Ground(rank) => format!("\x1b[30;4{}m{text}\x1b[m", colour(rank)),
        }
    }
}

/// A duration in at most six characters: `1.5s`, `12s`, `2m05s`, `3h07m`, `4d02h`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Short(pub(super) Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
        let text = match (days, hours, minutes, seconds) {
            (0, 0, 0, 0..10) => format!("{}.{}s", seconds, self.0.subsec_millis() / 100),
            (0, 0, 0, _) => format!("{seconds}s"),
            (0, 0, _, _) => format!("{minutes}m{:02}s", seconds % 60),
            (0, _, _, _) => format!("{hours}h{:02}m", minutes % 60),
            _ => format!("{days}d{:02}h", hours % 24),
        };
        f.pad(&text)
    }
}

/// How busy a client is: the tokens it has, then how long it waits.
pub(super) fn business(client: &Client) -> (usize, Option<Duration>) {
    (client.in_use(), client.waiting)
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
