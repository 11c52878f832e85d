//! Rules about a transaction with the coins it spends (IN-01 to IN-07).
//!
//! Two halves: [`check_amounts`] is cheap and decides about money; [`check_witnesses`] is dear (signatures), depends on
//! nothing but its arguments, and may therefore be run in parallel, or skipped where its verdict is already known.

use tally_primitives::hash::{BlockHash, SigHash};
use tally_primitives::spending::{SpendContext, SpendError, SpendingPolicy, Witness};
use tally_primitives::transaction::{Coin, OutPoint, Transaction};
use tally_primitives::units::{Amount, Height};

use crate::error::RuleError;

/// The facts a transaction's inputs are judged by, besides the coins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputContext {
    /// The height of the block that spends: the block's own, or the next one's for a mempool.
    pub height: Height,
    /// How many blocks a coinbase coin must rest.
    pub coinbase_maturity: u32,
    /// The network's genesis, which every signature commits to.
    pub genesis: BlockHash,
}

/// All rules about the inputs of a transaction that is no coinbase, given the coins they spend, in their order; returns
/// the fee.
///
/// # Errors
/// The first rule that is broken.
pub fn check_inputs(transaction: &Transaction, spent: &[Coin], context: &InputContext) -> Result<Amount, RuleError> {
    let fee = check_amounts(transaction, spent, context)?;
    check_witnesses(transaction, spent, context)?;
    Ok(fee)
}

/// The cheap half of [`check_inputs`]: IN-02 and IN-03; returns the fee.
///
/// # Errors
/// The first rule that is broken.
pub fn check_amounts(transaction: &Transaction, spent: &[Coin], context: &InputContext) -> Result<Amount, RuleError> {
    for (input, coin) in transaction.inputs.iter().zip(coins_of(transaction, spent)?) {
        check_coinbase_mature(&input.outpoint, coin, context)?;
    }
    check_inputs_cover_outputs(transaction, spent)
}

/// The dear half of [`check_inputs`]: IN-04 to IN-07 for every input.
///
/// # Errors
/// The first rule that is broken.
pub fn check_witnesses(transaction: &Transaction, spent: &[Coin], context: &InputContext) -> Result<(), RuleError> {
    let spent = coins_of(transaction, spent)?;
    let outputs: Vec<_> = spent.iter().map(|coin| coin.output).collect();
    let sighash = transaction.sighash(&context.genesis, &outputs);
    for (index, (input, coin)) in transaction.inputs.iter().zip(spent).enumerate() {
        check_witness(index, &input.witness, coin, &sighash, context.height)?;
    }
    Ok(())
}

/// All rules about one input's witness, IN-04 to IN-07: the cheap ones first, so that nobody pays for signatures of a
/// witness that cannot be right.
///
/// # Errors
/// The first rule that is broken.
pub fn check_witness(
    input: usize,
    witness: &Witness,
    coin: &Coin,
    sighash: &SigHash,
    height: Height,
) -> Result<(), RuleError> {
    check_policy_within_limits(input, witness)?;
    check_policy_matches_lock(input, witness, coin)?;
    check_policy_satisfied(input, witness, coin, sighash, height)?;
    check_nothing_left_over(input, witness)
}

/// IN-01: the spent coin exists and is unspent. The caller looks it up, in a view in which the block's earlier
/// transactions have already taken and added theirs.
///
/// # Errors
/// [`RuleError::MissingCoin`].
pub fn check_coin_exists<C>(outpoint: &OutPoint, coin: Option<C>) -> Result<C, RuleError> {
    coin.ok_or(RuleError::MissingCoin { outpoint: *outpoint })
}

/// IN-02: a coinbase coin of block `h` may be spent from block `h + coinbase_maturity` on. Genesis allocations are no
/// coinbase coins.
///
/// # Errors
/// [`RuleError::ImmatureCoinbase`].
pub fn check_coinbase_mature(outpoint: &OutPoint, coin: &Coin, context: &InputContext) -> Result<(), RuleError> {
    let age = u64::from(context.height.get()).checked_sub(u64::from(coin.height.get()));
    if !coin.coinbase || age.is_some_and(|age| age >= u64::from(context.coinbase_maturity)) {
        return Ok(());
    }
    Err(RuleError::ImmatureCoinbase {
        outpoint: *outpoint,
        coin_height: coin.height,
        height: context.height,
        maturity: context.coinbase_maturity,
    })
}

/// IN-03: the inputs' sum covers the outputs' sum, without overflow; returns the difference, which is the fee.
///
/// # Errors
/// [`RuleError::InputsBelowOutputs`]; [`RuleError::MissingCoin`] when there are fewer coins than inputs.
pub fn check_inputs_cover_outputs(transaction: &Transaction, spent: &[Coin]) -> Result<Amount, RuleError> {
    let spent = coins_of(transaction, spent)?;
    let inputs = Amount::checked_sum(spent.iter().map(|coin| coin.output.value));
    let outputs = Amount::checked_sum(transaction.outputs.iter().map(|output| output.value));
    let fee = inputs.zip(outputs).and_then(|(inputs, outputs)| inputs.checked_sub(outputs));
    fee.ok_or(RuleError::InputsBelowOutputs { inputs, outputs })
}

/// IN-04: the revealed policy hashes to the coin's lock.
///
/// # Errors
/// [`RuleError::WrongPolicy`].
pub fn check_policy_matches_lock(input: usize, witness: &Witness, coin: &Coin) -> Result<(), RuleError> {
    let revealed = witness.policy.hash();
    let lock = coin.output.lock;
    if revealed == lock { Ok(()) } else { Err(RuleError::WrongPolicy { input, lock, revealed }) }
}

/// IN-05: the policy is within its limits: depth, nodes, thresholds.
///
/// # Errors
/// [`RuleError::PolicyOutsideLimits`].
pub fn check_policy_within_limits(input: usize, witness: &Witness) -> Result<(), RuleError> {
    witness.policy.check_limits().map_err(|source| RuleError::PolicyOutsideLimits { input, source })
}

/// IN-06: the policy is satisfied: signatures, preimages, heights. What the policy did not ask for is
/// [`check_nothing_left_over`]'s to judge.
///
/// # Errors
/// [`RuleError::PolicyNotSatisfied`].
pub fn check_policy_satisfied(
    input: usize,
    witness: &Witness,
    coin: &Coin,
    sighash: &SigHash,
    height: Height,
) -> Result<(), RuleError> {
    match witness.evaluate(&SpendContext { height, coin_height: coin.height, sighash }) {
        Ok(()) | Err(SpendError::LeftOver { .. }) => Ok(()),
        Err(source) => Err(RuleError::PolicyNotSatisfied { input, source }),
    }
}

/// IN-07: nothing in the witness is left over. A satisfied policy has used one signature for each key it reveals and
/// one preimage for each preimage hash; whatever exceeds that could be added by anybody on the way, and would change
/// the wtxid.
///
/// # Errors
/// [`RuleError::WitnessLeftOver`].
pub fn check_nothing_left_over(input: usize, witness: &Witness) -> Result<(), RuleError> {
    let asked = Asked::by(&witness.policy);
    let signatures = witness.signatures.len().saturating_sub(asked.signatures);
    let preimages = witness.preimages.len().saturating_sub(asked.preimages);
    if signatures == 0 && preimages == 0 {
        return Ok(());
    }
    Err(RuleError::WitnessLeftOver { input, signatures, preimages })
}

/// How much of a witness a policy uses when it is satisfied.
#[derive(Default)]
struct Asked {
    signatures: usize,
    preimages: usize,
}

impl Asked {
    fn by(policy: &SpendingPolicy) -> Asked {
        match policy {
            SpendingPolicy::Key(_) => Asked { signatures: 1, preimages: 0 },
            SpendingPolicy::Preimage(_) => Asked { signatures: 0, preimages: 1 },
            SpendingPolicy::Threshold { of, .. } => of.iter().map(Asked::by).fold(Asked::default(), |sum, child| {
                Asked { signatures: sum.signatures + child.signatures, preimages: sum.preimages + child.preimages }
            }),
            SpendingPolicy::After(_) | SpendingPolicy::Older(_) | SpendingPolicy::Opaque(_) => Asked::default(),
        }
    }
}

/// One coin for each input. A caller that brings too few has not found the next one; more than there are inputs do not
/// count.
fn coins_of<'a>(transaction: &Transaction, spent: &'a [Coin]) -> Result<&'a [Coin], RuleError> {
    let inputs = &transaction.inputs;
    spent.get(..inputs.len()).ok_or_else(|| RuleError::MissingCoin { outpoint: inputs[spent.len()].outpoint })
}
