//! What only a file over /dev/fuse has: its making and its end, and the calls that files get.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use crate::kit::{Client, Service, run, scratch::AS_NOBODY, scratch::Dir, steve, until, wait};

tests![
    the_file_is_made_and_removed,
    a_file_that_was_there_stays,
    it_looks_like_a_regular_file_of_mode_0660,
    mode_and_owner_can_be_changed,
    a_shell_can_give_back_a_token_by_echo,
    df_ls_and_stat_work,
    a_cat_can_be_interrupted,
    a_stale_mount_is_replaced,
    a_path_that_is_served_already_is_refused,
    a_directory_is_refused,
    a_path_in_no_directory_is_refused,
    a_stop_with_open_files_unmounts,
    a_parked_read_holds_up_no_write_on_the_same_file,
    others_may_not_open_it_and_its_group_may,
    an_ordinary_user_serves_through_fusermount_or_is_told_why_not,
];

fn the_file_is_made_and_removed() {
    let mut service = Service::with_jobs(1);
    assert!(service.path().exists());
    service.stop();
    assert!(!service.path().exists());
}

fn a_file_that_was_there_stays() {
    let dir = Dir::new();
    let path = dir.path().join("jobs");
    fs::write(&path, "mine").unwrap();
    let mut service = Service::start_at(&["-j1"], path.to_str().unwrap());
    assert_ne!(fs::metadata(&path).unwrap().len(), 4);
    service.stop();
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

fn it_looks_like_a_regular_file_of_mode_0660() {
    let service = Service::start(&["-j1", "--group", "7"]);
    let file = fs::metadata(service.path()).unwrap();
    assert!(file.is_file());
    assert_eq!(file.permissions().mode() & 0o7777, 0o660);
    assert_eq!((file.uid(), file.gid()), (0, 7));
    let service = Service::start(&["-j1", "--mode", "0604"]);
    let file = fs::metadata(service.path()).unwrap();
    assert_eq!(file.permissions().mode() & 0o7777, 0o604);
}

fn mode_and_owner_can_be_changed() {
    let service = Service::with_jobs(1);
    fs::set_permissions(service.path(), fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::chown(service.path(), Some(5), Some(6)).unwrap();
    let file = fs::metadata(service.path()).unwrap();
    assert_eq!(file.permissions().mode() & 0o7777, 0o600);
    assert_eq!((file.uid(), file.gid()), (5, 6));
}

fn a_shell_can_give_back_a_token_by_echo() {
    let service = Service::with_jobs(1);
    let script = "exec 3<>\"$0\"; read -r -n1 token <&3; echo -n \"$token\" >\"$0\"; touch \"$0\"";
    run(Command::new("bash")
        .args(["-c", script])
        .arg(service.path()))
    .exits_with(0)
    .complains_in_lines(0);
    service.until_free(1);
}

fn df_ls_and_stat_work() {
    let service = Service::with_jobs(1);
    for command in [
        &["df"][..],
        &["ls", "-l"],
        &["stat"],
        &["stat", "-f"],
        &["test", "-w"],
    ] {
        let outcome = run(Command::new(command[0])
            .args(&command[1..])
            .arg(service.path()));
        outcome.exits_with(0).complains_in_lines(0);
    }
    assert_eq!(service.free(), 1);
}

fn a_cat_can_be_interrupted() {
    let service = Service::with_jobs(2);
    let mut cat = Command::new("cat")
        .arg(service.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let pid = cat.id() as i32;
    until("it has all tokens and wants more", || {
        service.free() == 0 && service.snapshot().waiting().count() == 1
    });
    assert!(wait::sleeps_in(pid, "fuse"));
    crate::kit::sys::tgkill(pid, pid, libc::SIGINT).unwrap();
    assert!(!cat.wait().unwrap().success());
    service.until_free(2);
}

fn a_stale_mount_is_replaced() {
    let dir = Dir::new();
    let path = dir.path().join("jobs");
    let service = Service::start_at(&["-j1"], path.to_str().unwrap());
    // The child that would unmount it is killed as well.
    let keeper = wait::only_child(service.pid());
    crate::kit::sys::tgkill(keeper, keeper, libc::SIGKILL).unwrap();
    service.signal(libc::SIGKILL);
    until("it is stale", || fs::metadata(&path).is_err());
    let successor = Service::start_at(&["-j3"], path.to_str().unwrap());
    assert_eq!(successor.free(), 3);
}

fn a_path_that_is_served_already_is_refused() {
    let service = Service::with_jobs(1);
    let path = service.path().to_str().unwrap();
    steve(&["--mount", path])
        .exits_with(1)
        .prints("")
        .complains_in_lines(2)
        .complains(path);
    assert_eq!(service.free(), 1);
}

fn a_directory_is_refused() {
    let dir = Dir::new();
    let path = dir.path().to_str().unwrap();
    steve(&["--mount", path])
        .exits_with(1)
        .prints("")
        .complains_in_lines(2)
        .complains(path);
}

fn a_path_in_no_directory_is_refused() {
    let dir = Dir::new();
    let path = dir.path().join("none/jobs");
    let path = path.to_str().unwrap();
    steve(&["--mount", path])
        .exits_with(1)
        .prints("")
        .complains_in_lines(2)
        .complains(path);
}

fn a_stop_with_open_files_unmounts() {
    let mut service = Service::with_jobs(1);
    let _open = service.open();
    let path = service.path().display().to_string();
    assert!(fs::read_to_string("/proc/mounts").unwrap().contains(&path));
    service.stop();
    assert!(!fs::read_to_string("/proc/mounts").unwrap().contains(&path));
}

fn a_parked_read_holds_up_no_write_on_the_same_file() {
    let service = Service::with_jobs(1);
    let (client, fd) = Client::of(&service);
    let (reader, writer) = (client.thread(), client.thread());
    let token = writer.take(fd, 1);
    let read = reader.block_in_read(fd);
    assert_eq!(writer.write(fd, &token), Ok(1));
    read.wait().unwrap();
}

fn others_may_not_open_it_and_its_group_may() {
    let service = Service::start(&["-j1", "--group", "7"]);
    // The way there is for everybody.
    fs::set_permissions(
        service.path().parent().unwrap(),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    for (group, allowed) in [("7", true), ("8", false)] {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid",
            "65534",
            "--regid",
            group,
            "--clear-groups",
            "sh",
            "-c",
            ": <>\"$0\"",
        ]);
        let outcome = run(command.arg(service.path()));
        assert_eq!(outcome.status.success(), allowed, "{outcome}");
    }
    let mut file = service.open();
    file.write_all(b"+").unwrap();
}

fn an_ordinary_user_serves_through_fusermount_or_is_told_why_not() {
    let dir = Dir::new();
    let script = r#"
        "$0" --mount "$2/jobs" -j2 >"$2/hello" & steve=$!
        until grep -q running "$2/hello"; do kill -0 "$steve" 2>/dev/null || exit 9; done
        "$1" -D "$2/jobs" "$1" -D "$2/jobs" -t
        kill -TERM "$steve" && wait "$steve"
    "#;
    let mut command = Command::new(AS_NOBODY[0]);
    command.args(&AS_NOBODY[1..]).args(["sh", "-c", script]);
    for program in [env!("CARGO_BIN_EXE_steve"), env!("CARGO_BIN_EXE_stevie")] {
        command.arg(dir.copy_of(program));
    }
    dir.give_to_nobody();
    let outcome = run(command.arg(dir.path()));
    let device = fs::metadata("/dev/fuse").unwrap();
    if device.permissions().mode() & 0o006 == 0o006 {
        outcome.exits_with(0).prints("1\n").complains_in_lines(0);
    } else {
        outcome.exits_with(9).complains_in_lines(1);
        outcome.complains("/dev/fuse: Permission denied");
    }
    assert!(!dir.path().join("jobs").exists());
}
