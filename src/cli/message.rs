//! The two streams. A message is composed whole and written once.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use super::Program;

/// Writes `PROGRAM: TEXT` as a line to stderr. A failed write is ignored: there is nobody to tell.
pub fn complain(program: &str, text: impl Display) {
    let line = format!("{program}: {text}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Writes to stderr how the program is called, for those who called it with nothing to do.
pub fn usage<T>(program: &Program<T>) {
    let (name, synopsis) = (program.name, program.synopsis);
    let line = format!("usage: {name} {synopsis}\n{name} --help lists the options\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Writes `text` to stdout, at once.
///
/// # Errors
///
/// What the write failed with; but a reader that has gone (`| head`) wants no more, which is
/// success.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
