//! One value has one encoding: what is encoded decodes to itself, and whatever decodes encodes to the same bytes.

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tally_primitives::block::{Block, Header, MAX_BLOCK_SIZE};
use tally_primitives::encode::{DecodeError, decode, decode_hex, encode, encoded_size};
use tally_primitives::hash::{BlockHash, LockHash, Txid};
use tally_primitives::keys::{PublicKey, Signature};
use tally_primitives::merkle::MerkleProof;
use tally_primitives::pow::{CompactTarget, Work};
use tally_primitives::spending::{MAX_DECODED_DEPTH, SpendingPolicy, Witness};
use tally_primitives::transaction::{Coin, Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

use crate::strategies;

/// The value survives both encodings, and no neighbour of its bytes decodes where it must not.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, cut: usize) {
    let bytes = encode(value);
    assert_eq!(encoded_size(value), bytes.len());
    assert_eq!(decode::<T>(&bytes, bytes.len()).as_ref(), Ok(value));
    assert_eq!(decode_hex::<T>(&hex::encode(&bytes), bytes.len()).as_ref(), Ok(value));
    let too_long = DecodeError::TooLong { size: bytes.len(), max: bytes.len() - 1 };
    assert_eq!(decode::<T>(&bytes, bytes.len() - 1), Err(too_long));
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(decode::<T>(&longer, longer.len()), Err(DecodeError::TrailingBytes { trailing: 1 }));
    let part = &bytes[..cut % bytes.len()];
    assert!(
        matches!(decode::<T>(part, bytes.len()), Err(DecodeError::Malformed { .. })),
        "cut to {} bytes",
        part.len()
    );
    let json = serde_json::to_string(value).expect("every type has a JSON form");
    assert_eq!(serde_json::from_str::<T>(&json).as_ref().ok(), Some(value), "{json}");
}

proptest! {
    #[test]
    fn every_type_survives(
        header in strategies::header(), block in strategies::block(), transaction in strategies::transaction(),
        coin in strategies::coin(), witness in strategies::witness(), policy in strategies::policy(),
        work in strategies::work(), proof in strategies::proof(), cut in any::<usize>(),
    ) {
        survives(&header, cut);
        survives(&header.prev_block, cut);
        survives(&header.bits, cut);
        survives(&block, cut);
        survives(&transaction, cut);
        survives(&coin, cut);
        survives(&coin.output, cut);
        survives(&coin.output.value, cut);
        survives(&coin.height, cut);
        survives(&witness, cut);
        survives(&policy, cut);
        survives(&work, cut);
        survives(&proof, cut);
    }

    #[test]
    fn a_header_is_its_80_bytes(header in strategies::header()) {
        let bytes = header.to_bytes();
        assert_eq!(encode(&header), bytes);
        assert_eq!(Header::from_bytes(&bytes), header);
    }

    #[test]
    fn text_forms_survive(outpoint in strategies::outpoint(), work in strategies::work(), signature in strategies::signature()) {
        assert_eq!(outpoint.to_string().parse(), Ok(outpoint));
        assert_eq!(outpoint.txid.to_string().parse(), Ok(outpoint.txid));
        assert_eq!(work.to_string().parse(), Ok(work));
        assert_eq!(signature.to_string().parse(), Ok(signature));
    }
}

/// Decoding ends without a panic, and if it succeeds the bytes were the value's one encoding.
fn is_canonical<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> bool {
    match decode::<T>(bytes, bytes.len()) {
        Ok(value) => {
            assert_eq!(encode(&value), bytes);
            true
        }
        Err(_) => false,
    }
}

/// [`is_canonical`] for every type.
fn all_are_canonical(bytes: &[u8]) {
    is_canonical::<Header>(bytes);
    is_canonical::<Block>(bytes);
    is_canonical::<Transaction>(bytes);
    is_canonical::<Input>(bytes);
    is_canonical::<Output>(bytes);
    is_canonical::<OutPoint>(bytes);
    is_canonical::<Coin>(bytes);
    is_canonical::<Witness>(bytes);
    is_canonical::<SpendingPolicy>(bytes);
    is_canonical::<MerkleProof>(bytes);
    is_canonical::<Work>(bytes);
    is_canonical::<CompactTarget>(bytes);
    is_canonical::<Amount>(bytes);
    is_canonical::<Height>(bytes);
    is_canonical::<BlockHash>(bytes);
    is_canonical::<Txid>(bytes);
    is_canonical::<PublicKey>(bytes);
    is_canonical::<Signature>(bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        all_are_canonical(&bytes);
    }

    /// Small numbers are what lengths, indices and booleans are made of: such bytes get far into the decoders.
    #[test]
    fn arbitrary_small_bytes_never_panic(bytes in vec(0u8..6, 0..200)) {
        all_are_canonical(&bytes);
    }
}

proptest! {
    #[test]
    fn damaged_encodings_never_panic(
        block in strategies::block(), at in any::<usize>(), flip in 1u8.., cut in any::<usize>(),
    ) {
        let mut bytes = encode(&block);
        let at = at % bytes.len();
        bytes[at] ^= flip;
        all_are_canonical(&bytes);
        for transaction in &block.transactions {
            let mut bytes = encode(transaction);
            let at = at % bytes.len();
            bytes[at] ^= flip;
            all_are_canonical(&bytes);
            all_are_canonical(&bytes[..cut % bytes.len()]);
        }
    }
}

/// The bytes of a threshold of one child, without the child: variant 1, one required, one of.
const LEVEL: [u8; 13] = [1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const LEAF: [u8; 8] = [3, 0, 0, 0, 7, 0, 0, 0];

fn nested(levels: usize) -> Vec<u8> {
    [LEVEL.repeat(levels - 1), LEAF.to_vec()].concat()
}

#[test]
fn nesting_is_limited_however_deep_the_bytes_go() {
    assert!(is_canonical::<SpendingPolicy>(&nested(MAX_DECODED_DEPTH)));
    for levels in [MAX_DECODED_DEPTH + 1, 100, 10_000, 1_000_000] {
        let bytes = nested(levels);
        assert!(!is_canonical::<SpendingPolicy>(&bytes), "{levels} levels");
        assert!(!is_canonical::<Witness>(&[&bytes[..], &[0; 16]].concat()), "{levels} levels in a witness");
    }
}

#[test]
fn a_small_stack_is_enough_for_the_deepest_nesting_that_decodes() {
    // Threads of servers may have far less than the 8 MiB of a main thread.
    let deepest = std::thread::Builder::new().stack_size(256 * 1024).spawn(|| {
        assert!(!is_canonical::<SpendingPolicy>(&nested(1_000_000)));
        let bytes = nested(MAX_DECODED_DEPTH);
        let policy: SpendingPolicy = decode(&bytes, bytes.len()).expect("at the limit");
        (policy.hash(), policy.check_limits().is_err())
    });
    let (hash, refused) = deepest.expect("a thread starts").join().expect("no stack overflow");
    assert!(refused, "the rule's limit is below the decoder's");
    assert_ne!(hash.to_bytes(), [0; 32]);
}

#[test]
fn wrong_variants_booleans_and_lengths_are_refused() {
    assert!(!is_canonical::<SpendingPolicy>(&[6, 0, 0, 0, 7, 0, 0, 0]), "there is no seventh kind");
    let coin = [vec![0; 44], vec![2]].concat();
    assert!(!is_canonical::<Coin>(&coin), "a boolean is 0 or 1");
    assert!(is_canonical::<Coin>(&[vec![0; 44], vec![1]].concat()));
    for length in [1, 2, 1 << 20, 1 << 32, 1 << 63, u64::MAX] {
        // A transaction that claims this many inputs, and has none.
        let bytes = [&1u32.to_le_bytes()[..], &u64::to_le_bytes(length), &[0; 16]].concat();
        assert!(!is_canonical::<Transaction>(&bytes), "{length} inputs");
        let memo = [&1u32.to_le_bytes()[..], &[0; 16], &u64::to_le_bytes(length)].concat();
        assert!(!is_canonical::<Transaction>(&memo), "{length} bytes of memo");
    }
}

#[test]
fn the_largest_blocks_decode() {
    // bincode's own limit counts sizes in memory: it must not stand in the way of what the rules allow.
    let header = Header::from_bytes(&[0; Header::SIZE]);
    let output = Output { value: Amount::ONE_TALLY, lock: LockHash::ZERO };
    let outputs = Transaction { version: 1, inputs: vec![], outputs: vec![output; 24_000], memo: vec![] };
    let policy = SpendingPolicy::Threshold { required: 1, of: vec![SpendingPolicy::Older(1); 30] };
    let witness = Witness { policy, signatures: vec![], preimages: vec![] };
    let input = Input { outpoint: OutPoint { txid: Txid::ZERO, index: 0 }, witness };
    let inputs = Transaction { version: 1, inputs: vec![input; 3_000], outputs: vec![], memo: vec![] };
    let empty = Transaction { version: 1, inputs: vec![], outputs: vec![], memo: vec![] };
    for (name, transactions) in
        [("outputs", vec![outputs]), ("policies", vec![inputs]), ("empty transactions", vec![empty; 35_000])]
    {
        let block = Block { header, transactions };
        let bytes = block.to_bytes();
        assert!((900_000..=MAX_BLOCK_SIZE).contains(&bytes.len()), "{name}: {} bytes", bytes.len());
        assert_eq!(decode::<Block>(&bytes, MAX_BLOCK_SIZE), Ok(block), "{name}");
    }
}

#[test]
fn hex_that_is_none_is_refused() {
    for text in ["0", "zz", "00 0", "0x00000000"] {
        assert!(matches!(decode_hex::<Height>(text, 100), Err(DecodeError::NotHex { .. })), "{text}");
    }
    assert_eq!(decode_hex::<Height>("01000000", 4), Ok(Height::new(1)));
    assert_eq!(decode_hex::<Height>("0100000000", 4), Err(DecodeError::TooLong { size: 5, max: 4 }));
}

proptest! {
    /// Hashes are compared by their first eight bytes first. That must show nowhere, least of all where these are equal.
    #[test]
    fn hashes_are_in_the_order_of_their_bytes(a in any::<[u8; 32]>(), b in any::<[u8; 32]>(), common in 0_usize..=32) {
        let mut b = b;
        b[..common].copy_from_slice(&a[..common]);
        prop_assert_eq!(Txid::from_bytes(a).cmp(&Txid::from_bytes(b)), a.cmp(&b));
    }
}
