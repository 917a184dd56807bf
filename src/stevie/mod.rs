//! The client.

mod makeflags;
pub mod options;
mod setting;

pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
