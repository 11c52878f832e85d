//! The transactions of the mempool as a graph, with the orders that mining, eviction and expiry need. No judgement here.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tally_primitives::hash::{Txid, Wtxid};
use tally_primitives::transaction::{Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, FeeRate, Height, Timestamp};

/// Estimated bytes that an entry takes in the maps and orders of the pool, besides itself.
const INDEX_OVERHEAD: usize = 480;
/// Estimated bytes that an input takes there.
const INPUT_OVERHEAD: usize = 96;

/// Sums over a set of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// How many.
    pub count: usize,
    /// Their encoded bytes.
    pub size: usize,
    /// Their fees.
    pub fee: Amount,
}

impl Totals {
    /// The fee rate of all together.
    pub fn rate(&self) -> FeeRate {
        FeeRate::of(self.fee, self.size)
    }

    pub(crate) fn add(&mut self, other: &Totals) {
        self.count += other.count;
        self.size += other.size;
        self.fee = self.fee.checked_add(other.fee).unwrap_or(Amount::from_notches(u64::MAX));
    }

    pub(crate) fn subtract(&mut self, other: &Totals) {
        self.count = self.count.saturating_sub(other.count);
        self.size = self.size.saturating_sub(other.size);
        self.fee = self.fee.checked_sub(other.fee).unwrap_or(Amount::ZERO);
    }
}

/// A transaction of the mempool.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// Its id.
    pub txid: Txid,
    /// Its id with witnesses.
    pub wtxid: Wtxid,
    /// What it pays.
    pub fee: Amount,
    /// Its encoded size in bytes.
    pub size: usize,
    /// When it came.
    pub time: Timestamp,
    /// The height of the next block when it was last judged: it is valid in every block from there on, unless a
    /// reorganisation changes its coins.
    pub judged_at: Height,
    /// Counts entries as they came; parents always have a lower number than their children.
    pub sequence: u64,
    /// Transactions here whose outputs it spends.
    pub parents: BTreeSet<Txid>,
    /// Transactions here that spend its outputs.
    pub children: BTreeSet<Txid>,
    /// It and all its ancestors here.
    pub ancestors: Totals,
    /// It and all its descendants here.
    pub descendants: Totals,
}

impl Entry {
    /// An entry that has not been put into the pool.
    pub fn new(
        transaction: Arc<Transaction>,
        ids: (Txid, Wtxid),
        fee: Amount,
        time: Timestamp,
        height: Height,
    ) -> Self {
        let (txid, wtxid) = ids;
        let size = transaction.encoded_size();
        let own = Totals { count: 1, size, fee };
        Self {
            transaction,
            txid,
            wtxid,
            fee,
            size,
            time,
            judged_at: height,
            sequence: 0,
            parents: BTreeSet::new(),
            children: BTreeSet::new(),
            ancestors: own,
            descendants: own,
        }
    }

    /// Its own fee rate.
    pub fn rate(&self) -> FeeRate {
        FeeRate::of(self.fee, self.size)
    }

    /// What it counts for when a block is filled: no more than it brings together with what it needs.
    pub fn mining_score(&self) -> FeeRate {
        self.rate().min(self.ancestors.rate())
    }

    /// What it counts for when the pool is full: no less than what depends on it.
    pub fn keeping_score(&self) -> FeeRate {
        self.rate().max(self.descendants.rate())
    }

    /// Bytes of memory it takes, near enough: its structures, lists and places in the pool's orders.
    pub fn memory(&self) -> usize {
        let lists = self.transaction.inputs.len() * (size_of::<Input>() + INPUT_OVERHEAD)
            + self.transaction.outputs.len() * size_of::<Output>();
        self.size + size_of::<Self>() + size_of::<Transaction>() + INDEX_OVERHEAD + lists
    }

    fn own(&self) -> Totals {
        Totals { count: 1, size: self.size, fee: self.fee }
    }

    fn mining_key(&self) -> (Reverse<FeeRate>, u64, Txid) {
        (Reverse(self.mining_score()), self.sequence, self.txid)
    }

    fn keeping_key(&self) -> (FeeRate, Reverse<u64>, Txid) {
        (self.keeping_score(), Reverse(self.sequence), self.txid)
    }
}

/// The graph.
#[derive(Debug, Default)]
pub struct Pool {
    entries: BTreeMap<Txid, Entry>,
    by_wtxid: BTreeMap<Wtxid, Txid>,
    spenders: BTreeMap<OutPoint, Txid>,
    by_mining: BTreeSet<(Reverse<FeeRate>, u64, Txid)>,
    by_keeping: BTreeSet<(FeeRate, Reverse<u64>, Txid)>,
    by_time: BTreeSet<(Timestamp, Txid)>,
    memory: usize,
    size: usize,
    fees: u64,
    sequence: u64,
}

impl Pool {
    /// An entry by its id.
    pub fn get(&self, txid: &Txid) -> Option<&Entry> {
        self.entries.get(txid)
    }

    /// An entry by its id with witnesses.
    pub fn get_by_wtxid(&self, wtxid: &Wtxid) -> Option<&Entry> {
        self.by_wtxid.get(wtxid).and_then(|txid| self.entries.get(txid))
    }

    /// Whether there is an entry with this id with witnesses.
    pub fn contains_wtxid(&self, wtxid: &Wtxid) -> bool {
        self.by_wtxid.contains_key(wtxid)
    }

    /// Both ids of all entries, in the order of those with witnesses.
    pub fn ids(&self) -> impl Iterator<Item = (&Wtxid, &Txid)> {
        self.by_wtxid.iter()
    }

    /// Who spends a coin.
    pub fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        self.spenders.get(outpoint).copied()
    }

    /// An output of a transaction here.
    pub fn output(&self, outpoint: &OutPoint) -> Option<Output> {
        let outputs = &self.entries.get(&outpoint.txid)?.transaction.outputs;
        outputs.get(usize::try_from(outpoint.index).ok()?).copied()
    }

    /// All entries, by id.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// All entries, best for a miner first.
    pub fn by_mining_score(&self) -> impl Iterator<Item = &Entry> {
        self.by_mining.iter().filter_map(|(_, _, txid)| self.entries.get(txid))
    }

    /// The entry to give up first.
    pub fn worst(&self) -> Option<&Entry> {
        self.by_keeping.first().and_then(|(_, _, txid)| self.entries.get(txid))
    }

    /// The entry that has waited longest.
    pub fn oldest(&self) -> Option<&Entry> {
        self.by_time.first().and_then(|(_, txid)| self.entries.get(txid))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of memory of all entries.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Encoded bytes of all transactions.
    pub fn size(&self) -> usize {
        self.size
    }

    /// All fees together.
    pub fn fees(&self) -> Amount {
        Amount::from_notches(self.fees)
    }

    /// Transactions here that a transaction builds on directly.
    pub fn parents_of(&self, transaction: &Transaction) -> BTreeSet<Txid> {
        let spent = transaction.inputs.iter().map(|input| input.outpoint.txid);
        spent.filter(|txid| self.entries.contains_key(txid)).collect()
    }

    /// These entries and everything they build on.
    pub fn with_ancestors(&self, from: impl IntoIterator<Item = Txid>) -> BTreeSet<Txid> {
        self.closure(from, |entry| &entry.parents)
    }

    /// These entries and everything built on them.
    pub fn with_descendants(&self, from: impl IntoIterator<Item = Txid>) -> BTreeSet<Txid> {
        self.closure(from, |entry| &entry.children)
    }

    fn closure(
        &self,
        from: impl IntoIterator<Item = Txid>,
        next: impl Fn(&Entry) -> &BTreeSet<Txid>,
    ) -> BTreeSet<Txid> {
        let mut found = BTreeSet::new();
        let mut queue: Vec<Txid> = from.into_iter().collect();
        while let Some(txid) = queue.pop() {
            let Some(entry) = self.entries.get(&txid) else {
                continue;
            };
            if found.insert(txid) {
                queue.extend(next(entry));
            }
        }
        found
    }

    /// Puts an entry in. Nothing here spends its coins or its outputs.
    pub fn insert(&mut self, mut entry: Entry) {
        self.sequence += 1;
        entry.sequence = self.sequence;
        entry.parents = self.parents_of(&entry.transaction);
        entry.children = BTreeSet::new();
        entry.descendants = entry.own();
        entry.ancestors = entry.own();
        for ancestor in self.with_ancestors(entry.parents.iter().copied()) {
            if let Some(ancestor) = self.entries.get(&ancestor) {
                entry.ancestors.add(&ancestor.own());
            }
            self.update(&ancestor, |ancestor| ancestor.descendants.add(&entry.own()));
        }
        for parent in &entry.parents {
            if let Some(parent) = self.entries.get_mut(parent) {
                parent.children.insert(entry.txid);
            }
        }
        self.by_wtxid.insert(entry.wtxid, entry.txid);
        self.spenders.extend(entry.transaction.inputs.iter().map(|input| (input.outpoint, entry.txid)));
        self.by_mining.insert(entry.mining_key());
        self.by_keeping.insert(entry.keeping_key());
        self.by_time.insert((entry.time, entry.txid));
        self.memory += entry.memory();
        self.size += entry.size;
        self.fees = self.fees.saturating_add(entry.fee.to_notches());
        self.entries.insert(entry.txid, entry);
    }

    /// Takes one entry out; those built on it stay.
    pub fn remove(&mut self, txid: &Txid) -> Option<Entry> {
        let entry = self.entries.remove(txid)?;
        let own = entry.own();
        for ancestor in self.with_ancestors(entry.parents.iter().copied()) {
            self.update(&ancestor, |ancestor| ancestor.descendants.subtract(&own));
        }
        for descendant in self.with_descendants(entry.children.iter().copied()) {
            self.update(&descendant, |descendant| descendant.ancestors.subtract(&own));
        }
        for parent in &entry.parents {
            if let Some(parent) = self.entries.get_mut(parent) {
                parent.children.remove(txid);
            }
        }
        for child in &entry.children {
            if let Some(child) = self.entries.get_mut(child) {
                child.parents.remove(txid);
            }
        }
        self.by_wtxid.remove(&entry.wtxid);
        for input in &entry.transaction.inputs {
            self.spenders.remove(&input.outpoint);
        }
        self.by_mining.remove(&entry.mining_key());
        self.by_keeping.remove(&entry.keeping_key());
        self.by_time.remove(&(entry.time, entry.txid));
        self.memory = self.memory.saturating_sub(entry.memory());
        self.size = self.size.saturating_sub(entry.size);
        self.fees = self.fees.saturating_sub(entry.fee.to_notches());
        Some(entry)
    }

    /// Takes entries out with everything built on them; parents come first in the result.
    pub fn remove_with_descendants(&mut self, from: impl IntoIterator<Item = Txid>) -> Vec<Entry> {
        let found = self.with_descendants(from);
        let mut ordered: Vec<(u64, Txid)> =
            found.iter().filter_map(|txid| self.entries.get(txid)).map(|entry| (entry.sequence, entry.txid)).collect();
        ordered.sort_unstable();
        // Children first: then no totals of the others that go have to be kept right.
        let mut removed: Vec<Entry> = ordered.iter().rev().filter_map(|(_, txid)| self.remove(txid)).collect();
        removed.reverse();
        removed
    }

    /// Changes an entry's totals and its places in the orders with them.
    fn update(&mut self, txid: &Txid, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.entries.get_mut(txid) {
            self.by_mining.remove(&entry.mining_key());
            self.by_keeping.remove(&entry.keeping_key());
            change(entry);
            self.by_mining.insert(entry.mining_key());
            self.by_keeping.insert(entry.keeping_key());
        }
    }
}
