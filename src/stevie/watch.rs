//! `--watch`: a live view of the pool.

mod bar;
mod table;
mod terminal;
mod view;

use std::io::{ErrorKind, Write, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::device::Device;
use super::error::Error;
use crate::report;
use terminal::{Event, Terminal};

/// Shows the pool every `period`, until the user has seen enough. Where stdout is no terminal, it
/// is the report that is printed each time.
pub(super) fn watch(path: &Path, period: Duration) -> Result<(), Error> {
    let device = Device::open_to_look(path)?;
    if !terminal::can_draw() {
        return print(&device, period);
    }
    let mut terminal = Terminal::enter().map_err(|e| Error::System("set up the terminal", e))?;
    draw(&device, period, &mut terminal)
}

fn draw(device: &Device<'_>, period: Duration, terminal: &mut Terminal) -> Result<(), Error> {
    let mut snapshot = device.snapshot()?;
    let mut due = Instant::now() + period;
    loop {
        let window = terminal.window();
        let picture = view::render(&snapshot, window);
        terminal.draw(&picture, window).map_err(Error::Output)?;
        match terminal.wait(due).map_err(|e| Error::System("wait", e))? {
            Event::Quit => return Ok(()),
            Event::Due => {
                snapshot = device.snapshot()?;
                due = Instant::now() + period;
            }
            Event::Redraw => {}
        }
    }
}

/// Prints the report every `period`, until nobody reads it any more.
fn print(device: &Device<'_>, period: Duration) -> Result<(), Error> {
    loop {
        let text = report::text(&device.snapshot()?);
        let mut stdout = stdout().lock();
        match stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
        {
            Ok(()) => std::thread::sleep(period),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => {
                return Err(Error::Output(
                    Errno::from_io_error(&error).unwrap_or(Errno::IO),
                ));
            }
        }
    }
}
