use std::collections::BTreeSet;

use super::{Answer, Keys, MAX_ADDRESSES, Request, Scope, Snapshot, Sync, SyncError};
use crate::keys::{Account, Addresses, CoinType, KeyPath, Keychain, Words};
use crate::state::{ChangeSet, GAP_LIMIT, Row, State};
use tally_primitives::address::Address;
use tally_primitives::hash::{BlockHash, Txid};
use tally_primitives::params::Params;
use tally_primitives::units::{Amount, Height};
use tally_rpc::address::{AddressHistory, AddressTransaction, AddressUtxo, AddressUtxos};

fn account() -> Account {
    Account::derive(&Words::from_entropy(&[6; 16]).unwrap().seed(""), CoinType::TESTNETS).unwrap()
}

fn addresses() -> Addresses {
    Addresses::new(Params::devnet().address_prefix)
}

/// A node that knows one coin of 100 notches for each used address, made by one transaction each.
#[derive(Default)]
struct FakeNode {
    used: Vec<Address>,
    requests: Vec<Request>,
    /// After so many requests there is another tip.
    moves_after: BTreeSet<usize>,
    tip: u8,
}

impl FakeNode {
    fn new(account: &Account, used: &[(Keychain, u32)]) -> FakeNode {
        let mut addresses = addresses();
        let address =
            |&(keychain, index): &(Keychain, u32)| addresses.address(account, KeyPath { keychain, index }).unwrap();
        FakeNode { used: used.iter().map(address).collect(), ..FakeNode::default() }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        self.requests.push(request.clone());
        if self.moves_after.contains(&self.requests.len()) {
            self.tip += 1;
        }
        let (height, tip) = (Height::new(100 + u32::from(self.tip)), BlockHash::from_bytes([self.tip; 32]));
        let asked = |addresses: &[Address]| -> Vec<(u8, Address)> {
            let numbered = (1..).zip(self.used.iter().cloned());
            numbered.filter(|(_, address)| addresses.contains(address)).collect()
        };
        match request {
            Request::Coins(addresses) => {
                let coin = |(number, address)| AddressUtxo {
                    txid: Txid::from_bytes([number; 32]),
                    index: 0,
                    address,
                    value: Amount::from_notches(100),
                    height: Some(Height::new(5)),
                    coinbase: false,
                    spent_by: None,
                };
                Answer::Coins(AddressUtxos { height, tip, utxos: asked(addresses).into_iter().map(coin).collect() })
            }
            Request::History(addresses) => {
                let transaction = |received: u64| AddressTransaction {
                    // One and the same transaction pays everybody.
                    txid: Txid::from_bytes([9; 32]),
                    height: Some(Height::new(5)),
                    block_hash: Some(BlockHash::ZERO),
                    time: 1,
                    received: Amount::from_notches(received),
                    spent: Amount::ZERO,
                    fee: Amount::ZERO,
                    confirmations: 1,
                };
                let paid = asked(addresses).len() as u64;
                let transactions = (paid > 0).then(|| transaction(100 * paid)).into_iter().collect();
                Answer::History(AddressHistory { height, tip, transactions })
            }
        }
    }
}

fn run(node: &mut FakeNode, state: State, scope: Scope) -> Result<Snapshot, SyncError> {
    let (account, mut addresses) = (account(), addresses());
    let mut sync = Sync::new(&account, &mut addresses, state, scope);
    while let Some(request) = sync.poll_request()? {
        sync.handle_answer(node.answer(&request))?;
    }
    Ok(sync.finish())
}

#[test]
fn finds_coins_in_both_rows_across_gaps() {
    let last = GAP_LIMIT - 1;
    let used =
        [(Keychain::Receive, 0), (Keychain::Receive, last), (Keychain::Receive, 2 * last), (Keychain::Change, 3)];
    let mut node = FakeNode::new(&account(), &used);
    let snapshot = run(&mut node, State::default(), Scope::History).unwrap();
    let mut found: Vec<(Keychain, u32)> =
        snapshot.coins.iter().map(|coin| (coin.path.keychain, coin.path.index)).collect();
    found.sort();
    assert_eq!(found, used);
    let mut state = State::default();
    state.apply(&snapshot.changes);
    assert_eq!((state.receive.used, state.change.used), (2 * last + 1, 4));
    assert_eq!(snapshot.height, Height::new(100));
    assert_eq!(snapshot.history.len(), 1);
    assert_eq!(snapshot.history[0].net.to_notches(), 400);
}

#[test]
fn a_wallet_that_is_up_to_date_asks_three_times() {
    let mut node = FakeNode::new(&account(), &[(Keychain::Receive, 0)]);
    let state = State { receive: Row { used: 1, revealed: 1 }, change: Row::default() };
    let snapshot = run(&mut node, state, Scope::Coins).unwrap();
    assert_eq!(node.requests.len(), 3);
    assert_eq!(snapshot.changes, ChangeSet::used(Keychain::Receive, 1));
    assert_eq!(snapshot.coins.len(), 1);
    let mut node = FakeNode::default();
    run(&mut node, state, Scope::Addresses).unwrap();
    assert_eq!(node.requests.len(), 2);
}

#[test]
fn many_addresses_go_in_batches_and_their_sums_add_up() {
    let far = u32::try_from(MAX_ADDRESSES).unwrap() + 50;
    let used = [(Keychain::Receive, 0), (Keychain::Receive, far), (Keychain::Change, 0)];
    let mut node = FakeNode::new(&account(), &used);
    let state = State { receive: Row { used: far + 1, revealed: far + 1 }, change: Row::default() };
    let snapshot = run(&mut node, state, Scope::History).unwrap();
    assert_eq!(snapshot.coins.len(), 3);
    // The one transaction shows in two batches; it is one entry with the whole sum.
    assert_eq!(snapshot.history.len(), 1);
    assert_eq!(snapshot.history[0].net.to_notches(), 300);
    let is_small = |request: &Request| match request {
        Request::Coins(addresses) | Request::History(addresses) => addresses.len() <= MAX_ADDRESSES,
    };
    assert!(node.requests.iter().all(is_small));
}

#[test]
fn a_chain_that_moves_meanwhile_makes_it_start_again() {
    let used = [(Keychain::Receive, 0)];
    let mut node = FakeNode::new(&account(), &used);
    let state = State { receive: Row { used: 1, revealed: 1 }, change: Row::default() };
    // Two requests of the search, coins, and then the history under another tip.
    node.moves_after = BTreeSet::from([4]);
    let snapshot = run(&mut node, state, Scope::History).unwrap();
    assert_eq!((snapshot.height, snapshot.tip), (Height::new(101), BlockHash::from_bytes([1; 32])));
    assert_eq!((snapshot.coins.len(), snapshot.history.len()), (1, 1));
    assert_eq!(node.requests.len(), 6);
    let mut restless = FakeNode::new(&account(), &used);
    restless.moves_after = (1..200).collect();
    assert!(matches!(run(&mut restless, state, Scope::History).unwrap_err(), SyncError::Restless { .. }));
}

#[test]
fn nonsense_is_refused() {
    let (account, mut addresses) = (account(), addresses());
    let stranger = Address::new(Params::devnet().address_prefix, tally_primitives::hash::LockHash::from_bytes([1; 32]));
    let utxo = AddressUtxo {
        txid: Txid::ZERO,
        index: 0,
        address: stranger.clone(),
        value: Amount::ONE_TALLY,
        height: None,
        coinbase: false,
        spent_by: None,
    };
    let coins = AddressUtxos { height: Height::GENESIS, tip: BlockHash::ZERO, utxos: vec![utxo] };
    let history = AddressHistory { height: Height::GENESIS, tip: BlockHash::ZERO, transactions: Vec::new() };
    let mut sync = Sync::new(&account, &mut addresses, State::default(), Scope::Coins);
    assert!(matches!(sync.handle_answer(Answer::Coins(coins.clone())), Err(SyncError::UnexpectedAnswer)));
    for _ in 0..2 {
        sync.poll_request().unwrap();
        sync.handle_answer(Answer::History(history.clone())).unwrap();
    }
    let error = sync.handle_answer(Answer::Coins(coins)).unwrap_err();
    assert!(matches!(error, SyncError::ForeignCoin { address } if address == stranger));
    assert!(matches!(sync.handle_answer(Answer::History(history)), Err(SyncError::UnexpectedAnswer)));
    // Only what was derived is known.
    let keys = Keys { account: &account, addresses: &mut addresses };
    assert_eq!(keys.path_of(&stranger.lock), None);
}
