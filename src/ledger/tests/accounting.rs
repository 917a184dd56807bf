//! Who holds what: spec by the device's behaviour.

use super::*;

#[test]
fn a_client_alone_gets_the_whole_pool_and_no_more() {
    let mut pool = Pool::new(3);
    let a = pool.client(7);
    assert_eq!(pool.drain(a), 3);
    assert_eq!(pool.free(), 0);
    assert_eq!(pool.exit(a).tokens, 3);
    assert_eq!(pool.free(), 3);
}

#[test]
fn tokens_of_one_client_differ_while_there_are_bytes_to_tell_them_apart() {
    let mut pool = Pool::new(70);
    let a = pool.client(7);
    let bytes: Vec<u8> = std::iter::from_fn(|| pool.try_read(a)).collect();
    assert_eq!(bytes.len(), 70);
    assert!(
        bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'+')
    );
    let mut different = bytes.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), 63);
    // All that share the first byte but one.
    pool.give(a, 7);
    assert_eq!(pool.write(a, b"Q").accepted, 1);
    assert_eq!(pool.try_read(a), Some(b'Q'));
}

#[test]
fn a_byte_that_is_held_gives_back_that_very_token() {
    let mut pool = Pool::new(3);
    let a = pool.client(7);
    pool.drain(a);
    let returned = pool.write(a, b"A");
    assert_eq!((returned.accepted, returned.wrong_byte), (1, false));
    let left: Vec<u8> = pool.ledger.tokens(a).map(|(byte, _)| byte).collect();
    assert_eq!(left, b"+B");
}

#[test]
fn a_byte_that_is_not_held_gives_back_the_oldest_and_is_told_once() {
    let mut pool = Pool::new(3);
    let a = pool.client(7);
    pool.drain(a);
    let returned = pool.write(a, b".");
    assert_eq!((returned.accepted, returned.wrong_byte), (1, true));
    let left: Vec<u8> = pool.ledger.tokens(a).map(|(byte, _)| byte).collect();
    assert_eq!(left, b"AB");
    let returned = pool.write(a, b".");
    assert_eq!((returned.accepted, returned.wrong_byte), (1, false));
}

#[test]
fn a_write_of_many_bytes_gives_back_as_many_tokens() {
    let mut pool = Pool::new(4);
    let a = pool.client(7);
    pool.take(a, 3);
    let returned = pool.write(a, b"+AB");
    assert_eq!(returned.accepted, 3);
    assert_eq!(pool.free(), 4);
}

#[test]
fn a_write_says_how_many_tokens_it_could_give_back() {
    let mut pool = Pool::new(4);
    let a = pool.client(7);
    pool.take(a, 2);
    let returned = pool.write(a, b"+++");
    assert_eq!((returned.accepted, returned.foreign), (2, true));
    assert_eq!(pool.free(), 4);
}

#[test]
fn a_client_that_never_took_a_token_may_give_back_one_that_changes_nothing() {
    let mut pool = Pool::new(2);
    let a = pool.client(7);
    let returned = pool.write(a, b"+");
    assert_eq!((returned.accepted, returned.foreign), (1, false));
    assert_eq!(pool.free(), 2);
}

#[test]
fn a_second_foreign_return_takes_nothing_and_is_told_once() {
    let mut pool = Pool::new(2);
    let a = pool.client(7);
    pool.write(a, b"+");
    let returned = pool.write(a, b"+");
    assert_eq!((returned.accepted, returned.foreign), (0, true));
    let returned = pool.write(a, b"+");
    assert_eq!((returned.accepted, returned.foreign), (0, false));
    assert_eq!(pool.free(), 2);
}

#[test]
fn who_has_given_all_back_may_not_give_back_one_more() {
    let mut pool = Pool::new(2);
    let a = pool.client(7);
    pool.take(a, 1);
    pool.give(a, 1);
    assert_eq!(pool.write(a, b"+").accepted, 0);
}

fn lenient(jobs: u16) -> Pool {
    Pool::with(Settings {
        jobs,
        lenient_returns: true,
        ..Settings::default()
    })
}

#[test]
fn a_lenient_return_is_taken_from_the_oldest_token_of_the_build() {
    let mut pool = lenient(4);
    let (helper, other, parent) = (pool.member(7, 1), pool.member(8, 1), pool.member(9, 1));
    let stranger = pool.member(5, 2);
    pool.take(stranger, 1);
    pool.pass(MS);
    pool.take(helper, 1);
    pool.pass(MS);
    pool.take(other, 1);
    assert_eq!(pool.write(parent, b"+").accepted, 1);
    assert_eq!(
        [stranger, helper, other].map(|who| pool.held(who)),
        [1, 0, 1]
    );
}

#[test]
fn a_lenient_return_with_nothing_to_take_succeeds_without_effect() {
    let mut pool = lenient(4);
    let (a, stranger) = (pool.client(7), pool.client(8));
    pool.take(stranger, 2);
    let returned = pool.write(a, &[b'+'; 100_000]);
    assert_eq!((returned.accepted, returned.foreign), (100_000, false));
    assert_eq!(pool.free(), 2);
}

#[test]
fn the_tokens_of_a_client_that_is_gone_go_to_the_next_in_line() {
    let mut pool = Pool::new(2);
    let (a, b) = (pool.client(7), pool.client(8));
    pool.drain(a);
    let reads = [pool.wait(b), pool.wait(b), pool.wait(b)];
    let gone = pool.exit(a);
    assert_eq!((gone.tokens, gone.lease), (2, false));
    pool.granted(&reads[..2]);
    assert_eq!(pool.ledger.totals().reclaimed, 2);
}

#[test]
fn whoever_is_known_by_an_open_file_loses_its_tokens_when_that_is_closed() {
    let mut pool = Pool::new(2);
    let holder = Key::File(40);
    let a = pool.ledger.handle_contact(holder, Origin::Unknown).unwrap();
    pool.take(a, 2);
    assert_eq!(pool.ledger.handle_release(pool.now, 41), None);
    let gone = pool.ledger.handle_release(pool.now, 40).unwrap();
    pool.settle();
    assert_eq!(gone.tokens, 2);
    assert_eq!(pool.ledger.client(holder), None);
    assert_eq!(pool.free(), 2);
}

#[test]
fn a_poll_ends_with_its_file() {
    let mut pool = Pool::new(1);
    let (a, b) = (pool.client(7), pool.client(8));
    pool.take(a, 1);
    assert!(!pool.poll(b));
    assert_eq!(pool.ledger.handle_release(pool.now, b.index() as u64), None);
    pool.give(a, 1);
    pool.woken(&[]);
}

#[test]
fn an_interrupted_read_takes_no_token() {
    let mut pool = Pool::new(1);
    let (a, b) = (pool.client(7), pool.client(8));
    pool.take(a, 1);
    let read = pool.wait(b);
    assert!(pool.ledger.handle_interrupt(read));
    assert!(!pool.ledger.handle_interrupt(read), "it is answered once");
    pool.give(a, 1);
    pool.granted(&[]);
    assert_eq!(pool.free(), 1);
}

#[test]
fn a_token_that_did_not_reach_its_reader_is_free_again() {
    let mut pool = Pool::new(1);
    let (a, b) = (pool.client(7), pool.client(8));
    let byte = pool.try_read(a).unwrap();
    let read = pool.wait(b);
    pool.ledger.handle_undelivered(pool.now, a, byte);
    pool.settle();
    pool.granted(&[read]);
    assert_eq!((pool.held(a), pool.held(b)), (0, 1));
}

#[test]
fn what_is_taken_back_by_order_goes_to_the_next_in_line() {
    let mut pool = Pool::new(2);
    let (a, b) = (pool.client(7), pool.client(8));
    pool.drain(a);
    let read = pool.wait(b);
    assert_eq!(pool.ledger.handle_reclaim(pool.now, a), 2);
    pool.settle();
    pool.granted(&[read]);
    assert_eq!(pool.write(a, b"+").accepted, 0, "it lost them for good");
}

#[test]
fn a_full_table_of_clients_refuses_the_newcomer_and_changes_nothing() {
    let sizes = Sizes {
        clients: 2,
        waiters: 1,
    };
    let mut pool = Pool::sized(Settings::default(), sizes);
    let (a, _) = (pool.client(7), pool.client(8));
    for _ in 0..2 {
        let newcomer = pool
            .ledger
            .handle_contact(Key::Process(9), Origin::Session(9));
        assert_eq!(newcomer, Err(Full));
        pool.settle();
    }
    pool.exit(a);
    pool.client(9);
    pool.settle();
}

#[test]
fn a_full_table_of_waiters_refuses_to_park_more_and_changes_nothing() {
    let sizes = Sizes {
        clients: 4,
        waiters: 2,
    };
    let mut pool = Pool::sized(Settings::default(), sizes);
    let (a, b) = (pool.client(7), pool.client(8));
    pool.take(a, 1);
    let reads = [pool.wait(b), pool.wait(b)];
    assert_eq!(pool.ledger.handle_read(pool.now, b, 900, false), Err(Full));
    assert_eq!(pool.ledger.handle_poll(pool.now, b, 9, 9, true), Err(Full));
    assert_eq!(pool.ledger.handle_poll(pool.now, b, 9, 9, false), Ok(false));
    pool.settle();
    pool.give(a, 1);
    pool.give(b, 1);
    pool.granted(&reads);
    assert_eq!(pool.held(b), 1);
    pool.give(b, 1);
    assert_eq!(pool.free(), 1);
}

#[test]
fn one_client_that_fills_the_table_of_waiters_keeps_nobody_from_waiting() {
    let sizes = Sizes {
        clients: 4,
        waiters: 3,
    };
    let mut pool = Pool::sized(Settings::default(), sizes);
    let (greedy, holder) = (pool.client(7), pool.client(8));
    let (reader, poller) = (pool.client(9), pool.client(10));
    pool.take(holder, 1);
    for _ in 0..3 {
        pool.wait(greedy);
    }
    let park = pool.ledger.handle_read(pool.now, greedy, 900, false);
    assert_eq!(park, Err(Full));
    pool.wait(reader);
    assert!(!pool.poll(poller));
    pool.wait(holder);
}

#[test]
fn every_client_can_be_the_root_of_a_build_when_the_table_is_full() {
    let sizes = Sizes {
        clients: 3,
        waiters: 1,
    };
    let mut pool = Pool::sized(Settings::default(), sizes);
    for pid in [7, 8, 9] {
        pool.root(pid, 1, None);
    }
    assert!(pool.ledger.is_root(9));
}
