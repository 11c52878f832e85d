use super::{INITIAL, compress, digest, hash_digest, meets, sha256d, words};
use sha2::{Digest, Sha256};

/// One padded block by the portable function.
fn sha256_of_short(message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..message.len()].copy_from_slice(message);
    block[message.len()] = 0x80;
    block[56..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    let mut state = INITIAL;
    compress(&mut state, &words(&block));
    digest(&state)
}

#[test]
fn the_portable_compression_agrees_with_the_standard() {
    // FIPS 180-4's example.
    assert_eq!(
        hex::encode(sha256_of_short(b"abc")),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    for length in 0..=55_u8 {
        let message: Vec<u8> = (0..length).collect();
        assert_eq!(sha256_of_short(&message), <[u8; 32]>::from(Sha256::digest(&message)), "length {length}");
    }
}

#[test]
fn the_second_hash_completes_sha256d() {
    let first: [u8; 32] = Sha256::digest(b"first").into();
    let mut block = [0; 64];
    block[..32].copy_from_slice(&first);
    let mut half = [0; 8];
    half.copy_from_slice(&words(&block)[..8]);
    assert_eq!(digest(&hash_digest(&half)), sha256d(b"first"));
}

#[test]
fn a_hash_meets_a_target_up_to_equality() {
    let mut hash = [0; 32];
    hash[30] = 5;
    let mut target = [0; 32];
    target[1] = 5;
    assert!(meets(&hash, &target));
    hash[0] = 1;
    assert!(!meets(&hash, &target));
    target[0] = 1;
    assert!(meets(&hash, &target));
}
