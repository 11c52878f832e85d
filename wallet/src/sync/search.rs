//! The last used address of one row: a gap is asked about as a whole; where something is, halving finds the last.

use crate::keys::Keychain;
use crate::state::Row;

/// The search in one row. What is asked is only ever "is any address from here to there used?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Search {
    keychain: Keychain,
    row: Row,
    /// The last used address is below this, if `is_hit`; and the window's end.
    end: u32,
    /// The last used address is at or above this, if `is_hit`; and the window's start.
    start: u32,
    /// Whether an address of the window is known to be used.
    is_hit: bool,
}

impl Search {
    pub fn new(keychain: Keychain, row: Row) -> Search {
        Search { keychain, row, start: row.used, end: row.horizon(), is_hit: false }
    }

    pub fn keychain(&self) -> Keychain {
        self.keychain
    }

    /// How many addresses are in use, as far as known.
    pub fn used(&self) -> u32 {
        self.row.used
    }

    /// The addresses to ask about.
    pub fn range(&self) -> (u32, u32) {
        match self.is_hit {
            false => (self.start, self.end),
            true => (self.middle(), self.end),
        }
    }

    /// Takes the answer: whether any address of the range is used. Says whether the search is over.
    pub fn handle(&mut self, is_used: bool) -> bool {
        match (self.is_hit, is_used) {
            (false, false) => return true,
            (false, true) => self.is_hit = true,
            (true, true) => self.start = self.middle(),
            (true, false) => self.end = self.middle(),
        }
        if self.end - self.start == 1 {
            self.row.used = self.end;
            *self = Search::new(self.keychain, self.row);
        }
        false
    }

    fn middle(&self) -> u32 {
        self.start + (self.end - self.start) / 2
    }
}

#[cfg(test)]
mod tests;
