//! To come.

pub mod options;

pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
