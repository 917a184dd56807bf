//! `stevie --auth bridge COMMAND`: a FIFO in front of the device.

use std::fs::File;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use rustix::io::ioctl_fionread;

use crate::kit::run::stevie_command;
use crate::kit::scratch::Dir;
use crate::kit::{Client, Service, Shell, stevie, until, wait};

tests![
    the_fifo_is_private_and_gone_at_the_end,
    a_token_is_on_offer_and_no_more_than_one,
    a_token_that_is_taken_is_replaced,
    what_comes_back_goes_to_the_next_in_line,
    a_returned_token_comes_again_to_one_that_is_alone,
    a_byte_too_many_makes_no_token,
    a_command_ends_as_it_would_without_stevie,
    signals_reach_the_command,
    a_command_that_stops_is_seen_to_stop,
    a_killed_bridge_leaves_no_token_out_and_ends_its_command,
    a_killed_bridge_is_swept_up_after,
    a_command_outlives_the_service,
];

/// A bridge whose FIFO is in a directory of its own.
struct Bridge {
    shell: Shell,
    fifo: PathBuf,
    pipe: File,
    directory: Dir,
}

impl Bridge {
    #[track_caller]
    fn start(service: &Service) -> Bridge {
        Bridge::start_in(service, Dir::new())
    }

    #[track_caller]
    fn start_in(service: &Service, directory: Dir) -> Bridge {
        let mut command = stevie_command(service);
        command
            .env("XDG_RUNTIME_DIR", directory.path())
            .args(["--auth", "bridge"]);
        let mut shell = Shell::launch(&mut command);
        let flags = shell.run("echo \"$MAKEFLAGS\"");
        let fifo = flags.trim().strip_prefix("--jobserver-auth=fifo:").unwrap();
        let pipe = File::options().read(true).write(true).open(fifo).unwrap();
        Bridge {
            shell,
            fifo: fifo.into(),
            pipe,
            directory,
        }
    }

    /// Takes a byte from the FIFO, waiting for one.
    #[track_caller]
    fn take(&self) -> u8 {
        until("there is an offer", || self.lying() > 0);
        let mut byte = [0];
        assert_eq!(rustix::io::read(&self.pipe, &mut byte), Ok(1));
        byte[0]
    }

    /// Puts a byte in the FIFO.
    fn put(&self, byte: u8) {
        assert_eq!(rustix::io::write(&self.pipe, &[byte]), Ok(1));
    }

    /// How many bytes lie in the FIFO.
    fn lying(&self) -> u64 {
        ioctl_fionread(&self.pipe).unwrap()
    }

    /// Waits until `lying` bytes lie in the FIFO and `used` tokens are in use.
    #[track_caller]
    fn until(&self, service: &Service, lying: u64, used: u16) {
        until("the bridge has settled", || {
            self.lying() == lying && service.snapshot().in_use == used
        });
    }
}

fn entries(path: &Path) -> usize {
    std::fs::read_dir(path).unwrap().count()
}

fn the_fifo_is_private_and_gone_at_the_end() {
    let service = Service::with_jobs(2);
    let mut bridge = Bridge::start(&service);
    let about = std::fs::metadata(&bridge.fifo).unwrap();
    assert!(about.file_type().is_fifo() && about.mode() & 0o777 == 0o600);
    let about = std::fs::metadata(bridge.fifo.parent().unwrap()).unwrap();
    assert_eq!(about.mode() & 0o777, 0o700);
    bridge.shell.end();
    assert_eq!(entries(bridge.directory.path()), 0);
    service.until_free(2);
}

fn a_token_is_on_offer_and_no_more_than_one() {
    let service = Service::with_jobs(8);
    let bridge = Bridge::start(&service);
    bridge.until(&service, 1, 2);
    let tokens: Vec<u8> = (0..5).map(|_| bridge.take()).collect();
    bridge.until(&service, 1, 7);
    tokens.into_iter().for_each(|token| bridge.put(token));
    bridge.until(&service, 1, 2);
}

fn a_token_that_is_taken_is_replaced() {
    let service = Service::with_jobs(3);
    let bridge = Bridge::start(&service);
    let (first, second) = (bridge.take(), bridge.take());
    assert_ne!(first, second);
    bridge.until(&service, 0, 3);
}

fn what_comes_back_goes_to_the_next_in_line() {
    let service = Service::with_jobs(2);
    let bridge = Bridge::start(&service);
    let token = bridge.take();
    bridge.until(&service, 0, 2);
    let (client, fd) = Client::of(&service);
    let read = client.block_in_read(fd);
    bridge.put(token);
    read.wait().unwrap();
    assert_eq!(service.held_by(&client), 1);
    assert_eq!(bridge.lying(), 0);
}

fn a_returned_token_comes_again_to_one_that_is_alone() {
    let service = Service::with_jobs(2);
    let bridge = Bridge::start(&service);
    for _ in 0..100 {
        bridge.put(bridge.take());
    }
    bridge.until(&service, 1, 2);
}

fn a_byte_too_many_makes_no_token() {
    let service = Service::with_jobs(3);
    let bridge = Bridge::start(&service);
    for _ in 0..10 {
        bridge.put(b'+');
    }
    bridge.until(&service, 1, 1);
    assert_eq!(service.snapshot().available, 2);
}

fn a_command_ends_as_it_would_without_stevie() {
    let service = Service::with_jobs(2);
    for status in [0, 1, 2, 125, 255] {
        let script = format!("exit {status}");
        stevie(&service, &["--auth", "bridge", "sh", "-c", &script]).exits_with(status);
    }
    for signal in [1, 2, 9, 15] {
        let script = format!("kill -{signal} $$");
        stevie(&service, &["--auth", "bridge", "sh", "-c", &script]).exits_with(128 + signal);
    }
    service.until_free(2);
}

fn signals_reach_the_command() {
    let service = Service::with_jobs(2);
    for (signal, name) in [
        (libc::SIGTERM, "TERM"),
        (libc::SIGINT, "INT"),
        (libc::SIGHUP, "HUP"),
        (libc::SIGUSR1, "USR1"),
    ] {
        let mut bridge = Bridge::start(&service);
        bridge.shell.run(&format!("trap 'exit 42' {name}"));
        bridge.shell.begin("sleep 60 & wait");
        bridge.shell.signal(signal);
        assert_eq!(bridge.shell.end().code(), Some(42), "{name}");
    }
}

fn a_command_that_stops_is_seen_to_stop() {
    let service = Service::with_jobs(2);
    let mut bridge = Bridge::start(&service);
    bridge.shell.begin("kill -TSTP $$");
    until("stevie stops", || {
        wait::state(bridge.shell.pid()) == Some('T')
    });
    bridge.shell.signal(libc::SIGCONT);
    bridge.shell.finish();
    assert_eq!(bridge.shell.end().code(), Some(0));
}

fn a_killed_bridge_leaves_no_token_out_and_ends_its_command() {
    let service = Service::with_jobs(4);
    let mut bridge = Bridge::start(&service);
    let command: i32 = bridge.shell.run("echo $$").trim().parse().unwrap();
    bridge.take();
    bridge.take();
    bridge.shell.signal(libc::SIGKILL);
    assert_eq!(bridge.shell.end().signal(), Some(libc::SIGKILL));
    service.until_free(4);
    until("the command has ended", || {
        !matches!(wait::state(command), Some('R' | 'S' | 'D'))
    });
}

fn a_killed_bridge_is_swept_up_after() {
    let service = Service::with_jobs(4);
    let mut killed = Bridge::start(&service);
    killed.shell.signal(libc::SIGKILL);
    killed.shell.end();
    assert!(killed.fifo.exists());
    let mut next = Bridge::start_in(&service, killed.directory);
    assert!(!killed.fifo.exists());
    next.shell.end();
    assert_eq!(entries(next.directory.path()), 0);
}

fn a_command_outlives_the_service() {
    let mut service = Service::with_jobs(4);
    let mut bridge = Bridge::start(&service);
    bridge.take();
    bridge.until(&service, 1, 3);
    let token = bridge.take();
    service.stop();
    bridge.put(token);
    bridge.shell.run(":");
    assert_eq!(bridge.shell.end().code(), Some(0));
    assert_eq!(entries(bridge.directory.path()), 0);
}
