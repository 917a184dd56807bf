//! A shell that stevie runs, and that does what it is told line by line.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::run::stevie_command;
use super::service::Service;
use super::sys;
use super::wait::{PATIENCE, until};

/// What ends the answer to one line.
const DONE: &str = "<done>";

/// The shell, or the stevie that stays as its parent.
pub struct Shell {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    over: Arc<AtomicBool>,
}

impl Shell {
    /// Starts one through stevie with `options`; it may have to wait for its token.
    #[track_caller]
    pub fn start(service: &Service, options: &[&str]) -> Shell {
        Shell::launch(stevie_command(service).args(options))
    }

    /// The same with a command that ends where the shell's name is to come.
    #[track_caller]
    pub fn launch(command: &mut Command) -> Shell {
        let script = format!("while read -r line; do eval \"$line\"; echo '{DONE}'; done");
        // A group whose leader has us for a parent is no orphan, which the kernel would not let stop.
        let command = command.args(["sh", "-c", &script]).process_group(0);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("stevie starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let over = Arc::new(AtomicBool::new(false));
        let (pid, ended) = (child.id() as i32, over.clone());
        std::thread::spawn(move || {
            std::thread::park_timeout(3 * PATIENCE);
            if !ended.load(Ordering::Relaxed) {
                let _ = sys::tgkill(pid, pid, libc::SIGKILL);
            }
        });
        Shell {
            child,
            input,
            output,
            over,
        }
    }

    /// Has a line done, and returns what it printed.
    #[track_caller]
    pub fn run(&mut self, line: &str) -> String {
        self.begin(line);
        self.finish()
    }

    /// Has a line done that may take its time.
    #[track_caller]
    pub fn begin(&mut self, line: &str) {
        let input = self.input.as_mut().expect("not ended");
        writeln!(input, "{line}").expect("the shell reads");
    }

    /// Waits for the end of that line, and returns what it printed.
    #[track_caller]
    pub fn finish(&mut self) -> String {
        let mut answer = String::new();
        loop {
            let mut line = String::new();
            let size = self.output.read_line(&mut line).expect("text");
            assert!(size > 0, "the shell has ended after {answer:?}");
            if line.trim_end() == DONE {
                return answer;
            }
            answer.push_str(&line);
        }
    }

    /// The process that was started: stevie, which may have become the shell.
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Sends that process a signal.
    pub fn signal(&self, signal: i32) {
        sys::tgkill(self.pid(), self.pid(), signal).expect("it lives");
    }

    /// Waits until that process has ended, by itself or because there is nothing more to do.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        self.input = None;
        let mut status = None;
        until("stevie ends", || {
            status = self.child.try_wait().expect("it is ours");
            status.is_some()
        });
        status.unwrap_or(ExitStatus::from_raw(-1))
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.input = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
