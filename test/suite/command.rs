//! `stevie COMMAND`: the token, the environment, the exec, the exit status.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use crate::kit::run::{run, stevie_command};
use crate::kit::scratch::Dir;
use crate::kit::{Client, Service, Shell, stevie, until, wait};

tests![
    a_command_holds_one_token_until_it_ends,
    a_command_waits_for_its_token,
    a_command_is_the_very_process_that_was_started,
    a_command_ends_as_it_would_without_stevie,
    a_command_that_does_not_start_leaves_no_token_out,
    without_a_device_there_is_no_command,
    makeflags_lead_to_the_device,
    a_relative_device_is_found_from_any_directory,
    other_jobservers_are_taken_out_of_the_environment,
    descriptors_of_the_device_are_inherited,
    only_descriptors_that_were_asked_for_are_inherited,
    a_build_is_kept_to_its_limit,
    a_lease_ends_with_its_command,
    options_are_acted_on_before_the_command,
    what_comes_behind_the_command_is_the_commands,
    a_plain_fifo_serves_as_a_device,
];

fn a_command_holds_one_token_until_it_ends() {
    let service = Service::with_jobs(3);
    let mut shell = Shell::start(&service, &[]);
    shell.run(":");
    assert_eq!(service.free(), 2);
    shell.end();
    service.until_free(3);
}

fn a_command_waits_for_its_token() {
    let service = Service::with_jobs(1);
    let (holder, fd) = Client::of(&service);
    let token = holder.take(fd, 1);
    let mut shell = Shell::start(&service, &[]);
    service.until_waiting(1);
    holder.write(fd, &token).unwrap();
    shell.run(":");
    assert_eq!(service.free(), 0);
}

fn a_command_is_the_very_process_that_was_started() {
    let service = Service::with_jobs(1);
    let mut shell = Shell::start(&service, &[]);
    assert_eq!(shell.run("echo $$").trim(), shell.pid().to_string());
    shell.signal(libc::SIGKILL);
    assert_eq!(shell.end().signal(), Some(libc::SIGKILL));
    service.until_free(1);
}

fn a_command_ends_as_it_would_without_stevie() {
    let service = Service::with_jobs(1);
    for status in [0, 1, 2, 77, 125, 128, 255] {
        let script = format!("exit {status}");
        stevie(&service, &["sh", "-c", &script]).exits_with(status);
    }
    let outcome = stevie(&service, &["sh", "-c", "kill -TERM $$"]);
    assert_eq!(outcome.status.signal(), Some(libc::SIGTERM), "{outcome}");
}

fn a_command_that_does_not_start_leaves_no_token_out() {
    let service = Service::with_jobs(1);
    for auth in ["auto", "fifo", "fds", "bridge"] {
        for (command, status, reason) in [
            ("steve-no-such-command", 127, "No such file or directory"),
            ("/etc/passwd", 126, "Permission denied"),
        ] {
            let outcome = stevie(&service, &["--auth", auth, command]);
            let line = format!("stevie: unable to run \"{command}\": {reason}\n");
            outcome
                .exits_with(status)
                .complains(&line)
                .complains_in_lines(1)
                .prints("");
            service.until_free(1);
        }
    }
}

fn without_a_device_there_is_no_command() {
    let service = Service::with_jobs(1);
    let outcome = stevie(&service, &["-D", "/nowhere/steve", "echo", "run"]);
    outcome.exits_with(125).prints("");
    outcome.complains("stevie: unable to open /nowhere/steve: No such file or directory\n");
    let outcome = stevie(&service, &["-D", "/dev/null", "echo", "run"]);
    outcome.exits_with(125).prints("").complains_in_lines(1);
}

fn makeflags_lead_to_the_device() {
    let service = Service::with_jobs(1);
    let auth = format!("--jobserver-auth=fifo:{}", service.path().display());
    for (before, after) in [
        (None, format!(" {auth}\n")),
        (Some(""), format!(" {auth}\n")),
        (
            Some("kj4 -l2 -- A=b\\ -j3"),
            format!("k -l2 {auth} -- A=b\\ -j3\n"),
        ),
        (Some(" -j --jobserver-auth=3,4"), format!(" {auth}\n")),
    ] {
        let mut command = stevie_command(&service);
        command.args(["sh", "-c", "printf '%s\\n' \"$MAKEFLAGS\""]);
        command.envs(before.map(|flags| ("MAKEFLAGS", flags)));
        run(&mut command).exits_with(0).prints(&after);
    }
}

fn a_relative_device_is_found_from_any_directory() {
    let service = Service::with_jobs(1);
    let directory = service.path().parent().unwrap();
    let name = Path::new(".").join(service.path().file_name().unwrap());
    let mut command = stevie_command(&service);
    command.current_dir(directory).arg("-D").arg(name);
    command.args(["sh", "-c", "cd /; test -r \"${MAKEFLAGS#*fifo:}\""]);
    run(&mut command).exits_with(0);
}

fn other_jobservers_are_taken_out_of_the_environment() {
    let service = Service::with_jobs(1);
    let mut command = stevie_command(&service);
    command.env("CARGO_MAKEFLAGS", "-j --jobserver-fds=3,4");
    command.env("MFLAGS", "-k -j4 --jobserver-auth=3,4");
    command.args(["sh", "-c", "echo \"${CARGO_MAKEFLAGS-unset}:$MFLAGS\""]);
    run(&mut command).exits_with(0).prints("unset: -k\n");
}

fn descriptors_of_the_device_are_inherited() {
    let service = Service::with_jobs(2);
    let mut shell = Shell::start(&service, &["--auth", "fds"]);
    let flags = shell.run("echo $MAKEFLAGS");
    let auth = flags.trim().strip_prefix("--jobserver-auth=").unwrap();
    let (reader, writer) = auth.split_once(',').unwrap();
    let read = shell.run(&format!("dd bs=1 count=1 <&{reader} 2>/dev/null | wc -c"));
    assert_eq!(read.trim(), "1");
    until("the reader has gone", || service.snapshot().in_use == 1);
    shell.run(&format!("printf + >&{writer}"));
    service.until_free(2);
}

fn only_descriptors_that_were_asked_for_are_inherited() {
    let service = Service::with_jobs(1);
    let script = "for fd in /proc/$$/fd/*; do readlink $fd; done; true";
    let path = service.path().to_str().unwrap();
    for (auth, count) in [("fifo", 0), ("fds", 2), ("bridge", 0)] {
        let outcome = stevie(&service, &["--auth", auth, "sh", "-c", script]);
        let found = outcome
            .exits_with(0)
            .stdout
            .lines()
            .filter(|line| line.contains(path))
            .count();
        assert_eq!(found, count, "{outcome}");
        assert!(!outcome.stdout.contains("inotify"), "{outcome}");
    }
}

fn a_build_is_kept_to_its_limit() {
    let service = Service::with_jobs(4);
    let read = "dd if=$STEVE_DEVICE iflag=nonblock bs=1 count=1 2>&1 >/dev/null | head -n 1";
    let mut limited = Shell::start(&service, &["--limit", "1"]);
    assert!(limited.run(read).contains("temporarily unavailable"));
    let mut other = Shell::start(&service, &["--limit", "2"]);
    assert!(!other.run(read).contains("temporarily unavailable"));
}

fn a_lease_ends_with_its_command() {
    let service = Service::with_jobs(4);
    let mut shell = Shell::start(&service, &["--lease-jobs", "2"]);
    shell.run(":");
    assert_eq!(service.free(), 1);
    shell.signal(libc::SIGKILL);
    shell.end();
    service.until_free(4);
}

fn options_are_acted_on_before_the_command() {
    let service = Service::with_jobs(2);
    let arguments = [
        "--get-jobs",
        "--set-jobs",
        "3",
        "--get-jobs",
        "-t",
        "sh",
        "-c",
        "$0 -t",
    ];
    let mut command = stevie_command(&service);
    command.args(arguments).arg(env!("CARGO_BIN_EXE_stevie"));
    run(&mut command).exits_with(0).prints("2\n3\n3\n2\n");
}

fn a_plain_fifo_serves_as_a_device() {
    let service = Service::with_jobs(1);
    let directory = Dir::new();
    let path = directory.path().join("fifo");
    let made = run(std::process::Command::new("mkfifo").arg(&path));
    made.exits_with(0);
    let fifo = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    rustix::io::write(&fifo, b"+").unwrap();
    let mut shell = Shell::start(&service, &["-D", path.to_str().unwrap()]);
    shell.run(":");
    until("its byte is taken", || {
        rustix::io::ioctl_fionread(&fifo) == Ok(0)
    });
    assert!(wait::state(shell.pid()).is_some());
}

fn what_comes_behind_the_command_is_the_commands() {
    let service = Service::with_jobs(1);
    let words = ["echo", "-C", "src", "--get-jobs", "--", "-h"];
    let outcome = stevie(&service, &words);
    outcome.exits_with(0).prints("-C src --get-jobs -- -h\n");
    stevie(&service, &["--", "echo", "-t"]).prints("-t\n");
}
