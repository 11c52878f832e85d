//! Every way a witness can be wrong, in a block on a chain: refused by its rule, and the honest block accepted afterwards.

use tally_consensus::error::RuleId;
use tally_node_core::chain::BlockFate;
use tally_node_core::testing::{TestChain, allocations, key, outputs_of, rich_key, spend};
use tally_primitives::hash::{BlockHash, LockHash};
use tally_primitives::spending::{Preimage, SpendingPolicy, Witness};
use tally_primitives::transaction::{CURRENT_VERSION, Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

use crate::{assert_same_as_fresh, height};

/// The height of the block that spends.
const SPENDING_HEIGHT: u32 = 4;
/// The height of the block that made the coin.
const COIN_HEIGHT: u32 = 2;

fn value() -> Amount {
    Amount::from_notches(1_000_000)
}

fn owner(number: u64) -> SpendingPolicy {
    SpendingPolicy::Key(key(number).public_key())
}

fn preimage(byte: u8) -> Preimage {
    Preimage::from_bytes([byte; 32])
}

fn hashed(byte: u8) -> SpendingPolicy {
    SpendingPolicy::Preimage(preimage(byte).hash())
}

fn threshold(required: u8, of: Vec<SpendingPolicy>) -> SpendingPolicy {
    SpendingPolicy::Threshold { required, of }
}

fn hidden(policy: &SpendingPolicy) -> SpendingPolicy {
    SpendingPolicy::Opaque(policy.hash())
}

/// A chain of three blocks; the second made a coin with this lock.
fn chain_with(lock: LockHash) -> (TestChain, (OutPoint, Output)) {
    let mut chain = TestChain::new();
    chain.mine(1, 0);
    let params = chain.chain.params().clone();
    let output = Output { value: value(), lock };
    let funding = spend(&params, &rich_key(), &allocations(&params)[..1], vec![output]);
    let block = chain.next().with(funding.clone()).build();
    chain.offer(&block).unwrap();
    assert_eq!(height(&chain), COIN_HEIGHT);
    chain.mine(1, 0);
    assert_eq!(height(&chain) + 1, SPENDING_HEIGHT);
    (chain, outputs_of(&funding)[0])
}

/// What the signatures of a spending are made over, and with which keys.
#[derive(Clone)]
struct Signing {
    keys: Vec<u64>,
    genesis: Option<BlockHash>,
    value: Amount,
}

impl Signing {
    fn by(keys: &[u64]) -> Self {
        Self { keys: keys.to_vec(), genesis: None, value: value() }
    }
}

/// Spends the coin with this policy revealed.
fn spending(
    chain: &TestChain,
    coin: &(OutPoint, Output),
    policy: &SpendingPolicy,
    signing: &Signing,
    preimages: &[u8],
) -> Transaction {
    let witness = Witness {
        policy: policy.clone(),
        signatures: Vec::new(),
        preimages: preimages.iter().copied().map(preimage).collect(),
    };
    let output = Output { value: Amount::from_notches(900_000), lock: owner(5).hash() };
    let inputs = vec![Input { outpoint: coin.0, witness }];
    let mut transaction = Transaction { version: CURRENT_VERSION, inputs, outputs: vec![output], memo: Vec::new() };
    let genesis = signing.genesis.unwrap_or(chain.chain.genesis_hash());
    let sighash = transaction.sighash(&genesis, &[Output { value: signing.value, ..coin.1 }]);
    transaction.inputs[0].witness.signatures = signing.keys.iter().map(|number| key(*number).sign(&sighash)).collect();
    transaction
}

struct Case {
    name: &'static str,
    lock: SpendingPolicy,
    revealed: SpendingPolicy,
    signing: Signing,
    preimages: Vec<u8>,
    broken: Option<RuleId>,
}

fn case(
    name: &'static str,
    policy: SpendingPolicy,
    keys: &[u64],
    preimages: &[u8],
    broken: impl Into<Option<RuleId>>,
) -> Case {
    let signing = Signing::by(keys);
    let (lock, revealed) = (policy.clone(), policy);
    Case { name, lock, revealed, signing, preimages: preimages.to_vec(), broken: broken.into() }
}

fn check(case: &Case) {
    let (mut chain, coin) = chain_with(case.lock.hash());
    let transaction = spending(&chain, &coin, &case.revealed, &case.signing, &case.preimages);
    let block = chain.next().with(transaction).build();
    let before = chain.chain.tip();
    match case.broken {
        None => {
            let outcome = chain.offer(&block).unwrap_or_else(|error| panic!("{}: {error}", case.name));
            assert_eq!(outcome.fate, BlockFate::Connected, "{}", case.name);
        }
        Some(rule) => {
            let error = chain.offer(&block).expect_err(case.name);
            assert_eq!(error.rule_id(), Some(rule), "{}: {error}", case.name);
            assert_eq!(chain.chain.tip(), before, "{}", case.name);
            let honest = chain.next().extra(1).build();
            assert_eq!(chain.offer(&honest).expect(case.name).fate, BlockFate::Connected);
        }
    }
    assert_same_as_fresh(&chain);
}

#[test]
fn policies() {
    let deep = (0..4).fold(owner(1), |inner, _| threshold(1, vec![inner]));
    let deep_enough = (0..3).fold(owner(1), |inner, _| threshold(1, vec![inner]));
    let leaves = |count: usize| vec![hidden(&owner(9)); count];
    let wide = |last: usize| {
        threshold(1, vec![threshold(1, leaves(14)), threshold(1, [vec![owner(1)], leaves(last)].concat())])
    };
    let two = || vec![owner(1), owner(2)];
    let one_of_two = || threshold(1, vec![owner(1), hidden(&owner(2))]);
    for case in [
        case("one key", owner(1), &[1], &[], None),
        Case { revealed: owner(2), ..case("another policy", owner(1), &[2], &[], RuleId::In04) },
        case("as deep as allowed", deep_enough, &[1], &[], None),
        case("too deep", deep, &[1], &[], RuleId::In05),
        case("too many nodes", wide(16), &[1], &[], RuleId::In05),
        case("threshold of none", threshold(0, vec![hidden(&owner(1))]), &[], &[], RuleId::In05),
        case("threshold above its children", threshold(3, two()), &[1, 2], &[], RuleId::In05),
        case("two of two", threshold(2, two()), &[1, 2], &[], None),
        case("two of two in the wrong order", threshold(2, two()), &[2, 1], &[], RuleId::In06),
        case("one of two, both revealed", threshold(1, two()), &[1, 2], &[], RuleId::In06),
        case("one of two, the other hidden", one_of_two(), &[1], &[], None),
        Case { lock: threshold(1, two()), ..case("hidden children hash alike", one_of_two(), &[1], &[], None) },
        Case { lock: owner(1), ..case("an opaque policy", hidden(&owner(1)), &[], &[], RuleId::In06) },
        case("two of two, one hidden", threshold(2, vec![owner(1), hidden(&owner(2))]), &[1], &[], RuleId::In06),
    ] {
        check(&case);
    }
}

#[test]
fn signatures_and_preimages() {
    let other_network = Signing { genesis: Some(BlockHash::from_bytes([3; 32])), ..Signing::by(&[1]) };
    let other_value = Signing { value: Amount::from_notches(999_999), ..Signing::by(&[1]) };
    let both = threshold(2, vec![owner(1), hashed(7)]);
    for case in [
        case("somebody else's signature", owner(1), &[2], &[], RuleId::In06),
        Case { signing: other_network, ..case("another network", owner(1), &[1], &[], RuleId::In06) },
        Case { signing: other_value, ..case("another value", owner(1), &[1], &[], RuleId::In06) },
        case("signature missing", owner(1), &[], &[], RuleId::In06),
        case("signature left over", owner(1), &[1, 1], &[], RuleId::In07),
        case("preimage left over", owner(1), &[1], &[7], RuleId::In07),
        case("preimage", hashed(7), &[], &[7], None),
        case("preimage wrong", hashed(7), &[], &[8], RuleId::In06),
        case("preimage missing", hashed(7), &[], &[], RuleId::In06),
        case("two preimages for one", hashed(7), &[], &[7, 7], RuleId::In07),
        case("signature and preimage", both.clone(), &[1], &[7], None),
        case("signature without preimage", both, &[1], &[], RuleId::In06),
    ] {
        check(&case);
    }
}

/// A lock that opens one block later is refused now and accepted then.
#[test]
fn time_locks() {
    let after = |height| SpendingPolicy::After(Height::new(height));
    for (name, lock, opens_at) in [
        ("absolute, open", after(SPENDING_HEIGHT), SPENDING_HEIGHT),
        ("absolute, one block early", after(SPENDING_HEIGHT + 1), SPENDING_HEIGHT + 1),
        ("relative, open", SpendingPolicy::Older(SPENDING_HEIGHT - COIN_HEIGHT), SPENDING_HEIGHT),
        ("relative, one block early", SpendingPolicy::Older(SPENDING_HEIGHT - COIN_HEIGHT + 1), SPENDING_HEIGHT + 1),
    ] {
        let (mut chain, coin) = chain_with(lock.hash());
        let transaction = spending(&chain, &coin, &lock, &Signing::by(&[]), &[]);
        if opens_at > SPENDING_HEIGHT {
            let early = chain.next().with(transaction.clone()).build();
            assert_eq!(chain.offer(&early).expect_err(name).rule_id(), Some(RuleId::In06), "{name}");
            chain.mine(opens_at - SPENDING_HEIGHT, 1);
        }
        let block = chain.next().with(transaction).build();
        assert_eq!(chain.offer(&block).expect(name).height, Height::new(opens_at), "{name}");
        assert_same_as_fresh(&chain);
    }
}

/// A signature that authorises one output does not authorise another.
#[test]
fn signature_for_another_output() {
    let (mut chain, coin) = chain_with(owner(1).hash());
    let honest = spending(&chain, &coin, &owner(1), &Signing::by(&[1]), &[]);
    let mut stolen = honest.clone();
    stolen.outputs[0].lock = owner(6).hash();
    let error = chain.offer(&chain.next().with(stolen).build()).unwrap_err();
    assert_eq!(error.rule_id(), Some(RuleId::In06));
    let block = chain.next().with(honest).build();
    assert_eq!(chain.offer(&block).unwrap().fate, BlockFate::Connected);
    assert_same_as_fresh(&chain);
}
