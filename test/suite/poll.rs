//! poll, select and epoll: they agree with what a read would give this very client.

use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::kit::{Client, IN, OUT, Service, until, wait};

tests![
    always_writable,
    readable_when_a_read_would_give_a_token,
    not_readable_for_a_client_at_its_limit,
    a_poller_is_woken_by_a_token_and_gets_it,
    one_token_wakes_one_poller,
    a_client_told_readable_gets_the_token_that_others_ask_for,
    a_reservation_lapses_and_goes_to_the_next_in_line,
    a_write_gives_up_a_reservation,
    a_client_that_lets_two_lapse_is_not_readable_until_it_reads,
    pollers_and_readers_stand_in_one_line,
    select_agrees,
    a_select_without_a_timeout_is_woken,
    epoll_level_triggered,
    epoll_edge_triggered,
    more_jobs_wake_a_poller,
];

/// What must never be set.
const BAD: u16 = (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) as u16;

fn always_writable() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    assert_eq!(client.poll(fd, OUT, 0), Ok(OUT));
    client.take(fd, 1);
    assert_eq!(client.poll(fd, OUT | BAD, 0), Ok(OUT));
    assert_eq!(client.poll(fd, IN | OUT, -1), Ok(OUT));
}

fn readable_when_a_read_would_give_a_token() {
    let service = Service::with_jobs(2);
    let client = Client::start();
    let fd = client.open(service.path(), OFlags::RDWR | OFlags::NONBLOCK);
    for _ in 0..2 {
        assert_eq!(client.poll(fd, IN | BAD, 0), Ok(IN));
        client.read(fd).unwrap();
    }
    assert_eq!(client.poll(fd, IN | BAD, 0), Ok(0));
    assert_eq!(client.read(fd), Err(Errno::AGAIN));
    assert_eq!(client.poll(fd, IN | BAD, 5), Ok(0));
}

fn not_readable_for_a_client_at_its_limit() {
    let service = Service::start(&["-j", "4", "-p", "1"]);
    let (client, fd) = Client::of(&service);
    client.take(fd, 1);
    assert_eq!(client.poll(fd, IN, 0), Ok(0));
    let (other, fd) = Client::of(&service);
    assert_eq!(other.poll(fd, IN, 0), Ok(IN));
}

fn a_poller_is_woken_by_a_token_and_gets_it() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let client = Client::start();
    let fd = client.open(service.path(), OFlags::RDWR | OFlags::NONBLOCK);
    let poll = client.block_in_poll(fd);
    poll.assert_blocked();
    holder.write(held, &token).unwrap();
    assert_eq!(poll.wait(), Ok(IN));
    client.read(fd).unwrap();
}

fn one_token_wakes_one_poller() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let pollers: Vec<_> = (0..5).map(|_| Client::of(&service)).collect();
    let mut polls = Vec::new();
    for (client, fd) in &pollers {
        polls.push(client.block_in_poll(*fd));
    }
    holder.write(held, &token).unwrap();
    let mut polls = polls.into_iter();
    assert_eq!(polls.next().expect("the first").wait(), Ok(IN));
    for poll in polls {
        poll.assert_blocked();
    }
    assert_eq!(service.snapshot().totals.wakeups, 1);
}

fn a_client_told_readable_gets_the_token_that_others_ask_for() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    let thief = Client::start();
    let fd_thief = thief.open(service.path(), OFlags::RDWR | OFlags::NONBLOCK);
    assert_eq!(client.poll(fd, IN, 0), Ok(IN));
    assert_eq!(thief.read(fd_thief), Err(Errno::AGAIN));
    assert_eq!(thief.poll(fd_thief, IN, 0), Ok(0));
    client.read(fd).unwrap();
}

fn a_reservation_lapses_and_goes_to_the_next_in_line() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    assert_eq!(client.poll(fd, IN, 0), Ok(IN));
    let told = Instant::now();
    let (next, fd_next) = Client::of(&service);
    next.begin_read(fd_next).wait().unwrap();
    let waited = told.elapsed();
    assert!(
        waited > Duration::from_millis(200),
        "it lapsed after {waited:?}"
    );
    assert!(
        waited < Duration::from_secs(5),
        "it lapsed after {waited:?}"
    );
}

fn a_write_gives_up_a_reservation() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    let token = client.take(fd, 1);
    assert_eq!(client.poll(fd, IN, 0), Ok(IN));
    assert_eq!(service.snapshot().reserved, 1);
    client.write(fd, &token).unwrap();
    assert_eq!(service.snapshot().reserved, 0);
    service.until_free(2);
}

fn a_client_that_lets_two_lapse_is_not_readable_until_it_reads() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    for _ in 0..2 {
        assert_eq!(client.poll(fd, IN, 0), Ok(IN));
        until("it lapses", || service.snapshot().reserved == 0);
    }
    assert_eq!(client.poll(fd, IN, 0), Ok(0));
    client.take(fd, 1);
    client.write(fd, b"+").unwrap();
    assert_eq!(client.poll(fd, IN, 0), Ok(IN));
}

fn pollers_and_readers_stand_in_one_line() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (poller, fd_poller) = Client::of(&service);
    let (reader, fd_reader) = Client::of(&service);
    let poll = poller.block_in_poll(fd_poller);
    let read = reader.block_in_read(fd_reader);
    holder.write(held, &token).unwrap();
    assert_eq!(poll.wait(), Ok(IN));
    read.assert_blocked();
    let token = poller.read(fd_poller).unwrap();
    poller.write(fd_poller, &[token]).unwrap();
    read.wait().unwrap();
}

fn select_agrees() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    assert_eq!(client.select(fd, 0), Ok([true, true, false]));
    client.take(fd, 1);
    assert_eq!(client.select(fd, 0), Ok([false, true, false]));
}

fn a_select_without_a_timeout_is_woken() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    let tid = client.tid();
    let select = client.begin_select_read(fd, -1);
    until("it sleeps", || {
        wait::sleeps_in(tid, "do_select") && !wait::sleeps_in(tid, "fuse")
    });
    holder.write(held, &token).unwrap();
    assert_eq!(select.wait(), Ok([true, false, false]));
    client.read(fd).unwrap();
}

fn epoll_level_triggered() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    let epoll = client.epoll(fd, libc::EPOLLIN as u32);
    assert_eq!(client.begin_epoll_wait(epoll, 0).wait(), Ok(0));
    let event = client.begin_epoll_wait(epoll, -1);
    event.assert_blocked();
    holder.write(held, &token).unwrap();
    assert_eq!(event.wait(), Ok(libc::EPOLLIN as u32));
    assert_eq!(
        client.begin_epoll_wait(epoll, 0).wait(),
        Ok(libc::EPOLLIN as u32)
    );
    client.read(fd).unwrap();
    assert_eq!(client.begin_epoll_wait(epoll, 0).wait(), Ok(0));
}

fn epoll_edge_triggered() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let client = Client::start();
    let fd = client.open(service.path(), OFlags::RDWR | OFlags::NONBLOCK);
    let mut token = holder.take(held, 1);
    let edge = (libc::EPOLLIN | libc::EPOLLET) as u32;
    let epoll = client.epoll(fd, edge);
    for _ in 0..3 {
        let event = client.begin_epoll_wait(epoll, -1);
        event.assert_blocked();
        holder.write(held, &token).unwrap();
        assert_eq!(event.wait(), Ok(libc::EPOLLIN as u32));
        let again = client.begin_epoll_wait(epoll, 0);
        assert_eq!(again.wait(), Ok(0), "an edge comes once");
        let taken = client.read(fd).unwrap();
        let read = holder.block_in_read(held);
        client.write(fd, &[taken]).unwrap();
        token = vec![read.wait().unwrap()];
        // As who waits for edges does: read until there is no more, and then wait.
        assert_eq!(client.read(fd), Err(Errno::AGAIN));
    }
}

fn more_jobs_wake_a_poller() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    let poll = client.block_in_poll(fd);
    service.set(steve::ioctl::Setting::Jobs, 2).unwrap();
    assert_eq!(poll.wait(), Ok(IN));
    client.read(fd).unwrap();
}
