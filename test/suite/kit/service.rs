//! A running steve.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use steve::ioctl::{self, Setting};
use steve::report::{self, Holder, Snapshot};

use super::client::Client;
use super::run::signal_of;
use super::scratch::{self, Dir};
use super::transport::Transport;
use super::{sys, wait};

/// The longest that a test may keep a service: one that hangs would keep its clients, and with them
/// the test, in the kernel for ever.
const LIFE: Duration = Duration::from_secs(600);

/// A steve that serves; ended when dropped, and its output shown where the test failed.
pub struct Service {
    child: Child,
    pid: i32,
    path: PathBuf,
    command: String,
    stdout: Output,
    stderr: Output,
    over: Arc<AtomicBool>,
    _dir: Dir,
}

/// What a stream has said so far.
#[derive(Clone, Default)]
struct Output {
    text: Arc<Mutex<String>>,
    deaf: Arc<AtomicBool>,
}

/// Where a service is, and the options that say so.
type Place = (PathBuf, [String; 2]);

impl Service {
    /// Starts one with `jobs` tokens, and waits until it serves.
    #[track_caller]
    pub fn with_jobs(jobs: u32) -> Service {
        Service::start(&["-j", &jobs.to_string()])
    }

    /// Starts one with `options`, and waits until it serves.
    #[track_caller]
    pub fn start(options: &[&str]) -> Service {
        Service::start_in(&[], options)
    }

    /// Starts one at `place`: the name of a device or the path of a file.
    #[track_caller]
    pub fn start_at(options: &[&str], place: &str) -> Service {
        let dir = Dir::new();
        let (path, option) = match Transport::current() {
            Transport::Cuse => (Path::new("/dev").join(place), "--dev-name"),
            Transport::Fuse => (place.into(), "--mount"),
        };
        Service::launch(&[], options, (path, [option.into(), place.into()]), dir)
    }

    /// Starts one through `wrapper`, a command that runs its arguments as its only child, or
    /// becomes them.
    #[track_caller]
    pub fn start_in(wrapper: &[&str], options: &[&str]) -> Service {
        let dir = Dir::new();
        let place = place(&dir);
        Service::launch(wrapper, options, place, dir)
    }

    #[track_caller]
    fn launch(wrapper: &[&str], options: &[&str], (path, place): Place, dir: Dir) -> Service {
        let mut words: Vec<&str> = wrapper.to_vec();
        words.push(env!("CARGO_BIN_EXE_steve"));
        words.extend(options);
        words.extend(place.iter().map(String::as_str));
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        sys::bind_to_parent(&mut command);
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {words:?}: {e}"));
        let stdout = Output::collect(child.stdout.take().expect("piped"));
        let stderr = Output::collect(child.stderr.take().expect("piped"));
        let mut service = Service {
            pid: child.id() as i32,
            child,
            path,
            command: words.join(" "),
            stdout,
            stderr,
            over: Arc::default(),
            _dir: dir,
        };
        let hello = format!("running on {} ", service.path.display());
        wait::until("steve says that it runs", || {
            let ended = service.child.try_wait().expect("it is ours");
            assert!(ended.is_none(), "it ended instead");
            service.stdout().contains(&hello)
        });
        if wait::name(service.pid) != "steve" {
            service.pid = wait::only_child(service.pid);
        }
        service.bound_life();
        service
    }

    /// Listens no longer to what it says: its pipes fill up.
    pub fn stop_listening(&self) {
        for output in [&self.stdout, &self.stderr] {
            output.deaf.store(true, Ordering::Relaxed);
        }
    }

    fn bound_life(&self) {
        let (pid, over, command) = (self.pid, self.over.clone(), self.command.clone());
        std::thread::spawn(move || {
            std::thread::park_timeout(LIFE);
            if !over.load(Ordering::Relaxed) {
                eprintln!("killed after {LIFE:?}: {command}");
                let _ = sys::tgkill(pid, pid, libc::SIGKILL);
            }
        });
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// All it has said on stdout.
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// All it has said on stderr.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// The pool now, as its control protocol tells.
    #[track_caller]
    pub fn snapshot(&self) -> Snapshot {
        let device = self.open();
        let mut bytes = Vec::new();
        sys::ioctl(device.as_fd(), ioctl::SNAPSHOT_TAKE, &mut [0; 8]).expect("a snapshot");
        loop {
            let mut piece = [0; ioctl::PIECE];
            let size =
                sys::ioctl(device.as_fd(), ioctl::SNAPSHOT_NEXT, &mut piece).expect("a piece");
            match piece.get(..size as usize) {
                Some([]) | None => break,
                Some(piece) => bytes.extend(piece),
            }
        }
        Snapshot::decode(&bytes).expect("a snapshot in the right form")
    }

    /// The device, for control only.
    #[track_caller]
    pub fn open(&self) -> File {
        File::options()
            .read(true)
            .write(true)
            .open(&self.path)
            .expect("steve serves")
    }

    /// Changes a setting.
    pub fn set(&self, setting: Setting, value: i64) -> std::io::Result<()> {
        sys::ioctl(
            self.open().as_fd(),
            setting.setter(),
            &mut value.to_ne_bytes(),
        )
        .map(drop)
    }

    /// A setting's value.
    #[track_caller]
    pub fn get(&self, setting: Setting) -> i64 {
        let mut value = [0; 8];
        sys::ioctl(self.open().as_fd(), setting.getter(), &mut value).expect("a getter");
        i64::from_ne_bytes(value)
    }

    /// Tokens that could be taken now.
    #[track_caller]
    pub fn free(&self) -> u16 {
        self.snapshot().available
    }

    /// Tokens that the client holds.
    #[track_caller]
    pub fn held_by(&self, client: &Client) -> usize {
        held(&self.snapshot(), client.pid())
    }

    /// Waits until so many tokens are free.
    #[track_caller]
    pub fn until_free(&self, tokens: u16) {
        let mut seen = Snapshot::default();
        let free = wait::comes(|| {
            seen = self.snapshot();
            seen.available == tokens && seen.in_use == 0
        });
        assert!(free, "not {tokens} tokens free:\n{}", report::text(&seen));
    }

    /// Waits until so many clients wait.
    #[track_caller]
    pub fn until_waiting(&self, clients: usize) {
        wait::until("so many clients wait", || {
            self.snapshot().waiting().count() == clients
        });
    }

    /// Requests that the kernel has not had an answer to.
    pub fn unanswered(&self) -> u64 {
        let read = |path: PathBuf| std::fs::read_to_string(path).ok()?.trim().parse().ok();
        let file = match Transport::current() {
            Transport::Cuse => {
                let name = self.path.file_name().expect("a device has a name");
                Path::new("/sys/class/cuse").join(name).join("waiting")
            }
            Transport::Fuse => {
                let device = rustix::fs::stat(&self.path).expect("steve serves").st_dev;
                let minor = rustix::fs::minor(device).to_string();
                Path::new("/sys/fs/fuse/connections")
                    .join(minor)
                    .join("waiting")
            }
        };
        if !file.exists() {
            mount_fusectl();
        }
        read(file.clone()).unwrap_or_else(|| panic!("cannot read {}", file.display()))
    }

    /// Sends the service a signal.
    pub fn signal(&self, signal: i32) {
        sys::tgkill(self.pid, self.pid, signal).expect("steve lives");
    }

    /// Waits until the service has ended.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        wait::until("steve ends", || {
            status = self.child.try_wait().expect("it is ours");
            status.is_some()
        });
        status.expect("just seen")
    }

    /// Asks the service to end, and waits until it has.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(libc::SIGTERM);
        self.wait()
    }
}

/// Mounts the file system that tells of FUSE connections, which few machines have in its place.
fn mount_fusectl() {
    let place = "/sys/fs/fuse/connections";
    let flags = rustix::mount::MountFlags::empty();
    rustix::mount::mount("fusectl", place, "fusectl", flags, None::<&std::ffi::CStr>)
        .expect("we are root");
}

/// Tokens that a snapshot accounts to `pid`.
pub fn held(snapshot: &Snapshot, pid: i32) -> usize {
    let holder = Holder::Process(pid as u32);
    let client = snapshot
        .clients
        .iter()
        .find(|client| client.holder == holder);
    client.map_or(0, |client| client.tokens.len())
}

/// Where a service is to serve, and the options that say so.
pub fn place(dir: &Dir) -> Place {
    match Transport::current() {
        Transport::Cuse => {
            let name = scratch::unique("steve-test");
            (Path::new("/dev").join(&name), ["--dev-name".into(), name])
        }
        Transport::Fuse => {
            let path = dir.path().join("jobserver");
            let text = path.display().to_string();
            (path, ["--mount".into(), text])
        }
    }
}

impl Output {
    fn collect(mut stream: impl Read + Send + 'static) -> Output {
        let output = Output::default();
        let sink = output.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..count]);
                sink.text.lock().unwrap().push_str(&text);
                while sink.deaf.load(Ordering::Relaxed) {
                    std::thread::park();
                }
            }
        });
        output
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let status = match self.child.try_wait() {
            Ok(Some(status)) => signal_of(status),
            _ => "still running".into(),
        };
        let _ = sys::tgkill(self.pid, self.pid, libc::SIGKILL);
        let _ = self.child.kill();
        let _ = self.child.wait();
        if Transport::current() == Transport::Fuse {
            let _ = rustix::mount::unmount(&self.path, rustix::mount::UnmountFlags::DETACH);
        }
        if std::thread::panicking() {
            eprintln!(
                "{}\n  {status}\n{}{}",
                self.command,
                self.stdout(),
                self.stderr()
            );
        }
    }
}
