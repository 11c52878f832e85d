//! Transactions whose parents have not come yet.
//!
//! Every orphan is charged to each peer that sent it. A peer that is over its share loses its own oldest orphan; one that others sent too
//! stays on their account. So nobody can push out what another peer sent. What is charged is memory, of which many small inputs take far more than
//! their encoding has bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tally_primitives::hash::{Txid, Wtxid};
use tally_primitives::spending::SpendingPolicy;
use tally_primitives::transaction::{OutPoint, Transaction};
use tally_primitives::units::Timestamp;

use crate::net::limits::{MAX_ORPHAN_BYTES_PER_PEER, MAX_ORPHANS_PER_PEER, ORPHAN_EXPIRY_MS};
use crate::net::peer::PeerId;

/// An input beyond its encoding: its places among the parents and the coins that are waited for.
const ORPHAN_INPUT_BYTES: usize = 400;

/// A node of a policy.
const POLICY_NODE_BYTES: usize = size_of::<SpendingPolicy>();

/// Orphans by wtxid, by parent and by sender.
#[derive(Debug, Default)]
pub(crate) struct OrphanPool {
    orphans: BTreeMap<Wtxid, Orphan>,
    by_parent: BTreeSet<(Txid, Wtxid)>,
    by_outpoint: BTreeSet<(OutPoint, Wtxid)>,
    by_peer: BTreeMap<PeerId, Account>,
    expiries: BTreeSet<(Timestamp, Wtxid)>,
    sequence: u64,
}

#[derive(Debug)]
struct Orphan {
    transaction: Arc<Transaction>,
    bytes: usize,
    expires: Timestamp,
    senders: BTreeMap<PeerId, u64>,
}

#[derive(Debug, Default)]
struct Account {
    /// By the order in which they came.
    orphans: BTreeMap<u64, Wtxid>,
    bytes: usize,
}

impl OrphanPool {
    /// Keeps a transaction that `peer` sent.
    pub fn insert(&mut self, now: Timestamp, peer: PeerId, wtxid: Wtxid, transaction: Arc<Transaction>) {
        let bytes = self.orphans.get(&wtxid).map_or_else(|| memory(&transaction), |orphan| Some(orphan.bytes));
        let Some(bytes) = bytes.filter(|bytes| *bytes <= MAX_ORPHAN_BYTES_PER_PEER) else {
            return;
        };
        if !self.orphans.contains_key(&wtxid) {
            let expires = now.saturating_add_millis(ORPHAN_EXPIRY_MS);
            for input in &transaction.inputs {
                self.by_parent.insert((input.outpoint.txid, wtxid));
                self.by_outpoint.insert((input.outpoint, wtxid));
            }
            self.expiries.insert((expires, wtxid));
            let orphan = Orphan { transaction, bytes, expires, senders: BTreeMap::new() };
            self.orphans.insert(wtxid, orphan);
        }
        let Some(orphan) = self.orphans.get_mut(&wtxid) else {
            return;
        };
        if orphan.senders.contains_key(&peer) {
            return;
        }
        self.sequence += 1;
        orphan.senders.insert(peer, self.sequence);
        let account = self.by_peer.entry(peer).or_default();
        account.orphans.insert(self.sequence, wtxid);
        account.bytes += bytes;
        self.enforce_share(peer);
    }

    fn enforce_share(&mut self, peer: PeerId) {
        while let Some(account) = self.by_peer.get(&peer)
            && (account.orphans.len() > MAX_ORPHANS_PER_PEER || account.bytes > MAX_ORPHAN_BYTES_PER_PEER)
            && let Some(oldest) = account.orphans.values().next().copied()
        {
            self.forget_sender(peer, oldest);
        }
    }

    /// Takes an orphan off a peer's account, and away altogether if no other peer sent it.
    fn forget_sender(&mut self, peer: PeerId, wtxid: Wtxid) {
        let Some(orphan) = self.orphans.get_mut(&wtxid) else {
            return;
        };
        let Some(sequence) = orphan.senders.remove(&peer) else {
            return;
        };
        if let Some(account) = self.by_peer.get_mut(&peer) {
            account.orphans.remove(&sequence);
            account.bytes -= orphan.bytes;
            if account.orphans.is_empty() {
                self.by_peer.remove(&peer);
            }
        }
        if orphan.senders.is_empty() {
            self.take(&wtxid);
        }
    }

    /// Takes an orphan out, with those who sent it.
    pub fn take(&mut self, wtxid: &Wtxid) -> Option<(Arc<Transaction>, Vec<PeerId>)> {
        let orphan = self.orphans.remove(wtxid)?;
        for input in &orphan.transaction.inputs {
            self.by_parent.remove(&(input.outpoint.txid, *wtxid));
            self.by_outpoint.remove(&(input.outpoint, *wtxid));
        }
        self.expiries.remove(&(orphan.expires, *wtxid));
        for (peer, sequence) in &orphan.senders {
            if let Some(account) = self.by_peer.get_mut(peer) {
                account.orphans.remove(sequence);
                account.bytes -= orphan.bytes;
                if account.orphans.is_empty() {
                    self.by_peer.remove(peer);
                }
            }
        }
        Some((orphan.transaction, orphan.senders.into_keys().collect()))
    }

    /// The orphans that spend an output of this transaction.
    pub fn children(&self, parent: &Txid) -> Vec<Wtxid> {
        let from = (*parent, Wtxid::ZERO);
        self.by_parent.range(from..).take_while(|(txid, _)| txid == parent).map(|(_, wtxid)| *wtxid).collect()
    }

    /// The orphans that spend this very coin.
    pub fn spenders(&self, outpoint: &OutPoint) -> Vec<Wtxid> {
        let from = (*outpoint, Wtxid::ZERO);
        self.by_outpoint.range(from..).take_while(|(spent, _)| spent == outpoint).map(|(_, wtxid)| *wtxid).collect()
    }

    /// Whether this transaction waits here.
    pub fn contains(&self, wtxid: &Wtxid) -> bool {
        self.orphans.contains_key(wtxid)
    }

    /// All that wait, by wtxid.
    pub fn iter(&self) -> impl Iterator<Item = (&Wtxid, &Arc<Transaction>)> {
        self.orphans.iter().map(|(wtxid, orphan)| (wtxid, &orphan.transaction))
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.orphans.len()
    }

    /// A peer is gone, and with it what only it sent.
    pub fn peer_gone(&mut self, peer: PeerId) {
        let Some(account) = self.by_peer.get(&peer) else {
            return;
        };
        let sent: Vec<Wtxid> = account.orphans.values().copied().collect();
        for wtxid in sent {
            self.forget_sender(peer, wtxid);
        }
    }

    /// Drops those that have waited too long.
    pub fn expire(&mut self, now: Timestamp) {
        while let Some((expires, wtxid)) = self.expiries.first().copied()
            && expires <= now
        {
            self.expiries.remove(&(expires, wtxid));
            self.take(&wtxid);
        }
    }
}

/// What a transaction takes here, in bytes; `None` if it can never be valid, whatever its parents are.
fn memory(transaction: &Transaction) -> Option<usize> {
    let mut nodes = 0;
    for input in &transaction.inputs {
        input.witness.policy.check_limits().ok()?;
        nodes += policy_nodes(&input.witness.policy);
    }
    Some(transaction.encoded_size() + transaction.inputs.len() * ORPHAN_INPUT_BYTES + nodes * POLICY_NODE_BYTES)
}

/// The nodes of a policy that is within its limits.
fn policy_nodes(policy: &SpendingPolicy) -> usize {
    match policy {
        SpendingPolicy::Threshold { of, .. } => 1 + of.iter().map(policy_nodes).sum::<usize>(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
