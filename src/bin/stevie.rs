//! The client.

fn main() -> std::process::ExitCode {
    steve::stevie::main()
}
