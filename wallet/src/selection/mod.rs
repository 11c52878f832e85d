//! Which coins to spend. First a search for coins that fit without change (branch and bound), which saves the change
//! output now and its spending later; then the largest coins first, with change.

mod branch_and_bound;

use tally_primitives::units::{Amount, FeeRate};

/// Outputs below this are refused by nodes' relay policy, and the wallet makes none.
pub const DUST: Amount = Amount::from_notches(300);

/// The largest transaction that nodes relay, in bytes.
pub const MAX_TRANSACTION_SIZE: usize = 100_000;

/// A coin to choose, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its value.
    pub value: Amount,
    /// The encoded size of the input that spends it, witness included.
    pub input_size: usize,
}

/// What the coins are needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The sum of the payments.
    pub amount: Amount,
    /// The size of the transaction without any input and without change.
    pub fixed_size: usize,
    /// The size that a change output adds.
    pub change_size: usize,
    /// The size of the input that will spend the change.
    pub change_input_size: usize,
    /// The fee rate to pay.
    pub rate: FeeRate,
}

impl Target {
    /// The least change worth making: no dust, and more than it will cost to spend.
    pub fn least_change(&self) -> Amount {
        DUST.max(self.rate.fee_for(self.change_input_size))
    }
}

/// Chosen coins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Positions in the list of candidates, ascending.
    pub chosen: Vec<usize>,
    /// The whole fee. Without change it may exceed what the rate asks for, by less than change would have cost.
    pub fee: Amount,
    /// The change, if it is worth making.
    pub change: Option<Amount>,
    /// The size of the whole transaction.
    pub size: usize,
}

/// Why no coins could be chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// All coins together do not reach.
    #[error("not enough funds: {needed} TALLY needed (fee included), {available} TALLY spendable")]
    NotEnough {
        /// Payments and fee.
        needed: Amount,
        /// All candidates' values.
        available: Amount,
    },
    /// So many coins are needed that no node would relay the transaction.
    #[error("the payment needs so many small coins that it would have {size} bytes; nodes relay up to {max}")]
    TooLarge {
        /// The size in bytes.
        size: usize,
        /// The limit in bytes.
        max: usize,
    },
}

/// A candidate with what it is worth once its own fee is paid, in thousandths of a notch, so that nothing is rounded
/// before the end.
#[derive(Clone, Copy, Debug)]
struct Worth {
    position: usize,
    millinotches: u128,
}

/// Chooses coins for `target`. The result depends on nothing but the arguments.
///
/// # Errors
/// See [`SelectionError`].
pub fn select(candidates: &[Candidate], target: &Target) -> Result<Selection, SelectionError> {
    let worths = worths(candidates, target.rate);
    let wanted = millinotches(target.amount) + fee_millinotches(target.rate, target.fixed_size);
    if worths.iter().map(|worth| worth.millinotches).sum::<u128>() < wanted {
        return Err(not_enough(candidates, target));
    }
    // One notch less than where change begins to be worth making.
    let tolerance = fee_millinotches(target.rate, target.change_size) + millinotches(target.least_change()) - 1000;
    let sorted: Vec<u128> = worths.iter().map(|worth| worth.millinotches).collect();
    let chosen = match branch_and_bound::search(&sorted, wanted, tolerance) {
        Some(places) => places.into_iter().map(|place| worths[place].position).collect(),
        None => largest_first(&worths, wanted),
    };
    finish(candidates, target, chosen)
}

/// Chooses every coin that is worth more than its own fee, for a payment of all that is left after the fee.
/// `target.amount` is not used.
///
/// # Errors
/// See [`SelectionError`].
pub fn select_all(candidates: &[Candidate], target: &Target) -> Result<(Selection, Amount), SelectionError> {
    let mut chosen: Vec<usize> = worths(candidates, target.rate).into_iter().map(|worth| worth.position).collect();
    chosen.sort_unstable();
    let size = size_of(candidates, target, &chosen);
    let fee = target.rate.fee_for(size);
    let sum = sum_of(candidates, &chosen);
    match sum.checked_sub(fee) {
        Some(amount) if amount >= DUST => {
            check_size(size)?;
            Ok((Selection { chosen, fee, change: None, size }, amount))
        }
        _ => Err(not_enough(candidates, &Target { amount: DUST, ..*target })),
    }
}

/// The candidates that are worth more than their fee, the most valuable first.
fn worths(candidates: &[Candidate], rate: FeeRate) -> Vec<Worth> {
    let worth = |(position, candidate): (usize, &Candidate)| {
        let fee = fee_millinotches(rate, candidate.input_size);
        let millinotches = millinotches(candidate.value).checked_sub(fee).filter(|worth| *worth > 0)?;
        Some(Worth { position, millinotches })
    };
    let mut worths: Vec<Worth> = candidates.iter().enumerate().filter_map(worth).collect();
    // Of equals the first: the order is always the same.
    worths.sort_by(|a, b| b.millinotches.cmp(&a.millinotches).then(a.position.cmp(&b.position)));
    worths
}

fn largest_first(worths: &[Worth], wanted: u128) -> Vec<usize> {
    let mut sum = 0;
    let mut chosen = Vec::new();
    for worth in worths {
        if sum >= wanted {
            break;
        }
        sum += worth.millinotches;
        chosen.push(worth.position);
    }
    chosen
}

/// Works out fee and change of chosen coins that reach the target.
fn finish(candidates: &[Candidate], target: &Target, mut chosen: Vec<usize>) -> Result<Selection, SelectionError> {
    chosen.sort_unstable();
    let sum = sum_of(candidates, &chosen);
    let size = size_of(candidates, target, &chosen);
    let left_over = sum.checked_sub(target.amount).ok_or_else(|| not_enough(candidates, target))?;
    let fee_with_change = target.rate.fee_for(size + target.change_size);
    let change = left_over.checked_sub(fee_with_change).filter(|change| *change >= target.least_change());
    let selection = match change {
        Some(_) => Selection { chosen, fee: fee_with_change, change, size: size + target.change_size },
        None => Selection { chosen, fee: left_over, change: None, size },
    };
    check_size(selection.size)?;
    Ok(selection)
}

fn check_size(size: usize) -> Result<(), SelectionError> {
    if size > MAX_TRANSACTION_SIZE {
        return Err(SelectionError::TooLarge { size, max: MAX_TRANSACTION_SIZE });
    }
    Ok(())
}

fn not_enough(candidates: &[Candidate], target: &Target) -> SelectionError {
    let useful: Vec<usize> = worths(candidates, target.rate).into_iter().map(|worth| worth.position).collect();
    let fee = target.rate.fee_for(size_of(candidates, target, &useful));
    let everything: Vec<usize> = (0..candidates.len()).collect();
    SelectionError::NotEnough {
        needed: target.amount.checked_add(fee).unwrap_or(Amount::from_notches(u64::MAX)),
        available: sum_of(candidates, &everything),
    }
}

fn size_of(candidates: &[Candidate], target: &Target, chosen: &[usize]) -> usize {
    target.fixed_size + chosen.iter().map(|position| candidates[*position].input_size).sum::<usize>()
}

/// Saturates: no honest node's coins overflow, and a sum too small only refuses.
fn sum_of(candidates: &[Candidate], chosen: &[usize]) -> Amount {
    let values = chosen.iter().map(|position| candidates[*position].value);
    Amount::checked_sum(values).unwrap_or(Amount::from_notches(u64::MAX))
}

fn millinotches(amount: Amount) -> u128 {
    u128::from(amount.to_notches()) * 1000
}

/// What `size` bytes pay: the rate is per 1,000 bytes, so this needs no division.
fn fee_millinotches(rate: FeeRate, size: usize) -> u128 {
    u128::from(rate.to_notches_per_kilobyte()) * size as u128
}
