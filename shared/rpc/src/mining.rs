//! Results about mining, and the block template (BIP 22, BIP 23).

use serde::{Deserialize, Serialize};
use tally_primitives::hash::{BlockHash, Txid, Wtxid};
use tally_primitives::pow::{CompactTarget, Target};
use tally_primitives::units::{Amount, Height};

use crate::fields;

/// `getmininginfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MiningInfo {
    /// Height of the tip.
    pub blocks: Height,
    /// The tip's compact target.
    #[serde(with = "fields::bits")]
    pub bits: CompactTarget,
    /// The network's easiest target divided by the tip's.
    pub difficulty: f64,
    /// The tip's target.
    #[serde(with = "fields::target")]
    pub target: Target,
    /// Hashes a second of the whole network, by the last blocks' work and times.
    pub networkhashps: f64,
    /// Transactions in the mempool.
    pub pooledtx: u64,
    /// The network's name.
    pub chain: String,
    /// What the next block must meet.
    pub next: NextBlock,
    /// The node's own miner, if it has one (not in Core).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miner: Option<OwnMiner>,
    /// What the owner should know.
    pub warnings: Vec<String>,
}

/// What the next block must meet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NextBlock {
    /// Its height.
    pub height: Height,
    /// Its compact target.
    #[serde(with = "fields::bits")]
    pub bits: CompactTarget,
    /// The network's easiest target divided by it.
    pub difficulty: f64,
    /// Its target.
    #[serde(with = "fields::target")]
    pub target: Target,
}

/// The miner inside a node (`node --mine`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnMiner {
    /// Threads.
    pub threads: u32,
    /// Hashes a second allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Hashes since the node started.
    pub hashes: u64,
    /// Hashes a second over the last seconds.
    pub hashespersec: f64,
}

/// What a miner asks for; every field may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRequest {
    /// The last template's `longpollid`: the answer waits until there is something better to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longpollid: Option<String>,
    /// BIP 23: `template` (the default), or `proposal`: whether `data` would do as a block, but for its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The block that is proposed, hex, in either form that `submitblock` takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// BIP 9; accepted and not needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<String>>,
    /// BIP 22; accepted and not needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
}

/// `getblocktemplate`. The miner makes the coinbase itself: the height as the memo's first 8 bytes, then what it likes,
/// with outputs of at most `coinbasevalue`; it stands first in the Merkle tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockTemplate<T = TemplateTransaction> {
    /// The header's version; bits 13 to 28 are the miner's.
    pub version: u32,
    /// The parent.
    pub previousblockhash: BlockHash,
    /// The other transactions, in the block's order.
    pub transactions: Vec<T>,
    /// Subsidy and fees.
    pub coinbasevalue: Amount,
    /// To be sent with the next request.
    pub longpollid: String,
    /// What the header's hash must not exceed.
    #[serde(with = "fields::target")]
    pub target: Target,
    /// The same, compact.
    #[serde(with = "fields::bits")]
    pub bits: CompactTarget,
    /// The block's height.
    pub height: Height,
    /// The least time that the header may have.
    pub mintime: u32,
    /// The node's time.
    pub curtime: u32,
    /// Most bytes of a block.
    pub sizelimit: u64,
    /// What a miner may change (BIP 23).
    pub mutable: Vec<String>,
    /// First and last nonce, 8 hex digits each.
    pub noncerange: String,
}

/// All that `getblocktemplate` answers: the template, and what BIP 22 and 23 add for miners that take the coinbase as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullTemplate {
    /// The template.
    #[serde(flatten)]
    pub template: BlockTemplate<FullTemplateTransaction>,
    /// What else the method can do (BIP 23).
    pub capabilities: Vec<String>,
    /// A coinbase that pays the node's own address, and is another one in every answer; missing if the node has no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coinbasetxn: Option<CoinbaseTransaction>,
}

/// One transaction of a template, as BIP 22 has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FullTemplateTransaction {
    /// The transaction.
    #[serde(flatten)]
    pub transaction: TemplateTransaction,
    /// Which transactions of the template must come before it, counted from 1.
    pub depends: Vec<u32>,
}

/// A whole coinbase. Its id is the first leaf of the Merkle tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoinbaseTransaction {
    /// The encoded transaction, hex.
    pub data: String,
    /// Its id.
    pub txid: Txid,
    /// The same: a coinbase has no witnesses.
    pub hash: Wtxid,
    /// The sum of the template's fees, as a negative number of notches.
    pub fee: i64,
    /// That there is no block without it.
    pub required: bool,
}

/// One transaction of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateTransaction {
    /// The encoded transaction, hex.
    pub data: String,
    /// Id without witnesses.
    pub txid: Txid,
    /// Id with witnesses: the leaf of the Merkle tree.
    pub hash: Wtxid,
    /// Its fee in notches.
    pub fee: Amount,
    /// Encoded size in bytes.
    pub size: u64,
}
