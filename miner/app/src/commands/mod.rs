//! The subcommands, a file each.

mod bench;
mod completions;
mod kernels;
mod run;

use crate::cli::{Cli, Command};
use crate::error::MinerError;
use clap::Parser;
use std::io::{self, Write};

/// Reads the command line and does what it says. Wrong usage ends the program here, with code 2.
///
/// # Errors
/// Whatever the subcommand could not do.
pub fn execute() -> Result<(), MinerError> {
    match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Bench(args) => bench::bench(&args),
        Command::Kernels(args) => kernels::kernels(&args),
        Command::Completions(args) => completions::completions(&args),
    }
}

/// Writes a whole output. A reader that has gone away (`| head`) is no error.
fn print(text: &str) -> Result<(), MinerError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(MinerError::System { action: "write the output", reason: error.to_string() })
        }
        _ => Ok(()),
    }
}
