//! Reading: taking a token.

use std::collections::HashSet;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::kit::{Client, Service};

tests![
    a_read_gives_one_byte_whatever_its_size,
    a_read_of_no_bytes_gives_none_and_takes_none,
    a_client_alone_gets_the_whole_pool,
    a_nonblocking_read_without_a_token_gives_eagain,
    the_nonblocking_flag_of_the_moment_counts,
    a_blocked_read_gets_the_token_that_another_gives_back,
    blocked_reads_are_served_in_the_order_they_came,
    tokens_are_plus_letters_and_digits_and_differ,
    two_opens_of_one_client_are_one_client,
    the_per_process_limit_stops_a_client_and_not_the_next,
];

fn a_read_gives_one_byte_whatever_its_size() {
    let service = Service::with_jobs(8);
    let (client, fd) = Client::of(&service);
    for size in [1, 2, 4096, 131_072, 1 << 20] {
        assert_eq!(client.read_up_to(fd, size).unwrap().len(), 1, "of {size}");
    }
    assert_eq!(service.held_by(&client), 5);
}

fn a_read_of_no_bytes_gives_none_and_takes_none() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    assert!(client.read_up_to(fd, 0).unwrap().is_empty());
    assert_eq!(service.free(), 1);
}

fn a_client_alone_gets_the_whole_pool() {
    let service = Service::with_jobs(64);
    let (client, fd) = Client::of(&service);
    client.take(fd, 64);
    client.set_nonblocking(fd, true);
    assert_eq!(client.read(fd), Err(Errno::AGAIN));
    assert_eq!(service.held_by(&client), 64);
}

fn a_nonblocking_read_without_a_token_gives_eagain() {
    let service = Service::with_jobs(1);
    let (holder, fd) = Client::of(&service);
    holder.take(fd, 1);
    let client = Client::start();
    let fd = client.open(service.path(), OFlags::RDWR | OFlags::NONBLOCK);
    assert_eq!(client.read(fd), Err(Errno::AGAIN));
}

fn the_nonblocking_flag_of_the_moment_counts() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    client.set_nonblocking(fd, true);
    assert_eq!(client.read(fd), Err(Errno::AGAIN));
    client.set_nonblocking(fd, false);
    let read = client.block_in_read(fd);
    holder.write(held, &token).unwrap();
    read.wait().unwrap();
}

fn a_blocked_read_gets_the_token_that_another_gives_back() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let (client, fd) = Client::of(&service);
    let token = holder.take(held, 1);
    let read = client.block_in_read(fd);
    read.assert_blocked();
    assert_eq!(holder.write(held, &token), Ok(1));
    read.wait().unwrap();
    assert_eq!(service.held_by(&client), 1);
    assert_eq!(service.held_by(&holder), 0);
}

fn blocked_reads_are_served_in_the_order_they_came() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let mut token = holder.take(held, 1);
    let clients: Vec<_> = (0..4).map(|_| Client::of(&service)).collect();
    let mut reads = Vec::new();
    for (client, fd) in &clients {
        reads.push((client, *fd, client.block_in_read(*fd)));
    }
    let mut giver = (&holder, held);
    for (client, fd, read) in reads {
        assert_eq!(giver.0.write(giver.1, &token), Ok(1));
        token = vec![read.wait().unwrap()];
        giver = (client, fd);
    }
}

fn tokens_are_plus_letters_and_digits_and_differ() {
    let service = Service::with_jobs(100);
    let (client, fd) = Client::of(&service);
    let tokens = client.take(fd, 100);
    let shell_safe = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'+';
    assert!(tokens.iter().all(shell_safe), "{tokens:?}");
    let first: HashSet<_> = tokens[..62].iter().collect();
    assert_eq!(
        first.len(),
        62,
        "of the first 62 no two are the same: {tokens:?}"
    );
}

fn two_opens_of_one_client_are_one_client() {
    let service = Service::with_jobs(2);
    let (client, one) = Client::of(&service);
    let other = client.open(service.path(), OFlags::RDWR);
    let token = client.take(one, 1);
    client.close(one);
    assert_eq!(service.held_by(&client), 1);
    assert_eq!(client.write(other, &token), Ok(1));
    service.until_free(2);
}

fn the_per_process_limit_stops_a_client_and_not_the_next() {
    let service = Service::start(&["-j", "4", "-p", "2"]);
    let (client, fd) = Client::of(&service);
    let (other, fd_other) = Client::of(&service);
    let tokens = client.take(fd, 2);
    let read = client.block_in_read(fd);
    other.take(fd_other, 2);
    read.assert_blocked();
    drop(other);
    read.assert_blocked();
    let second = client.thread();
    assert_eq!(second.write(fd, &tokens[..1]), Ok(1));
    read.wait().unwrap();
}
