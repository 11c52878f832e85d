//! What a node tells its surroundings: chain, mempool and peer events, in the order in which they happened.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tally_primitives::hash::{BlockHash, Txid, Wtxid};
use tally_primitives::units::{Amount, Height};

/// Something that happened inside the node. Events never carry what can be asked for by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A header became the one with the most work.
    HeaderTip {
        /// The header's hash.
        hash: BlockHash,
        /// Its height.
        height: Height,
    },
    /// A block joined the active chain.
    BlockConnected {
        /// The block's hash.
        hash: BlockHash,
        /// Its height.
        height: Height,
        /// Its time, in seconds since the Unix epoch.
        time: u32,
        /// Number of its transactions, the coinbase included.
        transactions: u32,
    },
    /// A block left the active chain.
    BlockDisconnected {
        /// The block's hash.
        hash: BlockHash,
        /// Its height.
        height: Height,
    },
    /// The active chain has another tip. Follows the events of the blocks it consists of.
    TipChanged {
        /// The tip before.
        old: BlockHash,
        /// The tip now.
        new: BlockHash,
        /// The height of the tip now.
        height: Height,
        /// How many blocks were disconnected: 0 unless this was a reorganisation.
        reorg_depth: u32,
    },
    /// A block broke a rule.
    BlockRejected {
        /// The block's hash.
        hash: BlockHash,
        /// The rule it broke and how, in one line.
        reason: String,
    },
    /// A transaction entered the mempool.
    TransactionAccepted {
        /// Its id.
        txid: Txid,
        /// Its id with witnesses.
        wtxid: Wtxid,
        /// What it pays.
        fee: Amount,
        /// Its encoded size in bytes.
        size: u32,
    },
    /// A transaction left the mempool.
    TransactionRemoved {
        /// Its id.
        txid: Txid,
        /// Why it left.
        reason: RemovalReason,
    },
    /// A peer finished its handshake.
    PeerConnected {
        /// The peer's number on this node.
        peer: u64,
        /// Its address.
        address: SocketAddr,
        /// True when it called us.
        inbound: bool,
    },
    /// A peer is gone.
    PeerDisconnected {
        /// The peer's number on this node.
        peer: u64,
        /// Why, in one line.
        reason: String,
    },
}

/// Why a transaction left the mempool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovalReason {
    /// A block of the active chain holds it.
    Confirmed,
    /// A block of the active chain spends one of its coins otherwise.
    Conflict,
    /// Another transaction that pays more took its place.
    Replaced,
    /// The mempool was full and it paid least.
    Evicted,
    /// It waited too long.
    Expired,
    /// After a reorganisation it is not valid any more, or an ancestor of it is not.
    Reorg,
}
