//! A client process that does as it likes.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::Ordering::SeqCst;

use fastrand::Rng;
use rustix::event::{PollFd, PollFlags, Timespec, epoll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::shared::Shared;
use crate::kit::{sys, worker};

/// The most tokens that one client keeps.
const GREED: usize = 6;

struct Wild {
    me: usize,
    device: PathBuf,
    memory: PathBuf,
    shared: &'static Shared,
    random: Rng,
    file: File,
    tokens: Vec<u8>,
}

/// Runs with the arguments that [`super::spawn`] and [`Wild::exec`] give: its number, the device,
/// the shared memory, a seed, the tokens that it holds already.
pub fn main(arguments: &[String]) -> ! {
    let [me, device, memory, seed, tokens] = arguments else {
        panic!("five arguments: {arguments:?}")
    };
    let (device, memory) = (PathBuf::from(device), PathBuf::from(memory));
    sys::catch(libc::SIGALRM).expect("a handler");
    sys::catch(libc::SIGUSR1).expect("a handler");
    sys::ignore(libc::SIGCHLD).expect("a disposition");
    let mut wild = Wild {
        me: me.parse().expect("a number"),
        shared: Shared::map(&memory),
        random: Rng::with_seed(seed.parse().expect("a number")),
        file: open(&device),
        tokens: worker::unhex(tokens),
        device,
        memory,
    };
    wild.shared.armed[wild.me].store(1, SeqCst);
    while !wild.shared.is_over() {
        wild.shared.operations.fetch_add(1, SeqCst);
        wild.step();
    }
    wild.release(usize::MAX);
    sys::exit_process(i32::from(!wild.tokens.is_empty()))
}

fn open(device: &Path) -> File {
    File::options()
        .read(true)
        .write(true)
        .open(device)
        .expect("steve serves")
}

impl Wild {
    fn step(&mut self) {
        if self.tokens.len() >= GREED {
            return self.release(3);
        }
        match self.random.u32(0..1000) {
            0..250 => self.read_blocking(),
            250..400 => drop(self.read_nonblocking()),
            400..520 => self.poll(),
            520..580 => self.epoll(),
            580..620 => self.select(),
            620..820 => self.release(1),
            820..880 => self.release(usize::MAX),
            880..900 => self.give_back_too_much(),
            900..925 => self.reopen(),
            925..945 => self.read_in_a_thread(),
            945..955 => self.fork(),
            955..960 => self.exec(),
            960..963 => self.leave(),
            _ => std::thread::yield_now(),
        }
    }

    fn took(&mut self, token: u8) {
        self.shared.count(self.me, 1);
        self.tokens.push(token);
    }

    /// Reads; an alarm ends the wait, since all may wait for all.
    fn read_blocking(&mut self) {
        sys::alarm_after_us(self.random.u64(100..4000)).expect("a timer");
        let mut byte = [0];
        let result = rustix::io::read(&self.file, &mut byte);
        sys::alarm_after_us(0).expect("no timer");
        match result {
            Ok(1) => self.took(byte[0]),
            Err(Errno::INTR) => {}
            other => panic!("a blocking read gave {other:?}"),
        }
    }

    fn set_nonblocking(&self, on: bool) {
        let flags = rustix::fs::fcntl_getfl(&self.file).expect("open");
        let flags = if on {
            flags | OFlags::NONBLOCK
        } else {
            flags - OFlags::NONBLOCK
        };
        rustix::fs::fcntl_setfl(&self.file, flags).expect("open");
    }

    fn read_nonblocking(&mut self) -> bool {
        self.set_nonblocking(true);
        let mut byte = [0];
        let result = rustix::io::read(&self.file, &mut byte);
        self.set_nonblocking(false);
        match result {
            Ok(1) => self.took(byte[0]),
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => panic!("a nonblocking read gave {other:?}"),
        }
        result == Ok(1)
    }

    fn poll(&mut self) {
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: self.random.i64(0..3_000_000),
        };
        let mut fds = [PollFd::new(&self.file, PollFlags::IN)];
        let polled = rustix::event::poll(&mut fds, Some(&timeout));
        let revents = fds[0].revents();
        assert!(
            !revents.intersects(PollFlags::ERR | PollFlags::HUP),
            "{revents:?}"
        );
        if polled == Ok(1) && self.random.u32(0..10) > 0 {
            self.read_nonblocking();
        }
    }

    fn epoll(&mut self) {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll");
        let data = epoll::EventData::new_u64(0);
        epoll::add(&epoll, &self.file, data, epoll::EventFlags::IN).expect("epoll takes it");
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: self.random.i64(0..3_000_000),
        };
        let mut events = Vec::with_capacity(1);
        let spare = rustix::buffer::spare_capacity(&mut events);
        if epoll::wait(&epoll, spare, Some(&timeout)) == Ok(1) {
            self.read_nonblocking();
        }
    }

    fn select(&mut self) {
        let timeout = self.random.i64(0..3);
        if let Ok([true, ..]) = sys::select(self.file.as_raw_fd(), "r", Some(timeout)) {
            self.read_nonblocking();
        }
    }

    /// Gives back up to `count` tokens, in one write.
    fn release(&mut self, count: usize) {
        let count = count.min(self.tokens.len());
        if count == 0 {
            return;
        }
        let mut bytes = self.tokens.split_off(self.tokens.len() - count);
        if self.random.u32(0..4) == 0 {
            bytes.fill(b'+');
        }
        self.shared.count(self.me, -(count as i64));
        assert_eq!(self.write(&bytes), Ok(count), "all of it was held");
    }

    fn write(&self, bytes: &[u8]) -> rustix::io::Result<usize> {
        loop {
            match rustix::io::write(&self.file, bytes) {
                Err(Errno::INTR) => {}
                result => return result,
            }
        }
    }

    fn give_back_too_much(&mut self) {
        let count = self.tokens.len();
        self.tokens.clear();
        self.shared.count(self.me, -(count as i64));
        match self.write(&vec![b'+'; count + 3]) {
            Ok(taken) => assert!(
                taken == count || count == 0 && taken == 1,
                "{taken} of {count}"
            ),
            Err(error) => assert!(error == Errno::NOSPC && count == 0, "{error}"),
        }
    }

    fn reopen(&mut self) {
        self.file = open(&self.device);
    }

    fn read_in_a_thread(&mut self) {
        self.set_nonblocking(true);
        let file = &self.file;
        let read = || {
            let mut byte = [0];
            rustix::io::read(file.as_fd(), &mut byte)
                .ok()
                .map(|_| byte[0])
        };
        let token = std::thread::scope(|scope| scope.spawn(read).join().expect("no panic"));
        self.set_nonblocking(false);
        if let Some(token) = token {
            self.took(token);
        }
    }

    /// Has a child with the same open file take a token, or die trying, while this one goes on.
    fn fork(&mut self) {
        let gives_back = self.random.bool();
        if sys::fork().expect("room for a process") != 0 {
            return;
        }
        // A client of its own: what its parent holds is not its.
        sys::alarm_after_us(2000).expect("a timer");
        let mut byte = [0];
        if rustix::io::read(&self.file, &mut byte) == Ok(1) {
            // Not in the count of anybody: it is short of the truth then, never above it.
            if gives_back {
                let _ = self.write(&byte);
            }
        }
        sys::exit_process(0)
    }

    fn exec(&mut self) {
        // Handlers do not outlive exec; this does.
        sys::ignore(libc::SIGUSR1).expect("a disposition");
        let seed = self.random.u64(..);
        let error = command(self.me, &self.device, &self.memory, seed, &self.tokens)
            .expect("a program")
            .exec();
        panic!("exec: {error}");
    }

    /// Ends with what it holds in hands.
    fn leave(&mut self) {
        self.shared.count(self.me, -(self.tokens.len() as i64));
        sys::exit_process(0)
    }
}

/// The program that is client `me`.
pub fn command(
    me: usize,
    device: &Path,
    memory: &Path,
    seed: u64,
    tokens: &[u8],
) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["be-wild", &me.to_string()])
        .args([device, memory]);
    command.args([seed.to_string(), worker::hex(tokens)]);
    Ok(command)
}
