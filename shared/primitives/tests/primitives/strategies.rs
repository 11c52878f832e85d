//! Arbitrary values of every type that is encoded.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, PreimageHash, Txid};
use tally_primitives::keys::{PublicKey, Signature};
use tally_primitives::merkle::MerkleProof;
use tally_primitives::pow::{CompactTarget, Work};
use tally_primitives::spending::{Preimage, SpendingPolicy, Witness};
use tally_primitives::transaction::{Coin, Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

pub fn lock() -> impl Strategy<Value = LockHash> {
    any::<[u8; 32]>().prop_map(LockHash::from_bytes)
}

pub fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![any::<u64>(), 0..1_000_000u64, Just(0), Just(u64::MAX)].prop_map(Amount::from_notches)
}

pub fn outpoint() -> impl Strategy<Value = OutPoint> {
    (any::<[u8; 32]>(), any::<u32>()).prop_map(|(txid, index)| OutPoint { txid: Txid::from_bytes(txid), index })
}

pub fn output() -> impl Strategy<Value = Output> {
    (amount(), lock()).prop_map(|(value, lock)| Output { value, lock })
}

pub fn coin() -> impl Strategy<Value = Coin> {
    (output(), any::<u32>(), any::<bool>()).prop_map(|(output, height, coinbase)| Coin {
        output,
        height: Height::new(height),
        coinbase,
    })
}

/// Policies of every kind, also such as no rule would accept.
pub fn policy() -> impl Strategy<Value = SpendingPolicy> {
    let leaf = prop_oneof![
        any::<[u8; 32]>().prop_map(|bytes| SpendingPolicy::Key(PublicKey::from_bytes(bytes))),
        any::<[u8; 32]>().prop_map(|bytes| SpendingPolicy::Preimage(PreimageHash::from_bytes(bytes))),
        any::<u32>().prop_map(|height| SpendingPolicy::After(Height::new(height))),
        any::<u32>().prop_map(SpendingPolicy::Older),
        lock().prop_map(SpendingPolicy::Opaque),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        (any::<u8>(), vec(inner, 0..6)).prop_map(|(required, of)| SpendingPolicy::Threshold { required, of })
    })
}

pub fn signature() -> impl Strategy<Value = Signature> {
    any::<[[u8; 32]; 2]>().prop_map(|halves| {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&halves[0]);
        bytes[32..].copy_from_slice(&halves[1]);
        Signature::from_bytes(bytes)
    })
}

pub fn witness() -> impl Strategy<Value = Witness> {
    let preimage = any::<[u8; 32]>().prop_map(Preimage::from_bytes);
    (policy(), vec(signature(), 0..3), vec(preimage, 0..3)).prop_map(|(policy, signatures, preimages)| Witness {
        policy,
        signatures,
        preimages,
    })
}

pub fn transaction() -> impl Strategy<Value = Transaction> {
    let input = (outpoint(), witness()).prop_map(|(outpoint, witness)| Input { outpoint, witness });
    (any::<u32>(), vec(input, 0..4), vec(output(), 0..4), vec(any::<u8>(), 0..100))
        .prop_map(|(version, inputs, outputs, memo)| Transaction { version, inputs, outputs, memo })
}

pub fn header() -> impl Strategy<Value = Header> {
    (any::<[u32; 4]>(), any::<[u8; 32]>(), any::<[u8; 32]>()).prop_map(|([version, time, bits, nonce], prev, root)| {
        Header {
            version,
            prev_block: BlockHash::from_bytes(prev),
            merkle_root: MerkleRoot::from_bytes(root),
            time,
            bits: CompactTarget::from_bits(bits),
            nonce,
        }
    })
}

pub fn block() -> impl Strategy<Value = Block> {
    (header(), vec(transaction(), 0..4)).prop_map(|(header, transactions)| Block { header, transactions })
}

pub fn work() -> impl Strategy<Value = Work> {
    any::<[u8; 32]>().prop_map(Work::from_be_bytes)
}

pub fn proof() -> impl Strategy<Value = MerkleProof> {
    let siblings = vec(any::<[u8; 32]>().prop_map(MerkleRoot::from_bytes), 0..20);
    (any::<u32>(), any::<u32>(), siblings).prop_map(|(index, leaves, siblings)| MerkleProof { index, leaves, siblings })
}
