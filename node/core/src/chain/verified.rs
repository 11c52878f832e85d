//! Which witnesses have been verified already: what the mempool has checked need not be checked again in a block.

use std::collections::{BTreeMap, VecDeque};

use tally_primitives::hash::Wtxid;
use tally_primitives::transaction::Coin;
use tally_primitives::units::Height;

/// Most verdicts kept (some 150 bytes each).
const MAX_VERIFIED: usize = 40_000;

/// What a good verdict holds for.
#[derive(Debug)]
struct Verdict {
    /// Policies can only ask for heights *from* which they hold, so a verdict that was good at one height is good above.
    from: Height,
    /// The heights of the coins, in the order of the inputs. Their values and locks are those of the outputs that the inputs name, which
    /// the wtxid commits to; but a reorganisation may confirm the same output elsewhere.
    coins: Box<[Height]>,
}

impl Verdict {
    fn is_about(&self, spent: &[Coin]) -> bool {
        self.coins.iter().copied().eq(spent.iter().map(|coin| coin.height))
    }
}

/// Good verdicts, the latest [`MAX_VERIFIED`] of them.
#[derive(Debug, Default)]
pub struct VerifiedCache {
    good: BTreeMap<Wtxid, Verdict>,
    order: VecDeque<Wtxid>,
}

impl VerifiedCache {
    /// Whether the witnesses of a transaction that spends these coins, in the order of its inputs, are known to be good in a block at
    /// `height`.
    pub fn is_good(&self, wtxid: &Wtxid, spent: &[Coin], height: Height) -> bool {
        self.good.get(wtxid).is_some_and(|verdict| height >= verdict.from && verdict.is_about(spent))
    }

    /// Notes that they are good at `height`.
    pub fn insert(&mut self, wtxid: Wtxid, spent: &[Coin], height: Height) {
        match self.good.get_mut(&wtxid) {
            Some(verdict) if verdict.is_about(spent) => verdict.from = height.min(verdict.from),
            known => {
                let is_new = known.is_none();
                let coins = spent.iter().map(|coin| coin.height).collect();
                self.good.insert(wtxid, Verdict { from: height, coins });
                if is_new {
                    self.order.push_back(wtxid);
                }
            }
        }
        while self.order.len() > MAX_VERIFIED {
            if let Some(oldest) = self.order.pop_front() {
                self.good.remove(&oldest);
            }
        }
    }
}
