//! Reservations: for pollers, and for those who never stand in line.

use super::*;

/// One token, held by the first; the second polls for it.
fn promised() -> (Pool, Who, Who) {
    let mut pool = Pool::new(1);
    let (holder, poller) = (pool.client(1), pool.client(2));
    pool.take(holder, 1);
    assert!(!pool.poll(poller));
    pool.give(holder, 1);
    pool.woken(&[poller]);
    (pool, holder, poller)
}

#[test]
fn a_promise_is_kept_for_the_reader_and_for_nobody_else() {
    let (mut pool, holder, poller) = promised();
    pool.pass(200 * MS);
    assert!(!pool.glance(holder));
    assert!(pool.try_read(holder).is_none());
    assert!(pool.poll(poller), "what was promised is readable");
    assert!(pool.try_read(poller).is_some());
}

#[test]
fn a_poll_answered_readable_is_a_promise_too() {
    let mut pool = Pool::new(1);
    let (a, b) = (pool.client(1), pool.client(2));
    assert!(pool.poll(a));
    assert!(!pool.glance(b));
    assert!(pool.try_read(a).is_some());
}

#[test]
fn a_promise_lapses_after_a_quarter_second_and_goes_to_the_next() {
    let (mut pool, _, _) = promised();
    let next = pool.client(3);
    let read = pool.wait(next);
    pool.pass(PROMISE - MS);
    pool.granted(&[]);
    pool.pass(MS);
    pool.granted(&[read]);
    assert_eq!(pool.ledger.totals().lapsed, 1);
}

#[test]
fn a_promise_lapses_when_its_client_writes() {
    let mut pool = Pool::new(2);
    let (a, b) = (pool.client(1), pool.client(2));
    pool.take(a, 1);
    assert!(pool.poll(a));
    let reads = [pool.wait(b), pool.wait(b)];
    pool.give(a, 1);
    pool.granted(&reads);
}

#[test]
fn a_promise_lapses_when_its_client_is_gone() {
    let (mut pool, holder, poller) = promised();
    let read = pool.wait(holder);
    pool.exit(poller);
    pool.granted(&[read]);
}

#[test]
fn who_let_a_promise_lapse_keeps_its_place() {
    let (mut pool, holder, poller) = promised();
    let rival = pool.client(3);
    let read = pool.wait(rival);
    pool.pass(PROMISE);
    pool.granted(&[read]);
    pool.wait(holder);
    assert!(!pool.poll(poller));
    pool.give(rival, 1);
    pool.woken(&[poller]);
}

#[test]
fn two_lapses_in_a_row_mute_a_poller_for_a_second() {
    let (mut pool, _, poller) = promised();
    pool.pass(PROMISE);
    assert!(pool.poll(poller));
    pool.pass(PROMISE);
    assert!(
        !pool.poll(poller),
        "there is a token, but not for who never reads"
    );
    pool.pass(MUTE - MS);
    pool.woken(&[]);
    pool.pass(MS);
    pool.woken(&[poller]);
}

#[test]
fn a_read_ends_the_mute() {
    let (mut pool, _, poller) = promised();
    pool.pass(PROMISE);
    assert!(pool.poll(poller));
    pool.pass(PROMISE);
    assert!(!pool.glance(poller));
    assert!(pool.try_read(poller).is_some());
    pool.give(poller, 1);
    assert!(pool.glance(poller));
}

#[test]
fn a_read_between_two_lapses_starts_the_count_afresh() {
    let (mut pool, _, poller) = promised();
    pool.pass(PROMISE);
    pool.take(poller, 1);
    pool.give(poller, 1);
    assert!(pool.poll(poller));
    pool.pass(PROMISE);
    assert!(pool.glance(poller));
}

#[test]
fn a_muted_poller_holds_up_nobody() {
    let (mut pool, holder, poller) = promised();
    pool.pass(PROMISE);
    assert!(pool.poll(poller));
    pool.pass(PROMISE);
    assert!(!pool.poll(poller));
    assert!(pool.try_read(holder).is_some());
}

/// Three tokens: one with a client that never stands in line and has found nothing, two with one
/// that always does and waits.
fn lazy_beside_waiter() -> (Pool, Who, Who) {
    let mut pool = Pool::new(3);
    let (lazy, waiter) = (pool.client(1), pool.client(2));
    pool.take(lazy, 1);
    pool.take(waiter, 2);
    pool.wait(waiter);
    assert!(pool.try_read(lazy).is_none());
    (pool, lazy, waiter)
}

#[test]
fn a_token_given_back_by_who_never_stands_in_line_waits_10_ms_for_it() {
    let (mut pool, lazy, _) = lazy_beside_waiter();
    pool.give(lazy, 1);
    pool.granted(&[]);
    pool.pass(RETURN - MS);
    assert!(pool.try_read(lazy).is_some());
}

#[test]
fn after_10_ms_it_goes_to_the_next_in_line() {
    let (mut pool, lazy, waiter) = lazy_beside_waiter();
    pool.give(lazy, 1);
    pool.pass(RETURN);
    assert_eq!(pool.held(waiter), 3);
    assert_eq!(pool.ledger.view(lazy).missed, None, "it wants no more");
}

#[test]
fn nothing_waits_for_who_holds_more_than_a_build_in_line() {
    let mut pool = Pool::new(3);
    let (lazy, waiter) = (pool.client(1), pool.client(2));
    pool.take(lazy, 3);
    assert!(pool.try_read(lazy).is_none());
    let read = pool.wait(waiter);
    pool.give(lazy, 1);
    pool.granted(&[read]);
}

#[test]
fn nothing_waits_for_who_is_not_hungry() {
    let mut pool = Pool::new(3);
    let (lazy, waiter) = (pool.client(1), pool.client(2));
    pool.take(lazy, 1);
    pool.take(waiter, 2);
    let read = pool.wait(waiter);
    pool.give(lazy, 1);
    pool.granted(&[read]);
}

#[test]
fn below_its_share_a_token_is_kept_for_its_next_read() {
    let mut pool = Pool::new(4);
    let (lazy, waiter) = (pool.client(1), pool.client(2));
    pool.take(lazy, 1);
    pool.take(waiter, 3);
    pool.wait(waiter);
    assert!(pool.try_read(lazy).is_none());
    pool.give(waiter, 1);
    pool.granted(&[]);
    assert!(pool.ledger.view(lazy).reserved);
    pool.pass(KEEP - MS);
    assert!(pool.try_read(lazy).is_some());
    assert!(pool.try_read(lazy).is_none(), "one, and no more");
}

/// Five tokens, one of them kept in vain for a client that never stands in line and holds one.
fn kept_in_vain() -> (Pool, Who, Who) {
    let mut pool = Pool::new(5);
    let (lazy, waiter) = (pool.client(1), pool.client(2));
    pool.take(lazy, 1);
    pool.take(waiter, 4);
    let read = pool.wait(waiter);
    assert!(pool.try_read(lazy).is_none());
    pool.give(waiter, 1);
    pool.pass(KEEP);
    pool.granted(&[read]);
    (pool, lazy, waiter)
}

#[test]
fn after_a_token_kept_in_vain_none_is_kept_for_a_while() {
    let (mut pool, lazy, waiter) = kept_in_vain();
    let read = pool.wait(waiter);
    pool.give(waiter, 1);
    pool.granted(&[read]);
    pool.wait(waiter);
    pool.pass(PAUSE);
    pool.give(waiter, 1);
    pool.granted(&[]);
    assert!(pool.ledger.view(lazy).reserved);
}

#[test]
fn a_read_ends_the_pause() {
    let (mut pool, lazy, waiter) = kept_in_vain();
    pool.wait(waiter);
    assert!(pool.try_read(lazy).is_none());
    pool.give(waiter, 1);
    assert!(pool.ledger.view(lazy).reserved);
}

#[test]
fn what_comes_back_during_the_pause_still_waits_for_its_client() {
    let (mut pool, lazy, waiter) = kept_in_vain();
    pool.wait(waiter);
    pool.give(lazy, 1);
    pool.granted(&[]);
    assert!(pool.try_read(lazy).is_some());
}

#[test]
fn nothing_is_kept_for_ever_for_who_never_reads_again() {
    let (mut pool, lazy, waiter) = kept_in_vain();
    for _ in 1..KEEPS {
        pool.pass(PAUSE);
        pool.wait(waiter);
        pool.give(waiter, 1);
        assert!(pool.ledger.view(lazy).reserved);
        pool.pass(KEEP);
    }
    assert_eq!(pool.ledger.view(lazy).missed, None);
    pool.pass(PAUSE);
    pool.actions();
    let read = pool.wait(waiter);
    pool.give(waiter, 1);
    pool.granted(&[read]);
}

#[test]
fn nothing_is_kept_at_or_above_its_share() {
    let mut pool = Pool::new(4);
    let (lazy, waiter) = (pool.client(1), pool.client(2));
    pool.take(lazy, 2);
    pool.take(waiter, 2);
    let read = pool.wait(waiter);
    assert!(pool.try_read(lazy).is_none());
    pool.give(waiter, 1);
    pool.granted(&[read]);
}

#[test]
fn one_token_at_most_is_kept_for_a_client() {
    let mut pool = Pool::new(6);
    let (lazy, waiter) = (pool.client(1), pool.client(2));
    pool.take(waiter, 6);
    let reads = [pool.wait(waiter), pool.wait(waiter)];
    assert!(pool.try_read(lazy).is_none());
    pool.give(waiter, 2);
    assert!(pool.ledger.view(lazy).reserved);
    pool.granted(&reads[..1]);
}

#[test]
fn a_reader_that_waited_for_its_first_token_may_be_lazy_later() {
    // stevie waits for a token and then becomes ninja, in the same process.
    let mut pool = Pool::new(2);
    let (ninja, waiter) = (pool.client(1), pool.client(2));
    pool.take(waiter, 2);
    let read = pool.wait(ninja);
    pool.give(waiter, 1);
    pool.granted(&[read]);
    pool.wait(waiter);
    assert!(pool.try_read(ninja).is_none());
    pool.give(ninja, 1);
    pool.granted(&[]);
    assert!(pool.try_read(ninja).is_some());
}

#[test]
fn who_waits_for_an_edge_is_woken_after_a_miss_without_another_poll() {
    let mut pool = Pool::new(1);
    let (holder, edge) = (pool.client(1), pool.client(2));
    let file = 40;
    assert_eq!(
        pool.ledger.handle_poll(pool.now, edge, file, 7, true),
        Ok(true)
    );
    assert!(pool.try_read(edge).is_some());
    assert!(pool.try_read(edge).is_none());
    pool.ledger.handle_miss(pool.now, edge, file);
    pool.give(edge, 1);
    pool.woken(&[edge]);
    assert!(pool.try_read(edge).is_some());
    pool.give(edge, 1);
    pool.woken(&[]);
    pool.take(holder, 1);
}

#[test]
fn a_miss_on_a_file_that_was_never_polled_puts_nobody_in_line() {
    let mut pool = Pool::new(1);
    let (holder, lazy) = (pool.client(1), pool.client(2));
    pool.take(holder, 1);
    assert_eq!(
        pool.ledger.handle_poll(pool.now, lazy, 40, 7, true),
        Ok(false)
    );
    pool.ledger.handle_release(pool.now, 40);
    assert!(pool.try_read(lazy).is_none());
    pool.ledger.handle_miss(pool.now, lazy, 44);
    pool.give(holder, 1);
    pool.woken(&[]);
    assert!(pool.try_read(lazy).is_some(), "one is kept for it");
}
