//! The report: what SIGUSR1 prints and `stevie --status` shows.

use std::fmt::{self, Write};

use super::{Client, Lease, Seconds, Snapshot};
use crate::ioctl::Setting;

/// The report, some lines of text.
pub fn text(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_report(&mut text, snapshot);
    text
}

fn write_report(out: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let (available, jobs) = (snapshot.available, snapshot.effective(Setting::Jobs));
    writeln!(
        out,
        "steve: currently {available} tokens available out of {jobs}"
    )?;
    for client in &snapshot.clients {
        write_client(out, snapshot, client)?;
    }
    for client in snapshot.leases() {
        writeln!(out, "lease of {}: {}", client.holder, client.lease)?;
    }
    for reason in snapshot.reasons() {
        writeln!(out, "limit reached: {reason}")?;
    }
    Ok(())
}

fn write_client(out: &mut String, snapshot: &Snapshot, client: &Client) -> fmt::Result {
    write!(out, "{}", client.holder)?;
    if !client.command.is_empty() {
        write!(out, " ({})", client.command)?;
    }
    write!(out, " holds {} tokens", client.tokens.len())?;
    if client.reserved {
        out.write_str(", 1 reserved")?;
    }
    let since = match (client.waiting, client.missed) {
        (Some(since), _) => Some(("waiting for", since, "")),
        (None, Some(since)) => Some(("found none", since, " ago")),
        (None, None) => None,
    };
    if let Some((what, since, ago)) = since {
        write!(out, ", {what} {}s{ago}", Seconds(since))?;
        if let Some(reason) = snapshot.reason_of(client) {
            write!(out, ": {reason}")?;
        }
    } else if !client.tokens.is_empty() {
        out.write_char(':')?;
    }
    out.write_char('\n')?;
    for token in &client.tokens {
        writeln!(
            out,
            " job 0x{:02x} running for {}s",
            token.byte,
            Seconds(token.age)
        )?;
    }
    Ok(())
}

/// `4 jobs, 2048 MiB available`
impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(jobs) = self.jobs {
            write!(f, "{jobs} jobs")?;
        }
        if let Some(floor) = self.min_memory_avail {
            let comma = if self.jobs.is_some() { ", " } else { "" };
            write!(f, "{comma}{floor} MiB available")?;
        }
        Ok(())
    }
}
