//! Addresses: the reference implementation's, published ones of other kinds, and damaged ones.

use proptest::prelude::{any, prop, proptest};
use tally_primitives::address::{Address, AddressError, AddressPrefix};
use tally_primitives::hash::LockHash;
use tally_primitives::params::Params;

const KNOWN: &str = "tally1qqqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0ssypxlr";

fn address(prefix: &str, lock: [u8; 32]) -> Address {
    Address::new(prefix.parse().expect("a prefix"), LockHash::from_bytes(lock))
}

fn error(text: &str) -> AddressError {
    text.parse::<Address>().expect_err("no address")
}

proptest! {
    #[test]
    fn every_address_is_read_back_in_both_cases(lock in any::<[u8; 32]>(), prefix in "[a-z0-9]{1,16}") {
        let address = address(&prefix, lock);
        let text = address.to_string();
        assert_eq!(text.parse(), Ok(address.clone()));
        assert_eq!(text.to_uppercase().parse(), Ok(address.clone()));
        let json = serde_json::to_string(&address).expect("text");
        assert_eq!(serde_json::from_str::<Address>(&json).ok(), Some(address));
    }

    /// bech32m finds up to four wrong characters for certain.
    #[test]
    fn up_to_four_wrong_characters_are_found(
        lock in any::<[u8; 32]>(), wrong in prop::collection::btree_map(6usize..65, 1usize..32, 1..=4),
    ) {
        let alphabet = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
        let mut text = address("tally", lock).to_string().into_bytes();
        for (at, step) in wrong {
            let digit = alphabet.iter().position(|character| *character == text[at]).expect("a digit");
            text[at] = alphabet[(digit + step) % 32];
        }
        let text = String::from_utf8(text).expect("letters");
        assert!(matches!(error(&text), AddressError::Malformed { .. }), "{text}");
    }

    #[test]
    fn arbitrary_text_never_panics(text in ".{0,100}", tail in "[a-z0-9]{0,80}") {
        assert!(text.parse::<Address>().is_err());
        assert!(format!("tally1{tail}").parse::<Address>().is_err());
    }
}

#[test]
fn text_that_is_no_address_is_refused_with_the_reason() {
    let mixed = KNOWN.replace("qqqqs", "qqQqs");
    let cut = &KNOWN[..KNOWN.len() - 1];
    let spaced = format!(" {KNOWN}");
    let cases = [
        ("nothing", ""),
        ("a word", "alice"),
        ("no separator", "tallyqqqq"),
        ("no prefix", "1qqqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0ssypxlr"),
        ("mixed case", mixed.as_str()),
        ("cut short", cut),
        ("a space", spaced.as_str()),
        // BIP 173's: the checksum of bech32, not of bech32m.
        ("bech32", "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"),
        ("base58", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ];
    for (name, text) in cases {
        let error = error(text);
        assert!(matches!(error, AddressError::Malformed { .. }), "{name}: {error:?}");
        assert!(error.to_string().starts_with(&format!("'{text}'")), "{name}: {error}");
    }
}

#[test]
fn another_version_or_length_is_named() {
    // BIP 350's example of version 1.
    let taproot = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";
    assert_eq!(error(taproot), AddressError::UnknownVersion { text: taproot.to_owned(), version: 1 });
    // BIP 350's example of version 16 and two bytes.
    let short = "BC1SW50QGDZ25J";
    assert_eq!(error(short), AddressError::UnknownVersion { text: short.to_owned(), version: 16 });
}

#[test]
fn an_address_of_another_network_is_named_as_such() {
    for (params, prefix) in [(Params::mainnet(), "tally"), (Params::testnet(), "ttally"), (Params::devnet(), "dtally")]
    {
        for other in ["tally", "ttally", "dtally"] {
            let address = address(other, [7; 32]);
            let text = address.to_string();
            let expected = if other == prefix {
                Ok(address)
            } else {
                Err(AddressError::WrongNetwork {
                    text: text.clone(),
                    found: other.to_owned(),
                    expected: prefix.to_owned(),
                })
            };
            assert_eq!(Address::parse_for(&text, &params), expected);
        }
    }
    assert!(matches!(Address::parse_for("alice", &Params::mainnet()), Err(AddressError::Malformed { .. })));
}

#[test]
fn prefixes_are_short_and_plain() {
    for prefix in ["t", "tally", "net42", "abcdefghijklmnop"] {
        assert!(prefix.parse::<AddressPrefix>().is_ok(), "{prefix}");
    }
    for prefix in ["", "Tally", "tal ly", "tälly", "tally-x", "abcdefghijklmnopq"] {
        let expected = AddressError::BadPrefix { prefix: prefix.to_owned() };
        assert_eq!(prefix.parse::<AddressPrefix>(), Err(expected), "{prefix}");
    }
}
