//! Who gets the next token.

use super::*;

#[test]
fn the_longest_wait_comes_first_among_equals() {
    let mut pool = Pool::new(1);
    let holder = pool.client(1);
    pool.take(holder, 1);
    let clients = [5, 3, 4].map(|pid| pool.client(pid));
    let reads = clients.map(|who| pool.wait(who));
    pool.give(holder, 1);
    pool.give(clients[0], 1);
    pool.give(clients[1], 1);
    pool.granted(&reads);
}

#[test]
fn blocked_readers_and_pollers_stand_in_the_same_line() {
    let mut pool = Pool::new(2);
    let holder = pool.client(1);
    pool.take(holder, 2);
    let (poller, reader) = (pool.client(2), pool.client(3));
    assert!(!pool.poll(poller));
    let read = pool.wait(reader);
    pool.give(holder, 1);
    pool.woken(&[poller]);
    pool.give(holder, 1);
    pool.granted(&[read]);
}

#[test]
fn the_build_with_the_fewest_tokens_comes_first_whoever_waited_longer() {
    let mut pool = Pool::new(4);
    let (rich, poor, holder) = (pool.client(1), pool.client(2), pool.client(3));
    pool.take(rich, 2);
    pool.take(poor, 1);
    pool.take(holder, 1);
    let _late = pool.wait(rich);
    let read = pool.wait(poor);
    pool.give(holder, 1);
    pool.granted(&[read]);
}

#[test]
fn shares_go_to_builds_however_many_clients_they_have() {
    let mut pool = Pool::new(4);
    let holder = pool.client(1);
    pool.take(holder, 4);
    let crates = [11, 12, 13, 14].map(|pid| pool.member(pid, 10));
    let make = pool.member(21, 20);
    for rustc in crates {
        pool.wait(rustc);
    }
    for _ in 0..4 {
        pool.wait(make);
    }
    pool.give(holder, 4);
    let of_crates: u16 = crates.iter().map(|&rustc| pool.held(rustc)).sum();
    assert_eq!((of_crates, pool.held(make)), (2, 2));
}

#[test]
fn a_reserved_token_counts_as_held() {
    let mut pool = Pool::new(2);
    let (holder, poller, reader) = (pool.client(1), pool.client(2), pool.client(3));
    pool.take(holder, 2);
    assert!(!pool.poll(poller));
    pool.give(holder, 1);
    pool.woken(&[poller]);
    // The poller's build has one set aside, the reader's none.
    let sibling = pool.member(4, 2);
    pool.wait(sibling);
    let read = pool.wait(reader);
    pool.give(holder, 1);
    pool.granted(&[read]);
}

#[test]
fn weights_count_a_build_so_many_times() {
    let mut pool = Pool::new(8);
    let holder = pool.client(1);
    pool.take(holder, 8);
    let (heavy, light) = (pool.root(2, 3, None), pool.root(3, 1, None));
    for _ in 0..8 {
        pool.wait(light);
        pool.wait(heavy);
    }
    pool.give(holder, 8);
    assert_eq!((pool.held(heavy), pool.held(light)), (6, 2));
}

#[test]
fn within_a_build_the_client_with_the_fewest_comes_first() {
    let mut pool = Pool::new(3);
    let (first, second, holder) = (pool.member(1, 9), pool.member(2, 9), pool.client(3));
    pool.take(first, 1);
    pool.take(holder, 2);
    let _late = pool.wait(first);
    let read = pool.wait(second);
    pool.give(holder, 1);
    pool.granted(&[read]);
}

#[test]
fn a_returned_token_wakes_exactly_one() {
    let mut pool = Pool::new(1);
    let holder = pool.client(1);
    pool.take(holder, 1);
    let pollers: Vec<Who> = (2..66).map(|pid| pool.client(pid)).collect();
    for &poller in &pollers {
        assert!(!pool.poll(poller));
    }
    pool.give(holder, 1);
    pool.woken(&pollers[..1]);
    assert!(pool.try_read(pollers[0]).is_some());
    pool.woken(&[]);
}

#[test]
fn more_jobs_wake_as_many_as_there_are_tokens_more() {
    let mut pool = Pool::new(1);
    let holder = pool.client(1);
    pool.take(holder, 1);
    let readers = [2, 3, 4].map(|pid| pool.client(pid));
    let reads = readers.map(|who| pool.wait(who));
    pool.set(|settings| settings.jobs = 3);
    pool.granted(&reads[..2]);
}

#[test]
fn a_request_does_not_jump_the_line_while_a_decision_is_due() {
    let mut pool = Pool::new(1);
    let (holder, first, late) = (pool.client(1), pool.client(2), pool.client(3));
    pool.take(holder, 1);
    let read = pool.wait(first);
    pool.ledger.handle_exit(pool.now, holder);
    // Nobody has called poll_action yet.
    let again = pool.ledger.handle_read(pool.now, late, 900, true);
    assert!(matches!(again, Ok(Read::Again(_))));
    let readable = pool.ledger.handle_poll(pool.now, late, 9, 9, false);
    assert_eq!(readable, Ok(false));
    pool.settle();
    pool.granted(&[read]);
}

#[test]
fn an_interrupted_reader_keeps_its_place() {
    let mut pool = Pool::new(1);
    let (holder, first, second) = (pool.client(1), pool.client(2), pool.client(3));
    pool.take(holder, 1);
    let read = pool.wait(first);
    pool.wait(second);
    pool.ledger.handle_interrupt(read);
    pool.settle();
    let again = pool.wait(first);
    pool.give(holder, 1);
    pool.granted(&[again]);
}

#[test]
fn who_holds_more_does_not_wait_for_ever_while_others_come_and_go() {
    let mut pool = Pool::new(2);
    let (idle, mut other) = (pool.client(1), pool.client(2));
    pool.take(idle, 1);
    pool.take(other, 1);
    let read = pool.wait(idle);
    for pid in 3..1_000_000 {
        let next = pool
            .ledger
            .handle_contact(Key::Process(pid), Origin::Session(pid));
        let next = next.unwrap();
        pool.unique += 2;
        let parked = pool.ledger.handle_read(pool.now, next, pool.unique, false);
        assert_eq!(parked, Ok(Read::Parked));
        pool.ledger.handle_exit(pool.now, other);
        let action = pool.ledger.poll_action(pool.now);
        if matches!(action, Some(Action::Grant { unique, .. }) if unique == read) {
            return;
        }
        other = next;
    }
    panic!("it waited for ever");
}

#[test]
fn the_per_process_limit_holds_for_held_and_reserved() {
    let mut pool = Pool::new(4);
    pool.set(|settings| settings.per_process_limit = 2);
    let a = pool.client(1);
    assert_eq!(pool.drain(a), 2);
    assert!(!pool.poll(a), "a poll agrees with what a read would get");
    assert_eq!(pool.ledger.refusal(pool.now, a), Refusal::PerProcessLimit);
    pool.set(|settings| settings.per_process_limit = 3);
    pool.woken(&[a]);
    assert_eq!(pool.drain(a), 1);
}

#[test]
fn a_limited_client_lets_others_pass() {
    let mut pool = Pool::new(3);
    pool.set(|settings| settings.per_process_limit = 1);
    let (a, b) = (pool.client(1), pool.client(2));
    pool.take(a, 1);
    pool.wait(a);
    assert!(pool.try_read(b).is_some());
}

#[test]
fn a_lowered_per_process_limit_takes_nothing_away() {
    let mut pool = Pool::new(4);
    let a = pool.client(1);
    pool.take(a, 3);
    pool.set(|settings| settings.per_process_limit = 1);
    assert_eq!(pool.held(a), 3);
    pool.give(a, 2);
    assert_eq!(pool.drain(a), 0);
    pool.give(a, 1);
    assert_eq!(pool.drain(a), 1);
}

#[test]
fn a_lowered_per_process_limit_stands_above_a_promise() {
    let mut pool = Pool::new(4);
    let a = pool.client(1);
    pool.take(a, 1);
    assert!(pool.poll(a));
    pool.set(|settings| settings.per_process_limit = 1);
    assert!(!pool.glance(a));
    assert_eq!(pool.try_read(a), None);
    assert_eq!(pool.free(), 3);
}

#[test]
fn the_limit_of_a_build_counts_all_its_clients_and_no_others() {
    let mut pool = Pool::new(4);
    let root = pool.root(1, 1, Some(2));
    let origin = Origin::Root(1);
    let child = pool.ledger.handle_contact(Key::Process(2), origin).unwrap();
    let other = pool.client(3);
    pool.take(root, 1);
    pool.take(child, 1);
    assert_eq!(pool.ledger.refusal(pool.now, root), Refusal::BuildLimit);
    let read = pool.wait(root);
    assert_eq!(pool.drain(other), 2);
    pool.give(other, 1);
    pool.granted(&[]);
    pool.give(child, 1);
    pool.granted(&[read]);
}

#[test]
fn a_root_takes_what_it_holds_and_its_place_along() {
    let mut pool = Pool::new(2);
    let (a, b) = (pool.member(1, 9), pool.member(2, 9));
    pool.take(a, 1);
    pool.take(b, 1);
    let read = pool.wait(a);
    let late = pool.wait(b);
    pool.register(a, 1, None, Lease::default());
    assert_ne!(pool.ledger.view(a).build, pool.ledger.view(b).build);
    pool.give(b, 1);
    // Its old build holds nothing now.
    pool.granted(&[late]);
    pool.give(b, 1);
    pool.granted(&[read]);
}

#[test]
fn a_build_outlives_its_root_but_not_by_name() {
    let mut pool = Pool::new(2);
    let root = pool.root(1, 1, Some(1));
    let child = pool
        .ledger
        .handle_contact(Key::Process(2), Origin::Root(1))
        .unwrap();
    pool.exit(root);
    assert!(!pool.ledger.is_root(1) && !pool.ledger.has_roots());
    assert_eq!(pool.drain(child), 1, "its limit still holds");
    // Another process with that pid starts a build of its own.
    let next = pool.root(1, 1, None);
    assert_ne!(pool.ledger.view(next).build, pool.ledger.view(child).build);
}
