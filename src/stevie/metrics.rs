//! The snapshot in the Prometheus text format (version 0.0.4), for node_exporter's textfile
//! collector. Units are base units, as the naming conventions ask: seconds, bytes, ratios.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use crate::ioctl::Setting;
use crate::report::{Limit, Refusal, Snapshot};

/// Bytes of a MiB.
const MIB: i64 = 1 << 20;

/// All metrics.
pub(super) fn metrics(snapshot: &Snapshot) -> String {
    let mut out = Metrics(String::new());
    // Writing to a string does not fail.
    let _ = tokens(&mut out, snapshot)
        .and_then(|()| machine(&mut out, snapshot))
        .and_then(|()| totals(&mut out, snapshot));
    out.0
}

fn tokens(out: &mut Metrics, snapshot: &Snapshot) -> fmt::Result {
    let held = snapshot.in_use.saturating_sub(snapshot.reserved);
    let waiting = snapshot.waiting().count();
    let waited = snapshot.waiting().filter_map(|client| client.waiting).max();
    let jobs = snapshot.effective(Setting::Jobs);
    out.gauge("jobs", "Tokens in the pool, leases counted.", jobs)?;
    out.gauge(
        "tokens_available",
        "Tokens that could be taken now.",
        snapshot.available,
    )?;
    out.gauge("tokens_held", "Tokens that clients hold.", held)?;
    out.gauge(
        "tokens_reserved",
        "Tokens set aside for a client that may read.",
        snapshot.reserved,
    )?;
    out.gauge(
        "builds",
        "Builds that share the pool.",
        snapshot.builds.len(),
    )?;
    out.gauge("clients", "Clients that live.", snapshot.clients.len())?;
    out.gauge("clients_waiting", "Clients that wait for a token.", waiting)?;
    let help = "The longest wait for a token that is not over.";
    out.gauge(
        "longest_wait_seconds",
        help,
        seconds(waited.unwrap_or_default()),
    )?;
    out.gauge("leases", "Leases on the pool.", snapshot.leases().count())?;
    out.gauge(
        "uptime_seconds",
        "Time since the service began.",
        seconds(snapshot.uptime),
    )
}

fn machine(out: &mut Metrics, snapshot: &Snapshot) -> fmt::Result {
    let readings = &snapshot.readings;
    if let Some(load) = readings.load {
        out.gauge(
            "load_average",
            "Load average of one minute, as last seen.",
            millionths(load),
        )?;
    }
    if let Some(memory) = readings.memory {
        let bytes = memory.saturating_mul(MIB);
        out.gauge(
            "memory_available_bytes",
            "Available memory, as last seen.",
            bytes,
        )?;
    }
    let help = "Share of ten seconds in which some task was stalled, as last seen.";
    let pressure = ["cpu", "memory", "io"].into_iter().zip(readings.pressure);
    let pressure =
        pressure.filter_map(|(name, percent)| Some((name, millionths(percent?) / 100.0)));
    out.family("pressure_ratio", "gauge", help, "resource", pressure)?;
    let help = "Whether a limit stands against one token more.";
    let stops = Limit::ALL.map(|limit| (limit.name(), u8::from(snapshot.stops.contains(&limit))));
    out.family("limit_stops", "gauge", help, "limit", stops)
}

fn totals(out: &mut Metrics, snapshot: &Snapshot) -> fmt::Result {
    let totals = &snapshot.totals;
    out.counter("grants_total", "Tokens given out.", totals.grants)?;
    let help = "Tokens taken back from processes that ended, or by order.";
    out.counter("reclaims_total", help, totals.reclaimed)?;
    let help = "Reads that found no token or had to wait for one.";
    let refusals = Refusal::ALL
        .map(Refusal::name)
        .into_iter()
        .zip(totals.refusals);
    out.family("refusals_total", "counter", help, "reason", refusals)?;
    out.counter(
        "wakeups_total",
        "Polling clients woken for a token.",
        totals.wakeups,
    )?;
    let help = "Reservations that ran out unread.";
    out.counter("lapsed_reservations_total", help, totals.lapsed)
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

fn millionths(number: i64) -> f64 {
    number as f64 / 1e6
}

/// Metrics written so far.
struct Metrics(String);

impl Metrics {
    fn head(&mut self, name: &str, kind: &str, help: &str) -> fmt::Result {
        writeln!(
            self.0,
            "# HELP steve_{name} {help}\n# TYPE steve_{name} {kind}"
        )
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) -> fmt::Result {
        self.head(name, "gauge", help)?;
        writeln!(self.0, "steve_{name} {value}")
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.head(name, "counter", help)?;
        writeln!(self.0, "steve_{name} {value}")
    }

    /// One sample for each value of a label; nothing at all where there is none.
    fn family<V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        label: &str,
        samples: impl IntoIterator<Item = (&'static str, V)>,
    ) -> fmt::Result {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_some() {
            self.head(name, kind, help)?;
        }
        samples.try_for_each(|(value, sample)| {
            writeln!(self.0, "steve_{name}{{{label}=\"{value}\"}} {sample}")
        })
    }
}

#[cfg(test)]
mod tests {
    use prometheus_parse::Value;

    use super::*;
    use crate::report::tests::{busy, full};

    #[test]
    fn totals_are_counters_by_reason() {
        let text = metrics(&full());
        assert!(text.contains(
            "# HELP steve_refusals_total Reads that found no token or had to wait for one.\n\
             # TYPE steve_refusals_total counter\n\
             steve_refusals_total{reason=\"no_tokens_left\"} 1\n"
        ));
        assert!(text.contains("\nsteve_grants_total 1099511627776\n"));
    }

    #[test]
    fn readings_are_in_base_units() {
        let text = metrics(&full());
        assert!(text.contains("\nsteve_memory_available_bytes 3145728000\n"));
        assert!(text.contains("\nsteve_pressure_ratio{resource=\"cpu\"} 0.305\n"));
        assert!(text.contains("\nsteve_load_average 14.25\n"));
        assert!(text.contains("\nsteve_limit_stops{limit=\"memory\"} 1\n"));
    }

    #[test]
    fn what_was_not_read_is_left_out() {
        let text = metrics(&busy());
        for name in ["load_average", "memory_available_bytes", "pressure_ratio"] {
            assert!(!text.contains(&format!("steve_{name} ")), "{name}");
        }
        assert!(text.contains("\nsteve_longest_wait_seconds 1.5\n"));
    }

    /// What a parser makes of each sample: its name, its label if it has one, its value, and
    /// whether it is a counter.
    fn parsed(snapshot: &Snapshot) -> Vec<(String, Option<String>, f64, bool)> {
        let text = metrics(snapshot);
        let lines = text.lines().map(|line| Ok(line.to_string()));
        let scrape = prometheus_parse::Scrape::parse(lines).unwrap();
        let sample = |sample: prometheus_parse::Sample| match sample.value {
            Value::Counter(value) => (sample.metric, label(&sample.labels), value, true),
            Value::Gauge(value) => (sample.metric, label(&sample.labels), value, false),
            other => panic!("{}: {other:?}", sample.metric),
        };
        scrape.samples.into_iter().map(sample).collect()
    }

    fn label(labels: &prometheus_parse::Labels) -> Option<String> {
        labels.values().next().cloned()
    }

    #[test]
    fn a_parser_finds_every_sample_with_its_type() {
        let samples = parsed(&full());
        for (name, _, _, is_counter) in &samples {
            assert_eq!(name.ends_with("_total"), *is_counter, "{name}");
        }
        let text = metrics(&full());
        let written = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(samples.len(), written);
        let refusals = samples
            .iter()
            .filter(|(name, ..)| name == "steve_refusals_total");
        let told = refusals.map(|(_, reason, count, _)| (reason.clone().unwrap(), *count as u64));
        let names = Refusal::ALL.map(|refusal| refusal.name().to_string());
        assert!(told.eq(names.into_iter().zip(full().totals.refusals)));
    }
}
