use tally_primitives::address::Address;
use tally_primitives::hash::LockHash;
use tally_primitives::params::Params;

use super::User;
use crate::mining::stratum::error::UserError;

const OWN: LockHash = LockHash::from_bytes([9; 32]);

fn parse(name: &str) -> Result<User, UserError> {
    User::parse(name, &Params::testnet(), Some(OWN))
}

#[test]
fn an_address_is_paid_whatever_the_worker_is_called() {
    let address = Address::new(Params::testnet().address_prefix, LockHash::from_bytes([1; 32]));
    for name in
        [address.to_string(), format!("{address}.rig-1"), address.to_string().to_uppercase(), format!("{address}.a.b")]
    {
        let user = parse(&name).unwrap();
        assert_eq!((user.payout.lock, user.is_own, user.name), (address.lock, false, name));
    }
}

#[test]
fn without_an_address_the_node_is_paid_or_the_name_refused() {
    for name in ["", "x", "rig1", "x.rig1", ".rig", "tally", "a_b"] {
        let user = parse(name).unwrap();
        assert_eq!((user.payout.lock, user.is_own), (OWN, true), "{name}");
        assert_eq!(User::parse(name, &Params::testnet(), None), Err(UserError::NoAddress));
    }
}

#[test]
fn what_might_be_an_address_must_be_one() {
    let other = Address::new(Params::devnet().address_prefix, OWN).to_string();
    let ours = Address::new(Params::testnet().address_prefix, OWN).to_string();
    let mistyped = ours.replace("ttally1q", "ttally1p");
    let bitcoins = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    for name in [&other, &mistyped, &ours[..20], bitcoins, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "TALLY1X"] {
        assert!(matches!(parse(name), Err(UserError::BadAddress { .. })), "{name}");
    }
    assert!(parse(&other).unwrap_err().to_string().contains("another network"));
}

#[test]
fn odd_names_are_refused() {
    for name in ["a b", "x.a\u{1b}[31m", "\u{0}", "x.é"] {
        assert_eq!(parse(name), Err(UserError::BadWorker), "{name}");
    }
    assert_eq!(parse(&format!("x.{}", "w".repeat(65))), Err(UserError::BadWorker));
    assert_eq!(parse(&"w".repeat(161)), Err(UserError::TooLong));
}
