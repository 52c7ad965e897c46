//! Starts the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    archonctl::cli::main()
}
