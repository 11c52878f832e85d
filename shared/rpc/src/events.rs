//! The subscription to chain events over WebSocket. The schema is the same as the node core's own events.
//!
//! `{"method": "subscribe", "params": [["blocks", "transactions"]]}` asks for them; then each comes as a notification
//! `{"jsonrpc": "2.0", "method": "event", "params": {"type": "block_connected", …}}`, in the order in which they
//! happened. A client that reads too slowly is told by `missed` how many it lost, and asks for the state anew.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tally_primitives::hash::{BlockHash, Txid, Wtxid};
use tally_primitives::units::{Amount, Height};

/// The method of a notification.
pub const EVENT_METHOD: &str = "event";

/// What one can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Blocks connected and disconnected, tips, headers.
    Blocks,
    /// Transactions that enter or leave the mempool.
    Transactions,
    /// Peers that come and go.
    Peers,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Topic; 3] = [Topic::Blocks, Topic::Transactions, Topic::Peers];
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A block became part of the active chain.
    BlockConnected {
        /// The block.
        hash: BlockHash,
        /// Its height.
        height: Height,
        /// The header's time, seconds since the Unix epoch.
        time: u32,
        /// How many transactions it holds, the coinbase included.
        transactions: u32,
    },
    /// A block left the active chain.
    BlockDisconnected {
        /// The block.
        hash: BlockHash,
        /// Its height.
        height: Height,
    },
    /// The tip moved: said once, after all blocks of the move.
    TipChanged {
        /// The tip before.
        old: BlockHash,
        /// The tip now.
        new: BlockHash,
        /// Its height.
        height: Height,
        /// How many blocks were disconnected; 0 if the chain only grew.
        reorg_depth: u32,
    },
    /// The best header moved ahead of the blocks.
    HeaderTip {
        /// The best header.
        hash: BlockHash,
        /// Its height.
        height: Height,
    },
    /// A block broke a rule.
    BlockRejected {
        /// The block.
        hash: BlockHash,
        /// The rule and how it was broken, in one line.
        reason: String,
    },
    /// A transaction came into the mempool.
    TransactionAccepted {
        /// Its id.
        txid: Txid,
        /// Its id with witnesses.
        wtxid: Wtxid,
        /// Its fee.
        fee: Amount,
        /// Encoded size in bytes.
        size: u32,
    },
    /// A transaction left the mempool.
    TransactionRemoved {
        /// Its id.
        txid: Txid,
        /// Why.
        reason: RemovalReason,
    },
    /// A peer finished its handshake.
    PeerConnected {
        /// The node's number for it.
        peer: u64,
        /// Its address.
        address: SocketAddr,
        /// Whether it connected to us.
        inbound: bool,
    },
    /// A peer is gone.
    PeerDisconnected {
        /// The node's number for it.
        peer: u64,
        /// Why, in words.
        reason: String,
    },
    /// This client read too slowly and lost events.
    Missed {
        /// How many.
        count: u64,
    },
}

impl Event {
    /// The topic that it belongs to; `None` for what every subscriber must know.
    pub fn topic(&self) -> Option<Topic> {
        match self {
            Event::BlockConnected { .. }
            | Event::BlockDisconnected { .. }
            | Event::TipChanged { .. }
            | Event::BlockRejected { .. }
            | Event::HeaderTip { .. } => Some(Topic::Blocks),
            Event::TransactionAccepted { .. } | Event::TransactionRemoved { .. } => Some(Topic::Transactions),
            Event::PeerConnected { .. } | Event::PeerDisconnected { .. } => Some(Topic::Peers),
            Event::Missed { .. } => None,
        }
    }

    /// The notification as it goes over the wire.
    pub fn notification(&self) -> Value {
        json!({ "jsonrpc": "2.0", "method": EVENT_METHOD, "params": self })
    }
}

/// Why a transaction left the mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovalReason {
    /// A block holds it.
    Confirmed,
    /// A block holds another that spends the same coin.
    Conflict,
    /// One that pays more took its place.
    Replaced,
    /// The mempool was full.
    Evicted,
    /// It waited too long.
    Expired,
    /// A reorganisation made it invalid for now.
    Reorg,
}
