//! `wallet completions`: completion scripts for shells.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Arguments;

/// The script for `shell`.
pub(super) fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "wallet", &mut script);
    String::from_utf8_lossy(&script).trim_end().to_owned()
}
