//! Where a key sits in the tree: `m/86'/coin'/0'/keychain/index`.

use core::fmt;

use serde::{Deserialize, Serialize};
use tally_primitives::address::AddressPrefix;

/// Addresses that begin with this hold real money (SPEC, section 3).
const MAINNET_PREFIX: &str = "tally";

/// The coin's number in the path (SLIP 44). Wallets of different networks from the same words share no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoinType(u32);

impl CoinType {
    /// Real money: 9740, the network's port. It is not registered with SLIP 44; no registered coin has it.
    pub const MAINNET: CoinType = CoinType(9740);
    /// Every test network, as SLIP 44 has it.
    pub const TESTNETS: CoinType = CoinType(1);

    /// Another coin's number, for vectors that other wallets publish.
    pub const fn new(number: u32) -> CoinType {
        CoinType(number)
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl From<&AddressPrefix> for CoinType {
    fn from(prefix: &AddressPrefix) -> CoinType {
        match prefix.as_str() {
            MAINNET_PREFIX => CoinType::MAINNET,
            _ => CoinType::TESTNETS,
        }
    }
}

/// The two rows of keys in an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keychain {
    /// Addresses given to others.
    Receive,
    /// Addresses for the wallet's own change. Nobody else ever sees one before it is paid.
    Change,
}

impl Keychain {
    /// Both.
    pub const ALL: [Keychain; 2] = [Keychain::Receive, Keychain::Change];

    /// The number in the path.
    pub const fn number(self) -> u32 {
        match self {
            Keychain::Receive => 0,
            Keychain::Change => 1,
        }
    }
}

/// One key's place below the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath {
    /// Which row.
    pub keychain: Keychain,
    /// The position in it, from 0 and below 2^31.
    pub index: u32,
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.keychain.number(), self.index)
    }
}
