//! What caps the pool, as it bears on those in line.

use super::*;

fn loaded(limit: i64) -> Pool {
    Pool::with(Settings {
        jobs: 12,
        load_average: Some(limit * 1_000_000),
        ..Settings::default()
    })
}

fn load(load1: i64) -> Readings {
    Readings {
        load1: Some(load1 * 1_000_000),
        ..Readings::default()
    }
}

fn memory(mib: u64) -> Readings {
    Readings {
        memory_available: Some(mib),
        ..Readings::default()
    }
}

#[test]
fn lowered_jobs_take_nothing_away_and_grant_nothing_until_enough_came_back() {
    let mut pool = Pool::new(4);
    let a = pool.client(1);
    pool.take(a, 4);
    pool.set(|settings| settings.jobs = 2);
    assert_eq!((pool.held(a), pool.free()), (4, 0));
    pool.give(a, 2);
    assert_eq!(pool.drain(a), 0);
    pool.give(a, 1);
    assert_eq!(pool.drain(a), 1);
}

#[test]
fn settings_out_of_range_change_nothing() {
    let mut pool = Pool::new(4);
    let settings = *pool.ledger.settings();
    for wrong in [
        Settings {
            jobs: 0,
            ..settings
        },
        Settings {
            jobs: MAX_JOBS + 1,
            ..settings
        },
        Settings {
            min_jobs: 5,
            ..settings
        },
    ] {
        assert_eq!(pool.ledger.handle_settings(wrong), Err(Invalid));
    }
    assert_eq!(*pool.ledger.settings(), settings);
}

#[test]
fn a_limit_that_says_stop_leaves_min_jobs() {
    let mut pool = loaded(8);
    pool.set(|settings| settings.min_jobs = 2);
    pool.readings(load(20));
    let a = pool.client(1);
    assert_eq!(pool.drain(a), 2);
    assert_eq!(
        pool.ledger.refusal(pool.now, a),
        Refusal::Limit(Limit::Load)
    );
    assert!(!pool.glance(a), "a poll agrees with what a read would get");
}

#[test]
fn new_readings_serve_those_who_wait_on_a_limit() {
    let mut pool = loaded(8);
    pool.readings(load(20));
    let (a, b) = (pool.client(1), pool.client(2));
    pool.take(a, 1);
    let read = pool.wait(b);
    pool.granted(&[]);
    pool.readings(load(2));
    pool.granted(&[read]);
}

#[test]
fn a_lifted_limit_serves_those_who_wait_at_once() {
    let mut pool = loaded(8);
    pool.readings(load(20));
    let a = pool.client(1);
    pool.take(a, 1);
    let read = pool.wait(a);
    pool.set(|settings| settings.load_average = None);
    pool.granted(&[read]);
}

#[test]
fn limits_are_looked_at_again_only_while_someone_waits_on_them() {
    let mut pool = loaded(8);
    pool.readings(load(20));
    assert_eq!(pool.ledger.poll_timeout(pool.now), None);
    let a = pool.client(1);
    pool.take(a, 1);
    assert_eq!(pool.ledger.poll_timeout(pool.now), None);
    let read = pool.wait(a);
    let due = pool.now.after(500 * MS);
    assert_eq!(pool.ledger.poll_timeout(pool.now), Some(due));
    assert!(!pool.ledger.recheck_is_due(pool.now));
    assert!(pool.ledger.recheck_is_due(due));
    assert!(pool.ledger.handle_interrupt(read));
    assert_eq!(pool.ledger.poll_timeout(pool.now), None);
}

#[test]
fn who_waits_for_a_token_alone_makes_no_recheck() {
    let mut pool = loaded(8);
    pool.set(|settings| settings.jobs = 1);
    pool.readings(load(0));
    let a = pool.client(1);
    pool.take(a, 1);
    pool.wait(a);
    assert_eq!(pool.ledger.poll_timeout(pool.now), None);
}

#[test]
fn a_token_asked_for_wants_readings_at_most_every_100_ms() {
    let mut pool = loaded(8);
    assert!(pool.ledger.wants_readings(pool.now));
    pool.readings(load(0));
    pool.pass(FRESH - MS);
    assert!(!pool.ledger.wants_readings(pool.now));
    pool.pass(MS);
    assert!(pool.ledger.wants_readings(pool.now));
    pool.set(|settings| settings.load_average = None);
    assert!(!pool.ledger.wants_readings(pool.now));
}

#[test]
fn memory_is_set_aside_for_ten_seconds_a_job() {
    let mut pool = Pool::with(Settings {
        jobs: 12,
        min_memory_avail: Some(1000),
        job_memory: 500,
        ..Settings::default()
    });
    pool.readings(memory(2100));
    let a = pool.client(1);
    assert_eq!(pool.drain(a), 2);
    pool.pass(YOUNG - MS);
    assert_eq!(pool.drain(a), 0);
    pool.pass(MS);
    assert_eq!(pool.drain(a), 2);
}

#[test]
fn memory_is_set_aside_for_promised_tokens_too() {
    let mut pool = Pool::with(Settings {
        jobs: 12,
        min_jobs: 0,
        min_memory_avail: Some(1000),
        job_memory: 500,
        ..Settings::default()
    });
    pool.readings(memory(900));
    let pollers: Vec<Who> = (1..10).map(|pid| pool.client(pid)).collect();
    for &poller in &pollers {
        assert!(!pool.poll(poller));
    }
    pool.readings(memory(2100));
    pool.woken(&pollers[..2]);
}

#[test]
fn the_strictest_of_setting_and_leases_holds_while_its_owner_lives() {
    let mut pool = Pool::new(8);
    let (a, b, c) = (pool.client(1), pool.client(2), pool.client(3));
    let lease = |jobs, floor| Lease {
        jobs: Some(jobs),
        min_memory_avail: floor,
    };
    pool.register(a, 1, None, lease(4, Some(500)));
    pool.register(b, 1, None, lease(2, None));
    assert_eq!(pool.ledger.effective().jobs, 2);
    assert_eq!(pool.ledger.effective().min_memory_avail, Some(500));
    assert_eq!(pool.drain(c), 2);
    let read = pool.wait(c);
    assert!(pool.exit(b).lease);
    pool.granted(&[read]);
    assert_eq!(pool.ledger.effective().jobs, 4);
    assert!(pool.exit(a).lease);
    assert_eq!(*pool.ledger.effective(), *pool.ledger.settings());
}

#[test]
fn a_lease_looser_than_the_setting_changes_nothing() {
    let mut pool = Pool::new(2);
    pool.set(|settings| settings.min_memory_avail = Some(900));
    let a = pool.client(1);
    let lease = Lease {
        jobs: Some(9),
        min_memory_avail: Some(100),
    };
    pool.register(a, 1, None, lease);
    assert_eq!(*pool.ledger.effective(), *pool.ledger.settings());
}

#[test]
fn a_lease_of_fewer_jobs_lowers_min_jobs_with_them() {
    let mut pool = Pool::new(8);
    pool.set(|settings| settings.min_jobs = 6);
    let a = pool.client(1);
    let lease = Lease {
        jobs: Some(3),
        min_memory_avail: None,
    };
    pool.register(a, 1, None, lease);
    assert_eq!(pool.ledger.effective().min_jobs, 3);
}
