//! One file a subcommand. Each gives a typed result; only [`Printed`] decides between text and JSON.

mod address;
mod balance;
mod broadcast;
mod coins;
mod completions;
mod create;
mod history;
mod restore;
mod send;
mod words;

use serde::Serialize;

use crate::args::{Arguments, Command};
use crate::context::Context;
use crate::error::WalletError;

/// A command's result, for people and for programs. The JSON is what it serializes to.
trait Report: Serialize {
    /// The text, without a line end.
    fn text(&self) -> String;
}

/// A result as it is printed.
#[derive(Debug)]
pub struct Printed(String);

impl Printed {
    fn new(report: &impl Report, json: bool) -> Printed {
        Printed(match json {
            true => serde_json::to_string(report).expect("every report has a form in JSON"),
            false => report.text(),
        })
    }

    /// The text to print, without a line end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Runs a command; `completions` is not here, since it needs no wallet.
///
/// # Errors
/// Everything that can go wrong.
pub fn run(arguments: Arguments) -> Result<Printed, WalletError> {
    let context = Context::resolve(arguments.global)?;
    let json = context.json;
    Ok(match arguments.command {
        Command::Create(options) => Printed::new(&create::run(&context, &options)?, json),
        Command::Restore(options) => Printed::new(&restore::run(&context, &options)?, json),
        Command::Address(options) => Printed::new(&address::run(&context, &options)?, json),
        Command::Balance => Printed::new(&balance::run(&context)?, json),
        Command::Send(options) => Printed::new(&send::run(&context, &options)?, json),
        Command::History => Printed::new(&history::run(&context)?, json),
        Command::Coins => Printed::new(&coins::run(&context)?, json),
        Command::Broadcast(options) => Printed::new(&broadcast::run(&context, &options)?, json),
        Command::Words(options) => Printed::new(&words::run(&context, &options)?, json),
        Command::Completions(options) => Printed(completions::script(options.shell)),
    })
}
