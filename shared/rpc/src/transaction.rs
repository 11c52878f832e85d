//! Results about transactions.

use serde::{Deserialize, Serialize};
use tally_primitives::address::Address;
use tally_primitives::hash::{BlockHash, LockHash, Txid, Wtxid};
use tally_primitives::spending::Witness;
use tally_primitives::units::Amount;

/// `decoderawtransaction`, and what `getrawtransaction` and `getblock` say of a transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransactionInfo {
    /// Id without witnesses: what an outpoint names.
    pub txid: Txid,
    /// Id with witnesses: what the Merkle tree commits to.
    pub hash: Wtxid,
    /// Version of the format.
    pub version: u32,
    /// Encoded size in bytes.
    pub size: u64,
    /// Inputs; a coinbase has one entry without an outpoint.
    pub vin: Vec<InputInfo>,
    /// Outputs.
    pub vout: Vec<OutputInfo>,
    /// The memo, hex.
    pub memo: String,
    /// Inputs less outputs, where the inputs are known (`getblock` 2, `getrawtransaction` 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Amount>,
    /// The encoded transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// Where and when it was confirmed; nothing of it in a list that says so already.
    #[serde(flatten)]
    pub place: Option<TransactionPlace>,
}

/// Where a confirmed transaction stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionPlace {
    /// Whether its block is in the active chain.
    pub in_active_chain: bool,
    /// Its block.
    pub blockhash: BlockHash,
    /// 1 in the tip; 0 outside the active chain.
    pub confirmations: u32,
    /// The block's time, seconds since the Unix epoch.
    pub time: u32,
    /// The same.
    pub blocktime: u32,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InputInfo {
    /// The coinbase's: it spends nothing.
    Coinbase {
        /// The memo, hex.
        coinbase: String,
    },
    /// Any other.
    Spend(Box<SpendInfo>),
}

/// An input that spends a coin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpendInfo {
    /// The transaction that made the coin.
    pub txid: Txid,
    /// The output's number in it.
    pub vout: u32,
    /// The revealed policy and what satisfies it.
    pub witness: Witness,
    /// The coin, where it is known (verbosity 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevout: Option<OutputInfo>,
}

/// One output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputInfo {
    /// Notches.
    pub value: Amount,
    /// The output's number.
    pub n: u32,
    /// Hash of the spending policy.
    pub lock: LockHash,
    /// The same as an address of this network.
    pub address: Address,
}

/// One entry of `testmempoolaccept`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptVerdict {
    /// The transaction.
    pub txid: Txid,
    /// The same, witnesses included.
    pub wtxid: Wtxid,
    /// Whether the mempool would take it.
    pub allowed: bool,
    /// Encoded size in bytes, if it is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vsize: Option<u64>,
    /// Its fee, if it is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fees: Option<BaseFee>,
    /// Why not.
    #[serde(default, rename = "reject-reason", skip_serializing_if = "Option::is_none")]
    pub reject_reason: Option<String>,
}

/// The fee of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseFee {
    /// Notches.
    pub base: Amount,
}
