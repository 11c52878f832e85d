//! What became of a header or a block.

use tally_consensus::error::RuleError;
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::{CompactTarget, Work};
use tally_primitives::units::Height;

use crate::chain::error::ChainError;

/// A block on a chain, with what is needed to build on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// The block's hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: Height,
    /// The work of the chain up to it.
    pub work: Work,
    /// Its time, in seconds since the Unix epoch.
    pub time: u32,
    /// The median time of it and the ten blocks below: a child's time must be greater.
    pub median_time_past: u32,
    /// Its own bits.
    pub bits: CompactTarget,
}

/// A block's hash and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The block's hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: Height,
}

/// How the active chain has changed, net of detours. Bodies are asked for by hash ([`Chain::block`]), so that a
/// reorganisation of any depth costs little memory.
///
/// [`Chain::block`]: crate::chain::Chain::block
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TipChange {
    /// Blocks that left, from the old tip downwards.
    pub disconnected: Vec<Position>,
    /// Blocks that joined, upwards to the new tip.
    pub connected: Vec<Position>,
}

impl TipChange {
    /// True when the tip is where it was.
    pub fn is_empty(&self) -> bool {
        self.disconnected.is_empty() && self.connected.is_empty()
    }

    /// How many blocks were disconnected, as a number for people.
    pub fn reorg_depth(&self) -> u32 {
        u32::try_from(self.disconnected.len()).unwrap_or(u32::MAX)
    }
}

/// What became of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderOutcome {
    /// The header's hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: Height,
    /// False when it was known already.
    pub is_new: bool,
    /// True when it is now the header with the most work.
    pub is_best: bool,
}

/// A block whose header and body were checked, as far as that is possible without its coins, and which is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StagedBlock {
    /// The block's hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: Height,
    /// False when its body was stored before.
    pub is_new: bool,
}

/// What became of a block that was well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockFate {
    /// Its body was stored before; nothing changed.
    Duplicate,
    /// Stored: it lies on another branch, or bodies below it are missing.
    Stored,
    /// On the active chain.
    Connected,
    /// Its chain had the most work, but connecting it showed a broken rule: see [`BlockOutcome::rejected`].
    Rejected,
}

/// A block that broke a rule when it was connected. It and its descendants are marked invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The block's hash.
    pub hash: BlockHash,
    /// The rule, and how it is broken.
    pub error: RuleError,
}

/// What accepting a block did. **Deal with `changes` first**: the tip may have moved even if the block was rejected
/// (to a part of its branch, say). Then ask for the block's own [`BlockOutcome::verdict`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockOutcome {
    /// The block's hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: Height,
    /// What became of it.
    pub fate: BlockFate,
    /// How the active chain has changed.
    pub changes: TipChange,
    /// Blocks that failed on connecting, this one or others that had waited for it.
    pub rejected: Vec<Rejection>,
}

impl BlockOutcome {
    /// The block's own verdict.
    ///
    /// # Errors
    /// The rule that the block, or one below it on its branch, broke on connecting.
    pub fn verdict(&self) -> Result<(), ChainError> {
        match (self.fate, self.rejected.iter().find(|rejection| rejection.hash == self.hash)) {
            (_, Some(Rejection { hash, error })) => Err(ChainError::Rule { hash: *hash, error: error.clone() }),
            (BlockFate::Rejected, None) => Err(ChainError::KnownInvalid { hash: self.hash }),
            _ => Ok(()),
        }
    }
}

/// What moving to the best chain did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activation {
    /// How the active chain has changed.
    pub changes: TipChange,
    /// Blocks that failed on connecting.
    pub rejected: Vec<Rejection>,
}

/// A branch's end, as `getchaintips` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainTip {
    /// The last block's hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: Height,
    /// Blocks between it and the active chain; 0 for the active tip.
    pub branch_length: u32,
    /// How far the branch has come.
    pub status: ChainTipStatus,
}

/// How far a branch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainTipStatus {
    /// The active chain.
    Active,
    /// All its blocks were connected once.
    ValidFork,
    /// All bodies are stored, not all were ever connected.
    ValidHeaders,
    /// Bodies are missing.
    HeadersOnly,
    /// It holds an invalid block.
    Invalid,
}
