//! Miners and payments.

use std::collections::BTreeMap;
use std::sync::Arc;

use tally_node_core::node::Node;
use tally_node_core::random::Random;
use tally_node_core::testing;
use tally_primitives::block::Block;
use tally_primitives::hash::Txid;
use tally_primitives::params::Params;
use tally_primitives::transaction::{OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Timestamp};

/// Coins that the payer remembers; the oldest are forgotten.
const MAX_COINS: usize = 300;

/// Times that the payer looks for a coin that the node can spend.
const ATTEMPTS: usize = 8;

/// Somebody who mines on a host: a Poisson process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miner {
    /// Where.
    pub host: usize,
    /// Mean time between blocks, in milliseconds.
    pub mean_ms: u64,
}

/// The block that a miner on this node finds now, with real (trivial) work. `extra` sets it apart from all others.
#[must_use]
pub fn mine(node: &Node, now: Timestamp, extra: u64) -> Block {
    let template = node.template(now);
    testing::mine_template(&template, testing::lock_of(&testing::key(1_000)), &extra.to_le_bytes())
}

/// Somebody who pays to himself with whatever coin a node knows. He does not care where a coin was spent before, so
/// partitions lead to conflicting payments, as they do in life.
#[derive(Debug)]
pub struct Payer {
    params: Arc<Params>,
    coins: BTreeMap<u64, (OutPoint, Output)>,
    next: u64,
    /// Payments that a node accepted, in order.
    pub paid: Vec<Txid>,
}

impl Payer {
    /// With the coins that genesis allocates.
    #[must_use]
    pub fn new(params: Arc<Params>) -> Payer {
        let mut payer = Payer { coins: BTreeMap::new(), next: 0, paid: Vec::new(), params };
        for coin in testing::allocations(&payer.params) {
            payer.remember(coin);
        }
        payer
    }

    /// A payment with a coin that this node can spend, if one is found.
    pub fn payment(&self, node: &Node, random: &mut Random) -> Option<Transaction> {
        let numbers: Vec<u64> = self.coins.keys().copied().collect();
        for _ in 0..ATTEMPTS {
            let coin = self.coins.get(numbers.get(random.index(numbers.len()))?)?;
            let fee = random.between(2_000, 20_000);
            let parts = random.between(1, 3);
            if is_spendable(node, &coin.0) && coin.1.value > Amount::from_notches(100 * fee) {
                return Some(testing::split(&self.params, coin, parts, fee));
            }
        }
        None
    }

    /// A node accepted a payment: its outputs may be spent next.
    pub fn accepted(&mut self, transaction: &Transaction) {
        self.paid.push(transaction.txid());
        for coin in testing::outputs_of(transaction) {
            self.remember(coin);
        }
    }

    fn remember(&mut self, coin: (OutPoint, Output)) {
        self.coins.insert(self.next, coin);
        self.next += 1;
        if self.coins.len() > MAX_COINS {
            self.coins.pop_first();
        }
    }
}

/// Whether a node sees this coin, and nobody spending it.
fn is_spendable(node: &Node, outpoint: &OutPoint) -> bool {
    let exists = node.mempool().output(outpoint).is_some() || matches!(node.chain().coin(outpoint), Ok(Some(_)));
    exists && node.mempool().spender(outpoint).is_none()
}
