//! The coins cache: the coin set as the chain sees it, over a store that lags behind.
//!
//! Four layers, looked through in this order: what has changed since the last change set (`dirty`), what has been
//! handed out and may not be in the store yet (`in_flight`), coins made or asked for lately (`recent`), the store. A coin
//! that is made and spent between two change sets never leaves the first layer; one that the mempool has asked for is at
//! hand when a block spends it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tally_primitives::transaction::{Coin, OutPoint};

use crate::chain::store::{ChainStore, CoinStats, StoreError};

/// Most recent coins kept in memory, in each of two generations (about 100 bytes each).
const RECENT_COINS: usize = 32_768;

/// A coin that differs from the layers below.
#[derive(Debug, Clone, Copy)]
struct Dirty {
    below: Option<Coin>,
    now: Option<Coin>,
}

/// The coin set, seen through what has not been stored yet.
#[derive(Debug, Default)]
pub struct CoinsCache {
    dirty: BTreeMap<OutPoint, Dirty>,
    in_flight: BTreeMap<OutPoint, Option<Coin>>,
    /// Behind a lock, since asking for a coin puts it here.
    recent: Mutex<RecentCoins>,
}

/// Coins that the store has too. The younger generation takes new ones; when it is full it becomes the older, which is
/// dropped.
#[derive(Debug, Default)]
struct RecentCoins {
    generations: [BTreeMap<OutPoint, Coin>; 2],
}

impl RecentCoins {
    fn get(&self, outpoint: &OutPoint) -> Option<Coin> {
        self.generations.iter().find_map(|generation| generation.get(outpoint)).copied()
    }

    fn insert(&mut self, outpoint: OutPoint, coin: Coin) {
        let [young, old] = &mut self.generations;
        young.insert(outpoint, coin);
        if young.len() >= RECENT_COINS {
            *old = std::mem::take(young);
        }
    }

    fn remove(&mut self, outpoint: &OutPoint) {
        for generation in &mut self.generations {
            generation.remove(outpoint);
        }
    }
}

impl CoinsCache {
    /// The unspent coin at `outpoint`, if there is one.
    ///
    /// # Errors
    /// Those of the store.
    pub fn get(&self, store: &dyn ChainStore, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        if let Some(dirty) = self.dirty.get(outpoint) {
            return Ok(dirty.now);
        }
        if let Some(change) = self.in_flight.get(outpoint) {
            return Ok(*change);
        }
        if let Some(coin) = self.recent().get(outpoint) {
            return Ok(Some(coin));
        }
        let coin = store.coin(outpoint)?;
        if let Some(coin) = coin {
            self.recent().insert(*outpoint, coin);
        }
        Ok(coin)
    }

    fn recent(&self) -> MutexGuard<'_, RecentCoins> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a coin that is not in the set. It cannot be: a txid names one transaction for ever, since each spends
    /// coins that are gone afterwards, and a coinbase names its height (BLK-05).
    pub fn add(&mut self, outpoint: OutPoint, coin: Coin) {
        self.change(outpoint, None, Some(coin));
    }

    /// Takes away a coin that is in the set as `coin`.
    pub fn remove(&mut self, outpoint: OutPoint, coin: Coin) {
        self.change(outpoint, Some(coin), None);
    }

    fn change(&mut self, outpoint: OutPoint, before: Option<Coin>, now: Option<Coin>) {
        match self.dirty.entry(outpoint) {
            Entry::Vacant(vacant) => {
                if before != now {
                    vacant.insert(Dirty { below: before, now });
                }
            }
            Entry::Occupied(known) if known.get().below == now => {
                known.remove();
            }
            Entry::Occupied(mut known) => known.get_mut().now = now,
        }
    }

    /// Number of coin operations that the next change set has.
    pub fn dirty_len(&self) -> usize {
        self.dirty.len()
    }

    /// The figures of the set as it is now, given those of the last change set.
    pub fn stats(&self, sealed: CoinStats) -> CoinStats {
        self.dirty.iter().fold(sealed, |stats, (outpoint, dirty)| {
            let stats = dirty.below.map_or(stats, |coin| stats.without(outpoint, &coin));
            dirty.now.map_or(stats, |coin| stats.with(outpoint, &coin))
        })
    }

    /// Everything that has changed, for a change set. It stays visible here until [`CoinsCache::applied`].
    pub fn seal(&mut self) -> BTreeMap<OutPoint, Option<Coin>> {
        let changes: BTreeMap<_, _> =
            std::mem::take(&mut self.dirty).into_iter().map(|(outpoint, dirty)| (outpoint, dirty.now)).collect();
        self.in_flight.append(&mut changes.clone());
        changes
    }

    /// Notes that the store has all that was sealed.
    pub fn applied(&mut self) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        for (outpoint, change) in std::mem::take(&mut self.in_flight) {
            match change {
                // The younger generation is asked first.
                Some(coin) => recent.insert(outpoint, coin),
                None => recent.remove(&outpoint),
            }
        }
    }
}
