//! The snapshot as one JSON document. stevie(1) describes it: its names are a promise.

use super::json::Json;
use crate::ioctl::{Setting, Unit};
use crate::report::{
    Build, Client, Figure, Holder, Lease, Origin, Readings, Reason, Refusal, Snapshot, Totals,
};

/// Changes when a name goes or means something else; new names alone do not change it.
const VERSION: u32 = 1;

/// The document.
pub(super) fn document(snapshot: &Snapshot) -> Json {
    let held = snapshot.in_use.saturating_sub(snapshot.reserved);
    let clients = snapshot.clients.iter();
    Json::Object(vec![
        ("version", VERSION.into()),
        ("uptime", snapshot.uptime.into()),
        ("settings", settings(|setting| snapshot.setting(setting))),
        ("effective", settings(|setting| snapshot.effective(setting))),
        (
            "tokens",
            Json::Object(vec![
                ("available", snapshot.available.into()),
                ("held", held.into()),
                ("reserved", snapshot.reserved.into()),
            ]),
        ),
        ("readings", readings(&snapshot.readings)),
        (
            "stops",
            Json::List(snapshot.reasons().map(reason).collect()),
        ),
        (
            "builds",
            Json::List((0_usize..).zip(&snapshot.builds).map(build).collect()),
        ),
        (
            "clients",
            Json::List(clients.map(|each| client(snapshot, each)).collect()),
        ),
        ("leases", Json::List(snapshot.leases().map(lease).collect())),
        ("totals", totals(&snapshot.totals)),
    ])
}

/// The names of all settings, in the order of [`Setting::ALL`].
const SETTINGS: [&str; Setting::ALL.len()] = [
    "jobs",
    "min_jobs",
    "per_process_limit",
    "load_average",
    "load_recheck_timeout",
    "min_memory_avail",
    "job_memory",
    "max_cpu_pressure",
    "max_memory_pressure",
    "max_io_pressure",
];

fn settings(value: impl Fn(Setting) -> i64) -> Json {
    let value = |setting: Setting| match (value(setting), setting.unit()) {
        (number, _) if number < 0 => Json::Null,
        (number, Unit::Integer) => number.into(),
        (number, Unit::Millionths) => Json::millionths(number),
    };
    Json::Object(SETTINGS.into_iter().zip(Setting::ALL.map(value)).collect())
}

fn readings(readings: &Readings) -> Json {
    let decimal = |number: Option<i64>| number.map_or(Json::Null, Json::millionths);
    let [cpu, memory, io] = readings.pressure;
    Json::Object(vec![
        ("load_average", decimal(readings.load)),
        ("load_average_expected", decimal(readings.load_expected)),
        ("memory_available", readings.memory.into()),
        ("memory_available_expected", readings.memory_expected.into()),
        ("cpu_pressure", decimal(cpu)),
        ("memory_pressure", decimal(memory)),
        ("io_pressure", decimal(io)),
    ])
}

fn reason(reason: Reason) -> Json {
    let mut members = vec![("reason", reason.refusal.name().into())];
    if let Some(Figure {
        seen,
        expected,
        bound,
    }) = reason.figure
    {
        members.push(("seen", seen.into()));
        members.extend(expected.map(|expected| ("expected", expected.into())));
        members.push(("limit", bound.into()));
    }
    Json::Object(members)
}

fn build((place, build): (usize, &Build)) -> Json {
    let (origin, pid) = match build.origin {
        Origin::Root(pid) => ("root", Some(pid)),
        Origin::Session(session) => ("session", Some(session)),
        Origin::Unknown => ("unknown", None),
    };
    Json::Object(vec![
        ("build", place.into()),
        ("origin", origin.into()),
        ("pid", pid.into()),
        ("weight", build.weight.into()),
        ("limit", build.limit.into()),
        ("tokens", build.tokens.into()),
        ("clients", build.members.into()),
    ])
}

fn client(snapshot: &Snapshot, client: &Client) -> Json {
    let tokens = client.tokens.iter().map(|token| {
        Json::Object(vec![
            ("byte", u16::from(token.byte).into()),
            ("age", token.age.into()),
        ])
    });
    let refused = snapshot.reason_of(client).map(reason);
    let [pid, file] = holder(client);
    Json::Object(vec![
        pid,
        file,
        ("uid", client.uid.into()),
        ("command", client.command.as_str().into()),
        ("build", client.build.into()),
        ("tokens", Json::List(tokens.collect())),
        ("reserved", client.reserved.into()),
        ("waiting", client.waiting.into()),
        ("missed", client.missed.into()),
        ("refused", refused.unwrap_or(Json::Null)),
    ])
}

/// A client is a process or, where the kernel names none, an open file.
fn holder(client: &Client) -> [(&'static str, Json); 2] {
    let (pid, file) = match client.holder {
        Holder::Process(pid) => (Some(pid), None),
        Holder::File(file) => (None, Some(file)),
    };
    [("pid", pid.into()), ("file", file.into())]
}

fn lease(client: &Client) -> Json {
    let [pid, file] = holder(client);
    let Lease {
        jobs,
        min_memory_avail,
    } = client.lease;
    Json::Object(vec![
        pid,
        file,
        ("jobs", jobs.into()),
        ("min_memory_avail", min_memory_avail.into()),
    ])
}

fn totals(totals: &Totals) -> Json {
    let refusals = Refusal::ALL
        .map(Refusal::name)
        .into_iter()
        .zip(totals.refusals.map(Json::from));
    Json::Object(vec![
        ("grants", totals.grants.into()),
        ("reclaims", totals.reclaimed.into()),
        ("refusals", Json::Object(refusals.collect())),
        ("wakeups", totals.wakeups.into()),
        ("lapsed", totals.lapsed.into()),
    ])
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
