//! Why a store does not open, and how the parts' failures look to the chain.

use std::io;
use std::path::PathBuf;

use tally_node_core::chain::store::StoreError;
use tally_primitives::hash::BlockHash;

use super::flat::FlatError;
use super::index::IndexError;
use super::lock::LockError;

/// Why a data directory cannot be used at all. Damage is none of the reasons: it is repaired.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It cannot be made, read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds the chain of another network.
    #[error("the data directory {} holds another chain: its genesis is {found}, this network's is {expected}", directory.display())]
    OtherChain {
        /// The directory.
        directory: PathBuf,
        /// The genesis block that it was made for.
        found: BlockHash,
        /// The genesis block of the network asked for.
        expected: BlockHash,
    },
    /// Even a fresh index cannot be made.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The flat files cannot be read.
    #[error(transparent)]
    Flat(#[from] FlatError),
    /// A record cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<IndexError> for StoreError {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Io { action, path, source } => {
                Self::Io { action: format!("finish {action} {}", path.display()), reason: source.to_string() }
            }
            other => Self::Damaged { what: other.to_string() },
        }
    }
}

impl From<FlatError> for StoreError {
    fn from(error: FlatError) -> Self {
        match error {
            FlatError::Io { action, path, source } => {
                Self::Io { action: format!("finish {action} {}", path.display()), reason: source.to_string() }
            }
            other => Self::Damaged { what: other.to_string() },
        }
    }
}
