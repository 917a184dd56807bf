//! The ledger allocates nothing once it is made, whatever happens.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use steve::ledger::{
    Action, Client, Id, Key, Lease, Ledger, Origin, Readings, Registration, Settings, Sizes, Time,
};

thread_local! {
    /// Allocations of this thread; those of the test harness do not count.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counted.
struct Counting;

// SAFETY: every call goes on unchanged to `System`, which keeps the trait's contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps `alloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` came from `System` through `alloc` with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CLIENTS: u32 = 300;

/// A pool in which every kind of event happens.
struct Pool {
    ledger: Ledger,
    random: fastrand::Rng,
    now: Time,
    unique: u64,
    /// Grants, wake-ups, lapses and full tables that were met.
    met: [u64; 4],
}

impl Pool {
    fn client(&mut self) -> Option<Id<Client>> {
        let pid = self.random.u32(1..=CLIENTS);
        let known = self.ledger.client(Key::Process(pid));
        if known.is_some() {
            return known;
        }
        let session = Origin::Session(self.random.u32(1..20));
        let contact = self.ledger.handle_contact(Key::Process(pid), session);
        self.met[3] += u64::from(contact.is_err());
        contact.ok()
    }

    fn event(&mut self) {
        let Some(id) = self.client() else {
            return;
        };
        self.unique += 2;
        let (now, unique, ledger) = (self.now, self.unique, &mut self.ledger);
        match self.random.u8(..32) {
            0..8 => {
                let parked = ledger.handle_read(now, id, unique, self.random.bool());
                self.met[3] += u64::from(parked.is_err());
            }
            8..16 => {
                ledger.handle_write(now, id, b"+A");
            }
            16..24 => {
                let file = self.random.u64(..64);
                let parked = ledger.handle_poll(now, id, file, file, self.random.bool());
                self.met[3] += u64::from(parked.is_err());
            }
            24 => drop(ledger.handle_exit(now, id)),
            25 => {
                ledger.handle_interrupt(unique.saturating_sub(2 * self.random.u64(..200)));
            }
            26 => {
                ledger.handle_release(now, self.random.u64(..64));
            }
            27 => {
                let registration = Registration {
                    weight: self.random.u16(1..=100),
                    limit: self.random.bool().then_some(3),
                    lease: Lease {
                        jobs: self.random.bool().then_some(40),
                        min_memory_avail: None,
                    },
                };
                let _ = ledger.handle_register(now, id, registration);
            }
            28 => {
                let settings = Settings {
                    jobs: self.random.u16(20..60),
                    load_average: self.random.bool().then_some(50_000_000),
                    lenient_returns: self.random.bool(),
                    ..*ledger.settings()
                };
                let _ = ledger.handle_settings(settings);
            }
            29 => {
                let load1 = Some(self.random.i64(..60_000_000));
                let readings = Readings {
                    load1,
                    ..*ledger.readings()
                };
                ledger.handle_readings(now, readings);
            }
            30 => {
                ledger.handle_undelivered(now, id, b'+');
            }
            _ => {
                ledger.handle_reclaim(now, id);
            }
        }
    }

    fn settle(&mut self) {
        self.now = self.now.after(Duration::from_millis(self.random.u64(..20)));
        self.ledger.poll_timeout(self.now);
        self.ledger.handle_timeout(self.now);
        while let Some(action) = self.ledger.poll_action(self.now) {
            match action {
                Action::Grant { .. } => self.met[0] += 1,
                Action::Wake { .. } => self.met[1] += 1,
            }
        }
        self.met[2] = self.ledger.totals().lapsed;
    }
}

#[test]
fn no_event_makes_the_ledger_allocate() {
    let settings = Settings {
        jobs: 40,
        ..Settings::default()
    };
    let sizes = Sizes {
        clients: 200,
        waiters: 300,
    };
    let mut pool = Pool {
        ledger: Ledger::new(settings, sizes).unwrap(),
        random: fastrand::Rng::with_seed(7),
        now: Time::from_nanos(1),
        unique: 0,
        met: [0; 4],
    };
    let before = ALLOCATIONS.get();
    for _ in 0..200_000 {
        pool.event();
        pool.settle();
    }
    assert_eq!(ALLOCATIONS.get(), before);
    assert!(pool.met.iter().all(|&met| met > 0), "{:?}", pool.met);
    // The counter counts.
    drop(std::hint::black_box(Box::new(before)));
    assert_eq!(ALLOCATIONS.get(), before + 1);
}
