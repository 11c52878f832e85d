use super::{Balance, CoinStatus, OwnedCoin};
use crate::keys::{KeyPath, Keychain};
use tally_primitives::hash::{LockHash, Txid};
use tally_primitives::transaction::OutPoint;
use tally_primitives::units::{Amount, Height};

const MATURITY: u32 = 10;
const TIP: Height = Height::new(100);

fn coin(value: u64) -> OwnedCoin {
    OwnedCoin {
        outpoint: OutPoint { txid: Txid::from_bytes([1; 32]), index: 0 },
        value: Amount::from_notches(value),
        lock: LockHash::ZERO,
        path: KeyPath { keychain: Keychain::Receive, index: 0 },
        height: Some(Height::new(50)),
        coinbase: false,
        spent_by: None,
    }
}

#[test]
fn each_coin_counts_once_and_in_the_right_part() {
    let spender = Txid::from_bytes([9; 32]);
    let change = KeyPath { keychain: Keychain::Change, index: 0 };
    let at = |height: u32| Some(Height::new(height));
    // (coin, status, spendable)
    let table = [
        (coin(1), CoinStatus::Confirmed, true),
        (OwnedCoin { height: at(100), ..coin(2) }, CoinStatus::Confirmed, true),
        (OwnedCoin { height: None, ..coin(4) }, CoinStatus::Pending, false),
        (OwnedCoin { height: None, path: change, ..coin(8) }, CoinStatus::Pending, true),
        (OwnedCoin { coinbase: true, height: at(91), ..coin(16) }, CoinStatus::Confirmed, true),
        (
            OwnedCoin { coinbase: true, height: at(92), ..coin(32) },
            CoinStatus::Immature { matures_at: Height::new(102) },
            false,
        ),
        (OwnedCoin { spent_by: Some(spender), ..coin(64) }, CoinStatus::Spent { by: spender }, false),
        (OwnedCoin { spent_by: Some(spender), height: None, ..coin(128) }, CoinStatus::Spent { by: spender }, false),
    ];
    for (coin, status, spendable) in &table {
        assert_eq!(coin.status(TIP, MATURITY), *status, "{coin:?}");
        assert_eq!(coin.is_spendable(TIP, MATURITY), *spendable, "{coin:?}");
    }
    let coins: Vec<OwnedCoin> = table.into_iter().map(|(coin, ..)| coin).collect();
    let balance = Balance::of(&coins, TIP, MATURITY).unwrap();
    assert_eq!(balance.confirmed, Amount::from_notches(1 + 2 + 16));
    assert_eq!(balance.pending, Amount::from_notches(4 + 8));
    assert_eq!(balance.immature, Amount::from_notches(32));
    assert_eq!(balance.total(), Some(Amount::from_notches(1 + 2 + 4 + 8 + 16 + 32)));
}

#[test]
fn a_sum_that_overflows_is_no_balance() {
    assert_eq!(Balance::of(&[coin(u64::MAX), coin(1)], TIP, MATURITY), None);
}
