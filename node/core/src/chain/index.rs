//! Every known header as a tree: work, standing, ancestors, and which one has the most work.
//!
//! Entries are never removed, so an [`EntryId`] stays good. All walks are bounded by the skip links, which make an
//! ancestor look-up logarithmic (Bitcoin's `CBlockIndex::pskip`).

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use tally_consensus::difficulty;
use tally_consensus::header::{MEDIAN_TIME_SPAN, median_time_past};
use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::pow::{CompactTarget, Work};
use tally_primitives::units::Height;

use crate::chain::store::{BlockStatus, IndexRecord};

/// Most entries a locator has (the peer protocol's limit).
pub const MAX_LOCATOR: usize = 101;

/// Children of a block that are compared with a header before it is hashed: more than two are rare.
const MAX_CHILDREN_COMPARED: usize = 4;

/// Entries for which room is made at least when there is none.
const LEAST_GROWTH: usize = 16;

/// A header's place in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId(NonZeroU32);

impl EntryId {
    const GENESIS: EntryId = EntryId(NonZeroU32::MIN);

    /// Counted from one, so that none needs no room of its own: an entry has four that may be missing.
    fn at(position: usize) -> Option<EntryId> {
        u32::try_from(position).ok()?.checked_add(1).and_then(NonZeroU32::new).map(EntryId)
    }

    fn position(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// What is known about one block.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The header.
    pub header: Header,
    /// Its hash.
    pub hash: BlockHash,
    /// Its distance from genesis.
    pub height: Height,
    /// The work of its whole chain, this header's included.
    pub work: Work,
    /// How far the block has come.
    pub status: BlockStatus,
    /// This very block broke a rule or was invalidated by hand.
    pub invalid: bool,
    /// A block below it did.
    pub invalid_ancestor: bool,
    /// Its body and those of all its ancestors are stored, so that it could be the tip.
    pub linked: bool,
    /// When it could first be the tip, as a counter: of equals, the first seen stays.
    pub sequence: u64,
    /// Time of block 1 on this branch, the difficulty rule's anchor; `None` for genesis.
    anchor_time: Option<u32>,
    parent: Option<EntryId>,
    skip: Option<EntryId>,
    first_child: Option<EntryId>,
    next_sibling: Option<EntryId>,
}

impl Entry {
    /// Invalid itself or by descent.
    pub fn is_invalid(&self) -> bool {
        self.invalid || self.invalid_ancestor
    }

    /// The entry as it is stored.
    pub fn to_record(&self) -> IndexRecord {
        IndexRecord { header: self.header, height: self.height, status: self.status, invalid: self.invalid }
    }
}

/// The tree of known headers, with genesis as its root.
#[derive(Debug, Clone)]
pub struct BlockIndex {
    entries: Vec<Entry>,
    /// By the beginnings of their hashes: a quarter of the whole, and hardly ever equal.
    by_hash: BTreeSet<(u64, EntryId)>,
    best_header: EntryId,
    /// Entries that are not linked.
    unlinked: usize,
}

impl BlockIndex {
    /// An index of genesis alone.
    pub fn new(genesis: Header) -> Self {
        let hash = genesis.hash();
        let entry = Entry {
            hash,
            height: Height::GENESIS,
            work: work_of(genesis.bits),
            status: BlockStatus::Connected,
            invalid: false,
            invalid_ancestor: false,
            linked: true,
            sequence: 0,
            anchor_time: None,
            parent: None,
            skip: None,
            first_child: None,
            next_sibling: None,
            header: genesis,
        };
        Self {
            entries: vec![entry],
            by_hash: BTreeSet::from([(beginning(&hash), EntryId::GENESIS)]),
            best_header: EntryId::GENESIS,
            unlinked: 0,
        }
    }

    /// The root.
    pub fn genesis(&self) -> EntryId {
        EntryId::GENESIS
    }

    /// Number of known headers.
    #[expect(clippy::len_without_is_empty, reason = "genesis is always there")]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Blocks that cannot be the tip for want of a body, their own or one below.
    pub fn unlinked(&self) -> usize {
        self.unlinked
    }

    /// The entry with this id.
    pub fn get(&self, id: EntryId) -> &Entry {
        &self.entries[id.position()]
    }

    /// Where a hash stands.
    pub fn find(&self, hash: &BlockHash) -> Option<EntryId> {
        // Most questions are about the latest block.
        if self.get(self.best_header).hash == *hash {
            return Some(self.best_header);
        }
        let beginning = beginning(hash);
        let from = (beginning, EntryId::GENESIS);
        let similar = self.by_hash.range(from..).take_while(|(other, _)| *other == beginning);
        similar.map(|(_, id)| *id).find(|id| self.get(*id).hash == *hash)
    }

    /// Where a header stands, if that can be told without hashing it: every peer tells of the same ones. `None` says nothing.
    pub fn find_without_hashing(&self, header: &Header) -> Option<EntryId> {
        let is_it = |id: &EntryId| self.get(*id).header == *header;
        if is_it(&self.best_header) {
            return Some(self.best_header);
        }
        let parent = self.find(&header.prev_block)?;
        self.children(parent).take(MAX_CHILDREN_COMPARED).find(is_it)
    }

    /// The entry of a hash.
    pub fn entry(&self, hash: &BlockHash) -> Option<&Entry> {
        self.find(hash).map(|id| self.get(id))
    }

    /// The valid header with the most work; of equals the one known first.
    pub fn best_header(&self) -> EntryId {
        self.best_header
    }

    /// All ids, parents before children.
    pub fn ids(&self) -> impl Iterator<Item = EntryId> + use<> {
        (0..self.entries.len()).map_while(EntryId::at)
    }

    /// Adds a header whose parent is known; `None` when it is not, or when the header is known already.
    pub fn insert(&mut self, header: Header) -> Option<EntryId> {
        self.insert_hashed(header, header.hash())
    }

    /// As [`BlockIndex::insert`], with the header's hash.
    pub fn insert_hashed(&mut self, header: Header, hash: BlockHash) -> Option<EntryId> {
        self.add(header, hash, BlockStatus::HeaderOnly, false)
    }

    /// Adds a stored record; parents must come before children. Bodies that come from the store count as first seen.
    pub fn load(&mut self, record: &IndexRecord) -> Option<EntryId> {
        let id = self.add(record.header, record.header.hash(), record.status, record.invalid)?;
        if record.status >= BlockStatus::Stored {
            self.set_stored(id, || 1);
        }
        Some(id)
    }

    fn add(&mut self, header: Header, hash: BlockHash, status: BlockStatus, invalid: bool) -> Option<EntryId> {
        let parent_id = self.find(&header.prev_block)?;
        if self.find(&hash).is_some() {
            return None;
        }
        let id = EntryId::at(self.entries.len())?;
        let parent = self.get(parent_id);
        let height = parent.height.next();
        let entry = Entry {
            hash,
            height,
            work: parent.work + work_of(header.bits),
            status,
            invalid,
            invalid_ancestor: parent.is_invalid(),
            linked: false,
            sequence: u64::MAX,
            anchor_time: parent.anchor_time.or(Some(header.time)),
            parent: Some(parent_id),
            skip: self.ancestor(parent_id, Height::new(skip_height(height.get()))),
            first_child: None,
            next_sibling: parent.first_child,
            header,
        };
        if self.entries.len() == self.entries.capacity() {
            // Doubled each time, room for a million headers would be half empty.
            self.entries.reserve_exact((self.entries.len() / 4).max(LEAST_GROWTH));
        }
        self.entries.push(entry);
        self.unlinked += 1;
        self.by_hash.insert((beginning(&hash), id));
        self.get_mut(parent_id).first_child = Some(id);
        self.consider_best_header(id);
        Some(id)
    }

    /// The parent; `None` for genesis.
    pub fn parent(&self, id: EntryId) -> Option<EntryId> {
        self.get(id).parent
    }

    /// The children, latest first.
    pub fn children(&self, id: EntryId) -> impl Iterator<Item = EntryId> {
        std::iter::successors(self.get(id).first_child, |child| self.get(*child).next_sibling)
    }

    /// The entry and all ancestors, downwards.
    pub fn ancestry(&self, id: EntryId) -> impl Iterator<Item = EntryId> {
        std::iter::successors(Some(id), |id| self.parent(*id))
    }

    /// The ancestor at `height` (the entry itself at its own); `None` above it.
    pub fn ancestor(&self, id: EntryId, height: Height) -> Option<EntryId> {
        let mut walk = id;
        loop {
            let entry = self.get(walk);
            match entry.height.cmp(&height) {
                std::cmp::Ordering::Less => return None,
                std::cmp::Ordering::Equal => return Some(walk),
                std::cmp::Ordering::Greater => {}
            }
            let skip = entry.skip.filter(|skip| self.get(*skip).height >= height);
            walk = skip.or(entry.parent)?;
        }
    }

    /// The highest block that both chains have.
    pub fn fork(&self, a: EntryId, b: EntryId) -> EntryId {
        let common = self.get(a).height.min(self.get(b).height);
        let (Some(mut a), Some(mut b)) = (self.ancestor(a, common), self.ancestor(b, common)) else {
            return self.genesis();
        };
        while a != b {
            // Same height on both sides, so both have a skip link of the same length: take it while it stays above
            // the fork, otherwise go down by one.
            match (self.get(a).skip, self.get(b).skip) {
                (Some(skip_a), Some(skip_b)) if skip_a != skip_b => (a, b) = (skip_a, skip_b),
                _ => match (self.parent(a), self.parent(b)) {
                    (Some(parent_a), Some(parent_b)) => (a, b) = (parent_a, parent_b),
                    _ => return self.genesis(),
                },
            }
        }
        a
    }

    /// The median of the times of this header and the ten below it: what a child's time must exceed.
    pub fn median_time_past(&self, id: EntryId) -> u32 {
        let mut times = [0; MEDIAN_TIME_SPAN];
        let mut count = 0;
        for (time, id) in times.iter_mut().zip(self.ancestry(id)) {
            *time = self.get(id).header.time;
            count += 1;
        }
        median_time_past(&times[..count])
    }

    /// The time of block 1 on this branch, the difficulty rule's anchor; `None` for genesis.
    pub fn anchor_time(&self, id: EntryId) -> Option<u32> {
        self.get(id).anchor_time
    }

    /// The bits a child of this block must carry.
    pub fn next_bits(&self, params: &Params, id: EntryId) -> CompactTarget {
        let entry = self.get(id);
        difficulty::next_bits(params, entry.height.next(), entry.header.time, entry.anchor_time)
    }

    /// Hashes from this block downwards, dense first, then ever sparser, genesis last.
    pub fn locator(&self, id: EntryId) -> Vec<BlockHash> {
        let mut locator = Vec::new();
        let mut step = 1;
        let mut walk = id;
        while walk != self.genesis() && locator.len() < MAX_LOCATOR - 1 {
            let entry = self.get(walk);
            locator.push(entry.hash);
            if locator.len() >= 10 {
                step *= 2;
            }
            let below = entry.height.checked_sub_blocks(step).unwrap_or(Height::GENESIS);
            walk = self.ancestor(walk, below).unwrap_or(self.genesis());
        }
        locator.push(self.get(self.genesis()).hash);
        locator
    }

    /// Notes that the body is stored, and returns all blocks that could be the tip only now: this one and those
    /// descendants whose bodies came earlier. Each gets the next sequence number.
    pub fn set_stored(&mut self, id: EntryId, mut next_sequence: impl FnMut() -> u64) -> Vec<EntryId> {
        let entry = self.get_mut(id);
        entry.status = entry.status.max(BlockStatus::Stored);
        let mut linked = Vec::new();
        let mut queue = vec![id];
        while let Some(id) = queue.pop() {
            let parent_linked = self.parent(id).is_none_or(|parent| self.get(parent).linked);
            let entry = self.get_mut(id);
            if parent_linked && !entry.linked && entry.status >= BlockStatus::Stored {
                entry.linked = true;
                self.unlinked -= 1;
                let entry = self.get_mut(id);
                entry.sequence = next_sequence();
                linked.push(id);
                queue.extend(self.children(id));
            }
        }
        linked
    }

    /// Notes that the body has been lost: it and its descendants cannot be the tip until it is there again.
    pub fn set_body_lost(&mut self, id: EntryId) {
        self.get_mut(id).status = BlockStatus::HeaderOnly;
        for id in self.subtree(id) {
            let was_linked = std::mem::replace(&mut self.get_mut(id).linked, false);
            self.unlinked += usize::from(was_linked);
        }
    }

    /// Notes that the block is valid altogether.
    pub fn set_connected(&mut self, id: EntryId) {
        self.get_mut(id).status = BlockStatus::Connected;
    }

    /// Gives a block precedence over blocks of equal work.
    pub fn set_first_seen(&mut self, id: EntryId) {
        self.get_mut(id).sequence = 0;
    }

    /// Marks a block invalid and its descendants with it.
    pub fn set_invalid(&mut self, id: EntryId) {
        for descendant in self.subtree(id) {
            self.get_mut(descendant).invalid_ancestor |= descendant != id;
        }
        self.get_mut(id).invalid = true;
        self.choose_best_header();
    }

    /// Takes back the marks of a block, of its ancestors and of its descendants; returns whose own mark was taken.
    pub fn clear_invalid(&mut self, id: EntryId) -> Vec<EntryId> {
        let mut changed: Vec<EntryId> = self.ancestry(id).filter(|id| self.get(*id).invalid).collect();
        changed.extend(self.subtree(id).into_iter().filter(|other| *other != id && self.get(*other).invalid));
        for id in &changed {
            self.get_mut(*id).invalid = false;
        }
        // Parents stand before children, so one pass suffices; marks on other branches stay.
        for id in self.ids() {
            let by_descent = self.parent(id).is_some_and(|parent| self.get(parent).is_invalid());
            self.get_mut(id).invalid_ancestor = by_descent;
        }
        self.choose_best_header();
        changed
    }

    /// The entry and all its descendants, parents before children.
    pub fn subtree(&self, id: EntryId) -> Vec<EntryId> {
        let mut all = vec![id];
        let mut next = 0;
        while let Some(id) = all.get(next).copied() {
            all.extend(self.children(id));
            next += 1;
        }
        all
    }

    fn get_mut(&mut self, id: EntryId) -> &mut Entry {
        &mut self.entries[id.position()]
    }

    fn consider_best_header(&mut self, id: EntryId) {
        let entry = self.get(id);
        if !entry.is_invalid() && entry.work > self.get(self.best_header).work {
            self.best_header = id;
        }
    }

    fn choose_best_header(&mut self) {
        // The one chosen last stays among equals, if it is still valid.
        if self.get(self.best_header).is_invalid() {
            self.best_header = self.genesis();
        }
        for id in self.ids() {
            self.consider_best_header(id);
        }
    }
}

/// The first eight bytes of a hash. Its zeros are at the other end.
fn beginning(hash: &BlockHash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash.to_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The work a header adds. Bits that stand for no target add none; such a header never passes HDR-02.
fn work_of(bits: CompactTarget) -> Work {
    bits.to_target().map_or(Work::ZERO, |target| target.work())
}

/// How far down a skip link goes: heights with trailing zeros reach far (after Bitcoin's `GetSkipHeight`).
fn skip_height(height: u32) -> u32 {
    let without_lowest_one = |n: u32| n & n.wrapping_sub(1);
    match height {
        0 | 1 => 0,
        odd if odd % 2 == 1 => without_lowest_one(without_lowest_one(odd - 1)) + 1,
        even => without_lowest_one(even),
    }
}
