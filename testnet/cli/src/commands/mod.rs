//! A file for each subcommand.

use std::io::{self, Write};

use clap::CommandFactory;
use serde::Serialize;

use crate::args::{Args, Command};
use crate::error::Error;

mod down;
mod lab;
mod restart;
mod status;
mod up;

/// Does what the command line asks for.
///
/// # Errors
/// What went wrong, with its exit code.
pub fn run(args: Args) -> Result<(), Error> {
    match args.command {
        Command::Up(args) => up::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Down(args) => down::run(&args),
        Command::Restart(args) => restart::run(&args),
        Command::Lab(args) => lab::run(&args),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "testnet", &mut text);
            written(io::stdout().write_all(&text))
        }
    }
}

/// One line of JSON on standard output.
fn print_json(value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(value)
        .map_err(|error| Error::System { what: "to write JSON", reason: error.to_string() })?;
    print_line(&text)
}

/// One line on standard output.
fn print_line(line: &str) -> Result<(), Error> {
    written(writeln!(io::stdout(), "{line}"))
}

/// Whoever reads our output may have gone: no reason to panic.
fn written(result: io::Result<()>) -> Result<(), Error> {
    result.map_err(Error::file("write to", "standard output"))
}
