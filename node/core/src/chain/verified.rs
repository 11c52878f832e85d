//! Which witnesses have been verified already: what the mempool has checked need not be checked again in a block.

use std::collections::{BTreeMap, VecDeque};

use tally_primitives::encode::encode;
use tally_primitives::hash::{Wtxid, HashTag};
use tally_primitives::transaction::Coin;
use tally_primitives::units::Height;

/// Most verdicts kept (some 150 bytes each).
const MAX_VERIFIED: usize = 40_000;

/// Names a transaction with its witnesses, and all that their verdict depends on besides the spending height: the
/// coins, their heights included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WitnessKey([u8; 32]);

impl WitnessKey {
    /// The key of a transaction that spends these coins, in the order of its inputs.
    pub fn new(wtxid: &Wtxid, spent: &[Coin]) -> Self {
        let coins: Vec<u8> = spent.iter().flat_map(encode).collect();
        static TAG: HashTag = HashTag::new("tallystick/verified");
        Self(TAG.hash(&[wtxid.as_bytes(), &coins]))
    }
}

/// Good verdicts, the latest [`MAX_VERIFIED`] of them.
///
/// Policies can only ask for heights *from* which they hold, so a verdict that was good at one height is good above.
#[derive(Debug, Default)]
pub struct VerifiedCache {
    good_from: BTreeMap<WitnessKey, Height>,
    order: VecDeque<WitnessKey>,
}

impl VerifiedCache {
    /// Whether the witnesses are known to be good in a block at `height`.
    pub fn is_good(&self, key: &WitnessKey, height: Height) -> bool {
        self.good_from.get(key).is_some_and(|from| height >= *from)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Notes that the witnesses are good at `height`.
    pub fn insert(&mut self, key: WitnessKey, height: Height) {
        match self.good_from.get_mut(&key) {
            Some(from) => *from = height.min(*from),
            None => {
                self.good_from.insert(key, height);
                self.order.push_back(key);
            }
        }
        while self.order.len() > MAX_VERIFIED {
            if let Some(oldest) = self.order.pop_front() {
                self.good_from.remove(&oldest);
            }
        }
    }
}
