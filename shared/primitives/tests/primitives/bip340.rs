//! Schnorr signatures against the official vectors of BIP 340.

use proptest::prelude::{any, proptest};
use tally_primitives::hash::SigHash;
use tally_primitives::keys::{KeyError, PublicKey, SecretKey, Signature};

struct Vector {
    index: usize,
    secret: Option<[u8; 32]>,
    public: PublicKey,
    auxiliary: String,
    message: SigHash,
    signature: Signature,
    valid: bool,
    comment: String,
}

fn bytes(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).expect("32 bytes in hex");
    bytes
}

/// Those vectors whose message has 32 bytes: ours always has.
fn vectors() -> Vec<Vector> {
    let lines = include_str!("../vectors/bip340.csv").lines().skip(1);
    let rows = lines.map(|line| line.splitn(8, ',').collect::<Vec<_>>());
    let with_our_messages = rows.filter(|columns| columns[4].len() == 64);
    with_our_messages
        .map(|columns| Vector {
            index: columns[0].parse().expect("an index"),
            secret: (!columns[1].is_empty()).then(|| bytes(columns[1])),
            public: columns[2].parse().expect("a public key"),
            auxiliary: columns[3].to_owned(),
            message: SigHash::from_bytes(bytes(columns[4])),
            signature: columns[5].parse().expect("a signature"),
            valid: columns[6] == "TRUE",
            comment: columns[7].to_owned(),
        })
        .collect()
}

#[test]
fn the_official_vectors_verify_as_published() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 15);
    assert_eq!(vectors.iter().filter(|vector| vector.valid).count(), 5);
    for vector in vectors {
        let verdict = vector.public.verify(&vector.message, &vector.signature);
        assert_eq!(verdict, vector.valid, "vector {}: {}", vector.index, vector.comment);
    }
}

#[test]
fn secret_keys_have_the_published_public_keys_and_sign_alike() {
    let mut signed_alike = 0;
    for vector in vectors() {
        let Some(secret) = vector.secret else { continue };
        let secret = SecretKey::from_bytes(&secret).expect("a published key");
        assert_eq!(secret.public_key(), vector.public, "vector {}", vector.index);
        let signature = secret.sign(&vector.message);
        assert!(vector.public.verify(&vector.message, &signature));
        // We sign without auxiliary randomness, which is the same as with zeros.
        if vector.auxiliary == "0".repeat(64) {
            assert_eq!(signature, vector.signature, "vector {}", vector.index);
            signed_alike += 1;
        }
    }
    assert_eq!(signed_alike, 1);
}

#[test]
fn keys_that_are_no_points_verify_nothing() {
    for vector in vectors().into_iter().filter(|vector| vector.comment.starts_with("public key")) {
        assert!(!vector.public.is_on_curve(), "vector {}", vector.index);
    }
    assert!(vectors()[0].public.is_on_curve());
}

#[test]
fn secret_keys_out_of_range_are_refused() {
    let order = bytes("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    for secret in [[0; 32], order, [0xff; 32]] {
        assert_eq!(SecretKey::from_bytes(&secret).err(), Some(KeyError::SecretOutOfRange));
    }
    let mut largest = order;
    largest[31] -= 1;
    assert!(SecretKey::from_bytes(&largest).is_ok());
}

#[test]
fn a_secret_key_shows_itself_nowhere() {
    let secret = SecretKey::from_bytes(&[0x42; 32]).unwrap();
    assert!(!format!("{secret:?}").contains("42"));
}

proptest! {
    #[test]
    fn a_signature_is_for_one_key_and_one_message(
        secret in 1u8..255, message in any::<[u8; 32]>(), bit in 0usize..256, signature_bit in 0usize..512,
    ) {
        let secret = SecretKey::from_bytes(&[secret; 32]).expect("in range");
        let message = SigHash::from_bytes(message);
        let signature = secret.sign(&message);
        assert!(secret.public_key().verify(&message, &signature));
        assert_eq!(secret.sign(&message), signature, "the same again");
        let mut other = *message.as_bytes();
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(!secret.public_key().verify(&SigHash::from_bytes(other), &signature));
        let mut key = *secret.public_key().as_bytes();
        key[bit / 8] ^= 1 << (bit % 8);
        assert!(!PublicKey::from_bytes(key).verify(&message, &signature));
        let mut damaged = *signature.as_bytes();
        damaged[signature_bit / 8] ^= 1 << (signature_bit % 8);
        assert!(!secret.public_key().verify(&message, &Signature::from_bytes(damaged)));
    }

    #[test]
    fn arbitrary_keys_and_signatures_never_panic(key in any::<[u8; 32]>(), halves in any::<[[u8; 32]; 2]>()) {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&halves[0]);
        signature[32..].copy_from_slice(&halves[1]);
        assert!(!PublicKey::from_bytes(key).verify(&SigHash::from_bytes(key), &Signature::from_bytes(signature)));
    }
}
