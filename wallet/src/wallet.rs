//! An open wallet: its file, its keys and its network together.

use tally_primitives::address::Address;
use tally_primitives::params::Params;

use crate::coins::{Balance, OwnedCoin};
use crate::error::WalletError;
use crate::file::{FileLock, WalletFile};
use crate::keys::{Account, Addresses, CoinType, KeyPath, Keychain};
use crate::network;
use crate::nodes::Nodes;
use crate::state::{ChangeSet, GAP_LIMIT};
use crate::sync::{Scope, Snapshot, SyncError, drive};

/// An open wallet.
#[derive(Debug)]
pub struct Wallet {
    file: WalletFile,
    account: Account,
    addresses: Addresses,
    params: Params,
}

/// An address to give to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handout {
    /// The address.
    pub address: Address,
    /// Its place.
    pub path: KeyPath,
    /// Whether so many unused addresses come before it that a wallet restored from the words would not look so far.
    pub is_beyond_gap: bool,
}

impl Wallet {
    /// Derives the keys of an open file for the network `params`.
    ///
    /// # Errors
    /// The file is another network's.
    pub fn new(file: WalletFile, params: Params) -> Result<Wallet, WalletError> {
        network::check_mark(file.mark(), &params)?;
        let account = Account::derive(&file.words().seed(""), CoinType::from(&params.address_prefix))?;
        let addresses = Addresses::new(params.address_prefix.clone());
        Ok(Wallet { file, account, addresses, params })
    }

    /// The file.
    pub fn file(&self) -> &WalletFile {
        &self.file
    }

    /// The keys.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The network.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Keeps other processes from changing the wallet or paying with it, and takes in what they did so far.
    ///
    /// # Errors
    /// Another process holds the lock, or the file is no longer this wallet's.
    pub fn lock(&mut self) -> Result<FileLock, WalletError> {
        let lock = self.file.lock()?;
        self.file.refresh(&lock)?;
        Ok(lock)
    }

    /// Asks a node for everything that `scope` names, and remembers which addresses are used.
    ///
    /// # Errors
    /// No node answers sensibly, or the file is no longer this wallet's.
    pub fn sync(&mut self, nodes: &mut Nodes, scope: Scope) -> Result<Snapshot, WalletError> {
        let snapshot = self.look(nodes, scope)?;
        self.file.remember(&snapshot.changes)?;
        Ok(snapshot)
    }

    /// [`Wallet::sync`] for a caller that holds the lock.
    ///
    /// # Errors
    /// As there.
    pub fn sync_locked(&mut self, lock: &FileLock, nodes: &mut Nodes, scope: Scope) -> Result<Snapshot, WalletError> {
        let snapshot = self.look(nodes, scope)?;
        self.file.update_locked(lock, &snapshot.changes)?;
        Ok(snapshot)
    }

    fn look(&mut self, nodes: &mut Nodes, scope: Scope) -> Result<Snapshot, WalletError> {
        Ok(drive::run(&self.account, &mut self.addresses, *self.file.state(), scope, nodes)?)
    }

    /// The address to show: the first that was never paid, so the same one until it is.
    ///
    /// # Errors
    /// Only of key derivation.
    pub fn unused_address(&mut self) -> Result<Handout, WalletError> {
        let index = self.file.state().receive.next_unused();
        let handout = self.handout(index)?;
        self.file.remember(&ChangeSet::revealed(Keychain::Receive, index.saturating_add(1)))?;
        Ok(handout)
    }

    /// An address that was never shown before.
    ///
    /// # Errors
    /// The file cannot be written: then the address must not be given out.
    pub fn new_address(&mut self) -> Result<Handout, WalletError> {
        // Under the lock: two processes must not give out the same one.
        let lock = self.lock()?;
        let index = self.file.state().receive.next_new();
        let handout = self.handout(index)?;
        self.file.update_locked(&lock, &ChangeSet::revealed(Keychain::Receive, index.saturating_add(1)))?;
        Ok(handout)
    }

    fn handout(&mut self, index: u32) -> Result<Handout, WalletError> {
        let path = KeyPath { keychain: Keychain::Receive, index };
        let is_beyond_gap = index >= self.file.state().receive.used.saturating_add(GAP_LIMIT);
        Ok(Handout { address: self.addresses.address(&self.account, path)?, path, is_beyond_gap })
    }

    /// The next address for change.
    ///
    /// # Errors
    /// Only of key derivation.
    pub fn change_address(&mut self) -> Result<Handout, WalletError> {
        let path = KeyPath { keychain: Keychain::Change, index: self.file.state().change.next_new() };
        Ok(Handout { address: self.addresses.address(&self.account, path)?, path, is_beyond_gap: false })
    }

    /// Remembers that a change address was used, so that the next payment takes another.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn use_change_address(&mut self, lock: &FileLock, path: KeyPath) -> Result<(), WalletError> {
        self.file.update_locked(lock, &ChangeSet::revealed(path.keychain, path.index.saturating_add(1)))?;
        Ok(())
    }

    /// The address of a coin.
    ///
    /// # Errors
    /// Only of key derivation.
    pub fn address_of(&mut self, coin: &OwnedCoin) -> Result<Address, WalletError> {
        Ok(self.addresses.address(&self.account, coin.path)?)
    }

    /// What the coins of a snapshot amount to.
    ///
    /// # Errors
    /// Amounts that no chain can have.
    pub fn balance(&self, snapshot: &Snapshot) -> Result<Balance, WalletError> {
        let balance = Balance::of(&snapshot.coins, snapshot.height, self.params.coinbase_maturity);
        Ok(balance.ok_or(SyncError::Overflow)?)
    }

    /// The coins that may be spent now.
    pub fn spendable(&self, snapshot: &Snapshot) -> Vec<OwnedCoin> {
        let maturity = self.params.coinbase_maturity;
        snapshot.coins.iter().filter(|coin| coin.is_spendable(snapshot.height, maturity)).cloned().collect()
    }
}
