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
mod tests {
    use super::{ChangeSet, GAP_LIMIT, Row, State};
    use crate::keys::Keychain;

    #[test]
    fn change_sets_commute_and_never_lower_a_number() {
        let changes = [
            ChangeSet::used(Keychain::Receive, 3),
            ChangeSet::revealed(Keychain::Receive, 7),
            ChangeSet::used(Keychain::Receive, 2),
            ChangeSet::revealed(Keychain::Change, 1),
        ];
        let mut forward = State::default();
        changes.iter().for_each(|change| {
            forward.apply(change);
        });
        let mut merged = ChangeSet::default();
        changes.iter().rev().for_each(|change| merged.merge(change));
        let mut backward = State::default();
        assert!(backward.apply(&merged));
        assert!(!backward.apply(&merged), "nothing new the second time");
        assert_eq!(forward, backward);
        assert_eq!(forward.receive, Row { used: 3, revealed: 7 });
        assert_eq!(forward.change, Row { used: 0, revealed: 1 });
    }

    #[test]
    fn the_next_address_is_the_first_unused_and_the_new_one_was_never_given_out() {
        let row = Row { used: 3, revealed: 7 };
        assert_eq!((row.next_unused(), row.next_new()), (3, 7));
        assert_eq!(row.horizon(), 7 + GAP_LIMIT);
        // Somebody paid an address far ahead (after a restore): what was given out is known to be less than used.
        let row = Row { used: 9, revealed: 2 };
        assert_eq!((row.next_unused(), row.next_new()), (9, 9));
    }
}
