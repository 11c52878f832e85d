//! Results about blocks, the chain and the coin set.

use serde::{Deserialize, Serialize};
use tally_primitives::address::Address;
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, Txid};
use tally_primitives::pow::{CompactTarget, Target, Work};
use tally_primitives::units::{Amount, Height};

use crate::fields;
use crate::transaction::TransactionInfo;

/// `getblockchaininfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockchainInfo {
    /// The network's name.
    pub chain: String,
    /// Height of the tip.
    pub blocks: Height,
    /// Height of the best header known.
    pub headers: Height,
    /// The tip.
    pub bestblockhash: BlockHash,
    /// The genesis block, which tells networks apart (not in Core).
    pub genesishash: BlockHash,
    /// The tip's compact target.
    #[serde(with = "fields::bits")]
    pub bits: CompactTarget,
    /// The tip's target.
    #[serde(with = "fields::target")]
    pub target: Target,
    /// The network's easiest target divided by the tip's.
    pub difficulty: f64,
    /// The tip's time, seconds since the Unix epoch.
    pub time: u32,
    /// Median of the times of the last 11 blocks.
    pub mediantime: u32,
    /// Part of the known chain that is checked, 0 to 1.
    pub verificationprogress: f64,
    /// Whether the node still downloads the chain.
    pub initialblockdownload: bool,
    /// Work in the chain up to the tip.
    pub chainwork: Work,
    /// Bytes of the store.
    pub size_on_disk: u64,
    /// Whether old blocks are dropped.
    pub pruned: bool,
    /// What the owner should know.
    pub warnings: Vec<String>,
}

/// `getblockheader` with verbosity 1, and the first part of [`BlockInfo`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeaderInfo {
    /// The block's hash.
    pub hash: BlockHash,
    /// 1 for the tip, -1 for a block that is not in the active chain.
    pub confirmations: i64,
    /// The block's height.
    pub height: Height,
    /// The header's version.
    pub version: u32,
    /// The version as 8 hex digits.
    #[serde(rename = "versionHex")]
    pub version_hex: String,
    /// Root of the Merkle tree over wtxids.
    pub merkleroot: MerkleRoot,
    /// The header's time, seconds since the Unix epoch.
    pub time: u32,
    /// Median of the times of this block and the 10 before it.
    pub mediantime: u32,
    /// The header's nonce.
    pub nonce: u32,
    /// The compact target.
    #[serde(with = "fields::bits")]
    pub bits: CompactTarget,
    /// The target.
    #[serde(with = "fields::target")]
    pub target: Target,
    /// The network's easiest target divided by this one.
    pub difficulty: f64,
    /// Work in the chain up to this block.
    pub chainwork: Work,
    /// How many transactions the block holds; 0 if its body is not here.
    #[serde(rename = "nTx")]
    pub n_tx: u64,
    /// The parent; absent for genesis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previousblockhash: Option<BlockHash>,
    /// The next block of the active chain, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nextblockhash: Option<BlockHash>,
}

/// `getblock` with verbosity 1 or 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BlockInfo {
    /// The header's fields.
    #[serde(flatten)]
    pub header: HeaderInfo,
    /// Encoded size in bytes.
    pub size: u64,
    /// The transactions.
    pub tx: BlockTransactions,
}

/// A block's transactions: ids with verbosity 1, everything with verbosity 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BlockTransactions {
    /// Verbosity 1.
    Ids(Vec<Txid>),
    /// Verbosity 2.
    Full(Vec<TransactionInfo>),
}

/// One entry of `getchaintips`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainTip {
    /// Height of the branch's last block.
    pub height: Height,
    /// Its hash.
    pub hash: BlockHash,
    /// Blocks from the active chain to it; 0 for the active tip.
    pub branchlen: u32,
    /// What is known of the branch.
    pub status: ChainTipStatus,
}

/// What is known of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChainTipStatus {
    /// The branch holds a block that breaks a rule.
    Invalid,
    /// Not every body of the branch is here.
    HeadersOnly,
    /// Every body is here, and the branch was never connected.
    ValidHeaders,
    /// The branch was the active chain once.
    ValidFork,
    /// The active chain.
    Active,
}

/// `gettxout`; null if the coin does not exist or is spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxOut {
    /// The tip for which this holds.
    pub bestblock: BlockHash,
    /// 0 for an output of the mempool.
    pub confirmations: u32,
    /// Notches.
    pub value: Amount,
    /// Hash of the spending policy.
    pub lock: LockHash,
    /// The same as an address of this network.
    pub address: Address,
    /// Whether a coinbase made it.
    pub coinbase: bool,
}

/// `gettxoutsetinfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxOutSetInfo {
    /// The tip's height.
    pub height: Height,
    /// The tip.
    pub bestblock: BlockHash,
    /// How many coins there are.
    pub txouts: u64,
    /// Hash of the coin set, whatever the order: equal on nodes with equal coins. 64 hex digits.
    pub hash_serialized: String,
    /// Sum of all coins, in notches.
    pub total_amount: Amount,
    /// Bytes of the store.
    pub disk_size: u64,
}
