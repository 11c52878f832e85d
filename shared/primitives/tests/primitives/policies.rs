//! Spending policies: a table of named scenarios for their evaluation, their limits, and the hiding of branches.

use proptest::prelude::{any, proptest};
use tally_primitives::hash::{LockHash, SigHash};
use tally_primitives::keys::{SecretKey, Signature};
use tally_primitives::spending::{
    MAX_CHILDREN, MAX_DEPTH, MAX_NODES, PolicyLimitError, Preimage, SpendContext, SpendError, SpendingPolicy, Witness,
};
use tally_primitives::units::Height;

use crate::strategies;

/// The tests spend in block 100 a coin of block 90.
const HEIGHT: u32 = 100;
const COIN_HEIGHT: u32 = 90;

fn sighash() -> SigHash {
    SigHash::from_bytes([5; 32])
}

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_bytes(&[seed; 32]).expect("in range")
}

fn key(seed: u8) -> SpendingPolicy {
    SpendingPolicy::Key(secret(seed).public_key())
}

fn preimage(seed: u8) -> SpendingPolicy {
    SpendingPolicy::Preimage(Preimage::from_bytes([seed; 32]).hash())
}

fn after(height: u32) -> SpendingPolicy {
    SpendingPolicy::After(Height::new(height))
}

fn older(blocks: u32) -> SpendingPolicy {
    SpendingPolicy::Older(blocks)
}

fn threshold(required: u8, of: Vec<SpendingPolicy>) -> SpendingPolicy {
    SpendingPolicy::Threshold { required, of }
}

fn hidden(policy: &SpendingPolicy) -> SpendingPolicy {
    SpendingPolicy::Opaque(policy.hash())
}

/// Evaluates a policy with signatures of these keys and these preimages, in this order.
fn evaluate(policy: SpendingPolicy, keys: &[u8], preimages: &[u8]) -> Result<(), SpendError> {
    let witness = Witness {
        policy,
        signatures: keys.iter().map(|seed| secret(*seed).sign(&sighash())).collect(),
        preimages: preimages.iter().map(|seed| Preimage::from_bytes([*seed; 32])).collect(),
    };
    let (height, coin_height) = (Height::new(HEIGHT), Height::new(COIN_HEIGHT));
    witness.evaluate(&SpendContext { height, coin_height, sighash: &sighash() })
}

struct Scenario {
    name: &'static str,
    policy: SpendingPolicy,
    keys: &'static [u8],
    preimages: &'static [u8],
    expected: Result<(), SpendError>,
}

fn run(scenarios: Vec<Scenario>) {
    for Scenario { name, policy, keys, preimages, expected } in scenarios {
        assert_eq!(evaluate(policy, keys, preimages), expected, "{name}");
    }
}

/// A scenario, shorter to write.
fn case(
    name: &'static str,
    policy: SpendingPolicy,
    keys: &'static [u8],
    preimages: &'static [u8],
    expected: Result<(), SpendError>,
) -> Scenario {
    Scenario { name, policy, keys, preimages, expected }
}

fn left(signatures: usize, preimages: usize) -> Result<(), SpendError> {
    Err(SpendError::LeftOver { signatures, preimages })
}

#[test]
fn single_conditions() {
    use SpendError::{MissingPreimage, MissingSignature, WrongPreimage, WrongSignature};
    let (height, coin_height) = (Height::new(HEIGHT), Height::new(COIN_HEIGHT));
    let early = |until| Err(SpendError::TooEarly { until: Height::new(until), height });
    let young = |blocks| Err(SpendError::TooYoung { blocks, coin_height, height });
    run(vec![
        case("key, signed", key(1), &[1], &[], Ok(())),
        case("key, not signed", key(1), &[], &[], Err(MissingSignature { index: 0 })),
        case("key, signed by another", key(1), &[2], &[], Err(WrongSignature { index: 0 })),
        case("key, signed twice", key(1), &[1, 1], &[], left(1, 0)),
        case("key, preimage instead", key(1), &[], &[1], Err(MissingSignature { index: 0 })),
        case("preimage, shown", preimage(1), &[], &[1], Ok(())),
        case("preimage, not shown", preimage(1), &[], &[], Err(MissingPreimage { index: 0 })),
        case("preimage, another shown", preimage(1), &[], &[2], Err(WrongPreimage { index: 0 })),
        case("preimage, shown twice", preimage(1), &[], &[1, 1], left(0, 1)),
        case("preimage, signature besides", preimage(1), &[1], &[1], left(1, 0)),
        case("after, one block early", after(101), &[], &[], early(101)),
        case("after, at its height", after(100), &[], &[], Ok(())),
        case("after, later", after(99), &[], &[], Ok(())),
        case("after, for ever", after(u32::MAX), &[], &[], early(u32::MAX)),
        case("after, with a signature", after(1), &[1], &[], left(1, 0)),
        case("older, one block early", older(11), &[], &[], young(11)),
        case("older, at its height", older(10), &[], &[], Ok(())),
        case("older, at once", older(0), &[], &[], Ok(())),
        case("older, beyond all heights", older(u32::MAX), &[], &[], young(u32::MAX)),
        case("opaque", hidden(&key(1)), &[1], &[], Err(SpendError::Opaque)),
    ]);
}

#[test]
fn thresholds() {
    use SpendError::{MissingSignature, WrongSignature};
    let branches = |required, revealed| Err(SpendError::WrongNumberOfBranches { required, revealed });
    let two_of = |of| threshold(2, of);
    run(vec![
        case("one of one", threshold(1, vec![key(1)]), &[1], &[], Ok(())),
        case("both of two", two_of(vec![key(1), key(2)]), &[1, 2], &[], Ok(())),
        case("both of two, other order", two_of(vec![key(1), key(2)]), &[2, 1], &[], Err(WrongSignature { index: 0 })),
        case("both of two, one signs", two_of(vec![key(1), key(2)]), &[1], &[], Err(MissingSignature { index: 1 })),
        case("both of two, one signs twice", two_of(vec![key(1), key(2)]), &[1, 1], &[], {
            Err(WrongSignature { index: 1 })
        }),
        case("two of three, last hidden", two_of(vec![key(1), key(2), hidden(&key(3))]), &[1, 2], &[], Ok(())),
        case("two of three, first hidden", two_of(vec![hidden(&key(1)), key(2), key(3)]), &[2, 3], &[], Ok(())),
        case("two of three, all revealed", two_of(vec![key(1), key(2), key(3)]), &[1, 2, 3], &[], branches(2, 3)),
        case(
            "two of three, all revealed, two sign",
            two_of(vec![key(1), key(2), key(3)]),
            &[1, 2],
            &[],
            branches(2, 3),
        ),
        case("two of three, one revealed", two_of(vec![key(1), hidden(&key(2)), hidden(&key(3))]), &[1], &[], {
            branches(2, 1)
        }),
        case("all hidden", threshold(1, vec![hidden(&key(1)), hidden(&key(2))]), &[], &[], branches(1, 0)),
        case("none required, one revealed", threshold(0, vec![key(1)]), &[1], &[], branches(0, 1)),
        case("a branch that fails is not made good by another", threshold(1, vec![key(1), older(0)]), &[], &[], {
            branches(1, 2)
        }),
        case("left over after all", two_of(vec![key(1), preimage(1)]), &[1, 1], &[1, 1], left(1, 1)),
    ]);
}

#[test]
fn nested_policies() {
    use SpendError::{MissingSignature, WrongPreimage, WrongSignature};
    // An atomic swap: Bob with the secret, or Alice once the time is up.
    let swap = |first: SpendingPolicy, second: SpendingPolicy| threshold(1, vec![first, second]);
    let bob = || threshold(2, vec![key(2), preimage(9)]);
    let alice = |until| threshold(2, vec![key(1), after(until)]);
    // An inheritance: two of three, or after ten blocks one of them.
    let together = || threshold(2, vec![key(1), key(2), hidden(&key(3))]);
    let alone =
        |blocks| threshold(2, vec![threshold(1, vec![hidden(&key(1)), hidden(&key(2)), key(3)]), older(blocks)]);
    let too_early = SpendError::TooEarly { until: Height::new(101), height: Height::new(HEIGHT) };
    run(vec![
        case("swap, Bob knows the secret", swap(bob(), hidden(&alice(101))), &[2], &[9], Ok(())),
        case("swap, Bob guesses", swap(bob(), hidden(&alice(101))), &[2], &[8], Err(WrongPreimage { index: 0 })),
        case("swap, Alice too early", swap(hidden(&bob()), alice(101)), &[1], &[], Err(too_early)),
        case("swap, Alice in time", swap(hidden(&bob()), alice(100)), &[1], &[], Ok(())),
        case("swap, somebody else", swap(hidden(&bob()), alice(100)), &[3], &[], Err(WrongSignature { index: 0 })),
        case("inheritance, two together", threshold(1, vec![together(), hidden(&alone(10))]), &[1, 2], &[], Ok(())),
        case("inheritance, one alone in time", threshold(1, vec![hidden(&together()), alone(10)]), &[3], &[], Ok(())),
        case("inheritance, one alone too early", threshold(1, vec![hidden(&together()), alone(11)]), &[3], &[], {
            Err(SpendError::TooYoung { blocks: 11, coin_height: Height::new(COIN_HEIGHT), height: Height::new(HEIGHT) })
        }),
        case(
            "signatures are used depth first",
            threshold(3, vec![threshold(2, vec![key(1), key(2)]), key(3), threshold(1, vec![key(4)])]),
            &[1, 2, 3, 4],
            &[],
            Ok(()),
        ),
        case(
            "signatures of branches in the wrong order",
            threshold(2, vec![threshold(1, vec![key(1)]), key(2)]),
            &[2, 1],
            &[],
            Err(WrongSignature { index: 0 }),
        ),
        case(
            "the last one of many is missing",
            threshold(2, vec![threshold(2, vec![key(1), key(2)]), key(3)]),
            &[1, 2],
            &[],
            Err(MissingSignature { index: 2 }),
        ),
        case(
            "preimages and signatures are counted apart",
            threshold(4, vec![preimage(7), key(1), preimage(8), key(2)]),
            &[1, 2],
            &[7, 8],
            Ok(()),
        ),
        case(
            "a hidden branch deep inside",
            threshold(1, vec![threshold(1, vec![threshold(1, vec![hidden(&key(1)), key(2)])])]),
            &[2],
            &[],
            Ok(()),
        ),
    ]);
}

#[test]
fn a_signature_is_for_its_message_only() {
    let witness = Witness { policy: key(1), signatures: vec![secret(1).sign(&sighash())], preimages: vec![] };
    let other = SigHash::from_bytes([6; 32]);
    let context = SpendContext { height: Height::new(1), coin_height: Height::new(1), sighash: &other };
    assert_eq!(witness.evaluate(&context), Err(SpendError::WrongSignature { index: 0 }));
}

#[test]
fn limits_hold_exactly() {
    let nested = |levels: usize| (1..levels).fold(key(1), |child, _| threshold(1, vec![child]));
    // A root, 15 hidden branches, and one threshold of so many leaves: 17 + leaves nodes.
    let nodes = |nodes: usize| {
        let mut of = vec![hidden(&key(1)); 15];
        of.push(threshold(1, vec![older(0); nodes - 17]));
        threshold(1, of)
    };
    let wide = |children: usize| threshold(1, vec![older(0); children]);
    let range = |required, children| Err(PolicyLimitError::RequiredOutOfRange { required, children });
    let cases = [
        ("depth at the limit", nested(MAX_DEPTH), Ok(())),
        ("depth one over", nested(MAX_DEPTH + 1), Err(PolicyLimitError::TooDeep { max: 4 })),
        ("nodes at the limit", nodes(MAX_NODES), Ok(())),
        ("nodes one over", nodes(MAX_NODES + 1), Err(PolicyLimitError::TooManyNodes { max: 32 })),
        ("children at the limit", wide(MAX_CHILDREN), Ok(())),
        ("children one over", wide(MAX_CHILDREN + 1), Err(PolicyLimitError::TooManyChildren { children: 17, max: 16 })),
        ("all required", threshold(2, vec![key(1), key(2)]), Ok(())),
        ("one required more", threshold(3, vec![key(1), key(2)]), range(3, 2)),
        ("the most that can be required", threshold(255, vec![key(1)]), range(255, 1)),
        ("none required", threshold(0, vec![key(1)]), range(0, 1)),
        ("no children", threshold(0, vec![]), range(0, 0)),
        ("no children, one required", threshold(1, vec![]), range(1, 0)),
        (
            "a fault deep inside",
            threshold(1, vec![older(0), threshold(1, vec![threshold(2, vec![key(1)])])]),
            range(2, 1),
        ),
        ("hidden branches count as nodes", nodes(MAX_NODES), Ok(())),
    ];
    for (name, policy, expected) in cases {
        assert_eq!(policy.check_limits(), expected, "{name}");
    }
    assert_eq!((MAX_DEPTH, MAX_NODES, MAX_CHILDREN), (4, 32, 16), "SPEC section 3");
}

/// The policy with every branch hidden that `choose` picks, by its number in a depth-first walk; never the root.
fn hide(policy: &SpendingPolicy, number: &mut u32, choose: u64) -> SpendingPolicy {
    let SpendingPolicy::Threshold { required, of } = policy else {
        return policy.clone();
    };
    let of = of.iter().map(|child| {
        *number += 1;
        if choose >> (*number % 64) & 1 == 1 { hidden(child) } else { hide(child, number, choose) }
    });
    threshold(*required, of.collect())
}

proptest! {
    #[test]
    fn hiding_any_branches_keeps_the_hash(policy in strategies::policy(), choose in any::<u64>()) {
        assert_eq!(hide(&policy, &mut 0, choose).hash(), policy.hash());
        assert_eq!(hidden(&policy).hash(), policy.hash());
    }

    #[test]
    fn any_other_change_changes_the_hash(policy in strategies::policy(), other in strategies::policy()) {
        let both = |first: &SpendingPolicy, second: &SpendingPolicy| vec![first.clone(), second.clone()];
        let before = threshold(1, both(&policy, &other));
        assert_ne!(threshold(2, both(&policy, &other)).hash(), before.hash(), "required");
        if policy.hash() != other.hash() {
            assert_ne!(threshold(1, both(&other, &policy)).hash(), before.hash(), "order");
            assert_ne!(policy, other);
        }
        assert_ne!(threshold(1, vec![policy.clone()]).hash(), policy.hash(), "a threshold of one is not its branch");
        assert_ne!(threshold(1, vec![policy]).hash(), before.hash(), "number of children");
    }

    /// No witness makes evaluation panic, within limits or not.
    #[test]
    fn arbitrary_witnesses_never_panic(witness in strategies::witness(), height in any::<u32>(), coin_height in any::<u32>()) {
        let sighash = sighash();
        let context = SpendContext { height: Height::new(height), coin_height: Height::new(coin_height), sighash: &sighash };
        if witness.evaluate(&context).is_ok() {
            assert!(witness.signatures.is_empty(), "nobody signs by chance");
        }
        let _verdict = witness.policy.check_limits();
    }
}

#[test]
fn kinds_with_the_same_bytes_have_different_hashes() {
    let bytes = [7; 32];
    let number = 7;
    let hashes = [
        SpendingPolicy::Key(tally_primitives::keys::PublicKey::from_bytes(bytes)).hash(),
        SpendingPolicy::Preimage(tally_primitives::hash::PreimageHash::from_bytes(bytes)).hash(),
        SpendingPolicy::Opaque(LockHash::from_bytes(bytes)).hash(),
        after(number).hash(),
        older(number).hash(),
    ];
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
    assert_eq!(hashes[2].to_bytes(), bytes, "an opaque branch hashes to itself");
}

#[test]
fn a_signature_of_zeros_satisfies_nothing() {
    let witness = Witness { policy: key(1), signatures: vec![Signature::from_bytes([0; 64])], preimages: vec![] };
    let sighash = sighash();
    let context = SpendContext { height: Height::new(1), coin_height: Height::new(1), sighash: &sighash };
    assert_eq!(witness.evaluate(&context), Err(SpendError::WrongSignature { index: 0 }));
}
