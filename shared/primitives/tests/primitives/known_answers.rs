//! The formats, byte for byte, against a second implementation: `vectors/reference.py` printed `vectors/known-answers`.

use tally_primitives::address::Address;
use tally_primitives::encode::{decode_hex, encode};
use tally_primitives::hash::{BlockHash, HashTag, LockHash, PreimageHash, Txid, sha256, sha256d, tagged_hash};
use tally_primitives::keys::{PublicKey, Signature};
use tally_primitives::spending::{Preimage, SpendingPolicy, Witness};
use tally_primitives::transaction::{Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

/// The lines that start with `kind`, without it, split into words.
fn answers(kind: &str) -> Vec<Vec<&'static str>> {
    let lines = include_str!("../vectors/known-answers").lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let found: Vec<_> = lines.filter(|words| words[0] == kind).map(|words| words[1..].to_vec()).collect();
    assert!(!found.is_empty(), "{kind}");
    found
}

/// The policies of `reference.py`, by name.
fn policy(name: &str) -> SpendingPolicy {
    let branches = |names: &[&str]| names.iter().map(|name| policy(name)).collect();
    match name {
        "key" => SpendingPolicy::Key(PublicKey::from_bytes([1; 32])),
        "preimage" => SpendingPolicy::Preimage(PreimageHash::from_bytes([2; 32])),
        "after" => SpendingPolicy::After(Height::new(0x0102_0304)),
        "older" => SpendingPolicy::Older(144),
        "opaque" => SpendingPolicy::Opaque(LockHash::from_bytes([3; 32])),
        "threshold" => SpendingPolicy::Threshold { required: 2, of: branches(&["key", "preimage", "after"]) },
        "nested" => {
            let second = SpendingPolicy::Threshold { required: 1, of: branches(&["older", "opaque"]) };
            SpendingPolicy::Threshold { required: 1, of: vec![policy("threshold"), second] }
        }
        other => panic!("no policy is called {other}"),
    }
}

/// The transaction of `reference.py`.
fn transaction() -> Transaction {
    let input = |txid, index, policy, signatures, preimages| Input {
        outpoint: OutPoint { txid: Txid::from_bytes([txid; 32]), index },
        witness: Witness { policy, signatures, preimages },
    };
    let signature = Signature::from_bytes([0x22; 64]);
    let preimage = Preimage::from_bytes([0x33; 32]);
    Transaction {
        version: 1,
        inputs: vec![
            input(0x11, 7, policy("nested"), vec![signature], vec![preimage; 2]),
            input(0x44, u32::MAX, policy("key"), vec![], vec![]),
        ],
        outputs: vec![
            Output { value: Amount::from_notches(1), lock: LockHash::from_bytes([0x55; 32]) },
            Output { value: Amount::MAX_SUPPLY, lock: policy("key").hash() },
        ],
        memo: b"memo".to_vec(),
    }
}

#[test]
fn policies_have_the_known_bytes_and_hashes() {
    let answers = answers("policy");
    assert_eq!(answers.len(), 7);
    for words in answers {
        let [name, bytes, hash] = words[..] else { panic!("{words:?}") };
        assert_eq!(hex::encode(encode(&policy(name))), bytes, "{name}");
        assert_eq!(policy(name).hash().to_string(), hash, "{name}");
        assert_eq!(decode_hex::<SpendingPolicy>(bytes, 1_000), Ok(policy(name)), "{name}");
    }
}

#[test]
fn a_transaction_has_the_known_bytes_and_identifiers() {
    let transaction = transaction();
    let [full, bare] = answers("transaction")[0][..] else { panic!("two encodings") };
    assert_eq!(hex::encode(encode(&transaction)), full);
    assert_eq!(hex::encode(transaction.txid_preimage()), bare);
    let [txid, wtxid, sighash] = answers("ids")[0][..] else { panic!("three identifiers") };
    assert_eq!(transaction.txid().to_string(), txid);
    assert_eq!(transaction.wtxid().to_string(), wtxid);
    let spent = [(5, 0x77), (6, 0x88)]
        .map(|(value, lock)| Output { value: Amount::from_notches(value), lock: LockHash::from_bytes([lock; 32]) });
    let computed = transaction.sighash(&BlockHash::from_bytes([0x66; 32]), &spent);
    assert_eq!(hex::encode(computed.as_bytes()), sighash);
}

#[test]
fn a_coinbase_has_the_known_bytes_and_one_identifier() {
    let output = Output { value: Amount::from_notches(5_000_000_000), lock: LockHash::from_bytes([0x99; 32]) };
    let coinbase = Transaction::coinbase(Height::new(123_456), b"hi", vec![output]);
    let [bytes, id] = answers("coinbase")[0][..] else { panic!("bytes and identifier") };
    assert_eq!(hex::encode(encode(&coinbase)), bytes);
    assert_eq!(coinbase.txid().to_string(), id);
    assert_eq!(coinbase.wtxid().to_string(), id);
    assert!(coinbase.is_coinbase());
    assert_eq!(coinbase.coinbase_height(), Some(Height::new(123_456)));
}

#[test]
fn addresses_have_the_known_text() {
    let answers = answers("address");
    assert_eq!(answers.len(), 9);
    for words in answers {
        let [prefix, lock, text] = words[..] else { panic!("{words:?}") };
        let address = Address::new(prefix.parse().unwrap(), lock.parse().unwrap());
        assert_eq!(address.to_string(), text);
        assert_eq!(text.parse(), Ok(address));
    }
}

#[test]
fn hashes_are_sha256_and_the_tagged_hash_of_bip_340() {
    // FIPS 180-4's example, its double, and SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ parts).
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(hex::encode(sha256(b"abc")), abc);
    assert_eq!(sha256d(b"abc"), sha256(&sha256(b"abc")));
    let tag = sha256(b"tallystick/policy");
    let expected = sha256(&[&tag[..], &tag, b"ab", b"c"].concat());
    assert_eq!(tagged_hash("tallystick/policy", &[b"ab", b"c"]), expected);
    assert_eq!(tagged_hash("tallystick/policy", &[b"abc"]), expected);
    let tag = HashTag::new("tallystick/policy");
    for _ in 0..2 {
        assert_eq!(tag.hash(&[b"ab", b"c"]), expected, "remembering the tag changes nothing");
    }
    assert_ne!(tagged_hash("tallystick/sighash", &[b"abc"]), expected);
}

#[test]
fn a_coinbase_height_is_all_eight_bytes() {
    let mut coinbase = Transaction::coinbase(Height::new(u32::MAX), b"", vec![]);
    assert_eq!(coinbase.coinbase_height(), Some(Height::new(u32::MAX)));
    coinbase.memo[4] = 1;
    assert_eq!(coinbase.coinbase_height(), None);
    coinbase.memo.truncate(7);
    assert_eq!(coinbase.coinbase_height(), None);
}
