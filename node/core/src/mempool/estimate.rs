//! Fee estimation: how soon transactions of which fee rate have been confirmed lately.
//!
//! Fee rates fall into buckets, each a fifth higher than the one below. For every bucket the record says how many
//! transactions were confirmed within 1, 2, … blocks, older blocks counting ever less. An estimate is the lowest rate
//! from which upwards 85 of 100 were confirmed in time. Where too little has been seen, there is no estimate.

use std::collections::BTreeMap;

use tally_primitives::hash::Txid;
use tally_primitives::units::{FeeRate, Height};

/// The longest wait told apart, in blocks.
pub const MAX_TARGET_BLOCKS: u32 = 48;

/// One transaction, in the fixed-point counts of the record.
const ONE: u64 = 1_000_000;
/// Each block leaves 995 of 1,000: after 138 blocks a confirmation counts half.
const DECAY_PER_MILLE: u64 = 995;
/// Least number of transactions that an estimate rests on.
const SUFFICIENT: u64 = 3 * ONE;
/// Share that must have been confirmed in time, in percent.
const SUCCESS_PERCENT: u64 = 85;
/// Lower end of the lowest bucket, in notches per kilobyte.
const LOWEST_RATE: u64 = 1_000;
/// Buckets up to some 10,000 notches a byte.
const BUCKETS: usize = 52;
/// Most transactions followed at a time.
const MAX_FOLLOWED: usize = 100_000;

/// The record of a bucket.
#[derive(Debug, Clone, Default)]
struct Bucket {
    /// Everything whose outcome is known: confirmed, or left unconfirmed after a while.
    done: u64,
    /// `within[n]`: confirmed within n + 1 blocks. Empty until something was.
    within: Vec<u64>,
}

/// The record of confirmations.
#[derive(Debug, Clone, Default)]
pub struct Estimator {
    /// Those of which something is known, by number.
    buckets: BTreeMap<usize, Bucket>,
    /// Transactions that wait: their bucket, and the tip's height when they came.
    waiting: BTreeMap<Txid, (usize, Height)>,
    height: Height,
}

impl Estimator {
    /// A transaction entered the mempool, above a tip at `height`.
    pub fn entered(&mut self, txid: Txid, rate: FeeRate, height: Height) {
        if self.waiting.len() < MAX_FOLLOWED {
            self.waiting.insert(txid, (bucket_of(rate), height));
        }
    }

    /// Transactions left the mempool unconfirmed. If they had waited, that is an outcome too.
    pub fn left(&mut self, txids: &[Txid]) {
        for txid in txids {
            let Some((bucket, since)) = self.waiting.remove(txid) else {
                continue;
            };
            if self.height > since {
                self.buckets.entry(bucket).or_default().done += ONE;
            }
        }
    }

    /// A block holds these transactions; those that never entered here are passed over.
    pub fn block(&mut self, height: Height, confirmed: &[Txid]) {
        if height > self.height {
            self.height = height;
            for bucket in self.buckets.values_mut() {
                bucket.done = bucket.done * DECAY_PER_MILLE / 1000;
                for count in &mut bucket.within {
                    *count = *count * DECAY_PER_MILLE / 1000;
                }
            }
        }
        for txid in confirmed {
            let Some((bucket, since)) = self.waiting.remove(txid) else {
                continue;
            };
            let Some(waited) = height.checked_sub_blocks(since.get()).filter(|blocks| blocks.get() > 0) else {
                continue; // A reorganisation: the wait has no meaning.
            };
            let bucket = self.buckets.entry(bucket).or_default();
            bucket.done += ONE;
            let first = usize::try_from(waited.get() - 1).unwrap_or(usize::MAX);
            bucket.within.resize(usize::try_from(MAX_TARGET_BLOCKS).unwrap_or(0), 0);
            bucket.within.iter_mut().skip(first).for_each(|count| *count += ONE);
        }
    }

    /// The lowest fee rate that has been enough to be confirmed within `blocks` blocks; `None` if too little has been
    /// seen to tell.
    pub fn estimate(&self, blocks: u32) -> Option<FeeRate> {
        let target = blocks.clamp(1, MAX_TARGET_BLOCKS);
        let slot = usize::try_from(target - 1).ok()?;
        let overdue = self.overdue(target);
        let mut answer = None;
        let (mut in_time, mut total) = (0u64, 0u64);
        for (index, overdue) in overdue.into_iter().enumerate().rev() {
            total += overdue;
            if let Some(bucket) = self.buckets.get(&index) {
                in_time += bucket.within.get(slot).copied().unwrap_or(0);
                total += bucket.done;
            }
            if total < SUFFICIENT {
                continue;
            }
            if in_time * 100 < total * SUCCESS_PERCENT {
                break;
            }
            answer = Some(lower_end(index));
            (in_time, total) = (0, 0);
        }
        answer
    }

    /// For each bucket, what still waits after `target` blocks.
    fn overdue(&self, target: u32) -> Vec<u64> {
        let mut overdue = vec![0; BUCKETS];
        for (bucket, since) in self.waiting.values() {
            if self.height.get().saturating_sub(since.get()) >= target {
                overdue[*bucket] += ONE;
            }
        }
        overdue
    }
}

fn lower_end(bucket: usize) -> FeeRate {
    let rate = (0..bucket).fold(LOWEST_RATE, |rate, _| rate * 6 / 5);
    FeeRate::from_notches_per_kilobyte(rate)
}

fn bucket_of(rate: FeeRate) -> usize {
    (1..BUCKETS).take_while(|bucket| lower_end(*bucket) <= rate).last().unwrap_or(0)
}
