//! Coins and history of a fixed list of addresses, in batches, all as of one tip.

use std::collections::BTreeMap;

use tally_primitives::address::Address;
use tally_primitives::hash::{BlockHash, Txid};
use tally_primitives::transaction::OutPoint;
use tally_primitives::units::Height;
use tally_rpc::address::{AddressHistory, AddressTransaction, AddressUtxo, AddressUtxos};

use super::{Answer, Keys, MAX_ADDRESSES, MAX_RESTARTS, Request, Scope, Snapshot, SyncError};
use crate::coins::OwnedCoin;
use crate::history::Entry;

#[derive(Debug)]
pub(super) struct Collect {
    addresses: Vec<Address>,
    scope: Scope,
    restarts: u32,
    /// Requests answered: first the coins of every batch, then the history of every batch.
    done: usize,
    tip: Option<(Height, BlockHash)>,
    coins: BTreeMap<OutPoint, OwnedCoin>,
    history: BTreeMap<Txid, AddressTransaction>,
}

impl Collect {
    pub fn new(addresses: Vec<Address>, scope: Scope) -> Collect {
        Collect { addresses, scope, restarts: 0, done: 0, tip: None, coins: BTreeMap::new(), history: BTreeMap::new() }
    }

    fn batches(&self) -> usize {
        self.addresses.len().div_ceil(MAX_ADDRESSES)
    }

    pub fn request(&self) -> Option<Request> {
        let batch = |number: usize| self.addresses.chunks(MAX_ADDRESSES).nth(number).map(<[Address]>::to_vec);
        if self.done < self.batches() {
            return batch(self.done).map(Request::Coins);
        }
        match self.scope {
            Scope::History => batch(self.done - self.batches()).map(Request::History),
            Scope::Addresses | Scope::Coins => None,
        }
    }

    pub fn handle(&mut self, answer: Answer, keys: &Keys<'_>) -> Result<(), SyncError> {
        let tip = match &answer {
            Answer::Coins(coins) => (coins.height, coins.tip),
            Answer::History(history) => (history.height, history.tip),
        };
        if *self.tip.get_or_insert(tip) != tip {
            return self.restart();
        }
        match (self.request(), answer) {
            (Some(Request::Coins(_)), Answer::Coins(coins)) => self.take_coins(coins, keys)?,
            (Some(Request::History(_)), Answer::History(history)) => self.take_history(history)?,
            _ => return Err(SyncError::UnexpectedAnswer),
        }
        self.done += 1;
        Ok(())
    }

    /// Between two answers the chain moved: they may contradict each other.
    fn restart(&mut self) -> Result<(), SyncError> {
        let restarts = self.restarts + 1;
        if restarts > MAX_RESTARTS {
            return Err(SyncError::Restless { restarts });
        }
        let fresh = Collect::new(std::mem::take(&mut self.addresses), self.scope);
        *self = Collect { restarts, ..fresh };
        Ok(())
    }

    fn take_coins(&mut self, coins: AddressUtxos, keys: &Keys<'_>) -> Result<(), SyncError> {
        for utxo in coins.utxos {
            let coin = owned(utxo, keys)?;
            self.coins.insert(coin.outpoint, coin);
        }
        Ok(())
    }

    /// A transaction may concern addresses of several batches: their sums add up.
    fn take_history(&mut self, history: AddressHistory) -> Result<(), SyncError> {
        for transaction in history.transactions {
            match self.history.get_mut(&transaction.txid) {
                Some(known) => {
                    known.received = known.received.checked_add(transaction.received).ok_or(SyncError::Overflow)?;
                    known.spent = known.spent.checked_add(transaction.spent).ok_or(SyncError::Overflow)?;
                }
                None => {
                    self.history.insert(transaction.txid, transaction);
                }
            }
        }
        Ok(())
    }

    pub fn into_snapshot(self) -> Snapshot {
        let (height, tip) = self.tip.unwrap_or_default();
        let mut history: Vec<Entry> = self.history.into_values().map(Entry::from).collect();
        history.sort_by(Entry::newest_first);
        Snapshot { height, tip, coins: self.coins.into_values().collect(), history, ..Snapshot::default() }
    }
}

fn owned(utxo: AddressUtxo, keys: &Keys<'_>) -> Result<OwnedCoin, SyncError> {
    let lock = utxo.address.lock;
    let path = keys.path_of(&lock).ok_or(SyncError::ForeignCoin { address: utxo.address })?;
    Ok(OwnedCoin {
        outpoint: OutPoint { txid: utxo.txid, index: utxo.index },
        value: utxo.value,
        lock,
        path,
        height: utxo.height,
        coinbase: utxo.coinbase,
        spent_by: utxo.spent_by,
    })
}
