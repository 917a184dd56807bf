//! Real builds side by side: GNU make compiles zlib, cargo compiles crates.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::kit::run::stevie_command;
use crate::kit::{Service, scratch::Dir, sys, until};

tests![make_and_cargo_share_the_pool_and_one_that_is_killed_leaves_all_it_had];

/// Tokens, and so the most compilers at a time.
const JOBS: i64 = 4;

/// Seconds for a whole build.
const BUILD: u64 = 150;

/// What every compiler goes through: says when it starts and when it is about to end.
const WRAPPER: &str = r#"#!/bin/sh
echo "+ $BUILD" >>"$JOBS_LOG"
"$@"
status=$?
echo "- $BUILD" >>"$JOBS_LOG"
exit $status
"#;

const MAKEFILE: &str = "
names := $(notdir $(wildcard $(src)/*.c))
libz.a: $(names:%.c=%.o) ; @ar rc $@ $^
%.o: $(src)/%.c ; @$(CC) -DHAVE_UNISTD_H -O0 -c -o $@ $<
";

const MANIFEST: &str = r#"
[package]
name = "tree"
version = "0.0.0"
edition = "2021"
[workspace]
[lib]
path = "lib.rs"
[dependencies]
lexopt = "*"
fastrand = "*"
bitflags = "*"
strsim = "*"
utf8parse = "*"
"#;

fn make_and_cargo_share_the_pool_and_one_that_is_killed_leaves_all_it_had() {
    let service = Service::with_jobs(JOBS as u32);
    let yard = Yard::new();
    let mut cargo = yard.cargo(&service);
    let make = yard.make(&service, "killed");
    until("make is half-way", || yard.objects() >= 4);
    yard.kill(make, "killed");
    let mut make = yard.make(&service, "make");
    for (name, build) in [("make", &mut make), ("cargo", &mut cargo)] {
        let status = wait(build, name);
        let said = fs::read_to_string(yard.path(&format!("{name}.out"))).unwrap_or_default();
        assert!(status, "{name}:\n{said}");
    }
    assert!(yard.path("libz.a").exists());
    assert!(yard.path("target/debug/libtree.rlib").exists());
    service.until_free(JOBS as u16);
    until("all are forgotten", || {
        service.snapshot().clients.is_empty()
    });
    let peak = yard.peak();
    assert!(peak <= JOBS, "{peak} compilers at a time:\n{}", yard.log());
    assert!(peak > 1, "nothing was built in parallel:\n{}", yard.log());
}

/// Waits for a build's end; whether it went well.
fn wait(build: &mut Child, name: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(BUILD);
    loop {
        if let Some(status) = build.try_wait().expect("a child") {
            return status.success();
        }
        assert!(
            Instant::now() < deadline,
            "{name} is not done after {BUILD} s"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Where the builds are.
struct Yard(Dir);

impl Yard {
    fn new() -> Yard {
        let yard = Yard(Dir::new());
        let write = |name: &str, text: &str| fs::write(yard.path(name), text).expect("a new file");
        write("Makefile", MAKEFILE);
        write("Cargo.toml", MANIFEST);
        write("Cargo.lock", include_str!("../../Cargo.lock"));
        write("lib.rs", "");
        write("job", WRAPPER);
        fs::set_permissions(yard.path("job"), fs::Permissions::from_mode(0o755)).expect("ours");
        yard
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A command in the pool, in a process group of its own.
    fn begin(&self, service: &Service, name: &str, words: &[&str]) -> Child {
        let clients = clients();
        let path = std::env::var("PATH").unwrap_or_default();
        let output = File::create(self.path(&format!("{name}.out"))).expect("a new file");
        let mut command = stevie_command(service);
        command.args(words).current_dir(self.0.path());
        command.env("PATH", format!("{}:{path}", clients.join("bin").display()));
        command.env("BUILD", name).env("JOBS_LOG", self.path("log"));
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("open"))
            .stderr(output);
        sys::bind_to_parent(&mut command);
        command.process_group(0).spawn().expect("stevie is there")
    }

    fn make(&self, service: &Service, name: &str) -> Child {
        let sources = clients().join("trees/vendor/libz-sys/src/zlib");
        assert!(
            sources.join("zlib.h").exists(),
            "test/setup fetches {}",
            sources.display()
        );
        let cc = format!("CC={} cc", self.path("job").display());
        let src = format!("src={}", sources.display());
        self.begin(service, name, &["make", &cc, &src])
    }

    fn cargo(&self, service: &Service) -> Child {
        let wrapper = self.path("job");
        let wrapper = format!("build.rustc-wrapper=\"{}\"", wrapper.display());
        let target = self.path("target");
        let target = target.to_str().expect("a plain path");
        let words = [
            "cargo",
            "build",
            "--offline",
            "--target-dir",
            target,
            "--config",
            &wrapper,
        ];
        self.begin(service, "cargo", &words)
    }

    /// Object files that make has made.
    fn objects(&self) -> usize {
        let is_object = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|e| e == "o");
        fs::read_dir(self.0.path())
            .expect("ours")
            .flatten()
            .filter(is_object)
            .count()
    }

    /// Kills a build with all its processes: stopped before, so that they can be written off first.
    fn kill(&self, mut build: Child, name: &str) {
        let group = rustix::process::Pid::from_child(&build);
        let signal = |signal| rustix::process::kill_process_group(group, signal).expect("it runs");
        signal(rustix::process::Signal::STOP);
        let mut log = File::options()
            .append(true)
            .create(true)
            .open(self.path("log"))
            .expect("ours");
        log.write_all(format!("x {name}\n").as_bytes())
            .expect("ours");
        signal(rustix::process::Signal::KILL);
        build.wait().expect("a child");
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).expect("the wrapper wrote it")
    }

    /// The most compilers that ran at a time.
    fn peak(&self) -> i64 {
        let mut running = std::collections::HashMap::<&str, i64>::new();
        let log = self.log();
        let mut peak = 0;
        for line in log.lines() {
            let (sign, build) = line.split_once(' ').expect("a sign and a name");
            let count = running.entry(build).or_default();
            match sign {
                "+" => *count += 1,
                "-" => *count -= 1,
                _ => *count = 0,
            }
            peak = peak.max(running.values().sum());
        }
        peak
    }
}

/// What test/setup has got: beside the directory of our own programs.
fn clients() -> PathBuf {
    let programs = Path::new(env!("CARGO_BIN_EXE_steve"))
        .parent()
        .expect("a directory");
    programs.with_file_name("clients")
}
