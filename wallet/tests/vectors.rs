//! The published vectors of BIP 39 and BIP 32, against the crates and types that the wallet uses.

use bip32::{DerivationPath, Prefix, XPrv, XPub};
use tally_wallet::keys::Words;

fn rows(text: &'static str) -> Vec<Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('|').map(str::trim).collect())
        .collect()
}

#[test]
fn bip_39_english() {
    let rows = rows(include_str!("vectors/bip39-english.txt"));
    assert_eq!(rows.len(), 24);
    for row in rows {
        let [entropy, words, seed] = row[..] else { panic!("a row has three fields: {row:?}") };
        let made = Words::from_entropy(&hex::decode(entropy).unwrap()).unwrap();
        assert_eq!(*made.reveal(), words);
        let read = Words::parse(words).unwrap();
        assert_eq!(hex::encode(read.seed("TREZOR").as_bytes()), seed);
    }
}

#[test]
fn bip_32() {
    let rows = rows(include_str!("vectors/bip32.txt"));
    assert_eq!(rows.len(), 17);
    for row in rows {
        let [seed, path, secret, public] = row[..] else { panic!("a row has four fields: {row:?}") };
        let path: DerivationPath = path.parse().unwrap();
        let key = XPrv::derive_from_path(&hex::decode(seed).unwrap(), &path).unwrap();
        assert_eq!(*key.to_string(Prefix::XPRV), secret);
        assert_eq!(key.public_key().to_string(Prefix::XPUB), public);
    }
}

#[test]
fn bip_32_public_derivation_gives_the_same_children() {
    // Vector 2 has steps that are not hardened: m -> m/0 can be taken from the public key alone.
    let rows = rows(include_str!("vectors/bip32.txt"));
    let public_at = |seed: &str, path: &str| -> XPub {
        let row = rows.iter().find(|row| row[0].starts_with(seed) && row[1] == path).unwrap();
        row[3].parse().unwrap()
    };
    let child = public_at("fffcf9f6", "m").derive_child(bip32::ChildNumber(0)).unwrap();
    assert_eq!(child, public_at("fffcf9f6", "m/0"));
}
