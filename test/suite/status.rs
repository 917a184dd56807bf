//! Who holds the pool, who waits, and why: the report, JSON, metrics, reclaiming.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use rustix::fs::OFlags;
use serde_json::Value;
use steve::ioctl::Setting;

use crate::kit::run::{run, stevie_command};
use crate::kit::scratch::{AS_NOBODY, Dir};
use crate::kit::{Client, Service, stevie, until};

tests![
    the_signal_and_stevie_give_the_same_report,
    holders_and_waiters_are_told,
    a_wait_at_the_per_process_limit_is_told,
    a_wait_at_the_limit_of_a_build_is_told,
    a_wait_on_the_load_average_is_told,
    a_wait_on_memory_is_told,
    a_wait_on_pressure_is_told,
    a_status_in_many_pieces_is_one_moment,
    json_is_one_document_that_agrees_with_the_pool,
    metrics_count_what_happened,
    a_pipe_gets_the_report_each_time_until_it_is_closed,
    root_takes_back_tokens,
    others_may_not_take_back_tokens,
    a_process_that_is_no_client_has_nothing_to_take_back,
];

/// The report, as anyone gets it.
#[track_caller]
fn status(service: &Service) -> String {
    let outcome = stevie(service, &["--status"]);
    outcome.exits_with(0).complains_in_lines(0);
    outcome.stdout
}

/// A report without its times.
fn timeless(report: &str) -> String {
    let is_time =
        |word: &str| word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(['s', ':']);
    let words = |line: &str| {
        line.split(' ')
            .filter(|word| !is_time(word))
            .collect::<Vec<_>>()
            .join(" ")
    };
    report.lines().map(words).collect::<Vec<_>>().join("\n")
}

/// Checks that `client`, which is about to wait, is told to wait for a reason that begins so.
#[track_caller]
fn told(service: &Service, client: &Client, reason: &str) {
    let begin = format!("PID {} (", client.pid());
    let waiting = service.snapshot().waiting().count();
    assert_eq!(waiting, 1);
    let report = status(service);
    let line = report.lines().find(|line| line.starts_with(&begin));
    let (_, told) = line
        .and_then(|line| line.rsplit_once(", waiting for "))
        .expect(&report);
    let (_, told) = told.split_once("s: ").expect(&report);
    assert!(told.starts_with(reason), "{told} is not {reason}\n{report}");
}

fn the_signal_and_stevie_give_the_same_report() {
    let service = Service::with_jobs(2);
    let (holder, fd) = Client::of(&service);
    holder.take(fd, 2);
    let (waiter, fd) = Client::of(&service);
    let _read = waiter.block_in_read(fd);
    let before = service.stdout().len();
    service.signal(libc::SIGUSR1);
    until("the report is out", || {
        service.stdout().ends_with(": no tokens left\n")
    });
    assert_eq!(
        timeless(&service.stdout()[before..]),
        timeless(&status(&service))
    );
}

fn holders_and_waiters_are_told() {
    let service = Service::with_jobs(2);
    let (holder, fd) = Client::of(&service);
    let tokens = holder.take(fd, 2);
    let (waiter, fd) = Client::of(&service);
    let _read = waiter.block_in_read(fd);
    let report = status(&service);
    let lines: Vec<_> = report.lines().collect();
    let [head, holds, young, old, waits] = lines[..] else {
        panic!("{report}");
    };
    assert_eq!(head, "steve: currently 0 tokens available out of 2");
    assert!(
        holds.starts_with(&format!("PID {} (", holder.pid())),
        "{report}"
    );
    assert!(holds.ends_with(") holds 2 tokens:"), "{report}");
    assert!(
        young.starts_with(&format!(" job 0x{:02x} running for ", tokens[1])),
        "{report}"
    );
    assert!(
        old.starts_with(&format!(" job 0x{:02x} running for ", tokens[0])),
        "{report}"
    );
    assert!(
        waits.starts_with(&format!("PID {} (", waiter.pid())),
        "{report}"
    );
    assert!(waits.contains(") holds 0 tokens, waiting for "), "{report}");
    assert!(waits.ends_with("s: no tokens left"), "{report}");
}

fn a_wait_at_the_per_process_limit_is_told() {
    let service = Service::start(&["-j4", "-p2"]);
    let (client, fd) = Client::of(&service);
    client.take(fd, 2);
    let _read = client.block_in_read(fd);
    told(&service, &client, "per-process limit 2 of 2");
}

fn a_wait_at_the_limit_of_a_build_is_told() {
    let service = Service::with_jobs(4);
    let stevie = [env!("CARGO_BIN_EXE_stevie"), "--limit", "1", "-D"];
    let path = service.path().display().to_string();
    let mut command = Command::new(stevie[0]);
    let program = std::env::current_exe().expect("it runs");
    command
        .args(&stevie[1..])
        .arg(path)
        .arg(program)
        .arg("be-client");
    let client = Client::launch(&mut command, |pid| pid);
    let fd = client.open(service.path(), OFlags::RDWR);
    let _read = client.block_in_read(fd);
    told(&service, &client, "build limit 1 of 1");
}

/// Checks the reason for a wait for a second token where `setting` keeps the pool at one.
#[track_caller]
fn told_by_limit(setting: Setting, value: i64, begin: &str, end: &str) {
    let service = Service::with_jobs(4);
    let (client, fd) = Client::of(&service);
    client.take(fd, 1);
    service.set(setting, value).expect("the setting is taken");
    let _read = client.block_in_read(fd);
    told(&service, &client, begin);
    let report = status(&service);
    let last = report.lines().last().expect("a report");
    assert!(
        last.starts_with(&format!("limit reached: {begin}")),
        "{report}"
    );
    assert!(last.ends_with(end), "{report}");
}

fn a_wait_on_the_load_average_is_told() {
    told_by_limit(Setting::LoadAverage, 10_000, "load average ", " of 0.01");
}

fn a_wait_on_memory_is_told() {
    told_by_limit(
        Setting::MinMemoryAvail,
        1 << 30,
        "memory ",
        " MiB of 1073741824 MiB",
    );
}

/// Pressure cannot be made at will; where there is some, it is above so small a limit.
fn a_wait_on_pressure_is_told() {
    let service = Service::with_jobs(1);
    let Some(seen) = service.snapshot().readings.pressure[0] else {
        return;
    };
    if seen > 10_000 {
        told_by_limit(
            Setting::MaxCpuPressure,
            1,
            "cpu pressure ",
            "% of 0.000001%",
        );
    }
}

fn a_status_in_many_pieces_is_one_moment() {
    const WAITERS: usize = 150;
    let service = Service::with_jobs(1);
    let (holder, fd) = Client::of(&service);
    holder.take(fd, 1);
    // A shell starts them faster than a client each; a long name makes a long status.
    let script = format!("for i in $(seq {WAITERS}); do head -c 1 \"$0\" & done; wait");
    let name = format!("{}/{}", "/.".repeat(50), service.path().display());
    let mut shell = Command::new("sh")
        .args(["-c", &script, &name])
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("a shell");
    service.until_waiting(WAITERS);
    assert!(service.snapshot().encode().len() > 2 * steve::ioctl::PIECE);
    let report = status(&service);
    assert_eq!(report.matches(" tokens, waiting for ").count(), WAITERS);
    let group = rustix::process::Pid::from_child(&shell);
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).expect("ours");
    shell.wait().expect("it is ours");
    until("they are gone", || service.snapshot().clients.len() == 1);
}

fn json_is_one_document_that_agrees_with_the_pool() {
    let service = Service::with_jobs(3);
    let (client, fd) = Client::of(&service);
    let tokens = client.take(fd, 2);
    let outcome = stevie(&service, &["--status", "--json"]);
    outcome.exits_with(0);
    assert_eq!(outcome.stdout.lines().count(), 1);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(document["settings"]["jobs"], 3);
    assert_eq!(document["tokens"]["available"], 1);
    assert_eq!(document["tokens"]["held"], 2);
    let told = &document["clients"][0];
    assert_eq!(told["pid"], client.pid());
    assert_eq!(told["uid"], rustix::process::getuid().as_raw());
    assert_eq!(told["tokens"][0]["byte"], tokens[1]);
    assert!(
        told["command"]
            .as_str()
            .is_some_and(|command| command.contains("client"))
    );
    assert_eq!(document["builds"][0]["tokens"], 2);
    assert_eq!(document["totals"]["grants"], 2);
}

fn metrics_count_what_happened() {
    let service = Service::with_jobs(1);
    let (holder, fd) = Client::of(&service);
    holder.take(fd, 1);
    let (waiter, fd) = Client::of(&service);
    let read = waiter.block_in_read(fd);
    holder.kill_and_wait();
    read.wait().expect("the token of the dead");
    let outcome = stevie(&service, &["--metrics"]);
    outcome.exits_with(0);
    for line in [
        "# TYPE steve_grants_total counter",
        "steve_grants_total 2",
        "steve_reclaims_total 1",
        "steve_refusals_total{reason=\"no_tokens_left\"} 1",
        "steve_clients 1",
        "steve_tokens_held 1",
    ] {
        assert!(
            outcome.stdout.lines().any(|told| told == line),
            "{line}\n{outcome}"
        );
    }
}

fn a_pipe_gets_the_report_each_time_until_it_is_closed() {
    let service = Service::with_jobs(7);
    let mut watch = stevie_command(&service)
        .args(["--watch", "0.1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("stevie starts");
    let line = b"steve: currently 7 tokens available out of 7\n";
    let mut output = watch.stdout.take().expect("piped");
    for _ in 0..3 {
        let mut text = vec![0; line.len()];
        output.read_exact(&mut text).expect("a report");
        assert_eq!(text, line);
    }
    drop(output);
    let mut status = None;
    until("the watch ends", || {
        status = watch.try_wait().expect("it is ours");
        status.is_some()
    });
    assert_eq!(status.and_then(|status| status.code()), Some(0));
}

fn root_takes_back_tokens() {
    let service = Service::start(&["-j2"]);
    let (client, fd) = Client::of(&service);
    client.take(fd, 2);
    let pid = client.pid().to_string();
    stevie(&service, &["--reclaim", &pid])
        .exits_with(0)
        .prints("2\n");
    service.until_free(2);
    until("the log has it", || {
        service.stderr().contains("2 tokens of PID")
    });
    stevie(&service, &["--reclaim", &pid])
        .exits_with(0)
        .prints("0\n");
}

fn others_may_not_take_back_tokens() {
    let service = Service::start(&["-j2", "--mode=0666"]);
    let (client, fd) = Client::of(&service);
    client.take(fd, 2);
    let path = service.path().display().to_string();
    let pid = client.pid().to_string();
    let dir = Dir::new();
    let mut command = Command::new(AS_NOBODY[0]);
    command
        .args(&AS_NOBODY[1..])
        .arg(dir.copy_of(env!("CARGO_BIN_EXE_stevie")));
    let outcome = run(command.args(["-D", &path, "--reclaim", &pid]));
    outcome.exits_with(1).complains("Operation not permitted");
    assert_eq!(service.held_by(&client), 2);
}

fn a_process_that_is_no_client_has_nothing_to_take_back() {
    let service = Service::with_jobs(2);
    let outcome = stevie(&service, &["--reclaim", "1"]);
    outcome
        .exits_with(1)
        .complains("PID 1")
        .complains("not a client")
        .complains_in_lines(1);
}
