//! What the benchmarks measure: transactions, blocks and witnesses like those of a busy network, made without randomness so
//! that every run measures the same.
//!
//! It forbids itself any measuring: that is in `benches/`, run by `cargo bench -p tally-benches` (see README.md).
//!
//! - [`payment`], [`full_block`]: a usual transaction, and a block of as many as fit
//! - [`Spend`]: policies with witnesses that satisfy them
//! - `benches/hashing.rs`: kernels, header hashes, Merkle roots
//! - `benches/checking.rs`: signatures, policies, encoding, ids

use tally_primitives::block::{Block, Header, MAX_BLOCK_SIZE};
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, PreimageHash, SigHash, Txid, sha256};
use tally_primitives::keys::SecretKey;
use tally_primitives::pow::CompactTarget;
use tally_primitives::spending::{Preimage, SpendingPolicy, Witness};
use tally_primitives::transaction::{CURRENT_VERSION, Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

/// Bytes of a list's length.
const COUNT_SIZE: usize = 8;

/// The message that all witnesses here sign.
pub const MESSAGE: SigHash = SigHash::from_bytes([0x5a; 32]);

/// The secret key number `index`.
///
/// # Panics
/// Never: a hash is a key but for one in 2^127.
#[must_use]
pub fn secret_key(index: u32) -> SecretKey {
    SecretKey::from_bytes(&sha256(&index.to_le_bytes())).expect("a hash is a key")
}

/// A policy with a witness that satisfies it.
#[derive(Clone, Debug)]
pub struct Spend {
    /// What it is, for the benchmark's name.
    pub name: &'static str,
    /// The policy and what satisfies it.
    pub witness: Witness,
}

impl Spend {
    fn new(name: &'static str, policy: SpendingPolicy, signers: &[u32], preimages: Vec<Preimage>) -> Spend {
        let signatures = signers.iter().map(|signer| secret_key(*signer).sign(&MESSAGE)).collect();
        Spend { name, witness: Witness { policy, signatures, preimages } }
    }

    /// One key.
    #[must_use]
    pub fn key() -> Spend {
        Spend::new("key", key(0), &[0], Vec::new())
    }

    /// Two of three keys; the third branch is hidden, as a wallet would do it.
    #[must_use]
    pub fn two_of_three() -> Spend {
        let hidden = SpendingPolicy::Opaque(key(2).hash());
        let policy = SpendingPolicy::Threshold { required: 2, of: vec![key(0), key(1), hidden] };
        Spend::new("2 of 3", policy, &[0, 1], Vec::new())
    }

    /// A hashed time lock: a preimage and a key, where a key after some time is the hidden other way.
    #[must_use]
    pub fn hash_lock() -> Spend {
        let preimage = Preimage::from_bytes([7; 32]);
        let with_preimage = SpendingPolicy::Threshold {
            required: 2,
            of: vec![SpendingPolicy::Preimage(PreimageHash::from_bytes(sha256(preimage.as_bytes()))), key(1)],
        };
        let refund =
            SpendingPolicy::Threshold { required: 2, of: vec![SpendingPolicy::After(Height::new(900)), key(2)] };
        let hidden = SpendingPolicy::Opaque(refund.hash());
        let policy = SpendingPolicy::Threshold { required: 1, of: vec![with_preimage, hidden] };
        Spend::new("hash lock", policy, &[1], vec![preimage])
    }

    /// Sixteen keys, all needed: the most that one level may ask for.
    #[must_use]
    pub fn sixteen_of_sixteen() -> Spend {
        let policy = SpendingPolicy::Threshold { required: 16, of: (0..16).map(key).collect() };
        Spend::new("16 of 16", policy, &Vec::from_iter(0..16), Vec::new())
    }

    /// All of these.
    #[must_use]
    pub fn all() -> Vec<Spend> {
        vec![Spend::key(), Spend::two_of_three(), Spend::hash_lock(), Spend::sixteen_of_sixteen()]
    }
}

fn key(index: u32) -> SpendingPolicy {
    SpendingPolicy::Key(secret_key(index).public_key())
}

/// A payment with one input by one key and two outputs, all ids depending on `index`. The signature is a real one, of
/// [`MESSAGE`].
#[must_use]
pub fn payment(index: u32) -> Transaction {
    let lock = |way: u8| LockHash::from_bytes(sha256(&[&index.to_le_bytes()[..], &[way]].concat()));
    Transaction {
        version: CURRENT_VERSION,
        inputs: vec![Input {
            outpoint: OutPoint { txid: Txid::from_bytes(sha256(&index.to_be_bytes())), index: 0 },
            witness: Spend::key().witness,
        }],
        outputs: vec![
            Output { value: Amount::from_notches(1_250_000_000), lock: lock(0) },
            Output { value: Amount::from_notches(3_749_999_000), lock: lock(1) },
        ],
        memo: Vec::new(),
    }
}

/// A block of as many payments as fit, behind a coinbase.
#[must_use]
pub fn full_block() -> Block {
    let reward = Output { value: Amount::from_notches(5_000_000_000), lock: LockHash::ZERO };
    let mut transactions = vec![Transaction::coinbase(Height::new(1000), &[0; 20], vec![reward])];
    let room = MAX_BLOCK_SIZE - Header::SIZE - COUNT_SIZE - transactions[0].encoded_size();
    let count = room / payment(0).encoded_size();
    transactions.extend((0..).take(count).map(payment));
    let mut header = Header {
        version: 0x2000_0000,
        prev_block: BlockHash::ZERO,
        merkle_root: MerkleRoot::ZERO,
        time: 1_700_000_000,
        bits: CompactTarget::from_bits(0x1e00_ffff),
        nonce: 0,
    };
    header.merkle_root = Block { header, transactions: transactions.clone() }.merkle_root();
    Block { header, transactions }
}

#[cfg(test)]
mod tests;
