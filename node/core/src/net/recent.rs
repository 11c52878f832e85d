//! A bounded memory of recent things: the oldest are forgotten first.

use std::collections::{BTreeSet, VecDeque};
use std::ops::RangeInclusive;

/// The last so many different items.
#[derive(Debug)]
pub struct Recent<T> {
    items: BTreeSet<T>,
    order: VecDeque<T>,
    capacity: usize,
}

impl<T: Ord + Copy> Recent<T> {
    /// Remembers up to `capacity` items.
    pub fn new(capacity: usize) -> Recent<T> {
        Recent { items: BTreeSet::new(), order: VecDeque::new(), capacity }
    }

    /// Remembers `item`; false when it was remembered already.
    pub fn insert(&mut self, item: T) -> bool {
        if !self.items.insert(item) {
            return false;
        }
        self.order.push_back(item);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.items.remove(&oldest);
        }
        true
    }

    /// Whether `item` is remembered.
    pub fn contains(&self, item: &T) -> bool {
        self.items.contains(item)
    }

    /// Forgets `item`. Its place in the order stays taken until its turn comes, so this costs no search.
    pub fn remove(&mut self, item: &T) {
        self.items.remove(item);
    }

    /// Forgets all items in a range, and no place in the order is kept for what nobody remembers at its beginning.
    pub fn remove_range(&mut self, range: RangeInclusive<T>) {
        while let Some(item) = self.items.range(range.clone()).next().copied() {
            self.items.remove(&item);
        }
        while self.order.front().is_some_and(|oldest| !self.items.contains(oldest)) {
            self.order.pop_front();
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.items.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests;
