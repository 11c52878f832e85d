//! Moving to the best chain, one block at a time.
//!
//! Each step disconnects the tip or connects one block, so a reorganisation of any depth needs memory for one block
//! and for what waits to be stored. Between steps everything is consistent.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use tally_primitives::pow::Work;

use crate::chain::connect::ConnectError;
use crate::chain::index::EntryId;
use crate::chain::outcome::{Activation, Position, Rejection, TipChange};
use crate::chain::{Chain, ChainError};

/// Coin operations after which [`Chain::activate`] pauses, so that what waits to be stored stays bounded when a gap
/// closes below a thousand stored blocks.
pub const ACTIVATION_BUDGET: usize = 200_000;

/// A block that could be the tip. The greatest is the best: most work, then first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    work: Work,
    sequence: Reverse<u64>,
    id: EntryId,
}

impl Chain {
    /// Moves to the valid chain with the most work. Needed only while [`Chain::activation_pending`]: accepting a block
    /// does it too, but pauses after [`ACTIVATION_BUDGET`] coin operations.
    ///
    /// # Errors
    /// Those of the store; the chain is then somewhere on its way, and consistent.
    pub fn activate(&mut self) -> Result<Activation, ChainError> {
        self.activate_from(self.tip_id())
    }

    /// Whether a better chain is stored than the active one: call [`Chain::activate`] when there is time.
    pub fn activation_pending(&self) -> bool {
        self.best_candidate().is_some()
    }

    /// As [`Chain::activate`]; the changes are counted from `old_tip`.
    pub(super) fn activate_from(&mut self, old_tip: EntryId) -> Result<Activation, ChainError> {
        let mut rejected = Vec::new();
        let mut operations = 0;
        while operations < ACTIVATION_BUDGET {
            let Some(target) = self.best_candidate() else {
                break;
            };
            operations += self.step_toward(target, &mut rejected)?;
        }
        let tip = self.candidate(self.tip_id());
        self.candidates.retain(|candidate| *candidate > tip);
        if self.candidates.is_empty() {
            // An emptied set keeps its room, and would be looked into after every message.
            self.candidates = BTreeSet::new();
        }
        Ok(Activation { changes: self.tip_change(old_tip), rejected })
    }

    /// One block down, or one block up; returns the number of coin operations.
    fn step_toward(&mut self, target: EntryId, rejected: &mut Vec<Rejection>) -> Result<usize, ChainError> {
        let tip = self.tip_id();
        let tip_height = self.index.get(tip).height;
        if self.index.ancestor(target, tip_height) != Some(tip) {
            return self.disconnect_tip();
        }
        let Some(next) = self.index.ancestor(target, tip_height.next()) else {
            return Ok(0);
        };
        match self.connect_block(next) {
            Ok(operations) => Ok(operations),
            Err(ConnectError::Rule(error)) => {
                rejected.push(Rejection { hash: self.index.get(next).hash, error });
                self.mark_invalid(next);
                Ok(1)
            }
            Err(ConnectError::BodyLost) => {
                // The store has lost it: it has to be fetched again like any missing body.
                self.index.set_body_lost(next);
                self.writes.touch(next);
                self.rebuild_candidates();
                Ok(1)
            }
            Err(ConnectError::Chain(error)) => Err(error),
        }
    }

    /// The best block that is better than the tip. On the way of a reorganisation that fails, the tip may be a block of
    /// the same work as the old one: then that was seen first.
    pub(super) fn best_candidate(&self) -> Option<EntryId> {
        let best = self.candidates.last()?;
        (*best > self.candidate(self.tip_id())).then_some(best.id)
    }

    fn candidate(&self, id: EntryId) -> Candidate {
        let entry = self.index.get(id);
        Candidate { work: entry.work, sequence: Reverse(entry.sequence), id }
    }

    pub(super) fn add_candidate(&mut self, id: EntryId) {
        let entry = self.index.get(id);
        if entry.linked && !entry.is_invalid() {
            self.candidates.insert(self.candidate(id));
        }
    }

    /// Looks at the whole index again: after blocks were marked, anything may be the best.
    pub(super) fn rebuild_candidates(&mut self) {
        self.candidates.clear();
        let tip_work = self.index.get(self.tip_id()).work;
        for id in self.index.ids() {
            if self.index.get(id).work >= tip_work {
                self.add_candidate(id);
            }
        }
    }

    fn tip_change(&self, old_tip: EntryId) -> TipChange {
        let fork = self.index.fork(old_tip, self.tip_id());
        let above_fork = |from: EntryId| -> Vec<Position> {
            let branch = self.index.ancestry(from).take_while(|id| *id != fork);
            branch
                .map(|id| {
                    let entry = self.index.get(id);
                    Position { hash: entry.hash, height: entry.height }
                })
                .collect()
        };
        let mut connected = above_fork(self.tip_id());
        connected.reverse();
        TipChange { disconnected: above_fork(old_tip), connected }
    }
}
