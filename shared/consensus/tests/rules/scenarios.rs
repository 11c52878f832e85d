//! Named scenarios: a whole block that breaks one rule, judged as a chain would judge it, and the honest block of the
//! same height, which must still be acceptable afterwards.

use tally_consensus::header::ParentInfo;
use tally_consensus::inputs::{InputContext, check_inputs};
use tally_consensus::subsidy::subsidy;
use tally_consensus::{RuleError, RuleId};
use tally_primitives::block::Block;
use tally_primitives::hash::{BlockHash, LockHash};
use tally_primitives::params::Params;
use tally_primitives::pow::CompactTarget;
use tally_primitives::spending::SpendingPolicy;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Amount, Height, Timestamp};

use crate::support::{
    HEIGHT, TIME, block, coin, coinbase, context, header, input, key, outpoint, output, params, preimage, signature,
    sized, threshold, transaction, transactions,
};
use crate::world::{World, child, pay, with, with_header};

type Make = fn(&mut World) -> Block;

/// Judges each block in a world of its own; `None` means that it must be accepted.
fn judge_all(scenarios: &[(&str, Option<RuleId>, Make)]) {
    for (name, expected, make) in scenarios {
        let mut world = World::new();
        let block = make(&mut world);
        let verdict = world.judge(&block);
        assert_eq!(verdict.as_ref().err().map(RuleError::rule_id), *expected, "{name}: {verdict:?}");
        let honest = world.honest();
        if let Err(error) = &verdict {
            assert!(
                !(error.is_permanent() && block.hash() == honest.hash()),
                "{name}: condemns the honest block's hash"
            );
        }
        world.context = context();
        assert_eq!(world.judge(&honest), Ok(()), "{name}: the honest block of the same height");
    }
}

#[test]
fn headers() {
    judge_all(&[
        ("nothing wrong", None, |world| world.honest()),
        ("work not met", Some(RuleId::Hdr01), |world| {
            let mut block = world.honest();
            while world.context.limit.is_met_by(&block.hash()) {
                block.header.nonce += 1;
            }
            block
        }),
        ("no acceptable bits", Some(RuleId::Hdr02), |world| {
            with_header(world.honest(), |header| header.bits = CompactTarget::from_bits(0x2100_8000))
        }),
        ("wrong bits", Some(RuleId::Hdr03), |world| {
            let mut block = world.honest();
            block.header.bits = CompactTarget::from_bits(0x2060_0000);
            while block.header.bits.to_target().is_ok_and(|target| !target.is_met_by(&block.hash())) {
                block.header.nonce += 1;
            }
            block
        }),
        ("unknown parent", Some(RuleId::Hdr04), |world| {
            with_header(world.honest(), |header| header.prev_block = BlockHash::ZERO)
        }),
        ("invalid parent", Some(RuleId::Hdr04), |world| {
            world.context.parent = Some(ParentInfo { hash: header().prev_block, invalid: true });
            with(vec![world.spend(&[2], vec![output(90)])])
        }),
        ("time at the median", Some(RuleId::Hdr05), |world| {
            with_header(world.honest(), |header| header.time = TIME - 1)
        }),
        ("time before the median", Some(RuleId::Hdr05), |world| {
            with_header(world.honest(), |header| header.time = TIME - 2)
        }),
        ("time too far ahead", Some(RuleId::Hdr06), |world| {
            with_header(world.honest(), |header| header.time = TIME + 7_201)
        }),
        ("time two hours ahead", None, |world| with_header(world.honest(), |header| header.time = TIME + 7_200)),
        ("version bits wrong", Some(RuleId::Hdr07), |world| {
            with_header(world.honest(), |header| header.version = 0x4000_0000)
        }),
        ("version bits rolled", None, |world| with_header(world.honest(), |header| header.version = 0x3fff_e000)),
    ]);
}

#[test]
fn a_block_too_far_ahead_is_accepted_later() {
    let mut world = World::new();
    let early = with_header(world.honest(), |header| header.time = TIME + 7_201);
    let error = world.judge(&early).unwrap_err();
    assert_eq!(error.rule_id(), RuleId::Hdr06);
    assert!(!error.is_permanent());
    world.context.now = Timestamp::from_seconds(TIME + 1);
    assert_eq!(world.judge(&early), Ok(()));
}

#[test]
fn bodies() {
    judge_all(&[
        ("no transaction", Some(RuleId::Blk01), |_| block(vec![])),
        ("first not coinbase", Some(RuleId::Blk01), |world| block(vec![world.spend(&[1], vec![output(90)])])),
        ("second coinbase", Some(RuleId::Blk01), |_| with(vec![coinbase(HEIGHT, 2)])),
        ("memo too short", Some(RuleId::Tx04), |_| {
            let mut short = coinbase(HEIGHT, 1);
            short.memo.truncate(7);
            block(vec![short])
        }),
        ("memo too long", Some(RuleId::Tx04), |_| {
            block(vec![Transaction::coinbase(HEIGHT, &[0; 93], vec![output(1)])])
        }),
        ("memo of a payment too long", Some(RuleId::Tx04), |world| {
            let mut wordy = world.spend(&[1], vec![output(90)]);
            wordy.memo = vec![0; 81];
            with(vec![wordy])
        }),
        ("memo with the wrong height", Some(RuleId::Blk05), |_| block(vec![coinbase(HEIGHT.next(), 1)])),
        ("wrong Merkle root", Some(RuleId::Blk02), |world| {
            let mut block = world.honest();
            block.transactions[1].memo = b"changed".to_vec();
            block
        }),
        ("last transaction duplicated", Some(RuleId::Blk03), |_| repeat_last(transactions(3), 1)),
        ("last two transactions duplicated", Some(RuleId::Blk03), |_| repeat_last(transactions(6), 2)),
        ("last four transactions duplicated", Some(RuleId::Blk03), |_| repeat_last(transactions(12), 4)),
        ("one byte over the size limit", Some(RuleId::Blk04), |_| sized(1_000_001)),
        ("at the size limit", None, |_| sized(1_000_000)),
        ("subsidy one notch too high", Some(RuleId::Blk06), |world| {
            let allowed = subsidy(&world.params, HEIGHT).to_notches();
            block(vec![coinbase(HEIGHT, allowed + 1)])
        }),
        ("subsidy and fees one notch too high", Some(RuleId::Blk06), |world| {
            let allowed = subsidy(&world.params, HEIGHT).to_notches() + 10;
            block(vec![coinbase(HEIGHT, allowed + 1), world.spend(&[1], vec![output(90)])])
        }),
        ("subsidy and fees claimed to the last notch", None, |world| {
            let allowed = subsidy(&world.params, HEIGHT).to_notches() + 10;
            block(vec![coinbase(HEIGHT, allowed), world.spend(&[1], vec![output(90)])])
        }),
    ]);
}

/// A block whose last transactions are repeated: the header is still that of the honest list.
fn repeat_last(list: Vec<Transaction>, repeated: usize) -> Block {
    let mut block = block(list);
    block.transactions.extend_from_within(block.transactions.len() - repeated..);
    block
}

#[test]
fn amounts() {
    const MAX: u64 = Amount::MAX_SUPPLY.to_notches();
    judge_all(&[
        ("no output", Some(RuleId::Tx01), |world| with(vec![world.spend(&[1], vec![])])),
        ("output zero", Some(RuleId::Tx02), |world| with(vec![world.spend(&[1], vec![output(90), output(0)])])),
        ("output over the maximum", Some(RuleId::Tx02), |world| with(vec![world.spend(&[1], vec![output(MAX + 1)])])),
        ("sum over the maximum", Some(RuleId::Tx02), |world| {
            with(vec![world.spend(&[1], vec![output(MAX), output(1)])])
        }),
        ("sum overflowing", Some(RuleId::Tx02), |world| {
            with(vec![world.spend(&[1], vec![output(1 << 63), output(1 << 63)])])
        }),
        ("inputs one notch less than outputs", Some(RuleId::In03), |world| {
            with(vec![world.spend(&[1, 2], vec![output(201)])])
        }),
        ("inputs equal to outputs", None, |world| with(vec![world.spend(&[1, 2], vec![output(200)])])),
    ]);
}

#[test]
fn coins() {
    judge_all(&[
        ("same input twice in a transaction", Some(RuleId::Tx03), |world| {
            with(vec![world.spend(&[1, 1], vec![output(90)])])
        }),
        ("same input in two transactions of a block", Some(RuleId::In01), |world| {
            with(vec![world.spend(&[1], vec![output(90)]), world.spend(&[1], vec![output(80)])])
        }),
        ("a coin that never was", Some(RuleId::In01), |world| with(vec![world.spend(&[77], vec![output(1)])])),
        ("index out of range", Some(RuleId::In01), |world| {
            let mut beyond = world.spend(&[1], vec![output(90)]);
            beyond.inputs[0].outpoint.index = 1;
            with(vec![beyond])
        }),
        ("spent within the same block in order", None, |world| {
            let parent = world.spend(&[1], vec![pay(5, 90)]);
            let child = child(world, &parent, 5);
            with(vec![parent, child])
        }),
        ("input from a later transaction of the block", Some(RuleId::In01), |world| {
            let parent = world.spend(&[1], vec![pay(5, 90)]);
            let child = child(world, &parent, 5);
            with(vec![child, parent])
        }),
        ("the block's own coinbase", Some(RuleId::In01), |world| {
            let mined = Transaction::coinbase(HEIGHT, b"", vec![pay(5, 10)]);
            let child = child(world, &mined, 5);
            block(vec![mined, child])
        }),
        ("coinbase one block too young", Some(RuleId::In02), |world| with(vec![world.spend(&[4], vec![output(90)])])),
        ("coinbase just matured", None, |world| with(vec![world.spend(&[3], vec![output(90)])])),
    ]);
}

#[test]
fn policies() {
    judge_all(&[
        ("policy with the wrong hash", Some(RuleId::In04), |world| world.reveal(&key(1), &key(2), &[2], &[])),
        ("too deep", Some(RuleId::In05), |world| {
            let deep = (1..5).fold(key(1), |child, _| threshold(1, vec![child]));
            world.open(&deep, &[1], &[])
        }),
        ("as deep as allowed", None, |world| {
            let deep = (1..4).fold(key(1), |child, _| threshold(1, vec![child]));
            world.open(&deep, &[1], &[])
        }),
        ("too many nodes", Some(RuleId::In05), |world| {
            let hidden = || SpendingPolicy::Opaque(LockHash::ZERO);
            let half = |opened| threshold(1, std::iter::once(opened).chain((0..15).map(|_| hidden())).collect());
            world.open(&half(half(key(1))), &[1], &[])
        }),
        ("threshold zero", Some(RuleId::In05), |world| world.open(&threshold(0, vec![key(1)]), &[], &[])),
        ("threshold above its children", Some(RuleId::In05), |world| {
            world.open(&threshold(2, vec![key(1)]), &[1], &[])
        }),
        ("more revealed branches than required", Some(RuleId::In06), |world| {
            world.open(&threshold(1, vec![key(1), key(2)]), &[1, 2], &[])
        }),
        ("exactly the required branch revealed", None, |world| {
            let locked = threshold(1, vec![key(1), key(2)]);
            let revealed = threshold(1, vec![SpendingPolicy::Opaque(key(1).hash()), key(2)]);
            world.reveal(&locked, &revealed, &[2], &[])
        }),
        ("an opaque branch claimed", Some(RuleId::In06), |world| {
            let locked = threshold(1, vec![key(1), key(2)]);
            let hidden = [1, 2].map(|seed| SpendingPolicy::Opaque(key(seed).hash())).to_vec();
            world.reveal(&locked, &threshold(1, hidden), &[], &[])
        }),
        ("the whole policy opaque", Some(RuleId::In06), |world| {
            world.reveal(&key(1), &SpendingPolicy::Opaque(key(1).hash()), &[], &[])
        }),
        ("absolute lock one block early", Some(RuleId::In06), |world| {
            world.open(&SpendingPolicy::After(HEIGHT.next()), &[], &[])
        }),
        ("absolute lock one block later", None, |world| world.open(&SpendingPolicy::After(HEIGHT), &[], &[])),
        ("relative lock one block early", Some(RuleId::In06), |world| world.open(&SpendingPolicy::Older(6), &[], &[])),
        ("relative lock one block later", None, |world| world.open(&SpendingPolicy::Older(5), &[], &[])),
    ]);
}

#[test]
fn witnesses() {
    judge_all(&[
        ("signature wrong", Some(RuleId::In06), |world| world.open(&key(1), &[2], &[])),
        ("signature missing", Some(RuleId::In06), |world| world.open(&key(1), &[], &[])),
        ("signature left over", Some(RuleId::In07), |world| world.open(&key(1), &[1, 1], &[])),
        ("signatures in the wrong order", Some(RuleId::In06), |world| {
            world.open(&threshold(2, vec![key(1), key(2)]), &[2, 1], &[])
        }),
        ("signatures in order", None, |world| world.open(&threshold(2, vec![key(1), key(2)]), &[1, 2], &[])),
        ("signature for another network", Some(RuleId::In06), |world| {
            let here = std::mem::replace(&mut world.genesis, Params::testnet().genesis_hash());
            let block = world.open(&key(1), &[1], &[]);
            world.genesis = here;
            block
        }),
        ("signature for another output", Some(RuleId::In06), |world| {
            let mut other = world.spend(&[1], vec![output(90)]);
            other.outputs = vec![pay(66, 90)];
            with(vec![other])
        }),
        ("preimage wrong", Some(RuleId::In06), |world| {
            world.open(&SpendingPolicy::Preimage(preimage(1).hash()), &[], &[2])
        }),
        ("preimage missing", Some(RuleId::In06), |world| {
            world.open(&SpendingPolicy::Preimage(preimage(1).hash()), &[], &[])
        }),
        ("preimage left over", Some(RuleId::In07), |world| {
            world.open(&SpendingPolicy::Preimage(preimage(1).hash()), &[], &[1, 1])
        }),
        ("preimage where none is asked for", Some(RuleId::In07), |world| world.open(&key(1), &[1], &[1])),
        ("preimage right", None, |world| world.open(&SpendingPolicy::Preimage(preimage(1).hash()), &[], &[1])),
        ("everything at once", None, |world| {
            let secret = SpendingPolicy::Preimage(preimage(1).hash());
            let locks = threshold(2, vec![SpendingPolicy::After(HEIGHT), SpendingPolicy::Older(5)]);
            let policy = threshold(4, vec![key(1), secret, locks, key(2), SpendingPolicy::Opaque(LockHash::ZERO)]);
            world.open(&policy, &[1, 2], &[1])
        }),
    ]);
}

#[test]
fn genesis_allocations_are_spendable_in_the_first_block() {
    let allocated = coin(100, &key(1), 0);
    let first = InputContext { height: Height::new(1), coinbase_maturity: 100, genesis: params().genesis_hash() };
    let mut spending = transaction(vec![input(outpoint(1), &key(1))], vec![output(100)]);
    spending.inputs[0].witness.signatures = vec![signature(1, &spending, &[allocated], &first.genesis)];
    assert_eq!(check_inputs(&spending, &[allocated], &first), Ok(Amount::ZERO));
}
