//! The one place where the service waits.

use super::channel::Channel;
use super::clock;
use super::events::Events;
use super::pressure::Trigger;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, Result};

/// What wants attention. Errors and hang-ups count as ready: the read that follows names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// The channel has a request, or is over.
    pub device: bool,
    /// A process has ended, or a signal has come.
    pub events: bool,
    /// A pressure trigger has fired.
    pub pressure: bool,
}

/// Waits until something is ready, or until `deadline` in nanoseconds of [`clock::now`]; for ever with `None`.
///
/// The descriptors are looked at in the order of the arguments: an exit that came before a request that is seen is
/// seen with it. A trigger that has failed would be ready for ever, so it is dropped.
pub fn wait(
    device: &Channel,
    events: &Events,
    triggers: &mut [Option<Trigger>; 3],
    deadline: Option<u64>,
) -> Result<Ready> {
    let timeout = deadline.map(|deadline| timespec(deadline.saturating_sub(clock::now())));
    // The kernel looks at each descriptor in every round: it is given no more than there are.
    let count = if triggers.iter().all(Option::is_none) {
        2
    } else {
        5
    };
    let [cpu, memory, io] = triggers.each_ref().map(|trigger| match trigger {
        Some(trigger) => PollFd::new(trigger, PollFlags::PRI),
        // Stands in for a trigger that is not there: nothing is asked of it.
        None => PollFd::new(events, PollFlags::empty()),
    });
    let device = PollFd::new(device, PollFlags::IN);
    let mut fds = [device, PollFd::new(events, PollFlags::IN), cpu, memory, io];
    match poll(fds.split_at_mut(count).0, timeout.as_ref()) {
        Ok(0) | Err(Errno::INTR) => return Ok(Ready::default()),
        Ok(_) => {}
        Err(errno) => return Err(errno),
    }
    let [device, events, pressure @ ..] = fds.map(|fd| fd.revents());
    let failed = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    for (trigger, revents) in triggers.iter_mut().zip(pressure) {
        if revents.intersects(failed) {
            *trigger = None;
        }
    }
    Ok(Ready {
        device: !device.is_empty(),
        events: !events.is_empty(),
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
        let events = Events::new().unwrap();
        let mut triggers = [None, None, None];
        let deadline = clock::now() + 20_000_000;
        let ready = wait(&device, &events, &mut triggers, Some(deadline));
        assert_eq!(ready, Ok(Ready::default()));
        assert!(clock::now() >= deadline);

        rustix::io::write(&writer, b"x").unwrap();
        let ready = wait(&device, &events, &mut triggers, None);
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
        let events = Events::new().unwrap();
        let ready = wait(&device, &events, &mut [None, None, None], Some(0));
        assert_eq!(
            ready,
            Ok(Ready {
                device: true,
                ..Ready::default()
            })
        );
    }
}
