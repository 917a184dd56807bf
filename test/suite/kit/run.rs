//! A program that runs to its end.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Output, Stdio};

use super::service::Service;
use super::sys;
use super::wait::PATIENCE;

/// How a program ended and what it said.
pub struct Outcome {
    command: String,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `command` to its end, with no input, for no longer than anything may take.
#[track_caller]
pub fn run(command: &mut Command) -> Outcome {
    let words = format!("{command:?}");
    sys::bind_to_parent(command);
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.unwrap_or_else(|e| panic!("cannot start {words}: {e}"));
    let pid = child.id() as i32;
    let (ended, end) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        if end.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ = sys::tgkill(pid, pid, libc::SIGKILL);
        }
    });
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("it is ours");
    drop(ended);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Outcome {
        command: words,
        status,
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// steve with `arguments`, expected to end by itself.
#[track_caller]
pub fn steve(arguments: &[&str]) -> Outcome {
    run(Command::new(env!("CARGO_BIN_EXE_steve")).args(arguments))
}

/// stevie with `arguments`, at the device of `service`.
#[track_caller]
pub fn stevie(service: &Service, arguments: &[&str]) -> Outcome {
    run(stevie_command(service).args(arguments))
}

/// The same, not yet run, with no trace of another jobserver in the environment.
pub fn stevie_command(service: &Service) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stevie"));
    command
        .env("STEVE_DEVICE", service.path())
        .env_remove("MAKEFLAGS");
    command
}

impl Outcome {
    /// Checks the exit status.
    #[track_caller]
    pub fn exits_with(&self, code: i32) -> &Outcome {
        assert!(
            self.status.code() == Some(code),
            "expected status {code}\n{self}"
        );
        self
    }

    /// Checks the whole of stdout.
    #[track_caller]
    pub fn prints(&self, text: &str) -> &Outcome {
        assert!(self.stdout == text, "expected stdout {text:?}\n{self}");
        self
    }

    /// Checks that stderr has `text` in it.
    #[track_caller]
    pub fn complains(&self, text: &str) -> &Outcome {
        assert!(
            self.stderr.contains(text),
            "expected on stderr: {text}\n{self}"
        );
        self
    }

    /// Checks that stderr is so many lines.
    #[track_caller]
    pub fn complains_in_lines(&self, lines: usize) -> &Outcome {
        assert!(
            self.stderr.lines().count() == lines,
            "expected {lines} lines on stderr\n{self}"
        );
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Outcome {
            command,
            status,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{command}\n  {}\n  stdout: {stdout}\n  stderr: {stderr}",
            signal_of(*status)
        )
    }
}

/// A status in words.
pub fn signal_of(status: ExitStatus) -> String {
    match status.signal() {
        Some(signal) => format!("ended by signal {signal}"),
        None => format!("exit status {}", status.code().unwrap_or(-1)),
    }
}
