//! The terminal while it shows the live view, and as it was before.

use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, Result, read, write};
use rustix::process::{Signal, getpid, kill_process};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{
    LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr,
};

use super::view::Window;
use crate::sys::signals::Signals;

/// To the alternate screen, without cursor and without wrapping at the right edge.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/// Back.
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It is time to look at the pool again.
    Due,
    /// The picture has to be drawn again.
    Redraw,
    /// The user has seen enough, or is gone.
    Quit,
}

/// Whether stdout is a terminal that can be drawn on.
pub(super) fn can_draw() -> bool {
    isatty(stdout()) && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// The terminal, given back as it was when this is dropped.
pub(super) struct Terminal {
    /// How stdin was set, where that is a terminal.
    before: Option<Termios>,
    signals: Signals,
    colour: bool,
}

impl Terminal {
    /// Takes the terminal over.
    pub(super) fn enter() -> Result<Terminal> {
        let signals = [
            Signal::INT,
            Signal::TERM,
            Signal::HUP,
            Signal::WINCH,
            Signal::TSTP,
        ];
        let terminal = Terminal {
            before: isatty(stdin()).then(|| tcgetattr(stdin())).transpose()?,
            signals: Signals::block_these(&signals.map(Signal::as_raw))?,
            colour: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        terminal.take()?;
        Ok(terminal)
    }

    /// Keys come one by one and are not shown; those that make signals still do.
    fn take(&self) -> Result<()> {
        if let Some(before) = &self.before {
            let mut keys = before.clone();
            keys.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
            tcsetattr(stdin(), OptionalActions::Now, &keys)?;
        }
        write_all(ENTER)
    }

    fn give_back(&self) -> Result<()> {
        if let Some(before) = &self.before {
            tcsetattr(stdin(), OptionalActions::Now, before)?;
        }
        write_all(LEAVE)
    }

    /// The window as it is now.
    pub(super) fn window(&self) -> Window {
        let size = tcgetwinsize(stdout())
            .ok()
            .filter(|size| size.ws_col > 0 && size.ws_row > 0);
        let (width, height) = size.map_or((80, 24), |size| (size.ws_col, size.ws_row));
        Window {
            width: width.into(),
            height: height.into(),
            colour: self.colour,
        }
    }

    /// Puts `picture` in place of the one before, in one write, so that nothing flickers.
    ///
    /// A line is cleared before it is written: after, a full one would lose its last column, where
    /// the cursor stays.
    pub(super) fn draw(&self, picture: &str, window: Window) -> Result<()> {
        let lines = picture.replace('\n', "\r\n\x1b[K");
        let is_full = picture.lines().count() >= window.height;
        let below = if is_full { "" } else { "\r\n\x1b[J" };
        write_all(&format!("\x1b[H\x1b[K{lines}{below}"))
    }

    /// Waits for a key, a signal, or `due`.
    pub(super) fn wait(&mut self, due: Instant) -> Result<Event> {
        let left = due.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).unwrap_or_default();
        let keys = stdin();
        let mut fds = [
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(&keys, PollFlags::IN),
        ];
        let count = if self.before.is_some() { 2 } else { 1 };
        match poll(&mut fds[..count], Some(&left)) {
            Ok(0) => return Ok(Event::Due),
            Err(Errno::INTR) => return Ok(Event::Redraw),
            result => result?,
        };
        let [signals, keys] = fds.map(|fd| !fd.revents().is_empty());
        if signals && let Some(signal) = self.signals.read_next()? {
            return self.obey(signal.number);
        }
        if keys && is_quit()? {
            return Ok(Event::Quit);
        }
        Ok(Event::Redraw)
    }

    /// Does what a signal asks for.
    fn obey(&mut self, number: i32) -> Result<Event> {
        if number == Signal::TSTP.as_raw() {
            self.give_back()?;
            kill_process(getpid(), Signal::STOP)?;
            self.take()?;
        }
        let goes_on = [Signal::TSTP, Signal::WINCH]
            .map(Signal::as_raw)
            .contains(&number);
        Ok(if goes_on { Event::Redraw } else { Event::Quit })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = self.give_back();
    }
}

/// Whether the keys pressed ask to quit, or the terminal is gone.
fn is_quit() -> Result<bool> {
    let mut keys = [0; 64];
    match read(stdin(), &mut keys) {
        Ok(0) | Err(Errno::IO) => Ok(true),
        Ok(count) => Ok(keys[..count].iter().any(|key| b"qQ".contains(key))),
        Err(Errno::INTR | Errno::AGAIN) => Ok(false),
        Err(errno) => Err(errno),
    }
}

fn write_all(text: &str) -> Result<()> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match write(stdout(), rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
