//! What only a device over /dev/cuse has: starts that the kernel fails without a word.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::process::Command;

use crate::kit::{Service, run, scratch, steve};

tests![
    the_node_is_a_character_device_and_steve_chooses_who_may_open_it,
    a_name_that_is_served_already_is_refused,
    a_name_that_another_driver_owns_is_refused,
    a_name_can_be_served_again_after_the_end,
    without_the_driver_it_says_how_to_get_it,
    without_a_node_it_says_how_to_get_it,
];

fn the_node_is_a_character_device_and_steve_chooses_who_may_open_it() {
    let service = Service::start(&["-j1", "--mode", "0640", "--group", "7"]);
    let node = std::fs::metadata(service.path()).unwrap();
    assert!(node.file_type().is_char_device());
    assert_eq!(node.permissions().mode() & 0o7777, 0o640);
    assert_eq!((node.uid(), node.gid()), (0, 7));
}

fn a_name_that_is_served_already_is_refused() {
    let service = Service::with_jobs(1);
    let name = service.path().file_name().unwrap().to_str().unwrap();
    steve(&["--dev-name", name])
        .exits_with(1)
        .prints("")
        .complains_in_lines(2)
        .complains(name);
    assert_eq!(service.free(), 1);
}

fn a_name_that_another_driver_owns_is_refused() {
    for name in ["null", "fuse"] {
        steve(&["--dev-name", name])
            .exits_with(1)
            .prints("")
            .complains_in_lines(2)
            .complains(name);
        assert!(std::path::Path::new("/dev").join(name).exists());
    }
}

fn a_name_can_be_served_again_after_the_end() {
    let name = scratch::unique("steve-again");
    for _ in 0..3 {
        let mut service = Service::start_at(&["-j1"], &name);
        service.stop();
    }
}

fn without_the_driver_it_says_how_to_get_it() {
    // A node whose driver is not there: no device has this number.
    let script = "mount -t tmpfs none /dev && mknod /dev/cuse c 10 254 && exec \"$0\" -j1";
    in_own_mounts(script)
        .complains("/dev/cuse")
        .complains("modprobe cuse");
}

fn without_a_node_it_says_how_to_get_it() {
    in_own_mounts("mount -t tmpfs none /dev && exec \"$0\" -j1")
        .complains("/dev/cuse")
        .complains("modprobe cuse");
}

fn in_own_mounts(script: &str) -> crate::kit::run::Outcome {
    let steve = env!("CARGO_BIN_EXE_steve");
    let outcome = run(Command::new("unshare").args(["--mount", "sh", "-c", script, steve]));
    outcome.exits_with(1).prints("").complains_in_lines(2);
    outcome
}
