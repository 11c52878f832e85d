//! Reorganisations as a table: a tree of blocks, an order of arrival, and where the tip must be at the end.

use std::collections::BTreeMap;
use std::sync::Arc;

use tally_node_core::chain::{BlockFate, ChainTipStatus};
use tally_node_core::testing::{BlockBuilder, TestChain, allocations, branch_on, now, params, pay_on};
use tally_primitives::block::Block;
use tally_primitives::params::Params;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Amount, Height};

use crate::{assert_same_as_fresh, height};

/// The tree: `b2<b1` is a block b2 on top of b1, `g` is genesis. `b2!` claims too much. `b2$` spends the first
/// allocated coin in a way of its own.
struct Scenario {
    name: &'static str,
    tree: &'static str,
    /// What arrives in which order: `b2` the whole block, `h:b2` its header.
    arrivals: &'static str,
    /// Where the tip is after each arrival.
    tips: &'static str,
}

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "the longer branch wins", tree: "a1<g b1<g b2<b1", arrivals: "a1 b1 b2", tips: "a1 a1 b2" },
    Scenario {
        name: "equal work keeps the first seen",
        tree: "a1<g a2<a1 b1<g b2<b1 c2<b1",
        arrivals: "a1 a2 b1 b2 c2",
        tips: "a1 a2 a2 a2 a2",
    },
    Scenario {
        name: "first seen counts bodies, not headers",
        tree: "a1<g b1<g",
        arrivals: "h:a1 h:b1 b1 a1",
        tips: "g g b1 b1",
    },
    Scenario {
        name: "there and back again",
        tree: "a1<g b1<g b2<b1 a2<a1 a3<a2 b3<b2 b4<b3",
        arrivals: "a1 b1 b2 a2 a3 b3 b4",
        tips: "a1 a1 b2 b2 a3 a3 b4",
    },
    Scenario {
        name: "bodies in reverse order",
        tree: "a1<g a2<a1 a3<a2 a4<a3",
        arrivals: "h:a1 h:a2 h:a3 h:a4 a4 a3 a2 a1",
        tips: "g g g g g g g a4",
    },
    Scenario {
        name: "a gap in the better branch",
        tree: "a1<g a2<a1 b1<g b2<b1 b3<b2",
        arrivals: "a1 a2 h:b1 h:b2 b3 b1 b2",
        tips: "a1 a2 a2 a2 a2 a2 b3",
    },
    Scenario {
        name: "double spends on both sides of a fork",
        tree: "a1$<g a2<a1$ b1<g b2$<b1 b3<b2$ a3<a2 a4<a3",
        arrivals: "a1$ a2 b1 b2$ b3 a3 a4",
        tips: "a1$ a2 a2 a2 b3 b3 a4",
    },
    Scenario {
        name: "a bad block in the better branch leads back",
        tree: "a1<g a2<a1 b1<g b2!<b1 b3<b2!",
        arrivals: "a1 a2 b1 b2! b3",
        tips: "a1 a2 a2 a2 a2",
    },
    Scenario {
        name: "a bad branch leads back to the first seen of equals",
        tree: "a1<g b1<g c1<g c2!<c1 b2<b1",
        arrivals: "a1 b1 c1 c2! b2",
        tips: "a1 a1 a1 a1 b2",
    },
    Scenario {
        name: "first seen is what could first be the tip",
        tree: "a1<g b1<g b2<b1 a2<a1",
        arrivals: "h:b1 h:b2 b2 a1 a2 b1",
        tips: "g g g a1 a2 a2",
    },
    Scenario {
        name: "the sound part of a branch may be better than the old chain",
        tree: "a1<g b1<g b2<b1 b3!<b2 b4<b3!",
        arrivals: "a1 h:b1 h:b2 b4! b3! b2 b1",
        tips: "a1 a1 a1 a1 a1 a1 b2",
    },
    Scenario {
        name: "a double spend on a longer fork leads back",
        tree: "a1<g a2<a1 b1$<g b2$<b1$ b3<b2$",
        arrivals: "a1 a2 b1$ b2$ b3",
        tips: "a1 a2 a2 a2 a2",
    },
    Scenario {
        name: "after a bad branch the second best is taken",
        tree: "a1<g b1<g b2<b1 c1!<g c2<c1! c3<c2",
        arrivals: "h:c1! h:c2 h:c3 c3 c2 a1 b1 b2 c1!",
        tips: "g g g g g a1 a1 b2 b2",
    },
];

struct Tree {
    blocks: BTreeMap<String, Block>,
    names: BTreeMap<String, String>,
}

/// A payment of the first allocated coin that differs from name to name.
fn double_spend(params: &Params, name: &str) -> Transaction {
    let salt: u64 = name.bytes().map(u64::from).sum();
    pay_on(params, &allocations(params)[0], 1000 + salt)
}

fn grow(text: &str) -> Tree {
    let params = params();
    let genesis = params.genesis();
    let mut heights = BTreeMap::from([("g".to_owned(), Height::GENESIS)]);
    let mut blocks = BTreeMap::from([("g".to_owned(), genesis)]);
    for (number, item) in (1u64..).zip(text.split_whitespace()) {
        let (name, parent) = item.split_once('<').expect("child<parent");
        let mut builder = BlockBuilder::on(&params, &blocks[parent].header, heights[parent]).extra(number);
        if name.ends_with('!') {
            builder = builder.claim(Amount::MAX_SUPPLY);
        }
        if name.ends_with('$') {
            builder = builder.with(double_spend(&params, name));
        }
        heights.insert(name.to_owned(), heights[parent].next());
        blocks.insert(name.to_owned(), builder.build());
    }
    let names = blocks.iter().map(|(name, block)| (block.hash().to_string(), name.clone())).collect();
    Tree { blocks, names }
}

#[test]
fn scenarios() {
    for scenario in SCENARIOS {
        let tree = grow(scenario.tree);
        let mut chain = TestChain::new();
        let arrivals: Vec<&str> = scenario.arrivals.split_whitespace().collect();
        let tips: Vec<&str> = scenario.tips.split_whitespace().collect();
        assert_eq!(arrivals.len(), tips.len(), "{}", scenario.name);
        for (arrival, tip) in arrivals.iter().zip(tips) {
            match arrival.strip_prefix("h:") {
                // Refusals are part of the scenario: a bad block's children, or blocks that come before their parents.
                Some(name) => drop(chain.chain.accept_header(&tree.blocks[name].header, now())),
                None => drop(tree.blocks.get(*arrival).map(|block| chain.offer(block))),
            }
            chain.store_changes();
            let found = &tree.names[&chain.chain.tip().hash.to_string()];
            assert_eq!(found, tip, "{}: after {arrival}", scenario.name);
        }
        assert_same_as_fresh(&chain);
        // A restart finds the same, and remembers which of equals was first.
        let mut reopened = TestChain::open(chain.store.clone()).expect("its own store opens");
        assert_eq!(reopened.chain.tip(), chain.chain.tip(), "{}", scenario.name);
        assert_eq!(reopened.chain.coin_stats(), chain.chain.coin_stats(), "{}", scenario.name);
        fail_better_branch(&mut reopened);
        assert_eq!(reopened.chain.tip(), chain.chain.tip(), "{}: after a failed reorganisation", scenario.name);
    }
}

/// A branch beside the tip whose second block is bad.
fn fail_better_branch(chain: &mut TestChain) {
    let below = chain.block_at(height(chain) - 1);
    let sound = chain.on(&below).extra(1_000).build();
    assert_eq!(chain.offer(&sound).unwrap().fate, BlockFate::Stored);
    let bad = chain.on(&sound).claim(Amount::MAX_SUPPLY).build();
    assert!(chain.offer(&bad).is_err());
}

#[test]
fn thousand_blocks() {
    let mut chain = TestChain::new();
    let params = chain.chain.params().clone();
    let genesis = params.genesis();
    for coin in allocations(&params) {
        let block = chain.next().with(pay_on(&params, &coin, 1000)).build();
        chain.offer(&block).unwrap();
    }
    let paid = height(&chain);
    chain.mine(1_000 - paid, 1);
    let old = chain.chain.tip();
    let branch = branch_on(&params, &genesis.header, Height::GENESIS, 1_001, 2);
    let (last, rest) = branch.split_last().unwrap();
    for block in rest {
        assert_eq!(chain.offer(block).unwrap().fate, BlockFate::Stored);
        assert_eq!(chain.chain.tip(), old);
    }
    let outcome = chain.offer(last).unwrap();
    assert_eq!(outcome.changes.disconnected.len(), 1_000);
    assert_eq!(outcome.changes.connected.len(), 1_001);
    assert_eq!(outcome.changes.disconnected[0].hash, old.hash);
    assert_eq!(outcome.changes.connected[1_000].hash, last.hash());
    assert_eq!(height(&chain), 1_001);
    let unspent = allocations(&params).iter().all(|(outpoint, _)| chain.coin(outpoint).is_some());
    assert!(unspent, "the payments are undone");
    assert_same_as_fresh(&chain);
}

#[test]
fn invalidate_and_reconsider() {
    let mut chain = TestChain::new();
    let blocks = chain.mine(6, 0);
    let side = branch_on(chain.chain.params(), &blocks[2].header, Height::new(3), 2, 7);
    for block in &side {
        chain.offer(block).unwrap();
    }
    let (tip, stats) = (chain.chain.tip(), chain.chain.coin_stats());

    let moved = chain.chain.invalidate_block(&blocks[3].hash()).unwrap();
    chain.store_changes();
    assert_eq!(moved.changes.disconnected.len(), 3);
    assert_eq!(moved.changes.connected.len(), 2);
    assert_eq!(chain.chain.tip().hash, side[1].hash());
    assert_eq!(chain.chain.best_header().hash, side[1].hash());
    assert!(chain.offer(&blocks[4]).is_err());
    assert_same_as_fresh(&chain);

    // The marks survive a restart.
    let mut chain = TestChain::open(chain.store.clone()).unwrap();
    assert_eq!(chain.chain.tip().hash, side[1].hash());
    let tips = chain.chain.tips();
    assert_eq!(tips.len(), 2);
    assert_eq!((tips[1].hash, tips[1].branch_length), (tip.hash, 3));
    assert_eq!(tips[1].status, ChainTipStatus::Invalid);

    // Reconsidering a descendant pardons its ancestors too.
    let back = chain.chain.reconsider_block(&tip.hash).unwrap();
    chain.store_changes();
    assert_eq!(back.changes.connected.len(), 3);
    assert_eq!((chain.chain.tip(), chain.chain.coin_stats()), (tip, stats));
    assert_eq!(chain.chain.tips()[1].status, ChainTipStatus::ValidFork);
    assert_same_as_fresh(&chain);

    // So does the pardon.
    let reopened = TestChain::open(chain.store.clone()).unwrap();
    assert_eq!((reopened.chain.tip(), reopened.chain.best_header()), (tip, tip));
    assert!(reopened.chain.tips().iter().all(|tip| tip.status != ChainTipStatus::Invalid));
}

#[test]
fn a_rejected_block_can_be_reconsidered_and_is_rejected_again() {
    let mut chain = TestChain::new();
    let bad = chain.next().claim(Amount::MAX_SUPPLY).build();
    assert!(chain.offer(&bad).is_err());
    let outcome = chain.chain.reconsider_block(&bad.hash()).unwrap();
    assert_eq!(outcome.rejected.len(), 1);
    assert_eq!(height(&chain), 0);
}

#[test]
fn genesis_and_unknown_blocks_cannot_be_invalidated() {
    let mut chain = TestChain::new();
    let genesis = chain.chain.genesis_hash();
    assert!(chain.chain.invalidate_block(&genesis).is_err());
    let unknown = branch_on(chain.chain.params(), &chain.block_at(0).header, Height::GENESIS, 1, 0)[0].hash();
    assert!(chain.chain.invalidate_block(&unknown).is_err());
    assert!(chain.chain.reconsider_block(&unknown).is_err());
}

#[test]
fn missing_blocks_locator_and_headers() {
    let mut chain = TestChain::new();
    let params = chain.chain.params().clone();
    let blocks = branch_on(&params, &params.genesis().header, Height::GENESIS, 1_500, 0);
    for block in &blocks {
        chain.chain.accept_header(&block.header, now()).unwrap();
    }
    for index in [3, 4, 1_200] {
        chain.chain.accept_block(Arc::new(blocks[index].clone()), now()).unwrap();
    }
    let missing = chain.chain.missing_blocks(6);
    let expected =
        [0, 1, 2, 5, 6, 7].map(|index| (blocks[index].hash(), Height::new(u32::try_from(index).unwrap() + 1)));
    assert_eq!(missing, expected);
    let all = chain.chain.missing_blocks(10_000);
    assert_eq!(all.len(), 1_497);
    assert!(all.is_sorted_by_key(|(_, height)| *height));

    let locator = chain.chain.locator();
    assert_eq!(locator.first(), Some(&blocks[1_499].hash()));
    assert_eq!(locator.last(), Some(&chain.chain.genesis_hash()));
    assert!(locator.len() < 25, "{}", locator.len());

    for block in &blocks[..100] {
        chain.offer(block).unwrap();
    }
    let zero = tally_primitives::hash::BlockHash::ZERO;
    let after = chain.chain.headers_after(&locator, &zero, 2_000);
    assert_eq!(after.len(), 100, "the active chain alone, from genesis: the locator's others are not on it");
    let known = [blocks[1_000].hash(), blocks[49].hash()];
    let after = chain.chain.headers_after(&known, &blocks[59].hash(), 2_000);
    assert_eq!(after.first().map(|header| header.hash()), Some(blocks[50].hash()));
    assert_eq!(after.last().map(|header| header.hash()), Some(blocks[59].hash()));
    assert_eq!(chain.chain.headers_after(&known, &zero, 7).len(), 7);
    assert_eq!(chain.chain.confirmations(&blocks[99].hash()), Some(1));
    assert_eq!(chain.chain.confirmations(&blocks[0].hash()), Some(100));
    assert_eq!(chain.chain.confirmations(&blocks[1_200].hash()), None);
}
