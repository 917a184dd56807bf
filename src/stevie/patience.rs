//! A wait for a token that does not leave the user in the dark.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, write};
use rustix::stdio::stderr;
use rustix::termios::{isatty, tcgetwinsize};

use super::device::Device;
use super::error::Error;
use crate::report::Snapshot;

/// A wait as long as this is worth a word.
const SILENCE: Duration = Duration::from_secs(2);
/// How often the word is looked over.
const PERIOD: Duration = Duration::from_secs(1);

/// Takes a token. On a terminal it says on stderr what there is to wait for, and takes that back
/// when the wait is over.
///
/// Until then it polls: those that poll stand in the same line as those that read.
pub(super) fn take(device: &Device<'_>) -> Result<u8, Error> {
    if isatty(stderr()) {
        let since = Instant::now();
        let mut patience = SILENCE;
        let mut said = false;
        while !is_ready(device, patience) {
            let notice = notice(since.elapsed(), device.snapshot().ok().as_ref());
            say(&clip(&notice));
            (patience, said) = (PERIOD, true);
        }
        if said {
            say("");
        }
    }
    device.take()
}

/// Whether a read would be answered, at the latest after `patience`. One that fails is as well.
fn is_ready(device: &Device<'_>, patience: Duration) -> bool {
    let mut fds = [PollFd::new(device, PollFlags::IN)];
    let patience = Timespec::try_from(patience).unwrap_or_default();
    !matches!(poll(&mut fds, Some(&patience)), Ok(0) | Err(Errno::INTR))
}

/// What there is to say after a wait of `waited`.
///
/// A command that has no token yet is kept by no limit but those on the whole pool.
fn notice(waited: Duration, snapshot: Option<&Snapshot>) -> String {
    let seconds = waited.as_secs();
    let Some(snapshot) = snapshot else {
        return format!("stevie: waiting for a token for {seconds}s");
    };
    let reason = snapshot.reasons().next();
    let reason = reason.map_or("no tokens left".to_string(), |reason| reason.to_string());
    let others = match snapshot.waiting().count() {
        0 | 1 => String::new(),
        2 => ", with one other".to_string(),
        waiting => format!(", with {} others", waiting - 1),
    };
    format!("stevie: waiting for a token for {seconds}s{others}: {reason}")
}

/// Cut to one line of the terminal.
fn clip(text: &str) -> String {
    let size = tcgetwinsize(stderr()).ok().filter(|size| size.ws_col > 0);
    let width = size.map_or(80, |size| usize::from(size.ws_col));
    text.chars().take(width.saturating_sub(1)).collect()
}

/// Puts `text` in place of what the line says. A failed write is ignored.
fn say(text: &str) {
    let _ = write(stderr(), format!("\r{text}\x1b[K").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{busy, full};

    const WAITED: Duration = Duration::from_millis(3900);

    #[test]
    fn the_notice_says_how_long_how_many_and_why() {
        let mut snapshot = busy();
        assert_eq!(
            notice(WAITED, Some(&snapshot)),
            "stevie: waiting for a token for 3s: no tokens left"
        );
        snapshot.clients[0].waiting = Some(WAITED);
        assert_eq!(
            notice(WAITED, Some(&snapshot)),
            "stevie: waiting for a token for 3s, with one other: no tokens left"
        );
        assert_eq!(
            notice(WAITED, Some(&full())),
            "stevie: waiting for a token for 3s: load average 14.25 of 13.2"
        );
    }

    #[test]
    fn a_jobserver_that_tells_nothing_is_waited_for_as_well() {
        assert_eq!(notice(WAITED, None), "stevie: waiting for a token for 3s");
    }
}
