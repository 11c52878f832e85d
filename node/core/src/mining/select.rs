//! The choice of transactions for a block: by the fee rate of a transaction together with the ancestors it needs.
//!
//! So a child that pays well brings its parents in. When ancestors have been chosen, the packages of their descendants
//! get smaller and their rates change; those are kept aside in an order of their own (after Bitcoin's
//! `BlockAssembler::addPackageTxs`), so that the pool itself is not touched.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use tally_primitives::hash::Txid;
use tally_primitives::units::FeeRate;

use crate::mempool::Entry;
use crate::mempool::pool::{Pool, Totals};
use crate::mining::TemplateTransaction;

/// In a block that is nearly full, so many packages in a row that do not fit end the search.
const MAX_FAILURES: usize = 1_000;

type Order = (Reverse<FeeRate>, u64, Txid);

/// The state of a selection.
struct Selection<'a> {
    pool: &'a Pool,
    chosen: BTreeSet<Txid>,
    /// Did not fit, with their packages as they were then.
    too_large: BTreeMap<Txid, Totals>,
    /// What is left of the packages of transactions some of whose ancestors have been chosen.
    rest: BTreeMap<Txid, Totals>,
    by_rest: BTreeSet<Order>,
    transactions: Vec<TemplateTransaction>,
    room: usize,
}

/// Transactions of `room` bytes at most, parents before children.
pub(super) fn select(pool: &Pool, room: usize) -> Vec<TemplateTransaction> {
    let mut selection = Selection {
        pool,
        chosen: BTreeSet::new(),
        too_large: BTreeMap::new(),
        rest: BTreeMap::new(),
        by_rest: BTreeSet::new(),
        transactions: Vec::new(),
        room,
    };
    selection.run();
    selection.transactions
}

impl<'a> Selection<'a> {
    fn run(&mut self) {
        let mut untouched = self.pool.by_mining_score().peekable();
        let mut failures = 0;
        loop {
            // Whatever has been chosen, failed or moved to the other order is passed over here.
            while untouched.next_if(|entry| self.is_settled(&entry.txid)).is_some() {}
            let fresh = untouched.peek().copied();
            let Some((entry, package)) = self.better(fresh) else {
                break;
            };
            if package.size > self.room {
                self.set_aside(entry, package);
                failures += 1;
                if failures > MAX_FAILURES {
                    break;
                }
            } else {
                self.choose(entry);
                failures = 0;
            }
        }
    }

    fn is_settled(&self, txid: &Txid) -> bool {
        self.chosen.contains(txid) || self.too_large.contains_key(txid) || self.rest.contains_key(txid)
    }

    /// The better of the best untouched entry and the best one whose package has shrunk, with its package.
    fn better(&self, fresh: Option<&'a Entry>) -> Option<(&'a Entry, Totals)> {
        let shrunk = self.by_rest.first().and_then(|(_, _, txid)| Some((self.pool.get(txid)?, *self.rest.get(txid)?)));
        let fresh = fresh.map(|entry| (entry, entry.ancestors));
        shrunk.into_iter().chain(fresh).min_by_key(|(entry, package)| order(entry, package))
    }

    /// Takes a transaction and its ancestors into the block.
    fn choose(&mut self, entry: &Entry) {
        let package = self.pool.with_ancestors([entry.txid]);
        let mut package: Vec<&Entry> =
            package.iter().filter(|txid| !self.chosen.contains(txid)).filter_map(|txid| self.pool.get(txid)).collect();
        package.sort_by_key(|entry| entry.sequence);
        for entry in &package {
            self.forget_rest(entry);
            self.chosen.insert(entry.txid);
            self.room = self.room.saturating_sub(entry.size);
            self.transactions.push(TemplateTransaction {
                transaction: entry.transaction.clone(),
                txid: entry.txid,
                wtxid: entry.wtxid,
                fee: entry.fee,
                size: entry.size,
            });
        }
        for entry in package {
            self.shrink_descendants(entry);
        }
    }

    /// Descendants need one ancestor less.
    fn shrink_descendants(&mut self, entry: &Entry) {
        let own = Totals { count: 1, size: entry.size, fee: entry.fee };
        for txid in self.pool.with_descendants(entry.children.iter().copied()) {
            let Some(descendant) = self.pool.get(&txid).filter(|_| !self.chosen.contains(&txid)) else {
                continue;
            };
            let before = self.forget_rest(descendant).or_else(|| self.too_large.remove(&txid));
            let mut package = before.unwrap_or(descendant.ancestors);
            package.subtract(&own);
            self.by_rest.insert(order(descendant, &package));
            self.rest.insert(txid, package);
        }
    }

    /// Gives a transaction up, since its package does not fit, until an ancestor gets in with somebody else.
    fn set_aside(&mut self, entry: &Entry, package: Totals) {
        self.forget_rest(entry);
        self.too_large.insert(entry.txid, package);
    }

    fn forget_rest(&mut self, entry: &Entry) -> Option<Totals> {
        let package = self.rest.remove(&entry.txid)?;
        self.by_rest.remove(&order(entry, &package));
        Some(package)
    }
}

fn order(entry: &Entry, package: &Totals) -> Order {
    (Reverse(entry.rate().min(package.rate())), entry.sequence, entry.txid)
}
