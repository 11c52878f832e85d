//! A payment, from the wish to the signed transaction: [`plan`] chooses coins and works out every output and the exact
//! fee, so that the owner can agree to them; [`Payment::sign`] only adds signatures.

mod sign;
mod sizes;

use tally_primitives::hash::LockHash;
use tally_primitives::transaction::Output;
use tally_primitives::units::{Amount, FeeRate};

use crate::coins::OwnedCoin;
use crate::keys::KeysError;
use crate::selection::{self, Candidate, DUST, SelectionError, Target};

/// The longest memo of a transaction, in bytes (rule TX-04).
pub const MAX_MEMO_BYTES: usize = 80;

/// Why a payment cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// So little that no node would relay it.
    #[error("{amount} TALLY is too little to send: nodes relay no output below {DUST} TALLY")]
    Dust {
        /// What was to be sent.
        amount: Amount,
    },
    /// Too long a memo.
    #[error("the memo has {size} bytes; at most {MAX_MEMO_BYTES} are allowed")]
    MemoTooLong {
        /// Its size in bytes.
        size: usize,
    },
    /// Coins cannot be chosen.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// A fee that is probably a mistake.
    #[error("the fee would be {fee} TALLY, above the limit of {limit} TALLY")]
    FeeAboveLimit {
        /// The fee.
        fee: Amount,
        /// The most that is paid without being told to.
        limit: Amount,
    },
    /// A key cannot be derived.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The transaction is not what was planned. Never happens, and nothing is sent then.
    #[error("the signed transaction is not the planned one: {problem}")]
    SelfCheck {
        /// What differs.
        problem: String,
    },
}

/// How much to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendAmount {
    /// So much; the fee comes on top.
    Exactly(Amount),
    /// All there is; the fee is taken from it.
    Max,
}

/// What the owner wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Whom to pay.
    pub to: LockHash,
    /// How much.
    pub amount: SendAmount,
    /// At which fee rate.
    pub rate: FeeRate,
    /// Bytes to carry along.
    pub memo: Vec<u8>,
    /// Where change goes.
    pub change_to: LockHash,
    /// The highest fee to pay.
    pub max_fee: Amount,
}

/// A payment worked out to the notch, not signed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What the payee gets.
    pub amount: Amount,
    /// What comes back, if anything.
    pub change: Option<Amount>,
    /// The fee.
    pub fee: Amount,
    /// The encoded size of the signed transaction in bytes.
    pub size: usize,
    spent: Vec<OwnedCoin>,
    outputs: Vec<Output>,
    memo: Vec<u8>,
}

impl Payment {
    /// The coins it spends, in the order of the inputs.
    pub fn spent(&self) -> &[OwnedCoin] {
        &self.spent
    }

    /// The fee rate that it really pays.
    pub fn rate(&self) -> FeeRate {
        FeeRate::of(self.fee, self.size)
    }
}

/// Works a payment out. `coins` must all be spendable. Confirmed ones are preferred: the wallet's own unconfirmed
/// change is used only when they do not reach.
///
/// # Errors
/// See [`PaymentError`].
pub fn plan(order: &Order, coins: &[OwnedCoin]) -> Result<Payment, PaymentError> {
    if order.memo.len() > MAX_MEMO_BYTES {
        return Err(PaymentError::MemoTooLong { size: order.memo.len() });
    }
    if let SendAmount::Exactly(amount) = order.amount
        && amount < DUST
    {
        return Err(PaymentError::Dust { amount });
    }
    let payment = match order.amount {
        SendAmount::Max => choose(order, coins.iter().collect())?,
        SendAmount::Exactly(_) => {
            let confirmed = coins.iter().filter(|coin| coin.height.is_some()).collect();
            choose(order, confirmed).or_else(|_| choose(order, coins.iter().collect()))?
        }
    };
    if payment.fee > order.max_fee {
        return Err(PaymentError::FeeAboveLimit { fee: payment.fee, limit: order.max_fee });
    }
    Ok(payment)
}

fn choose(order: &Order, coins: Vec<&OwnedCoin>) -> Result<Payment, SelectionError> {
    let candidates: Vec<Candidate> =
        coins.iter().map(|coin| Candidate { value: coin.value, input_size: sizes::key_input() }).collect();
    let target = |amount: Amount| Target {
        amount,
        fixed_size: sizes::without_inputs(1, order.memo.len()),
        change_size: sizes::output(),
        change_input_size: sizes::key_input(),
        rate: order.rate,
    };
    let (selection, amount) = match order.amount {
        SendAmount::Exactly(amount) => (selection::select(&candidates, &target(amount))?, amount),
        SendAmount::Max => selection::select_all(&candidates, &target(Amount::ZERO))?,
    };
    let mut spent: Vec<OwnedCoin> = selection.chosen.iter().map(|position| coins[*position].clone()).collect();
    let mut outputs = vec![Output { value: amount, lock: order.to }];
    outputs.extend(selection.change.map(|value| Output { value, lock: order.change_to }));
    // A fixed order (as BIP 69): neither the inputs' nor the change's place tells anything.
    spent.sort_by_key(|coin| coin.outpoint);
    outputs.sort_by_key(|output| (output.value, output.lock));
    Ok(Payment {
        amount,
        change: selection.change,
        fee: selection.fee,
        size: selection.size,
        spent,
        outputs,
        memo: order.memo.clone(),
    })
}

#[cfg(test)]
mod tests;
