//! What dies when a network falls apart and meets again.
//!
//! Seven of ten equal miners are cut off from the other three for m spacings. Both parts go on; when they meet, the chain with less work
//! goes. The parts find Poisson(0.7 m) and Poisson(0.3 m) blocks, and the smaller of the two numbers dies: mostly that of the three, in a short
//! split sometimes that of the seven. Payments do not die with their blocks: they return to the mempools and are confirmed again. Only of two
//! payments with the same coin, one on each side, one is gone for ever.

use tally_node_core::testing;
use tally_primitives::hash::{BlockHash, Txid};
use tally_primitives::transaction::{OutPoint, Transaction};

use crate::labs::statistics::{Estimate, Uncertain};
use crate::labs::{Axis, Effort, Lab, LabReport, Plot, Row, Series};
use crate::network::Network;
use crate::network::partition::{Partition as Split, PartitionKind};
use crate::traffic::Miner;
use crate::world::{Event, World, WorldConfig};

const HOSTS: usize = 10;
/// Hosts of the larger part; the others are the smaller one.
const MAJORITY: usize = 7;

/// Mean time between blocks of all together, in milliseconds.
const SPACING_MS: u64 = 10_000;

/// One way, in milliseconds: so little that no block is lost for any other reason.
const DELAY_MS: u64 = 1;

/// How long the split lasts, in spacings.
const LENGTHS: [u32; 5] = [2, 5, 10, 20, 40];

/// Payments of each kind on each side.
const PAYMENTS: usize = 3;

/// Longer than the longest pause between two calls to a lost peer.
const MEET_MS: u64 = 100_000;

/// The lab.
#[derive(Clone, Copy, Debug)]
pub struct Partition {
    /// How much to do.
    pub effort: Effort,
}

/// What one split left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    dead_blocks: u32,
    minority_won: bool,
    /// Payments whose coin nobody else spent, and that are not confirmed at the end.
    lost: usize,
    /// Pairs of which not exactly one is.
    odd_pairs: usize,
}

/// What was paid during a split.
struct Paid {
    alone: Vec<Transaction>,
    pairs: Vec<[Transaction; 2]>,
}

impl Lab for Partition {
    type Sample = Sample;

    fn runs(&self) -> usize {
        LENGTHS.len() * self.effort.worlds
    }

    fn run(&self, number: usize) -> Sample {
        let length = u64::from(LENGTHS[number / self.effort.worlds]);
        let links = (1..HOSTS).flat_map(|host| (0..host).map(move |other| (host, other))).collect();
        let config = WorldConfig::new(self.effort.seed_of(number), HOSTS, links, Network::constant(DELAY_MS));
        let mut world = World::new(config);
        world.run(1_000);
        world.mine_on(0);
        world.run(1_000);
        let second_part = (MAJORITY..HOSTS).collect();
        world.schedule(0, Event::Split(Split { second_part, kind: PartitionKind::Break }));
        world.run(1);
        let before = height(&world, 0);
        let paid = pay_on_both_sides(&mut world);
        world.start_mining((0..HOSTS).map(|host| Miner { host, mean_ms: HOSTS as u64 * SPACING_MS }).collect());
        world.run(length * SPACING_MS);
        world.stop_mining();
        let smaller = tip(&world, MAJORITY);
        let heights = [height(&world, 0) - before, height(&world, MAJORITY) - before];
        world.schedule(0, Event::Heal);
        world.run(MEET_MS);
        // The first block decides between equals, the second confirms what has returned because of that.
        for _ in 0..2 {
            let decider = world.random_host();
            world.mine_on(decider);
            world.run(MEET_MS);
        }
        let minority_won = heights[1] > 0 && is_active(&world, smaller);
        let dead_blocks = if minority_won { heights[0] } else { heights[1] };
        let lost = paid.alone.iter().filter(|payment| !is_confirmed(&world, payment)).count();
        let is_odd = |[a, b]: &&[Transaction; 2]| is_confirmed(&world, a) == is_confirmed(&world, b);
        Sample { dead_blocks, minority_won, lost, odd_pairs: paid.pairs.iter().filter(is_odd).count() }
    }

    fn conclude(&self, samples: Vec<Sample>) -> LabReport {
        let rows: Vec<Row> = LENGTHS.into_iter().zip(samples.chunks(self.effort.worlds)).map(row).collect();
        let x = Axis { label: "length of the split, in spacings", logarithmic: false };
        let series = vec![
            Series::measured(&rows),
            Series::curve("theory", x, 0.0, 45.0, |length| dead_blocks(length).0),
            Series::curve("0.3 m", x, 0.0, 45.0, |length| 0.3 * length),
        ];
        LabReport {
            lab: "partition",
            seed: self.effort.seed,
            parameter: "spacings",
            quantity: "blocks that die when the parts meet",
            rule: "theory within the 99.9 % interval (Student's t over independent worlds), no payment lost, one of each pair confirmed",
            figures: Vec::new(),
            plot: Plot {
                title: "Blocks that die when 70 % and 30 % meet again",
                x,
                y: Axis { label: "blocks", logarithmic: false },
                series,
            },
            rows,
        }
    }
}

fn row((length, samples): (u32, &[Sample])) -> Row {
    let dead: Vec<f64> = samples.iter().map(|sample| f64::from(sample.dead_blocks)).collect();
    let wins: Vec<f64> = samples.iter().map(|sample| f64::from(u8::from(sample.minority_won))).collect();
    let estimated = Estimate::of(&dead);
    let (theory, wins_theory) = dead_blocks(f64::from(length));
    let sound = samples.iter().all(|sample| sample.lost == 0 && sample.odd_pairs == 0);
    Row {
        at: f64::from(length),
        measured: estimated.mean,
        theory,
        interval: estimated.printed(),
        pass: sound && estimated.allows(theory),
        more: vec![
            ("minority_wins", Estimate::of(&wins).mean),
            ("minority_wins_theory", wins_theory),
            ("payments_lost", samples.iter().map(|sample| sample.lost).sum::<usize>() as f64),
            ("double_payments_dead", (PAYMENTS * samples.len()) as f64),
        ],
    }
}

/// The mean of the smaller of two Poisson numbers, and how often the smaller part wins: with the greater number, or with the same and the
/// deciding block.
fn dead_blocks(length: f64) -> (f64, f64) {
    let share = MAJORITY as f64 / HOSTS as f64;
    let (larger, smaller) = (poisson(share * length), poisson((1.0 - share) * length));
    let (mut dead, mut wins) = (0.0, 0.0);
    for (a, p) in larger.iter().enumerate() {
        for (b, q) in smaller.iter().enumerate() {
            dead += p * q * a.min(b) as f64;
            wins += p
                * q
                * if b > a {
                    1.0
                } else if a == b && a > 0 {
                    1.0 - share
                } else {
                    0.0
                };
        }
    }
    (dead, wins)
}

fn poisson(mean: f64) -> Vec<f64> {
    const MOST: u32 = 120;
    let mut term = (-mean).exp();
    let mut all = vec![term];
    for number in 1..=MOST {
        term *= mean / f64::from(number);
        all.push(term);
    }
    all
}

/// On each side some payments of its own, and the same coins spent differently on both.
fn pay_on_both_sides(world: &mut World) -> Paid {
    let params = world.params().clone();
    let coins = testing::allocations(&params);
    let mut paid = Paid { alone: Vec::new(), pairs: Vec::new() };
    for number in 0..PAYMENTS {
        for (side, host) in [(0, 0), (1, MAJORITY)] {
            let payment = testing::pay_on(&params, &coins[2 * number + side], 5_000);
            world.submit(host, payment.clone());
            paid.alone.push(payment);
        }
        let coin = &coins[2 * PAYMENTS + number];
        let pair = [testing::pay_on(&params, coin, 5_000), testing::pay_on(&params, coin, 6_000)];
        world.submit(0, pair[0].clone());
        world.submit(MAJORITY, pair[1].clone());
        paid.pairs.push(pair);
    }
    paid
}

fn tip(world: &World, host: usize) -> Option<BlockHash> {
    world.node(host).map(|node| node.chain().tip().hash)
}

fn height(world: &World, host: usize) -> u32 {
    world.node(host).map_or(0, |node| node.chain().tip().height.get())
}

fn is_active(world: &World, hash: Option<BlockHash>) -> bool {
    let node = world.node(0);
    node.zip(hash).is_some_and(|(node, hash)| node.chain().is_active(&hash))
}

fn is_confirmed(world: &World, payment: &Transaction) -> bool {
    let txid: Txid = payment.txid();
    let coin = world.node(0).map(|node| node.chain().coin(&OutPoint { txid, index: 0 }));
    matches!(coin, Some(Ok(Some(_))))
}
