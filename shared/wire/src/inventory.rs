//! How blocks and transactions are announced and asked for: by hash.

use core::fmt;

use serde::{Deserialize, Serialize};
use tally_primitives::hash::{BlockHash, Txid, Wtxid};

/// One thing that a peer has (`Inventory`), wants (`GetData`) or has not (`NotFound`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum InventoryItem {
    /// A transaction by the hash of all its bytes. Announcements use this one: a copy with a broken witness has another hash, so it
    /// cannot stand in the way of the good one.
    Transaction(Wtxid),
    /// A block.
    Block(BlockHash),
    /// A transaction by its id: to ask for the parent of an orphan, of which the orphan names nothing else. Only in
    /// `GetData` and `NotFound`.
    Parent(Txid),
    /// A block in compact form; whoever has it only further down sends it whole. Only in `GetData` and `NotFound`.
    CompactBlock(BlockHash),
}

impl fmt::Display for InventoryItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InventoryItem::Transaction(wtxid) => write!(f, "transaction {wtxid} (wtxid)"),
            InventoryItem::Block(hash) => write!(f, "block {hash}"),
            InventoryItem::CompactBlock(hash) => write!(f, "compact block {hash}"),
            InventoryItem::Parent(txid) => write!(f, "transaction {txid}"),
        }
    }
}
