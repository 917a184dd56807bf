//! What /proc says, checked on ourselves and on children.

use super::{
    COMMAND_LINE, command_line, field, parent, parent_in_stat, printable, thread_group, user,
};
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, parent_id};
use std::process::{Child, Command, Stdio, id};

/// A `cat` under another name that waits for its input to end. Its first byte has come back, so that it surely
/// runs: a process in the middle of `exec` has no command line.
fn cat(name: &str) -> Child {
    let mut command = Command::new("cat");
    command
        .arg0(name)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    child
}

#[test]
fn we_are_what_proc_says_we_are() {
    assert_eq!(thread_group(id()), Ok(id()));
    assert_eq!(parent(id()), Ok(parent_id()));
    assert_eq!(user(id()), Ok(rustix::process::getuid().as_raw()));
}

#[test]
fn a_process_that_is_not_there_is_an_error_and_has_no_command_line() {
    assert!(parent(u32::MAX).is_err());
    assert_eq!(command_line(u32::MAX, &mut [0; COMMAND_LINE]), "");
}

#[test]
fn the_parent_is_found_behind_any_name() {
    assert_eq!(parent_in_stat(b"12 (make) S 34 12 12 0"), Some(34));
    assert_eq!(parent_in_stat(b"12 (a) R 9 (b c) S 34 12 12 0"), Some(34));
    assert_eq!(parent_in_stat(b"12 ()) ()) S 0 12"), Some(0));
    assert_eq!(parent_in_stat(b"12 (make) S"), None);
    assert_eq!(parent_in_stat(b""), None);
}

#[test]
fn a_label_counts_at_the_beginning_of_a_line_only() {
    let status = b"Name:\tTgid: 7\nUmask:\t0022\nTgid:\t12\nUid:\t5\t6\t7\t8\n";
    assert_eq!(field(status, "Tgid:"), Some(12));
    assert_eq!(field(status, "Uid:"), Some(5));
    assert_eq!(field(status, "Gid:"), None);
}

#[test]
fn a_command_line_is_shown_in_words() {
    let mut child = cat("steve unit\ttest \u{e9}");
    let shown = command_line(child.id(), &mut [0; COMMAND_LINE]).to_owned();
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_eq!(shown, "steve unit?test \u{e9} -");
}

#[test]
fn a_long_command_line_is_cut_at_a_character() {
    let name = format!("a{}", "\u{e9}".repeat(100));
    let mut child = cat(&name);
    let shown = command_line(child.id(), &mut [0; COMMAND_LINE]).to_owned();
    drop(child.stdin.take());
    child.wait().unwrap();
    assert_eq!(shown, format!("a{}", "\u{e9}".repeat(59)));
}

#[test]
fn a_process_without_a_command_line_is_shown_by_its_name() {
    let mut child = cat("cat");
    drop(child.stdin.take());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    // A zombie has lost its command line and kept its name.
    while command_line(child.id(), &mut [0; COMMAND_LINE]) != "[cat]" {
        assert!(std::time::Instant::now() < deadline);
        std::thread::yield_now();
    }
    child.wait().unwrap();
}

#[test]
fn what_is_no_printable_text_is_shown_as_question_marks() {
    let shown = |bytes: &[u8]| printable(&mut bytes.to_vec()).to_owned();
    assert_eq!(shown(b"a\x1b[31mb\x7f"), "a?[31mb?");
    assert_eq!(shown("a\u{85}\u{e9}".as_bytes()), "a??\u{e9}");
    assert_eq!(shown(b"\xff\xc3(\xf0\x9f."), "??(??.");
    assert_eq!(shown(b"a\xf0\x9f"), "a");
    assert_eq!(shown(b""), "");
}
