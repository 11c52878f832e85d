use super::{Account, Addresses, CoinType, KeyPath, Keychain, KeysError, WordCount, Words, WordsError};
use tally_primitives::hash::SigHash;
use tally_primitives::params::Params;

const ABANDON: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

fn account(coin: CoinType) -> Account {
    Account::derive(&Words::parse(ABANDON).unwrap().seed(""), coin).unwrap()
}

const fn path(keychain: Keychain, index: u32) -> KeyPath {
    KeyPath { keychain, index }
}

#[test]
fn internal_keys_of_bip_86() {
    // BIP 86, "Test vectors": m/86'/0'/0'/0/0, m/86'/0'/0'/0/1 and m/86'/0'/0'/1/0, before Taproot's tweak.
    let account = account(CoinType::new(0));
    let vectors = [
        (Keychain::Receive, 0, "cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115"),
        (Keychain::Receive, 1, "83dfe85a3151d2517290da461fe2815591ef69f2b18a2ce63f01697a8b313145"),
        (Keychain::Change, 0, "399f1b2f4393f29a18c937859c5dd8a77350103157eb880f02e8c08214277cef"),
    ];
    for (keychain, index, key) in vectors {
        let path = path(keychain, index);
        assert_eq!(account.public_key(path).unwrap().to_string(), key, "{path}");
    }
}

#[test]
fn secret_and_public_derivation_agree() {
    let account = account(CoinType::TESTNETS);
    let message = SigHash::from_bytes([7; 32]);
    for keychain in Keychain::ALL {
        for index in [0, 1, 19, 1_000, 0x7fff_ffff] {
            let path = path(keychain, index);
            let secret = account.secret_key(path).unwrap();
            let public = account.public_key(path).unwrap();
            assert_eq!(secret.public_key(), public, "{path}");
            assert!(public.verify(&message, &secret.sign(&message)), "{path}");
        }
    }
}

#[test]
fn hardened_indexes_are_refused() {
    let account = account(CoinType::TESTNETS);
    let path = path(Keychain::Receive, 1 << 31);
    assert_eq!(account.public_key(path), Err(KeysError::IndexOutOfRange { path }));
    assert_eq!(account.secret_key(path).unwrap_err(), KeysError::IndexOutOfRange { path });
}

#[test]
fn networks_share_no_key() {
    let path = path(Keychain::Receive, 0);
    let mainnet = CoinType::from(&Params::mainnet().address_prefix);
    let testnet = CoinType::from(&Params::testnet().address_prefix);
    assert_eq!((mainnet, testnet), (CoinType::MAINNET, CoinType::TESTNETS));
    assert_ne!(account(mainnet).public_key(path).unwrap(), account(testnet).public_key(path).unwrap());
}

#[test]
fn addresses_are_found_by_lock_once_derived() {
    let account = account(CoinType::TESTNETS);
    let mut addresses = Addresses::new(Params::devnet().address_prefix);
    let third = path(Keychain::Receive, 2);
    let lock = account.policy(third).unwrap().hash();
    assert_eq!(addresses.path_of(&lock), None);
    let address = addresses.address(&account, third).unwrap();
    assert_eq!(address.lock, lock);
    assert!(address.to_string().starts_with("dtally1"), "{address}");
    assert_eq!(addresses.path_of(&lock), Some(third));
    let change = addresses.lock(&account, path(Keychain::Change, 2)).unwrap();
    assert_ne!(change, lock);
}

#[test]
fn words_are_read_as_people_write_them() {
    let untidy = format!("  {}\n", ABANDON.to_uppercase().replace(' ', "\t "));
    assert_eq!(*Words::parse(&untidy).unwrap().reveal(), ABANDON);
}

#[test]
fn wrong_words_are_named_by_position_only() {
    let cases = [
        ("", WordsError::Count { count: 0 }),
        ("abandon abandon", WordsError::Count { count: 2 }),
        (&ABANDON.replacen("abandon", "hunter2", 1), WordsError::Unknown { position: 1 }),
        (&ABANDON.replace("about", "abandon"), WordsError::Checksum),
        (&ABANDON.replace("about", "äbout"), WordsError::Unknown { position: 12 }),
    ];
    for (text, expected) in cases {
        let error = Words::parse(text).unwrap_err();
        assert_eq!(error, expected, "{text}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn generated_words_differ_and_read_back() {
    for (count, words) in [(WordCount::Twelve, 12), (WordCount::TwentyFour, 24)] {
        let first = Words::generate(count).unwrap().reveal();
        let second = Words::generate(count).unwrap().reveal();
        assert_ne!(first, second);
        assert_eq!(first.split(' ').count(), words);
        assert_eq!(Words::parse(&first).unwrap().reveal(), first);
    }
}

#[test]
fn debugging_text_holds_no_secret() {
    let words = Words::parse(ABANDON).unwrap();
    let seed = words.seed("");
    assert_eq!(format!("{words:?} {seed:?} {:?}", account(CoinType::TESTNETS)), "Words(…) Seed(…) Account(…)");
}
