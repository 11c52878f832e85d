//! The other programs. They are built together and lie beside this one.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::layout::program_dir;

/// Where the programs are that a network needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// The node.
    pub node: PathBuf,
    /// The wallet.
    pub wallet: PathBuf,
    /// This program.
    pub testnet: PathBuf,
}

impl Programs {
    /// Finds them beside this program.
    ///
    /// # Errors
    /// If one is missing.
    pub fn find() -> Result<Programs, Error> {
        Programs::find_in(&program_dir()?)
    }

    /// Finds them in a directory.
    ///
    /// # Errors
    /// If one is missing.
    pub fn find_in(dir: &Path) -> Result<Programs, Error> {
        let find = |name: &'static str| {
            let path = dir.join(format!("{name}{EXE_SUFFIX}"));
            if path.is_file() { Ok(path) } else { Err(Error::MissingProgram { name, path }) }
        };
        let testnet = dir.join(format!("testnet{EXE_SUFFIX}"));
        Ok(Programs { node: find("node")?, wallet: find("wallet")?, testnet })
    }
}

/// Keeps the owner's settings (`TALLY_…` in the environment) away from a program: they are meant for other nodes and
/// wallets than those of this network.
pub fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TALLY_") {
            command.env_remove(name);
        }
    }
}

#[cfg(test)]
mod tests;
