//! The report: what SIGUSR1 prints and `stevie --status` shows.

use std::fmt::{self, Write};

use super::{Client, Lease, Refusal, Seconds, Snapshot};
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
    for &limit in &snapshot.stops {
        let reason = Reason {
            snapshot,
            client: None,
            refusal: Refusal::Limit(limit),
        };
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
        if let Some(refusal) = client.refusal {
            write!(
                out,
                ": {}",
                Reason {
                    snapshot,
                    client: Some(client),
                    refusal
                }
            )?;
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

/// A refusal in words, with the figure seen and the limit.
#[derive(Clone, Copy, Debug)]
pub struct Reason<'a> {
    /// Where the figures are.
    pub snapshot: &'a Snapshot,
    /// Who was refused, where that matters.
    pub client: Option<&'a Client>,
    /// Why.
    pub refusal: Refusal,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.refusal {
            Refusal::NoneLeft => f.write_str("no tokens left"),
            Refusal::PerProcessLimit => {
                f.write_str("per-process limit")?;
                let limit = self.snapshot.effective(Setting::PerProcessLimit);
                self.client.map_or(Ok(()), |client| {
                    write!(f, " {} of {limit}", client.in_use())
                })
            }
            Refusal::BuildLimit => {
                f.write_str("build limit")?;
                let build = self.client.map(|client| usize::from(client.build));
                let build = build.and_then(|build| self.snapshot.builds.get(build));
                match build.and_then(|build| Some((build.tokens, build.limit?))) {
                    Some((tokens, limit)) => write!(f, " {tokens} of {limit}"),
                    None => Ok(()),
                }
            }
            Refusal::Limit(limit) => match self.snapshot.figure(limit) {
                Some(figure) => figure.fmt(f),
                None => f.write_str(limit.words()),
            },
        }
    }
}
