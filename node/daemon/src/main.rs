//! The binary: arguments in, one line and an exit code out.

use std::process::ExitCode;

use clap::Parser;
use tally_node::args::Cli;
use tally_node::commands;

fn main() -> ExitCode {
    match commands::execute(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.message);
            if let Some(hint) = error.hint {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(error.code)
        }
    }
}
