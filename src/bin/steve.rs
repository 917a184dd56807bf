//! The service.

fn main() -> std::process::ExitCode {
    steve::steve::main()
}
