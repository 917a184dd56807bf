//! The command line of steve, and starts that fail.

use crate::kit::{Service, Transport, run, scratch::AS_NOBODY, scratch::Dir, service, steve};
use std::process::Command;

tests![
    help_and_version_go_to_stdout,
    a_bad_value_is_one_line_and_status_2,
    a_bad_value_is_found_before_anything_is_opened,
    spellings_of_an_option,
    jobs_are_the_cpus_of_this_process_unless_given,
    an_unknown_user_or_group_is_said,
    without_permission_it_says_which_device,
];

fn help_and_version_go_to_stdout() {
    for option in ["-h", "--help"] {
        let help = steve(&[option]);
        help.exits_with(0).complains_in_lines(0);
        assert!(help.stdout.contains("--per-process-limit"), "{help}");
    }
    for option in ["-V", "--version"] {
        let version = steve(&[option]);
        version.exits_with(0).complains_in_lines(0);
        assert!(
            version.stdout.contains(env!("CARGO_PKG_VERSION")),
            "{version}"
        );
    }
}

fn a_bad_value_is_one_line_and_status_2() {
    let bad: &[(&[&str], &str)] = &[
        (&["-j", "0"], "0"),
        (&["-j", "4097"], "4097"),
        (&["-j", "x"], "x"),
        (&["--jobs"], "--jobs"),
        (&["-j4", "-m5"], "5"),
        (&["-p", "-1"], "-1"),
        (&["-l", "0"], "0"),
        (&["-l", "nan"], "nan"),
        (&["-a", "much"], "much"),
        (&["-r", "0"], "0"),
        (&["--max-cpu-pressure", "101"], "101"),
        (&["--dev-name", "a/b"], "a/b"),
        (&["--dev-name", ""], "--dev-name"),
        (&["--mode", "9"], "9"),
        (&["--bogus"], "--bogus"),
        (&["stray"], "stray"),
        (&["--", "stray"], "stray"),
    ];
    for (arguments, named) in bad {
        steve(arguments)
            .exits_with(2)
            .prints("")
            .complains_in_lines(1)
            .complains(named)
            .complains("steve: ");
    }
}

fn a_bad_value_is_found_before_anything_is_opened() {
    let dir = Dir::new();
    let (path, place) = service::place(&dir);
    steve(&[&place[0], &place[1], "-j", "none"]).exits_with(2);
    assert!(!path.exists());
}

fn spellings_of_an_option() {
    let spellings: &[&[&str]] = &[
        &["-j6"],
        &["-j", "6"],
        &["--jobs=6"],
        &["--jobs", "6"],
        &["-vj6"],
        &["-j2", "-j6"],
        &["-j6", "--"],
    ];
    for (at, spelling) in spellings.iter().enumerate() {
        // Options that say where to serve come behind `--` otherwise.
        let spelling: Vec<&str> = spelling
            .iter()
            .copied()
            .filter(|word| *word != "--")
            .collect();
        let service = Service::start(&spelling);
        assert!(service.stdout().contains("for 6 jobs\n"), "spelling {at}");
    }
}

fn jobs_are_the_cpus_of_this_process_unless_given() {
    let service = Service::start_in(&["taskset", "-c", "0"], &[]);
    assert!(
        service.stdout().contains("for 1 jobs\n"),
        "{}",
        service.stdout()
    );
}

fn an_unknown_user_or_group_is_said() {
    let dir = Dir::new();
    let (path, place) = service::place(&dir);
    for option in ["--user", "--group"] {
        steve(&[&place[0], &place[1], option, "nobody-of-this-name"])
            .exits_with(1)
            .prints("")
            .complains_in_lines(2)
            .complains("nobody-of-this-name");
        assert!(!path.exists());
    }
}

fn without_permission_it_says_which_device() {
    let dir = Dir::new();
    let (path, place) = service::place(&dir);
    let mut command = Command::new(AS_NOBODY[0]);
    command.args(&AS_NOBODY[1..]).arg("--no-new-privs");
    command
        .arg(dir.copy_of(env!("CARGO_BIN_EXE_steve")))
        .args(place);
    let outcome = run(&mut command);
    outcome.exits_with(1).prints("");
    assert!(!path.exists());
    match Transport::current() {
        Transport::Cuse => outcome
            .complains("/dev/cuse")
            .complains("Permission denied"),
        Transport::Fuse => outcome.complains("steve: "),
    };
}
