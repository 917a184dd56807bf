//! The system calls of the client process that rustix does not offer, or not for a process that
//! forks with threads about.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// -1 is the last error.
fn check(result: i64) -> io::Result<i64> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Forks; the child gets 0. It has only the calling thread.
pub fn fork() -> io::Result<i32> {
    // SAFETY: the child uses no lock that another thread may have held: libc keeps its own in order
    // over fork, and our threads hold ours only while they write an answer, which the driver awaits.
    let pid = unsafe { libc::fork() };
    check(i64::from(pid)).map(|pid| pid as i32)
}

/// Ends the calling thread and no other, the main one too.
pub fn exit_thread() -> ! {
    loop {
        // SAFETY: the thread's stack stays mapped, and nobody joins the thread.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    }
}

/// Ends the process with `status`, running nothing first.
pub fn exit_process(status: i32) -> ! {
    // SAFETY: _exit has no conditions.
    unsafe { libc::_exit(status) }
}

/// One ioctl on `data`, which is as long as the number says.
pub fn ioctl(fd: BorrowedFd<'_>, cmd: u32, data: &mut [u8]) -> io::Result<i64> {
    let size = (cmd >> 16) as usize & 0x3fff;
    assert!(data.len() >= size, "ioctl {cmd:#x} moves {size} bytes");
    // SAFETY: the kernel moves as many bytes as the number says, and `data` has them.
    let result = unsafe { libc::ioctl(fd.as_raw_fd(), cmd.into(), data.as_mut_ptr()) };
    check(i64::from(result))
}

/// Makes `signal` interrupt system calls and do nothing else.
pub fn catch(signal: i32) -> io::Result<()> {
    extern "C" fn ignore(_: libc::c_int) {}
    let handler: extern "C" fn(libc::c_int) = ignore;
    // SAFETY: all zero is a sigaction: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as usize;
    // SAFETY: the handler is a function that does nothing, so it is safe in any state.
    let result = unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) };
    check(i64::from(result)).map(drop)
}

/// Has the signals that a shell or a CI may have us ignore act on us, and so on what we start, as
/// they do by default.
pub fn stop_ignoring_signals() {
    for signal in [
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGTERM,
        libc::SIGTSTP,
    ] {
        // SAFETY: sets a disposition that needs no handler, before there are other threads.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Ignores `signal`; SIGCHLD: lets the kernel reap the children of this process.
pub fn ignore(signal: i32) -> io::Result<()> {
    // SAFETY: SIG_IGN is no function, so nothing of ours runs.
    let old = unsafe { libc::signal(signal, libc::SIG_IGN) };
    if old == libc::SIG_ERR {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Sends `signal` to one thread.
pub fn tgkill(pid: i32, tid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: the call takes numbers only.
    check(unsafe { libc::syscall(libc::SYS_tgkill, pid, tid, signal) }).map(drop)
}

/// Keeps all signals from the calling thread, so that others of the process get them.
pub fn block_signals() -> io::Result<()> {
    mask_signals(libc::SIG_SETMASK)
}

/// Takes all signals again.
pub fn unblock_signals() -> io::Result<()> {
    mask_signals(libc::SIG_UNBLOCK)
}

fn mask_signals(how: i32) -> io::Result<()> {
    // SAFETY: all zero is a valid set to be filled.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is a live local.
    unsafe { libc::sigfillset(&mut set) };
    // SAFETY: `set` was filled; the old mask is not asked for.
    let error = unsafe { libc::pthread_sigmask(how, &set, std::ptr::null_mut()) };
    if error == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(error))
    }
}

/// select(2) on one descriptor in the sets that `asked` has the letters of, `r`, `w` and `x`; in
/// which of the three it came out. `None`: no timeout.
pub fn select(fd: i32, asked: &str, timeout_ms: Option<i64>) -> io::Result<[bool; 3]> {
    assert!(
        (0..1024).contains(&fd),
        "select takes descriptors below 1024"
    );
    // SAFETY: all zero is three empty sets.
    let mut sets: [libc::fd_set; 3] = unsafe { std::mem::zeroed() };
    for (set, _) in sets
        .iter_mut()
        .zip("rwx".chars())
        .filter(|(_, letter)| asked.contains(*letter))
    {
        // SAFETY: `fd` is below FD_SETSIZE.
        unsafe { libc::FD_SET(fd, set) };
    }
    let mut timeout = timeout_ms.map(|ms| libc::timeval {
        tv_sec: ms / 1000,
        tv_usec: ms % 1000 * 1000,
    });
    let timeout = timeout
        .as_mut()
        .map_or(std::ptr::null_mut(), std::ptr::from_mut);
    let [read, write, except] = &mut sets;
    // SAFETY: the sets and the timeout are live locals.
    let result = unsafe { libc::select(fd + 1, read, write, except, timeout) };
    check(i64::from(result))?;
    // SAFETY: `fd` is below FD_SETSIZE.
    Ok(sets
        .each_ref()
        .map(|set| unsafe { libc::FD_ISSET(fd, set) }))
}

/// Makes `fd` a copy of `from`.
pub fn dup2(from: i32, fd: i32) -> io::Result<()> {
    // SAFETY: descriptors 0 and 1, the only targets, are owned by nobody here.
    check(i64::from(unsafe { libc::dup2(from, fd) })).map(drop)
}

/// Maps `size` bytes of `file`, shared with everybody who does.
pub fn map_shared(file: &std::fs::File, size: usize) -> io::Result<*mut libc::c_void> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let fd = file.as_raw_fd();
    // SAFETY: a new mapping at a place of the kernel's choice touches nothing of ours.
    let start = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            size,
            protection,
            libc::MAP_SHARED,
            fd,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        Err(io::Error::last_os_error())
    } else {
        Ok(start)
    }
}

/// Sends this process SIGALRM after so many microseconds, and again and again until told 0: a single
/// one could come before the call that it is to interrupt.
pub fn alarm_after_us(us: u64) -> io::Result<()> {
    let time = libc::timeval {
        tv_sec: 0,
        tv_usec: us as i64,
    };
    let timer = libc::itimerval {
        it_interval: time,
        it_value: time,
    };
    // SAFETY: `timer` is a live local; the old one is not asked for.
    let result = unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) };
    check(i64::from(result)).map(drop)
}

/// Waits for a signal that has a handler.
pub fn pause() {
    // SAFETY: pause has no conditions.
    unsafe { libc::pause() };
}

/// Lets this process have as many files open as it may.
pub fn raise_descriptor_limit() -> io::Result<()> {
    // SAFETY: all zero is a valid limit to be filled.
    let mut limit: libc::rlimit = unsafe { std::mem::zeroed() };
    // SAFETY: `limit` is a live local.
    check(i64::from(unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit)
    }))?;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is a live local.
    check(i64::from(unsafe {
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit)
    }))
    .map(drop)
}

/// Has this process killed when the thread that started it ends.
pub fn die_with_parent() -> io::Result<()> {
    // SAFETY: the option takes a signal number.
    check(i64::from(unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL)
    }))
    .map(drop)
}

/// A child of `command` is killed when the thread that starts it ends, so that nothing outlives a
/// test, even one that is killed.
pub fn bind_to_parent(command: &mut std::process::Command) {
    // SAFETY: the closure makes one system call and touches nothing.
    unsafe { std::os::unix::process::CommandExt::pre_exec(command, die_with_parent) };
}
