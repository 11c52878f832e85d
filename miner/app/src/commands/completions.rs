//! `miner completions`.

use super::print;
use crate::cli::{Cli, CompletionsArgs};
use crate::error::MinerError;
use clap::CommandFactory;

pub(super) fn completions(args: &CompletionsArgs) -> Result<(), MinerError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "miner", &mut script);
    print(&String::from_utf8_lossy(&script))
}
