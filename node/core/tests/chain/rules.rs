//! Every way a block can be wrong is refused by its rule, and the honest block of the same height is accepted afterwards.

use std::sync::Arc;

use tally_consensus::error::RuleId;
use tally_node_core::chain::{BlockFate, ChainError};
use tally_node_core::testing::{
    MATURITY, TestChain, allocations, branch_on, coin_value, grind, lock_of, now, outputs_of, pay_on, rich_key, sealed,
    spend, split,
};
use tally_primitives::block::{Block, MAX_BLOCK_SIZE};
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::CompactTarget;
use tally_primitives::transaction::{OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height, Timestamp};

use crate::{assert_same_as_fresh, height};

/// A block that breaks one rule, made for a chain of ten blocks.
struct Case {
    name: &'static str,
    rule: RuleId,
    block: fn(&TestChain) -> Block,
}

const fn case(name: &'static str, rule: RuleId, block: fn(&TestChain) -> Block) -> Case {
    Case { name, rule, block }
}

fn ten_blocks() -> TestChain {
    let mut chain = TestChain::new();
    chain.mine(10, 0);
    chain
}

/// Refused by its rule; nothing moves; the honest block is accepted; and so is the chain on top of it.
fn check(case: &Case) {
    let mut chain = ten_blocks();
    let before = chain.chain.tip();
    let bad = (case.block)(&chain);
    let error = chain.offer(&bad).expect_err(case.name);
    assert_eq!(error.rule_id(), Some(case.rule), "{}: {error}", case.name);
    assert!(error.to_string().contains(case.rule.code()), "{}: {error}", case.name);
    assert_eq!(chain.chain.tip(), before, "{}", case.name);
    // A bad header leaves no trace; of a bad block the hash is remembered, so that nobody asks for it again.
    let again = if case.rule.code().starts_with("HDR") { error } else { ChainError::KnownInvalid { hash: bad.hash() } };
    assert_eq!(chain.offer(&bad), Err(again), "{}", case.name);
    assert_eq!(chain.chain.best_header().hash, before.hash, "{}", case.name);
    let honest = chain.next().extra(77).build();
    let outcome = chain.offer(&honest).unwrap_or_else(|error| panic!("after {}: {error}", case.name));
    assert_eq!(outcome.fate, BlockFate::Connected, "{}", case.name);
    assert_same_as_fresh(&chain);
}

fn check_all(cases: &[Case]) {
    cases.iter().for_each(check);
}

/// A block with its coinbase changed.
fn with_coinbase(chain: &TestChain, change: impl FnOnce(&mut Transaction)) -> Block {
    let mut block = chain.next().build();
    change(&mut block.transactions[0]);
    sealed(block)
}

/// A block with a payment of the first allocated coin, changed and not signed again.
fn with_payment(chain: &TestChain, change: impl FnOnce(&mut Transaction)) -> Block {
    let coin = allocations(chain.chain.params())[0];
    let mut payment = pay_on(chain.chain.params(), &coin, 1000);
    change(&mut payment);
    chain.next().with(payment).build()
}

fn with_header(chain: &TestChain, change: impl FnOnce(&mut Block)) -> Block {
    let mut block = chain.next().build();
    change(&mut block);
    grind(&mut block.header);
    block
}

fn notches(notches: u64) -> Amount {
    Amount::from_notches(notches)
}

#[test]
fn headers() {
    let with_bits = |chain: &TestChain, bits| {
        let mut block = chain.next().build();
        block.header.bits = CompactTarget::from_bits(bits);
        block
    };
    assert_eq!(ten_blocks().chain.next_bits(), CompactTarget::from_bits(0x207f_ffff));
    for (name, bits, rule) in [
        ("bits easier than the limit", 0x2100_ffff, RuleId::Hdr02),
        ("bits negative", 0x2080_0001, RuleId::Hdr02),
        ("bits of zero", 0x2000_0000, RuleId::Hdr02),
        ("bits not canonical", 0x2100_7fff, RuleId::Hdr02),
    ] {
        let mut chain = ten_blocks();
        let error = chain.offer(&with_bits(&chain, bits)).expect_err(name);
        assert_eq!(error.rule_id(), Some(rule), "{name}");
    }
    check_all(&[
        case("work not met", RuleId::Hdr01, |chain| {
            let mut block = chain.next().build();
            let target = block.header.bits.to_target().unwrap();
            while target.is_met_by(&block.header.hash()) {
                block.header.nonce += 1;
            }
            block
        }),
        case("wrong bits", RuleId::Hdr03, |chain| {
            with_header(chain, |block| block.header.bits = CompactTarget::from_bits(0x207f_fffe))
        }),
        case("unknown parent", RuleId::Hdr04, |chain| {
            with_header(chain, |block| block.header.prev_block = BlockHash::from_bytes([9; 32]))
        }),
        case("time at the median", RuleId::Hdr05, |chain| {
            let median = chain.chain.tip().median_time_past;
            with_header(chain, |block| block.header.time = median)
        }),
        case("time before the median", RuleId::Hdr05, |chain| {
            let median = chain.chain.tip().median_time_past;
            with_header(chain, |block| block.header.time = median - 1)
        }),
        case("time too far ahead", RuleId::Hdr06, |chain| {
            with_header(chain, |block| block.header.time = now().as_seconds() + 7201)
        }),
        case("version bits wrong", RuleId::Hdr07, |chain| {
            with_header(chain, |block| block.header.version = 0x4000_0000)
        }),
    ]);
}

#[test]
fn time_too_far_ahead_is_accepted_later() {
    let mut chain = ten_blocks();
    let block = Arc::new(with_header(&chain, |block| block.header.time = now().as_seconds() + 7201));
    let error = chain.chain.accept_block(block.clone(), now()).expect_err("two hours and a second");
    assert_eq!(error.rule_id(), Some(RuleId::Hdr06));
    assert!(chain.chain.header(&block.hash()).is_none(), "it leaves no trace");
    let later = Timestamp::from_millis(now().as_millis() + 1000);
    let outcome = chain.chain.accept_block(block, later).expect("two hours");
    assert_eq!(outcome.fate, BlockFate::Connected);
}

#[test]
fn time_just_after_the_median_is_accepted() {
    let mut chain = ten_blocks();
    let median = chain.chain.tip().median_time_past;
    let block = chain.next().time(median + 1).build();
    assert_eq!(chain.offer(&block).unwrap().fate, BlockFate::Connected);
}

#[test]
fn children_of_an_invalid_block_are_refused() {
    let mut chain = ten_blocks();
    let tip = chain.block_at(10);
    let bad = chain.next().claim(Amount::MAX_SUPPLY).build();
    let children = branch_on(chain.chain.params(), &bad.header, Height::new(11), 2, 5);
    // The first child's header is known before its parent turns out to be invalid, the second comes later.
    chain.chain.accept_header(&bad.header, now()).unwrap();
    chain.chain.accept_header(&children[0].header, now()).unwrap();
    assert_eq!(chain.chain.best_header().hash, children[0].hash());
    assert_eq!(chain.offer(&bad).unwrap_err().rule_id(), Some(RuleId::Blk06));
    assert_eq!(chain.chain.best_header().hash, tip.hash());
    let known = ChainError::KnownInvalid { hash: children[0].hash() };
    assert_eq!(chain.offer(&children[0]), Err(known));
    assert_eq!(chain.offer(&children[1]).unwrap_err().rule_id(), Some(RuleId::Hdr04));
    assert_eq!(height(&chain), 10);
    chain.mine(2, 6);
    assert_same_as_fresh(&chain);
}

#[test]
fn blocks_alone() {
    check_all(&[
        case("no transaction", RuleId::Blk01, |chain| {
            let mut block = chain.next().build();
            block.transactions.clear();
            sealed(block)
        }),
        case("first is not a coinbase", RuleId::Blk01, |chain| {
            let mut block = with_payment(chain, |_| ());
            block.transactions.remove(0);
            sealed(block)
        }),
        case("second coinbase", RuleId::Blk01, |chain| {
            let mut block = chain.next().build();
            block.transactions.push(chain.next().extra(5).build().transactions[0].clone());
            sealed(block)
        }),
        case("coinbase memo too short", RuleId::Tx04, |chain| {
            with_coinbase(chain, |coinbase| coinbase.memo.truncate(7))
        }),
        case("coinbase memo too long", RuleId::Tx04, |chain| {
            with_coinbase(chain, |coinbase| coinbase.memo.resize(101, 1))
        }),
        case("coinbase of another height", RuleId::Blk05, |chain| {
            with_coinbase(chain, |coinbase| coinbase.memo[0] += 1)
        }),
        case("coinbase without outputs", RuleId::Tx01, |chain| {
            with_coinbase(chain, |coinbase| coinbase.outputs.clear())
        }),
        case("subsidy one notch too high", RuleId::Blk06, |chain| {
            with_coinbase(chain, |coinbase| {
                let value = coinbase.outputs[0].value;
                coinbase.outputs[0].value = value.checked_add(notches(1)).unwrap();
            })
        }),
        case("fee claimed twice", RuleId::Blk06, |chain| {
            let mut block = with_payment(chain, |_| ());
            let value = block.transactions[0].outputs[0].value;
            block.transactions[0].outputs[0].value = value.checked_add(notches(1001)).unwrap();
            sealed(block)
        }),
    ]);
}

#[test]
fn the_whole_fee_may_be_claimed() {
    let mut chain = ten_blocks();
    let mut block = with_payment(&chain, |_| ());
    let value = block.transactions[0].outputs[0].value;
    block.transactions[0].outputs[0].value = value.checked_add(notches(1000)).unwrap();
    assert_eq!(chain.offer(&sealed(block)).unwrap().fate, BlockFate::Connected);
    assert_same_as_fresh(&chain);
}

#[test]
fn subsidy_one_notch_too_high_on_a_fork() {
    let mut chain = ten_blocks();
    let fork = chain.block_at(9);
    let subsidy = chain.chain.params().subsidy;
    let bad = chain.on(&fork).extra(3).claim(subsidy.checked_add(notches(1)).unwrap()).build();
    // As long as the fork is not the best chain, nobody asks for its coins.
    assert_eq!(chain.offer(&bad).unwrap().fate, BlockFate::Stored);
    let child = chain.on(&bad).build();
    let outcome = chain.chain.accept_block(Arc::new(child), now()).unwrap();
    assert_eq!(outcome.fate, BlockFate::Rejected);
    assert_eq!(outcome.rejected.len(), 1);
    assert_eq!((outcome.rejected[0].hash, outcome.rejected[0].error.rule_id()), (bad.hash(), RuleId::Blk06));
    assert!(outcome.changes.is_empty());
    assert!(outcome.verdict().is_err());
    chain.store_changes();
    assert_eq!(height(&chain), 10);
    chain.mine(1, 0);
    assert_same_as_fresh(&chain);
}

/// What is done to the honest list of transactions.
type Mutation = fn(&mut Vec<Transaction>);

/// A body that does not belong to its header says nothing about the block with the same hash.
#[test]
fn mutated_bodies_do_not_poison_their_honest_twin() {
    let coins = allocations(TestChain::new().chain.params());
    let mutations: [(&str, usize, Mutation, RuleId); 7] = [
        ("wrong root: one missing", 3, |list| drop(list.pop()), RuleId::Blk02),
        ("wrong root: order", 4, |list| list.swap(1, 2), RuleId::Blk02),
        ("wrong root: nothing", 2, Vec::clear, RuleId::Blk02),
        ("wrong root: a witness changed", 2, |list| list[1].inputs[0].witness.signatures.clear(), RuleId::Blk02),
        ("last one repeated", 3, |list| list.push(list[2].clone()), RuleId::Blk03),
        ("last pair repeated", 6, |list| list.extend_from_within(4..), RuleId::Blk03),
        (
            "odd one repeated at two levels",
            5,
            |list| {
                let last = list[4].clone();
                list.extend([last.clone(), last.clone(), last]);
            },
            RuleId::Blk03,
        ),
    ];
    for (name, transactions, mutate, rule) in mutations {
        let mut chain = ten_blocks();
        let payments = coins.iter().take(transactions - 1).map(|coin| pay_on(chain.chain.params(), coin, 1000));
        let honest = payments.fold(chain.next(), |block, payment| block.with(payment)).build();
        let mut mutated = honest.clone();
        mutate(&mut mutated.transactions);
        let error = chain.offer(&mutated).expect_err(name);
        assert_eq!(error.rule_id(), Some(rule), "{name}: {error}");
        assert_eq!(mutated.hash(), honest.hash(), "{name}");
        assert_eq!(chain.offer(&honest).expect(name).fate, BlockFate::Connected);
        assert_eq!(chain.offer(&mutated).expect(name).fate, BlockFate::Duplicate);
    }
}

/// A block of exactly `size` bytes: one payment with many outputs, a coinbase memo for the odd bytes.
fn block_of_size(chain: &TestChain, size: usize) -> Block {
    let params = chain.chain.params();
    let coin = allocations(params)[0];
    let block_with = |parts: u64, memo: u64| {
        let mut block = chain.next().with(split(params, &coin, parts, 0)).build();
        let bytes = usize::try_from(memo).unwrap();
        block.transactions[0].memo.resize(8 + bytes, 7);
        block
    };
    let output_size = 40;
    let parts = (size - block_with(1, 0).encoded_size()) / output_size + 1;
    let parts = u64::try_from(parts).unwrap();
    let missing = size - block_with(parts, 0).encoded_size();
    let block = sealed(block_with(parts, u64::try_from(missing).unwrap()));
    assert_eq!(block.encoded_size(), size);
    block
}

#[test]
fn size_limit_is_accepted_and_one_byte_more_is_not() {
    let mut chain = ten_blocks();
    let error = chain.offer(&block_of_size(&chain, MAX_BLOCK_SIZE + 1)).unwrap_err();
    assert_eq!(error.rule_id(), Some(RuleId::Blk04));
    let largest = block_of_size(&chain, MAX_BLOCK_SIZE);
    assert_eq!(chain.offer(&largest).unwrap().fate, BlockFate::Connected);
    chain.chain.invalidate_block(&largest.hash()).unwrap();
    chain.store_changes();
    assert_eq!(height(&chain), 10);
    assert_same_as_fresh(&chain);
}

#[test]
fn amounts_and_inputs() {
    check_all(&[
        case("output of zero", RuleId::Tx02, |chain| with_payment(chain, |tx| tx.outputs[0].value = notches(0))),
        case("output above the maximum", RuleId::Tx02, |chain| {
            with_payment(chain, |tx| tx.outputs[0].value = Amount::MAX_SUPPLY.checked_add(notches(1)).unwrap())
        }),
        case("outputs' sum above the maximum", RuleId::Tx02, |chain| {
            with_payment(chain, |tx| {
                tx.outputs[0].value = Amount::MAX_SUPPLY;
                tx.outputs.push(tx.outputs[0]);
            })
        }),
        case("outputs' sum overflows", RuleId::Tx02, |chain| {
            with_payment(chain, |tx| {
                tx.outputs[0].value = notches(u64::MAX);
                tx.outputs.push(Output { value: notches(2), ..tx.outputs[0] });
            })
        }),
        case("no outputs", RuleId::Tx01, |chain| with_payment(chain, |tx| tx.outputs.clear())),
        case("memo too long", RuleId::Tx04, |chain| with_payment(chain, |tx| tx.memo = vec![1; 81])),
        case("inputs less than outputs", RuleId::In03, |chain| {
            with_payment(chain, |tx| tx.outputs[0].value = coin_value().checked_add(notches(1)).unwrap())
        }),
        case("same input twice in a transaction", RuleId::Tx03, |chain| {
            with_payment(chain, |tx| tx.inputs.push(tx.inputs[0].clone()))
        }),
        case("same input in two transactions", RuleId::In01, |chain| {
            let params = chain.chain.params();
            let coin = allocations(params)[0];
            chain.next().with(pay_on(params, &coin, 1000)).with(pay_on(params, &coin, 2000)).build()
        }),
        case("input from a later transaction", RuleId::In01, |chain| {
            let params = chain.chain.params();
            let parent = pay_on(params, &allocations(params)[0], 1000);
            let child = pay_on(params, &outputs_of(&parent)[0], 1000);
            chain.next().with(child).with(parent).build()
        }),
        case("input from nowhere", RuleId::In01, |chain| {
            with_payment(chain, |tx| tx.inputs[0].outpoint.index = 10_000)
        }),
        case("output of an output's index out of range", RuleId::In01, |chain| {
            let params = chain.chain.params();
            let parent = pay_on(params, &allocations(params)[0], 1000);
            let (outpoint, output) = outputs_of(&parent)[0];
            let beyond = OutPoint { index: 1, ..outpoint };
            let child = pay_on(params, &(beyond, output), 1000);
            chain.next().with(parent).with(child).build()
        }),
        case("its own coinbase", RuleId::In02, |chain| {
            let coinbase = chain.next().build().transactions[0].clone();
            chain.next().with(pay_on(chain.chain.params(), &outputs_of(&coinbase)[0], 1000)).build()
        }),
        case("immature coinbase", RuleId::In02, |chain| spend_coinbase_of(chain, 11 - MATURITY + 1)),
    ]);
}

/// A block on top of ten that spends the coinbase of the block at a height.
fn spend_coinbase_of(chain: &TestChain, height: u32) -> Block {
    let coinbase = outputs_of(&chain.block_at(height).transactions[0])[0];
    chain.next().with(pay_on(chain.chain.params(), &coinbase, 1000)).build()
}

#[test]
fn coinbase_is_accepted_when_it_is_mature() {
    let mut chain = ten_blocks();
    let block = spend_coinbase_of(&chain, 11 - MATURITY);
    assert_eq!(chain.offer(&block).unwrap().fate, BlockFate::Connected);
    assert_same_as_fresh(&chain);
}

#[test]
fn immature_coinbase_on_a_fork() {
    let mut chain = ten_blocks();
    // The fork from block 8 has its own block 9; in its block 13 that coin is one block too young.
    let own = chain.on(&chain.block_at(8)).extra(1).build();
    chain.offer(&own).unwrap();
    let fork = branch_on(chain.chain.params(), &own.header, Height::new(9), 3, 1);
    let coin = outputs_of(&own.transactions[0])[0];
    for block in &fork {
        chain.offer(block).unwrap();
    }
    assert_eq!(height(&chain), 12, "the fork took over");
    let spends = pay_on(chain.chain.params(), &coin, 1000);
    let error = chain.offer(&chain.next().with(spends.clone()).build()).unwrap_err();
    assert_eq!(error.rule_id(), Some(RuleId::In02));
    chain.mine(1, 2);
    let block = chain.next().with(spends).build();
    assert_eq!(chain.offer(&block).unwrap().fate, BlockFate::Connected);
    assert_same_as_fresh(&chain);
}

#[test]
fn same_coin_again_on_a_longer_fork() {
    let mut chain = ten_blocks();
    let params = chain.chain.params().clone();
    let coin = allocations(&params)[0];
    let first = chain.on(&chain.block_at(8)).extra(1).with(pay_on(&params, &coin, 1000)).build();
    chain.offer(&first).unwrap();
    let second = chain.on(&first).extra(1).build();
    chain.offer(&second).unwrap();
    let again = chain.on(&second).with(pay_on(&params, &coin, 2000)).build();
    assert_eq!(chain.offer(&again).unwrap_err().rule_id(), Some(RuleId::In01));
    // What was valid of the fork is longer than nothing, but not than the chain that was there first.
    assert_eq!(chain.chain.tip().hash, chain.block_at(10).hash());
    let honest = branch_on(&params, &second.header, Height::new(10), 1, 2);
    assert_eq!(chain.offer(&honest[0]).unwrap().fate, BlockFate::Connected);
    assert_same_as_fresh(&chain);
}

#[test]
fn input_of_a_transaction_that_a_reorganisation_removed() {
    let mut chain = ten_blocks();
    let params = chain.chain.params().clone();
    let parent = pay_on(&params, &allocations(&params)[0], 1000);
    let fork = chain.block_at(10);
    let lost = chain.next().with(parent.clone()).build();
    chain.offer(&lost).unwrap();
    for block in branch_on(&params, &fork.header, Height::new(10), 2, 9) {
        chain.offer(&block).unwrap();
    }
    assert!(!chain.chain.is_active(&lost.hash()));
    let child = pay_on(&params, &outputs_of(&parent)[0], 1000);
    let error = chain.offer(&chain.next().with(child.clone()).build()).unwrap_err();
    assert_eq!(error.rule_id(), Some(RuleId::In01));
    let both = chain.next().with(parent).with(child).build();
    assert_eq!(chain.offer(&both).unwrap().fate, BlockFate::Connected);
    assert_same_as_fresh(&chain);
}

#[test]
fn spending_in_order_within_a_block_is_accepted() {
    let mut chain = ten_blocks();
    let params = chain.chain.params().clone();
    let first = split(&params, &allocations(&params)[0], 3, 300);
    let coins = outputs_of(&first);
    let second =
        spend(&params, &rich_key(), &coins[..2], vec![Output { value: notches(5_000), lock: lock_of(&rich_key()) }]);
    let third = pay_on(&params, &outputs_of(&second)[0], 10);
    let block = chain.next().with(first).with(second).with(third.clone()).build();
    assert_eq!(chain.offer(&block).unwrap().fate, BlockFate::Connected);
    assert!(chain.coin(&coins[0].0).is_none());
    assert!(chain.coin(&coins[2].0).is_some());
    assert_eq!(chain.coin(&outputs_of(&third)[0].0).map(|coin| coin.height), Some(Height::new(11)));
    assert_same_as_fresh(&chain);
}

#[test]
fn a_block_may_claim_nothing() {
    // As every block without fees must, once the subsidy has halved to zero.
    let mut chain = TestChain::new();
    let block = chain.next().claim(Amount::ZERO).build();
    assert_eq!(block.transactions[0].outputs[0].value, Amount::ZERO);
    chain.offer(&block).unwrap();
    assert_eq!(chain.chain.tip().hash, block.hash());
}
