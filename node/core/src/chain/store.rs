//! What the chain asks of a store, and what it hands out to be stored.
//!
//! Reads go through [`ChainStore`]; writes leave as [`ChangeSet`]s, which the driver applies atomically. The core never
//! writes, so it can be run on a store of any kind: sled in the daemon, memory in tests and in the simulator.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tally_primitives::block::{Block, Header};
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, HashTag};
use tally_primitives::transaction::{Coin, OutPoint};
use tally_primitives::units::{Amount, Height};

/// Why a store could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk or the engine refused.
    #[error("the store could not {action}: {reason}")]
    Io {
        /// What was tried, as a verb: "read coin …".
        action: String,
        /// The engine's or the system's own words.
        reason: String,
    },
    /// A record was read, and it is not what was written.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// The record, and what is wrong with it.
        what: String,
    },
}

/// The reading half of a store. Every answer reflects all change sets that have been applied, and no part of another.
pub trait ChainStore: Send {
    /// Every known header, in any order. Empty for a new store.
    fn index(&self) -> Result<Vec<IndexRecord>, StoreError>;
    /// The block that the coin set belongs to; `None` for a new store.
    fn tip(&self) -> Result<Option<BlockHash>, StoreError>;
    /// An unspent coin.
    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError>;
    /// A block's body, whether it is on the active chain or not.
    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError>;
    /// What disconnecting a block needs. Present for every block that has ever been connected.
    fn undo(&self, hash: &BlockHash) -> Result<Option<BlockUndo>, StoreError>;
    /// Figures of the coin set as of [`ChainStore::tip`], as the last change set with a tip gave them.
    fn coin_stats(&self) -> Result<CoinStats, StoreError>;
}

/// How far a block has come on this node. Each state includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BlockStatus {
    /// The header obeys the HDR rules; the body has not been stored.
    HeaderOnly,
    /// The body is stored and obeys the rules that need no coins (BLK-01 to BLK-05, TX).
    Stored,
    /// The block was connected once: it is valid altogether, and its undo data is stored.
    Connected,
}

/// A header as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRecord {
    /// The header itself.
    pub header: Header,
    /// Its distance from genesis.
    pub height: Height,
    /// How far the block has come.
    pub status: BlockStatus,
    /// True when this very block broke a rule or was invalidated by hand. Its descendants are invalid by descent and
    /// are not marked in the store.
    pub invalid: bool,
}

/// For each transaction of a block but the coinbase, in order: the coins its inputs spent, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockUndo {
    /// `spent[i]` belongs to the block's transaction `i + 1`.
    pub spent: Vec<Vec<Coin>>,
}

/// What has to be stored, as one atomic unit: all of it or nothing.
///
/// The coins always match the tip: with `tip` absent there are no coin operations. Change sets are applied in the order
/// in which they were handed out. Blocks and undo must be durable before the rest refers to them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChangeSet {
    /// Bodies that were not stored before.
    pub blocks: Vec<(BlockHash, Arc<Block>)>,
    /// Undo data that was not stored before.
    pub undo: Vec<(BlockHash, Arc<BlockUndo>)>,
    /// New or changed headers; a record replaces the one with the same hash.
    pub index: Vec<IndexRecord>,
    /// Coins to insert (`Some`) and to delete (`None`; the coin is in the store). An inserted coin may replace one with
    /// the same outpoint and another height: a reorganisation that confirms the same transaction elsewhere. At most
    /// some 20,000, or one block's.
    pub coins: BTreeMap<OutPoint, Option<Coin>>,
    /// The block that the coin set belongs to afterwards.
    pub tip: Option<BlockHash>,
    /// Figures of the coin set afterwards; present whenever `tip` is.
    pub stats: Option<CoinStats>,
    /// Blocks that left the active chain, from the old tip downwards: the net effect of this change set.
    pub disconnected: Vec<BlockHash>,
    /// Blocks that then joined the active chain, upwards.
    pub connected: Vec<BlockHash>,
}

impl ChangeSet {
    /// True when there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
            && self.undo.is_empty()
            && self.index.is_empty()
            && self.coins.is_empty()
            && self.tip.is_none()
    }
}

/// Figures of a coin set, equal on all nodes with the same tip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoinStats {
    /// Number of unspent coins.
    pub count: u64,
    /// Sum of their values.
    pub total: Amount,
    /// A hash of the set, whatever the order in which it came about.
    pub hash: CoinSetHash,
}

impl CoinStats {
    /// The figures with one coin more. Sums wrap around: from damaged figures follow odd figures, which an audit finds.
    pub fn with(self, outpoint: &OutPoint, coin: &Coin) -> Self {
        Self {
            count: self.count.wrapping_add(1),
            total: Amount::from_notches(self.total.to_notches().wrapping_add(coin.output.value.to_notches())),
            hash: self.hash.plus(CoinSetHash::of(outpoint, coin)),
        }
    }

    /// The figures with one coin less; sums wrap around.
    pub fn without(self, outpoint: &OutPoint, coin: &Coin) -> Self {
        Self {
            count: self.count.wrapping_sub(1),
            total: Amount::from_notches(self.total.to_notches().wrapping_sub(coin.output.value.to_notches())),
            hash: self.hash.minus(CoinSetHash::of(outpoint, coin)),
        }
    }
}

/// Order-independent hash of a set of coins: the sum modulo 2²⁵⁶ of each coin's tagged hash.
///
/// It shows damage and disagreement. It does not withstand somebody who can choose coins at will to make two sets
/// collide, so no rule depends on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CoinSetHash([u8; 32]);

impl CoinSetHash {
    /// The hash of the set that holds this coin alone.
    pub fn of(outpoint: &OutPoint, coin: &Coin) -> Self {
        static TAG: HashTag = HashTag::new("tallystick/coin");
        Self(TAG.hash(&[&encode::encode(outpoint), &encode::encode(coin)]))
    }

    /// From stored bytes (little-endian).
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store (little-endian).
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    fn plus(self, other: Self) -> Self {
        let mut sum = [0; 32];
        let mut carry = 0;
        for (out, (a, b)) in sum.iter_mut().zip(self.0.iter().zip(other.0)) {
            let digit = u16::from(*a) + u16::from(b) + carry;
            [*out, _] = digit.to_le_bytes();
            carry = digit >> 8;
        }
        Self(sum)
    }

    fn minus(self, other: Self) -> Self {
        // -x is the complement plus one.
        let complement = Self(other.0.map(|byte| !byte));
        let mut one = [0; 32];
        one[0] = 1;
        self.plus(complement).plus(Self(one))
    }
}

impl fmt::Display for CoinSetHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
