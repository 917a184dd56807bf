//! Tests of the ledger: rule by rule, and whole against a naive model.

mod accounting;
mod audit;
mod limits;
mod model;
mod order;
mod promises;
mod random;

use super::*;

/// A ledger in virtual time, audited after every step.
struct Pool {
    ledger: Ledger,
    now: Time,
    unique: u64,
    /// What the ledger has decided and no test has looked at.
    actions: Vec<Action>,
}

type Who = Id<Client>;

impl Pool {
    fn new(jobs: u16) -> Self {
        Pool::with(Settings {
            jobs,
            ..Settings::default()
        })
    }

    fn with(settings: Settings) -> Self {
        Pool::sized(settings, Sizes::default())
    }

    fn sized(settings: Settings, sizes: Sizes) -> Self {
        Pool {
            ledger: Ledger::new(settings, sizes).unwrap(),
            now: Time::from_nanos(1_000_000_000),
            unique: 0,
            actions: Vec::new(),
        }
    }

    /// A client in the session of its own number.
    fn client(&mut self, pid: u32) -> Who {
        self.member(pid, pid)
    }

    /// A client in `session`.
    fn member(&mut self, pid: u32, session: u32) -> Who {
        let origin = Origin::Session(session);
        self.ledger
            .handle_contact(Key::Process(pid), origin)
            .unwrap()
    }

    /// A client that is the root of a build of its own.
    fn root(&mut self, pid: u32, weight: u16, limit: Option<u16>) -> Who {
        let root = self.client(pid);
        self.register(root, weight, limit, Lease::default());
        root
    }

    fn register(&mut self, who: Who, weight: u16, limit: Option<u16>, lease: Lease) {
        let registration = Registration {
            weight,
            limit,
            lease,
        };
        let registered = self.ledger.handle_register(self.now, who, registration);
        registered.unwrap();
        self.settle();
    }

    /// Lets the ledger decide what there is to decide.
    fn settle(&mut self) {
        self.ledger.handle_timeout(self.now);
        while let Some(action) = self.ledger.poll_action(self.now) {
            self.actions.push(action);
        }
        self.ledger.audit(self.now);
    }

    fn actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// A read without blocking: a token, or none.
    fn try_read(&mut self, who: Who) -> Option<u8> {
        self.unique += 2;
        let read = self.ledger.handle_read(self.now, who, self.unique, true);
        self.settle();
        match read.unwrap() {
            Read::Token(byte) => Some(byte),
            Read::Again(_) => None,
            Read::Parked => panic!("a read without blocking was parked"),
        }
    }

    /// Reads until there is no more, and says how many tokens that were.
    fn drain(&mut self, who: Who) -> usize {
        std::iter::from_fn(|| self.try_read(who)).count()
    }

    /// Takes exactly `tokens`.
    fn take(&mut self, who: Who, tokens: usize) {
        for _ in 0..tokens {
            assert!(self.try_read(who).is_some());
        }
    }

    /// A blocked read; its number.
    fn wait(&mut self, who: Who) -> u64 {
        self.unique += 2;
        let read = self.ledger.handle_read(self.now, who, self.unique, false);
        assert_eq!(read, Ok(Read::Parked));
        self.settle();
        self.unique
    }

    /// Polls the client's one open file, for a wake-up if there is nothing.
    fn poll(&mut self, who: Who) -> bool {
        let file = who.index() as u64;
        let readable = self.ledger.handle_poll(self.now, who, file, file, true);
        self.settle();
        readable.unwrap()
    }

    /// Looks whether there is anything, without waiting for it.
    fn glance(&mut self, who: Who) -> bool {
        let file = who.index() as u64;
        let readable = self.ledger.handle_poll(self.now, who, file, file, false);
        self.settle();
        readable.unwrap()
    }

    /// Gives `tokens` back, one by one.
    fn give(&mut self, who: Who, tokens: usize) {
        for _ in 0..tokens {
            assert_eq!(self.write(who, b"+").accepted, 1);
        }
    }

    fn write(&mut self, who: Who, bytes: &[u8]) -> Returned {
        let returned = self.ledger.handle_write(self.now, who, bytes);
        self.settle();
        returned
    }

    fn exit(&mut self, who: Who) -> Gone {
        let gone = self.ledger.handle_exit(self.now, who);
        self.settle();
        gone
    }

    /// Lets time pass, from one deadline of the ledger to the next.
    fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        for _ in 0..10_000 {
            let due = self.ledger.poll_timeout(self.now);
            let Some(due) = due.filter(|&due| due <= end) else {
                self.now = end;
                return self.settle();
            };
            self.now = due.max(self.now);
            if self.ledger.recheck_is_due(self.now) {
                let readings = self.ledger.readings;
                self.ledger.handle_readings(self.now, readings);
            }
            self.settle();
        }
        panic!("the ledger's deadlines make no progress");
    }

    /// Changes the settings.
    fn set(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = *self.ledger.settings();
        change(&mut settings);
        self.ledger.handle_settings(settings).unwrap();
        self.settle();
    }

    fn readings(&mut self, readings: Readings) {
        self.ledger.handle_readings(self.now, readings);
        self.settle();
    }

    fn held(&self, who: Who) -> u16 {
        self.ledger.view(who).held
    }

    fn free(&mut self) -> u16 {
        self.ledger.available(self.now)
    }

    /// Asserts that exactly `grants` were decided since the last look: reads, in this order.
    #[track_caller]
    fn granted(&mut self, reads: &[u64]) {
        let granted = self.actions();
        let unique = |action: &Action| match *action {
            Action::Grant { unique, .. } => unique,
            Action::Wake { .. } => panic!("a poller was woken"),
        };
        assert_eq!(granted.iter().map(unique).collect::<Vec<_>>(), reads);
    }

    /// Asserts that exactly these pollers were woken since the last look, in this order.
    #[track_caller]
    fn woken(&mut self, pollers: &[Who]) {
        let woken = self.actions();
        let client = |action: &Action| match *action {
            Action::Wake { client, .. } => client,
            Action::Grant { .. } => panic!("a read was granted"),
        };
        assert_eq!(woken.iter().map(client).collect::<Vec<_>>(), pollers);
    }
}

const MS: Duration = Duration::from_millis(1);
