//! The table of misbehaviour: what ends a connection and discourages the address, what only ends it, and what is tolerated.

use std::sync::Arc;

use tally_node_core::chain::store::BlockStatus;
use tally_node_core::net::disconnect::DisconnectReason;
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{BlockHash, MerkleRoot, Txid, Wtxid};
use tally_primitives::pow::CompactTarget;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Amount, Height};
use tally_wire::{FrameError, InventoryItem, Message, MessageKind};

use crate::bench::{Bench, block, header, headers};

/// What becomes of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Tolerated,
    Disconnected,
    Discouraged,
}

use Verdict::{Disconnected, Discouraged, Tolerated};

fn next_block(bench: &Bench) -> BlockBuilder {
    BlockBuilder::on(&testing::params(), &bench.genesis().header, Height::GENESIS)
}

/// A block whose header breaks a rule in the way that `spoil` says, with its work done all the same.
fn spoilt_header(bench: &Bench, spoil: impl Fn(&mut Header)) -> Block {
    let mut block = next_block(bench).build();
    spoil(&mut block.header);
    testing::grind(&mut block.header);
    block
}

/// The block with a nonce that does not meet its target.
fn without_work(mut block: Block) -> Block {
    let target = block.header.bits.to_target().expect("a target");
    while target.is_met_by(&block.header.hash()) {
        block.header.nonce = block.header.nonce.wrapping_add(1);
    }
    block
}

/// A block with a parent that nobody knows.
fn without_parent(bench: &Bench) -> Block {
    spoilt_header(bench, |header| header.prev_block = BlockHash::from_bytes([5; 32]))
}

fn in_the_future(bench: &Bench) -> Block {
    next_block(bench).time(bench.now.as_seconds() + 7_300).build()
}

/// A block whose list of transactions has the root of a shorter one.
fn mutated(bench: &Bench) -> Block {
    let mut block = next_block(bench).with(payment(1_000)).with(payment(2_000)).build();
    let repeated = block.transactions[2].clone();
    block.transactions.push(repeated);
    testing::sealed(block)
}

fn bits(bits: u32) -> CompactTarget {
    CompactTarget::from_bits(bits)
}

fn unsigned() -> Transaction {
    spoilt_payment(|transaction| transaction.inputs[0].witness.signatures.clear())
}

fn payment(fee: u64) -> Transaction {
    let params = testing::params();
    testing::pay_on(&params, &testing::allocations(&params)[0], fee)
}

fn spoilt_payment(spoil: impl Fn(&mut Transaction)) -> Transaction {
    let mut transaction = payment(1_000);
    spoil(&mut transaction);
    transaction
}

/// A payment that breaks a rule but carries good signatures.
fn signed_again(spoil: impl Fn(&mut Transaction)) -> Transaction {
    let params = testing::params();
    let mut transaction = spoilt_payment(spoil);
    testing::sign(&params, &testing::rich_key(), &testing::allocations(&params)[..1], &mut transaction);
    transaction
}

fn transaction(transaction: Transaction) -> Message {
    Message::Transaction(Arc::new(transaction))
}

fn check(name: &str, messages: impl Fn(&Bench) -> Vec<Message>, expected: Verdict) {
    let mut bench = Bench::new();
    let sender = bench.peer();
    for message in messages(&bench) {
        bench.receive(sender, message);
    }
    assert_eq!(verdict(&mut bench, sender), expected, "{name}: {:?}", bench.reason(sender));
    // Whatever it was, an honest peer's next block is taken.
    let honest = bench.peer();
    let good = next_block(&bench).extra(77).build();
    bench.receive(honest, block(&good));
    assert_eq!(bench.height(), 1, "{name}: the honest block");
}

/// Looks what became of a peer, and whether its address is avoided now.
fn verdict(bench: &mut Bench, sender: PeerId) -> Verdict {
    let was_dropped = bench.reason(sender).is_some();
    let again = bench.connect_at(Direction::Inbound, "10.0.0.1:4000".parse().expect("an address"));
    let is_avoided = bench.reason(again) == Some(&DisconnectReason::Discouraged);
    match (was_dropped, is_avoided) {
        (false, false) => Tolerated,
        (true, false) => Disconnected,
        (true, true) => Discouraged,
        (false, true) => panic!("avoided, but not disconnected"),
    }
}

type Case = (&'static str, fn(&Bench) -> Message, Verdict);

#[test]
fn headers_of_all_kinds() {
    let cases: [Case; 11] = [
        ("honest", |b| header(&next_block(b).build()), Tolerated),
        ("none at all", |_| headers(&[]), Tolerated),
        ("not linked", |b| headers(&[next_block(b).build(), next_block(b).build()]), Discouraged),
        ("without work", |b| header(&without_work(next_block(b).build())), Discouraged),
        ("with an unknown parent", |b| header(&without_parent(b)), Tolerated),
        ("with an unknown parent and without work", |b| header(&without_work(without_parent(b))), Discouraged),
        ("with bits that are too easy", |b| header(&spoilt_header(b, |h| h.bits = bits(0x2100_ffff))), Discouraged),
        ("with bits that are too hard", |b| header(&spoilt_header(b, |h| h.bits = bits(0x207f_fffe))), Discouraged),
        ("with a wrong version", |b| header(&spoilt_header(b, |h| h.version = 1)), Discouraged),
        ("older than the median", |b| header(&next_block(b).time(b.genesis().header.time).build()), Discouraged),
        ("too far in the future", |b| header(&in_the_future(b)), Tolerated),
    ];
    for (name, message, expected) in cases {
        check(name, |bench| vec![message(bench)], expected);
    }
}

#[test]
fn blocks_of_all_kinds() {
    let cases: [Case; 8] = [
        ("honest, and nobody asked for it", |b| block(&next_block(b).extra(1).build()), Tolerated),
        ("with an unknown parent", |b| block(&without_parent(b)), Tolerated),
        ("without work", |b| block(&without_work(next_block(b).build())), Discouraged),
        ("too far in the future", |b| block(&in_the_future(b)), Tolerated),
        ("claims too much", |b| block(&next_block(b).claim(Amount::MAX_SUPPLY).build()), Discouraged),
        ("wrong Merkle root", |b| block(&spoilt_header(b, |h| h.merkle_root = MerkleRoot::ZERO)), Discouraged),
        ("its last transactions are repeated", |b| block(&mutated(b)), Discouraged),
        ("a transaction breaks a rule", |b| block(&next_block(b).with(unsigned()).build()), Discouraged),
    ];
    for (name, message, expected) in cases {
        check(name, |bench| vec![message(bench)], expected);
    }
    let twice = |b: &Bench| vec![block(&next_block(b).extra(1).build()); 2];
    check("twice the same", twice, Tolerated);
}

/// It may be our operator who called the parent invalid, so this proves nothing about the sender.
#[test]
fn a_child_of_an_invalid_block_is_ignored() {
    let mut bench = Bench::new();
    let (forger, follower) = (bench.peer(), bench.peer());
    let bad = next_block(&bench).claim(Amount::MAX_SUPPLY).build();
    bench.receive(forger, block(&bad));
    assert!(bench.reason(forger).is_some());
    let child = BlockBuilder::on(&testing::params(), &bad.header, Height::new(1)).build();
    bench.receive(follower, header(&child));
    bench.receive(follower, block(&child));
    assert_eq!(bench.reason(follower), None);
    assert_eq!(bench.blocks_asked_of(follower), []);
    assert!(bench.node.chain().index().entry(&child.hash()).is_none(), "nothing is kept of it");
}

#[test]
fn transactions() {
    let over_the_maximum = Amount::from_notches(Amount::MAX_SUPPLY.to_notches() + 1);
    let zero_value = signed_again(|t| t.outputs[0].value = Amount::ZERO);
    let missing = |t: &mut Transaction| t.inputs[0].outpoint.txid = Txid::from_bytes([3; 32]);
    let cases = [
        ("an honest payment", payment(1_000), Tolerated),
        ("a payment that pays too little", payment(1), Tolerated),
        ("dust", signed_again(|t| t.outputs[0].value = Amount::from_notches(1)), Tolerated),
        ("a version that has no meaning yet", signed_again(|t| t.version = 99), Tolerated),
        ("a payment whose parent is missing", spoilt_payment(missing), Tolerated),
        ("no outputs", spoilt_payment(|t| t.outputs.clear()), Discouraged),
        ("an output of nothing", zero_value, Discouraged),
        ("an output above the maximum", signed_again(|t| t.outputs[0].value = over_the_maximum), Discouraged),
        ("outputs above inputs", signed_again(|t| t.outputs[0].value = Amount::MAX_SUPPLY), Discouraged),
        ("a memo that is too long", signed_again(|t| t.memo = vec![0; 81]), Discouraged),
        ("the same input twice", signed_again(|t| t.inputs.push(t.inputs[0].clone())), Discouraged),
        ("a signature of something else", spoilt_payment(|t| t.memo = vec![1]), Discouraged),
        (
            "a signature left over",
            spoilt_payment(|t| {
                let signature = t.inputs[0].witness.signatures[0];
                t.inputs[0].witness.signatures.push(signature);
            }),
            Discouraged,
        ),
        ("a loose coinbase", Transaction::coinbase(Height::new(1), &[], payment(1_000).outputs), Discouraged),
    ];
    for (name, payment, expected) in cases {
        check(name, |_| vec![transaction(payment.clone())], expected);
    }
}

#[test]
fn everything_else() {
    let unknown_block = InventoryItem::Block(BlockHash::from_bytes([8; 32]));
    let unknown_transaction = InventoryItem::Transaction(Wtxid::from_bytes([8; 32]));
    let everything = [unknown_block, unknown_transaction, InventoryItem::Parent(Txid::from_bytes([8; 32]))];
    let cases = [
        ("a pong without a ping", vec![Message::Pong { nonce: 3 }], Tolerated),
        ("an unknown locator", vec![Message::GetHeaders { locator: Vec::new(), stop: BlockHash::ZERO }], Tolerated),
        ("an inventory of things unknown", vec![Message::Inventory(everything.to_vec())], Tolerated),
        ("a request for things unknown", vec![Message::GetData(everything.to_vec())], Tolerated),
        ("nothing found of what nobody asked for", vec![Message::NotFound(everything.to_vec())], Tolerated),
        ("addresses asked for twice", vec![Message::GetAddresses, Message::GetAddresses], Tolerated),
    ];
    for (name, messages, expected) in cases {
        check(name, |_| messages.clone(), expected);
    }
}

#[test]
fn frames() {
    let kind = MessageKind::Headers;
    let source = tally_primitives::encode::DecodeError::TrailingBytes { trailing: 1 };
    let cases = [
        (FrameError::WrongMagic { expected: 1, found: 2 }, Disconnected),
        (FrameError::WrongChecksum { kind }, Disconnected),
        (FrameError::TooLong { length: 9, max: 8 }, Discouraged),
        (FrameError::TooShort { length: 1 }, Discouraged),
        (FrameError::KindTooLong { kind, length: 9, max: 8 }, Discouraged),
        (FrameError::Malformed { kind, source }, Discouraged),
        (FrameError::TooManyItems { kind, items: 9, max: 8 }, Discouraged),
        (FrameError::BadUserAgent, Discouraged),
        (FrameError::UnknownKind { index: 99, length: 4 }, Tolerated),
    ];
    for (error, expected) in cases {
        let mut bench = Bench::new();
        let sender = bench.peer();
        bench.receive_bad(sender, error.clone());
        assert_eq!(verdict(&mut bench, sender), expected, "{error}");
    }
}

#[test]
fn unknown_kinds_are_skipped_within_a_rate() {
    let mut bench = Bench::new();
    let sender = bench.peer();
    for _ in 0..4 {
        for _ in 0..20 {
            bench.receive_bad(sender, FrameError::UnknownKind { index: 99, length: 4 });
        }
        assert_eq!(bench.reason(sender), None);
        bench.advance(60_000);
    }
    for _ in 0..21 {
        bench.receive_bad(sender, FrameError::UnknownKind { index: 99, length: 4 });
    }
    assert_eq!(verdict(&mut bench, sender), Discouraged);
}

/// The copy's sender is punished; the block itself can still come from another peer, and the request to that one stands.
#[test]
fn a_mutated_copy_does_not_poison_its_honest_twin() {
    let mut bench = Bench::new();
    let (honest, forger) = (bench.peer(), bench.peer());
    let good = next_block(&bench).with(payment(1_000)).build();
    bench.receive(honest, header(&good));
    assert_eq!(bench.blocks_asked_of(honest), [good.hash()]);
    let mut copy = good.clone();
    copy.transactions.pop();
    bench.receive(forger, block(&copy));
    assert!(bench.reason(forger).is_some());
    assert_eq!(bench.height(), 0);
    bench.advance(1_000);
    assert_eq!(bench.blocks_asked_of(honest), [], "asked already, and still waited for");
    bench.receive(honest, block(&good));
    assert_eq!(bench.height(), 1);
    assert_eq!(bench.reason(honest), None);
}

#[test]
fn an_invalid_block_is_never_asked_for_again() {
    let mut bench = Bench::new();
    let (first, second) = (bench.peer(), bench.peer());
    let bad = next_block(&bench).claim(Amount::MAX_SUPPLY).build();
    bench.receive(first, header(&bad));
    bench.receive(first, block(&bad));
    assert!(bench.reason(first).is_some());
    bench.receive(second, header(&bad));
    bench.receive(second, Message::Inventory(vec![InventoryItem::Block(bad.hash())]));
    assert_eq!(bench.blocks_asked_of(second), []);
    let entry = bench.node.chain().index().entry(&bad.hash()).expect("the header is known");
    assert!(entry.is_invalid() && entry.status == BlockStatus::Stored || entry.status == BlockStatus::HeaderOnly);
}

/// A bad block that waits for its parent is only found out when the parent comes, from somebody else: its own sender answers for it.
#[test]
fn whoever_sent_the_bad_block_answers_for_it() {
    let mut bench = Bench::new();
    let (honest, forger) = (bench.peer(), bench.peer());
    let parent = next_block(&bench).build();
    let bad = BlockBuilder::on(&testing::params(), &parent.header, Height::new(1)).claim(Amount::MAX_SUPPLY).build();
    bench.receive(honest, header(&parent));
    bench.receive(forger, header(&bad));
    bench.receive(forger, block(&bad));
    assert_eq!(bench.reason(forger), None, "it cannot be judged yet");
    bench.receive(honest, block(&parent));
    assert_eq!(bench.height(), 1);
    assert!(matches!(bench.reason(forger), Some(DisconnectReason::Violation { .. })));
    assert_eq!(bench.reason(honest), None);
}
