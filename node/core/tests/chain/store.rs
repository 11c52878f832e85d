//! What goes to the store: change sets that are bounded, consistent one by one, and enough to go on from.

use std::collections::BTreeMap;
use std::sync::Arc;

use tally_consensus::error::RuleId;
use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::chain::store::{ChainStore, ChangeSet, CoinStats};
use tally_node_core::chain::{Chain, ChainError, SYNC_GAP_BLOCKS};
use tally_node_core::mempool::{Mempool, RelayPolicy};
use tally_node_core::testing::{BlockBuilder, TestChain, allocations, now, outputs_of, params, pay_on, split};
use tally_primitives::block::Block;
use tally_primitives::params::Params;
use tally_primitives::transaction::{Coin, OutPoint};

use crate::{assert_same_as_fresh, height};

/// STORE.md's bound on the operations of one change set.
const MAX_OPERATIONS: usize = 20_000;

fn figures(coins: &BTreeMap<OutPoint, Coin>) -> CoinStats {
    coins.iter().fold(CoinStats::default(), |stats, (outpoint, coin)| stats.with(outpoint, coin))
}

/// Blocks that split coins and gather them again, so that coins come and go.
fn busy_blocks(count: u64) -> Vec<Block> {
    let params = params();
    let mut coins = allocations(&params);
    let (mut parent, mut height) = (params.genesis().header, tally_primitives::units::Height::GENESIS);
    let mut blocks = Vec::new();
    for number in 0..count {
        let coin = coins.remove(0);
        let payment = if number % 3 == 0 { split(&params, &coin, 40, 400) } else { pay_on(&params, &coin, 400) };
        coins.extend(outputs_of(&payment));
        let block = BlockBuilder::on(&params, &parent, height).with(payment).build();
        (parent, height) = (block.header, height.next());
        blocks.push(block);
    }
    blocks
}

#[test]
fn every_change_set_leaves_a_consistent_store() {
    let blocks = busy_blocks(120);
    let mut chain = Chain::open(params(), Box::new(MemoryStore::new())).unwrap();
    // Nothing is applied: the chain must go on from what it has handed out itself.
    let mut handed_out: Vec<ChangeSet> = Vec::new();
    for block in &blocks {
        chain.accept_header(&block.header, now()).unwrap();
    }
    for block in blocks.iter().rev() {
        chain.accept_block(Arc::new(block.clone()), now()).unwrap();
        while let Some(changes) = chain.take_changes() {
            handed_out.push(changes);
        }
    }
    chain.flush();
    handed_out.extend(std::iter::from_fn(|| chain.take_changes()));
    assert_eq!(chain.tip().hash, blocks.last().unwrap().hash());

    let store = MemoryStore::new();
    for changes in handed_out {
        store.apply(changes).expect("change sets fit one after another");
        assert_eq!(store.coin_stats().unwrap(), figures(&store.coins()));
        let mut reopened = TestChain::open(store.snapshot()).expect("a crash here loses nothing that was stored");
        for block in &blocks {
            reopened.offer(block).unwrap();
        }
        assert_eq!(reopened.chain.tip(), chain.tip());
        assert_eq!(reopened.chain.coin_stats(), chain.coin_stats());
    }
    assert_eq!(store.tip().unwrap(), Some(chain.tip().hash));
}

#[test]
fn outside_initial_sync_every_block_leaves_at_once() {
    let mut chain = TestChain::new();
    for block in busy_blocks(10) {
        chain.chain.accept_block(Arc::new(block.clone()), now()).unwrap();
        let changes = chain.chain.take_changes().expect("a change set for the block");
        assert_eq!(changes.tip, Some(block.hash()));
        assert_eq!(changes.connected, [block.hash()]);
        assert_eq!((changes.blocks.len(), changes.undo.len(), changes.index.len()), (1, 1, 1));
        assert!(chain.chain.take_changes().is_none());
        assert!(!chain.chain.has_unflushed());
        chain.store.apply(changes).unwrap();
        chain.chain.changes_applied();
    }
    assert_same_as_fresh(&chain);
}

#[test]
fn initial_sync_batches_and_cancels_coins() {
    let mut chain = TestChain::new();
    let blocks = busy_blocks(300);
    for block in &blocks {
        chain.chain.accept_header(&block.header, now()).unwrap();
    }
    assert!(chain.chain.is_syncing());
    let mut sets = 0;
    for block in &blocks {
        chain.chain.accept_block(Arc::new(block.clone()), now()).unwrap();
        while let Some(changes) = chain.chain.take_changes() {
            assert!(changes.coins.len() <= MAX_OPERATIONS);
            sets += 1;
            if sets == 1 {
                let blocks = changes.connected.len();
                assert!(blocks >= 200, "the first batch goes on until the gap is small: {blocks}");
                let spent_and_made = changes.coins.values().filter(|coin| coin.is_some()).count();
                assert!(spent_and_made < 4_500, "coins made and spent in between cancel out: {spent_and_made}");
            }
            chain.store.apply(changes).unwrap();
        }
        chain.chain.changes_applied();
    }
    assert!(!chain.chain.is_syncing());
    let at_once = usize::try_from(SYNC_GAP_BLOCKS).unwrap() + 1;
    assert_eq!(sets, at_once);
    assert_same_as_fresh(&chain);
}

/// A body of `parts` outputs, to fill change sets.
fn wide_block(
    params: &Arc<Params>,
    parent: &Block,
    height: u32,
    coin: &(OutPoint, tally_primitives::transaction::Output),
    parts: u64,
) -> Block {
    let height = tally_primitives::units::Height::new(height);
    BlockBuilder::on(params, &parent.header, height).with(split(params, coin, parts, 0)).build()
}

#[test]
fn change_sets_are_bounded_when_a_gap_closes() {
    let mut chain = TestChain::new();
    let params = chain.chain.params().clone();
    let coins = allocations(&params);
    let mut blocks: Vec<Block> = Vec::new();
    let mut parent = params.genesis();
    for (height, coin) in (0u32..8).zip(&coins) {
        let block = wide_block(&params, &parent, height, coin, 7_000);
        parent = block.clone();
        blocks.push(block);
    }
    for block in &blocks {
        chain.chain.accept_header(&block.header, now()).unwrap();
    }
    for block in blocks.iter().skip(1) {
        chain.offer(block).unwrap();
    }
    assert_eq!(height(&chain), 0);
    chain.chain.accept_block(Arc::new(blocks[0].clone()), now()).unwrap();
    let mut sets = Vec::new();
    while let Some(changes) = chain.chain.take_changes() {
        assert!(changes.coins.len() <= MAX_OPERATIONS, "{}", changes.coins.len());
        sets.push(changes.connected.len());
        chain.store.apply(changes).unwrap();
        assert_eq!(chain.store.coin_stats().unwrap(), figures(&chain.store.coins()));
        // Even a driver that tells too early does not make coins of the sets that are still to come disappear.
        chain.chain.changes_applied();
        let last = &blocks[7].transactions[1];
        assert!(outputs_of(last).iter().take(5).all(|(outpoint, _)| chain.coin(outpoint).is_some()));
    }
    chain.chain.changes_applied();
    assert_eq!(sets, [2, 2, 2, 2]);
    assert_eq!(height(&chain), 8);
    assert_same_as_fresh(&chain);
}

#[test]
fn activation_pauses_at_its_budget_and_goes_on() {
    let mut chain = TestChain::new();
    let params = chain.chain.params().clone();
    let coins = allocations(&params);
    let mut blocks: Vec<Block> = Vec::new();
    let mut parent = params.genesis();
    for (height, coin) in (0u32..12).zip(&coins) {
        let block = wide_block(&params, &parent, height, coin, 20_000);
        parent = block.clone();
        blocks.push(block);
    }
    for block in &blocks {
        chain.chain.accept_header(&block.header, now()).unwrap();
    }
    for block in blocks.iter().rev() {
        chain.offer(block).unwrap();
    }
    assert_eq!(height(&chain), 10, "ten blocks of 20,000 operations are one budget");
    assert!(chain.chain.activation_pending());
    let rest = chain.chain.activate().unwrap();
    chain.store_changes();
    assert_eq!(rest.changes.connected.len(), 2);
    assert!(!chain.chain.activation_pending());
    assert_eq!(height(&chain), 12);
}

#[test]
fn a_lost_body_is_missed_and_taken_again() {
    let mut chain = TestChain::new();
    let blocks = busy_blocks(6);
    for block in &blocks {
        chain.chain.accept_header(&block.header, now()).unwrap();
    }
    for block in &blocks[1..] {
        chain.offer(block).unwrap();
    }
    chain.store.lose_block(&blocks[3].hash());
    chain.offer(&blocks[0]).unwrap();
    assert_eq!(height(&chain), 3);
    assert_eq!(chain.chain.missing_blocks(9), [(blocks[3].hash(), tally_primitives::units::Height::new(4))]);
    chain.offer(&blocks[3]).unwrap();
    assert_eq!(height(&chain), 6);
    assert_same_as_fresh(&chain);
}

#[test]
fn a_lost_coin_accuses_the_store_and_not_a_block_that_was_valid() {
    let mut chain = TestChain::new();
    let blocks = busy_blocks(3);
    for block in &blocks {
        chain.offer(block).unwrap();
    }
    chain.chain.invalidate_block(&blocks[2].hash()).unwrap();
    chain.store_changes();
    chain.store.lose_coin(&blocks[2].transactions[1].inputs[0].outpoint);
    let mut reopened = TestChain::open(chain.store.clone()).unwrap();
    let error = reopened.chain.reconsider_block(&blocks[2].hash()).unwrap_err();
    assert!(matches!(error, ChainError::Inconsistent { .. }) && error.is_fatal(), "{error}");
    assert!(!reopened.chain.index().entry(&blocks[2].hash()).unwrap().is_invalid());
}

/// Signatures that the mempool has verified are not verified again; those of others are.
#[test]
fn a_forged_signature_does_not_hide_behind_a_verified_one() {
    let mut chain = TestChain::new();
    let coin = allocations(chain.chain.params())[0];
    let honest = pay_on(chain.chain.params(), &coin, 1_000);
    let mut pool = Mempool::new(RelayPolicy::default());
    pool.accept(Arc::new(honest.clone()), &chain.chain, now()).unwrap();
    let mut forged = honest.clone();
    forged.inputs[0].witness.signatures[0] = pay_on(chain.chain.params(), &coin, 2_000).inputs[0].witness.signatures[0];
    assert_eq!(forged.txid(), honest.txid());
    let error = chain.offer(&chain.next().with(forged).build()).unwrap_err();
    assert_eq!(error.rule_id(), Some(RuleId::In06));
    chain.offer(&chain.next().with(honest).build()).unwrap();
}

#[test]
fn another_networks_store_is_refused() {
    let chain = TestChain::new();
    let other = Params { genesis_message: "elsewhere".to_owned(), ..Params::clone(&params()) };
    let expected = other.genesis_hash();
    let error = Chain::open(Arc::new(other), Box::new(chain.store.clone())).err();
    assert_eq!(error, Some(ChainError::WrongGenesis { expected, found: chain.chain.genesis_hash() }));
}

#[test]
fn genesis_allocations_are_spendable_at_once() {
    let mut chain = TestChain::new();
    let coin = allocations(chain.chain.params())[0];
    assert_eq!(chain.coin(&coin.0).map(|coin| coin.coinbase), Some(false));
    let block = chain.next().with(pay_on(chain.chain.params(), &coin, 1)).build();
    chain.offer(&block).unwrap();
    assert_eq!(height(&chain), 1);
}

#[test]
fn block_status_of_a_stored_store_survives_in_change_sets_without_tip() {
    let mut chain = TestChain::new();
    let blocks = chain.mine(2, 0);
    let side = chain.on(&blocks[0]).extra(5).build();
    chain.chain.accept_block(Arc::new(side.clone()), now()).unwrap();
    let changes = chain.chain.take_changes().expect("the body has to be stored");
    assert_eq!((changes.tip, changes.stats, changes.coins.len()), (None, None, 0));
    assert_eq!(changes.blocks.len(), 1);
    chain.store.apply(changes).unwrap();
    let reopened = TestChain::open(chain.store.clone()).unwrap();
    assert!(reopened.chain.has_body(&side.hash()));
    assert_eq!(reopened.chain.tip().hash, blocks[1].hash());
}
