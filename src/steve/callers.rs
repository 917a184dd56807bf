//! From the thread that a request names to the client it belongs to.
//!
//! The header of a request carries a thread id, which the kernel uses again once the thread is
//! gone. A client already known is recognised without /proc:
//!
//! * A thread id that is the pid of a live client is that client. A pid is free for another only
//!   once its process has been reaped, and the loop takes in the exits that happened before a
//!   request before it takes the request ([`Events::wait`]).
//! * Any other thread is looked up in a small table of threads seen, and asked for with one
//!   `tgkill(2)`: it cannot leave its process while its request is unanswered.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::ledger::{Client, Id, Key, Ledger, Origin, Sizes};
use crate::sys::events::Events;
use crate::sys::{identity, procfs};

/// Threads remembered, each in the place that its number modulo this gives.
const THREADS: usize = 8192;

/// Ancestors looked at, so that no /proc, however odd, keeps the service in a circle.
const ANCESTORS: usize = 256;

/// Who calls.
pub(super) struct Callers {
    /// Threads that are not the first of their process: tid and pid.
    threads: Vec<[u32; 2]>,
    /// Of each client that is a process, by the client's index.
    pidfds: Vec<Option<OwnedFd>>,
}

impl Callers {
    pub(super) fn new(sizes: Sizes) -> Self {
        let mut pidfds = Vec::new();
        pidfds.resize_with(usize::from(sizes.clients), || None);
        Callers {
            // Zeros come from the kernel, and take no memory before they are written to.
            threads: vec![[0; 2]; THREADS],
            pidfds,
        }
    }

    /// Stops watching a client that has ended.
    pub(super) fn forget(&mut self, client: Id<Client>) {
        if let Some(place) = self.pidfds.get_mut(client.index()) {
            *place = None;
        }
    }

    /// The client that the calling thread `tid` belongs to; where the kernel names none, or none
    /// can be found, it is the open file `file`.
    pub(super) fn find(&self, ledger: &Ledger, tid: u32, file: u64) -> Option<Id<Client>> {
        if tid == 0 {
            return ledger.client(Key::File(file));
        }
        if let Some(client) = ledger.client(Key::Process(tid)) {
            return Some(client);
        }
        let &[known, pid] = self.threads.get(tid as usize % THREADS)?;
        if known != tid || !identity::same_thread(pid, tid) {
            return None;
        }
        ledger.client(Key::Process(pid))
    }

    /// As [`Callers::find`], and makes a client of a caller that is not one yet. True with it says
    /// that it was made.
    ///
    /// # Errors
    /// `NOMEM` where a table is full, or no descriptor is left to watch it by.
    pub(super) fn meet(
        &mut self,
        ledger: &mut Ledger,
        events: &Events,
        tid: u32,
        file: u64,
    ) -> Result<(Id<Client>, bool), Errno> {
        if let Some(client) = self.find(ledger, tid, file) {
            return Ok((client, false));
        }
        let process = match tid {
            0 => None,
            tid => match identity::resolve(tid) {
                Ok(process) => Some(process),
                Err(Errno::MFILE | Errno::NFILE) => return Err(Errno::NOMEM),
                // Hidden from us.
                Err(_) => None,
            },
        };
        let Some(process) = process else {
            return self.meet_file(ledger, file);
        };
        if tid != process.pid
            && let Some(place) = self.threads.get_mut(tid as usize % THREADS)
        {
            *place = [tid, process.pid];
        }
        if let Some(client) = ledger.client(Key::Process(process.pid)) {
            return Ok((client, false));
        }
        let origin = origin(ledger, process.pid);
        let client = ledger
            .handle_contact(Key::Process(process.pid), origin)
            .map_err(|_| Errno::NOMEM)?;
        if events.watch_process(&process.pidfd, process.pid).is_err() {
            ledger.handle_leave(client);
            return Err(Errno::NOMEM);
        }
        if let Some(place) = self.pidfds.get_mut(client.index()) {
            *place = Some(process.pidfd);
        }
        Ok((client, true))
    }

    fn meet_file(&self, ledger: &mut Ledger, file: u64) -> Result<(Id<Client>, bool), Errno> {
        if let Some(client) = ledger.client(Key::File(file)) {
            return Ok((client, false));
        }
        let client = ledger.handle_contact(Key::File(file), Origin::Unknown);
        client
            .map(|client| (client, true))
            .map_err(|_| Errno::NOMEM)
    }
}

/// The build of a process that comes for the first time: the nearest ancestor that registered
/// itself, else its session.
fn origin(ledger: &Ledger, pid: u32) -> Origin {
    if ledger.has_roots() {
        let parent = |&pid: &u32| procfs::parent(pid).ok().filter(|&parent| parent != 0);
        let mut ancestors = std::iter::successors(Some(pid), parent)
            .skip(1)
            .take(ANCESTORS);
        if let Some(root) = ancestors.find(|&pid| ledger.is_root(pid)) {
            return Origin::Root(root);
        }
    }
    identity::session(pid).map_or(Origin::Unknown, Origin::Session)
}
