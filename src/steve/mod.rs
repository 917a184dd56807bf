//! The service.

mod ask;
mod callers;
mod control;
mod failure;
mod file;
mod log;
mod names;
pub mod options;
mod pool;
mod probe;
mod requests;
mod serve;
mod snapshot;
mod snapshots;
mod start;

use std::process::ExitCode;

use crate::cli;
use options::{Command, Options};

/// Runs steve with the arguments of this process.
pub fn main() -> ExitCode {
    match Options::parse(std::env::args_os().skip(1)) {
        Ok(Command::Serve(options)) => match start::start(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                cli::complain("steve", failure);
                ExitCode::FAILURE
            }
        },
        Ok(Command::Print(text)) => match cli::print(&text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            cli::complain("steve", error);
            ExitCode::from(2)
        }
    }
}
