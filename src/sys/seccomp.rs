//! The system calls that a running service needs, and no others.
//!
//! Whatever else is asked for fails with EPERM and the service goes on: a call that some C library makes and nobody
//! thought of must not end it. What the table lacks on purpose: exec, new processes and threads, sockets, files
//! that are created or opened for writing alone, signals other than 0, memory that can be executed.

#![allow(unsafe_code)]

use super::errno::last;
use super::identity::PIDFD_GET_INFO;
use core::mem::offset_of;
use libc::{c_long, seccomp_data, sock_filter, sock_fprog};
use rustix::io::{Errno, Result};

/// What the argument of a call has to be.
#[derive(Clone, Copy, Debug)]
enum When {
    /// Anything.
    Always,
    /// Argument number so-and-so has this value.
    Is(usize, u32),
    /// Argument number so-and-so has none of these bits.
    Lacks(usize, u32),
}

use When::{Always, Is, Lacks};

/// `open(2)` flags that could change a file. O_RDWR is not among them: pressure triggers need it.
const CHANGING: u32 = (libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND) as u32
    | (libc::O_TMPFILE & !libc::O_DIRECTORY) as u32;

const EXECUTABLE: u32 = libc::PROT_EXEC as u32;

/// The calls that every architecture has; those of each request first.
const CALLS: &[(c_long, When)] = &[
    (libc::SYS_epoll_pwait, Always),
    (libc::SYS_read, Always),
    (libc::SYS_writev, Always),
    (libc::SYS_tgkill, Is(2, 0)),
    (libc::SYS_clock_gettime, Always),
    // A first contact, an exit, a reading, a report.
    (libc::SYS_ppoll, Always),
    (libc::SYS_write, Always),
    (libc::SYS_openat, Lacks(2, CHANGING)),
    (libc::SYS_close, Always),
    (libc::SYS_pread64, Always),
    (libc::SYS_pidfd_open, Always),
    (libc::SYS_ioctl, Is(1, PIDFD_GET_INFO)),
    (libc::SYS_epoll_ctl, Always),
    (libc::SYS_getsid, Always),
    // The library's descriptors check themselves in debug builds.
    (libc::SYS_fcntl, Always),
    // Memory, and locks within the process.
    (libc::SYS_brk, Always),
    (libc::SYS_munmap, Always),
    (libc::SYS_mremap, Always),
    (libc::SYS_madvise, Always),
    (libc::SYS_mprotect, Lacks(2, EXECUTABLE)),
    (libc::SYS_futex, Always),
    (libc::SYS_getrandom, Always),
    // Signals that stop and go on, the keeper's end, and our own.
    (libc::SYS_restart_syscall, Always),
    (libc::SYS_rt_sigreturn, Always),
    (libc::SYS_rt_sigprocmask, Always),
    (libc::SYS_rt_sigaction, Always),
    (libc::SYS_sigaltstack, Always),
    (libc::SYS_wait4, Always),
    (libc::SYS_waitid, Always),
    (libc::SYS_getpid, Always),
    (libc::SYS_gettid, Always),
    (libc::SYS_exit, Always),
    (libc::SYS_exit_group, Always),
];

/// What the older architectures have besides; the C library or rustix prefers some of it.
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "x86",
    target_arch = "arm",
    target_arch = "powerpc64",
    target_arch = "s390x"
))]
const OLD_CALLS: &[(c_long, When)] = &[
    (libc::SYS_poll, Always),
    (libc::SYS_epoll_wait, Always),
    (libc::SYS_open, Lacks(1, CHANGING)),
];
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "x86",
    target_arch = "arm",
    target_arch = "powerpc64",
    target_arch = "s390x"
)))]
const OLD_CALLS: &[(c_long, When)] = &[];

/// What has another name where a word has 32 bits.
const WORD_CALLS: &[(c_long, When)] = &[
    #[cfg(target_pointer_width = "64")]
    (libc::SYS_mmap, Lacks(2, EXECUTABLE)),
    #[cfg(target_pointer_width = "32")]
    (libc::SYS_mmap2, Lacks(2, EXECUTABLE)),
    #[cfg(target_pointer_width = "32")]
    (libc::SYS_fcntl64, Always),
    #[cfg(target_pointer_width = "32")]
    (libc::SYS_clock_gettime64, Always),
    #[cfg(target_pointer_width = "32")]
    (libc::SYS_ppoll_time64, Always),
    #[cfg(target_pointer_width = "32")]
    (libc::SYS_futex_time64, Always),
];

/// The `AUDIT_ARCH_` number of `linux/audit.h` that goes with these call numbers; `None` where none is known here.
const ARCHITECTURE: Option<u32> = if cfg!(all(target_arch = "x86_64", target_pointer_width = "64"))
{
    Some(0xC000_003E)
} else if cfg!(all(target_arch = "aarch64", target_endian = "little")) {
    Some(0xC000_00B7)
} else if cfg!(target_arch = "riscv64") {
    Some(0xC000_00F3)
} else if cfg!(all(target_arch = "powerpc64", target_endian = "little")) {
    Some(0xC000_0015)
} else if cfg!(target_arch = "s390x") {
    Some(0x8000_0016)
} else if cfg!(target_arch = "loongarch64") {
    Some(0xC000_0102)
} else if cfg!(target_arch = "x86") {
    Some(0x4000_0003)
} else if cfg!(all(target_arch = "arm", target_endian = "little")) {
    Some(0x4000_0028)
} else {
    None
};

/// Confines the calling thread and those it would start; for good. Returns false where the kernel has no seccomp filters, or
/// this architecture is not known here.
///
/// # Errors
/// ACCESS without no_new_privs, which has to come first.
pub fn confine() -> Result<bool> {
    let Some(architecture) = ARCHITECTURE else {
        return Ok(false);
    };
    let mut program = program(architecture);
    let program = sock_fprog {
        len: program.len() as _,
        filter: program.as_mut_ptr(),
    };
    // The kernel would otherwise slow the whole process down by the measures that are for programs which run the code of
    // strangers; the flag is of Linux 4.17.
    match install(libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) {
        Err(Errno::INVAL) => match install(0, &program) {
            Err(Errno::INVAL) => Ok(false),
            installed => installed.map(|()| true),
        },
        Err(Errno::NOSYS) => Ok(false),
        installed => installed.map(|()| true),
    }
}

fn install(flags: libc::c_ulong, program: &sock_fprog) -> Result<()> {
    // SAFETY: the struct's length and pointer are those of a live vector of instructions, which the kernel copies.
    let done = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const *program,
        )
    };
    if done == 0 { Ok(()) } else { Err(last()) }
}

/// The filter: the architecture, each call in turn, EPERM for the rest.
fn program(architecture: u32) -> Vec<sock_filter> {
    let mut program = vec![
        load(offset_of!(seccomp_data, arch)),
        jump(libc::BPF_JEQ, architecture, 1, 0),
        give(libc::SECCOMP_RET_KILL_PROCESS),
        load(offset_of!(seccomp_data, nr)),
    ];
    for &(call, when) in CALLS.iter().chain(WORD_CALLS).chain(OLD_CALLS) {
        let call = u32::try_from(call).unwrap_or(u32::MAX);
        match when {
            Always => program.extend([jump(libc::BPF_JEQ, call, 0, 1), ALLOW]),
            Is(index, value) => {
                program.extend([jump(libc::BPF_JEQ, call, 0, 4), load(argument(index))]);
                program.extend([jump(libc::BPF_JEQ, value, 0, 1), ALLOW, REFUSE]);
            }
            Lacks(index, bits) => {
                program.extend([jump(libc::BPF_JEQ, call, 0, 4), load(argument(index))]);
                program.extend([jump(libc::BPF_JSET, bits, 1, 0), ALLOW, REFUSE]);
            }
        }
    }
    program.push(REFUSE);
    program
}

const ALLOW: sock_filter = give(libc::SECCOMP_RET_ALLOW);
const REFUSE: sock_filter = give(libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);

/// Loads the word at this offset of `seccomp_data`.
const fn load(offset: usize) -> sock_filter {
    instruction(
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        offset as u32,
        0,
        0,
    )
}

/// Skips `hit` instructions where the word compares so with `value`, else `miss`.
const fn jump(comparison: u32, value: u32, hit: u8, miss: u8) -> sock_filter {
    instruction(libc::BPF_JMP | comparison | libc::BPF_K, value, hit, miss)
}

/// Ends with this verdict.
const fn give(verdict: u32) -> sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, verdict, 0, 0)
}

const fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    }
}

/// Where the low half of an argument is. The arguments looked at are ints: the high half means nothing.
const fn argument(index: usize) -> usize {
    let low_half = if cfg!(target_endian = "big") {
        size_of::<u32>()
    } else {
        0
    };
    offset_of!(seccomp_data, args) + index * size_of::<u64>() + low_half
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::events::{Batch, Events};
    use crate::sys::identity::{resolve, same_thread};
    use crate::sys::pressure::Resource;
    use crate::sys::procfs;
    use crate::sys::readings::Readings;
    use crate::sys::scratch::alone;
    use rustix::fs::{Mode, OFlags, open};
    use rustix::process::{Pid, Signal, getpid, kill_process};
    use std::net::UdpSocket;
    use std::process::{Command, id};
    use std::thread;

    #[test]
    fn a_confined_process_can_do_its_work_and_nothing_else() {
        alone(|| {
            rustix::thread::set_no_new_privs(true).unwrap();
            let events = Events::new().unwrap();
            if !confine().unwrap() {
                return;
            }
            let process = resolve(id()).unwrap();
            events.watch_process(&process.pidfd, process.pid).unwrap();
            events.wait(&mut Batch::default(), Some(0)).unwrap();
            assert!(same_thread(id(), id()));
            assert_eq!(procfs::thread_group(id()), Ok(id()));
            assert_ne!(procfs::command_line(id(), &mut [0; 120]), "");
            assert!(Readings::open().load().is_ok());
            let _ = Readings::open().pressure(Resource::Cpu);
            let many: Vec<u8> = vec![1; 100 << 20];
            assert_eq!(many.last(), Some(&1));

            let flags = OFlags::WRONLY | OFlags::CREATE;
            assert_eq!(
                open("/dev/null", flags, Mode::empty()).unwrap_err(),
                Errno::PERM
            );
            assert_eq!(
                open("/dev/null", OFlags::APPEND, Mode::empty()).unwrap_err(),
                Errno::PERM
            );
            let refused =
                |error: std::io::Error| assert_eq!(error.raw_os_error(), Some(libc::EPERM));
            refused(Command::new("true").status().unwrap_err());
            refused(UdpSocket::bind("127.0.0.1:0").unwrap_err());
            refused(thread::Builder::new().spawn(|| ()).unwrap_err());
            refused(std::fs::remove_file("/none").unwrap_err());
            assert_eq!(kill_process(getpid(), Signal::CONT), Err(Errno::PERM));
            assert_eq!(kill_process(Pid::INIT, Signal::CONT), Err(Errno::PERM));
        });
    }

    #[test]
    fn without_no_new_privs_there_is_no_filter_for_an_ordinary_user() {
        if !rustix::process::geteuid().is_root() && rustix::thread::no_new_privs() == Ok(false) {
            alone(|| assert_eq!(confine(), Err(Errno::ACCESS)));
        }
    }
}
