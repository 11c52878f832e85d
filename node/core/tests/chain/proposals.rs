//! Blocks that nobody has worked for yet: judged like others, and nothing changes.

use tally_consensus::error::RuleId;
use tally_node_core::chain::ChainError;
use tally_node_core::testing::{MATURITY, TestChain, allocations, now, pay_on, rich_key, spend};
use tally_primitives::block::Block;
use tally_primitives::hash::{BlockHash, MerkleRoot};
use tally_primitives::transaction::{CURRENT_VERSION, OutPoint, Transaction};
use tally_primitives::units::Amount;

/// The block with the wrong nonce: its work is missing.
fn unworked(mut block: Block) -> Block {
    while block.header.bits.to_target().is_ok_and(|target| target.is_met_by(&block.header.hash())) {
        block.header.nonce += 1;
    }
    block
}

#[test]
fn every_rule_but_the_work_is_checked() {
    let mut chain = TestChain::new();
    chain.mine(MATURITY + 1, 0);
    let params = chain.chain.params().clone();
    let coins = allocations(&params);
    let payment = pay_on(&params, &coins[0], 1_000);
    let check = |chain: &TestChain, block: &Block| chain.chain.check_proposal(block, now());
    let rule = |block: Block| check(&chain, &unworked(block)).unwrap_err().rule_id();
    let good = unworked(chain.next().with(payment.clone()).build());
    assert_eq!(check(&chain, &good), Ok(()));
    assert_eq!(check(&chain, &good), Ok(()), "the first time changed nothing");

    let mut wrong = good.clone();
    wrong.header.merkle_root = MerkleRoot::from_bytes([9; 32]);
    assert_eq!(rule(wrong), Some(RuleId::Blk02));
    let mut wrong = good.clone();
    wrong.header.version = 1;
    assert_eq!(rule(wrong), Some(RuleId::Hdr07));
    assert_eq!(rule(chain.next().time(5).build()), Some(RuleId::Hdr05));
    let far = now().as_seconds() + 7_201;
    assert_eq!(rule(chain.next().time(far).build()), Some(RuleId::Hdr06));
    let greedy = chain.next().claim(Amount::from_notches(params.subsidy.to_notches() + 1)).build();
    assert_eq!(rule(greedy), Some(RuleId::Blk06));
    assert_eq!(rule(chain.next().with(payment.clone()).with(payment.clone()).build()), Some(RuleId::In01));
    let mut unsigned = payment;
    unsigned.inputs[0].witness.signatures.clear();
    assert_eq!(rule(chain.next().with(unsigned).build()), Some(RuleId::In06));
    let nowhere = OutPoint {
        txid: Transaction { version: CURRENT_VERSION, inputs: vec![], outputs: vec![], memo: vec![] }.txid(),
        index: 0,
    };
    let missing = spend(&params, &rich_key(), &[(nowhere, coins[1].1)], vec![coins[1].1]);
    assert_eq!(rule(chain.next().with(missing).build()), Some(RuleId::In01));

    // It must build on the tip.
    let mut elsewhere = good.clone();
    elsewhere.header.prev_block = BlockHash::from_bytes([7; 32]);
    assert!(matches!(check(&chain, &elsewhere), Err(ChainError::UnknownParent { .. })));
    let late = good;
    chain.mine(1, 3);
    assert!(matches!(check(&chain, &late), Err(ChainError::UnknownParent { .. })));
}
