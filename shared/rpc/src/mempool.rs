//! Results about transactions that wait for a block.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tally_primitives::hash::{Txid, Wtxid};
use tally_primitives::units::{Amount, FeeRate, Height};

/// `getmempoolinfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MempoolInfo {
    /// Whether the mempool takes transactions already.
    pub loaded: bool,
    /// Transactions in it.
    pub size: u64,
    /// Their encoded bytes.
    pub bytes: u64,
    /// Bytes of memory used, about.
    pub usage: u64,
    /// Sum of all fees.
    pub total_fee: Amount,
    /// Bytes allowed.
    pub maxmempool: u64,
    /// The least fee rate that gets in now.
    pub mempoolminfee: FeeRate,
    /// The least fee rate that is ever relayed.
    pub minrelaytxfee: FeeRate,
    /// What a replacement must pay more.
    pub incrementalrelayfee: FeeRate,
    /// Whether every transaction may be replaced by one that pays more.
    pub fullrbf: bool,
}

/// `getmempoolentry`, and the values of `getrawmempool` when verbose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MempoolEntry {
    /// Encoded size in bytes (Core's name for it).
    pub vsize: u64,
    /// When it came, seconds since the Unix epoch.
    pub time: u32,
    /// The tip's height when it came.
    pub height: Height,
    /// It and its unconfirmed descendants.
    pub descendantcount: u64,
    /// Their bytes.
    pub descendantsize: u64,
    /// It and its unconfirmed ancestors.
    pub ancestorcount: u64,
    /// Their bytes.
    pub ancestorsize: u64,
    /// Id with witnesses.
    pub wtxid: Wtxid,
    /// Fees of it and its family.
    pub fees: EntryFees,
    /// Unconfirmed transactions that it spends from.
    pub depends: Vec<Txid>,
    /// Unconfirmed transactions that spend from it.
    pub spentby: Vec<Txid>,
    /// Whether it may be replaced by one that pays more.
    #[serde(rename = "bip125-replaceable")]
    pub bip125_replaceable: bool,
}

/// Fees of a mempool entry, in notches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryFees {
    /// Its own.
    pub base: Amount,
    /// Its own, as mining counts it.
    pub modified: Amount,
    /// Its own and its ancestors'.
    pub ancestor: Amount,
    /// Its own and its descendants'.
    pub descendant: Amount,
}

/// `getrawmempool`: ids, or entries when verbose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RawMempool {
    /// Not verbose.
    Ids(Vec<Txid>),
    /// Verbose.
    Entries(BTreeMap<Txid, MempoolEntry>),
}

/// `estimatesmartfee`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeEstimate {
    /// Notches per 1,000 bytes; absent if too little was seen to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feerate: Option<FeeRate>,
    /// Why there is no fee rate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// Within how many blocks.
    pub blocks: u32,
}
