//! Properties of random block trees in random orders of arrival.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::{Just, ProptestConfig, Strategy, any};
use proptest::{prop_assert, prop_assert_eq, proptest};
use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::chain::{Chain, ChainError, SYNC_GAP_BLOCKS};
use tally_node_core::testing::{
    BlockBuilder, TestChain, allocations, branch_on, now, outputs_of, params, pay_on, split,
};
use tally_primitives::block::Block;
use tally_primitives::transaction::{OutPoint, Output};
use tally_primitives::units::{Amount, Height};

use crate::assert_same_as_fresh;

const BLOCKS: usize = 28;

/// How a block of the tree comes about.
#[derive(Debug, Clone)]
struct Plan {
    /// Which earlier block it stands on, as a share of those there are; most stand on the latest.
    parent: usize,
    /// Number of payments.
    payments: usize,
    /// Claims too much.
    is_bad: bool,
}

#[derive(Clone)]
struct Grown {
    block: Block,
    height: Height,
    valid: bool,
    coins: Vec<(OutPoint, Output)>,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let plan =
        (0usize..6, 0usize..3, 0u8..14).prop_map(|(parent, payments, bad)| Plan { parent, payments, is_bad: bad == 0 });
    proptest::collection::vec(plan, BLOCKS)
}

/// Makes the tree, genesis first. Payments spend coins as they are on the block's own branch.
fn grow(plans: &[Plan]) -> Vec<Grown> {
    let params = params();
    let genesis = params.genesis();
    let coins = allocations(&params);
    let mut grown = vec![Grown { block: genesis, height: Height::GENESIS, valid: true, coins }];
    for (number, plan) in (0u64..).zip(plans) {
        let parent = grown[grown.len().saturating_sub(1 + plan.parent)].clone();
        let mut builder = BlockBuilder::on(&params, &parent.block.header, parent.height).extra(number);
        let mut coins = parent.coins;
        for _ in 0..plan.payments {
            let coin = coins.remove(usize::try_from(number).unwrap() % coins.len());
            let payment = if number % 2 == 0 { split(&params, &coin, 3, 300) } else { pay_on(&params, &coin, 300) };
            coins.extend(outputs_of(&payment));
            builder = builder.with(payment);
        }
        if plan.is_bad {
            builder = builder.claim(Amount::MAX_SUPPLY);
        }
        let height = parent.height.next();
        grown.push(Grown { block: builder.build(), height, valid: parent.valid && !plan.is_bad, coins });
    }
    grown
}

/// Offers blocks in the given order; those without a known parent wait and are offered again. Above a refused block some
/// wait for ever.
fn offer_all(chain: &mut TestChain, blocks: &[&Block]) {
    let mut waiting: Vec<&Block> = blocks.to_vec();
    let mut before = usize::MAX;
    while waiting.len() < before {
        before = waiting.len();
        waiting.retain(|block| matches!(chain.offer(block), Err(ChainError::UnknownParent { .. })));
    }
}

/// Lets the chain know of headers so far above the best block that it stays in initial sync.
fn far_headers(chain: &mut Chain, grown: &[Grown]) {
    for one in &grown[1..] {
        chain.accept_header(&one.block.header, now()).unwrap();
    }
    let best = grown.iter().filter(|one| one.valid).max_by_key(|one| one.height).unwrap();
    for block in branch_on(&params(), &best.block.header, best.height, SYNC_GAP_BLOCKS + 20, 3) {
        chain.accept_header(&block.header, now()).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    /// Whatever the order: the tip has the most work of all valid blocks, and the coins are those of a fresh node.
    #[test]
    fn any_order_ends_on_the_best_chain(
        plans in plans(),
        order in Just((1..=BLOCKS).collect::<Vec<_>>()).prop_shuffle(),
        headers_first in any::<bool>(),
        restart_every in 1usize..20,
    ) {
        let grown = grow(&plans);
        let mut chain = TestChain::new();
        if headers_first {
            for one in &grown[1..] {
                chain.chain.accept_header(&one.block.header, now()).unwrap();
            }
        }
        let order: Vec<&Block> = order.iter().map(|index| &grown[*index].block).collect();
        for part in order.chunks(restart_every) {
            if headers_first {
                offer_all(&mut chain, part);
                // A clean stop and a start in between change nothing.
                chain.chain.flush();
                chain.store_changes();
                let tip = chain.chain.tip();
                chain = TestChain::open(chain.store.clone()).unwrap();
                prop_assert_eq!(chain.chain.tip(), tip);
            }
        }
        if !headers_first {
            offer_all(&mut chain, &order);
        }
        let best = grown.iter().filter(|one| one.valid).map(|one| one.height).max().unwrap();
        prop_assert_eq!(chain.chain.tip().height, best);
        let tip = grown.iter().find(|one| one.block.hash() == chain.chain.tip().hash).unwrap();
        prop_assert!(tip.valid);
        let expected: BTreeSet<OutPoint> = tip.coins.iter().map(|(outpoint, _)| *outpoint).collect();
        let found: BTreeMap<_, _> = chain.store.coins();
        prop_assert!(expected.iter().all(|outpoint| found.contains_key(outpoint)));
        assert_same_as_fresh(&chain);
    }

    /// Blocks that are disconnected and connected again leave the coins as they were.
    #[test]
    fn disconnecting_undoes_connecting(plans in plans(), depth in 1u32..12) {
        let grown = grow(&plans);
        let mut chain = TestChain::new();
        let blocks: Vec<&Block> = grown[1..].iter().map(|one| &one.block).collect();
        offer_all(&mut chain, &blocks);
        let tip = chain.chain.tip();
        let (stats, coins) = (chain.chain.coin_stats(), chain.store.coins());
        let depth = depth.min(tip.height.get());
        if depth > 0 {
            let first = chain.chain.block_at(Height::new(tip.height.get() - depth + 1)).unwrap();
            let down = chain.chain.invalidate_block(&first).unwrap();
            chain.store_changes();
            // More leave when the next best branch forks off lower.
            prop_assert!(down.changes.disconnected.len() >= usize::try_from(depth).unwrap());
            prop_assert_eq!(down.changes.disconnected[0].hash, tip.hash);
            assert_same_as_fresh(&chain);
            chain.chain.reconsider_block(&first).unwrap();
            chain.store_changes();
        }
        // Another branch of the same work may have taken its place, but this one was seen first.
        prop_assert_eq!(chain.chain.tip(), tip);
        prop_assert_eq!(chain.chain.coin_stats(), stats);
        prop_assert!(chain.store.coins() == coins);
        assert_same_as_fresh(&chain);
    }

    /// A crash at any moment, with only some change sets applied, loses nothing but time.
    #[test]
    fn a_crash_between_change_sets_is_harmless(
        plans in plans(),
        crash_at in 0usize..60,
        flush_every in 1usize..12,
        is_syncing in any::<bool>(),
    ) {
        let grown = grow(&plans);
        let store = MemoryStore::new();
        let mut chain = Chain::open(params(), Box::new(MemoryStore::new())).unwrap();
        if is_syncing {
            far_headers(&mut chain, &grown);
            prop_assert!(chain.is_syncing());
        }
        let mut applied = 0;
        for (at, one) in grown[1..].iter().enumerate() {
            let _refused = chain.accept_block(Arc::new(one.block.clone()), now());
            if at % flush_every == 0 {
                chain.flush();
            }
            while let Some(changes) = chain.take_changes() {
                if applied < crash_at {
                    store.apply(changes).unwrap();
                    applied += 1;
                }
            }
        }
        let mut restarted = TestChain::open(store).unwrap();
        let blocks: Vec<&Block> = grown[1..].iter().map(|one| &one.block).collect();
        offer_all(&mut restarted, &blocks);
        // It knows of the far headers too, so the last batch waits for more.
        restarted.chain.flush();
        restarted.store_changes();
        prop_assert_eq!(restarted.chain.tip().work, chain.tip().work);
        assert_same_as_fresh(&restarted);
    }
}
