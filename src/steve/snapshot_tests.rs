use std::time::Duration;

use super::*;
use crate::ledger::{Origin::Session, Read, Registration, Sizes};
use crate::report::text;

const NOW: Time = Time::from_nanos(60_000_000_000);

/// A pid that no process has: the kernel's largest is 2^22.
fn nobody(number: u32) -> Key {
    Key::Process((1 << 22) + number)
}

fn ledger(settings: Settings) -> Ledger {
    Ledger::new(settings, Sizes::default()).unwrap()
}

fn settings(jobs: u16) -> Settings {
    Settings {
        jobs,
        ..Settings::default()
    }
}

/// The pool 1.5 s after [`NOW`], served for a minute by then.
fn later(ledger: &mut Ledger) -> Snapshot {
    let now = NOW.after(Duration::from_millis(1500));
    let started = Time::from_nanos(1_500_000_000);
    let seen = *ledger.readings();
    take(ledger, &mut Names::default(), &seen, now, started)
}

/// A new client that takes `tokens` and gets them.
fn hold(ledger: &mut Ledger, number: u32, tokens: u64) -> ledger::Id<ledger::Client> {
    let client = ledger
        .handle_contact(nobody(number), Session(number))
        .unwrap();
    for unique in 0..tokens {
        let read = ledger.handle_read(NOW, client, 2 * unique, true);
        assert!(matches!(read, Ok(Read::Token(_))), "{read:?}");
    }
    client
}

/// The reason that the report gives for `client`, which waits from [`NOW`] on.
fn reason(ledger: &mut Ledger, client: ledger::Id<ledger::Client>) -> String {
    assert_eq!(
        ledger.handle_read(NOW, client, 1000, false),
        Ok(Read::Parked)
    );
    assert_eq!(ledger.poll_action(NOW), None);
    let snapshot = later(ledger);
    let client = snapshot.waiting().next().unwrap();
    let reason = snapshot.reason_of(client).unwrap().to_string();
    assert!(text(&snapshot).contains(&format!(", waiting for 1.5s: {reason}\n")));
    reason
}

#[test]
fn a_client_waits_since_no_token_is_left() {
    let mut ledger = ledger(settings(2));
    hold(&mut ledger, 1, 2);
    let waiter = hold(&mut ledger, 2, 0);
    assert_eq!(reason(&mut ledger, waiter), "no tokens left");
}

#[test]
fn a_client_waits_at_the_per_process_limit() {
    let mut ledger = ledger(Settings {
        per_process_limit: 2,
        ..settings(8)
    });
    let waiter = hold(&mut ledger, 1, 2);
    assert_eq!(reason(&mut ledger, waiter), "per-process limit 2 of 2");
}

#[test]
fn a_client_waits_at_the_limit_of_its_build() {
    let mut ledger = ledger(settings(8));
    let waiter = hold(&mut ledger, 1, 1);
    let registration = Registration {
        weight: 1,
        limit: Some(1),
        lease: Default::default(),
    };
    ledger.handle_register(NOW, waiter, registration).unwrap();
    assert_eq!(reason(&mut ledger, waiter), "build limit 1 of 1");
}

/// The reason where `settings` meet `readings`, which `says` the limit as well.
fn stopped(settings: Settings, readings: ledger::Readings, says: &str) {
    let mut ledger = ledger(settings);
    let waiter = hold(&mut ledger, 1, 1);
    ledger.handle_readings(NOW, readings);
    assert_eq!(reason(&mut ledger, waiter), says);
    let text = text(&later(&mut ledger));
    assert!(
        text.ends_with(&format!("\nlimit reached: {says}\n")),
        "{text}"
    );
}

#[test]
fn a_client_waits_on_the_load_average() {
    let settings = Settings {
        load_average: Some(12_000_000),
        ..settings(20)
    };
    let readings = ledger::Readings {
        load1: Some(13_200_000),
        ..Default::default()
    };
    stopped(settings, readings, "load average 13.2 of 12");
}

#[test]
fn a_client_waits_on_load_that_is_still_to_come() {
    let settings = Settings {
        load_average: Some(1_000_000),
        ..settings(20)
    };
    let readings = ledger::Readings {
        load1: Some(200_000),
        ..Default::default()
    };
    let mut ledger = ledger(settings);
    let waiter = hold(&mut ledger, 1, 1);
    ledger.handle_readings(NOW, readings);
    let reason = reason(&mut ledger, waiter);
    // A job of 1.5 s has added next to nothing so far; a second one is asked for.
    assert!(reason.starts_with("load average 0.2, 2."), "{reason}");
    assert!(reason.ends_with(" expected, of 1"), "{reason}");
}

#[test]
fn a_client_waits_on_memory() {
    let settings = Settings {
        min_memory_avail: Some(2048),
        ..settings(20)
    };
    let readings = ledger::Readings {
        memory_available: Some(1500),
        ..Default::default()
    };
    stopped(settings, readings, "memory 1500 MiB of 2048 MiB");
}

#[test]
fn a_client_waits_on_memory_that_young_jobs_will_take() {
    let settings = Settings {
        min_memory_avail: Some(2048),
        job_memory: 500,
        ..settings(20)
    };
    let readings = ledger::Readings {
        memory_available: Some(2500),
        ..Default::default()
    };
    stopped(
        settings,
        readings,
        "memory 2500 MiB, 1500 MiB expected, of 2048 MiB",
    );
}

#[test]
fn a_client_waits_on_each_pressure() {
    for (place, says) in ["cpu", "memory", "io"].into_iter().enumerate() {
        let mut settings = settings(20);
        let mut readings = ledger::Readings::default();
        settings.max_pressure[place] = Some(20_000_000);
        readings.pressure[place] = Some(30_500_000);
        stopped(settings, readings, &format!("{says} pressure 30.5% of 20%"));
    }
}

#[test]
fn a_miss_is_told_only_while_it_would_be_one_again() {
    let mut ledger = ledger(settings(1));
    let holder = hold(&mut ledger, 1, 1);
    let lazy = hold(&mut ledger, 2, 0);
    ledger.handle_read(NOW, lazy, 1000, true).unwrap();
    let missed = |ledger: &mut Ledger| later(ledger).clients[1].clone();
    assert_eq!(
        missed(&mut ledger).missed,
        Some(Duration::from_millis(1500))
    );
    assert_eq!(missed(&mut ledger).refusal, Some(Refusal::NoneLeft));
    ledger.handle_exit(NOW, holder);
    let client = later(&mut ledger).clients[0].clone();
    assert_eq!((client.missed.is_some(), client.refusal), (true, None));
}

#[test]
fn a_living_process_has_its_command_and_user() {
    let mut ledger = ledger(settings(1));
    let this = Key::Process(std::process::id());
    ledger.handle_contact(this, Session(1)).unwrap();
    let client = &later(&mut ledger).clients[0];
    let own = std::env::args().next().unwrap();
    assert!(
        client.command.starts_with(&own[..own.len().min(60)]),
        "{}",
        client.command
    );
    assert_eq!(client.uid, Some(rustix::process::getuid().as_raw()));
}

#[test]
fn the_books_of_4096_clients_balance() {
    let mut ledger = ledger(settings(4000));
    for number in 0..4096 {
        let client = hold(&mut ledger, number, u64::from(number < 4000));
        if number >= 4000 {
            let read = ledger.handle_read(NOW, client, u64::from(number) << 1, false);
            assert_eq!(read, Ok(Read::Parked));
        }
    }
    let snapshot = later(&mut ledger);
    let bytes = snapshot.encode();
    assert!(bytes.len() < 200_000, "{}", bytes.len());
    let snapshot = Snapshot::decode(&bytes).unwrap();
    let held: usize = snapshot
        .clients
        .iter()
        .map(|client| client.tokens.len())
        .sum();
    let in_builds: u16 = snapshot.builds.iter().map(|build| build.tokens).sum();
    let members: u16 = snapshot.builds.iter().map(|build| build.members).sum();
    assert_eq!(
        (snapshot.clients.len(), snapshot.builds.len()),
        (4096, 4096)
    );
    assert_eq!((held, in_builds, snapshot.in_use), (4000, 4000, 4000));
    assert_eq!(
        (members, snapshot.waiting().count(), snapshot.available),
        (4096, 96, 0)
    );
    assert_eq!(snapshot.uptime, Duration::from_secs(60));
    for (number, client) in (0..).zip(&snapshot.clients) {
        assert_eq!(client.holder, Holder::Process((1 << 22) + number));
        let build = &snapshot.builds[usize::from(client.build)];
        assert_eq!(build.origin, Origin::Session(number));
    }
}
