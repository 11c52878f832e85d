//! An upload target: bytes that a node wants to send in a day. When they are spent, old blocks are not served any more; new ones and
//! everything else are, so that the network does not suffer.

use tally_primitives::units::Timestamp;
use tally_wire::InventoryItem;

use crate::net::disconnect::DisconnectReason;
use crate::net::limits::{RECENT_BLOCK_SECONDS, UPLOAD_PERIOD_MS};
use crate::net::peer::{PeerId, Role};
use crate::node::Node;

/// What was sent in the current period.
#[derive(Debug)]
pub(crate) struct Upload {
    bytes: u64,
    since: Timestamp,
}

impl Upload {
    pub fn new(now: Timestamp) -> Upload {
        Upload { bytes: 0, since: now }
    }

    /// So much was sent.
    pub fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    fn spent(&mut self, now: Timestamp) -> u64 {
        if now.millis_since(self.since) >= UPLOAD_PERIOD_MS {
            *self = Upload::new(now);
        }
        self.bytes
    }
}

impl Node {
    /// Why requests are not served any more today, if they are for old blocks and the target is reached. Whom the operator asked for is served.
    pub(crate) fn upload_refusal(
        &mut self,
        now: Timestamp,
        id: PeerId,
        items: &[InventoryItem],
    ) -> Option<DisconnectReason> {
        let target = self.config.max_upload_per_day?;
        if self.net.upload.spent(now) < target {
            return None;
        }
        if self.net.peers.get(&id).is_none_or(|peer| peer.role == Role::Manual) {
            return None;
        }
        let index = self.chain.index();
        let is_old = |item: &InventoryItem| match item {
            // What lies deep is sent whole, in whatever form it is asked for.
            InventoryItem::Block(hash) | InventoryItem::CompactBlock(hash) => index
                .entry(hash)
                .is_some_and(|entry| now.as_seconds().saturating_sub(entry.header.time) > RECENT_BLOCK_SECONDS),
            _ => false,
        };
        items.iter().any(is_old).then_some(DisconnectReason::UploadTarget { bytes: target })
    }

    /// Bytes of blocks, transactions and headers sent in the current day.
    pub fn uploaded_today(&self) -> u64 {
        self.net.upload.bytes
    }
}
