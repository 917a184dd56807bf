//! The client process: does what it is told on stdin, a line a command, and answers on stdout.
//!
//! A command is `NUMBER THREAD NAME [ARGUMENT...]`, its answer `NUMBER ok [VALUE...]` or
//! `NUMBER err ERRNO`. Each thread has its own commands and does them in order; thread 0 is the
//! main one. A reader of its own takes the commands in, deaf to signals, so that a thread may block
//! where it likes. End of input ends the process.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, Sender};

use rustix::event::{PollFd, PollFlags, Timespec, epoll};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::sys;

/// Runs the client process on stdin and stdout; `number` is the command that this program answers
/// for its predecessor, which did exec.
pub fn main(number: Option<&String>) -> ! {
    let _ = sys::ignore(libc::SIGCHLD);
    if let Some(number) = number {
        let _ = writeln!(copy(1), "{number} ok");
    }
    serve()
}

/// Takes commands from descriptor 0 and answers on 1.
fn serve() -> ! {
    let (main, commands) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = sys::block_signals();
        route(main)
    });
    work(&commands)
}

/// A copy of descriptor `number` that is a file of its own.
fn copy(number: i32) -> File {
    let fd =
        rustix::io::fcntl_dupfd_cloexec(borrow(number), 100).expect("stdin and stdout are open");
    File::from(fd)
}

fn borrow(number: i32) -> BorrowedFd<'static> {
    // SAFETY: the driver names only descriptors that it opened and did not close, and 0 and 1.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Hands each command to its thread.
fn route(main: Sender<String>) -> ! {
    let mut threads = HashMap::from([(0, main)]);
    for line in BufReader::new(copy(0)).lines().map_while(Result::ok) {
        let thread = line
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .unwrap_or(0);
        let queue = threads.entry(thread).or_insert_with(|| {
            let (queue, commands) = mpsc::channel();
            std::thread::spawn(move || {
                let _ = sys::unblock_signals();
                work(&commands)
            });
            queue
        });
        let _ = queue.send(line);
    }
    sys::exit_process(0)
}

/// The life of one thread.
fn work(commands: &Receiver<String>) -> ! {
    let mut answers = copy(1);
    for line in commands {
        let words: Vec<&str> = line.split(' ').collect();
        let [number, _, name, arguments @ ..] = words.as_slice() else {
            continue;
        };
        if *name == "end-thread" {
            let _ = writeln!(answers, "{number} ok");
            sys::exit_thread();
        }
        if *name == "exec" {
            // The successor answers.
            let error = Command::new("/proc/self/exe")
                .args(["be-client", number])
                .exec();
            let _ = writeln!(
                answers,
                "{number} err {}",
                error.raw_os_error().unwrap_or(-1)
            );
            continue;
        }
        let answer = match perform(name, arguments) {
            Ok(value) => format!("{number} ok {value}\n"),
            Err(error) => format!("{number} err {}\n", error.raw_os_error().unwrap_or(-1)),
        };
        let _ = answers.write_all(answer.as_bytes());
    }
    sys::exit_thread()
}

/// Does one command and gives the answer's words.
fn perform(name: &str, arguments: &[&str]) -> io::Result<String> {
    let word = |place: usize| arguments.get(place).copied().unwrap_or("");
    let number = |place: usize| word(place).parse::<i64>().expect("a number");
    let fd = || borrow(number(0) as i32);
    match name {
        "tid" => Ok(rustix::thread::gettid().as_raw_nonzero().to_string()),
        "open" => {
            let flags = OFlags::from_bits_retain(number(1) as u32);
            let fd = rustix::fs::open(word(0), flags, rustix::fs::Mode::empty())?;
            Ok(fd.into_raw_fd().to_string())
        }
        "close" => {
            // SAFETY: the driver closes only what it opened, and once.
            drop(unsafe { File::from_raw_fd(number(0) as i32) });
            Ok(String::new())
        }
        "read" => {
            let mut buffer = vec![0; number(1) as usize];
            let count = rustix::io::read(fd(), &mut buffer)?;
            Ok(hex(&buffer[..count]))
        }
        "write" => Ok(rustix::io::write(fd(), &unhex(word(1)))?.to_string()),
        "nonblock" => {
            let flags = rustix::fs::fcntl_getfl(fd())?;
            let flags = if word(1) == "on" {
                flags | OFlags::NONBLOCK
            } else {
                flags - OFlags::NONBLOCK
            };
            rustix::fs::fcntl_setfl(fd(), flags)?;
            Ok(String::new())
        }
        "poll" => poll(fd(), number(1) as u16, number(2)),
        "select" => {
            let timeout = Some(number(1)).filter(|&ms| ms >= 0);
            let ready = sys::select(number(0) as i32, word(2), timeout)?;
            Ok(ready.map(|ready| if ready { "1" } else { "0" }).concat())
        }
        "epoll" => Ok(rustix::event::epoll::create(epoll::CreateFlags::empty())?
            .into_raw_fd()
            .to_string()),
        "epoll-add" => {
            let flags = epoll::EventFlags::from_bits_retain(number(2) as u32);
            epoll::add(
                fd(),
                borrow(number(1) as i32),
                epoll::EventData::new_u64(0),
                flags,
            )?;
            Ok(String::new())
        }
        "epoll-wait" => {
            let mut events = Vec::with_capacity(4);
            epoll::wait(
                fd(),
                rustix::buffer::spare_capacity(&mut events),
                timeout(number(1)).as_ref(),
            )?;
            let flags = events
                .iter()
                .fold(0, |all, event| all | { event.flags }.bits());
            Ok(flags.to_string())
        }
        "ioctl" => {
            let mut data = unhex(word(2));
            let result = sys::ioctl(fd(), number(1) as u32, &mut data)?;
            Ok(format!("{result} {}", hex(&data)))
        }
        "catch" => sys::catch(number(0) as i32).map(|()| String::new()),
        "setsid" => Ok(rustix::process::setsid()?.as_raw_nonzero().to_string()),
        "pairs" => pairs(fd(), number(1)),
        "crowd" => crowd(fd(), number(1)),
        "end-crowd" => {
            let own = rustix::process::getpid();
            rustix::process::kill_process_group(own, rustix::process::Signal::TERM)?;
            Ok(String::new())
        }
        "poll-many" => poll_many(word(0), number(1)),
        "die-holding" => die_holding(fd(), number(1)),
        "fork" => fork(word(0), word(1)),
        "exit" => sys::exit_process(number(0) as i32),
        _ => Err(Errno::NOSYS.into()),
    }
}

/// No timeout where `ms` is negative.
fn timeout(ms: i64) -> Option<Timespec> {
    (ms >= 0).then(|| Timespec {
        tv_sec: ms / 1000,
        tv_nsec: ms % 1000 * 1_000_000,
    })
}

fn poll(fd: BorrowedFd<'_>, events: u16, ms: i64) -> io::Result<String> {
    let mut fds = [PollFd::from_borrowed_fd(
        fd.as_fd(),
        PollFlags::from_bits_retain(events),
    )];
    rustix::event::poll(&mut fds, timeout(ms).as_ref())?;
    Ok(fds[0].revents().bits().to_string())
}

/// Forks a child that takes its commands from the FIFO `input` and answers on `output`.
fn fork(input: &str, output: &str) -> io::Result<String> {
    match sys::fork()? {
        0 => {
            let input = File::open(input).expect("the driver made it");
            let output = File::options()
                .write(true)
                .open(output)
                .expect("the driver made it");
            for (file, fd) in [(input, 0), (output, 1)] {
                sys::dup2(file.into_raw_fd(), fd).expect("both are open");
            }
            serve()
        }
        pid => Ok(pid.to_string()),
    }
}

/// Forks children one after the other that each take a token and kill themselves; how many got one.
fn die_holding(fd: BorrowedFd<'_>, count: i64) -> io::Result<String> {
    let (done, tell) = rustix::pipe::pipe()?;
    let mut got = 0;
    for _ in 0..count {
        if sys::fork()? == 0 {
            let mut token = [0];
            let taken = rustix::io::read(fd, &mut token).unwrap_or(0);
            let _ = rustix::io::write(&tell, &[taken as u8]);
            let _ = rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::KILL,
            );
            sys::exit_process(1);
        }
        let mut taken = [0];
        rustix::io::read(&done, &mut taken)?;
        got += i64::from(taken[0]);
    }
    Ok(got.to_string())
}

/// Forks children that each ask for more than is there, without blocking, and stay until SIGTERM
/// comes to the process group, which this process leads and survives; how many found none, and how
/// many no room.
fn crowd(fd: BorrowedFd<'_>, count: i64) -> io::Result<String> {
    sys::catch(libc::SIGTERM)?;
    rustix::process::setpgid(None, None)?;
    let (done, tell) = rustix::pipe::pipe()?;
    let (mut found_none, mut no_room) = (0, 0);
    for _ in 0..count {
        if sys::fork()? == 0 {
            let _ = sys::die_with_parent();
            let result = poll(fd, PollFlags::IN.bits(), 0);
            let refused = !matches!(result.as_deref(), Ok("0" | "1"));
            let _ = rustix::io::write(&tell, &[u8::from(refused)]);
            sys::pause();
            sys::exit_process(0);
        }
        let mut refused = [0];
        rustix::io::read(&done, &mut refused)?;
        match refused[0] {
            0 => found_none += 1,
            _ => no_room += 1,
        }
    }
    Ok(format!("{found_none} {no_room}"))
}

/// Opens the device so often and polls all of it in one call; how many files there were before the
/// first that gave an error, behind which the kernel puts none on the list.
fn poll_many(path: &str, count: i64) -> io::Result<String> {
    sys::raise_descriptor_limit()?;
    let open = |_| File::options().read(true).write(true).open(path);
    let files = (0..count).map(open).collect::<io::Result<Vec<_>>>()?;
    let poll = |file| PollFd::new(file, PollFlags::IN);
    let mut fds: Vec<_> = files.iter().map(poll).collect();
    rustix::event::poll(&mut fds, timeout(1).as_ref())?;
    let refused = fds
        .iter()
        .position(|fd| fd.revents().contains(PollFlags::ERR));
    std::mem::forget(files);
    Ok(refused.unwrap_or(count as usize).to_string())
}

/// Takes a token and gives it back, so often; how often that went well.
fn pairs(fd: BorrowedFd<'_>, count: i64) -> io::Result<String> {
    let mut done = 0;
    for _ in 0..count {
        let mut token = [0];
        if rustix::io::read(fd, &mut token)? == 1 && rustix::io::write(fd, &token)? == 1 {
            done += 1;
        }
    }
    Ok(done.to_string())
}

/// Bytes as one word; `-` is none.
pub fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".into();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of such a word.
pub fn unhex(word: &str) -> Vec<u8> {
    let digits = word.trim_matches('-').as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or(""), 16);
    digits
        .chunks(2)
        .map(|pair| byte(pair).expect("two hex digits"))
        .collect()
}
