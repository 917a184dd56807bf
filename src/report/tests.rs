use super::*;

/// Twelve jobs in use: the example of a busy pool.
pub(crate) fn busy() -> Snapshot {
    let mut settings = [-1; Setting::ALL.len()];
    settings[Setting::Jobs as usize] = 12;
    settings[Setting::MinJobs as usize] = 1;
    settings[Setting::PerProcessLimit as usize] = 0;
    settings[Setting::LoadRecheckTimeout as usize] = 500_000;
    settings[Setting::JobMemory as usize] = 0;
    let token = |byte, nanos| Token {
        byte,
        age: Duration::from_nanos(nanos),
    };
    Snapshot {
        uptime: Duration::from_secs(3600),
        settings,
        effective: settings,
        in_use: 3,
        builds: vec![
            build(Origin::Session(221600), 3),
            build(Origin::Root(194260), 0),
        ],
        clients: vec![
            Client {
                tokens: vec![
                    token(0x2b, 8_403_600),
                    token(0x2c, 53_674_200),
                    token(0x2d, 163_137_000),
                ],
                ..client(221613, "make -j all", 0)
            },
            Client {
                waiting: Some(Duration::from_millis(1500)),
                refusal: Some(Refusal::NoneLeft),
                ..client(194264, "make -C gcc", 1)
            },
        ],
        ..Snapshot::default()
    }
}

fn build(origin: Origin, tokens: u16) -> Build {
    Build {
        origin,
        weight: 1,
        limit: None,
        tokens,
        members: 1,
    }
}

fn client(pid: u32, command: &str, build: u16) -> Client {
    Client {
        holder: Holder::Process(pid),
        uid: Some(1000),
        command: command.to_string(),
        build,
        tokens: Vec::new(),
        reserved: false,
        waiting: None,
        missed: None,
        refusal: None,
        lease: Lease::default(),
    }
}

/// One in which every field differs from its neighbours.
pub(crate) fn full() -> Snapshot {
    let mut snapshot = busy();
    snapshot.effective = [
        4, 1, 2, 13_200_000, 500_000, 2048, 1536, 30_000_000, 10_000_000, 20_000_000,
    ];
    snapshot.available = 1;
    snapshot.reserved = 1;
    snapshot.readings = Readings {
        load: Some(14_250_000),
        load_expected: Some(15_000_000),
        memory: Some(3000),
        memory_expected: Some(-72),
        pressure: [Some(30_500_000), Some(0), None],
    };
    snapshot.stops = vec![Limit::Load, Limit::Memory, Limit::CpuPressure];
    snapshot.builds[1] = Build {
        weight: 3,
        limit: Some(4),
        ..build(Origin::Root(194260), 1)
    };
    snapshot.builds.push(build(Origin::Unknown, 0));
    snapshot.clients.push(Client {
        holder: Holder::File(u64::MAX),
        uid: None,
        reserved: true,
        missed: Some(Duration::from_secs(61)),
        refusal: Some(Refusal::Limit(Limit::IoPressure)),
        lease: Lease {
            jobs: Some(4),
            min_memory_avail: Some(2048),
        },
        ..client(0, "", 2)
    });
    snapshot.totals = Totals {
        grants: 1 << 40,
        reclaimed: 5,
        refusals: [1, 2, 3, 4, 5, 6, 7, 8],
        wakeups: 9,
        lapsed: 10,
    };
    snapshot
}

#[test]
fn the_report_of_a_busy_pool() {
    let expected = "\
steve: currently 0 tokens available out of 12
PID 221613 (make -j all) holds 3 tokens:
 job 0x2b running for 0.0084036s
 job 0x2c running for 0.0536742s
 job 0x2d running for 0.163137s
PID 194264 (make -C gcc) holds 0 tokens, waiting for 1.5s: no tokens left
";
    assert_eq!(text(&busy()), expected);
}

#[test]
fn the_report_of_a_pool_with_leases_and_limits() {
    let expected = "\
steve: currently 1 tokens available out of 4
PID 221613 (make -j all) holds 3 tokens:
 job 0x2b running for 0.0084036s
 job 0x2c running for 0.0536742s
 job 0x2d running for 0.163137s
PID 194264 (make -C gcc) holds 0 tokens, waiting for 1.5s: no tokens left
open file 18446744073709551615 holds 0 tokens, 1 reserved, found none 61s ago: io pressure
lease of open file 18446744073709551615: 4 jobs, 2048 MiB available
limit reached: load average 14.25 of 13.2
limit reached: memory 3000 MiB, -72 MiB expected, of 2048 MiB
limit reached: cpu pressure 30.5% of 30%
";
    assert_eq!(text(&full()), expected);
}

#[test]
fn every_refusal_is_told_with_the_figure_and_the_limit() {
    let mut snapshot = full();
    snapshot.readings.pressure[2] = Some(20_010_000);
    let told = Refusal::ALL.map(|refusal| {
        let client = Client {
            build: 1,
            refusal: Some(refusal),
            ..snapshot.clients[0].clone()
        };
        snapshot.reason_of(&client).unwrap().to_string()
    });
    let expected = [
        "no tokens left",
        "per-process limit 3 of 2",
        "build limit 1 of 4",
        "load average 14.25 of 13.2",
        "memory 3000 MiB, -72 MiB expected, of 2048 MiB",
        "cpu pressure 30.5% of 30%",
        "memory pressure 0% of 10%",
        "io pressure 20.01% of 20%",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_is_expected_is_told_where_only_that_passes_the_limit() {
    let mut snapshot = full();
    snapshot.readings.load = Some(500_000);
    snapshot.readings.memory = Some(2047);
    let told: Vec<_> = snapshot.reasons().map(|r| r.to_string()).collect();
    assert_eq!(told[0], "load average 0.5, 15 expected, of 13.2");
    assert_eq!(told[1], "memory 2047 MiB of 2048 MiB");
}

#[test]
fn a_limit_that_is_not_set_or_was_not_read_has_no_figure() {
    assert_eq!(busy().figure(Limit::Load), None);
    assert_eq!(full().figure(Limit::IoPressure), None);
}

#[test]
fn a_snapshot_comes_through_the_wire_unchanged() {
    for snapshot in [Snapshot::default(), busy(), full()] {
        assert_eq!(Snapshot::decode(&snapshot.encode()), Some(snapshot));
    }
}

#[test]
fn the_wire_is_compact() {
    let size = busy().encode().len();
    assert!(size < 160, "{size}");
}

#[test]
fn another_version_is_refused() {
    let mut bytes = busy().encode();
    bytes[0] = VERSION + 1;
    assert_eq!(Snapshot::decode(&bytes), None);
}

#[test]
fn every_cut_and_every_tail_is_refused() {
    let mut bytes = full().encode();
    for end in 0..bytes.len() {
        assert_eq!(Snapshot::decode(&bytes[..end]), None, "{end}");
    }
    bytes.push(0);
    assert_eq!(Snapshot::decode(&bytes), None);
}

#[test]
fn a_client_of_no_build_is_refused() {
    let mut snapshot = busy();
    snapshot.builds.pop();
    assert_eq!(Snapshot::decode(&snapshot.encode()), None);
}

#[test]
fn lengths_beyond_the_bytes_ask_for_no_room() {
    let mut bytes = Snapshot::default().encode();
    // The lists of stops, builds and clients are a byte each where they are empty, the totals twelve.
    bytes.truncate(bytes.len() - 3 - 12);
    bytes.extend([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    assert_eq!(Snapshot::decode(&bytes), None);
}

/// Whatever decodes can be shown and encoded again.
#[test]
fn any_bytes_are_decoded_without_panic() {
    let seed = 0x5eed_u64;
    let mut state = seed;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let bytes = full().encode();
    let mut decoded = 0;
    for _ in 0..20_000 {
        let mut bytes = bytes.clone();
        for _ in 0..1 + random(4) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 => bytes[at] ^= 1 << random(8),
                2 => bytes.insert(at, random(256) as u8),
                _ => drop(bytes.remove(at)),
            }
        }
        if let Some(snapshot) = Snapshot::decode(&bytes) {
            decoded += 1;
            text(&snapshot);
            assert_eq!(Snapshot::decode(&snapshot.encode()), Some(snapshot));
        }
    }
    assert!(decoded > 20, "{decoded}");
}
