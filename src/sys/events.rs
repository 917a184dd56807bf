//! The one place where the service waits: for requests, exits, signals and pressure.

use super::channel::Channel;
use super::clock;
use super::pressure::{Resource, Trigger};
use super::signals::Signals;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::{Errno, Result};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Most events that one look tells; the rest is told by the next.
pub const BATCH: usize = 64;

/// Longest wait without a look around. It keeps the milliseconds of `epoll_wait(2)` in an `int`.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The process with this pid has ended. Told again until its pidfd is closed.
    Exit(u32),
    /// A signal has come.
    Signal,
    /// There was more pressure on this resource than its trigger is armed at.
    Pressure(Resource),
    /// The trigger for this resource has failed, and is to be dropped.
    NoTrigger(Resource),
    /// The channel has a request, or is over.
    Request,
}

// Keys above all pids.
const SIGNAL: u64 = 1 << 32;
const REQUEST: u64 = 2 << 32;
const PRESSURE: u64 = 3 << 32;

/// What is under watch: one descriptor, so that what a round of the loop costs does not grow with the number of
/// processes.
#[derive(Debug)]
pub struct Events(OwnedFd);

/// Room for the events of one look.
pub struct Batch {
    events: [epoll::Event; BATCH],
    count: usize,
}

impl Events {
    /// Watches nothing yet.
    pub fn new() -> Result<Events> {
        epoll::create(CreateFlags::CLOEXEC).map(Events)
    }

    /// Watches the channel.
    pub fn watch_channel(&self, channel: &Channel) -> Result<()> {
        self.add(channel, REQUEST, EventFlags::IN)
    }

    /// Watches for signals.
    pub fn watch_signals(&self, signals: &Signals) -> Result<()> {
        self.add(signals, SIGNAL, EventFlags::IN)
    }

    /// Watches a trigger, until it is closed.
    pub fn watch_trigger(&self, trigger: &Trigger, resource: Resource) -> Result<()> {
        self.add(trigger, PRESSURE + resource as u64, EventFlags::PRI)
    }

    /// Watches for the end of the process `pid`, until its pidfd is closed.
    pub fn watch_process(&self, pidfd: impl AsFd, pid: u32) -> Result<()> {
        self.add(pidfd, u64::from(pid), EventFlags::IN)
    }

    fn add(&self, fd: impl AsFd, key: u64, flags: EventFlags) -> Result<()> {
        epoll::add(&self.0, fd, EventData::new_u64(key), flags)
    }

    /// Waits until something has happened, or until `deadline` in nanoseconds of [`clock::now`]; for ever with
    /// `None`.
    ///
    /// What happened first is told first: an exit that came before a request that is told was told with it or
    /// earlier, as long as no look told [as much as it can](Batch::is_full).
    pub fn wait(&self, batch: &mut Batch, deadline: Option<u64>) -> Result<()> {
        let timeout = deadline.map(|deadline| timespec(deadline.saturating_sub(clock::now())));
        batch.count = match epoll::wait(&self.0, &mut batch.events, timeout.as_ref()) {
            Err(Errno::INTR) => 0,
            count => count?,
        };
        Ok(())
    }
}

/// Room for events, and none of them.
impl Default for Batch {
    fn default() -> Batch {
        let none = epoll::Event {
            flags: EventFlags::empty(),
            data: EventData::new_u64(0),
        };
        Batch {
            events: [none; BATCH],
            count: 0,
        }
    }
}

impl Batch {
    /// The events of the last look.
    pub fn iter(&self) -> impl Iterator<Item = Event> {
        self.events.iter().take(self.count).filter_map(event)
    }

    /// Whether there may be more than these.
    pub fn is_full(&self) -> bool {
        self.count == BATCH
    }
}

fn event(event: &epoll::Event) -> Option<Event> {
    // A copy: the kernel's struct is packed.
    let flags = event.flags;
    let failed = flags.intersects(EventFlags::ERR | EventFlags::HUP);
    match event.data.u64() {
        SIGNAL => Some(Event::Signal),
        REQUEST => Some(Event::Request),
        key => match u32::try_from(key) {
            Ok(pid) => Some(Event::Exit(pid)),
            Err(_) => {
                let is_it = |&resource: &Resource| PRESSURE + resource as u64 == key;
                let resource = Resource::ALL.into_iter().find(is_it)?;
                Some(if failed {
                    Event::NoTrigger(resource)
                } else {
                    Event::Pressure(resource)
                })
            }
        },
    }
}

fn timespec(nanoseconds: u64) -> Timespec {
    let wait = Duration::from_nanos(nanoseconds).min(LONGEST);
    Timespec {
        tv_sec: wait.as_secs() as _,
        tv_nsec: wait.subsec_nanos() as _,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::identity::resolve;
    use std::process::{Command, Stdio};

    const TEN_SECONDS: u64 = 10_000_000_000;

    fn look(events: &Events, deadline: u64) -> Vec<Event> {
        let mut batch = Batch::default();
        events.wait(&mut batch, Some(deadline)).unwrap();
        batch.iter().collect()
    }

    #[test]
    fn an_exit_is_told_before_the_process_is_reaped_until_its_pidfd_is_closed() {
        let events = Events::new().unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let process = resolve(child.id()).unwrap();
        events.watch_process(&process.pidfd, process.pid).unwrap();
        assert_eq!(look(&events, 0), []);

        drop(child.stdin.take());
        let deadline = clock::now() + TEN_SECONDS;
        assert_eq!(look(&events, deadline), [Event::Exit(child.id())]);
        assert_eq!(look(&events, deadline), [Event::Exit(child.id())]);

        drop(process.pidfd);
        assert_eq!(look(&events, 0), []);
        child.wait().unwrap();
    }

    #[test]
    fn a_request_is_told_and_time_passes_without_one() {
        let (reader, writer) = std::io::pipe().unwrap();
        let channel = Channel::new(OwnedFd::from(reader)).unwrap();
        let events = Events::new().unwrap();
        events.watch_channel(&channel).unwrap();
        let deadline = clock::now() + 20_000_000;
        assert_eq!(look(&events, deadline), []);
        assert!(clock::now() >= deadline);

        rustix::io::write(&writer, b"x").unwrap();
        assert_eq!(look(&events, clock::now() + TEN_SECONDS), [Event::Request]);
    }

    #[test]
    fn a_channel_that_is_over_counts_as_a_request() {
        let (reader, writer) = std::io::pipe().unwrap();
        let channel = Channel::new(OwnedFd::from(reader)).unwrap();
        let events = Events::new().unwrap();
        events.watch_channel(&channel).unwrap();
        drop(writer);
        assert_eq!(look(&events, 0), [Event::Request]);
    }

    #[test]
    fn a_deadline_however_far_is_one_that_the_kernel_takes() {
        assert_eq!(timespec(u64::MAX).tv_sec, 86_400);
        assert_eq!(timespec(1_500_000_000).tv_nsec, 500_000_000);
    }
}
