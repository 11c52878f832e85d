//! The chain asks for the difficulty that the rule gives on each block's own branch.

use std::sync::Arc;

use tally_consensus::difficulty::next_bits;
use tally_consensus::error::RuleId;
use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::chain::{BlockFate, Chain};
use tally_node_core::mempool::{Mempool, RelayPolicy};
use tally_node_core::mining::BlockTemplate;
use tally_node_core::testing::{grind, params};
use tally_primitives::block::Block;
use tally_primitives::hash::LockHash;
use tally_primitives::params::Params;
use tally_primitives::pow::CompactTarget;
use tally_primitives::units::{Height, Timestamp};

/// Ten seconds a block, and an easy limit.
fn paced() -> Arc<Params> {
    Arc::new(Params { spacing_seconds: 10, half_life_seconds: Some(60), ..Params::clone(&params()) })
}

/// The block that a miner makes `seconds` after genesis.
fn mined(chain: &Chain, seconds: u32, bits: Option<CompactTarget>) -> Block {
    let now = Timestamp::from_seconds(chain.params().genesis_time + seconds);
    let template = BlockTemplate::build(chain, &Mempool::new(RelayPolicy::default()), now);
    let mut block = template.block(LockHash::ZERO, &seconds.to_le_bytes());
    block.header.bits = bits.unwrap_or(template.bits);
    grind(&mut block.header);
    block
}

fn late(params: &Params) -> Timestamp {
    Timestamp::from_seconds(params.genesis_time + 1_000_000)
}

#[test]
fn blocks_that_come_fast_make_it_harder_and_wrong_bits_are_refused() {
    let params = paced();
    let mut chain = Chain::open(params.clone(), Box::new(MemoryStore::new())).unwrap();
    let first_time = params.genesis_time + 1_000;
    let mut last_target = params.target_limit();
    for height in 1..=30u32 {
        let expected = next_bits(&params, Height::new(height), chain.tip().time, (height > 1).then_some(first_time));
        assert_eq!(chain.next_bits(), expected, "at height {height}");
        let target = expected.to_target().unwrap();
        assert!(target <= last_target && (height < 3 || target < last_target), "at height {height}");
        last_target = target;
        if height > 2 {
            let wrong = mined(&chain, 999 + height, Some(params.limit));
            let error = chain.accept_block(Arc::new(wrong), late(&params)).unwrap_err();
            assert_eq!(error.rule_id(), Some(RuleId::Hdr03));
        }
        let block = mined(&chain, 999 + height, None);
        assert_eq!(chain.accept_block(Arc::new(block), late(&params)).unwrap().fate, BlockFate::Connected);
    }
}

#[test]
fn each_branch_has_its_own_anchor() {
    let params = paced();
    let mut one = Chain::open(params.clone(), Box::new(MemoryStore::new())).unwrap();
    let mut other = Chain::open(params.clone(), Box::new(MemoryStore::new())).unwrap();
    for step in 0..6 {
        let block = mined(&one, 100 + step, None);
        one.accept_block(Arc::new(block), late(&params)).unwrap();
    }
    // The other branch began much later, so the same times mean something else there.
    for step in 0..8 {
        let block = Arc::new(mined(&other, 5_000 + step, None));
        other.accept_block(block.clone(), late(&params)).unwrap();
        one.accept_block(block, late(&params)).expect("its bits are right on its own branch");
    }
    assert_eq!(one.tip(), other.tip());
    assert_eq!(one.next_bits(), other.next_bits());
}
