use super::*;
use crate::report::tests::{busy, full};
use crate::report::{Holder, Token};

fn window(width: usize, height: usize) -> Window {
    Window {
        width,
        height,
        colour: false,
    }
}

/// The picture without its escape sequences.
fn bare(picture: &str) -> String {
    let mut text = String::new();
    let mut rest = picture;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        text.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    text + rest
}

#[test]
fn a_busy_pool() {
    let expected = "\
steve: 12 jobs, 3 held, 0 available, 1 waiting up to 1.5s, up 1h00m
[A=====A=====A=====------------------------------------------------------]

B TOKENS LIMIT WEIGHT CLIENTS WAITING  BUILD
A      3     -      1       1       0  session 221600: make -j all
B      0     -      1       1       1  stevie 194260: make -C gcc

B      PID   USER TOKENS OLDEST  WAITS  WHY             COMMAND
A   221613   1000      3   0.1s                         make -j all
B   194264   1000      0          1.5s  no tokens left  make -C gcc";
    assert_eq!(render(&busy(), window(76, 24)), expected);
}

#[test]
fn a_pool_with_leases_and_limits() {
    let expected = "\
steve: 4 of 12 jobs, 2 held, 1 reserved, 1 available, 1 waiting up to 1.5s, load 14.25, memory 3000 MiB, up 1h00m
[A============================A============================A============================B============================]
limit reached: load average 14.25 of 13.2
limit reached: memory 3000 MiB, -72 MiB expected, of 2048 MiB
limit reached: cpu pressure 30.5% of 30%
lease of open file 18446744073709551615: 4 jobs, 2048 MiB available

B TOKENS LIMIT WEIGHT CLIENTS WAITING  BUILD
A      3     -      1       1       0  session 221600: make -j all
B      1     4      3       1       1  stevie 194260: make -C gcc
C      0     -      1       1       0  unknown
";
    let picture = render(&full(), window(120, 24));
    assert!(picture.starts_with(expected), "{picture}");
    assert!(
        picture.contains("\nC file 18446744073709551615      -    0+1"),
        "{picture}"
    );
    assert!(picture.contains("missed 1m01s ago"), "{picture}");
}

/// A pool of 4,096 clients, two in three of which wait.
fn crowded() -> Snapshot {
    let mut snapshot = full();
    let client = snapshot.clients[1].clone();
    let token = Token {
        byte: b'+',
        age: Duration::from_secs(90),
    };
    snapshot.clients.extend((0..4096).map(|number| Client {
        holder: Holder::Process(number),
        tokens: vec![token; usize::from(number % 3 == 0)],
        waiting: (number % 3 != 0).then_some(Duration::from_secs(number.into())),
        ..client.clone()
    }));
    snapshot
}

#[test]
fn the_picture_fits_every_window() {
    for snapshot in [Snapshot::default(), busy(), full(), crowded()] {
        for (width, height) in [
            (0, 0),
            (1, 1),
            (2, 3),
            (20, 5),
            (42, 8),
            (80, 24),
            (300, 100),
        ] {
            for colour in [false, true] {
                let picture = render(
                    &snapshot,
                    Window {
                        width,
                        height,
                        colour,
                    },
                );
                let picture = bare(&picture);
                assert!(picture.lines().count() <= height, "{width}x{height}");
                let widest = picture.lines().map(|line| line.chars().count()).max();
                assert!(widest.unwrap_or(0) <= width, "{width}x{height}:\n{picture}");
            }
        }
    }
}

#[test]
fn colour_changes_nothing_but_the_fill_of_the_bar() {
    let coloured = render(
        &crowded(),
        Window {
            colour: true,
            ..window(100, 30)
        },
    );
    let plain = render(&crowded(), window(100, 30));
    assert_ne!(coloured, plain);
    let lines = |picture: String| {
        picture
            .lines()
            .skip(2)
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(bare(&coloured)), lines(plain));
}

#[test]
fn the_busiest_come_first_and_the_rest_is_counted() {
    let picture = render(&crowded(), window(100, 30));
    let lines: Vec<_> = picture.lines().collect();
    assert_eq!(lines.len(), 30);
    let first = lines
        .iter()
        .position(|line| line.starts_with("B      PID"))
        .unwrap()
        + 1;
    assert!(
        lines[first].starts_with("A   221613   1000      3"),
        "{picture}"
    );
    let shown = lines.len() - 1 - first;
    assert_eq!(
        *lines.last().unwrap(),
        format!("  and {} clients more", 4099 - shown)
    );
}

#[test]
fn a_pool_wider_than_the_window_is_shown_in_proportion() {
    let mut snapshot = busy();
    snapshot.effective[Setting::Jobs as usize] = 1000;
    snapshot.in_use = 500;
    snapshot.available = 250;
    snapshot.builds[0].tokens = 500;
    let picture = render(&snapshot, window(42, 3));
    let bar = picture.lines().nth(1).unwrap();
    let count = |wanted| bar.chars().filter(|&cell| cell == wanted).count();
    assert_eq!((count('A'), count('.'), count('-')), (20, 10, 10), "{bar}");
}

#[test]
fn durations_are_short() {
    for (seconds, text) in [
        (0.04, "0.0s"),
        (9.99, "9.9s"),
        (59.9, "59s"),
        (125.0, "2m05s"),
        (3600.0 * 3.0 + 420.0, "3h07m"),
        (86400.0 * 4.0 + 7200.0, "4d02h"),
    ] {
        assert_eq!(Short(Duration::from_secs_f64(seconds)).to_string(), text);
    }
}
