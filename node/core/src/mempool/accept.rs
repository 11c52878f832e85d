//! A transaction arrives: what it must pass, cheap things first.

use std::collections::BTreeSet;
use std::sync::Arc;

use tally_consensus::inputs::check_amounts;
use tally_consensus::transaction::check_loose_transaction;
use tally_primitives::hash::Txid;
use tally_primitives::transaction::{CURRENT_VERSION, Coin, OutPoint, Transaction};
use tally_primitives::units::{Amount, FeeRate, Height, Timestamp};

use crate::chain::Chain;
use crate::event::RemovalReason;
use crate::mempool::error::MempoolError;
use crate::mempool::pool::Entry;
use crate::mempool::{Accepted, Mempool};

/// How many outputs are looked up to tell a confirmed transaction from one whose coins are missing.
const MAX_OUTPUTS_LOOKED_UP: usize = 8;

/// Most unconfirmed ancestors or descendants after a reorganisation, the transaction included. Blocks may hold longer
/// chains than relay policy builds, and payments should come back; but each one costs time in proportion to its chain.
const MAX_RETURNED_CHAIN: usize = 100;

/// Where a transaction comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// From a peer or a wallet: relay policy applies.
    New,
    /// From a block that was disconnected, or it was here before: validity counts, and [`MAX_RETURNED_CHAIN`].
    Returned,
}

/// A transaction that may enter, and what has to leave for it.
pub(super) struct Admission {
    pub(super) entry: Entry,
    pub(super) replaces: BTreeSet<Txid>,
}

impl Mempool {
    /// Takes a transaction in, if it is valid in the next block and obeys relay policy.
    ///
    /// # Errors
    /// Why it is refused. The pool is then as it was.
    pub fn accept(
        &mut self,
        transaction: Arc<Transaction>,
        chain: &Chain,
        now: Timestamp,
    ) -> Result<Accepted, MempoolError> {
        let Admission { entry, replaces } = match self.examine(transaction.clone(), chain, now, Origin::New) {
            Ok(admission) => admission,
            Err(error) => {
                if error.is_relay_policy() {
                    self.removed.insert(transaction.wtxid(), transaction);
                }
                return Err(error);
            }
        };
        let (txid, wtxid, fee, size) = (entry.txid, entry.wtxid, entry.fee, entry.size);
        let replaced = self.pool.remove_with_descendants(replaces);
        self.pool.insert(entry);
        let evicted = self.trim(now);
        if evicted.iter().any(|entry| entry.txid == txid) {
            // It pays least of all: everything is as before. The others fit, for they did before.
            self.restore(replaced.into_iter().chain(evicted).filter(|entry| entry.txid != txid));
            self.removed.insert(wtxid, transaction);
            return Err(MempoolError::Full { min_fee_rate: self.min_fee_rate(now) });
        }
        for entry in replaced.iter().chain(&evicted) {
            self.removed.insert(entry.wtxid, entry.transaction.clone());
        }
        let (replaced, evicted) = (ids_of(&replaced), ids_of(&evicted));
        self.estimator.left(&replaced);
        self.estimator.left(&evicted);
        self.follow_fee(&txid, chain);
        Ok(Accepted { txid, wtxid, fee, size, replaced, evicted })
    }

    /// What [`Mempool::accept`] would say, without doing it (space is not considered).
    ///
    /// # Errors
    /// Why the transaction would be refused.
    pub fn check(
        &self,
        transaction: Arc<Transaction>,
        chain: &Chain,
        now: Timestamp,
    ) -> Result<Accepted, MempoolError> {
        let Admission { entry, replaces } = self.examine(transaction, chain, now, Origin::New)?;
        let replaced = replaces.into_iter().collect();
        let Entry { txid, wtxid, fee, size, .. } = entry;
        Ok(Accepted { txid, wtxid, fee, size, replaced, evicted: Vec::new() })
    }

    /// Lets the fee estimator follow a new entry. What waits for others, or comes while we lag behind, says nothing
    /// about fees.
    fn follow_fee(&mut self, txid: &Txid, chain: &Chain) {
        if let Some(entry) = self.pool.get(txid).filter(|entry| entry.parents.is_empty() && !chain.is_syncing()) {
            self.estimator.entered(entry.txid, entry.rate(), chain.tip().height);
        }
    }

    /// Puts entries back that were taken out a moment ago.
    fn restore(&mut self, entries: impl Iterator<Item = Entry>) {
        let mut entries: Vec<Entry> = entries.collect();
        entries.sort_by_key(|entry| entry.sequence);
        for entry in entries {
            self.pool.insert(entry);
        }
    }

    pub(super) fn examine(
        &self,
        transaction: Arc<Transaction>,
        chain: &Chain,
        now: Timestamp,
        origin: Origin,
    ) -> Result<Admission, MempoolError> {
        check_loose_transaction(&transaction)?;
        let size = transaction.encoded_size();
        if origin == Origin::New {
            self.check_relay_policy(&transaction, size)?;
        }
        let txid = transaction.txid();
        if self.pool.get(&txid).is_some() {
            return Err(MempoolError::AlreadyInMempool { txid });
        }
        let height = chain.tip().height.next();
        let spent = self.find_coins(&transaction, txid, height, chain)?;
        let fee = check_amounts(&transaction, &spent, &chain.input_context(height))?;
        if origin == Origin::New {
            self.check_fee(fee, size, now)?;
        }
        let replaces = self.check_replacement(&transaction, fee, size)?;
        self.check_chain_limits(&transaction, &replaces, origin)?;
        let wtxid = transaction.wtxid();
        chain.verify_witnesses(&transaction, &wtxid, &spent, height)?;
        Ok(Admission { entry: Entry::new(transaction, (txid, wtxid), fee, now, height), replaces })
    }

    fn check_relay_policy(&self, transaction: &Transaction, size: usize) -> Result<(), MempoolError> {
        let policy = &self.policy;
        if transaction.version != CURRENT_VERSION {
            return Err(MempoolError::UnknownVersion { version: transaction.version });
        }
        if size > policy.max_transaction_size {
            return Err(MempoolError::TooLarge { size, max: policy.max_transaction_size });
        }
        let min = policy.min_output_value;
        match transaction.outputs.iter().enumerate().find(|(_, output)| output.value < min) {
            Some((index, output)) => Err(MempoolError::Dust { index, value: output.value, min }),
            None => Ok(()),
        }
    }

    /// The coins that a transaction spends: from the mempool as if they were made in the next block, or from the chain.
    fn find_coins(
        &self,
        transaction: &Transaction,
        txid: Txid,
        height: Height,
        chain: &Chain,
    ) -> Result<Vec<Coin>, MempoolError> {
        let mut spent = Vec::with_capacity(transaction.inputs.len());
        let mut missing = Vec::new();
        for input in &transaction.inputs {
            let outpoint = input.outpoint;
            let unconfirmed = self.pool.output(&outpoint).map(|output| Coin { output, height, coinbase: false });
            match unconfirmed.map_or_else(|| chain.coin(&outpoint), |coin| Ok(Some(coin)))? {
                Some(coin) => spent.push(coin),
                None => missing.push(outpoint),
            }
        }
        if missing.is_empty() {
            return Ok(spent);
        }
        for (index, _) in (0u32..).zip(transaction.outputs.iter().take(MAX_OUTPUTS_LOOKED_UP)) {
            if chain.coin(&OutPoint { txid, index })?.is_some() {
                return Err(MempoolError::AlreadyConfirmed { txid });
            }
        }
        Err(MempoolError::MissingInputs { missing })
    }

    fn check_fee(&self, fee: Amount, size: usize, now: Timestamp) -> Result<(), MempoolError> {
        let needed = self.min_fee_rate(now).fee_for(size);
        if fee < needed { Err(MempoolError::FeeTooLow { fee, needed, size }) } else { Ok(()) }
    }

    /// Bounds the walks that every change of the graph needs.
    fn check_chain_limits(
        &self,
        transaction: &Transaction,
        replaces: &BTreeSet<Txid>,
        origin: Origin,
    ) -> Result<(), MempoolError> {
        let (max_ancestors, max_descendants) = match origin {
            Origin::New => (self.policy.max_ancestors, self.policy.max_descendants),
            Origin::Returned => (MAX_RETURNED_CHAIN, MAX_RETURNED_CHAIN),
        };
        let ancestors = self.pool.with_ancestors(self.pool.parents_of(transaction));
        let (count, max) = (ancestors.len() + 1, max_ancestors);
        if count > max {
            return Err(MempoolError::TooManyAncestors { count, max });
        }
        let max = max_descendants;
        for ancestor in ancestors {
            let make_room = if replaces.is_empty() {
                0
            } else {
                self.pool.with_descendants([ancestor]).intersection(replaces).count()
            };
            let descendants = self.pool.get(&ancestor).map_or(0, |entry| entry.descendants.count);
            let count = descendants - make_room + 1;
            if count > max {
                return Err(MempoolError::TooManyDescendants { ancestor, count, max });
            }
        }
        Ok(())
    }

    /// Everything that has to leave because it spends the same coins, if the transaction pays for that: more than all
    /// of them together, plus for its own relay, and at a higher rate than each that it conflicts with directly (so
    /// that miners gain by it).
    fn check_replacement(
        &self,
        transaction: &Transaction,
        fee: Amount,
        size: usize,
    ) -> Result<BTreeSet<Txid>, MempoolError> {
        let conflicts: BTreeSet<Txid> =
            transaction.inputs.iter().filter_map(|input| self.pool.spender(&input.outpoint)).collect();
        let Some(conflict) = conflicts.first().copied() else {
            return Ok(conflicts);
        };
        let replaces = self.pool.with_descendants(conflicts.iter().copied());
        let (count, max) = (replaces.len(), self.policy.max_replaced);
        if count > max {
            return Err(MempoolError::ReplacesTooMany { count, max });
        }
        let ancestors = self.pool.with_ancestors(self.pool.parents_of(transaction));
        if let Some(conflict) = ancestors.intersection(&replaces).next() {
            return Err(MempoolError::SpendsReplaced { conflict: *conflict });
        }
        let fees = replaces.iter().filter_map(|txid| self.pool.get(txid)).map(|entry| entry.fee);
        let for_relay = self.policy.incremental_fee_rate.fee_for(size);
        let most = Amount::from_notches(u64::MAX);
        let sum = Amount::checked_sum(fees.chain([for_relay])).unwrap_or(most);
        let best_rate = conflicts.iter().filter_map(|txid| self.pool.get(txid)).map(Entry::rate).max();
        let above_rate = best_rate.unwrap_or_default().fee_for(size).checked_add(Amount::from_notches(1));
        let needed = sum.max(above_rate.unwrap_or(most));
        if fee < needed { Err(MempoolError::ReplacementTooCheap { conflict, fee, needed }) } else { Ok(replaces) }
    }

    /// Gives up what pays least until the pool is within its bound; returns what left.
    pub(super) fn trim(&mut self, now: Timestamp) -> Vec<Entry> {
        let max = self.policy.max_bytes;
        let mut evicted = Vec::new();
        while self.pool.memory() > max {
            let Some(worst) = self.pool.worst() else {
                break;
            };
            let (txid, rate) = (worst.txid, worst.descendants.rate());
            evicted.extend(self.pool.remove_with_descendants([txid]));
            let above = rate.to_notches_per_kilobyte() + self.policy.incremental_fee_rate.to_notches_per_kilobyte();
            let raised = FeeRate::from_notches_per_kilobyte(above);
            self.floor.raise(raised, now, self.pool.memory(), max);
        }
        evicted
    }

    /// Removes what has waited too long, with everything built on it.
    pub fn expire(&mut self, now: Timestamp) -> Vec<(Txid, RemovalReason)> {
        let mut expired = Vec::new();
        while let Some(oldest) = self.pool.oldest() {
            if now.millis_since(oldest.time) <= self.policy.expiry_millis {
                break;
            }
            let txid = oldest.txid;
            expired.extend(self.pool.remove_with_descendants([txid]).into_iter().map(|entry| entry.txid));
        }
        self.estimator.left(&expired);
        expired.into_iter().map(|txid| (txid, RemovalReason::Expired)).collect()
    }
}

pub(super) fn ids_of(entries: &[Entry]) -> Vec<Txid> {
    entries.iter().map(|entry| entry.txid).collect()
}
