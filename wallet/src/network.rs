//! Which network a wallet works on: a built-in name, or a network file that may have gained allocations (and so
//! another genesis) since the wallet was made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tally_primitives::params::{Params, ParamsError};

use crate::file::Mark;

/// Why there are no network parameters.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Neither a built-in network nor a file.
    #[error("there is no network '{name}': it is not mainnet, testnet or devnet, and {} does not exist", path.display())]
    Unknown {
        /// What was asked for.
        name: String,
        /// The file looked for.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read the network file {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// The file is no network file.
    #[error("{}: {}", path.display(), one_line(&source.to_string()))]
    Invalid {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: ParamsError,
    },
    /// The wallet is of another network.
    #[error(
        "the wallet is for {} (addresses begin with '{}'), not for {network} ('{prefix}')",
        mark.network, mark.address_prefix
    )]
    WrongWallet {
        /// What the wallet is for.
        mark: Mark,
        /// The network asked for.
        network: String,
        /// How its addresses begin.
        prefix: String,
    },
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The network called `name`, or of the network file `name` (relative to `directory`).
///
/// # Errors
/// See [`NetworkError`].
pub fn resolve(name: &str, directory: &Path) -> Result<Params, NetworkError> {
    if let Some(params) = Params::by_name(name) {
        return Ok(params);
    }
    let path = directory.join(name);
    let text = fs::read_to_string(&path).map_err(|source| {
        if source.kind() == io::ErrorKind::NotFound {
            NetworkError::Unknown { name: name.to_owned(), path: path.clone() }
        } else {
            NetworkError::Unreadable { path: path.clone(), source }
        }
    })?;
    Params::from_toml(&text).map_err(|source| NetworkError::Invalid { path, source })
}

/// Refuses the wallet of another network. Networks with the same prefix are told apart by their genesis, which the
/// node is asked for.
///
/// # Errors
/// [`NetworkError::WrongWallet`].
pub fn check_mark(mark: &Mark, params: &Params) -> Result<(), NetworkError> {
    if mark.address_prefix == params.address_prefix {
        return Ok(());
    }
    Err(NetworkError::WrongWallet {
        mark: mark.clone(),
        network: params.name.clone(),
        prefix: params.address_prefix.to_string(),
    })
}
