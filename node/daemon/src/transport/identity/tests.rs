//! The key is made once, kept, and never replaced by accident.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::{KEY_FILE, NodeId, NodeKey};

/// RFC 7748, section 6.1: Alice's and Bob's keys.
#[test]
fn the_identity_is_the_public_key_of_curve25519() {
    let published = [
        (
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        ),
        (
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        ),
    ];
    for (private, public) in published {
        let mut bytes = [0; 32];
        hex::decode_to_slice(private, &mut bytes).unwrap();
        assert_eq!(NodeKey::from_private(bytes).unwrap().id().to_string(), public);
    }
}

#[test]
fn the_key_is_made_on_the_first_start_and_private() {
    let directory = TempDir::new().unwrap();
    let first = NodeKey::open(directory.path()).unwrap();
    let again = NodeKey::open(directory.path()).unwrap();
    assert_eq!(first.id(), again.id());
    assert_ne!(first.id(), NodeKey::generate().unwrap().id());
    let path = directory.path().join(KEY_FILE);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!format!("{first:?}").contains(text.trim()), "the private half is not shown");
}

#[test]
fn a_damaged_key_is_named_and_stays() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join(KEY_FILE);
    for content in ["", "abc", &"zz".repeat(32), &"ab".repeat(33)] {
        std::fs::write(&path, content).unwrap();
        let error = NodeKey::open(directory.path()).unwrap_err();
        assert!(error.message.contains(KEY_FILE) && error.hint.is_some(), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn identities_are_64_digits() {
    let id = NodeKey::generate().unwrap().id();
    assert_eq!(id.to_string().parse::<NodeId>(), Ok(id));
    for wrong in ["", "abcd", &"g".repeat(64), &"a".repeat(63)] {
        assert_eq!(wrong.parse::<NodeId>().unwrap_err().text, wrong);
    }
}
