//! What the processes of the chaos count together, in memory that all of them map.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use crate::kit::sys;

/// Client processes at a time.
pub const CLIENTS: usize = 24;

/// The counters. All zero is the start.
#[repr(C)]
pub struct Shared {
    /// Tokens in hands that live. Never more than there really are: counted up after a read has
    /// given one, down before a write gives it back.
    pub out: AtomicI64,
    /// The most that `out` ever was.
    pub peak: AtomicI64,
    /// Operations begun.
    pub operations: AtomicI64,
    /// 1: stop, give all back.
    pub over: AtomicI64,
    /// Of each client: tokens in its hands.
    pub held: [AtomicI64; CLIENTS],
    /// Of each client: 1 while `held` and `out` disagree.
    pub busy: [AtomicI64; CLIENTS],
    /// Of each client: 1 when a signal no longer ends it.
    pub armed: [AtomicI64; CLIENTS],
}

impl Shared {
    /// Maps the file at `path`, which is made if it is missing.
    pub fn map(path: &Path) -> &'static Shared {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = file.unwrap_or_else(|e| panic!("cannot open {}: {e}", path.display()));
        file.set_len(size_of::<Shared>() as u64)
            .expect("room for a page");
        let start = sys::map_shared(&file, size_of::<Shared>()).expect("memory");
        // SAFETY: the mapping is that large, aligned to a page, never unmapped, and all in it is
        // atomic integers, for which every value is valid.
        unsafe { &*start.cast::<Shared>() }
    }

    /// Counts `tokens` more, or fewer, in the hands of client `me`.
    pub fn count(&self, me: usize, tokens: i64) {
        self.busy[me].store(1, SeqCst);
        self.held[me].fetch_add(tokens, SeqCst);
        let out = self.out.fetch_add(tokens, SeqCst) + tokens;
        self.peak.fetch_max(out, SeqCst);
        self.busy[me].store(0, SeqCst);
    }

    /// Takes from the count what client `me`, which is stopped and will be killed, has in hands.
    /// False: it was stopped in the middle of counting.
    pub fn write_off(&self, me: usize) -> bool {
        let settled = self.busy[me].load(SeqCst) == 0;
        if settled {
            self.out.fetch_sub(self.held[me].swap(0, SeqCst), SeqCst);
        }
        settled
    }

    pub fn is_over(&self) -> bool {
        self.over.load(SeqCst) != 0
    }
}
