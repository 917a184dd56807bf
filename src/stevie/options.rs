//! The command line of the client.

mod table;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use super::setting;
use crate::cli::{self, Error, Parsed};
use crate::ioctl::{Register, Setting};

pub use table::PROGRAM;

/// What the command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What to ask of the service, in this order, before the command.
    pub actions: Vec<Action>,
    /// The device, where one was named.
    pub device: Option<PathBuf>,
    /// How the command reaches the pool.
    pub auth: Option<Auth>,
    /// What is asked for the command's build.
    pub build: Register,
    /// Print what [`Action::Status`] prints as JSON.
    pub json: bool,
    /// Say what was chosen, and why.
    pub verbose: bool,
    /// The command and its arguments; may be empty where there are actions.
    pub command: Vec<OsString>,
}

/// One thing to ask of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Print how many tokens could be taken now.
    GetTokens,
    /// Print a setting.
    Get(Setting),
    /// Change a setting.
    Set(Setting, i64),
    /// Print who holds the pool and who waits.
    Status,
    /// Print the pool's figures for Prometheus.
    Metrics,
    /// Show the pool as it changes, with so much time between two looks.
    Watch(Duration),
    /// Take back what the process with this id holds.
    Reclaim(u32),
}

/// How a command reaches the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It opens the device by its path: `fifo:PATH`.
    Fifo,
    /// It inherits descriptors of the device: `R,W`.
    Fds,
    /// It opens a FIFO, to which this process brings tokens from the device.
    Bridge,
    /// As is known to suit the command, else [`Auth::Fifo`].
    Auto,
}

impl Auth {
    /// All ways.
    const ALL: [Auth; 4] = [Auth::Fifo, Auth::Fds, Auth::Bridge, Auth::Auto];

    /// The way's name, as `--auth` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Auth::Fifo => "fifo",
            Auth::Fds => "fds",
            Auth::Bridge => "bridge",
            Auth::Auto => "auto",
        }
    }
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Act on the options, then run the command.
    Act(Options),
    /// Print this text to stdout and end.
    Print(String),
    /// There is nothing to do: say how to use the program, and fail.
    Usage,
}

impl Options {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    ///
    /// The first bad one.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, Error> {
        let mut options = Options::default();
        match cli::parse(&PROGRAM, &mut options, args)? {
            Parsed::Text(text) => return Ok(Command::Print(text)),
            Parsed::Rest(rest) => options.command = rest,
        }
        options.take_period();
        if options.json && !options.actions.contains(&Action::Status) {
            options.actions.push(Action::Status);
        }
        if options.command.is_empty() {
            if options.build != Register::default() || options.auth.is_some() {
                return Err(Error::MissingCommand);
            }
            if options.actions.is_empty() {
                return Ok(Command::Usage);
            }
        }
        Ok(Command::Act(options))
    }

    /// Makes a number that follows `--watch` its value: who watches runs no command.
    fn take_period(&mut self) {
        if let [number] = &self.command[..]
            && let Some(Action::Watch(period)) = self.actions.last_mut()
            && let Some(seconds) = table::seconds(number)
        {
            *period = seconds;
            self.command.clear();
        }
    }

    fn get(&mut self, setting: Setting) {
        self.actions.push(Action::Get(setting));
    }

    fn set(&mut self, setting: Setting, value: &OsStr) -> Result<(), &'static str> {
        self.actions
            .push(Action::Set(setting, setting::parse(setting, value)?));
        Ok(())
    }
}
