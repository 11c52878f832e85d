//! Questions about blocks and branches.

use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;

use crate::chain::Chain;
use crate::chain::index::EntryId;
use crate::chain::outcome::{ChainTip, ChainTipStatus};
use crate::chain::store::BlockStatus;

/// Heights looked at in one go for missing bodies.
const MISSING_STRIDE: u32 = 1_024;

impl Chain {
    /// The active chain's block at a height.
    pub fn block_at(&self, height: Height) -> Option<BlockHash> {
        self.active_at(height).map(|id| self.index.get(id).hash)
    }

    /// A known header.
    pub fn header(&self, hash: &BlockHash) -> Option<&Header> {
        self.index.entry(hash).map(|entry| &entry.header)
    }

    /// A known header's height, on whichever branch.
    pub fn height_of(&self, hash: &BlockHash) -> Option<Height> {
        self.index.entry(hash).map(|entry| entry.height)
    }

    /// Whether the block's body is stored.
    pub fn has_body(&self, hash: &BlockHash) -> bool {
        self.index.entry(hash).is_some_and(|entry| entry.status >= BlockStatus::Stored)
    }

    /// Whether a block is on the active chain.
    pub fn is_active(&self, hash: &BlockHash) -> bool {
        self.index.find(hash).is_some_and(|id| self.active_at(self.index.get(id).height) == Some(id))
    }

    /// How many blocks confirm this one, itself included; `None` off the active chain.
    pub fn confirmations(&self, hash: &BlockHash) -> Option<u32> {
        let height = self.height_of(hash).filter(|_| self.is_active(hash))?;
        Some(self.tip_height().get() - height.get() + 1)
    }

    /// Hashes that tell a peer where our best header's chain runs: dense at its end, ever sparser downwards.
    pub fn locator(&self) -> Vec<BlockHash> {
        self.index.locator(self.index.best_header())
    }

    /// The active chain's headers above the first block of `locator` that is on it, up to `stop` (included; zero for
    /// none) and at most `max` of them.
    pub fn headers_after(&self, locator: &[BlockHash], stop: &BlockHash, max: usize) -> Vec<Header> {
        let common = locator.iter().find(|hash| self.is_active(hash)).and_then(|hash| self.height_of(hash));
        let first = common.unwrap_or(Height::GENESIS).next();
        let from = usize::try_from(first.get()).unwrap_or(usize::MAX);
        let mut headers = Vec::new();
        for id in self.active.iter().skip(from).take(max) {
            let entry = self.index.get(*id);
            headers.push(entry.header);
            if entry.hash == *stop {
                break;
            }
        }
        headers
    }

    /// Blocks on the best header's chain whose bodies are not stored, lowest first, at most `max` of them.
    pub fn missing_blocks(&self, max: usize) -> Vec<(BlockHash, Height)> {
        let best = self.index.best_header();
        let top = self.index.get(best).height;
        let mut missing = Vec::new();
        let mut low = self.first_unlinked(best);
        while let Some(first) = low.filter(|_| missing.len() < max) {
            let last = first.saturating_add(MISSING_STRIDE - 1).min(top);
            let Some(end) = self.index.ancestor(best, last) else {
                break;
            };
            let stride: Vec<EntryId> =
                self.index.ancestry(end).take_while(|id| self.index.get(*id).height >= first).collect();
            let entries = stride.iter().rev().map(|id| self.index.get(*id));
            let absent = entries.filter(|entry| entry.status < BlockStatus::Stored);
            missing.extend(absent.take(max - missing.len()).map(|entry| (entry.hash, entry.height)));
            low = Some(last.next()).filter(|next| *next <= top);
        }
        missing
    }

    /// The lowest block of a chain that cannot be the tip for want of a body. Below it all are linked, so it can be
    /// found by halving.
    fn first_unlinked(&self, end: EntryId) -> Option<Height> {
        if self.index.get(end).linked {
            return None;
        }
        let (mut linked, mut unlinked) = (0, self.index.get(end).height.get());
        while unlinked - linked > 1 {
            let middle = linked + (unlinked - linked) / 2;
            let id = self.index.ancestor(end, Height::new(middle))?;
            if self.index.get(id).linked {
                linked = middle;
            } else {
                unlinked = middle;
            }
        }
        Some(Height::new(unlinked))
    }

    /// The end of every branch, the active one first.
    pub fn tips(&self) -> Vec<ChainTip> {
        let active = self.tip_id();
        let is_end = |id: &EntryId| *id != active && self.index.children(*id).next().is_none();
        let others = self.index.ids().filter(is_end).map(|id| {
            let entry = self.index.get(id);
            let fork = self.index.get(self.index.fork(id, active)).height;
            let branch_length = entry.height.get() - fork.get();
            ChainTip { hash: entry.hash, height: entry.height, branch_length, status: self.tip_status(id) }
        });
        let tip = self.index.get(active);
        let first = ChainTip { hash: tip.hash, height: tip.height, branch_length: 0, status: ChainTipStatus::Active };
        std::iter::once(first).chain(others).collect()
    }

    fn tip_status(&self, id: EntryId) -> ChainTipStatus {
        let entry = self.index.get(id);
        if entry.is_invalid() {
            ChainTipStatus::Invalid
        } else if entry.status == BlockStatus::Connected {
            ChainTipStatus::ValidFork
        } else if entry.linked {
            ChainTipStatus::ValidHeaders
        } else {
            ChainTipStatus::HeadersOnly
        }
    }

    pub(super) fn active_at(&self, height: Height) -> Option<EntryId> {
        self.active.get(usize::try_from(height.get()).ok()?).copied()
    }
}
