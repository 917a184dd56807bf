//! Limits of the whole pool: what they stop, and what lifting them lets through.

use std::fs;
use std::process::{Child, Command};

use steve::ioctl::Setting;

use crate::kit::{Client, Service, sys, until};

tests![
    a_limit_below_the_load_leaves_min_jobs_until_it_is_lifted,
    a_floor_above_the_memory_leaves_min_jobs_until_it_is_lifted,
];

/// Something to do for a CPU; dropping it ends it.
struct Busy(Child);

impl Busy {
    fn new() -> Busy {
        let mut command = Command::new("sh");
        command.args(["-c", "while :; do :; done"]);
        sys::bind_to_parent(&mut command);
        Busy(command.spawn().expect("a shell"))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").expect("a load");
    let first = text.split(' ').next().expect("a number");
    first.parse().expect("a number")
}

fn a_limit_below_the_load_leaves_min_jobs_until_it_is_lifted() {
    let _busy = [Busy::new(), Busy::new(), Busy::new(), Busy::new()];
    // The kernel looks every five seconds.
    until("the load shows", || load() > 0.25);
    only_min_jobs(Setting::LoadAverage, 200_000);
}

fn a_floor_above_the_memory_leaves_min_jobs_until_it_is_lifted() {
    only_min_jobs(Setting::MinMemoryAvail, 1 << 30);
}

/// Checks that `limit`, at a value that says stop, stops a third job where two are always available.
#[track_caller]
fn only_min_jobs(limit: Setting, value: i64) {
    let service = Service::start(&["-j4", "-m2"]);
    service.set(limit, value).expect("the limit is taken");
    let (client, fd) = Client::of(&service);
    client.take(fd, 2);
    let read = client.block_in_read(fd);
    read.assert_blocked();
    assert_eq!(service.snapshot().stops.len(), 1);
    service.set(limit, 0).expect("the limit is lifted");
    read.wait().expect("a token");
}
