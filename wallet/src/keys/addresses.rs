//! The wallet's addresses, derived once and found again by their lock.

use std::collections::BTreeMap;

use tally_primitives::address::{Address, AddressPrefix};
use tally_primitives::hash::LockHash;

use super::account::{Account, KeysError};
use super::path::{KeyPath, Keychain};

/// Every address derived so far, in both directions.
#[derive(Debug)]
pub struct Addresses {
    prefix: AddressPrefix,
    receive: Vec<LockHash>,
    change: Vec<LockHash>,
    paths: BTreeMap<LockHash, KeyPath>,
}

impl Addresses {
    /// None yet, for the network with this prefix.
    pub fn new(prefix: AddressPrefix) -> Addresses {
        Addresses { prefix, receive: Vec::new(), change: Vec::new(), paths: BTreeMap::new() }
    }

    /// The lock of the key at `path`.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn lock(&mut self, account: &Account, path: KeyPath) -> Result<LockHash, KeysError> {
        let row = match path.keychain {
            Keychain::Receive => &mut self.receive,
            Keychain::Change => &mut self.change,
        };
        let wanted = usize::try_from(path.index).map_err(|_| KeysError::IndexOutOfRange { path })?;
        while row.len() <= wanted {
            let index = u32::try_from(row.len()).map_err(|_| KeysError::IndexOutOfRange { path })?;
            let next = KeyPath { keychain: path.keychain, index };
            let lock = account.policy(next)?.hash();
            row.push(lock);
            self.paths.insert(lock, next);
        }
        Ok(row[wanted])
    }

    /// The address of the key at `path`.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn address(&mut self, account: &Account, path: KeyPath) -> Result<Address, KeysError> {
        let lock = self.lock(account, path)?;
        Ok(Address::new(self.prefix.clone(), lock))
    }

    /// Whose lock this is; `None` when it is not the wallet's, or not derived yet.
    pub fn path_of(&self, lock: &LockHash) -> Option<KeyPath> {
        self.paths.get(lock).copied()
    }
}
