//! What the service does, and does not do, once all is known: seen by strace.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};

use steve::ioctl::Setting;

use crate::kit::{Client, Service, scratch::Dir, sys, until};

tests![
    a_request_of_a_known_client_costs_a_poll_a_read_and_a_write,
    a_killed_holders_token_reaches_a_waiter_without_a_timer,
    an_idle_service_does_nothing,
    a_wait_on_a_limit_costs_one_look_a_recheck,
];

fn a_request_of_a_known_client_costs_a_poll_a_read_and_a_write() {
    let service = Service::with_jobs(4);
    let (client, fd) = Client::of(&service);
    let token = client.take(fd, 1);
    client.write(fd, &token).unwrap();
    let trace = Trace::of(&service);
    assert_eq!(client.take_and_give_back(fd, 500), 500);
    let trace = trace.end();
    let calls = trace.counts();
    let count =
        |names: &[&str]| -> usize { names.iter().filter_map(|name| calls.get(*name)).sum() };
    let polls = count(&["poll", "ppoll", "epoll_wait", "epoll_pwait", "epoll_pwait2"]);
    let reads = count(&["read", "readv"]);
    let writes = count(&["write", "writev"]);
    // Two requests a pair. The call that the trace begins in, or ends in, may be one more or less.
    for (what, seen) in [("polls", polls), ("reads", reads), ("writes", writes)] {
        assert!(
            (999..=1002).contains(&seen),
            "{seen} {what} for 1000 requests: {calls:?}"
        );
    }
    assert!(
        calls.values().sum::<usize>() <= polls + reads + writes,
        "and nothing else: {calls:?}"
    );
}

fn a_killed_holders_token_reaches_a_waiter_without_a_timer() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    holder.take(held, 1);
    let (waiter, fd) = Client::of(&service);
    let read = waiter.block_in_read(fd);
    let trace = Trace::of(&service);
    holder.kill();
    read.wait().unwrap();
    let trace = trace.end();
    let waits: Vec<&str> = trace
        .lines()
        .filter(|line| line.contains("poll(") || line.contains("wait("))
        .collect();
    assert!(!waits.is_empty(), "{}", trace.0);
    for wait in waits {
        let timeless = wait.contains("NULL") || wait.contains("-1)");
        assert!(
            timeless
                || ["unfinished", "resumed", "detached"]
                    .iter()
                    .any(|cut| wait.contains(cut)),
            "{wait}"
        );
    }
    assert!(!trace.0.contains("timer"), "{}", trace.0);
}

fn an_idle_service_does_nothing() {
    let service = Service::with_jobs(2);
    let (holder, held) = Client::of(&service);
    holder.take(held, 2);
    let (waiter, fd) = Client::of(&service);
    let _read = waiter.block_in_read(fd);
    let (poller, fd) = Client::of(&service);
    let _poll = poller.block_in_poll(fd);
    let trace = Trace::of(&service);
    // Longer than every period that there is; there is no event to wait for.
    std::thread::sleep(std::time::Duration::from_secs(10));
    let trace = trace.end();
    let calls = trace.counts();
    assert!(
        calls.values().sum::<usize>() <= 1,
        "it waits in one call all the time: {calls:?}"
    );
}

fn a_wait_on_a_limit_costs_one_look_a_recheck() {
    let service = Service::start(&["-j2", "-m0", "-r0.5"]);
    let (client, fd) = Client::of(&service);
    service.set(Setting::MinMemoryAvail, 1 << 30).unwrap();
    let _read = client.block_in_read(fd);
    let trace = Trace::of(&service);
    // Six times as long; there is no event to wait for.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let trace = trace.end();
    let calls = trace.counts();
    let looks = calls.get("pread64").copied().unwrap_or(0);
    assert!((4..=7).contains(&looks), "{looks} looks: {calls:?}");
    let waits = calls.values().sum::<usize>() - looks;
    assert!(waits <= looks + 2, "one wait for each: {calls:?}");
}

/// A running strace of a service.
struct Trace {
    strace: Child,
    dir: Dir,
}

/// What it saw.
struct Log(String);

impl Trace {
    fn of(service: &Service) -> Trace {
        let dir = Dir::new();
        let mut command = Command::new("strace");
        command
            .args(["-p", &service.pid().to_string(), "-o"])
            .arg(dir.path().join("trace"));
        command
            .stdin(Stdio::null())
            .stderr(fs::File::create(dir.path().join("said")).unwrap());
        sys::bind_to_parent(&mut command);
        let strace = command.spawn().expect("test/setup installs strace");
        let said = dir.path().join("said");
        until("strace is attached", || {
            fs::read_to_string(&said).is_ok_and(|text| text.contains("attached"))
        });
        Trace { strace, dir }
    }

    fn end(mut self) -> Log {
        let pid = self.strace.id() as i32;
        sys::tgkill(pid, pid, libc::SIGINT).unwrap();
        self.strace.wait().unwrap();
        Log(fs::read_to_string(self.dir.path().join("trace")).unwrap())
    }
}

impl Log {
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.lines()
    }

    /// How often each call was made.
    fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for line in self.lines().filter(|line| !line.starts_with("strace:")) {
            if let Some((name, _)) = line.split_once('(') {
                *counts.entry(name).or_default() += 1;
            }
        }
        counts
    }
}
