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

use crate::driver::short;
use crate::world::{Event, Next, World};

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

impl World {
    /// Blocks that were mined.
    #[must_use]
    pub fn blocks_mined(&self) -> u64 {
        self.blocks
    }

    /// Payments that some node accepted.
    #[must_use]
    pub fn payments(&self) -> usize {
        self.payer.paid.len()
    }

    /// Sets miners to work.
    pub fn start_mining(&mut self, miners: Vec<Miner>) {
        self.mining = true;
        self.miners = miners;
        for miner in 0..self.miners.len() {
            self.schedule_block(miner);
        }
    }

    /// No more blocks are found.
    pub fn stop_mining(&mut self) {
        self.mining = false;
    }

    /// Lets somebody pay now and then.
    pub fn start_payments(&mut self, mean_ms: u64) {
        self.payments_mean_ms = Some(mean_ms);
        self.schedule_payment(mean_ms);
    }

    /// No more payments.
    pub fn stop_payments(&mut self) {
        self.payments_mean_ms = None;
    }

    fn schedule_block(&mut self, miner: usize) {
        // In microseconds: with few blocks a second, whole milliseconds would show in the figures.
        let delay = self.random.exponential(self.miners[miner].mean_ms.saturating_mul(1_000));
        self.queue.push(self.now.plus_micros(delay), Next::Mine { miner: short(miner) });
    }

    fn schedule_payment(&mut self, mean_ms: u64) {
        let delay = self.random.exponential(mean_ms);
        self.queue.push(self.now.plus_millis(delay), Next::Pay);
    }

    pub(crate) fn found(&mut self, miner: usize) {
        if self.mining {
            self.mine_on(self.miners[miner].host);
            self.schedule_block(miner);
        }
    }

    /// Mines a block on a host, now.
    pub fn mine_on(&mut self, host: usize) {
        let now = self.host_time(host);
        let Some(node) = self.node(host) else {
            return;
        };
        let block = mine(node, now, self.blocks);
        self.blocks += 1;
        self.block_bytes += block.encoded_size() as u64;
        let hash = block.hash();
        self.log.note(self.now, host, "mine", hash.as_bytes());
        self.log.trace(self.now, host, || format!("mines {hash}"));
        let block = Arc::new(block);
        if let Some(millis) = self.hands_after_ms {
            for other in (0..self.hosts.len()).filter(|other| *other != host) {
                self.schedule(millis, Event::Hand { host: other, block: block.clone() });
            }
        }
        self.hand(host, block);
    }

    /// From now on every block reaches every host by itself, so long after it was found: for labs without a network between hosts.
    pub fn hand_blocks_after(&mut self, millis: u64) {
        self.hands_after_ms = Some(millis);
    }

    /// Gives a block to a host's node. It was made from a node's own template, so nobody may refuse it.
    pub(crate) fn hand(&mut self, host: usize, block: Arc<Block>) {
        let result = self.with_node(host, |node, now| node.submit_block(now, block));
        if let Some(Err(error)) = result {
            self.violations.push(format!("host {host} refuses a template's block: {error}"));
        }
    }

    pub(crate) fn pay(&mut self) {
        let Some(mean_ms) = self.payments_mean_ms else {
            return;
        };
        let host = self.random.index(self.hosts.len());
        if let Some(node) = self.hosts[host].node.as_ref()
            && let Some(payment) = self.payer.payment(node, &mut self.random)
        {
            self.submit(host, payment);
        }
        self.schedule_payment(mean_ms);
    }

    /// Gives a payment to a host's node; true if it is accepted.
    pub fn submit(&mut self, host: usize, payment: Transaction) -> bool {
        let txid = payment.txid();
        let submitted = payment.clone();
        let accepted = self.with_node(host, |node, now| node.submit_transaction(now, Arc::new(submitted)));
        let accepted = matches!(accepted, Some(Ok(_)));
        self.log.note(self.now, host, if accepted { "pay" } else { "pay refused" }, txid.as_bytes());
        self.log.trace(self.now, host, || format!("payment {txid}: accepted = {accepted}"));
        if accepted {
            self.payment_bytes += payment.encoded_size() as u64;
            self.payer.accepted(&payment);
        }
        accepted
    }
}

/// Whether a node sees this coin, and nobody spending it.
fn is_spendable(node: &Node, outpoint: &OutPoint) -> bool {
    let exists = node.mempool().output(outpoint).is_some() || matches!(node.chain().coin(outpoint), Ok(Some(_)));
    exists && node.mempool().spender(outpoint).is_none()
}
