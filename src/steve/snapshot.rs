//! From the ledger to the snapshot that both programs can read.

use std::collections::HashMap;

use super::ask;
use super::names::Names;
use super::pool::{Call, Pool};
use crate::ioctl::Setting;
use crate::ledger::{self, BuildView, ClientView, Key, Ledger, Settings, Time, Usage};
use crate::report::{
    self, Build, Client, Holder, Lease, Limit, Origin, Readings, Refusal, Snapshot, Token, Totals,
};

impl Pool {
    /// Prints the report.
    pub(super) fn report(&mut self, now: Time) {
        let text = report::text(&self.snapshot(now));
        self.log.say(&text);
    }

    /// Takes a snapshot and keeps it for the caller's open file. Returns its length.
    pub(super) fn take_snapshot(&mut self, call: Call) -> u64 {
        let bytes = self.snapshot(call.now).encode();
        let length = bytes.len() as u64;
        self.snapshots.keep(call.file, bytes);
        length
    }

    pub(super) fn snapshot(&mut self, now: Time) -> Snapshot {
        if self.ledger.wants_readings(now) {
            self.look(now);
        }
        let seen = self.seen();
        take(&mut self.ledger, &mut self.names, &seen, now, self.started)
    }

    /// What the limits are held against, and what no limit is set on as it is now.
    fn seen(&self) -> ledger::Readings {
        let settings = self.ledger.effective();
        let known = self.ledger.readings();
        let other = self.probe.read(|limit| !settings.watches(limit));
        ledger::Readings {
            load1: known.load1.or(other.load1),
            memory_available: known.memory_available.or(other.memory_available),
            pressure: [0, 1, 2].map(|at| known.pressure[at].or(other.pressure[at])),
        }
    }
}

/// The pool at `now`, served since `started`.
fn take(
    ledger: &mut Ledger,
    names: &mut Names,
    seen: &ledger::Readings,
    now: Time,
    started: Time,
) -> Snapshot {
    let mut stops = ledger::Limit::ALL.to_vec();
    stops.retain(|&limit| ledger.says_stop(now, limit));
    let (available, usage) = (ledger.available(now), ledger.usage(now));
    let (ids, builds): (Vec<_>, Vec<_>) = ledger
        .builds()
        .map(|view| (view.id.index(), build(&view)))
        .unzip();
    let places: HashMap<usize, u16> = ids.into_iter().zip(0..).collect();
    let views: Vec<ClientView> = ledger.clients().collect();
    let clients = views.iter().map(|view| Client {
        build: places.get(&view.build.index()).copied().unwrap_or_default(),
        ..client(ledger, names, now, view)
    });
    Snapshot {
        clients: clients.collect(),
        builds,
        available,
        stops: stops.into_iter().map(limit).collect(),
        uptime: now.since(started),
        settings: numbers(ledger.settings()),
        effective: numbers(ledger.effective()),
        in_use: ledger.in_use(),
        reserved: ledger.reserved(),
        readings: readings(seen, ledger.effective(), &usage),
        totals: totals(ledger.totals()),
    }
}

fn numbers(settings: &Settings) -> [i64; Setting::ALL.len()] {
    Setting::ALL.map(|setting| ask::get(settings, setting))
}

fn readings(seen: &ledger::Readings, settings: &Settings, usage: &Usage) -> Readings {
    let memory = seen
        .memory_available
        .map(|mib| i64::try_from(mib).unwrap_or(i64::MAX));
    // The job that asks counts as one just started.
    let growing = settings
        .job_memory
        .saturating_mul(u64::from(usage.young) + 1);
    let growing = i64::try_from(growing).unwrap_or(i64::MAX);
    let to_come = (f64::from(usage.in_use) + 1.0 - usage.load_share) * 1e6;
    Readings {
        load: seen.load1,
        load_expected: seen.load1.map(|load| load.saturating_add(to_come as i64)),
        memory,
        memory_expected: memory.map(|mib| mib.saturating_sub(growing)),
        pressure: seen.pressure,
    }
}

fn limit(limit: ledger::Limit) -> Limit {
    Limit::ALL[limit.index()]
}

fn refusal(refusal: ledger::Refusal) -> Refusal {
    Refusal::ALL[refusal.index()]
}

fn build(view: &BuildView) -> Build {
    Build {
        origin: match view.origin {
            ledger::Origin::Root(pid) => Origin::Root(pid),
            ledger::Origin::Session(session) => Origin::Session(session),
            ledger::Origin::Unknown => Origin::Unknown,
        },
        weight: view.weight,
        limit: view.limit,
        tokens: view.in_use,
        members: view.members,
    }
}

/// A client, but for the place of its build.
fn client(ledger: &mut Ledger, names: &mut Names, now: Time, view: &ClientView) -> Client {
    let age = |since: Time| now.since(since);
    let token = |(byte, since)| Token {
        byte,
        age: age(since),
    };
    let mut tokens: Vec<Token> = ledger.tokens(view.id).map(token).collect();
    tokens.reverse();
    let (holder, uid, command) = match view.key {
        Key::Process(pid) => {
            let name = names.of(now, pid);
            (Holder::Process(pid), name.uid, name.command.clone())
        }
        Key::File(file) => (Holder::File(file), None, String::new()),
    };
    let is_hungry = view.waiting.is_some() || view.missed.is_some();
    let refusal = refusal(ledger.refusal(now, view.id));
    // It found nothing a while ago, but would by now.
    let is_over = refusal == Refusal::NoneLeft && ledger.available(now) > 0;
    Client {
        holder,
        uid,
        command,
        build: 0,
        tokens,
        reserved: view.reserved,
        waiting: view.waiting.map(age),
        missed: view.missed.map(age),
        refusal: (is_hungry && !is_over).then_some(refusal),
        lease: Lease {
            jobs: view.lease.jobs,
            min_memory_avail: view.lease.min_memory_avail.map(u64::from),
        },
    }
}

fn totals(totals: &ledger::Totals) -> Totals {
    Totals {
        grants: totals.grants,
        reclaimed: totals.reclaimed,
        refusals: totals.refusals,
        wakeups: totals.wakeups,
        lapsed: totals.lapsed,
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
