//! The program `wallet`: parses the command line, runs the command, prints its result or one line of error.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use tally_wallet::args::Arguments;
use tally_wallet::commands;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return wrong_usage(&error),
    };
    match commands::run(arguments) {
        Ok(printed) => print_result(printed.as_str()),
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(error.exit_code() as u8)
        }
    }
}

/// Prints a result. A reader that went away (`wallet history | head -1`) is no failure.
fn print_result(text: &str) -> ExitCode {
    match writeln!(io::stdout().lock(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot print the result: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Help goes out as it is; of a mistake only its first paragraph, as one line.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // That nobody reads the help is no failure.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(tally_wallet::error::ExitCode::Usage as u8)
        }
        _ => {
            let text = error.render().to_string();
            let paragraph: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
            eprintln!("{}", paragraph.join(" "));
            eprintln!("hint: `wallet --help` and `wallet COMMAND --help` show what is possible");
            ExitCode::from(tally_wallet::error::ExitCode::Usage as u8)
        }
    }
}
