//! Writing: giving a token back.

use rustix::io::Errno;

use crate::kit::{Client, Service, until};

tests![
    a_write_gives_back_as_many_tokens_as_it_has_bytes,
    a_write_of_more_than_is_held_gives_back_what_is,
    a_write_without_a_token_gives_enospc_and_is_warned_about_once,
    a_client_that_never_took_one_may_give_back_one,
    no_write_makes_the_pool_larger,
    a_byte_never_read_gives_back_the_oldest_token,
    a_lenient_return_takes_from_the_same_build,
    a_lenient_return_of_nothing_succeeds_without_effect,
    a_write_of_no_bytes_does_nothing,
];

fn a_write_gives_back_as_many_tokens_as_it_has_bytes() {
    let service = Service::with_jobs(8);
    let (client, fd) = Client::of(&service);
    let tokens = client.take(fd, 8);
    assert_eq!(client.write(fd, &tokens[..5]), Ok(5));
    assert_eq!(service.held_by(&client), 3);
    assert_eq!(service.free(), 5);
}

fn a_write_of_more_than_is_held_gives_back_what_is() {
    let service = Service::with_jobs(4);
    let (client, fd) = Client::of(&service);
    client.take(fd, 3);
    assert_eq!(client.write(fd, b"++++++"), Ok(3));
    assert_eq!(client.write(fd, b"++"), Err(Errno::NOSPC));
    service.until_free(4);
}

fn a_write_without_a_token_gives_enospc_and_is_warned_about_once() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    let token = client.take(fd, 1);
    client.write(fd, &token).unwrap();
    for _ in 0..3 {
        assert_eq!(client.write(fd, b"+"), Err(Errno::NOSPC));
    }
    let pid = format!("PID {}", client.pid());
    until("there is a warning", || service.stderr().contains(&pid));
    assert_eq!(
        service.stderr().matches(&pid).count(),
        1,
        "{}",
        service.stderr()
    );
    assert!(
        service.stderr().starts_with("steve: "),
        "{}",
        service.stderr()
    );
}

fn a_client_that_never_took_one_may_give_back_one() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    assert_eq!(client.write(fd, b"+"), Ok(1));
    assert_eq!(service.free(), 2);
    assert_eq!(client.write(fd, b"+"), Err(Errno::NOSPC));
    let (other, fd) = Client::of(&service);
    other.take(fd, 2);
    other.set_nonblocking(fd, true);
    assert_eq!(other.read(fd), Err(Errno::AGAIN));
}

fn no_write_makes_the_pool_larger() {
    let service = Service::with_jobs(3);
    let clients: Vec<_> = (0..5).map(|_| Client::of(&service)).collect();
    for (client, fd) in &clients {
        let _ = client.write(*fd, b"++++");
        let _ = client.write(*fd, &[0; 4096]);
    }
    assert_eq!(service.free(), 3);
    let (client, fd) = Client::of(&service);
    client.take(fd, 3);
    client.set_nonblocking(fd, true);
    assert_eq!(client.read(fd), Err(Errno::AGAIN));
}

fn a_byte_never_read_gives_back_the_oldest_token() {
    let service = Service::with_jobs(3);
    let (client, fd) = Client::of(&service);
    let tokens = client.take(fd, 3);
    assert_eq!(client.write(fd, b"!"), Ok(1));
    let snapshot = service.snapshot();
    let left: Vec<u8> = snapshot.clients[0]
        .tokens
        .iter()
        .map(|token| token.byte)
        .collect();
    assert_eq!(left, [tokens[2], tokens[1]], "youngest first");
    assert_eq!(client.write(fd, &tokens[2..]), Ok(1));
    let snapshot = service.snapshot();
    assert_eq!(snapshot.clients[0].tokens[0].byte, tokens[1]);
}

fn a_lenient_return_takes_from_the_same_build() {
    let service = Service::start(&["-j", "3", "--lenient-returns"]);
    let (parent, fd) = Client::of(&service);
    parent.setsid();
    parent.take(fd, 2);
    let (stranger, fd_stranger) = Client::of(&service);
    stranger.setsid();
    stranger.take(fd_stranger, 1);
    let helper = parent.fork();
    // What a client that never took one gives back has no effect.
    assert_eq!(helper.write(fd, b"+"), Ok(1));
    assert_eq!(helper.write(fd, b"+"), Ok(1));
    until("a token of the parent is back", || {
        service.held_by(&parent) < 2
    });
    assert_eq!(service.held_by(&stranger), 1);
}

fn a_lenient_return_of_nothing_succeeds_without_effect() {
    let service = Service::start(&["-j", "2", "--lenient-returns"]);
    let (client, fd) = Client::of(&service);
    for _ in 0..3 {
        assert_eq!(client.write(fd, b"+"), Ok(1));
    }
    assert_eq!(service.free(), 2);
}

fn a_write_of_no_bytes_does_nothing() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    client.take(fd, 1);
    assert_eq!(client.write(fd, b""), Ok(0));
    assert_eq!(service.held_by(&client), 1);
}
