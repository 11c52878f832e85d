//! What a reorganisation leaves of the mempool when coins, heights or rivals change.

use tally_node_core::event::RemovalReason;
use tally_node_core::mempool::{PoolUpdate, RelayPolicy};
use tally_node_core::testing::{
    BlockBuilder, MATURITY, allocations, branch_on, lock_of, outputs_of, pay_on, rich_key, spend,
};
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{CURRENT_VERSION, Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

use crate::Bench;

fn bench() -> Bench {
    Bench::new(RelayPolicy::default())
}

/// Replaces the blocks above `fork` by empty ones, one more than there are.
fn reorganise(bench: &mut Bench, fork: u32, count: u32) -> PoolUpdate {
    let parent = bench.chain.block_at(fork);
    let params = bench.chain.chain.params().clone();
    let mut all = PoolUpdate::default();
    for block in branch_on(&params, &parent.header, Height::new(fork), count, 55) {
        let update = bench.block(&block).unwrap();
        all.removed.extend(update.removed);
        all.returned.extend(update.returned);
    }
    bench.audit();
    all
}

#[test]
fn what_spends_a_lost_coinbase_is_dropped_with_its_children() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    bench.chain.mine(MATURITY, 0);
    let coinbase = outputs_of(&bench.chain.block_at(1).transactions[0])[0];
    let spends = pay_on(&params, &coinbase, 1000);
    let child = pay_on(&params, &outputs_of(&spends)[0], 1000);
    let other = pay_on(&params, &allocations(&params)[0], 1000);
    for transaction in [&spends, &child, &other] {
        bench.send(transaction).unwrap();
    }
    let update = reorganise(&mut bench, 0, MATURITY + 1);
    let mut removed = update.removed;
    removed.sort_unstable();
    let mut expected = [(spends.txid(), RemovalReason::Reorg), (child.txid(), RemovalReason::Reorg)];
    expected.sort_unstable();
    assert_eq!(removed, expected);
    assert_eq!(bench.txids().into_iter().collect::<Vec<_>>(), [other.txid()]);
}

#[test]
fn a_coinbase_that_is_immature_again_is_not_spent() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    bench.chain.mine(MATURITY, 0);
    let coinbase = outputs_of(&bench.chain.block_at(1).transactions[0])[0];
    let spends = pay_on(&params, &coinbase, 1000);
    bench.send(&spends).unwrap();
    // The tip sinks: invalidated by hand, with nothing to take its place.
    let tip = bench.chain.chain.tip().hash;
    let activation = bench.chain.chain.invalidate_block(&tip).unwrap();
    bench.chain.store_changes();
    let update = bench.pool.apply_tip_change(&activation.changes, &bench.chain.chain, bench.now).unwrap();
    assert_eq!(update.removed, [(spends.txid(), RemovalReason::Reorg)]);
    bench.audit();
}

#[test]
fn a_time_lock_that_closes_again_is_respected() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    let lock = SpendingPolicy::After(Height::new(4));
    let coin = Output { value: Amount::from_notches(1_000_000), lock: lock.hash() };
    let funding = spend(&params, &rich_key(), &allocations(&params)[..1], vec![coin]);
    let block = bench.chain.next().with(funding.clone()).build();
    bench.block(&block).unwrap();
    bench.chain.mine(2, 0);
    let (outpoint, output) = outputs_of(&funding)[0];
    let witness = Witness { policy: lock, signatures: Vec::new(), preimages: Vec::new() };
    let outputs = vec![Output { value: Amount::from_notches(900_000), ..output }];
    let inputs = vec![Input { outpoint, witness }];
    let opens = Transaction { version: CURRENT_VERSION, inputs, outputs, memo: Vec::new() };
    bench.send(&opens).unwrap();
    let tip = bench.chain.chain.tip().hash;
    let activation = bench.chain.chain.invalidate_block(&tip).unwrap();
    bench.chain.store_changes();
    let update = bench.pool.apply_tip_change(&activation.changes, &bench.chain.chain, bench.now).unwrap();
    assert_eq!(update.removed, [(opens.txid(), RemovalReason::Reorg)]);
    bench.audit();
}

#[test]
fn the_other_halfs_payments_confirm_after_the_partition() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    let coins = allocations(&params);
    bench.chain.mine(2, 0);
    let fork = bench.chain.block_at(2);
    // One half confirms a, b and c; the other, heavier, a and a rival of c.
    let [a, b, c] = [0, 1, 2].map(|index| pay_on(&params, &coins[index], 1000));
    let rival = pay_on(&params, &coins[2], 2000);
    for transaction in [&a, &b, &c] {
        bench.send(transaction).unwrap();
        let block = bench.chain.next().with(transaction.clone()).build();
        bench.block(&block).unwrap();
    }
    let on_b = pay_on(&params, &outputs_of(&b)[0], 1000);
    let on_c = pay_on(&params, &outputs_of(&c)[0], 1000);
    bench.send(&on_b).unwrap();
    bench.send(&on_c).unwrap();
    let first = BlockBuilder::on(&params, &fork.header, Height::new(2)).with(rival).with(a.clone()).build();
    bench.chain.offer(&first).unwrap();
    for block in branch_on(&params, &first.header, Height::new(3), 3, 4) {
        bench.block(&block).unwrap();
    }
    bench.audit();
    let left: Vec<_> = bench.txids().into_iter().collect();
    let mut expected = vec![b.txid(), on_b.txid()];
    expected.sort_unstable();
    assert_eq!(left, expected);
    let block = tally_node_core::testing::mine_template(&bench.template(), lock_of(&rich_key()), b"");
    bench.block(&block).unwrap();
    assert!(bench.pool.is_empty());
    let confirmed = bench.chain.coin(&outputs_of(&on_b)[0].0);
    assert_eq!(confirmed.map(|coin| coin.height), Some(Height::new(7)));
}

#[test]
fn a_chain_longer_than_the_relay_limit_returns_up_to_a_bound() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    let mut coin: (OutPoint, Output) = allocations(&params)[0];
    let mut all = Vec::new();
    for _ in 0..6 {
        let mut block = bench.chain.next();
        for _ in 0..20 {
            let payment = pay_on(&params, &coin, 1000);
            coin = outputs_of(&payment)[0];
            all.push(payment.txid());
            block = block.with(payment);
        }
        let block = block.build();
        bench.block(&block).unwrap();
    }
    let update = reorganise(&mut bench, 0, 7);
    assert_eq!(all.len(), 120);
    assert_eq!(update.returned, all[..100], "the rest can be sent again when these are confirmed");
    assert_eq!(bench.pool.len(), 100);
}
