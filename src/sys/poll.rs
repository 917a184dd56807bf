//! The one place where the service waits.

use super::channel::Channel;
use super::clock;
use super::exits::Exits;
use super::pressure::Trigger;
use super::signals::Signals;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, Result};

/// What wants attention. Errors and hang-ups count as ready: the read that follows names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The channel has a request, or is over.
    pub device: bool,
    /// Some process has ended.
    pub exits: bool,
    /// A signal has come.
    pub signal: bool,
    /// A pressure trigger has fired.
    pub pressure: bool,
}

/// Waits until something is ready, or until `deadline` in nanoseconds of [`clock::now`]; for ever with `None`.
///
/// The descriptors are looked at in the order of the arguments: an exit that came before a request that is seen is
/// seen with it. A trigger that has failed would be ready for ever, so it is dropped.
pub fn wait(
    device: &Channel,
    exits: &Exits,
    signals: &Signals,
    triggers: &mut [Option<Trigger>; 3],
    deadline: Option<u64>,
) -> Result<Ready> {
    let timeout = deadline.map(|deadline| timespec(deadline.saturating_sub(clock::now())));
    let [cpu, memory, io] = triggers.each_ref().map(|trigger| match trigger {
        Some(trigger) => PollFd::new(trigger, PollFlags::PRI),
        // Stands in for a trigger that is not there: nothing is asked of it.
        None => PollFd::new(exits, PollFlags::empty()),
    });
    let mut fds = [
        PollFd::new(device, PollFlags::IN),
        PollFd::new(exits, PollFlags::IN),
        PollFd::new(signals, PollFlags::IN),
        cpu,
        memory,
        io,
    ];
    match poll(&mut fds, timeout.as_ref()) {
        Ok(0) | Err(Errno::INTR) => return Ok(Ready::default()),
        Ok(_) => {}
        Err(errno) => return Err(errno),
    }
    let [device, exits, signal, pressure @ ..] = fds.map(|fd| fd.revents());
    let failed = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    for (trigger, revents) in triggers.iter_mut().zip(pressure) {
        if revents.intersects(failed) {
            *trigger = None;
        }
    }
    Ok(Ready {
        device: !device.is_empty(),
        exits: !exits.is_empty(),
        signal: !signal.is_empty(),
        pressure: pressure
            .iter()
            .any(|revents| revents.contains(PollFlags::PRI)),
    })
}

fn timespec(nanoseconds: u64) -> Timespec {
    const SECOND: u64 = 1_000_000_000;
    Timespec {
        tv_sec: i64::try_from(nanoseconds / SECOND).unwrap_or(i64::MAX),
        tv_nsec: (nanoseconds % SECOND) as _,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;

    #[test]
    fn what_is_ready_is_told_and_time_passes_otherwise() {
        let (reader, writer) = std::io::pipe().unwrap();
        let device = Channel::new(OwnedFd::from(reader)).unwrap();
        let (exits, signals) = (Exits::new().unwrap(), Signals::block().unwrap());
        let mut triggers = [None, None, None];
        let deadline = clock::now() + 20_000_000;
        let ready = wait(&device, &exits, &signals, &mut triggers, Some(deadline));
        assert_eq!(ready, Ok(Ready::default()));
        assert!(clock::now() >= deadline);

        rustix::io::write(&writer, b"x").unwrap();
        let ready = wait(&device, &exits, &signals, &mut triggers, None);
        assert_eq!(
            ready,
            Ok(Ready {
                device: true,
                ..Ready::default()
            })
        );
    }

    #[test]
    fn a_channel_that_is_over_counts_as_ready() {
        let (reader, writer) = std::io::pipe().unwrap();
        let device = Channel::new(OwnedFd::from(reader)).unwrap();
        drop(writer);
        let (exits, signals) = (Exits::new().unwrap(), Signals::block().unwrap());
        let ready = wait(&device, &exits, &signals, &mut [None, None, None], Some(0));
        assert_eq!(
            ready,
            Ok(Ready {
                device: true,
                ..Ready::default()
            })
        );
    }
}
