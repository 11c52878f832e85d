use super::{MAX_DECODED_DEPTH, SpendContext, SpendError, SpendingPolicy, Witness};
use crate::encode::{DecodeError, decode, encode};
use crate::hash::{PreimageHash, SigHash};
use crate::keys::SecretKey;
use crate::units::Height;

fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes(&[seed; 32]).unwrap()
}

fn nested(levels: usize) -> SpendingPolicy {
    let leaf = SpendingPolicy::After(Height::new(7));
    (1..levels).fold(leaf, |child, _| SpendingPolicy::Threshold { required: 1, of: vec![child] })
}

#[test]
fn hiding_a_branch_keeps_the_hash() {
    let branch = SpendingPolicy::Key(key(1).public_key());
    let other = SpendingPolicy::Preimage(PreimageHash::from_bytes([9; 32]));
    let open = SpendingPolicy::Threshold { required: 1, of: vec![branch.clone(), other.clone()] };
    let hidden = SpendingPolicy::Threshold { required: 1, of: vec![branch, SpendingPolicy::Opaque(other.hash())] };
    assert_eq!(open.hash(), hidden.hash());
}

#[test]
fn a_signature_satisfies_its_key_and_no_other() {
    let sighash = SigHash::from_bytes([5; 32]);
    let context = SpendContext { height: Height::new(1), coin_height: Height::GENESIS, sighash: &sighash };
    let mut witness = Witness {
        policy: SpendingPolicy::Key(key(1).public_key()),
        signatures: vec![key(1).sign(&sighash)],
        preimages: vec![],
    };
    assert_eq!(witness.evaluate(&context), Ok(()));
    witness.signatures = vec![key(2).sign(&sighash)];
    assert_eq!(witness.evaluate(&context), Err(SpendError::WrongSignature { index: 0 }));
}

#[test]
fn decoding_stops_at_its_depth_limit() {
    let bytes = encode(&nested(MAX_DECODED_DEPTH));
    assert_eq!(decode::<SpendingPolicy>(&bytes, bytes.len()), Ok(nested(MAX_DECODED_DEPTH)));
    let bytes = encode(&nested(MAX_DECODED_DEPTH + 1));
    let refused = decode::<SpendingPolicy>(&bytes, bytes.len());
    assert!(matches!(refused, Err(DecodeError::Malformed { .. })), "{refused:?}");
}

#[test]
fn a_million_levels_do_not_exhaust_the_stack() {
    // One level: index 1 (threshold), required 1, one child.
    let level = [1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0];
    let bytes = level.repeat(1_000_000);
    assert!(decode::<SpendingPolicy>(&bytes, bytes.len()).is_err());
}
