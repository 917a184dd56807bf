//! What /proc says of a process. All of it is for a first contact or a report, not for each request.

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, Result, read};
use std::fmt::Write;
use std::path::Path;

/// Most bytes of a command line in a report.
pub const COMMAND_LINE: usize = 120;

/// The process that a thread belongs to, from `Tgid:` in /proc/TID/status.
pub fn thread_group(tid: u32) -> Result<u32> {
    let mut buffer = [0; 512];
    let status = read_file(tid, "status", &mut buffer)?;
    field(status, "Tgid:").ok_or(Errno::SRCH)
}

/// The user that a process really is (its ruid), from `Uid:` in /proc/PID/status.
pub fn user(pid: u32) -> Result<u32> {
    let mut buffer = [0; 512];
    let status = read_file(pid, "status", &mut buffer)?;
    field(status, "Uid:").ok_or(Errno::SRCH)
}

/// The process that started this one, or took it over; 0 for the first of all.
pub fn parent(pid: u32) -> Result<u32> {
    let mut buffer = [0; 512];
    parent_in_stat(read_file(pid, "stat", &mut buffer)?).ok_or(Errno::SRCH)
}

/// The command line of a process, for people: words parted by blanks, what is no printable text shown as `?`,
/// cut where `buffer` ends. One that has none is shown by its name in brackets, one that is gone as nothing.
pub fn command_line(pid: u32, buffer: &mut [u8; COMMAND_LINE]) -> &str {
    let length = match read_file(pid, "cmdline", buffer) {
        Ok(words) => words
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| last + 1),
        Err(_) => 0,
    };
    let length = if length == 0 {
        bracketed_name(pid, buffer)
    } else {
        length
    };
    let text = buffer.get_mut(..length).unwrap_or_default();
    for byte in &mut *text {
        if *byte == 0 {
            *byte = b' ';
        }
    }
    printable(text)
}

/// Puts `[comm]` into the buffer and returns its length.
fn bracketed_name(pid: u32, buffer: &mut [u8; COMMAND_LINE]) -> usize {
    let mut name = [0; 64];
    let Ok(name) = read_file(pid, "comm", &mut name) else {
        return 0;
    };
    let name = name.strip_suffix(b"\n").unwrap_or(name);
    let shown = b"[".iter().chain(name).chain(b"]");
    buffer
        .iter_mut()
        .zip(shown)
        .map(|(to, from)| *to = *from)
        .count()
}

/// Replaces, in place, each byte that is not part of a printable character by `?`. A last character that is
/// cut goes.
fn printable(text: &mut [u8]) -> &str {
    let end = match core::str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => text.len(),
    };
    let text = text.get_mut(..end).unwrap_or_default();
    let mut at = 0;
    while let Some(rest @ [_, ..]) = text.get_mut(at..) {
        match first_character(rest).filter(|first| !first.is_control()) {
            Some(first) => at += first.len_utf8(),
            None => {
                rest[0] = b'?';
                at += 1;
            }
        }
    }
    core::str::from_utf8(text).unwrap_or_default()
}

/// The character that a text begins with, where that is whole and valid.
fn first_character(text: &[u8]) -> Option<char> {
    (1..=4).find_map(|size| core::str::from_utf8(text.get(..size)?).ok()?.chars().next())
}

/// The first number behind a label at the beginning of a line.
fn field(text: &[u8], label: &str) -> Option<u32> {
    let line = text
        .split(|&byte| byte == b'\n')
        .find_map(|line| line.strip_prefix(label.as_bytes()))?;
    number(line)
}

/// The fourth field of /proc/PID/stat. The second is the program's name, which may hold blanks and parentheses;
/// behind the last parenthesis of the line there are only numbers.
fn parent_in_stat(stat: &[u8]) -> Option<u32> {
    let name_end = stat.iter().rposition(|&byte| byte == b')')?;
    let mut fields = stat.get(name_end..)?.split(|&byte| byte == b' ').skip(2);
    number(fields.next()?)
}

/// The number that a text begins with, behind blanks.
fn number(text: &[u8]) -> Option<u32> {
    let text = text.trim_ascii_start();
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    core::str::from_utf8(text.get(..end)?).ok()?.parse().ok()
}

/// Reads the beginning of /proc/PID/NAME, as much as one `read(2)` puts into the buffer.
fn read_file<'b>(pid: u32, name: &str, buffer: &'b mut [u8]) -> Result<&'b [u8]> {
    let mut path = PathBuffer::default();
    let _ = write!(path, "/proc/{pid}/{name}");
    let file = open(path.path(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let size = read(&file, &mut *buffer)?;
    Ok(buffer.get(..size).unwrap_or_default())
}

/// A short path composed without allocation.
#[derive(Default)]
struct PathBuffer {
    bytes: [u8; 32],
    length: usize,
}

impl PathBuffer {
    fn path(&self) -> &Path {
        Path::new(core::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default())
    }
}

impl Write for PathBuffer {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes
            .get_mut(self.length..end)
            .ok_or(std::fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
#[path = "procfs_tests.rs"]
mod tests;
