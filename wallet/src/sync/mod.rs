//! Finding the wallet's coins and payments. [`Sync`] decides what to ask next and draws the conclusions; it does not
//! know where answers come from (see [`drive`]).
//!
//! First the search: in each row of addresses, are any used beyond the last one known? A whole gap is asked about at
//! once; if something is there, halving finds the last used address, and the search goes on behind it. Then the coins
//! (and, if wanted, the history) of all addresses up to the gap are collected. If the chain moves in between, collecting
//! starts again, so that a result always describes one tip.

mod collect;
pub mod drive;
mod search;

use tally_primitives::address::Address;
use tally_primitives::hash::{BlockHash, LockHash};
use tally_primitives::units::Height;
use tally_rpc::address::{AddressHistory, AddressUtxos};

use crate::coins::OwnedCoin;
use crate::history::Entry;
use crate::keys::{Account, Addresses, KeyPath, Keychain, KeysError};
use crate::state::{ChangeSet, State};
use collect::Collect;
use search::Search;

/// Most addresses in one request.
const MAX_ADDRESSES: usize = 500;
/// How often collecting may start again because the chain moved.
const MAX_RESTARTS: u32 = 20;

/// What went wrong between wallet and node, beside the connection.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// A coin that was not asked for.
    #[error("the node's answer makes no sense: it names a coin of {address}, which was not asked about")]
    ForeignCoin {
        /// The coin's address.
        address: Address,
    },
    /// Sums that no chain can have.
    #[error("the node's answer makes no sense: its amounts overflow")]
    Overflow,
    /// An answer to another request.
    #[error("the node's answer makes no sense: it does not belong to the request")]
    UnexpectedAnswer,
    /// New blocks come faster than answers.
    #[error("the chain moved {restarts} times while the wallet looked at it; try again")]
    Restless {
        /// How often collecting started again.
        restarts: u32,
    },
    /// A key that cannot be derived.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

/// What to ask a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `getaddresshistory`.
    History(Vec<Address>),
    /// `getaddressutxos`.
    Coins(Vec<Address>),
}

/// What a node said.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Request::History`].
    History(AddressHistory),
    /// To [`Request::Coins`].
    Coins(AddressUtxos),
}

/// How much is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Only which addresses are used.
    Addresses,
    /// And the coins.
    Coins,
    /// And the history.
    History,
}

/// What was found, as of one tip.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The tip's height.
    pub height: Height,
    /// The tip.
    pub tip: BlockHash,
    /// All coins, those that a mempool transaction spends included.
    pub coins: Vec<OwnedCoin>,
    /// All payments, newest first.
    pub history: Vec<Entry>,
    /// What the wallet should remember.
    pub changes: ChangeSet,
}

/// One synchronisation, from its beginning to its [`Snapshot`].
#[derive(Debug)]
pub struct Sync<'a> {
    keys: Keys<'a>,
    state: State,
    changes: ChangeSet,
    scope: Scope,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Search(Search),
    Collect(Collect),
    Done,
}

/// The wallet's keys, as synchronising needs them.
#[derive(Debug)]
struct Keys<'a> {
    account: &'a Account,
    addresses: &'a mut Addresses,
}

impl Keys<'_> {
    fn range(&mut self, keychain: Keychain, from: u32, to: u32) -> Result<Vec<Address>, KeysError> {
        (from..to).map(|index| self.addresses.address(self.account, KeyPath { keychain, index })).collect()
    }

    fn path_of(&self, lock: &LockHash) -> Option<KeyPath> {
        self.addresses.path_of(lock)
    }
}

impl<'a> Sync<'a> {
    /// Begins with what the wallet remembers.
    pub fn new(account: &'a Account, addresses: &'a mut Addresses, state: State, scope: Scope) -> Sync<'a> {
        let first = Search::new(Keychain::Receive, state.receive);
        Sync {
            keys: Keys { account, addresses },
            state,
            changes: ChangeSet::default(),
            scope,
            phase: Phase::Search(first),
        }
    }

    /// The next request; `None` when everything is known.
    ///
    /// # Errors
    /// Only [`SyncError::Keys`].
    pub fn poll_request(&mut self) -> Result<Option<Request>, SyncError> {
        match &self.phase {
            Phase::Search(search) => {
                let (from, to) = search.range();
                Ok(Some(Request::History(self.keys.range(search.keychain(), from, to)?)))
            }
            Phase::Collect(collect) => Ok(collect.request()),
            Phase::Done => Ok(None),
        }
    }

    /// Takes the answer to the last request.
    ///
    /// # Errors
    /// See [`SyncError`].
    pub fn handle_answer(&mut self, answer: Answer) -> Result<(), SyncError> {
        match (&mut self.phase, answer) {
            (Phase::Search(search), Answer::History(history)) => {
                let keychain = search.keychain();
                let is_settled = search.handle(!history.transactions.is_empty());
                let used = ChangeSet::used(keychain, search.used());
                self.state.apply(&used);
                self.changes.merge(&used);
                if is_settled {
                    self.next_phase(keychain)?;
                }
                Ok(())
            }
            (Phase::Collect(collect), answer) => collect.handle(answer, &self.keys),
            (Phase::Search(_) | Phase::Done, _) => Err(SyncError::UnexpectedAnswer),
        }
    }

    /// What was found. Empty before [`Sync::poll_request`] has said `None`, but for the changes.
    pub fn finish(self) -> Snapshot {
        match self.phase {
            Phase::Collect(collect) => Snapshot { changes: self.changes, ..collect.into_snapshot() },
            Phase::Search(_) | Phase::Done => Snapshot { changes: self.changes, ..Snapshot::default() },
        }
    }

    fn next_phase(&mut self, settled: Keychain) -> Result<(), SyncError> {
        self.phase = match (settled, self.scope) {
            (Keychain::Receive, _) => Phase::Search(Search::new(Keychain::Change, self.state.change)),
            (Keychain::Change, Scope::Addresses) => Phase::Done,
            (Keychain::Change, scope) => {
                let mut addresses = self.keys.range(Keychain::Receive, 0, self.state.receive.horizon())?;
                addresses.extend(self.keys.range(Keychain::Change, 0, self.state.change.horizon())?);
                Phase::Collect(Collect::new(addresses, scope))
            }
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
