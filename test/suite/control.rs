//! The control protocol: getters, setters, and numbers that mean nothing.

use rustix::fs::OFlags;
use rustix::io::Errno;

use steve::ioctl::{GET_TOKENS, Setting};

use crate::kit::{Client, Service, stevie};

tests![
    an_unknown_ioctl_is_enotty,
    a_terminals_ioctl_is_enotty,
    every_setting_is_read_as_it_was_given,
    every_setting_can_be_changed,
    a_value_out_of_range_is_einval_and_changes_nothing,
    getting_needs_a_file_open_for_reading_and_setting_one_for_writing,
    more_jobs_serve_those_who_wait,
    fewer_jobs_take_nothing_away,
    a_higher_process_limit_serves_those_who_wait,
    tokens_are_counted_as_this_moment_has_them,
    stevie_prints_a_line_for_each_getter_in_order,
    stevie_acts_in_the_order_given,
    stevie_says_what_is_wrong_with_a_value,
    stevie_says_which_device_it_cannot_open,
];

/// An ioctl that reads 8 bytes, of a group that is not ours.
const STRANGE: u32 = 2 << 30 | 8 << 16 | 0x55 << 8 | 1;

fn an_unknown_ioctl_is_enotty() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    let unknown = [STRANGE, GET_TOKENS + 0x20, GET_TOKENS & !(3 << 30)];
    for cmd in unknown {
        assert_eq!(
            client.ioctl(fd, cmd, &[0; 8]),
            Err(Errno::NOTTY),
            "{cmd:#x}"
        );
    }
}

fn a_terminals_ioctl_is_enotty() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    assert_eq!(
        client.ioctl(fd, libc::TCGETS as u32, &[0; 64]),
        Err(Errno::NOTTY)
    );
}

fn every_setting_is_read_as_it_was_given() {
    let service = Service::start(&[
        "-j7",
        "-m2",
        "-p3",
        "-l",
        "4.5",
        "-r0.25",
        "-a1",
        "--job-memory=2",
    ]);
    let expected = [
        (Setting::Jobs, 7),
        (Setting::MinJobs, 2),
        (Setting::PerProcessLimit, 3),
        (Setting::LoadAverage, 4_500_000),
        (Setting::LoadRecheckTimeout, 250_000),
        (Setting::MinMemoryAvail, 1),
        (Setting::JobMemory, 2),
    ];
    for (setting, value) in expected {
        assert_eq!(service.get(setting), value, "{}", setting.name());
    }
    for setting in [
        Setting::MaxCpuPressure,
        Setting::MaxMemoryPressure,
        Setting::MaxIoPressure,
    ] {
        assert!(service.get(setting) < 0, "{}", setting.name());
    }
}

fn every_setting_can_be_changed() {
    let service = Service::with_jobs(4);
    let values = [
        (Setting::Jobs, 9),
        (Setting::MinJobs, 3),
        (Setting::PerProcessLimit, 5),
        (Setting::LoadAverage, 12_250_000),
        (Setting::LoadRecheckTimeout, 1_500_000),
        (Setting::MinMemoryAvail, 17),
        (Setting::JobMemory, 23),
    ];
    for (setting, value) in values {
        service.set(setting, value).unwrap();
        assert_eq!(service.get(setting), value, "{}", setting.name());
    }
    for none in [Setting::LoadAverage, Setting::MinMemoryAvail] {
        service.set(none, 0).unwrap();
        assert!(service.get(none) < 0, "{}", none.name());
    }
}

fn a_value_out_of_range_is_einval_and_changes_nothing() {
    let service = Service::with_jobs(4);
    let values = [
        (Setting::Jobs, 0),
        (Setting::Jobs, -1),
        (Setting::Jobs, 4097),
        (Setting::Jobs, i64::MAX),
        (Setting::MinJobs, -1),
        (Setting::MinJobs, 5),
        (Setting::PerProcessLimit, -1),
        (Setting::PerProcessLimit, 4097),
        (Setting::LoadRecheckTimeout, 0),
        (Setting::LoadRecheckTimeout, -1),
        (Setting::JobMemory, -1),
    ];
    for (setting, value) in values {
        let before = service.get(setting);
        let error = service.set(setting, value).expect_err(setting.name());
        assert_eq!(
            error.raw_os_error(),
            Some(libc::EINVAL),
            "{} {value}",
            setting.name()
        );
        assert_eq!(service.get(setting), before, "{} {value}", setting.name());
    }
}

fn getting_needs_a_file_open_for_reading_and_setting_one_for_writing() {
    let service = Service::with_jobs(4);
    let client = Client::start();
    let reader = client.open(service.path(), OFlags::RDONLY);
    let writer = client.open(service.path(), OFlags::WRONLY);
    let five = 5i64.to_ne_bytes();
    assert_eq!(
        client.ioctl(writer, Setting::Jobs.getter(), &[0; 8]),
        Err(Errno::BADF)
    );
    assert_eq!(
        client.ioctl(reader, Setting::Jobs.setter(), &five),
        Err(Errno::BADF)
    );
    assert_eq!(service.get(Setting::Jobs), 4);
    client
        .ioctl(reader, Setting::Jobs.getter(), &[0; 8])
        .unwrap();
    client.ioctl(writer, Setting::Jobs.setter(), &five).unwrap();
    assert_eq!(service.get(Setting::Jobs), 5);
}

fn more_jobs_serve_those_who_wait() {
    let service = Service::with_jobs(1);
    let (holder, held) = Client::of(&service);
    holder.take(held, 1);
    let (one, fd_one) = Client::of(&service);
    let (two, fd_two) = Client::of(&service);
    let reads = [one.block_in_read(fd_one), two.block_in_read(fd_two)];
    service.set(Setting::Jobs, 3).unwrap();
    for read in reads {
        read.wait().unwrap();
    }
}

fn fewer_jobs_take_nothing_away() {
    let service = Service::with_jobs(4);
    let (client, fd) = Client::of(&service);
    let tokens = client.take(fd, 4);
    service.set(Setting::Jobs, 2).unwrap();
    assert_eq!(service.held_by(&client), 4);
    let (waiter, fd_waiter) = Client::of(&service);
    let read = waiter.block_in_read(fd_waiter);
    client.write(fd, &tokens[..2]).unwrap();
    read.assert_blocked();
    client.write(fd, &tokens[2..3]).unwrap();
    read.wait().unwrap();
    assert_eq!(service.free(), 0);
}

fn a_higher_process_limit_serves_those_who_wait() {
    let service = Service::start(&["-j", "4", "-p", "1"]);
    let (client, fd) = Client::of(&service);
    client.take(fd, 1);
    let read = client.block_in_read(fd);
    service.set(Setting::PerProcessLimit, 2).unwrap();
    read.wait().unwrap();
}

fn tokens_are_counted_as_this_moment_has_them() {
    let service = Service::with_jobs(3);
    stevie(&service, &["-t"]).exits_with(0).prints("3\n");
    let (client, fd) = Client::of(&service);
    client.take(fd, 2);
    stevie(&service, &["--get-tokens"]).prints("1\n");
}

fn stevie_prints_a_line_for_each_getter_in_order() {
    let service = Service::start(&["-j6", "-l", "7.5"]);
    let getters = [
        "-t",
        "--get-jobs",
        "--get-min-jobs",
        "--get-per-process-limit",
        "--get-load-average",
        "--get-load-recheck-timeout",
        "--get-min-memory-avail",
    ];
    stevie(&service, &getters)
        .exits_with(0)
        .prints("6\n6\n1\n0\n7.5\n0.5\n-1\n");
}

fn stevie_acts_in_the_order_given() {
    let service = Service::with_jobs(4);
    stevie(&service, &["--get-jobs", "--set-jobs", "6", "--get-jobs"])
        .exits_with(0)
        .prints("4\n6\n");
    stevie(&service, &["--set-load-average=2.25", "--get-load-average"]).prints("2.25\n");
    stevie(&service, &["--set-load-average=-1", "--get-load-average"]).prints("-1\n");
}

fn stevie_says_what_is_wrong_with_a_value() {
    let service = Service::with_jobs(4);
    stevie(&service, &["--set-min-jobs", "5"])
        .exits_with(1)
        .complains_in_lines(1)
        .complains("stevie: ");
    stevie(&service, &["--set-jobs", "many"])
        .exits_with(2)
        .complains_in_lines(1)
        .complains("many");
    stevie(&service, &["--no-such-option"])
        .exits_with(2)
        .complains("--no-such-option");
    stevie(&service, &[])
        .exits_with(2)
        .prints("")
        .complains("usage");
    assert_eq!(service.get(Setting::Jobs), 4);
}

fn stevie_says_which_device_it_cannot_open() {
    let service = Service::with_jobs(1);
    stevie(&service, &["-D", "/dev/no-steve", "--get-jobs"])
        .exits_with(1)
        .complains("stevie: unable to open /dev/no-steve: No such file or directory\n");
}
