//! Every message, in the order that fixes its number on the wire.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tally_primitives::block::{Block, Header};
use tally_primitives::encode;
use tally_primitives::hash::BlockHash;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::FeeRate;

use crate::address::AddressRecord;
use crate::compact::{CompactBlock, ascend_below};
use crate::inventory::InventoryItem;
use crate::limits::{self, KIND_BYTES, LENGTH_BYTES};
use crate::version::Version;

/// A message between peers. Its payload is its encoding: the variant's number as u32, then its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Who is speaking; the first message in both directions. Boxed: it is by far the largest, and rare.
    Version(Box<Version>),
    /// The other's `Version` is accepted; the second message in both directions.
    VersionAck,
    /// Are you there?
    Ping {
        /// Chosen by the asker.
        nonce: u64,
    },
    /// Yes.
    Pong {
        /// That of the `Ping`.
        nonce: u64,
    },
    /// Which other nodes do you know?
    GetAddresses,
    /// These.
    Addresses(#[serde(with = "encode::list")] Vec<AddressRecord>),
    /// What follows on the last block that we have in common?
    GetHeaders {
        /// Hashes of the asker's chain, from its tip back to genesis with growing steps.
        #[serde(with = "encode::list")]
        locator: Vec<BlockHash>,
        /// Where to stop; zero: at the tip.
        stop: BlockHash,
    },
    /// These headers, each the child of the one before. Also sent unasked to announce a new tip.
    Headers(#[serde(with = "encode::shared_list")] Arc<[Header]>),
    /// I have these.
    Inventory(#[serde(with = "encode::list")] Vec<InventoryItem>),
    /// Send me these.
    GetData(#[serde(with = "encode::list")] Vec<InventoryItem>),
    /// I do not have these that you asked for.
    NotFound(#[serde(with = "encode::list")] Vec<InventoryItem>),
    /// A block.
    Block(Arc<Block>),
    /// A transaction.
    Transaction(Arc<Transaction>),
    /// I can take blocks in compact form.
    SendCompact {
        /// Push them to me as soon as you have checked the header's work; else I ask for them.
        high_bandwidth: bool,
    },
    /// A block for those who have most of its transactions.
    CompactBlock(Arc<CompactBlock>),
    /// Send me these transactions of a block.
    GetBlockTransactions {
        /// Which block.
        block: BlockHash,
        /// Their places in it, ascending.
        #[serde(with = "encode::list")]
        indexes: Vec<u16>,
    },
    /// These, in the order in which they were asked for.
    BlockTransactions {
        /// Which block.
        block: BlockHash,
        /// The transactions.
        #[serde(with = "encode::list")]
        transactions: Vec<Arc<Transaction>>,
    },
    /// Do not announce transactions to me that pay less than this.
    FeeFilter {
        /// The least rate.
        rate: FeeRate,
    },
}

/// The kind of a message: its number on the wire, its name, its longest payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageKind {
    /// [`Message::Version`]
    Version,
    /// [`Message::VersionAck`]
    VersionAck,
    /// [`Message::Ping`]
    Ping,
    /// [`Message::Pong`]
    Pong,
    /// [`Message::GetAddresses`]
    GetAddresses,
    /// [`Message::Addresses`]
    Addresses,
    /// [`Message::GetHeaders`]
    GetHeaders,
    /// [`Message::Headers`]
    Headers,
    /// [`Message::Inventory`]
    Inventory,
    /// [`Message::GetData`]
    GetData,
    /// [`Message::NotFound`]
    NotFound,
    /// [`Message::Block`]
    Block,
    /// [`Message::Transaction`]
    Transaction,
    /// [`Message::SendCompact`]
    SendCompact,
    /// [`Message::CompactBlock`]
    CompactBlock,
    /// [`Message::GetBlockTransactions`]
    GetBlockTransactions,
    /// [`Message::BlockTransactions`]
    BlockTransactions,
    /// [`Message::FeeFilter`]
    FeeFilter,
}

impl MessageKind {
    /// Every kind; a kind's place is its number on the wire.
    pub const ALL: [MessageKind; 18] = [
        MessageKind::Version,
        MessageKind::VersionAck,
        MessageKind::Ping,
        MessageKind::Pong,
        MessageKind::GetAddresses,
        MessageKind::Addresses,
        MessageKind::GetHeaders,
        MessageKind::Headers,
        MessageKind::Inventory,
        MessageKind::GetData,
        MessageKind::NotFound,
        MessageKind::Block,
        MessageKind::Transaction,
        MessageKind::SendCompact,
        MessageKind::CompactBlock,
        MessageKind::GetBlockTransactions,
        MessageKind::BlockTransactions,
        MessageKind::FeeFilter,
    ];

    /// The kind with this number, if there is one.
    #[must_use]
    pub fn from_index(index: u32) -> Option<MessageKind> {
        usize::try_from(index).ok().and_then(|index| MessageKind::ALL.get(index)).copied()
    }

    /// The number on the wire.
    #[must_use]
    pub const fn index(self) -> u32 {
        self as u32
    }

    /// The longest payload of this kind, in bytes. For lists of items of one size this is the limit on their number too.
    #[must_use]
    pub const fn max_payload(self) -> usize {
        match self {
            MessageKind::Version => limits::VERSION_BYTES,
            MessageKind::VersionAck | MessageKind::GetAddresses => limits::EMPTY_BYTES,
            MessageKind::Ping | MessageKind::Pong => limits::PING_BYTES,
            MessageKind::Addresses => limits::ADDRESSES_BYTES,
            MessageKind::GetHeaders => limits::GET_HEADERS_BYTES,
            MessageKind::Headers => limits::HEADERS_BYTES,
            MessageKind::Inventory => limits::INVENTORY_BYTES,
            MessageKind::GetData | MessageKind::NotFound => limits::GET_DATA_BYTES,
            MessageKind::Block | MessageKind::Transaction => limits::BLOCK_BYTES,
            MessageKind::SendCompact => limits::SEND_COMPACT_BYTES,
            MessageKind::CompactBlock => limits::COMPACT_BLOCK_BYTES,
            MessageKind::GetBlockTransactions => limits::GET_BLOCK_TRANSACTIONS_BYTES,
            MessageKind::BlockTransactions => limits::BLOCK_TRANSACTIONS_BYTES,
            MessageKind::FeeFilter => limits::FEE_FILTER_BYTES,
        }
    }

    /// The name, as in the documentation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            MessageKind::Version => "Version",
            MessageKind::VersionAck => "VersionAck",
            MessageKind::Ping => "Ping",
            MessageKind::Pong => "Pong",
            MessageKind::GetAddresses => "GetAddresses",
            MessageKind::Addresses => "Addresses",
            MessageKind::GetHeaders => "GetHeaders",
            MessageKind::Headers => "Headers",
            MessageKind::Inventory => "Inventory",
            MessageKind::GetData => "GetData",
            MessageKind::NotFound => "NotFound",
            MessageKind::Block => "Block",
            MessageKind::Transaction => "Transaction",
            MessageKind::SendCompact => "SendCompact",
            MessageKind::CompactBlock => "CompactBlock",
            MessageKind::GetBlockTransactions => "GetBlockTransactions",
            MessageKind::BlockTransactions => "BlockTransactions",
            MessageKind::FeeFilter => "FeeFilter",
        }
    }
}

impl core::fmt::Display for MessageKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

impl Message {
    /// What kind of message this is.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self {
            Message::Version(_) => MessageKind::Version,
            Message::VersionAck => MessageKind::VersionAck,
            Message::Ping { .. } => MessageKind::Ping,
            Message::Pong { .. } => MessageKind::Pong,
            Message::GetAddresses => MessageKind::GetAddresses,
            Message::Addresses(_) => MessageKind::Addresses,
            Message::GetHeaders { .. } => MessageKind::GetHeaders,
            Message::Headers(_) => MessageKind::Headers,
            Message::Inventory(_) => MessageKind::Inventory,
            Message::GetData(_) => MessageKind::GetData,
            Message::NotFound(_) => MessageKind::NotFound,
            Message::Block(_) => MessageKind::Block,
            Message::Transaction(_) => MessageKind::Transaction,
            Message::SendCompact { .. } => MessageKind::SendCompact,
            Message::CompactBlock(_) => MessageKind::CompactBlock,
            Message::GetBlockTransactions { .. } => MessageKind::GetBlockTransactions,
            Message::BlockTransactions { .. } => MessageKind::BlockTransactions,
            Message::FeeFilter { .. } => MessageKind::FeeFilter,
        }
    }

    /// The length of the payload in bytes, without making it.
    #[must_use]
    pub fn payload_size(&self) -> usize {
        // Known without a look at each item, where all are of one size: as most that is sent.
        let list = |items: usize, size: usize| KIND_BYTES + LENGTH_BYTES + items * size;
        match self {
            Message::VersionAck | Message::GetAddresses => limits::EMPTY_BYTES,
            Message::Ping { .. } | Message::Pong { .. } => limits::PING_BYTES,
            Message::SendCompact { .. } => limits::SEND_COMPACT_BYTES,
            Message::Headers(headers) => list(headers.len(), Header::SIZE),
            Message::Inventory(items) | Message::GetData(items) | Message::NotFound(items) => {
                list(items.len(), limits::INVENTORY_ITEM_BYTES)
            }
            _ => encode::encoded_size(self),
        }
    }

    /// Whether it may be long, so that it counts for what waits to be sent to a peer that reads slowly.
    #[must_use]
    pub const fn is_bulk(&self) -> bool {
        matches!(
            self,
            Message::Headers(_)
                | Message::Block(_)
                | Message::Transaction(_)
                | Message::CompactBlock(_)
                | Message::BlockTransactions { .. }
        )
    }

    /// Whether a list is longer than its kind allows: the limit on bytes alone does not say so where items differ
    /// in size. Returns (items, allowed).
    pub(crate) fn excess_items(&self) -> Option<(usize, usize)> {
        let (items, max) = match self {
            Message::Addresses(records) => (records.len(), limits::MAX_ADDRESSES),
            Message::GetHeaders { locator, .. } => (locator.len(), limits::MAX_LOCATOR_HASHES),
            Message::Headers(headers) => (headers.len(), limits::MAX_HEADERS),
            Message::Inventory(items) => (items.len(), limits::MAX_INVENTORY_ITEMS),
            Message::GetData(items) | Message::NotFound(items) => (items.len(), limits::MAX_GET_DATA_ITEMS),
            Message::CompactBlock(compact) => (compact.transaction_count(), limits::MAX_BLOCK_TRANSACTIONS),
            Message::GetBlockTransactions { indexes, .. } => (indexes.len(), limits::MAX_BLOCK_TRANSACTIONS),
            Message::BlockTransactions { transactions, .. } => (transactions.len(), limits::MAX_BLOCK_TRANSACTIONS),
            _ => return None,
        };
        (items > max).then_some((items, max))
    }

    /// Whether places in a block are what they should be: ascending, so that there is one way to say a thing, and within the block.
    pub(crate) fn has_good_places(&self) -> bool {
        match self {
            Message::CompactBlock(compact) => compact.is_well_formed(),
            Message::GetBlockTransactions { indexes, .. } => {
                ascend_below(indexes.iter().copied(), limits::MAX_BLOCK_TRANSACTIONS)
            }
            _ => true,
        }
    }
}
