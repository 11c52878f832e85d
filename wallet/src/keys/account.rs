//! The account `m/86'/coin'/0'`: public keys without touching a secret, secret keys one at a time.

use core::fmt;

use bip32::{ChildNumber, XPrv, XPub};
use tally_primitives::keys::{PublicKey, SecretKey};
use tally_primitives::spending::SpendingPolicy;
use zeroize::Zeroizing;

use super::path::{CoinType, KeyPath, Keychain};
use super::words::Seed;

/// BIP 86: single keys that sign with Schnorr. (A Tallystick key is used as it is, without Taproot's tweak.)
const PURPOSE: u32 = 86;

/// A key that cannot be derived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// An index of 2^31 or more.
    #[error("there is no key {path}: indexes end at 2147483647")]
    IndexOutOfRange {
        /// The path asked for.
        path: KeyPath,
    },
    /// BIP 32 leaves a hole about once in 2^127 keys.
    #[error("the words have no key at this place of the tree (BIP 32 allows for that, once in 2^127): make others")]
    NoSuchKey,
}

/// The keys of one account. The secret keys are erased when dropped, by the `bip32` crate's own types; the chain codes
/// are not, which without a key give nothing away but addresses.
pub struct Account {
    receive: Row,
    change: Row,
}

/// One keychain, secret and public, so that children need one step only.
struct Row {
    secret: XPrv,
    public: XPub,
}

impl Account {
    /// Derives the account of a seed.
    ///
    /// # Errors
    /// Only the hole of BIP 32.
    pub fn derive(seed: &Seed, coin: CoinType) -> Result<Account, KeysError> {
        let mut key = XPrv::new(seed.as_bytes()).map_err(|_| KeysError::NoSuchKey)?;
        for number in [PURPOSE, coin.number(), 0] {
            key = child(&key, number, true)?;
        }
        let row = |keychain: Keychain| {
            let secret = child(&key, keychain.number(), false)?;
            Ok(Row { public: secret.public_key(), secret })
        };
        Ok(Account { receive: row(Keychain::Receive)?, change: row(Keychain::Change)? })
    }

    fn row(&self, keychain: Keychain) -> &Row {
        match keychain {
            Keychain::Receive => &self.receive,
            Keychain::Change => &self.change,
        }
    }

    /// The public key at `path`, derived without any secret.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn public_key(&self, path: KeyPath) -> Result<PublicKey, KeysError> {
        let number = ChildNumber::new(path.index, false).map_err(|_| KeysError::IndexOutOfRange { path })?;
        let key = self.row(path.keychain).public.derive_child(number).map_err(|_| KeysError::NoSuchKey)?;
        // A compressed point is its sign and then the x coordinate, which alone is the BIP 340 key.
        let [_, x @ ..] = key.to_bytes();
        Ok(PublicKey::from_bytes(x))
    }

    /// The policy that locks coins to the key at `path`.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn policy(&self, path: KeyPath) -> Result<SpendingPolicy, KeysError> {
        self.public_key(path).map(SpendingPolicy::Key)
    }

    /// The secret key at `path`.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn secret_key(&self, path: KeyPath) -> Result<SecretKey, KeysError> {
        if path.index >= ChildNumber::HARDENED_FLAG {
            return Err(KeysError::IndexOutOfRange { path });
        }
        let key = child(&self.row(path.keychain).secret, path.index, false)?;
        let bytes = Zeroizing::new(key.to_bytes());
        SecretKey::from_bytes(&bytes).map_err(|_| KeysError::NoSuchKey)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(…)")
    }
}

fn child(key: &XPrv, number: u32, hardened: bool) -> Result<XPrv, KeysError> {
    let number = ChildNumber::new(number, hardened).map_err(|_| KeysError::NoSuchKey)?;
    key.derive_child(number).map_err(|_| KeysError::NoSuchKey)
}
