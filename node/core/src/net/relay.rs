//! Transactions from peers: announced, asked for, taken into the mempool or kept as orphans, and passed on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tally_primitives::hash::{Txid, Wtxid};
use tally_primitives::transaction::{OutPoint, Transaction};
use tally_primitives::units::Timestamp;
use tally_wire::{InventoryItem, Message};

use crate::chain::TipChange;
use crate::event::RemovalReason;
use crate::mempool::{Accepted, MempoolError};
use crate::net::disconnect::Violation;
use crate::net::limits::{CONFIRMED_TRANSACTIONS, ORPHANS_PER_TURN, REJECTED_TRANSACTIONS};
use crate::net::orphans::OrphanPool;
use crate::net::peer::PeerId;
use crate::net::recent::Recent;
use crate::net::requests::{Asks, TransactionRequests};
use crate::node::Node;

/// Everything about transactions that are not in the mempool.
#[derive(Debug)]
pub(crate) struct TransactionRelay {
    pub requests: TransactionRequests,
    pub orphans: OrphanPool,
    /// Orphans one of whose parents has come.
    ready: VecDeque<Wtxid>,
    rejected: Recent<Wtxid>,
    confirmed: Recent<Wtxid>,
}

impl TransactionRelay {
    pub fn new() -> TransactionRelay {
        TransactionRelay {
            requests: TransactionRequests::default(),
            orphans: OrphanPool::default(),
            ready: VecDeque::new(),
            rejected: Recent::new(REJECTED_TRANSACTIONS),
            confirmed: Recent::new(CONFIRMED_TRANSACTIONS),
        }
    }

    /// Whether orphans wait to be looked at again.
    pub fn has_ready_orphans(&self) -> bool {
        !self.ready.is_empty()
    }
}

impl Node {
    pub(crate) fn on_inventory(&mut self, now: Timestamp, id: PeerId, items: &[InventoryItem]) {
        let syncing = self.chain.is_syncing();
        let mut asks = Vec::new();
        for item in items {
            match item {
                InventoryItem::Block(hash) if self.chain.index().find(hash).is_some() => self.note_has_block(id, hash),
                InventoryItem::Block(_) => self.request_headers(now, id),
                // Blocks are announced by their hashes alone, in whatever form they are asked for then.
                InventoryItem::CompactBlock(_) => {}
                InventoryItem::Transaction(wtxid) => {
                    if let Some(peer) = self.net.peers.get_mut(&id) {
                        peer.announcer.note_known(wtxid);
                    }
                    if !syncing && !self.is_settled(wtxid) {
                        asks.extend(self.net.relay.requests.announced(now, id, *item));
                    }
                }
                // Nobody announces by txid.
                InventoryItem::Parent(_) => {}
            }
        }
        self.ask_for(asks);
        self.schedule_downloads(now);
    }

    /// Whether a transaction need not be asked for: here, refused or confirmed.
    fn is_settled(&self, wtxid: &Wtxid) -> bool {
        let relay = &self.net.relay;
        self.mempool.get_by_wtxid(wtxid).is_some()
            || relay.orphans.contains(wtxid)
            || relay.rejected.contains(wtxid)
            || relay.confirmed.contains(wtxid)
    }

    /// Sends each peer what it is to be asked for, in one message.
    pub(crate) fn ask_for(&mut self, asks: Asks) {
        let mut by_peer: BTreeMap<PeerId, Vec<InventoryItem>> = BTreeMap::new();
        for (peer, item) in asks {
            by_peer.entry(peer).or_default().push(item);
        }
        for (peer, items) in by_peer {
            self.send(peer, Message::GetData(items));
        }
    }

    pub(crate) fn on_not_found(&mut self, now: Timestamp, id: PeerId, items: &[InventoryItem]) {
        for item in items {
            if let InventoryItem::Block(hash) | InventoryItem::CompactBlock(hash) = item {
                self.block_transactions_not_found(now, id, hash);
                if self.net.peers.get(&id).is_none_or(|peer| !peer.download.expects(hash)) {
                    continue;
                }
                self.block_not_delivered(id, hash);
                // It does not have what we thought; its next announcement will say what it has.
                if let Some(peer) = self.net.peers.get_mut(&id) {
                    peer.headers.best = None;
                }
            } else {
                let asks = self.net.relay.requests.not_found(now, id, *item);
                self.ask_for(asks);
            }
        }
        self.schedule_downloads(now);
    }

    pub(crate) fn on_transaction(&mut self, now: Timestamp, id: PeerId, transaction: Arc<Transaction>) {
        let wtxid = transaction.wtxid();
        if let Some(peer) = self.net.peers.get_mut(&id) {
            peer.announcer.note_known(&wtxid);
        }
        let requests = &mut self.net.relay.requests;
        let mut asks = requests.settled(now, InventoryItem::Transaction(wtxid));
        asks.extend(requests.settled(now, InventoryItem::Parent(transaction.txid())));
        self.ask_for(asks);
        if self.chain.is_syncing() {
            return;
        }
        if self.net.relay.orphans.contains(&wtxid) {
            // From one peer more: now it stands on that one's account too.
            self.net.relay.orphans.insert(now, id, wtxid, transaction);
        } else if !self.is_settled(&wtxid) {
            self.take_transaction(now, &[id], wtxid, transaction);
            self.look_at_ready_orphans(now);
        }
    }

    /// Takes a transaction that these peers sent.
    fn take_transaction(&mut self, now: Timestamp, senders: &[PeerId], wtxid: Wtxid, transaction: Arc<Transaction>) {
        match self.mempool.accept(transaction.clone(), &self.chain, now) {
            Ok(accepted) => self.transaction_accepted(now, &accepted),
            Err(MempoolError::MissingInputs { missing }) => {
                for sender in senders {
                    self.net.relay.orphans.insert(now, *sender, wtxid, transaction.clone());
                }
                self.ask_for_parents(now, senders, &missing);
            }
            Err(MempoolError::Chain(error)) if error.is_fatal() => self.halt(&error),
            Err(error) => {
                self.net.relay.rejected.insert(wtxid);
                if let MempoolError::Rule(error) = error {
                    for sender in senders {
                        self.punish(now, *sender, Violation::Transaction { wtxid, error: error.clone() });
                    }
                }
            }
        }
    }

    /// Whoever has the child should have the parents.
    fn ask_for_parents(&mut self, now: Timestamp, senders: &[PeerId], missing: &[OutPoint]) {
        let parents: BTreeSet<Txid> = missing.iter().map(|outpoint| outpoint.txid).collect();
        let mut asks = Vec::new();
        for parent in parents.into_iter().filter(|parent| !self.mempool.contains(parent)) {
            for sender in senders.iter().filter(|sender| self.net.peers.contains_key(sender)) {
                asks.extend(self.net.relay.requests.announced(now, *sender, InventoryItem::Parent(parent)));
            }
        }
        self.ask_for(asks);
    }

    /// Passes on a transaction that the mempool has taken, and looks for orphans that waited for it.
    fn transaction_accepted(&mut self, now: Timestamp, accepted: &Accepted) {
        self.emit_accepted(&accepted.txid);
        self.emit_removed(&accepted.replaced, RemovalReason::Replaced);
        self.emit_removed(&accepted.evicted, RemovalReason::Evicted);
        self.announce_transaction(now, accepted.wtxid);
        let children = self.net.relay.orphans.children(&accepted.txid);
        self.net.relay.ready.extend(children);
    }

    /// Looks again at some of the orphans whose parents have come; the rest has its turn with the next tick.
    pub(crate) fn look_at_ready_orphans(&mut self, now: Timestamp) {
        for _ in 0..ORPHANS_PER_TURN {
            let Some(wtxid) = self.net.relay.ready.pop_front() else {
                return;
            };
            if let Some((transaction, senders)) = self.net.relay.orphans.take(&wtxid) {
                self.take_transaction(now, &senders, wtxid, transaction);
            }
        }
    }

    /// After the tip moved: what was confirmed is not asked for any more, orphans find their parents in blocks, what was refused may be
    /// acceptable now, and what a reorganisation returned is announced to those who never had it.
    pub(crate) fn follow_transactions(&mut self, now: Timestamp, changes: &TipChange, returned: &[Txid]) {
        self.net.relay.rejected.clear();
        if !changes.disconnected.is_empty() {
            self.net.relay.confirmed.clear();
        }
        if self.chain.is_syncing() {
            return;
        }
        for position in &changes.connected {
            let Ok(Some(block)) = self.chain.block(&position.hash) else {
                continue;
            };
            let ids = self.chain.block_ids(&position.hash, &block);
            for (transaction, (txid, wtxid)) in block.transactions.iter().zip(ids.txids.iter().zip(&ids.wtxids)) {
                self.transaction_confirmed(now, transaction, txid, wtxid);
            }
        }
        for txid in returned {
            if let Some(wtxid) = self.mempool.get(txid).map(|entry| entry.wtxid) {
                self.announce_transaction(now, wtxid);
            }
        }
        self.look_at_ready_orphans(now);
    }

    fn transaction_confirmed(&mut self, now: Timestamp, transaction: &Transaction, txid: &Txid, wtxid: &Wtxid) {
        let relay = &mut self.net.relay;
        // Nobody announces a coinbase.
        if !transaction.is_coinbase() {
            relay.confirmed.insert(*wtxid);
        }
        for input in &transaction.inputs {
            // The transaction itself, or one that can never be valid now.
            for spender in relay.orphans.spenders(&input.outpoint) {
                relay.orphans.take(&spender);
            }
        }
        let children = relay.orphans.children(txid);
        relay.ready.extend(children);
        let mut asks = relay.requests.settled(now, InventoryItem::Transaction(*wtxid));
        asks.extend(relay.requests.settled(now, InventoryItem::Parent(*txid)));
        self.ask_for(asks);
    }

    /// Takes a transaction from the operator or from a wallet, and passes it on.
    ///
    /// # Errors
    /// Why the mempool refuses it.
    pub fn submit_transaction(
        &mut self,
        now: Timestamp,
        transaction: Arc<Transaction>,
    ) -> Result<Accepted, MempoolError> {
        self.begin(now);
        let result = self.mempool.accept(transaction, &self.chain, now);
        match &result {
            Ok(accepted) => {
                self.transaction_accepted(now, accepted);
                self.look_at_ready_orphans(now);
            }
            Err(MempoolError::Chain(error)) if error.is_fatal() => self.halt(error),
            Err(_) => {}
        }
        self.finish(now);
        result
    }

    /// The transactions of the mempool, parents before children, at most `max` of them.
    pub(crate) fn mempool_wtxids(&self, max: usize) -> Vec<Wtxid> {
        let mut entries: Vec<(u64, Wtxid)> =
            self.mempool.entries().map(|entry| (entry.sequence, entry.wtxid)).collect();
        entries.sort_unstable();
        entries.truncate(max);
        entries.into_iter().map(|(_, wtxid)| wtxid).collect()
    }

    pub(crate) fn tick_relay(&mut self, now: Timestamp) {
        let asks = self.net.relay.requests.expire(now);
        self.ask_for(asks);
        self.look_at_ready_orphans(now);
    }
}
