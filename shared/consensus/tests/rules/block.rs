//! BLK-01 to BLK-06.

use tally_consensus::block::{
    check_block, check_block_size, check_coinbase_height, check_coinbase_position, check_coinbase_value,
    check_merkle_not_mutated, check_merkle_root,
};
use tally_consensus::error::CoinbaseFault;
use tally_consensus::{RuleError, RuleId};
use tally_primitives::block::MAX_BLOCK_SIZE;
use tally_primitives::hash::MerkleRoot;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Amount, Height};

use crate::support::{HEIGHT, block, coinbase, output, rule, sized, transactions};

#[test]
fn a_block_that_breaks_no_rule_is_accepted() {
    for count in 1..10 {
        assert_eq!(check_block(&block(transactions(count)), HEIGHT), Ok(()), "{count} transactions");
    }
}

#[test]
fn blk_01_refuses_a_missing_misplaced_or_second_coinbase() {
    let [first, other] = transactions(2).try_into().unwrap();
    let cases = [
        ("no transaction", vec![], CoinbaseFault::Empty),
        ("no coinbase", vec![other.clone()], CoinbaseFault::FirstIsNotCoinbase),
        ("coinbase second", vec![other.clone(), first.clone()], CoinbaseFault::FirstIsNotCoinbase),
        ("a second coinbase", vec![first, other, coinbase(HEIGHT, 2)], CoinbaseFault::Second { position: 2 }),
    ];
    for (name, transactions, fault) in cases {
        let block = block(transactions);
        let expected = Err(RuleError::BadCoinbasePosition { transactions: block.transactions.len(), fault });
        assert_eq!(check_coinbase_position(&block), expected, "{name}");
        assert_eq!(check_block(&block, HEIGHT), expected, "{name}");
    }
}

#[test]
fn blk_01_accepts_one_coinbase_in_front() {
    assert_eq!(check_coinbase_position(&block(transactions(1))), Ok(()));
    assert_eq!(check_coinbase_position(&block(transactions(5))), Ok(()));
}

#[test]
fn blk_02_refuses_a_body_that_is_not_the_headers() {
    let honest = block(transactions(4));
    let mut other_order = honest.clone();
    other_order.transactions.swap(1, 2);
    let mut other_witness = honest.clone();
    other_witness.transactions[1].inputs[0].witness.policy = crate::support::key(99);
    let mut empty = honest.clone();
    empty.transactions.clear();
    for (name, other) in [("order", other_order), ("witness", other_witness), ("empty", empty)] {
        assert_eq!(other.hash(), honest.hash());
        let error = check_block(&other, HEIGHT).unwrap_err();
        let computed = other.merkle_root();
        assert_eq!(error, RuleError::MerkleRootMismatch { header: honest.header.merkle_root, computed }, "{name}");
        assert_eq!(check_merkle_root(&other), Err(error.clone()));
        assert!(!error.is_permanent(), "the honest block has the same hash");
    }
    assert_eq!(check_block(&honest, HEIGHT), Ok(()));
}

#[test]
fn blk_02_accepts_the_root_of_the_transactions() {
    assert_eq!(check_merkle_root(&block(transactions(7))), Ok(()));
}

#[test]
fn blk_03_refuses_each_form_of_repeated_transactions() {
    // (transactions, how many of the last ones are appended again): each leaves the root unchanged.
    for (count, repeated) in [(3, 1), (5, 1), (6, 2), (5, 3), (12, 4), (10, 2), (9, 7)] {
        let honest = block(transactions(count));
        let mut mutated = honest.clone();
        if repeated > 2 && usize::from(count) % 2 == 1 {
            // An odd row: its last one fills the tree up to the width of the row above.
            let last = mutated.transactions[usize::from(count) - 1].clone();
            mutated.transactions.extend(std::iter::repeat_n(last, repeated));
        } else {
            mutated.transactions.extend_from_within(usize::from(count) - repeated..);
        }
        let error = check_block(&mutated, HEIGHT).unwrap_err();
        assert_eq!(error, RuleError::MutatedMerkleTree { root: honest.header.merkle_root }, "{count} + {repeated}");
        assert_eq!(check_merkle_not_mutated(&mutated), Err(error.clone()));
        assert!(!error.is_permanent(), "the honest block has the same hash");
        assert_eq!(mutated.hash(), honest.hash());
        assert_eq!(check_block(&honest, HEIGHT), Ok(()), "{count} + {repeated}: the honest twin");
    }
}

#[test]
fn blk_03_refuses_a_mutated_block_before_any_verdict_that_would_condemn_its_hash() {
    let mut list = transactions(3);
    list[2].outputs = vec![output(1); 15_000];
    let honest = block(list);
    let mut twice = honest.clone();
    twice.transactions.push(honest.transactions[2].clone());
    // Repeating the large transaction passes the size limit too, and that verdict would be permanent.
    let too_large = check_block_size(&twice).unwrap_err();
    assert!(too_large.is_permanent());
    assert_eq!(rule(check_block(&twice, HEIGHT)), Some(RuleId::Blk03));
    assert_eq!(check_block(&honest, HEIGHT), Ok(()));
}

#[test]
fn a_mutated_tree_under_another_root_is_just_another_body() {
    let mut twice = block(transactions(3));
    twice.transactions.push(twice.transactions[2].clone());
    twice.header.merkle_root = MerkleRoot::ZERO;
    assert_eq!(rule(check_block(&twice, HEIGHT)), Some(RuleId::Blk02));
}

#[test]
fn blk_03_accepts_every_honest_number_of_transactions() {
    for count in 1..=40 {
        assert_eq!(check_merkle_not_mutated(&block(transactions(count))), Ok(()), "{count} transactions");
    }
}

#[test]
fn blk_04_refuses_one_byte_over_the_limit() {
    let block = sized(MAX_BLOCK_SIZE + 1);
    let expected = Err(RuleError::BlockTooLarge { size: 1_000_001, max: 1_000_000 });
    assert_eq!(check_block_size(&block), expected);
    assert_eq!(check_block(&block, HEIGHT), expected);
}

#[test]
fn blk_04_accepts_the_limit_itself() {
    let block = sized(MAX_BLOCK_SIZE);
    assert_eq!(check_block_size(&block), Ok(()));
    assert_eq!(check_block(&block, HEIGHT), Ok(()));
}

#[test]
fn blk_05_refuses_a_memo_that_names_another_height() {
    for named in [HEIGHT.get() - 1, HEIGHT.get() + 1, 0] {
        let named = Height::new(named);
        let block = block(vec![coinbase(named, 1)]);
        let expected = Err(RuleError::WrongCoinbaseHeight { expected: HEIGHT, found: Some(named) });
        assert_eq!(check_coinbase_height(&block, HEIGHT), expected);
        assert_eq!(check_block(&block, HEIGHT), expected);
    }
}

#[test]
fn blk_05_refuses_a_memo_that_names_no_height() {
    let mut mined = coinbase(HEIGHT, 1);
    // The right height in the lower half of the u64, and something in the upper half.
    mined.memo[7] = 1;
    let verdict = check_coinbase_height(&block(vec![mined.clone()]), HEIGHT);
    assert_eq!(verdict, Err(RuleError::WrongCoinbaseHeight { expected: HEIGHT, found: None }));
    mined.memo.truncate(7);
    let verdict = check_coinbase_height(&block(vec![mined]), HEIGHT);
    assert_eq!(verdict, Err(RuleError::WrongCoinbaseHeight { expected: HEIGHT, found: None }));
}

#[test]
fn blk_05_accepts_the_height_with_anything_behind_it() {
    assert_eq!(check_coinbase_height(&block(vec![coinbase(HEIGHT, 1)]), HEIGHT), Ok(()));
    let bare = Transaction::coinbase(HEIGHT, b"", vec![output(1)]);
    assert_eq!(check_coinbase_height(&block(vec![bare]), HEIGHT), Ok(()));
}

#[test]
fn blk_06_refuses_one_notch_too_many() {
    let [subsidy, fees] = [50, 7].map(Amount::from_notches);
    let expected = |claimed| RuleError::CoinbaseClaimsTooMuch {
        claimed: Amount::from_notches(claimed),
        allowed: Amount::from_notches(57),
    };
    assert_eq!(check_coinbase_value(&coinbase(HEIGHT, 58), subsidy, fees), Err(expected(58)));
    let split = Transaction::coinbase(HEIGHT, b"", vec![output(50), output(8)]);
    assert_eq!(check_coinbase_value(&split, subsidy, fees), Err(expected(58)));
    let wrapping = Transaction::coinbase(HEIGHT, b"", vec![output(u64::MAX), output(2)]);
    assert_eq!(check_coinbase_value(&wrapping, subsidy, fees), Err(expected(u64::MAX)));
}

#[test]
fn blk_06_accepts_everything_up_to_subsidy_and_fees() {
    let [subsidy, fees] = [50, 7].map(Amount::from_notches);
    for claimed in [1, 50, 57] {
        assert_eq!(check_coinbase_value(&coinbase(HEIGHT, claimed), subsidy, fees), Ok(()), "{claimed}");
    }
}

#[test]
fn a_transactions_own_rules_hold_in_a_block() {
    let mut list = transactions(3);
    list[2].outputs.clear();
    assert_eq!(rule(check_block(&block(list), HEIGHT)), Some(RuleId::Tx01));
    let mut list = transactions(3);
    list[0].memo.truncate(7);
    assert_eq!(rule(check_block(&block(list), HEIGHT)), Some(RuleId::Tx04), "before BLK-05 is asked");
}

#[test]
fn an_empty_block_has_the_zero_root() {
    assert_eq!(block(vec![]).header.merkle_root, MerkleRoot::ZERO);
}
