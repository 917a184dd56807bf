//! The driver of a client process ([`super::worker`]).

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::Deref;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::service::Service;
use super::wait::{self, PATIENCE};
use super::{scratch, sys, worker};

/// Readable, writable, and what must never come.
pub const IN: u16 = libc::POLLIN as u16;
pub const OUT: u16 = libc::POLLOUT as u16;

/// A client process; killed when dropped. Its methods are those of its main thread.
pub struct Client {
    main: Thread,
    child: Option<Child>,
    threads: AtomicU32,
}

/// One thread of a client. It does what it is told in order, one thing at a time.
#[derive(Clone)]
pub struct Thread {
    link: Arc<Link>,
    number: u32,
}

struct Link {
    pid: i32,
    commands: Mutex<Box<dyn Write + Send>>,
    answers: Arc<Mutex<HashMap<u64, Sender<String>>>>,
    next: AtomicU64,
}

/// An answer that is still to come.
pub struct Pending<T> {
    answer: Receiver<String>,
    what: String,
    convert: fn(&str) -> T,
}

impl Client {
    /// Starts a client that has nothing open.
    pub fn start() -> Client {
        Client::launch(Command::new(own_program()).arg("be-client"), |child| child)
    }

    /// Starts a client and opens the device for reading and writing.
    pub fn of(service: &Service) -> (Client, i32) {
        let client = Client::start();
        let fd = client.open(service.path(), OFlags::RDWR);
        (client, fd)
    }

    /// Starts a client through `wrapper`, a command that runs its arguments as its only child.
    pub fn start_in(wrapper: &[&str]) -> Client {
        let mut command = Command::new(wrapper[0]);
        command
            .args(&wrapper[1..])
            .arg(own_program())
            .arg("be-client");
        Client::launch(&mut command, wait::only_child)
    }

    /// Starts `command`, in which the client is the process that `find` gives for the pid started.
    pub fn launch(command: &mut Command, find: fn(i32) -> i32) -> Client {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        sys::bind_to_parent(command);
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {command:?}: {e}"));
        let commands = Box::new(child.stdin.take().expect("piped"));
        let answers = child.stdout.take().expect("piped");
        let pid = find(child.id() as i32);
        let mut client = Client::connect(pid, commands, answers);
        client.child = Some(child);
        client
    }

    fn connect(
        pid: i32,
        commands: Box<dyn Write + Send>,
        answers: impl Read + Send + 'static,
    ) -> Client {
        let waiting: Arc<Mutex<HashMap<u64, Sender<String>>>> = Arc::default();
        let link = Arc::new(Link {
            pid,
            commands: Mutex::new(commands),
            answers: waiting.clone(),
            next: AtomicU64::new(0),
        });
        std::thread::spawn(move || {
            for line in BufReader::new(answers).lines().map_while(Result::ok) {
                let (number, answer) = line.split_once(' ').expect("an answer");
                let number = number.parse().expect("a number");
                if let Some(asker) = waiting.lock().unwrap().remove(&number) {
                    let _ = asker.send(answer.into());
                }
            }
            waiting.lock().unwrap().clear();
        });
        Client {
            main: Thread { link, number: 0 },
            child: None,
            threads: AtomicU32::new(0),
        }
    }

    /// A new thread of the process.
    pub fn thread(&self) -> Thread {
        let number = self.threads.fetch_add(1, Ordering::Relaxed) + 1;
        Thread {
            link: self.main.link.clone(),
            number,
        }
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: i32) {
        let pid = rustix::process::Pid::from_raw(self.pid()).expect("not 0");
        // SAFETY: the number is that of a signal.
        let signal = unsafe { rustix::process::Signal::from_raw_unchecked(signal) };
        let _ = rustix::process::kill_process(pid, signal);
    }

    /// Kills the process and does not reap it.
    pub fn kill(&self) {
        self.signal(libc::SIGKILL);
    }

    /// Reaps a process that has ended or will.
    pub fn wait(mut self) -> ExitStatus {
        let child = self.child.as_mut().expect("a child of ours");
        let mut status = None;
        wait::until("the client ends", || {
            status = child.try_wait().expect("it is ours");
            status.is_some()
        });
        status.expect("just seen")
    }

    /// Kills and reaps the process.
    pub fn kill_and_wait(self) {
        self.kill();
        let status = self.wait();
        assert!(
            status.signal().is_some() || status.code() == Some(137),
            "{status}"
        );
    }
}

impl Deref for Client {
    type Target = Thread;
    fn deref(&self) -> &Thread {
        &self.main
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if wait::state(self.pid()).is_some()
            && self
                .child
                .as_mut()
                .is_none_or(|c| matches!(c.try_wait(), Ok(None)))
        {
            self.kill();
        }
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Thread {
    /// The process id, as the driver sees it.
    pub fn pid(&self) -> i32 {
        self.link.pid
    }

    /// The thread's id, as the thread itself sees it.
    pub fn tid(&self) -> i32 {
        self.ask("tid", number).unwrap() as i32
    }

    /// Gives a command and does not wait for the answer.
    pub fn begin<T>(&self, command: &str, convert: fn(&str) -> T) -> Pending<T> {
        let (asker, answer) = channel();
        let number = self.link.next.fetch_add(1, Ordering::Relaxed);
        self.link.answers.lock().unwrap().insert(number, asker);
        let line = format!("{number} {} {command}\n", self.number);
        self.link
            .commands
            .lock()
            .unwrap()
            .write_all(line.as_bytes())
            .expect("the client takes commands");
        Pending {
            answer,
            what: format!("{command} in process {}", self.pid()),
            convert,
        }
    }

    #[track_caller]
    fn ask<T>(&self, command: &str, convert: fn(&str) -> T) -> Result<T, Errno> {
        self.begin(command, convert).wait()
    }

    /// open(2); the descriptor.
    #[track_caller]
    pub fn open(&self, path: &Path, flags: OFlags) -> i32 {
        self.try_open(path, flags)
            .unwrap_or_else(|e| panic!("cannot open {}: {e}", path.display()))
    }

    /// open(2); the descriptor, or why not.
    #[track_caller]
    pub fn try_open(&self, path: &Path, flags: OFlags) -> Result<i32, Errno> {
        self.ask(&format!("open {} {}", path.display(), flags.bits()), number)
            .map(|fd| fd as i32)
    }

    #[track_caller]
    pub fn close(&self, fd: i32) {
        self.ask(&format!("close {fd}"), ignore).unwrap();
    }

    /// Reads one byte.
    #[track_caller]
    pub fn read(&self, fd: i32) -> Result<u8, Errno> {
        self.begin_read(fd).wait()
    }

    /// Reads up to `size` bytes.
    #[track_caller]
    pub fn read_up_to(&self, fd: i32, size: usize) -> Result<Vec<u8>, Errno> {
        self.ask(&format!("read {fd} {size}"), worker::unhex)
    }

    /// Begins to read one byte.
    pub fn begin_read(&self, fd: i32) -> Pending<u8> {
        self.begin(&format!("read {fd} 1"), one_byte)
    }

    /// Begins to read one byte and waits until the kernel has put the thread to sleep there.
    #[track_caller]
    pub fn block_in_read(&self, fd: i32) -> Pending<u8> {
        let tid = self.tid();
        let read = self.begin_read(fd);
        wait::until("a read blocks", || wait::sleeps_in(tid, "fuse"));
        read
    }

    /// Takes `count` tokens; their bytes.
    #[track_caller]
    pub fn take(&self, fd: i32, count: usize) -> Vec<u8> {
        (0..count)
            .map(|_| self.read(fd).expect("a token"))
            .collect()
    }

    /// write(2); how many bytes were taken.
    #[track_caller]
    pub fn write(&self, fd: i32, bytes: &[u8]) -> Result<usize, Errno> {
        self.ask(&format!("write {fd} {}", worker::hex(bytes)), number)
            .map(|count| count as usize)
    }

    #[track_caller]
    pub fn set_nonblocking(&self, fd: i32, on: bool) {
        let on = if on { "on" } else { "off" };
        self.ask(&format!("nonblock {fd} {on}"), ignore).unwrap();
    }

    /// poll(2) for `events` with a timeout in ms, -1 for none; what came.
    #[track_caller]
    pub fn poll(&self, fd: i32, events: u16, timeout: i64) -> Result<u16, Errno> {
        self.begin_poll(fd, events, timeout).wait()
    }

    pub fn begin_poll(&self, fd: i32, events: u16, timeout: i64) -> Pending<u16> {
        self.begin(&format!("poll {fd} {events} {timeout}"), |answer| {
            number(answer) as u16
        })
    }

    /// Begins to wait for a token by poll and waits until the thread sleeps there.
    #[track_caller]
    pub fn block_in_poll(&self, fd: i32) -> Pending<u16> {
        let tid = self.tid();
        let poll = self.begin_poll(fd, IN, -1);
        wait::until("a poll blocks", || {
            wait::sleeps_in(tid, "do_sys_poll") && !wait::sleeps_in(tid, "fuse")
        });
        poll
    }

    /// select(2) in all three sets with a timeout in ms; which were set.
    #[track_caller]
    pub fn select(&self, fd: i32, timeout: i64) -> Result<[bool; 3], Errno> {
        self.ask(&format!("select {fd} {timeout} rwx"), three_bits)
    }

    /// Begins a select(2) for reading only.
    pub fn begin_select_read(&self, fd: i32, timeout: i64) -> Pending<[bool; 3]> {
        self.begin(&format!("select {fd} {timeout} r"), three_bits)
    }

    /// Forks `count` children, one after the other, each of which takes a token and kills itself;
    /// how many had got one.
    #[track_caller]
    pub fn forks_that_die_holding(&self, fd: i32, count: i64) -> i64 {
        self.ask(&format!("die-holding {fd} {count}"), number)
            .unwrap()
    }

    /// An epoll with `fd` in it for `events`.
    #[track_caller]
    pub fn epoll(&self, fd: i32, events: u32) -> i32 {
        let epoll = self.ask("epoll", number).unwrap() as i32;
        self.ask(&format!("epoll-add {epoll} {fd} {events}"), ignore)
            .unwrap();
        epoll
    }

    /// epoll_wait(2) with a timeout in ms; the events of the one descriptor, 0 when none came.
    pub fn begin_epoll_wait(&self, epoll: i32, timeout: i64) -> Pending<u32> {
        self.begin(&format!("epoll-wait {epoll} {timeout}"), |answer| {
            number(answer) as u32
        })
    }

    /// ioctl(2) with `data` going in; what came out.
    #[track_caller]
    pub fn ioctl(&self, fd: i32, cmd: u32, data: &[u8]) -> Result<(i64, Vec<u8>), Errno> {
        self.ask(
            &format!("ioctl {fd} {cmd} {}", worker::hex(data)),
            |answer| {
                let (result, data) = answer.split_once(' ').expect("a result and data");
                (number(result), worker::unhex(data))
            },
        )
    }

    /// Takes a token and gives it back, `count` times; how often that went well.
    #[track_caller]
    pub fn take_and_give_back(&self, fd: i32, count: i64) -> i64 {
        self.ask(&format!("pairs {fd} {count}"), number).unwrap()
    }

    /// Forks `count` children that poll once and stay; how many were told "not readable" or more,
    /// and how many got an error.
    #[track_caller]
    pub fn crowd(&self, fd: i32, count: i64) -> (i64, i64) {
        self.ask(&format!("crowd {fd} {count}"), two_numbers)
            .unwrap()
    }

    /// Ends those children.
    #[track_caller]
    pub fn end_crowd(&self) {
        self.ask("end-crowd", ignore).unwrap();
    }

    /// Opens `path` so often and polls all of it; how many came before the first that was refused.
    #[track_caller]
    pub fn poll_many(&self, path: &Path, count: i64) -> i64 {
        let path = path.display();
        self.ask(&format!("poll-many {path} {count}"), number)
            .unwrap()
    }

    /// Lets `signal` interrupt this process's calls, and nothing else.
    #[track_caller]
    pub fn catch(&self, signal: i32) {
        self.ask(&format!("catch {signal}"), ignore).unwrap();
    }

    /// Makes the process lead a session of its own.
    #[track_caller]
    pub fn setsid(&self) {
        self.ask("setsid", ignore).unwrap();
    }

    /// Replaces the program by itself, from this thread.
    #[track_caller]
    pub fn exec(&self) {
        self.ask("exec", ignore).unwrap();
    }

    /// Forks, in this thread; the child is a client with the same files open.
    #[track_caller]
    pub fn fork(&self) -> Client {
        let dir = scratch::Dir::new();
        let (input, output) = (dir.path().join("in"), dir.path().join("out"));
        for path in [&input, &output] {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)
                .expect("a new name");
        }
        let command = format!("fork {} {}", input.display(), output.display());
        let pid = self.ask(&command, number).expect("a fork") as i32;
        let commands = File::options()
            .write(true)
            .open(&input)
            .expect("the child opens it");
        let answers = File::open(&output).expect("the child opens it");
        Client::connect(pid, Box::new(commands), answers)
    }

    /// Ends this thread only.
    #[track_caller]
    pub fn end(&self) {
        let tid = self.tid();
        self.ask("end-thread", ignore).unwrap();
        let gone = || matches!(wait::state(tid), None | Some('Z'));
        wait::until("the thread has ended", gone);
    }

    /// Begins to end the whole process.
    pub fn exit(&self, status: i32) {
        drop(self.begin(&format!("exit {status}"), ignore));
    }
}

impl<T> Pending<T> {
    /// The answer.
    ///
    /// # Panics
    /// When it does not come in time, or the process is gone.
    #[track_caller]
    pub fn wait(self) -> Result<T, Errno> {
        match self.answer.recv_timeout(PATIENCE) {
            Ok(answer) => self.parse(&answer),
            Err(RecvTimeoutError::Timeout) => panic!("no answer to: {}", self.what),
            Err(RecvTimeoutError::Disconnected) => panic!("gone before the answer: {}", self.what),
        }
    }

    /// Whether the answer has not come, looked at for long enough to see one that is on its way.
    #[track_caller]
    pub fn assert_blocked(&self) {
        if let Ok(answer) = self.answer.recv_timeout(Duration::from_millis(30)) {
            panic!("{} did not block but gave: {answer}", self.what);
        }
    }

    fn parse(&self, answer: &str) -> Result<T, Errno> {
        match answer.split_once(' ').unwrap_or((answer, "")) {
            ("ok", values) => Ok((self.convert)(values)),
            (_, errno) => Err(Errno::from_raw_os_error(errno.parse().expect("an errno"))),
        }
    }
}

fn number(answer: &str) -> i64 {
    answer
        .parse()
        .unwrap_or_else(|_| panic!("not a number: {answer}"))
}

fn ignore(_: &str) {}

fn two_numbers(answer: &str) -> (i64, i64) {
    let (one, two) = answer.split_once(' ').expect("two numbers");
    (number(one), number(two))
}

fn three_bits(answer: &str) -> [bool; 3] {
    let mut bits = answer.bytes().map(|digit| digit == b'1');
    std::array::from_fn(|_| bits.next().unwrap_or(false))
}

fn one_byte(answer: &str) -> u8 {
    let bytes = worker::unhex(answer);
    assert_eq!(bytes.len(), 1, "a read of one byte gave {bytes:?}");
    bytes[0]
}

fn own_program() -> std::path::PathBuf {
    std::env::current_exe().expect("/proc is mounted")
}

/// Sends `signal` to one thread of a client.
pub fn signal_thread(client: &Client, tid: i32, signal: i32) {
    sys::tgkill(client.pid(), tid, signal).expect("the thread lives");
}
