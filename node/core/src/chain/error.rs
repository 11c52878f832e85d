//! Why the chain refuses a header, a block or a request.

use tally_consensus::error::{RuleError, RuleId};
use tally_primitives::hash::BlockHash;

use crate::chain::store::StoreError;

/// Why the chain refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The header or block breaks a consensus rule.
    #[error("block {hash}: {error}")]
    Rule {
        /// The header's hash.
        hash: BlockHash,
        /// The rule, and how it is broken.
        #[source]
        error: RuleError,
    },
    /// The parent is not known (yet): HDR-04, but no reason to blame anybody.
    #[error("block {hash}: its parent {parent} is unknown (HDR-04)")]
    UnknownParent {
        /// The header's hash.
        hash: BlockHash,
        /// The hash it names as its parent.
        parent: BlockHash,
    },
    /// The block, or one below it, was found invalid before.
    #[error("block {hash} is known to be invalid")]
    KnownInvalid {
        /// The block's hash.
        hash: BlockHash,
    },
    /// Nothing is known about the block.
    #[error("block {hash} is unknown")]
    UnknownBlock {
        /// The hash asked for.
        hash: BlockHash,
    },
    /// Genesis is valid by definition.
    #[error("the genesis block cannot be invalidated")]
    GenesisIsValid,
    /// The store holds another network's chain.
    #[error("the store belongs to another network: its genesis is {found}, this network's is {expected}")]
    WrongGenesis {
        /// The network's genesis.
        expected: BlockHash,
        /// The store's.
        found: BlockHash,
    },
    /// The store's records contradict each other.
    #[error("the store is inconsistent: {what}")]
    Inconsistent {
        /// What does not fit.
        what: String,
    },
    /// The store cannot answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChainError {
    /// The rule that is broken, if it is a matter of rules.
    pub fn rule_id(&self) -> Option<RuleId> {
        match self {
            Self::Rule { error, .. } => Some(error.rule_id()),
            Self::UnknownParent { .. } => Some(RuleId::Hdr04),
            _ => None,
        }
    }

    /// Whether the chain itself cannot go on, rather than refuse what it was given.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::WrongGenesis { .. } | Self::Inconsistent { .. } | Self::Store(_))
    }
}
