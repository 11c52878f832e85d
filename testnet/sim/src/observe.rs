//! What labs look at: when which host did what. Kept only where somebody asked for it.

use tally_node_core::event::Event as NodeEvent;
use tally_primitives::hash::{BlockHash, Txid};
use tally_wire::{Message, MessageKind};

use crate::clock::VirtualTime;

/// Something that a host's node told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// When.
    pub at: VirtualTime,
    /// Which host.
    pub host: usize,
    /// What.
    pub what: T,
}

/// Everything that was seen, in order.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// New tips, with their heights.
    pub tips: Vec<Seen<(BlockHash, u32)>>,
    /// Transactions taken into mempools.
    pub transactions: Vec<Seen<Txid>>,
    /// Nodes that started (true) or died.
    pub running: Vec<Seen<bool>>,
}

impl Observations {
    pub(crate) fn note(&mut self, at: VirtualTime, host: usize, event: &NodeEvent) {
        match event {
            NodeEvent::TipChanged { new, height, .. } => {
                self.tips.push(Seen { at, host, what: (*new, height.get()) });
            }
            NodeEvent::TransactionAccepted { txid, .. } => self.transactions.push(Seen { at, host, what: *txid }),
            _ => {}
        }
    }
}

/// How many messages of each kind were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageCounts {
    by_kind: Vec<u64>,
}

impl MessageCounts {
    pub(crate) fn note(&mut self, message: &Message) {
        let kind = message.kind().index() as usize;
        if self.by_kind.len() <= kind {
            self.by_kind.resize(kind + 1, 0);
        }
        self.by_kind[kind] += 1;
    }

    /// Messages of one kind.
    #[must_use]
    pub fn of(&self, kind: MessageKind) -> u64 {
        self.by_kind.get(kind.index() as usize).copied().unwrap_or(0)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.by_kind.iter().sum()
    }
}
