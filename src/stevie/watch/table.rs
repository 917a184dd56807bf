//! The tables of builds and clients, busiest first.

use std::cmp::Reverse;

use super::view::{Ranks, Short, Style, Window, business};
use crate::report::{Client, Holder, Origin, Snapshot};

/// The builds: an empty line, a head and at most `most` lines more; nothing where that is 0.
pub(super) fn builds(
    snapshot: &Snapshot,
    ranks: &Ranks,
    window: Window,
    most: usize,
) -> Vec<String> {
    let head = "B TOKENS LIMIT WEIGHT CLIENTS WAITING  BUILD";
    let rows = ranks.order.iter().map(|&place| {
        let build = &snapshot.builds[place];
        let limit = build
            .limit
            .map_or("-".to_string(), |limit| limit.to_string());
        let row = format!(
            "{:>6} {limit:>5} {:>6} {:>7} {:>7}  {}",
            build.tokens,
            build.weight,
            build.members,
            ranks.waiting(place),
            title(snapshot, place),
        );
        (place, row)
    });
    table(head, rows, ranks, window, most, |left| {
        format!("  and {left} builds more")
    })
}

/// How a build is called: by how it was found and what its first client runs.
fn title(snapshot: &Snapshot, place: usize) -> String {
    let build = &snapshot.builds[place];
    let members = || {
        snapshot
            .clients
            .iter()
            .filter(|client| usize::from(client.build) == place)
    };
    let root = |client: &&Client| match (client.holder, build.origin) {
        (Holder::Process(pid), Origin::Root(root)) => pid == root,
        _ => false,
    };
    let first = members().find(root).or_else(|| members().next());
    let command = first.map_or("", |client| &client.command);
    match build.origin {
        Origin::Root(pid) => format!("stevie {pid}: {command}"),
        Origin::Session(session) => format!("session {session}: {command}"),
        Origin::Unknown => "unknown".to_string(),
    }
}

/// The clients: an empty line, a head and at most `most - 2` lines more.
pub(super) fn clients(
    snapshot: &Snapshot,
    ranks: &Ranks,
    window: Window,
    most: usize,
) -> Vec<String> {
    let mut busiest: Vec<&Client> = snapshot.clients.iter().collect();
    busiest.sort_by_key(|client| Reverse(business(client)));
    let whys: Vec<String> = busiest.iter().map(|client| why(snapshot, client)).collect();
    let shown = whys.get(..most).unwrap_or(&whys);
    // As wide as what is shown needs, but not more than two thirds of what is left.
    let widest = shown.iter().map(String::len).max().unwrap_or(0);
    let width = widest.min(window.width.saturating_sub(42) * 2 / 3);
    let gap = if width > 0 { "  " } else { "" };
    let head = format!(
        "B      PID   USER TOKENS OLDEST  WAITS{gap}{:width$}  COMMAND",
        if width > 2 { "WHY" } else { "" }
    );
    let rows = busiest.iter().zip(&whys).map(|(client, why)| {
        let why: String = why.chars().take(width).collect();
        let row = format!("{}{gap}{why:width$}  {}", columns(client), client.command);
        (usize::from(client.build), row)
    });
    table(&head, rows, ranks, window, most.saturating_sub(2), |left| {
        format!("  and {left} clients more")
    })
}

/// The columns of a client that have a fixed width.
fn columns(client: &Client) -> String {
    let holder = match client.holder {
        Holder::Process(pid) => pid.to_string(),
        Holder::File(file) => format!("file {file}"),
    };
    let user = client.uid.map_or("-".to_string(), |uid| uid.to_string());
    let reserved = if client.reserved { "+1" } else { "" };
    let tokens = format!("{}{reserved}", client.tokens.len());
    let oldest = client
        .tokens
        .last()
        .map(|token| Short(token.age).to_string());
    let waits = client.waiting.map(|since| Short(since).to_string());
    let (oldest, waits) = (oldest.unwrap_or_default(), waits.unwrap_or_default());
    format!("{holder:>8} {user:>6} {tokens:>6} {oldest:>6} {waits:>6}")
}

/// Why a client gets no token, or got none when it last asked.
fn why(snapshot: &Snapshot, client: &Client) -> String {
    let reason = snapshot.reason_of(client).map(|reason| reason.to_string());
    match (client.waiting, client.missed) {
        (None, Some(since)) => format!("missed {} ago", Short(since)),
        _ => reason.unwrap_or_default(),
    }
}

/// An empty line, the head and up to `most` lines for the rows, of which the last says how many did
/// not fit; nothing at all where `most` is 0.
fn table(
    head: &str,
    rows: impl ExactSizeIterator<Item = (usize, String)>,
    ranks: &Ranks,
    window: Window,
    most: usize,
    more: impl Fn(usize) -> String,
) -> Vec<String> {
    if most == 0 {
        return Vec::new();
    }
    let count = rows.len();
    let shown = if count > most {
        most.saturating_sub(1)
    } else {
        count
    };
    let mut lines = vec![String::new(), window.paint(Style::Head, &window.clip(head))];
    lines.extend(rows.take(shown).map(|(place, row)| {
        let row = format!("{} {}", ranks.letter(place).0, row.trim_end());
        let row = window.clip(&row);
        let mut rest = row.chars();
        let letter: String = rest.by_ref().take(1).collect();
        window.paint(ranks.letter(place).1, &letter) + rest.as_str()
    }));
    if shown < count {
        lines.push(window.clip(&more(count - shown)));
    }
    lines
}
