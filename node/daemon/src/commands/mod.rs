//! One file a subcommand.

pub mod check;
pub mod inspect;
pub mod maintenance;
pub mod reindex;
pub mod rpc;
pub mod run;

use std::io::Write;

use clap::CommandFactory;

use crate::args::{Cli, Command};
use crate::error::CommandError;

/// Does what the command line says.
///
/// # Errors
/// Why it could not be done, with the exit code.
pub fn execute(cli: Cli) -> Result<(), CommandError> {
    match cli.command {
        None => run::run(&cli.run),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Inspect(what)) => inspect::run(&what),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Reindex(args)) => reindex::run(&args),
        Some(Command::Rpc(args)) => rpc::run(&args),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "node", &mut script);
            print(&script)
        }
    }
}

/// Writes to standard output. A reader that has gone away (`| head`) is no failure.
pub(crate) fn print(bytes: &[u8]) -> Result<(), CommandError> {
    let mut output = std::io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CommandError::failure(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a value as indented JSON and a line's end.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), CommandError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(CommandError::failure)?;
    text.push(b'\n');
    print(&text)
}
