//! What is submitted, and what is waited for.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::block::{Block, Header};
use tally_primitives::encode;
use tally_primitives::params::Params;
use tally_primitives::transaction::{OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

use crate::cluster::{Cluster, Shape, wait_for};
use crate::report::Report;
use crate::watch::Watch;
use crate::{Arguments, Failure};

/// The nodes of every set-up.
const NODES: usize = 5;
/// One way, in milliseconds, where links are long.
const LONG_MS: u64 = 50;
/// Blocks that show everybody who is first, before anything is measured.
const WARM_UP_BLOCKS: usize = 3;
/// What a payment pays, in notches.
const FEE: u64 = 1_000;
/// The second output of a payment.
const SMALL_CHANGE: u64 = 1_000;
/// Time for announcements to die down.
const QUIET: Duration = Duration::from_millis(1_500);

/// What is submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    EmptyBlock,
    KnownBlock,
    UnknownBlock,
    Payment,
}

/// One thing to measure.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    kind: Kind,
    target_ms: Option<f64>,
}

/// Nodes, and what is measured with them.
pub struct Setup {
    shape: Shape,
    delay_ms: u64,
    /// In this order.
    pub scenarios: &'static [Scenario],
}

const fn scenario(name: &'static str, kind: Kind, target_ms: Option<f64>) -> Scenario {
    Scenario { name, kind, target_ms }
}

/// Everything.
pub const SETUPS: &[Setup] = &[
    Setup {
        shape: Shape::Line,
        delay_ms: 0,
        scenarios: &[
            scenario("empty block", Kind::EmptyBlock, Some(3.5)),
            scenario("known payments", Kind::KnownBlock, Some(65.0)),
            scenario("new payments", Kind::UnknownBlock, None),
            scenario("one payment", Kind::Payment, None),
        ],
    },
    Setup {
        shape: Shape::Mesh,
        delay_ms: 0,
        scenarios: &[
            scenario("empty block", Kind::EmptyBlock, Some(3.5)),
            scenario("known payments", Kind::KnownBlock, Some(65.0)),
            scenario("new payments", Kind::UnknownBlock, Some(230.0)),
            scenario("one payment", Kind::Payment, Some(1_000.0)),
        ],
    },
    Setup {
        shape: Shape::Line,
        delay_ms: LONG_MS,
        // 1.15 times the shortest way over four links.
        scenarios: &[
            scenario("empty block, long links", Kind::EmptyBlock, Some(1.15 * 4.0 * LONG_MS as f64)),
            scenario("known payments, long links", Kind::KnownBlock, Some(1.15 * 4.0 * LONG_MS as f64)),
        ],
    },
];

impl Setup {
    /// Measures every scenario that was asked for.
    pub fn run(&self, node: &Path, arguments: &Arguments, report: &mut Report) -> Result<(), Failure> {
        let delay = Duration::from_millis(self.delay_ms);
        let cluster = Cluster::start(node, self.shape, NODES, arguments.transactions, delay)?;
        let mut bench = Bench::new(cluster)?;
        for _ in 0..WARM_UP_BLOCKS {
            bench.measure(Kind::EmptyBlock)?;
        }
        for scenario in self.scenarios.iter().filter(|scenario| scenario.name.contains(&arguments.only)) {
            eprintln!("{} ({})", scenario.name, self.shape.name());
            let samples: Result<Vec<_>, Failure> =
                (0..arguments.rounds).map(|_| bench.measure(scenario.kind)).collect();
            report.add(scenario.name, self.shape.name(), scenario.target_ms, &samples?);
        }
        Ok(())
    }
}

/// Nodes, the coins that there are, and the tip.
struct Bench {
    cluster: Cluster,
    params: Arc<Params>,
    coins: Vec<(OutPoint, Output)>,
    tip: Header,
    height: Height,
    blocks: Watch,
    transactions: Option<Watch>,
}

impl Bench {
    fn new(cluster: Cluster) -> Result<Bench, Failure> {
        let params = Arc::new(cluster.params.clone());
        let genesis = params.genesis();
        let blocks = Watch::start(&cluster.nodes, "blocks")?;
        Ok(Bench {
            coins: testing::outputs_of(&genesis.transactions[0]),
            tip: genesis.header,
            height: Height::GENESIS,
            params,
            cluster,
            blocks,
            transactions: None,
        })
    }

    /// One round: time to the last node and CPU time of all, in milliseconds.
    fn measure(&mut self, kind: Kind) -> Result<(f64, f64), Failure> {
        if kind == Kind::Payment {
            return self.measure_payment();
        }
        let payments = if kind == Kind::EmptyBlock { Vec::new() } else { self.payments() };
        if kind == Kind::KnownBlock {
            self.pay_everywhere(&payments)?;
        }
        let block = self.block(&payments);
        let call = vec![json!(hex::encode(block.to_bytes()))];
        thread::sleep(QUIET);
        let cpu = self.cluster.cpu_time();
        let begun = Instant::now();
        let refused = self.cluster.nodes[0].call("submitblock", call)?;
        if !refused.is_null() {
            return Err(format!("the block is refused: {refused}").into());
        }
        let arrivals = self.blocks.wait("tip_changed", &block.hash().to_string(), begun)?;
        let last = arrivals.into_iter().fold(0.0, f64::max);
        // What follows from the block counts too, but not what goes on without it.
        thread::sleep(Duration::from_millis(200));
        let cpu = self.cluster.cpu_time().saturating_sub(cpu);
        (self.tip, self.height) = (block.header, self.height.next());
        Ok((last, cpu.as_secs_f64() * 1_000.0))
    }

    fn measure_payment(&mut self) -> Result<(f64, f64), Failure> {
        let watch = match self.transactions.take() {
            Some(watch) => watch,
            None => Watch::start(&self.cluster.nodes, "transactions")?,
        };
        let coin = self.coins.remove(0);
        let payment = self.pay(&coin);
        self.coins.push(testing::outputs_of(&payment)[0]);
        thread::sleep(QUIET);
        let cpu = self.cluster.cpu_time();
        let begun = Instant::now();
        self.cluster.nodes[0].call("sendrawtransaction", vec![raw(&payment)])?;
        let arrivals = watch.wait("transaction_accepted", &payment.txid().to_string(), begun)?;
        self.transactions = Some(watch);
        let cpu = self.cluster.cpu_time().saturating_sub(cpu);
        Ok((arrivals.into_iter().fold(0.0, f64::max), cpu.as_secs_f64() * 1_000.0))
    }

    /// A payment out of every coin; its first output is the coin of the next round.
    fn payments(&mut self) -> Vec<Transaction> {
        let payments: Vec<Transaction> = self.coins.iter().map(|coin| self.pay(coin)).collect();
        self.coins = payments.iter().map(|payment| testing::outputs_of(payment)[0]).collect();
        payments
    }

    fn pay(&self, coin: &(OutPoint, Output)) -> Transaction {
        let lock = coin.1.lock;
        let less = Amount::from_notches(FEE + SMALL_CHANGE);
        let rest = coin.1.value.checked_sub(less).unwrap_or(coin.1.value);
        let outputs = [rest, Amount::from_notches(SMALL_CHANGE)].map(|value| Output { value, lock });
        testing::spend(&self.params, &testing::rich_key(), &[*coin], outputs.to_vec())
    }

    /// Gives the payments to every node by RPC, and waits until each has all.
    fn pay_everywhere(&self, payments: &[Transaction]) -> Result<(), Failure> {
        let raw: Vec<Value> = payments.iter().map(raw).collect();
        thread::scope(|scope| {
            let gives: Vec<_> = self
                .cluster
                .nodes
                .iter()
                .map(|node| {
                    let raw = &raw;
                    scope.spawn(move || -> Result<(), Failure> {
                        for payment in raw {
                            node.call("sendrawtransaction", vec![payment.clone()])?;
                        }
                        Ok(())
                    })
                })
                .collect();
            gives.into_iter().try_for_each(|give| give.join().unwrap_or_else(|_| Err("a thread ended".into())))
        })?;
        for node in &self.cluster.nodes {
            wait_for("payments", || {
                let info = node.call("getmempoolinfo", Vec::new())?;
                Ok(info["size"].as_u64().is_some_and(|size| size >= payments.len() as u64))
            })?;
        }
        Ok(())
    }

    fn block(&self, payments: &[Transaction]) -> Block {
        let builder = BlockBuilder::on(&self.params, &self.tip, self.height);
        payments.iter().fold(builder, |builder, payment| builder.with(payment.clone())).build()
    }
}

fn raw(transaction: &Transaction) -> Value {
    json!(hex::encode(encode::encode(transaction)))
}
