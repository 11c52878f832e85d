//! The `testnet` program. Everything is in the library; here are only the exit codes.

use std::process::ExitCode;

use clap::Parser;
use tally_testnet::args::Args;
use tally_testnet::commands;

fn main() -> ExitCode {
    match commands::run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}
