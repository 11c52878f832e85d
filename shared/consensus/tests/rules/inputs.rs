//! IN-01 to IN-07.

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use tally_consensus::inputs::{
    InputContext, check_amounts, check_coin_exists, check_coinbase_mature, check_inputs, check_inputs_cover_outputs,
    check_nothing_left_over, check_policy_matches_lock, check_policy_satisfied, check_policy_within_limits,
    check_witnesses,
};
use tally_consensus::{RuleError, RuleId};
use tally_primitives::hash::{BlockHash, LockHash, SigHash};
use tally_primitives::keys::Signature;
use tally_primitives::spending::{PolicyLimitError, SpendContext, SpendError, SpendingPolicy, Witness};
use tally_primitives::transaction::{Coin, Transaction};
use tally_primitives::units::{Amount, Height};

use crate::support::{
    HEIGHT, coin, input, key, outpoint, output, params, preimage, rule, signature, threshold, transaction,
};

fn context() -> InputContext {
    InputContext { height: HEIGHT, coinbase_maturity: 10, genesis: params().genesis_hash() }
}

/// A valid spending of two coins of 60 and 40 notches by keys 1 and 2, which pays 90.
fn valid() -> (Transaction, Vec<Coin>) {
    let spent = vec![coin(60, &key(1), 5), coin(40, &key(2), 6)];
    let inputs = vec![input(outpoint(1), &key(1)), input(outpoint(2), &key(2))];
    let mut transaction = transaction(inputs, vec![output(90)]);
    sign(&mut transaction, &spent, &context().genesis);
    (transaction, spent)
}

fn sign(transaction: &mut Transaction, spent: &[Coin], genesis: &BlockHash) {
    for (index, seed) in [(0, 1), (1, 2)] {
        let signature = signature(seed, transaction, spent, genesis);
        transaction.inputs[index].witness.signatures = vec![signature];
    }
}

fn unsatisfied(input: usize, source: SpendError) -> RuleError {
    RuleError::PolicyNotSatisfied { input, source }
}

#[test]
fn a_spending_that_breaks_no_rule_is_accepted_and_its_fee_told() {
    let (transaction, spent) = valid();
    assert_eq!(check_inputs(&transaction, &spent, &context()), Ok(Amount::from_notches(10)));
}

#[test]
fn in_01_refuses_a_coin_that_is_not_there() {
    let expected = RuleError::MissingCoin { outpoint: outpoint(1) };
    assert_eq!(check_coin_exists::<Coin>(&outpoint(1), None), Err(expected));
    // A caller that found fewer coins than there are inputs is told which one is missing.
    let (transaction, spent) = valid();
    let expected = RuleError::MissingCoin { outpoint: outpoint(2) };
    assert_eq!(check_amounts(&transaction, &spent[..1], &context()), Err(expected.clone()));
    assert_eq!(check_witnesses(&transaction, &spent[..1], &context()), Err(expected));
}

#[test]
fn in_01_accepts_a_coin_that_is_there() {
    let coin = coin(1, &key(1), 1);
    assert_eq!(check_coin_exists(&outpoint(1), Some(coin)), Ok(coin));
}

#[test]
fn in_02_refuses_a_coinbase_coin_one_block_too_young() {
    let (transaction, mut spent) = valid();
    spent[1].coinbase = true;
    for coin_height in [11, 20, 21, u32::MAX] {
        spent[1].height = Height::new(coin_height);
        let expected = RuleError::ImmatureCoinbase {
            outpoint: outpoint(2),
            coin_height: Height::new(coin_height),
            height: HEIGHT,
            maturity: 10,
        };
        assert_eq!(check_coinbase_mature(&outpoint(2), &spent[1], &context()), Err(expected.clone()));
        assert_eq!(check_amounts(&transaction, &spent, &context()), Err(expected));
    }
}

#[test]
fn in_02_accepts_a_mature_coinbase_coin_and_every_other_coin() {
    let mut mined = coin(1, &key(1), 10);
    mined.coinbase = true;
    assert_eq!(check_coinbase_mature(&outpoint(1), &mined, &context()), Ok(()));
    assert_eq!(check_coinbase_mature(&outpoint(1), &coin(1, &key(1), 20), &context()), Ok(()));
    let early = InputContext { height: Height::new(1), ..context() };
    assert_eq!(check_coinbase_mature(&outpoint(1), &coin(1, &key(1), 0), &early), Ok(()), "a genesis allocation");
    let no_rest = InputContext { coinbase_maturity: 0, ..context() };
    mined.height = HEIGHT;
    assert_eq!(check_coinbase_mature(&outpoint(1), &mined, &no_rest), Ok(()));
}

#[test]
fn in_03_refuses_outputs_above_inputs() {
    let (mut transaction, spent) = valid();
    transaction.outputs = vec![output(100), output(1)];
    let sum = |notches| Some(Amount::from_notches(notches));
    let expected = RuleError::InputsBelowOutputs { inputs: sum(100), outputs: sum(101) };
    assert_eq!(check_inputs_cover_outputs(&transaction, &spent), Err(expected.clone()));
    assert_eq!(check_inputs(&transaction, &spent, &context()), Err(expected));
}

#[test]
fn in_03_refuses_sums_that_overflow() {
    let (mut transaction, mut spent) = valid();
    spent[0].output.value = Amount::from_notches(u64::MAX);
    let outputs = Some(Amount::from_notches(90));
    let expected = RuleError::InputsBelowOutputs { inputs: None, outputs };
    assert_eq!(check_inputs_cover_outputs(&transaction, &spent), Err(expected));
    let (_, spent) = valid();
    transaction.outputs = vec![output(u64::MAX), output(2)];
    let inputs = Some(Amount::from_notches(100));
    let expected = RuleError::InputsBelowOutputs { inputs, outputs: None };
    assert_eq!(check_inputs_cover_outputs(&transaction, &spent), Err(expected));
}

#[test]
fn in_03_accepts_a_fee_of_nothing_and_of_all_but_one_notch() {
    let (mut transaction, mut spent) = valid();
    for (paid, fee) in [(100, 0), (1, 99)] {
        transaction.outputs = vec![output(paid)];
        assert_eq!(check_inputs_cover_outputs(&transaction, &spent), Ok(Amount::from_notches(fee)));
    }
    // Coins beyond the inputs are not counted.
    spent.push(coin(1_000, &key(3), 1));
    transaction.outputs = vec![output(101)];
    assert_eq!(rule(check_inputs_cover_outputs(&transaction, &spent)), Some(RuleId::In03));
    assert_eq!(rule(check_amounts(&transaction, &spent, &context())), Some(RuleId::In03));
}

#[test]
fn in_04_refuses_another_policy_than_the_locks() {
    let (mut transaction, mut spent) = valid();
    spent[1] = coin(40, &key(3), 6);
    sign(&mut transaction, &spent, &context().genesis);
    let expected = RuleError::WrongPolicy { input: 1, lock: key(3).hash(), revealed: key(2).hash() };
    assert_eq!(check_policy_matches_lock(1, &transaction.inputs[1].witness, &spent[1]), Err(expected.clone()));
    assert_eq!(check_inputs(&transaction, &spent, &context()), Err(expected));
}

#[test]
fn in_04_accepts_the_locks_policy_with_branches_hidden() {
    let full = threshold(1, vec![key(1), key(2)]);
    let revealed = threshold(1, vec![SpendingPolicy::Opaque(key(1).hash()), key(2)]);
    let witness = input(outpoint(1), &revealed).witness;
    assert_eq!(check_policy_matches_lock(0, &witness, &coin(1, &full, 1)), Ok(()));
}

#[test]
fn in_05_refuses_a_policy_outside_its_limits() {
    let nested = |levels| (1..levels).fold(key(1), |child, _| threshold(1, vec![child]));
    let wide = |leaves| threshold(2, vec![threshold(1, vec![key(1); 15]), threshold(1, vec![key(1); leaves])]);
    let cases = [
        ("five levels", nested(5), PolicyLimitError::TooDeep { max: 4 }),
        ("33 nodes", wide(15), PolicyLimitError::TooManyNodes { max: 32 }),
        ("17 children", threshold(1, vec![key(1); 17]), PolicyLimitError::TooManyChildren { children: 17, max: 16 }),
        (
            "none required",
            threshold(0, vec![key(1)]),
            PolicyLimitError::RequiredOutOfRange { required: 0, children: 1 },
        ),
        ("no children", threshold(1, vec![]), PolicyLimitError::RequiredOutOfRange { required: 1, children: 0 }),
        (
            "above its children",
            threshold(3, vec![key(1); 2]),
            PolicyLimitError::RequiredOutOfRange { required: 3, children: 2 },
        ),
        (
            "a fault in a branch",
            threshold(1, vec![threshold(0, vec![key(1)])]),
            PolicyLimitError::RequiredOutOfRange { required: 0, children: 1 },
        ),
    ];
    let (mut transaction, mut spent) = valid();
    for (name, policy, source) in cases {
        transaction.inputs[1].witness.policy = policy.clone();
        spent[1] = coin(40, &policy, 6);
        sign(&mut transaction, &spent, &context().genesis);
        let expected = RuleError::PolicyOutsideLimits { input: 1, source };
        let witness = &transaction.inputs[1].witness;
        assert_eq!(check_policy_within_limits(1, witness), Err(expected.clone()), "{name}");
        assert_eq!(check_witnesses(&transaction, &spent, &context()), Err(expected), "{name}");
    }
}

#[test]
fn in_05_accepts_a_policy_at_its_limits() {
    let nested = (1..4).fold(key(1), |child, _| threshold(1, vec![child]));
    let nodes = threshold(1, vec![threshold(1, vec![key(1); 15]), threshold(14, vec![key(1); 14])]);
    for policy in [nested, nodes, threshold(16, vec![key(1); 16]), threshold(1, vec![key(1)]), key(1)] {
        assert_eq!(check_policy_within_limits(0, &input(outpoint(1), &policy).witness), Ok(()), "{policy:?}");
    }
}

#[test]
fn in_06_refuses_signatures_for_something_else() {
    let (honest, spent) = valid();
    let genesis = context().genesis;
    let wrong = Err(unsatisfied(1, SpendError::WrongSignature { index: 0 }));
    let mut other_network = honest.clone();
    other_network.inputs[1].witness.signatures = vec![signature(2, &honest, &spent, &BlockHash::ZERO)];
    let mut other_key = honest.clone();
    other_key.inputs[1].witness.signatures = vec![signature(3, &honest, &spent, &genesis)];
    let mut other_output = honest.clone();
    let mut changed = honest.clone();
    changed.outputs[0].lock = LockHash::ZERO;
    other_output.inputs[1].witness.signatures = vec![signature(2, &changed, &spent, &genesis)];
    let mut other_value = honest.clone();
    let mut dearer = spent.clone();
    dearer[0].output.value = Amount::from_notches(61);
    other_value.inputs[1].witness.signatures = vec![signature(2, &honest, &dearer, &genesis)];
    for (name, transaction) in
        [("network", other_network), ("key", other_key), ("output", other_output), ("spent value", other_value)]
    {
        assert_eq!(check_witnesses(&transaction, &spent, &context()), wrong, "{name}");
    }
    let mut missing = honest;
    missing.inputs[1].witness.signatures.clear();
    let expected = Err(unsatisfied(1, SpendError::MissingSignature { index: 0 }));
    assert_eq!(check_witnesses(&missing, &spent, &context()), expected);
}

#[test]
fn in_06_refuses_what_the_policy_does_not_allow() {
    let [height, coin_height] = [20, 15].map(Height::new);
    let hidden = SpendingPolicy::Opaque(key(1).hash());
    let early = |until| SpendError::TooEarly { until: Height::new(until), height };
    let branches = |required, revealed| SpendError::WrongNumberOfBranches { required, revealed };
    let cases = [
        ("absolute lock, one block early", SpendingPolicy::After(Height::new(21)), early(21)),
        (
            "relative lock, one block early",
            SpendingPolicy::Older(6),
            SpendError::TooYoung { blocks: 6, coin_height, height },
        ),
        (
            "relative lock that wraps",
            SpendingPolicy::Older(u32::MAX),
            SpendError::TooYoung { blocks: u32::MAX, coin_height, height },
        ),
        ("preimage missing", SpendingPolicy::Preimage(preimage(1).hash()), SpendError::MissingPreimage { index: 0 }),
        ("opaque alone", hidden.clone(), SpendError::Opaque),
        ("opaque branch claimed", threshold(1, vec![hidden.clone()]), branches(1, 0)),
        ("more revealed than required", threshold(1, vec![SpendingPolicy::Older(1), SpendingPolicy::Older(1)]), {
            branches(1, 2)
        }),
        ("fewer revealed than required", threshold(2, vec![hidden, SpendingPolicy::Older(1)]), branches(2, 1)),
    ];
    for (name, policy, source) in cases {
        let witness = input(outpoint(1), &policy).witness;
        let verdict = check_policy_satisfied(0, &witness, &coin(1, &policy, 15), &SigHash::from_bytes([1; 32]), height);
        assert_eq!(verdict, Err(unsatisfied(0, source)), "{name}");
    }
    let policy = SpendingPolicy::Preimage(preimage(1).hash());
    let mut witness = input(outpoint(1), &policy).witness;
    witness.preimages = vec![preimage(2)];
    let verdict = check_policy_satisfied(0, &witness, &coin(1, &policy, 15), &SigHash::from_bytes([1; 32]), height);
    assert_eq!(verdict, Err(unsatisfied(0, SpendError::WrongPreimage { index: 0 })));
}

#[test]
fn in_06_accepts_what_the_policy_allows() {
    let (transaction, spent) = valid();
    assert_eq!(check_witnesses(&transaction, &spent, &context()), Ok(()));
    let cases = [
        ("absolute lock at its height", SpendingPolicy::After(Height::new(20)), 0),
        ("relative lock at its height", SpendingPolicy::Older(5), 0),
        ("preimage", SpendingPolicy::Preimage(preimage(1).hash()), 1),
        (
            "hidden branch beside",
            threshold(1, vec![SpendingPolicy::Opaque(LockHash::ZERO), SpendingPolicy::Older(0)]),
            0,
        ),
    ];
    for (name, policy, preimages) in cases {
        let mut witness = input(outpoint(1), &policy).witness;
        witness.preimages = vec![preimage(1); preimages];
        let sighash = SigHash::from_bytes([1; 32]);
        let verdict = check_policy_satisfied(0, &witness, &coin(1, &policy, 15), &sighash, HEIGHT);
        assert_eq!(verdict, Ok(()), "{name}");
    }
}

#[test]
fn in_07_refuses_anything_left_over() {
    let (honest, spent) = valid();
    let left = |signatures, preimages| Err(RuleError::WitnessLeftOver { input: 1, signatures, preimages });
    let mut signed_twice = honest.clone();
    let again = honest.inputs[1].witness.signatures[0];
    signed_twice.inputs[1].witness.signatures.push(again);
    assert_eq!(check_witnesses(&signed_twice, &spent, &context()), left(1, 0));
    let mut with_preimages = honest.clone();
    with_preimages.inputs[1].witness.preimages = vec![preimage(1), preimage(2)];
    assert_eq!(check_witnesses(&with_preimages, &spent, &context()), left(0, 2));
    assert_eq!(check_nothing_left_over(1, &with_preimages.inputs[1].witness), left(0, 2).map(|_: ()| ()));
    assert_eq!(honest.txid(), with_preimages.txid(), "anybody could add them without changing the txid");
}

#[test]
fn in_07_accepts_exactly_what_is_asked_for() {
    let policy = threshold(3, vec![key(1), SpendingPolicy::Preimage(preimage(1).hash()), key(2)]);
    let mut witness = input(outpoint(1), &policy).witness;
    witness.signatures = vec![Signature::from_bytes([0; 64]); 2];
    witness.preimages = vec![preimage(1)];
    assert_eq!(check_nothing_left_over(0, &witness), Ok(()));
    witness.signatures.pop();
    assert_eq!(check_nothing_left_over(0, &witness), Ok(()), "what is missing is IN-06's matter");
}

/// A policy without keys that holds, with exactly the required branches revealed.
fn satisfiable() -> impl Strategy<Value = SpendingPolicy> {
    let leaf = prop_oneof![
        Just(SpendingPolicy::Preimage(preimage(1).hash())),
        (0u32..=20).prop_map(|height| SpendingPolicy::After(Height::new(height))),
        (0u32..=5).prop_map(SpendingPolicy::Older),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        (prop::collection::vec(inner, 1..4), prop::collection::vec(any::<[u8; 32]>(), 0..3)).prop_map(
            |(mut of, hidden)| {
                let required = u8::try_from(of.len()).expect("at most 3");
                of.extend(hidden.into_iter().map(|hash| SpendingPolicy::Opaque(LockHash::from_bytes(hash))));
                SpendingPolicy::Threshold { required, of }
            },
        )
    })
}

fn preimages_asked(policy: &SpendingPolicy) -> usize {
    match policy {
        SpendingPolicy::Preimage(_) => 1,
        SpendingPolicy::Threshold { of, .. } => of.iter().map(preimages_asked).sum(),
        _ => 0,
    }
}

proptest! {
    /// IN-06 and IN-07 are judged apart here and in one walk by the primitives: they must agree.
    #[test]
    fn satisfied_and_left_over_agree_with_the_walk(policy in satisfiable(), extra_signatures in 0usize..3, surplus in 0usize..3) {
        let asked = preimages_asked(&policy);
        let witness = Witness {
            signatures: vec![Signature::from_bytes([7; 64]); extra_signatures],
            preimages: vec![preimage(1); asked + surplus],
            policy,
        };
        let sighash = SigHash::from_bytes([1; 32]);
        let coin = coin(1, &witness.policy, 15);
        assert_eq!(check_policy_satisfied(0, &witness, &coin, &sighash, HEIGHT), Ok(()));
        let walk = witness.evaluate(&SpendContext { height: HEIGHT, coin_height: coin.height, sighash: &sighash });
        let expected = match walk {
            Err(SpendError::LeftOver { signatures, preimages }) => {
                Err(RuleError::WitnessLeftOver { input: 0, signatures, preimages })
            }
            other => other.map_err(|source| unsatisfied(0, source)),
        };
        assert_eq!(check_nothing_left_over(0, &witness), expected);
        assert_eq!(expected.is_ok(), extra_signatures + surplus == 0);
    }
}
