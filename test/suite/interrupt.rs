//! Signals to clients that wait, in every order that the kernel tells of them.

use rustix::io::Errno;

use crate::kit::{Client, Service, Transport, client, until, wait};

tests![
    an_interrupted_read_gives_eintr_and_takes_nothing,
    only_the_interrupted_thread_stops_waiting,
    an_interrupted_client_can_wait_again,
    a_client_killed_in_a_read_loses_nothing,
    a_client_stopped_in_a_read_stops_and_loses_nothing,
    a_signal_before_the_read_was_seen_loses_nothing,
    a_kill_before_the_read_was_seen_loses_nothing,
    a_kill_and_a_token_at_once_lose_nothing,
    a_signal_and_a_token_at_once_lose_nothing,
    exec_by_another_thread_ends_a_blocked_read,
    a_signal_to_a_poller_takes_nothing,
    a_poller_killed_with_a_reservation_gives_it_up,
];

fn an_interrupted_read_gives_eintr_and_takes_nothing() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    client.catch(libc::SIGUSR1);
    let read = client.block_in_read(fd);
    client.signal(libc::SIGUSR1);
    assert_eq!(read.wait(), Err(Errno::INTR));
    holder.write(held, &token).unwrap();
    service.until_free(1);
}

fn only_the_interrupted_thread_stops_waiting() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    client.catch(libc::SIGUSR1);
    let (one, two) = (client.thread(), client.thread());
    let (tid, read_one) = (one.tid(), one.block_in_read(fd));
    let read_two = two.block_in_read(fd);
    client::signal_thread(&client, tid, libc::SIGUSR1);
    assert_eq!(read_one.wait(), Err(Errno::INTR));
    read_two.assert_blocked();
    holder.write(held, &token).unwrap();
    read_two.wait().unwrap();
}

fn an_interrupted_client_can_wait_again() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    client.catch(libc::SIGUSR1);
    for _ in 0..20 {
        let read = client.block_in_read(fd);
        client.signal(libc::SIGUSR1);
        assert_eq!(read.wait(), Err(Errno::INTR));
    }
    let read = client.block_in_read(fd);
    holder.write(held, &token).unwrap();
    read.wait().unwrap();
}

fn a_client_killed_in_a_read_loses_nothing() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    let _read = client.block_in_read(fd);
    client.kill_and_wait();
    holder.write(held, &token).unwrap();
    service.until_free(1);
    assert_eq!(service.unanswered(), 0);
}

fn a_client_stopped_in_a_read_stops_and_loses_nothing() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    let read = client.block_in_read(fd);
    client.signal(libc::SIGSTOP);
    until("it is stopped", || wait::state(client.pid()) == Some('T'));
    client.signal(libc::SIGCONT);
    // The kernel asks for an answer to let it stop, and cannot restart the call.
    assert_eq!(read.wait(), Err(Errno::INTR));
    holder.write(held, &token).unwrap();
    service.until_free(1);
}

fn a_signal_before_the_read_was_seen_loses_nothing() {
    for jobs in [1, 2] {
        let service = Service::with_jobs(jobs);
        let (holder, held) = Client::of(&service);
        holder.take(held, 1);
        let (client, fd) = Client::of(&service);
        client.catch(libc::SIGUSR1);
        pause(&service);
        let read = client.block_in_read(fd);
        client.signal(libc::SIGUSR1);
        service.signal(libc::SIGCONT);
        match (jobs, read.wait()) {
            (1, result) => assert_eq!(result, Err(Errno::INTR)),
            (_, Ok(_)) => assert_eq!(service.held_by(&client), 1),
            (_, Err(error)) => assert_eq!(error, Errno::INTR),
        }
        drop((client, holder));
        service.until_free(jobs as u16);
    }
}

fn a_kill_before_the_read_was_seen_loses_nothing() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    pause(&service);
    let _read = client.block_in_read(fd);
    client.kill();
    // It ends when the close of its file has been answered.
    service.signal(libc::SIGCONT);
    client.wait();
    service.until_free(1);
}

fn a_kill_and_a_token_at_once_lose_nothing() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    for _ in 0..Transport::current().at_most(30, 10) {
        let token = holder.take(held, 1);
        let (client, fd) = Client::of(&service);
        let _read = client.block_in_read(fd);
        client.kill();
        holder.write(held, &token).unwrap();
        drop(client);
        service.until_free(1);
    }
}

fn a_signal_and_a_token_at_once_lose_nothing() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let (client, fd) = Client::of(&service);
    client.catch(libc::SIGUSR1);
    for round in 0..100 {
        let token = holder.take(held, 1);
        let read = client.block_in_read(fd);
        if round % 2 == 0 {
            client.signal(libc::SIGUSR1);
            holder.write(held, &token).unwrap();
        } else {
            holder.write(held, &token).unwrap();
            client.signal(libc::SIGUSR1);
        }
        match read.wait() {
            Ok(token) => assert_eq!(client.write(fd, &[token]), Ok(1)),
            Err(error) => assert_eq!(error, Errno::INTR),
        }
        service.until_free(1);
    }
}

fn exec_by_another_thread_ends_a_blocked_read() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    let (reader, other) = (client.thread(), client.thread());
    let _read = reader.block_in_read(fd);
    other.exec();
    assert_eq!(service.snapshot().waiting().count(), 0);
    holder.write(held, &token).unwrap();
    client.take(fd, 1);
}

fn a_signal_to_a_poller_takes_nothing() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    client.catch(libc::SIGUSR1);
    let poll = client.block_in_poll(fd);
    client.signal(libc::SIGUSR1);
    assert_eq!(poll.wait(), Err(Errno::INTR));
    holder.write(held, &token).unwrap();
    let (third, fd) = Client::of(&service);
    third.take(fd, 1);
}

fn a_poller_killed_with_a_reservation_gives_it_up() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (poller, fd) = Client::of(&service);
    let poll = poller.block_in_poll(fd);
    let (reader, fd) = Client::of(&service);
    let read = reader.block_in_read(fd);
    holder.write(held, &token).unwrap();
    poll.wait().unwrap();
    poller.kill_and_wait();
    read.wait().unwrap();
}

/// Stops the service, so that requests wait unread.
fn pause(service: &Service) {
    service.signal(libc::SIGSTOP);
    until("steve is stopped", || {
        wait::state(service.pid()) == Some('T')
    });
}
