//! Block templates: always valid, never too large, and filled by what pays.

use tally_consensus::subsidy::subsidy;
use tally_node_core::mempool::RelayPolicy;
use tally_node_core::testing::{allocations, lock_of, mine_template, now, outputs_of, pay_on, rich_key, split};
use tally_primitives::block::MAX_BLOCK_SIZE;
use tally_primitives::units::{Amount, Height, Timestamp};

use crate::Bench;

fn bench() -> Bench {
    Bench::new(RelayPolicy::default())
}

#[test]
fn an_empty_pool_makes_a_block_with_the_subsidy() {
    let mut bench = bench();
    let template = bench.template();
    assert_eq!(template.height, Height::new(1));
    assert_eq!(template.prev_block, bench.chain.chain.genesis_hash());
    assert_eq!(template.coinbase_value, subsidy(bench.chain.chain.params(), Height::new(1)));
    assert_eq!(template.current_time, now().as_seconds());
    assert_eq!(template.fees(), Amount::ZERO);
    let block = mine_template(&template, lock_of(&rich_key()), b"hello");
    bench.block(&block).unwrap();
    assert_eq!(bench.chain.chain.tip().hash, block.hash());
}

#[test]
fn time_is_never_before_the_minimum() {
    let mut bench = bench();
    bench.chain.mine(12, 0);
    bench.now = Timestamp::from_seconds(5);
    let template = bench.template();
    assert_eq!(template.min_time, bench.chain.chain.tip().median_time_past + 1);
    assert_eq!(template.current_time, template.min_time);
    let block = mine_template(&template, lock_of(&rich_key()), b"");
    bench.chain.offer(&block).unwrap();
}

#[test]
fn fees_are_claimed() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    for coin in &allocations(&params)[..3] {
        bench.send(&pay_on(&params, coin, 1000)).unwrap();
    }
    let template = bench.template();
    assert_eq!(template.fees(), Amount::from_notches(3000));
    assert_eq!(template.coinbase_value, subsidy(&params, Height::new(1)).checked_add(template.fees()).unwrap());
    bench.audit();
}

/// Twelve transactions of some 96 kB: ten fit.
#[test]
fn a_full_block_takes_what_pays_most() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    let coins = allocations(&params);
    for (number, coin) in (0u64..12).zip(&coins) {
        bench.send(&split(&params, coin, 2_400, 200_000 + number * 10_000)).unwrap();
    }
    let small = pay_on(&params, &coins[13], 300);
    bench.send(&small).unwrap();
    let template = bench.template();
    let fees: Vec<u64> = template.transactions.iter().map(|transaction| transaction.fee.to_notches()).collect();
    // A split leaves up to 2,399 notches more to the fee: what its parts cannot share.
    let steps: Vec<u64> = fees.iter().map(|fee| fee / 10_000).collect();
    let best: Vec<u64> = (22..32).rev().collect();
    assert_eq!(steps[..10], best);
    assert_eq!(fees[10..], [300], "what is left of the room goes to whatever fits");
    bench.audit();
    let block = mine_template(&template, lock_of(&rich_key()), b"");
    assert!(block.encoded_size() <= MAX_BLOCK_SIZE && block.encoded_size() > 960_000);
    bench.block(&block).unwrap();
    assert_eq!(bench.pool.len(), 2);
}

#[test]
fn a_child_pays_for_its_parent() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    let coins = allocations(&params);
    for coin in &coins[..10] {
        bench.send(&split(&params, coin, 2_400, 400_000)).unwrap();
    }
    let parent = split(&params, &coins[10], 2_400, 100_000);
    let child = pay_on(&params, &outputs_of(&parent)[0], 30_000);
    bench.send(&parent).unwrap();
    assert!(bench.template().transactions.iter().all(|transaction| transaction.txid != parent.txid()));
    let rich_child = pay_on(&params, &outputs_of(&parent)[1], 39_000);
    bench.send(&child).unwrap();
    assert!(bench.template().transactions.iter().all(|transaction| transaction.txid != parent.txid()));
    bench.send(&rich_child).unwrap();
    bench.audit();
    // The parent's outputs are worth some 41,000 notches each: a payment of several of them pays for all.
    let outputs = outputs_of(&parent);
    let policy_key = rich_key();
    let rest = Amount::from_notches(1_000_000);
    let payer = tally_node_core::testing::spend(
        &params,
        &policy_key,
        &outputs[2..100],
        vec![tally_primitives::transaction::Output { value: rest, lock: lock_of(&policy_key) }],
    );
    bench.send(&payer).unwrap();
    let template = bench.template();
    let place = |txid| template.transactions.iter().position(|transaction| transaction.txid == txid);
    let (parent_at, payer_at) = (place(parent.txid()), place(payer.txid()));
    assert_eq!(parent_at, Some(0), "the package of parent and payer is the best");
    assert_eq!(payer_at, Some(1));
    assert!(place(child.txid()).is_some() && place(rich_child.txid()).is_some(), "their parent is paid for now");
    bench.audit();
}
