//! The wallet's coins, and what each of them counts for.

use tally_primitives::hash::{LockHash, Txid};
use tally_primitives::transaction::{OutPoint, Output};
use tally_primitives::units::{Amount, Height};

use crate::keys::{KeyPath, Keychain};

/// A coin that one of the wallet's keys can spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedCoin {
    /// Which output it is.
    pub outpoint: OutPoint,
    /// Its value.
    pub value: Amount,
    /// The hash of the policy that locks it.
    pub lock: LockHash,
    /// The key that spends it.
    pub path: KeyPath,
    /// The block that confirmed it; `None` in the mempool.
    pub height: Option<Height>,
    /// Whether a coinbase made it.
    pub coinbase: bool,
    /// The mempool transaction that spends it, if there is one.
    pub spent_by: Option<Txid>,
}

/// What a coin counts for at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoinStatus {
    /// In a block, and spendable.
    Confirmed,
    /// In the mempool.
    Pending,
    /// A coinbase's, not spendable in the next block.
    Immature {
        /// The height of the first block that may spend it.
        matures_at: Height,
    },
    /// A mempool transaction spends it.
    Spent {
        /// That transaction.
        by: Txid,
    },
}

impl OwnedCoin {
    /// The coin's status above a tip of height `tip`, on a network where coinbases mature after `maturity` blocks.
    pub fn status(&self, tip: Height, maturity: u32) -> CoinStatus {
        if let Some(by) = self.spent_by {
            return CoinStatus::Spent { by };
        }
        let Some(height) = self.height else {
            return CoinStatus::Pending;
        };
        // The next block is the first that could spend it.
        let matures_at = height.saturating_add(maturity);
        if self.coinbase && tip.next() < matures_at {
            return CoinStatus::Immature { matures_at };
        }
        CoinStatus::Confirmed
    }

    /// Whether `send` may use the coin: confirmed, or the wallet's own change on its way. What others have sent is not
    /// used before it is confirmed, because they can still replace it.
    pub fn is_spendable(&self, tip: Height, maturity: u32) -> bool {
        match self.status(tip, maturity) {
            CoinStatus::Confirmed => true,
            CoinStatus::Pending => self.path.keychain == Keychain::Change,
            CoinStatus::Immature { .. } | CoinStatus::Spent { .. } => false,
        }
    }

    /// The output that the coin is.
    pub fn output(&self) -> Output {
        Output { value: self.value, lock: self.lock }
    }
}

/// What a wallet holds. The three parts do not overlap; a coin that a mempool transaction spends is in none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Coins in blocks that can be spent in the next block.
    pub confirmed: Amount,
    /// Outputs to this wallet in the mempool: payments from others and the wallet's own change. A payment that the
    /// wallet sends takes the coins it spends out of `confirmed` at once, and its change shows here until a block
    /// has it.
    pub pending: Amount,
    /// Coinbases' coins that must still mature.
    pub immature: Amount,
}

impl Balance {
    /// Adds `coins` up. `None` if the sum overflows, which no honest node's coins do.
    pub fn of(coins: &[OwnedCoin], tip: Height, maturity: u32) -> Option<Balance> {
        let mut balance = Balance::default();
        for coin in coins {
            let part = match coin.status(tip, maturity) {
                CoinStatus::Confirmed => &mut balance.confirmed,
                CoinStatus::Pending => &mut balance.pending,
                CoinStatus::Immature { .. } => &mut balance.immature,
                CoinStatus::Spent { .. } => continue,
            };
            *part = part.checked_add(coin.value)?;
        }
        Some(balance)
    }

    /// Everything. `None` if the sum overflows.
    pub fn total(&self) -> Option<Amount> {
        Amount::checked_sum([self.confirmed, self.pending, self.immature])
    }
}

#[cfg(test)]
mod tests;
