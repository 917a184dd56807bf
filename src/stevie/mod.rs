//! The client: looks at the pool, changes it, and runs commands in it.

mod bridge;
mod device;
mod document;
mod error;
mod fifo;
mod json;
mod makeflags;
mod metrics;
pub mod options;
mod patience;
mod pick;
mod run;
mod setting;
mod watch;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use rustix::io::Errno;

use crate::cli::{complain, print, usage};
use crate::ioctl::Register;
use crate::report;
use device::Device;
use error::Error;
use options::{Action, Auth, Command, Options, PROGRAM};

/// Runs the client, and becomes its command where there is one.
pub fn main() -> ExitCode {
    match Options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Act(options)) => act(options),
        Ok(Command::Print(text)) => status(show(&text)),
        Ok(Command::Usage) => {
            usage(&PROGRAM);
            ExitCode::from(2)
        }
        Err(error) => {
            complain(PROGRAM.name, error);
            ExitCode::from(2)
        }
    }
}

fn act(options: Options) -> ExitCode {
    let path = device::path(options.device);
    let mut actions = options.actions.into_iter();
    if let Err(error) = actions.try_for_each(|action| ask(&path, action, options.json)) {
        return status(Err(error));
    }
    if options.command.is_empty() {
        return ExitCode::SUCCESS;
    }
    let auth = match options.auth.unwrap_or(Auth::Auto) {
        Auth::Auto => pick(&path, &options.command, options.verbose),
        auth => auth,
    };
    match command(&path, auth, &options.build, &options.command) {
        Ok(status) => ExitCode::from(status),
        Err((error, status)) => {
            complain(PROGRAM.name, error);
            ExitCode::from(status)
        }
    }
}

/// Picks how the command reaches the pool, before there is a token that would lie idle meanwhile.
fn pick(path: &Path, command: &[OsString], verbose: bool) -> Auth {
    let Some(name) = command.first() else {
        return Auth::Fifo;
    };
    let pick::Pick { auth, reason } = pick::pick(name, path);
    if verbose {
        let way = auth.name();
        complain(PROGRAM.name, format_args!("--auth {way}, as {reason}"));
    }
    auth
}

/// Does one thing that an option asks for.
fn ask(path: &Path, action: Action, json: bool) -> Result<(), Error> {
    match action {
        Action::GetTokens => {
            let tokens = Device::open_to_look(path)?.tokens()?;
            show(&format!("{tokens}\n"))
        }
        Action::Get(setting) => {
            let value = Device::open_to_look(path)?.get(setting)?;
            show(&format!("{}\n", setting::show(setting, value)))
        }
        Action::Set(setting, value) => Device::open_to_work(path)?.set(setting, value),
        Action::Status => {
            let snapshot = Device::open_to_look(path)?.snapshot()?;
            match json {
                true => show(&format!("{}\n", document::document(&snapshot))),
                false => show(&report::text(&snapshot)),
            }
        }
        Action::Metrics => show(&metrics::metrics(&Device::open_to_look(path)?.snapshot()?)),
        Action::Watch(period) => watch::watch(path, period),
        Action::Reclaim(pid) => {
            let tokens = Device::open_to_work(path)?.reclaim(pid)?;
            show(&format!("{tokens}\n"))
        }
    }
}

/// Becomes the command, in a build of its own; or runs it, and returns the status to exit with.
///
/// The build is registered before the token is asked for, so that its limit and weight count for
/// that token already.
fn command(
    path: &Path,
    auth: Auth,
    build: &Register,
    command: &[OsString],
) -> Result<u8, run::Failure> {
    let begin = || {
        let device = Device::open_to_work(path)?;
        device.register(build)?;
        let token = patience::take(&device)?;
        Ok((device, token))
    };
    let (device, token) = begin().map_err(|error| (error, run::FAILED))?;
    match auth {
        Auth::Fifo | Auth::Auto => Err(run::by_path(&device, token, command)),
        Auth::Fds => Err(run::by_descriptors(&device, token, command)),
        Auth::Bridge => bridge::run(&device, token, command),
    }
}

/// Writes to stdout.
fn show(text: &str) -> Result<(), Error> {
    print(text).map_err(|error| Error::Output(Errno::from_io_error(&error).unwrap_or(Errno::IO)))
}

/// The exit status of what needs no command; an error is told.
fn status(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(PROGRAM.name, error);
            ExitCode::FAILURE
        }
    }
}
