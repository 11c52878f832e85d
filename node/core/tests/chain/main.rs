//! Scenarios, tables and properties of the chain state.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop the test, as the tests themselves do")]

mod difficulty;
mod properties;
mod proposals;
mod reorg;
mod rules;
mod rules_witness;
mod store;

use tally_node_core::testing::TestChain;
use tally_primitives::units::Height;

/// Asserts that a chain has the same coins as a fresh one that has seen nothing but its active blocks.
fn assert_same_as_fresh(chain: &TestChain) {
    let mut fresh = TestChain::new();
    for height in 1..=chain.chain.tip().height.get() {
        let block = chain.block_at(height);
        fresh.offer(&block).expect("blocks of the active chain are valid");
    }
    assert_eq!(fresh.chain.tip(), chain.chain.tip());
    assert_eq!(fresh.chain.coin_stats(), chain.chain.coin_stats(), "at height {}", chain.chain.tip().height);
    assert!(fresh.store.coins() == chain.store.coins(), "the stored coins differ");
}

/// The tip's height as a number.
fn height(chain: &TestChain) -> u32 {
    let tip = chain.chain.tip();
    assert_eq!(chain.chain.block_at(Height::new(tip.height.get())), Some(tip.hash));
    tip.height.get()
}
