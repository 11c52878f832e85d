//! Results about addresses: whether one is valid, and what wallets ask about theirs.

use serde::{Deserialize, Serialize};
use tally_primitives::address::Address;
use tally_primitives::hash::{BlockHash, LockHash, Txid};
use tally_primitives::units::{Amount, Height};

/// `validateaddress`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressValidity {
    /// Whether it is an address of this network.
    pub isvalid: bool,
    /// The address, if it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The lock in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockHash>,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The parameter of `getaddressutxos` and `getaddresshistory`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressQuery {
    /// Addresses of this network, as text: the node says which of them is wrong.
    pub addresses: Vec<String>,
}

/// `getaddressutxos`: coins of the chain and outputs of the mempool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressUtxos {
    /// The tip's height for which this holds.
    pub height: Height,
    /// The tip.
    pub tip: BlockHash,
    /// The coins.
    pub utxos: Vec<AddressUtxo>,
}

/// One coin of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressUtxo {
    /// The transaction that made it.
    pub txid: Txid,
    /// The output's number in it.
    pub index: u32,
    /// Whose it is.
    pub address: Address,
    /// Notches.
    pub value: Amount,
    /// Where it was confirmed; null in the mempool.
    pub height: Option<Height>,
    /// Whether a coinbase made it.
    pub coinbase: bool,
    /// The mempool transaction that spends it, if there is one.
    pub spent_by: Option<Txid>,
}

/// `getaddresshistory`: transactions of the chain, oldest first, then those of the mempool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressHistory {
    /// The tip's height for which this holds.
    pub height: Height,
    /// The tip.
    pub tip: BlockHash,
    /// The transactions.
    pub transactions: Vec<AddressTransaction>,
}

/// One transaction that pays or spends from the given addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressTransaction {
    /// Its id.
    pub txid: Txid,
    /// Where it was confirmed; null in the mempool.
    pub height: Option<Height>,
    /// The block; null in the mempool.
    pub block_hash: Option<BlockHash>,
    /// The block's time, or when it came into the mempool; seconds since the Unix epoch.
    pub time: u32,
    /// Sum of its outputs to the given addresses.
    pub received: Amount,
    /// Sum of the given addresses' coins that it spends.
    pub spent: Amount,
    /// Fee of the whole transaction; 0 for a coinbase.
    pub fee: Amount,
    /// 1 in the tip; 0 in the mempool.
    pub confirmations: u32,
}
