//! Who holds: processes, whatever their threads, forks and execs do.

use crate::kit::{Client, Service, Transport, until, wait};

tests![
    one_thread_may_read_and_another_write,
    a_thread_that_never_read_gives_back_for_its_process,
    a_killed_holder_loses_its_tokens_at_once,
    a_killed_holders_token_goes_to_the_next_in_line,
    a_zombie_holds_nothing,
    a_holder_that_exits_holds_nothing,
    a_process_whose_main_thread_has_ended_still_holds,
    exec_keeps_tokens,
    exec_by_another_thread_keeps_tokens,
    a_forked_child_has_none_of_its_parents_tokens,
    a_parents_tokens_are_free_when_it_ends_before_its_child,
    a_stopped_holder_keeps_its_tokens,
    closing_the_file_keeps_the_tokens_of_a_process,
    many_short_clients_leave_nothing_behind,
];

fn one_thread_may_read_and_another_write() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    let (reader, writer) = (client.thread(), client.thread());
    let tokens = reader.take(fd, 2);
    assert_eq!(service.held_by(&client), 2);
    assert_eq!(writer.write(fd, &tokens), Ok(2));
    service.until_free(2);
}

fn a_thread_that_never_read_gives_back_for_its_process() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    let reader = client.thread();
    let token = reader.take(fd, 1);
    reader.end();
    assert_eq!(client.write(fd, &token), Ok(1));
    service.until_free(1);
}

fn a_killed_holder_loses_its_tokens_at_once() {
    let service = Service::with_jobs(4);
    let (client, fd) = Client::of(&service);
    client.take(fd, 4);
    client.kill_and_wait();
    service.until_free(4);
}

fn a_killed_holders_token_goes_to_the_next_in_line() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    let read = client.block_in_read(fd);
    holder.kill();
    read.wait().unwrap();
    assert_eq!(service.held_by(&client), 1);
}

fn a_zombie_holds_nothing() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    client.take(fd, 2);
    client.kill();
    until("it is a zombie", || wait::state(client.pid()) == Some('Z'));
    service.until_free(2);
}

fn a_holder_that_exits_holds_nothing() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    client.take(fd, 2);
    client.exit(0);
    assert!(client.wait().success());
    service.until_free(2);
}

fn a_process_whose_main_thread_has_ended_still_holds() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    let other = client.thread();
    let token = client.take(fd, 1);
    client.end();
    assert_eq!(wait::state(client.pid()), Some('Z'));
    assert_eq!(other.read(fd).map(drop), Ok(()));
    assert_eq!(service.held_by(&client), 2);
    assert_eq!(other.write(fd, &token), Ok(1));
    assert_eq!(service.held_by(&client), 1);
    other.exit(0);
    service.until_free(2);
}

fn exec_keeps_tokens() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    let tokens = client.take(fd, 2);
    client.exec();
    assert_eq!(service.held_by(&client), 2);
    assert_eq!(client.write(fd, &tokens), Ok(2));
    service.until_free(2);
}

fn exec_by_another_thread_keeps_tokens() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    let other = client.thread();
    let mut tokens = client.take(fd, 1);
    tokens.extend(other.take(fd, 1));
    other.exec();
    assert_eq!(service.held_by(&client), 2);
    assert_eq!(client.write(fd, &tokens), Ok(2));
    service.until_free(2);
}

fn a_forked_child_has_none_of_its_parents_tokens() {
    let service = Service::with_jobs(3);
    let (parent, fd) = Client::of(&service);
    parent.take(fd, 2);
    let child = parent.fork();
    child.take(fd, 1);
    assert_eq!(service.held_by(&parent), 2);
    assert_eq!(service.held_by(&child), 1);
    assert_eq!(child.write(fd, b"+++"), Ok(1));
    assert_eq!(service.held_by(&parent), 2);
}

fn a_parents_tokens_are_free_when_it_ends_before_its_child() {
    let service = Service::with_jobs(3);
    let (parent, fd) = Client::of(&service);
    parent.take(fd, 2);
    let child = parent.fork();
    child.take(fd, 1);
    parent.kill();
    until("the parent's are free", || service.free() == 2);
    assert_eq!(service.held_by(&child), 1);
}

fn a_stopped_holder_keeps_its_tokens() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    let tokens = client.take(fd, 1);
    client.signal(libc::SIGSTOP);
    until("it is stopped", || wait::state(client.pid()) == Some('T'));
    assert_eq!(service.held_by(&client), 1);
    client.signal(libc::SIGCONT);
    assert_eq!(client.write(fd, &tokens), Ok(1));
}

fn closing_the_file_keeps_the_tokens_of_a_process() {
    let service = Service::with_jobs(2);
    let (client, fd) = Client::of(&service);
    client.take(fd, 2);
    client.close(fd);
    assert_eq!(service.held_by(&client), 2);
    client.kill();
    service.until_free(2);
}

fn many_short_clients_leave_nothing_behind() {
    let service = Service::with_jobs(2);
    let (parent, fd) = Client::of(&service);
    let before = wait::descriptors(service.pid());
    let rounds = Transport::current().at_most(1000, 100);
    assert_eq!(parent.forks_that_die_holding(fd, rounds), rounds);
    service.until_free(2);
    until("their descriptors are closed", || {
        wait::descriptors(service.pid()) <= before + 1
    });
    until("they are forgotten", || {
        service.snapshot().clients.len() <= 1
    });
}
