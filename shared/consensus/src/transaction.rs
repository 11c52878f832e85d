//! Rules about a transaction in isolation: nothing but its own bytes is needed (TX-01 to TX-04).

use std::collections::BTreeSet;

use tally_primitives::transaction::Transaction;
use tally_primitives::units::Amount;

use crate::error::{RuleError, ValueFault};

/// The longest memo of a transaction, in bytes.
pub const MAX_MEMO_SIZE: usize = 80;

/// The shortest memo of a coinbase, in bytes: its height as u64.
pub const MIN_COINBASE_MEMO_SIZE: usize = 8;

/// The longest memo of a coinbase, in bytes.
pub const MAX_COINBASE_MEMO_SIZE: usize = 100;

/// Where a transaction stands: only the first one of a block may be without inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first transaction of a block: the coinbase.
    FirstInBlock,
    /// Any other transaction of a block, and every one in a mempool.
    Elsewhere,
}

/// All rules about a transaction in isolation, taken for what it looks like: without inputs it is a coinbase. Whether a
/// coinbase may stand where it was found is for [`check_block`](crate::block::check_block) and
/// [`check_loose_transaction`] to say.
///
/// # Errors
/// The first rule that is broken.
pub fn check_transaction(transaction: &Transaction) -> Result<(), RuleError> {
    let place = if transaction.is_coinbase() { Place::FirstInBlock } else { Place::Elsewhere };
    check_transaction_at(transaction, place)
}

/// All rules about a transaction that stands in no block: what a mempool asks first. A coinbase is refused (TX-01).
///
/// # Errors
/// The first rule that is broken.
pub fn check_loose_transaction(transaction: &Transaction) -> Result<(), RuleError> {
    check_transaction_at(transaction, Place::Elsewhere)
}

/// All rules about a transaction in isolation, standing at this place.
///
/// # Errors
/// The first rule that is broken.
pub fn check_transaction_at(transaction: &Transaction, place: Place) -> Result<(), RuleError> {
    check_inputs_and_outputs_present(transaction, place)?;
    check_output_values(transaction)?;
    check_inputs_distinct(transaction)?;
    check_memo_size(transaction)
}

/// TX-01: at least one input, unless it is a coinbase, and at least one output.
///
/// It follows that no valid transaction encodes to 64 bytes (28 bytes without any input or output, 40 an output), so
/// none can be passed off as an inner node of the Merkle tree (CVE-2017-12842).
///
/// # Errors
/// [`RuleError::NoInputsOrOutputs`].
pub fn check_inputs_and_outputs_present(transaction: &Transaction, place: Place) -> Result<(), RuleError> {
    let inputs_missing = transaction.inputs.is_empty() && place == Place::Elsewhere;
    if inputs_missing || transaction.outputs.is_empty() {
        return Err(RuleError::NoInputsOrOutputs {
            inputs: transaction.inputs.len(),
            outputs: transaction.outputs.len(),
        });
    }
    Ok(())
}

/// TX-02: every output's value is positive and at most the maximum supply, and so is their sum (CVE-2010-5139). A
/// coinbase may pay zero: after the last halving, a block without fees has nothing to claim, and the chain must go on.
///
/// # Errors
/// [`RuleError::BadOutputValue`].
pub fn check_output_values(transaction: &Transaction) -> Result<(), RuleError> {
    let mut sum = Amount::ZERO;
    for (output, value) in transaction.outputs.iter().map(|output| output.value).enumerate() {
        let fault = |fault| RuleError::BadOutputValue { output, value, fault };
        if value == Amount::ZERO && !transaction.is_coinbase() {
            return Err(fault(ValueFault::Zero));
        }
        if value > Amount::MAX_SUPPLY {
            return Err(fault(ValueFault::AboveMaximum));
        }
        sum = match sum.checked_add(value) {
            Some(sum) if sum <= Amount::MAX_SUPPLY => sum,
            _ => return Err(fault(ValueFault::SumAboveMaximum)),
        };
    }
    Ok(())
}

/// TX-03: no outpoint twice in one transaction (CVE-2018-17144).
///
/// # Errors
/// [`RuleError::DuplicateInput`].
pub fn check_inputs_distinct(transaction: &Transaction) -> Result<(), RuleError> {
    let mut seen = BTreeSet::new();
    for input in &transaction.inputs {
        if !seen.insert(&input.outpoint) {
            return Err(RuleError::DuplicateInput { outpoint: input.outpoint });
        }
    }
    Ok(())
}

/// TX-04: a memo has at most 80 bytes, in a coinbase 8 to 100.
///
/// # Errors
/// [`RuleError::BadMemoSize`].
pub fn check_memo_size(transaction: &Transaction) -> Result<(), RuleError> {
    let (min, max) =
        if transaction.is_coinbase() { (MIN_COINBASE_MEMO_SIZE, MAX_COINBASE_MEMO_SIZE) } else { (0, MAX_MEMO_SIZE) };
    let size = transaction.memo.len();
    if (min..=max).contains(&size) { Ok(()) } else { Err(RuleError::BadMemoSize { size, min, max }) }
}
