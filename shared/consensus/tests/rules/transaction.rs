//! TX-01 to TX-04.

use tally_consensus::RuleError;
use tally_consensus::error::ValueFault;
use tally_consensus::transaction::{
    Place, check_inputs_and_outputs_present, check_inputs_distinct, check_loose_transaction, check_memo_size,
    check_output_values, check_transaction,
};
use tally_primitives::encode::encode;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Amount, Height};

use crate::support::{HEIGHT, coinbase, input, key, outpoint, output, transaction};

const MAX: u64 = Amount::MAX_SUPPLY.to_notches();

fn simple() -> Transaction {
    transaction(vec![input(outpoint(1), &key(1))], vec![output(1)])
}

fn paying(notches: &[u64]) -> Transaction {
    transaction(simple().inputs, notches.iter().copied().map(output).collect())
}

#[test]
fn a_transaction_that_breaks_no_rule_is_accepted() {
    assert_eq!(check_transaction(&simple()), Ok(()));
    assert_eq!(check_loose_transaction(&simple()), Ok(()));
    assert_eq!(check_transaction(&coinbase(HEIGHT, 50)), Ok(()));
}

#[test]
fn tx_01_refuses_no_outputs() {
    let expected = Err(RuleError::NoInputsOrOutputs { inputs: 1, outputs: 0 });
    assert_eq!(check_inputs_and_outputs_present(&paying(&[]), Place::Elsewhere), expected);
    assert_eq!(check_transaction(&paying(&[])), expected);
    let expected = Err(RuleError::NoInputsOrOutputs { inputs: 0, outputs: 0 });
    assert_eq!(check_transaction(&Transaction::coinbase(HEIGHT, b"", vec![])), expected);
}

#[test]
fn tx_01_refuses_no_inputs_but_in_a_blocks_first_place() {
    let expected = Err(RuleError::NoInputsOrOutputs { inputs: 0, outputs: 1 });
    assert_eq!(check_inputs_and_outputs_present(&coinbase(HEIGHT, 50), Place::Elsewhere), expected);
    assert_eq!(check_loose_transaction(&coinbase(HEIGHT, 50)), expected);
}

#[test]
fn tx_01_accepts_one_of_each_and_a_coinbase() {
    assert_eq!(check_inputs_and_outputs_present(&simple(), Place::Elsewhere), Ok(()));
    assert_eq!(check_inputs_and_outputs_present(&coinbase(HEIGHT, 50), Place::FirstInBlock), Ok(()));
}

#[test]
fn tx_01_accepts_nothing_that_looks_like_an_inner_node_of_the_merkle_tree() {
    let smallest = Transaction::coinbase(HEIGHT, b"", vec![output(1)]);
    assert_eq!(check_transaction(&smallest), Ok(()));
    assert!(encode(&smallest).len() > 64);
}

#[test]
fn tx_02_refuses_values_that_cannot_exist() {
    let cases: [(&str, &[u64], usize, ValueFault); 6] = [
        ("zero", &[0], 0, ValueFault::Zero),
        ("a later zero", &[1, 1, 0], 2, ValueFault::Zero),
        ("one above the maximum", &[1, MAX + 1], 1, ValueFault::AboveMaximum),
        ("the largest number", &[u64::MAX], 0, ValueFault::AboveMaximum),
        ("sum one above the maximum", &[MAX, 1], 1, ValueFault::SumAboveMaximum),
        ("sum above the maximum late", &[MAX - 1, 1, 1], 2, ValueFault::SumAboveMaximum),
    ];
    for (name, notches, output, fault) in cases {
        let value = Amount::from_notches(notches[output]);
        let expected = Err(RuleError::BadOutputValue { output, value, fault });
        assert_eq!(check_output_values(&paying(notches)), expected, "{name}");
        assert_eq!(check_transaction(&paying(notches)), expected, "{name}");
    }
}

#[test]
fn tx_02_refuses_a_sum_that_would_wrap_around() {
    // CVE-2010-5139: two outputs whose sum overflowed to a small number. Here 9,000 of the maximum exceed 64 bits.
    let many = paying(&[MAX; 9_000]);
    const { assert!(u64::MAX / MAX < 9_000) };
    let expected =
        RuleError::BadOutputValue { output: 1, value: Amount::MAX_SUPPLY, fault: ValueFault::SumAboveMaximum };
    assert_eq!(check_output_values(&many), Err(expected));
}

#[test]
fn tx_02_accepts_one_notch_and_the_maximum() {
    for notches in [&[1][..], &[MAX], &[MAX - 2, 1, 1]] {
        assert_eq!(check_output_values(&paying(notches)), Ok(()), "{notches:?}");
    }
}

#[test]
fn tx_02_accepts_zero_in_a_coinbase_alone() {
    let nothing = Transaction::coinbase(Height::new(7_000_000), &[], vec![output(0)]);
    assert_eq!(check_output_values(&nothing), Ok(()));
    assert_eq!(check_transaction(&nothing), Ok(()));
    let above = Transaction::coinbase(Height::new(7_000_000), &[], vec![output(MAX + 1)]);
    assert!(check_output_values(&above).is_err());
}

#[test]
fn tx_03_refuses_an_outpoint_twice() {
    let twice = |first: u8, middle: u8| {
        let inputs = [first, middle, first].map(|seed| input(outpoint(seed), &key(seed)));
        transaction(inputs.to_vec(), vec![output(1)])
    };
    let expected = Err(RuleError::DuplicateInput { outpoint: outpoint(1) });
    assert_eq!(check_inputs_distinct(&twice(1, 2)), expected);
    assert_eq!(check_transaction(&twice(1, 2)), expected);
    // The same coin is the same coin, whatever the witness beside it says.
    let mut inputs = vec![input(outpoint(1), &key(1)), input(outpoint(1), &key(2))];
    assert_eq!(check_inputs_distinct(&transaction(inputs.clone(), vec![output(1)])), expected);
    inputs.truncate(1);
    assert_eq!(check_inputs_distinct(&transaction(inputs, vec![output(1)])), Ok(()));
}

#[test]
fn tx_03_accepts_two_outputs_of_one_transaction() {
    let mut second = outpoint(1);
    second.index = 1;
    let inputs = vec![input(outpoint(1), &key(1)), input(second, &key(1))];
    assert_eq!(check_inputs_distinct(&transaction(inputs, vec![output(1)])), Ok(()));
}

#[test]
fn tx_04_refuses_a_memo_too_long_or_too_short() {
    let mut long = simple();
    long.memo = vec![0; 81];
    assert_eq!(check_memo_size(&long), Err(RuleError::BadMemoSize { size: 81, min: 0, max: 80 }));
    assert_eq!(check_transaction(&long), Err(RuleError::BadMemoSize { size: 81, min: 0, max: 80 }));
    for size in [0, 7, 101] {
        let mut mined = coinbase(HEIGHT, 1);
        mined.memo = vec![0; size];
        assert_eq!(check_memo_size(&mined), Err(RuleError::BadMemoSize { size, min: 8, max: 100 }));
    }
}

#[test]
fn tx_04_accepts_a_memo_at_the_limits() {
    for size in [0, 80] {
        let mut transaction = simple();
        transaction.memo = vec![0xff; size];
        assert_eq!(check_memo_size(&transaction), Ok(()));
    }
    for extra in [0, 92] {
        let mined = Transaction::coinbase(Height::new(1), &vec![0xff; extra], vec![output(1)]);
        assert_eq!(check_memo_size(&mined), Ok(()));
    }
}
