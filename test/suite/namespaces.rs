//! Clients and services in namespaces of their own, as in containers.

use std::process::Command;

use rustix::fs::OFlags;
use rustix::io::Errno;

use steve::report::Holder;

use crate::kit::{Client, IN, Service, Transport, run, scratch::Dir, until};

tests![
    a_client_in_a_child_pid_namespace_is_known_by_its_pid,
    a_client_outside_the_services_pid_namespace_holds_by_its_open_file,
    two_open_files_of_a_client_without_a_pid_are_two_holders,
    a_client_without_a_pid_is_served_by_poll,
    a_client_without_a_pid_that_is_killed_leaves_nothing,
    a_service_in_namespaces_of_its_own_serves_those_inside,
    a_service_outside_serves_a_pid_namespace_through_a_bind_mount,
];

/// Runs its arguments in a pid namespace.
const INSIDE: &[&str] = &["unshare", "--pid", "--fork", "--kill-child"];

fn a_client_in_a_child_pid_namespace_is_known_by_its_pid() {
    let service = Service::with_jobs(3);
    let client = Client::start_in(INSIDE);
    let fd = client.open(service.path(), OFlags::RDWR);
    let thread = client.thread();
    let mut tokens = client.take(fd, 2);
    tokens.extend(thread.take(fd, 1));
    assert_eq!(service.held_by(&client), 3);
    assert_eq!(client.write(fd, &tokens[..1]), Ok(1));
    client.kill();
    service.until_free(3);
}

fn a_client_outside_the_services_pid_namespace_holds_by_its_open_file() {
    let service = Service::start_in(INSIDE, &["-j3"]);
    let (client, fd) = Client::of(&service);
    let tokens = client.take(fd, 3);
    let pool = service.snapshot();
    assert!(
        matches!(pool.clients[0].holder, Holder::File(_)),
        "{:?}",
        pool.clients
    );
    assert_eq!(client.write(fd, &tokens[..1]), Ok(1));
    let child = client.fork();
    client.close(fd);
    assert_eq!(service.free(), 1, "the child has the file open");
    drop(child);
    service.until_free(3);
}

fn two_open_files_of_a_client_without_a_pid_are_two_holders() {
    let service = Service::start_in(INSIDE, &["-j3"]);
    let (client, one) = Client::of(&service);
    let two = client.open(service.path(), OFlags::RDWR);
    client.take(one, 1);
    client.take(two, 2);
    assert_eq!(service.snapshot().clients.len(), 2);
    client.close(one);
    until("its token is free", || service.free() == 1);
    client.close(two);
    service.until_free(3);
}

fn a_client_without_a_pid_is_served_by_poll() {
    let service = Service::start_in(INSIDE, &["-j1"]);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (client, fd) = Client::of(&service);
    let poll = client.block_in_poll(fd);
    holder.write(held, &token).unwrap();
    assert_eq!(poll.wait(), Ok(IN));
    client.take(fd, 1);
    holder.set_nonblocking(held, true);
    assert_eq!(holder.read(held), Err(Errno::AGAIN));
}

fn a_client_without_a_pid_that_is_killed_leaves_nothing() {
    let service = Service::start_in(INSIDE, &["-j2"]);
    let (holder, held) = Client::of(&service);
    holder.take(held, 2);
    let (client, fd) = Client::of(&service);
    let read = client.block_in_read(fd);
    holder.kill_and_wait();
    read.wait().unwrap();
    client.kill_and_wait();
    service.until_free(2);
    assert!(service.snapshot().clients.is_empty());
}

fn a_service_in_namespaces_of_its_own_serves_those_inside() {
    if Transport::current() == Transport::Cuse {
        // A device is the whole machine's; the file is what containers have.
        return;
    }
    let dir = Dir::new();
    let script = r#"
        "$0" --mount "$2/jobs" -j2 >"$2/hello" &
        for _ in $(seq 1000); do grep -q running "$2/hello" && break; done
        "$1" -D "$2/jobs" sh -c '[ "$("$0" -D "$1/jobs" -t)" = 1 ]' "$1" "$2" || exit 9
        [ "$("$1" -D "$2/jobs" -t)" = 2 ] || exit 10
        kill -TERM $! && wait $!
    "#;
    let mut command = Command::new("unshare");
    command.args([
        "--user",
        "--map-root-user",
        "--mount",
        "--pid",
        "--fork",
        "--mount-proc",
        "--kill-child",
    ]);
    command.args([
        "sh",
        "-c",
        script,
        env!("CARGO_BIN_EXE_steve"),
        env!("CARGO_BIN_EXE_stevie"),
    ]);
    run(command.arg(dir.path())).exits_with(0);
}

fn a_service_outside_serves_a_pid_namespace_through_a_bind_mount() {
    let service = Service::with_jobs(2);
    let script = r#"
        touch "$2" && mount --bind "$1" "$2" &&
        exec "$0" -D "$2" sh -c 'n=$("$0" -D "$1" -t); echo "$n $MAKEFLAGS"' "$0" "$2"
    "#;
    let dir = Dir::new();
    let place = dir.path().join("inside");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]);
    command
        .args(["sh", "-c", script, env!("CARGO_BIN_EXE_stevie")])
        .arg(service.path())
        .arg(&place);
    let expected = format!("1  --jobserver-auth=fifo:{}\n", place.display());
    run(command.env_remove("MAKEFLAGS"))
        .exits_with(0)
        .prints(&expected);
    service.until_free(2);
}
