//! Who gets the next token: builds share, whatever number of processes they have.

use crate::kit::run::stevie_command;
use crate::kit::{Client, Pending, Service, run};

tests![
    a_build_of_many_processes_gets_no_more_than_a_build_of_one,
    weights_count,
    a_client_that_only_tries_is_served_beside_those_who_wait,
    a_builds_own_limit_holds_for_it_alone,
];

/// A build: clients of one session, all of which want more.
struct Build {
    clients: Vec<(Client, i32)>,
}

impl Build {
    fn new(service: &Service, size: usize) -> Build {
        let (first, fd) = Client::of(service);
        first.setsid();
        let mut clients: Vec<_> = (1..size).map(|_| (first.fork(), fd)).collect();
        clients.insert(0, (first, fd));
        Build { clients }
    }

    fn wait_in_line(&self) -> Vec<Pending<u8>> {
        self.clients
            .iter()
            .map(|(client, fd)| client.block_in_read(*fd))
            .collect()
    }

    fn held(&self, service: &Service) -> usize {
        self.clients
            .iter()
            .map(|(client, _)| service.held_by(client))
            .sum()
    }
}

/// One holder of all tokens gives back `count` of them while the builds wait; what each build has
/// then.
fn shares(service: &Service, builds: &[Build], count: usize) -> Vec<usize> {
    let (holder, held) = Client::of(service);
    holder.setsid();
    let tokens = holder.take(held, usize::from(service.free()));
    let waiting: Vec<_> = builds.iter().map(Build::wait_in_line).collect();
    for token in &tokens[..count] {
        assert_eq!(holder.write(held, &[*token]), Ok(1));
    }
    let shares = builds.iter().map(|build| build.held(service)).collect();
    drop(waiting);
    shares
}

fn a_build_of_many_processes_gets_no_more_than_a_build_of_one() {
    let service = Service::with_jobs(12);
    let builds = [Build::new(&service, 6), Build::new(&service, 2)];
    assert_eq!(shares(&service, &builds, 4), [2, 2]);
}

fn weights_count() {
    let service = Service::with_jobs(12);
    let builds = [Build::new(&service, 6), Build::new(&service, 6)];
    let (root, fd) = &builds[0].clients[0];
    let weight = steve::ioctl::Register {
        weight: 3,
        ..Default::default()
    };
    let mut payload = Vec::new();
    for word in [
        weight.weight,
        weight.limit,
        weight.lease_jobs,
        weight.reserved,
        0,
        0,
    ] {
        payload.extend(word.to_ne_bytes());
    }
    root.ioctl(*fd, steve::ioctl::REGISTER, &payload).unwrap();
    assert_eq!(shares(&service, &builds, 4), [3, 1]);
}

fn a_client_that_only_tries_is_served_beside_those_who_wait() {
    let service = Service::with_jobs(2);
    let (lazy, fd) = Client::of(&service);
    lazy.setsid();
    lazy.set_nonblocking(fd, true);
    let token = lazy.take(fd, 1);
    let greedy = Build::new(&service, 3);
    let (first, fd_first) = &greedy.clients[0];
    let other = first.take(*fd_first, 1);
    let _waiting: Vec<_> = greedy.clients[1..]
        .iter()
        .map(|(c, fd)| c.block_in_read(*fd))
        .collect();
    // Its last read found nothing, so it is hungry; it never stands in line.
    assert!(lazy.read(fd).is_err());
    for _ in 0..10 {
        assert_eq!(lazy.write(fd, &token[..1]), Ok(1));
        if lazy.read(fd).is_ok() {
            // It has what it gave back. Another miss makes it hungry again.
            assert!(lazy.read(fd).is_err());
        } else {
            // It was too slow, under load, for the time that a token waits for it.
            first.write(*fd_first, &other).unwrap();
            return;
        }
    }
    assert_eq!(service.held_by(&lazy), 1);
}

fn a_builds_own_limit_holds_for_it_alone() {
    let service = Service::with_jobs(4);
    let script = r#"
        ! dd if="$STEVE_DEVICE" iflag=nonblock bs=1 count=1 2>/dev/null && "$0" -t
    "#;
    let stevie = env!("CARGO_BIN_EXE_stevie");
    let mut command = stevie_command(&service);
    run(command.args(["--limit", "1", "bash", "-c", script, stevie]))
        .exits_with(0)
        .prints("3\n");
    service.until_free(4);
}
