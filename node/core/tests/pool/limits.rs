//! Relay policy: every limit is refused just beyond and accepted just within, and the memory bound holds.

use tally_consensus::error::RuleId;
use tally_node_core::event::RemovalReason;
use tally_node_core::mempool::{MempoolError, RelayPolicy};
use tally_node_core::testing::{MATURITY, allocations, lock_of, outputs_of, pay_on, rich_key, sign, spend, split};
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{CURRENT_VERSION, Input, Output, Transaction};
use tally_primitives::units::{Amount, FeeRate, Height, Timestamp};

use crate::Bench;

fn bench() -> Bench {
    Bench::new(RelayPolicy::default())
}

fn after(time: Timestamp, hours: u64) -> Timestamp {
    time.saturating_add_millis(hours * 3_600_000)
}

#[test]
fn what_is_invalid_is_a_violation() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    let coin = allocations(&params)[0];
    let mut wrong_signature = pay_on(&params, &coin, 1000);
    wrong_signature.outputs[0].value = Amount::from_notches(5000);
    let coinbase = Transaction::coinbase(Height::new(1), &[], vec![coin.1]);
    let mut twice = pay_on(&params, &coin, 1000);
    twice.inputs.push(twice.inputs[0].clone());
    let too_much = spend(
        &params,
        &rich_key(),
        &[coin],
        vec![Output { value: coin.1.value.checked_add(Amount::from_notches(1)).unwrap(), ..coin.1 }],
    );
    for (transaction, rule) in
        [(wrong_signature, RuleId::In06), (coinbase, RuleId::Tx01), (twice, RuleId::Tx03), (too_much, RuleId::In03)]
    {
        let error = bench.send(&transaction).unwrap_err();
        assert!(matches!(&error, MempoolError::Rule(broken) if broken.rule_id() == rule), "{error}");
        assert!(error.is_violation());
    }
    assert!(bench.pool.is_empty());
}

#[test]
fn relay_policy_refuses_without_blame() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    let coins = allocations(&params);
    let with_outputs = |values: &[u64]| {
        let lock = lock_of(&rich_key());
        let outputs = values.iter().map(|value| Output { value: Amount::from_notches(*value), lock });
        spend(&params, &rich_key(), &coins[..1], outputs.collect())
    };
    let dust = bench.send(&with_outputs(&[5_000_000, 299])).unwrap_err();
    assert!(matches!(dust, MempoolError::Dust { index: 1, .. }), "{dust}");
    let mut unknown_version = pay_on(&params, &coins[1], 1000);
    unknown_version.version = CURRENT_VERSION + 1;
    sign(&params, &rich_key(), &coins[1..2], &mut unknown_version);
    let unknown_version = bench.send(&unknown_version).unwrap_err();
    assert!(matches!(unknown_version, MempoolError::UnknownVersion { .. }), "{unknown_version}");
    // 220 bytes with one output, 40 more with each.
    let parts = (100_000 - 220) / 40 + 1;
    let large = bench.send(&split(&params, &coins[2], parts + 1, 200_000)).unwrap_err();
    assert!(matches!(large, MempoolError::TooLarge { size: 100_020, max: 100_000 }), "{large}");
    assert!([dust, unknown_version, large].iter().all(|error| !error.is_violation()));
    bench.send(&split(&params, &coins[2], parts, 200_000)).expect("just within");
    bench.send(&with_outputs(&[5_000_000, 300])).expect("just no dust");
    bench.audit();
}

#[test]
fn chains_of_unconfirmed_transactions_are_bounded() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    let mut coin = allocations(&params)[0];
    for _ in 0..25 {
        let payment = pay_on(&params, &coin, 1000);
        bench.send(&payment).expect("25 in a row");
        coin = outputs_of(&payment)[0];
    }
    let error = bench.send(&pay_on(&params, &coin, 1000)).unwrap_err();
    assert_eq!(error, MempoolError::TooManyAncestors { count: 26, max: 25 });
    bench.audit();

    let parent = split(&params, &allocations(&params)[1], 30, 10_000);
    bench.send(&parent).unwrap();
    let children = outputs_of(&parent);
    for coin in &children[..24] {
        bench.send(&pay_on(&params, coin, 1000)).expect("24 children");
    }
    let error = bench.send(&pay_on(&params, &children[24], 1000)).unwrap_err();
    assert_eq!(error, MempoolError::TooManyDescendants { ancestor: parent.txid(), count: 26, max: 25 });
    // One that takes another's place does not add to them.
    bench.send(&pay_on(&params, &children[0], 5000)).expect("a replacement");
    bench.audit();
}

#[test]
fn replacements_are_bounded() {
    let policy = RelayPolicy { max_replaced: 3, ..RelayPolicy::default() };
    let mut bench = Bench::new(policy);
    let params = bench.chain.chain.params().clone();
    let coins = allocations(&params);
    for coin in &coins[..4] {
        bench.send(&pay_on(&params, coin, 1000)).unwrap();
    }
    let over = |count: usize| {
        let output = Output { value: Amount::from_notches(1_000_000), lock: lock_of(&rich_key()) };
        spend(&params, &rich_key(), &coins[..count], vec![output])
    };
    assert_eq!(bench.send(&over(4)), Err(MempoolError::ReplacesTooMany { count: 4, max: 3 }));
    assert_eq!(bench.send(&over(3)).unwrap().replaced.len(), 3);
    bench.audit();
}

#[test]
fn early_spending_is_refused_without_blame_and_accepted_later() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    bench.chain.mine(1, 0);
    let coinbase = outputs_of(&bench.chain.block_at(1).transactions[0])[0];
    let spends = pay_on(&params, &coinbase, 1000);
    bench.chain.mine(MATURITY - 2, 0);
    let error = bench.send(&spends).unwrap_err();
    assert!(matches!(&error, MempoolError::NotFinal { .. }) && !error.is_violation(), "{error}");
    bench.chain.mine(1, 0);
    bench.send(&spends).expect("mature in the next block");

    for lock in [SpendingPolicy::After(Height::new(9)), SpendingPolicy::Older(3)] {
        let output = Output { value: Amount::from_notches(1_000_000), lock: lock.hash() };
        let coin = allocations(&params)[usize::from(matches!(lock, SpendingPolicy::Older(_)))];
        let funding = spend(&params, &rich_key(), &[coin], vec![output]);
        let block = bench.chain.next().with(funding.clone()).build();
        bench.block(&block).unwrap();
        let made_at = bench.chain.chain.tip().height.get();
        let opens_at = if matches!(lock, SpendingPolicy::Older(_)) { made_at + 3 } else { 9 };
        let (outpoint, output) = outputs_of(&funding)[0];
        let witness = Witness { policy: lock, signatures: Vec::new(), preimages: Vec::new() };
        let outputs = vec![Output { value: Amount::from_notches(900_000), ..output }];
        let inputs = vec![Input { outpoint, witness }];
        let opens = Transaction { version: CURRENT_VERSION, inputs, outputs, memo: Vec::new() };
        while bench.chain.chain.tip().height.get() + 1 < opens_at {
            let error = bench.send(&opens).unwrap_err();
            assert!(matches!(error, MempoolError::NotFinal { .. }), "{error}");
            bench.chain.mine(1, 0);
        }
        bench.send(&opens).expect("valid in the next block");
        bench.audit();
    }
}

/// A pool for some ten small transactions.
fn small() -> Bench {
    Bench::new(RelayPolicy { max_bytes: 20_000, ..RelayPolicy::default() })
}

#[test]
fn the_memory_bound_holds_and_the_cheapest_leave() {
    let mut bench = small();
    let params = bench.chain.chain.params().clone();
    let mut fees: Vec<u64> = Vec::new();
    for (number, coin) in (0u64..).zip(allocations(&params)) {
        let fee = 1_000 + (number * 7 % 20) * 500;
        if bench.send(&pay_on(&params, &coin, fee)).is_ok() {
            fees.push(fee);
        }
        bench.audit();
    }
    let kept = bench.pool.len();
    assert!((5..20).contains(&kept), "{kept} transactions fit");
    fees.sort_unstable();
    let mut left: Vec<u64> = bench.pool.entries().map(|entry| entry.fee.to_notches()).collect();
    left.sort_unstable();
    assert_eq!(left, fees[fees.len() - kept..], "those that pay most stayed");
}

#[test]
fn the_minimum_rises_with_eviction_and_sinks_with_time() {
    let mut bench = small();
    let params = bench.chain.chain.params().clone();
    let base = bench.pool.policy().min_fee_rate;
    assert_eq!(bench.pool.min_fee_rate(bench.now), base);
    let coins = allocations(&params);
    let mut evicted = Vec::new();
    for (number, coin) in (0u64..).zip(&coins[..18]) {
        evicted.extend(bench.send(&pay_on(&params, coin, 2_200 + number * 2_200)).unwrap().evicted);
    }
    assert!(!evicted.is_empty());
    let raised = bench.pool.min_fee_rate(bench.now);
    assert!(raised > FeeRate::from_notches_per_byte(10), "{raised}");
    // What was evicted cannot come back, nor can anything that pays no more.
    let error = bench.send(&pay_on(&params, &coins[19], 2_200)).unwrap_err();
    assert!(matches!(error, MempoolError::FeeTooLow { .. }), "{error}");
    let later = bench.pool.min_fee_rate(after(bench.now, 12));
    assert!(later <= FeeRate::from_notches_per_kilobyte(raised.to_notches_per_kilobyte() / 2 + 1) && later > base);
    assert_eq!(bench.pool.min_fee_rate(after(bench.now, 24 * 30)), base);
    bench.now = after(bench.now, 24 * 30);
    bench.audit();
}

#[test]
fn a_child_that_pays_protects_its_parent() {
    let mut bench = small();
    let params = bench.chain.chain.params().clone();
    let coins = allocations(&params);
    let parent = pay_on(&params, &coins[0], 300);
    bench.send(&parent).unwrap();
    let child = pay_on(&params, &outputs_of(&parent)[0], 90_000);
    bench.send(&child).unwrap();
    for (number, coin) in (0u64..).zip(&coins[1..]) {
        let _refused_when_full = bench.send(&pay_on(&params, coin, 3_000 + number));
    }
    assert!(bench.pool.len() < coins.len());
    assert!(bench.pool.contains(&parent.txid()) && bench.pool.contains(&child.txid()));
    bench.audit();
}

#[test]
fn a_replacement_that_does_not_fit_leaves_everything_as_it_was() {
    let mut bench = small();
    let params = bench.chain.chain.params().clone();
    let coins = allocations(&params);
    let small_one = pay_on(&params, &coins[0], 300);
    bench.send(&small_one).unwrap();
    let child = pay_on(&params, &outputs_of(&small_one)[0], 300);
    bench.send(&child).unwrap();
    let mut number = 1;
    while bench.pool.memory_usage() + 2_000 < bench.pool.policy().max_bytes {
        bench.send(&pay_on(&params, &coins[number], 50_000)).unwrap();
        number += 1;
    }
    let before = bench.txids();
    // It pays more than what it replaces, but it is large, and so it would be the first to go.
    let large = split(&params, &coins[0], 100, 30_000);
    let error = bench.send(&large).unwrap_err();
    assert!(matches!(error, MempoolError::Full { .. }), "{error}");
    assert_eq!(bench.txids(), before);
    bench.audit();
}

#[test]
fn what_waits_too_long_expires_with_its_children() {
    let mut bench = bench();
    let params = bench.chain.chain.params().clone();
    let coins = allocations(&params);
    let start = bench.now;
    let old = pay_on(&params, &coins[0], 1000);
    bench.send(&old).unwrap();
    bench.now = after(start, 24 * 7);
    let child = pay_on(&params, &outputs_of(&old)[0], 1000);
    let other = pay_on(&params, &coins[1], 1000);
    bench.send(&child).unwrap();
    bench.send(&other).unwrap();
    assert!(bench.pool.expire(after(start, 24 * 14)).is_empty());
    let mut expired = bench.pool.expire(after(start, 24 * 14 + 1));
    expired.sort_unstable();
    let mut expected = [(old.txid(), RemovalReason::Expired), (child.txid(), RemovalReason::Expired)];
    expected.sort_unstable();
    assert_eq!(expired, expected);
    assert!(bench.pool.contains(&other.txid()));
    bench.audit();
}

#[test]
fn check_says_what_accept_would_and_changes_nothing() {
    let bench = bench();
    let params = bench.chain.chain.params().clone();
    let payment = std::sync::Arc::new(pay_on(&params, &allocations(&params)[0], 1000));
    let checked = bench.pool.check(payment.clone(), &bench.chain.chain, bench.now).unwrap();
    assert_eq!((checked.txid, checked.fee), (payment.txid(), Amount::from_notches(1000)));
    assert!(bench.pool.is_empty());
}
