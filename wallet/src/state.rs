//! What a wallet remembers besides its words: how far each row of addresses has been given out and used. All of it
//! can be found again from the words and a node; remembering it saves time and avoids giving an address twice.
//!
//! State changes only by change sets, and change sets only ever raise numbers. So they can be merged in any order, and
//! two processes that write one after another lose nothing.

use serde::{Deserialize, Serialize};

use crate::keys::Keychain;

/// After so many unused addresses in a row a wallet stops looking (BIP 44).
pub const GAP_LIMIT: u32 = 20;

/// How far one row of addresses is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Addresses up to the last one that has ever been paid.
    pub used: u32,
    /// Addresses up to the last one that was given out.
    pub revealed: u32,
}

impl Row {
    /// The first address that was never paid and that no later one has overtaken: what `wallet address` shows.
    pub fn next_unused(self) -> u32 {
        self.used
    }

    /// The first address that was never given out either.
    pub fn next_new(self) -> u32 {
        self.used.max(self.revealed)
    }

    /// Where looking for payments must end: a gap beyond everything known.
    pub fn horizon(self) -> u32 {
        self.next_new().saturating_add(GAP_LIMIT)
    }
}

/// What a wallet remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Addresses for others.
    pub receive: Row,
    /// Addresses for change.
    pub change: Row,
}

impl State {
    /// One row.
    pub fn row(&self, keychain: Keychain) -> Row {
        match keychain {
            Keychain::Receive => self.receive,
            Keychain::Change => self.change,
        }
    }

    /// Takes the changes in. Says whether anything is different now.
    pub fn apply(&mut self, changes: &ChangeSet) -> bool {
        let before = *self;
        for (row, change) in [(&mut self.receive, changes.0.receive), (&mut self.change, changes.0.change)] {
            row.used = row.used.max(change.used);
            row.revealed = row.revealed.max(change.revealed);
        }
        *self != before
    }
}

/// New knowledge for a [`State`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeSet(State);

impl ChangeSet {
    /// A payment was seen: the first `used` addresses of the row are in use.
    pub fn used(keychain: Keychain, used: u32) -> ChangeSet {
        ChangeSet::of(keychain, Row { used, revealed: 0 })
    }

    /// The first `revealed` addresses of the row have been given out.
    pub fn revealed(keychain: Keychain, revealed: u32) -> ChangeSet {
        ChangeSet::of(keychain, Row { used: 0, revealed })
    }

    fn of(keychain: Keychain, row: Row) -> ChangeSet {
        let mut state = State::default();
        match keychain {
            Keychain::Receive => state.receive = row,
            Keychain::Change => state.change = row,
        }
        ChangeSet(state)
    }

    /// Both changes in one.
    pub fn merge(&mut self, other: &ChangeSet) {
        self.0.apply(other);
    }
}

impl From<State> for ChangeSet {
    /// Everything that another copy of the state knows.
    fn from(state: State) -> ChangeSet {
        ChangeSet(state)
    }
}

#[cfg(test)]
mod tests;
