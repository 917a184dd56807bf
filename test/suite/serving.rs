//! The service from outside: what it says, its signals, its end.

use std::fs;
use std::io::ErrorKind::NotFound;

use rustix::io::Errno;

use crate::kit::{Client, IN, OUT, Service, Transport, stevie, until};

tests![
    it_says_what_it_serves_and_each_limit,
    sigusr1_prints_the_report,
    the_report_tells_of_holders_and_of_waiters,
    status_is_the_same_text,
    sighup_is_ignored,
    sigterm_ends_it_and_wakes_everybody,
    sigint_ends_it,
    what_it_served_is_gone_when_it_ends,
    a_killed_service_frees_its_clients,
    it_says_nothing_of_requests_unless_asked,
    verbose_tells_of_clients_and_reclaims,
    a_reader_that_does_not_listen_does_no_harm,
    the_kernel_has_an_answer_to_everything_but_blocked_reads,
];

fn it_says_what_it_serves_and_each_limit() {
    let service = Service::start(&["-j6", "-m2", "-p3", "-l8.5"]);
    let hello = service.stdout();
    let lines: Vec<&str> = hello.lines().collect();
    assert_eq!(
        lines[0],
        format!("steve running on {} for 6 jobs", service.path().display())
    );
    assert_eq!(lines[1], " at least 2 jobs will be always available");
    assert_eq!(lines.len(), 4, "a line for each limit: {hello}");
    assert!(hello.contains("8.5"), "{hello}");
    assert_eq!(service.stderr(), "");
}

fn sigusr1_prints_the_report() {
    let service = Service::with_jobs(12);
    service.signal(libc::SIGUSR1);
    until("there is a report", || {
        service
            .stdout()
            .ends_with("steve: currently 12 tokens available out of 12\n")
    });
}

fn the_report_tells_of_holders_and_of_waiters() {
    let service = Service::with_jobs(2);
    let (holder, held) = Client::of(&service);
    let tokens = holder.take(held, 2);
    let (waiter, fd) = Client::of(&service);
    let _read = waiter.block_in_read(fd);
    service.signal(libc::SIGUSR1);
    until("there is a report", || {
        service.stdout().contains("no tokens left\n")
    });
    let output = service.stdout();
    let report: Vec<&str> = output.lines().skip(2).collect();
    assert_eq!(report[0], "steve: currently 0 tokens available out of 2");
    let command = fs::read_to_string(format!("/proc/{}/cmdline", holder.pid())).unwrap();
    let command = command.trim_end_matches('\0').replace('\0', " ");
    assert_eq!(
        report[1],
        format!("PID {} ({command}) holds 2 tokens:", holder.pid())
    );
    for (line, byte) in report[2..4].iter().zip([tokens[1], tokens[0]]) {
        let job = format!(" job {byte:#04x} running for ");
        let seconds = line
            .strip_prefix(&job)
            .and_then(|rest| rest.strip_suffix('s'));
        let seconds: f64 = seconds.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        assert!(seconds < 60.0, "{line}");
    }
    let waiting = format!(
        "PID {} ({command}) holds 0 tokens, waiting for ",
        waiter.pid()
    );
    assert!(report[4].starts_with(&waiting), "{}", report[4]);
    assert!(report[4].ends_with("s: no tokens left"), "{}", report[4]);
    assert_eq!(report.len(), 5);
}

fn status_is_the_same_text() {
    let service = Service::with_jobs(2);
    let (holder, held) = Client::of(&service);
    holder.take(held, 1);
    let status = stevie(&service, &["--status"]);
    status.exits_with(0);
    let mut lines = status.stdout.lines();
    assert_eq!(
        lines.next(),
        Some("steve: currently 1 tokens available out of 2")
    );
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with(&format!("PID {} (", holder.pid())),
        "{status}"
    );
}

fn sighup_is_ignored() {
    let service = Service::with_jobs(1);
    service.signal(libc::SIGHUP);
    assert_eq!(service.free(), 1);
}

fn sigterm_ends_it_and_wakes_everybody() {
    let mut service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    holder.take(held, 1);
    let (reader, fd_reader) = Client::of(&service);
    let (poller, fd_poller) = Client::of(&service);
    let read = reader.block_in_read(fd_reader);
    let poll = poller.block_in_poll(fd_poller);
    let status = service.stop();
    assert_eq!(status.code(), Some(0));
    assert_eq!(read.wait(), Err(Errno::CONNABORTED));
    assert_ne!(poll.wait().unwrap() & libc::POLLERR as u16, 0);
    assert_eq!(holder.write(held, b"+"), Err(Errno::NOTCONN));
    holder.close(held);
}

fn sigint_ends_it() {
    let mut service = Service::with_jobs(1);
    service.signal(libc::SIGINT);
    assert_eq!(service.wait().code(), Some(0));
    assert_eq!(service.stderr(), "");
}

fn what_it_served_is_gone_when_it_ends() {
    let mut service = Service::with_jobs(1);
    let path = service.path().to_owned();
    let (_client, _open_file) = Client::of(&service);
    service.stop();
    assert!(!path.exists(), "{} is still there", path.display());
}

fn a_killed_service_frees_its_clients() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    holder.take(held, 1);
    let (reader, fd) = Client::of(&service);
    let read = reader.block_in_read(fd);
    service.signal(libc::SIGKILL);
    assert_eq!(read.wait(), Err(Errno::CONNABORTED));
    let gone = || std::fs::symlink_metadata(service.path()).is_err_and(|e| e.kind() == NotFound);
    until("what it served is gone", gone);
}

fn it_says_nothing_of_requests_unless_asked() {
    let service = Service::with_jobs(2);
    let before = service.stdout();
    let (client, fd) = Client::of(&service);
    let tokens = client.take(fd, 2);
    client.write(fd, &tokens).unwrap();
    client.kill_and_wait();
    until("it is forgotten", || service.snapshot().clients.is_empty());
    assert_eq!(service.stdout(), before);
    assert_eq!(service.stderr(), "");
}

fn verbose_tells_of_clients_and_reclaims() {
    let service = Service::start(&["-v", "-j2"]);
    let (client, fd) = Client::of(&service);
    client.take(fd, 2);
    let pid = format!("PID {}", client.pid());
    client.kill_and_wait();
    service.until_free(2);
    until("both lines are there", || {
        service.stdout().matches(&pid).count() >= 2
    });
    let output = service.stdout();
    let last = output.lines().rfind(|line| line.contains(&pid)).unwrap();
    assert!(last.contains("2 tokens"), "{output}");
}

fn a_reader_that_does_not_listen_does_no_harm() {
    let service = Service::start(&["-d", "-j2"]);
    service.stop_listening();
    let (client, fd) = Client::of(&service);
    // More than a pipe takes.
    for _ in 0..Transport::current().at_most(2000, 500) {
        let token = client.take(fd, 1);
        client.write(fd, &token).unwrap();
    }
    service.signal(libc::SIGUSR1);
    service.until_free(2);
}

fn the_kernel_has_an_answer_to_everything_but_blocked_reads() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    holder.take(held, 1);
    let clients: Vec<_> = (0..3).map(|_| Client::of(&service)).collect();
    let mut blocked = Vec::new();
    for (client, fd) in &clients {
        blocked.push(client.block_in_read(*fd));
        let other = client.thread();
        assert_eq!(other.poll(*fd, IN | OUT, 0), Ok(OUT));
    }
    assert_eq!(service.unanswered(), 3);
    drop(clients);
    until("the reads are answered", || service.unanswered() == 0);
}
