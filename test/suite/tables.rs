//! Full tables: the request that does not fit is refused, and nothing else changes.

use rustix::io::Errno;

use crate::kit::{Client, IN, Service, until};

tests![
    the_client_that_does_not_fit_gets_enomem_and_the_others_go_on,
    the_poll_that_does_not_fit_fails_and_the_others_go_on,
];

fn the_client_that_does_not_fit_gets_enomem_and_the_others_go_on() {
    let service = Service::start(&["-v", "-j4"]);
    let (parent, fd) = Client::of(&service);
    let tokens = parent.take(fd, 2);
    // The children stay until the parent's end.
    let (served, refused) = parent.crowd(fd, 4300);
    assert!(served >= 4095, "{served} clients fit");
    assert_eq!(served + refused, 4300);
    assert!(refused > 0);
    let snapshot = service.snapshot();
    assert_eq!(snapshot.clients.len() as i64, served + 1);
    assert_eq!(service.held_by(&parent), 2);
    assert_eq!(parent.write(fd, &tokens), Ok(2));
    let newcomer = Client::start();
    let other = newcomer.open(service.path(), rustix::fs::OFlags::RDWR);
    until("the refusal is told", || {
        // The log may be behind with thousands of lines, and leaves some out then.
        assert_eq!(newcomer.read(other), Err(Errno::NOMEM));
        service.stdout().contains("too many clients")
    });
    parent.end_crowd();
    until("there is room again", || {
        service.snapshot().clients.len() <= 1
    });
    newcomer.take(other, 4);
    drop(newcomer);
    service.until_free(4);
}

fn the_poll_that_does_not_fit_fails_and_the_others_go_on() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    let token = holder.take(held, 1);
    let (first, fd) = Client::of(&service);
    let poll = first.block_in_poll(fd);
    let (crowd, _) = Client::of(&service);
    let registered = crowd.poll_many(service.path(), 9000);
    assert!((8191..9000).contains(&registered), "{registered} fit");
    // Another client has room to wait all the same.
    let (last, fd_last) = Client::of(&service);
    let second = last.block_in_poll(fd_last);
    holder.write(held, &token).unwrap();
    assert_eq!(poll.wait(), Ok(IN));
    let token = first.take(fd, 1);
    first.write(fd, &token).unwrap();
    drop(crowd);
    assert_eq!(second.wait(), Ok(IN));
    last.take(fd_last, 1);
}
