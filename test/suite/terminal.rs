//! stevie on a terminal: the live view, and what a command that waits says.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::kit::{Client, Service, until, wait};

tests![
    the_live_view_ends_at_q_and_puts_the_terminal_back,
    the_live_view_ends_at_sigterm_and_puts_the_terminal_back,
    a_command_that_waits_says_what_for_and_takes_that_back,
];

/// stevie on a terminal of its own, made by script(1).
struct OnTerminal {
    script: Child,
    said: Arc<Mutex<String>>,
}

impl OnTerminal {
    fn start(service: &Service, arguments: &str) -> OnTerminal {
        let stevie = format!("exec {} {arguments}", env!("CARGO_BIN_EXE_stevie"));
        let mut script = Command::new("script")
            .args(["-q", "-e", "-c", &stevie, "/dev/null"])
            .env("STEVE_DEVICE", service.path())
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .env_remove("MAKEFLAGS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script starts");
        let said = Arc::<Mutex<String>>::default();
        let (mut output, sink) = (script.stdout.take().expect("piped"), said.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..count]);
                sink.lock().unwrap().push_str(&text);
            }
        });
        OnTerminal { script, said }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    #[track_caller]
    fn until_it_says(&self, text: &str) {
        assert!(
            wait::comes(|| self.said().contains(text)),
            "{text:?} is not in {:?}",
            self.said()
        );
    }

    fn press(&mut self, keys: &str) {
        let input = self.script.stdin.as_mut().expect("piped");
        input.write_all(keys.as_bytes()).expect("script reads");
    }

    /// Waits for the end, which must be a success, and returns all that was said.
    #[track_caller]
    fn wait(mut self) -> String {
        let mut status = None;
        until("stevie ends", || {
            status = self.script.try_wait().expect("it is ours");
            status.is_some()
        });
        let said = self.said();
        assert_eq!(status.and_then(|status| status.code()), Some(0), "{said:?}");
        said
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

fn the_live_view_ends_at_q_and_puts_the_terminal_back() {
    let service = Service::with_jobs(7);
    let mut view = OnTerminal::start(&service, "--watch=0.1");
    view.until_it_says("7 available");
    assert!(view.said().starts_with(ENTER));
    view.press("q");
    assert!(view.wait().trim_end().ends_with(LEAVE));
}

fn the_live_view_ends_at_sigterm_and_puts_the_terminal_back() {
    let service = Service::with_jobs(7);
    let view = OnTerminal::start(&service, "--watch=0.1");
    view.until_it_says("7 available");
    let stevie = wait::only_child(view.script.id() as i32);
    crate::kit::sys::tgkill(stevie, stevie, libc::SIGTERM).expect("stevie lives");
    assert!(view.wait().trim_end().ends_with(LEAVE));
}

fn a_command_that_waits_says_what_for_and_takes_that_back() {
    let service = Service::with_jobs(1);
    let (holder, fd) = Client::of(&service);
    let tokens = holder.take(fd, 1);
    let command = OnTerminal::start(&service, "echo started");
    command.until_it_says("stevie: waiting for a token for 2s: no tokens left");
    holder.write(fd, &tokens).expect("it is taken back");
    command.until_it_says("\r\x1b[Kstarted");
}
