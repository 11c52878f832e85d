//! What the tests build their headers, transactions and blocks with.

use tally_consensus::header::{HeaderContext, ParentInfo};
use tally_consensus::{RuleError, RuleId};
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, Txid};
use tally_primitives::keys::{SecretKey, Signature};
use tally_primitives::params::Params;
use tally_primitives::spending::{Preimage, SpendingPolicy, Witness};
use tally_primitives::transaction::{Coin, Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height, Timestamp};

/// The height of the blocks and spendings that the tests judge.
pub const HEIGHT: Height = Height::new(20);

/// The time of the tests' headers, seconds since the Unix epoch.
pub const TIME: u32 = 1_800_000_000;

/// The hash of the tests' parent block.
pub const PARENT: BlockHash = BlockHash::from_bytes([0xaa; 32]);

/// The network of the tests: devnet, whose target half of all hashes meet.
pub fn params() -> Params {
    Params::devnet()
}

/// The rule that a verdict names.
pub fn rule<T>(verdict: Result<T, RuleError>) -> Option<RuleId> {
    verdict.err().map(|error| error.rule_id())
}

pub fn secret(seed: u8) -> SecretKey {
    SecretKey::from_bytes(&[seed; 32]).expect("a small number is a secret key")
}

pub fn key(seed: u8) -> SpendingPolicy {
    SpendingPolicy::Key(secret(seed).public_key())
}

pub fn preimage(seed: u8) -> Preimage {
    Preimage::from_bytes([seed; 32])
}

pub fn threshold(required: u8, of: Vec<SpendingPolicy>) -> SpendingPolicy {
    SpendingPolicy::Threshold { required, of }
}

pub fn outpoint(seed: u8) -> OutPoint {
    OutPoint { txid: Txid::from_bytes([seed; 32]), index: 0 }
}

pub fn output(notches: u64) -> Output {
    Output { value: Amount::from_notches(notches), lock: LockHash::from_bytes([0x10; 32]) }
}

/// A coin that no coinbase made.
pub fn coin(notches: u64, policy: &SpendingPolicy, height: u32) -> Coin {
    let output = Output { value: Amount::from_notches(notches), lock: policy.hash() };
    Coin { output, height: Height::new(height), coinbase: false }
}

/// An input that reveals `policy`, not signed yet.
pub fn input(outpoint: OutPoint, policy: &SpendingPolicy) -> Input {
    Input { outpoint, witness: Witness { policy: policy.clone(), signatures: Vec::new(), preimages: Vec::new() } }
}

pub fn transaction(inputs: Vec<Input>, outputs: Vec<Output>) -> Transaction {
    Transaction { version: 1, inputs, outputs, memo: Vec::new() }
}

/// The signature of `seed`'s key under the whole transaction.
pub fn signature(seed: u8, transaction: &Transaction, spent: &[Coin], genesis: &BlockHash) -> Signature {
    let outputs: Vec<_> = spent.iter().map(|coin| coin.output).collect();
    secret(seed).sign(&transaction.sighash(genesis, &outputs))
}

pub fn coinbase(height: Height, notches: u64) -> Transaction {
    Transaction::coinbase(height, b"tests", vec![output(notches)])
}

/// A coinbase and this many other transactions, all different; their coins exist nowhere.
pub fn transactions(count: u8) -> Vec<Transaction> {
    let others = (1..count).map(|seed| transaction(vec![input(outpoint(seed), &key(1))], vec![output(1)]));
    std::iter::once(coinbase(HEIGHT, 1)).chain(others).collect()
}

/// A header that passes every rule in [`context`].
pub fn header() -> Header {
    mined(unmined())
}

/// The same header without its work.
pub fn unmined() -> Header {
    Header {
        version: 0x2000_0000,
        prev_block: PARENT,
        merkle_root: MerkleRoot::from_bytes([0xbb; 32]),
        time: TIME,
        bits: params().limit,
        nonce: 0,
    }
}

/// Counts the nonce up until the hash meets the easiest target, whatever the header's bits say.
pub fn mined(mut header: Header) -> Header {
    while !params().target_limit().is_met_by(&header.hash()) {
        header.nonce += 1;
    }
    header
}

/// Facts under which [`header`] is valid.
pub fn context() -> HeaderContext {
    HeaderContext {
        parent: Some(ParentInfo { hash: PARENT, invalid: false }),
        median_time_past: TIME - 1,
        expected_bits: params().limit,
        now: Timestamp::from_seconds(TIME),
        limit: params().target_limit(),
    }
}

/// A mined block of these transactions that commits to them.
pub fn block(transactions: Vec<Transaction>) -> Block {
    let mut block = Block { header: unmined(), transactions };
    block.header.merkle_root = block.merkle_root();
    block.header = mined(block.header);
    block
}

/// A block of exactly this many bytes, filled with outputs of one notch (40 bytes each) and a memo.
pub fn sized(bytes: usize) -> Block {
    let rest = bytes - (80 + 8 + 28 + 8);
    let coinbase = Transaction::coinbase(HEIGHT, &vec![0; rest % 40], vec![output(1); rest / 40]);
    let block = block(vec![coinbase]);
    assert_eq!(block.encoded_size(), bytes);
    block
}
