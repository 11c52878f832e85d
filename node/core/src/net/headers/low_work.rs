//! Header chains that have not shown enough work: followed, and not kept.
//!
//! The index keeps every header for ever, and headers are cheap where the difficulty rule lets them be: blocks that are hours apart stay at the network's easiest target. So a chain is kept only
//! if its work comes near our tip's, or what the operator asks for at least. A chain that may still get there comes **twice**. The first time each header is checked in full, its work added, and then it
//! is forgotten, but for one bit of a salted hash of every [`LOW_WORK_MARK_EVERY`]th. When the sum is enough the chain is asked for again, and its headers
//! go into the index once so many of the bits above them have matched. Nobody else can compute the bits, so nobody can show one chain
//! and then send another. (The method is Bitcoin Core's, `headerssync.h`, 2022.)

use std::collections::VecDeque;

use tally_consensus::difficulty;
use tally_consensus::error::RuleError;
use tally_consensus::header::{
    HeaderContext, MEDIAN_TIME_SPAN, ParentInfo, check_header, check_header_alone, median_time_past,
};
use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::pow::Work;
use tally_primitives::units::{Height, Timestamp};
use tally_wire::limits::{MAX_HEADERS, MAX_LOCATOR_HASHES};

use crate::chain::ChainError;
use crate::chain::index::{BlockIndex, EntryId};
use crate::net::address_book::secret::{Purpose, Secret};
use crate::net::disconnect::Violation;
use crate::net::limits::{LOW_WORK_BLOCKS, LOW_WORK_MARK_EVERY, MAX_LOW_WORK_HELD, MAX_LOW_WORK_MARKS};
use crate::net::peer::PeerId;
use crate::node::Node;

/// A peer's chain that has not shown enough work.
#[derive(Debug)]
pub(super) struct LowWorkChain {
    /// The last header that we know.
    start: EntryId,
    from: Cursor,
    /// The last header that came.
    last: Cursor,
    /// What makes the marks this chain's.
    salt: u64,
    marks: Marks,
    pass: Pass,
}

#[derive(Debug)]
enum Pass {
    /// Work is added up.
    First,
    /// What was shown comes again.
    Second {
        /// The work that was asked for when this pass began.
        enough: Work,
        /// Marks that have matched.
        matched: usize,
        /// Headers with too few marks above them.
        held: VecDeque<Header>,
        /// The work has come a second time: what follows needs no marks.
        is_proven: bool,
    },
}

/// What a message of headers leads to.
#[derive(Debug, Default)]
struct Step {
    /// Headers that may be kept.
    keep: Vec<Header>,
    next: Next,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    /// More is asked for.
    Ask,
    /// It is a chain like any other now.
    Proven,
    /// It ends too early, is too long, or is another one the second time.
    #[default]
    GiveUp,
}

/// A header that breaks a rule, and which.
type Broken = (Header, RuleError);

/// The end of a chain of headers, as far as the next one is judged by it.
#[derive(Clone, Debug)]
struct Cursor {
    hash: BlockHash,
    height: Height,
    work: Work,
    anchor_time: Option<u32>,
    /// Of the last headers, at most as many as the median is taken over; its own last.
    times: VecDeque<u32>,
}

impl Cursor {
    fn at(index: &BlockIndex, id: EntryId) -> Cursor {
        let entry = index.get(id);
        let times: Vec<u32> = index.ancestry(id).take(MEDIAN_TIME_SPAN).map(|id| index.get(id).header.time).collect();
        Cursor {
            hash: entry.hash,
            height: entry.height,
            work: entry.work,
            anchor_time: index.anchor_time(id),
            times: times.into_iter().rev().collect(),
        }
    }

    /// Goes on to the next header, if it is valid.
    fn step(&mut self, header: &Header, params: &Params, now: Timestamp) -> Result<(), RuleError> {
        let height = self.height.next();
        let parent_time = self.times.back().copied().unwrap_or(0);
        let context = HeaderContext {
            parent: Some(ParentInfo { hash: self.hash, invalid: false }),
            median_time_past: median_time_past(self.times.make_contiguous()),
            expected_bits: difficulty::next_bits(params, height, parent_time, self.anchor_time),
            now,
            limit: params.target_limit(),
        };
        check_header(header, &context)?;
        self.hash = header.hash();
        self.height = height;
        self.work += header.bits.to_target().map_or(Work::ZERO, |target| target.work());
        self.anchor_time = self.anchor_time.or(Some(header.time));
        if self.times.len() >= MEDIAN_TIME_SPAN {
            self.times.pop_front();
        }
        self.times.push_back(header.time);
        Ok(())
    }
}

/// Bits, 64 a word.
#[derive(Debug, Default)]
struct Marks {
    words: Vec<u64>,
    count: usize,
}

impl Marks {
    fn push(&mut self, bit: bool) {
        if self.count.is_multiple_of(64) {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= u64::from(bit) << (self.count % 64);
        }
        self.count += 1;
    }

    fn get(&self, at: usize) -> Option<bool> {
        let word = self.words.get(at / 64).filter(|_| at < self.count)?;
        Some(word >> (at % 64) & 1 == 1)
    }
}

impl LowWorkChain {
    fn new(index: &BlockIndex, start: EntryId, salt: u64) -> LowWorkChain {
        let from = Cursor::at(index, start);
        LowWorkChain { start, last: from.clone(), from, salt, marks: Marks::default(), pass: Pass::First }
    }

    /// Whether a header with this parent is the next one.
    pub fn expects(&self, parent: &BlockHash) -> bool {
        self.last.hash == *parent
    }

    /// Takes headers of which each is the child of the one before, the first of [`Self::last`].
    fn take(
        &mut self,
        headers: &[Header],
        enough: Work,
        params: &Params,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Step, Box<Broken>> {
        let mut keep = Vec::new();
        for header in headers {
            self.last.step(header, params, now).map_err(|error| Box::new((*header, error)))?;
            let is_marked = (u64::from(self.last.height.get()) ^ self.salt).is_multiple_of(LOW_WORK_MARK_EVERY);
            let mark = is_marked.then(|| mark(secret, self.salt, &self.last.hash));
            match &mut self.pass {
                Pass::First => {
                    if self.marks.count >= MAX_LOW_WORK_MARKS {
                        return Ok(Step::default());
                    }
                    mark.into_iter().for_each(|bit| self.marks.push(bit));
                }
                Pass::Second { enough, matched, held, is_proven } => {
                    if mark.is_some() && !*is_proven {
                        if self.marks.get(*matched) != mark {
                            return Ok(Step { keep, next: Next::GiveUp });
                        }
                        *matched += 1;
                    }
                    held.push_back(*header);
                    *is_proven |= self.last.work >= *enough;
                    let stay = if *is_proven { 0 } else { MAX_LOW_WORK_HELD };
                    keep.extend(held.drain(..held.len().saturating_sub(stay)));
                }
            }
        }
        let next = self.what_next(headers.len() == MAX_HEADERS, enough);
        Ok(Step { keep, next })
    }

    /// After a message: `has_more` if it was full.
    fn what_next(&mut self, has_more: bool, enough: Work) -> Next {
        match &self.pass {
            Pass::First if self.last.work >= enough => {
                self.last = self.from.clone();
                self.pass = Pass::Second { enough, matched: 0, held: VecDeque::new(), is_proven: false };
                Next::Ask
            }
            Pass::Second { is_proven: true, .. } => Next::Proven,
            _ if has_more => Next::Ask,
            _ => Next::GiveUp,
        }
    }

    /// What to ask for the next headers with.
    fn locator(&self, index: &BlockIndex) -> Vec<BlockHash> {
        let mut locator = index.locator(self.start);
        if self.last.hash != self.from.hash {
            locator.insert(0, self.last.hash);
            locator.truncate(MAX_LOCATOR_HASHES);
        }
        locator
    }
}

fn mark(secret: &Secret, salt: u64, hash: &BlockHash) -> bool {
    secret.hash(Purpose::HeaderMark, &[&salt.to_le_bytes(), hash.as_bytes()]) & 1 == 1
}

/// `work` so many times.
fn times(work: Work, count: usize) -> Work {
    let (mut sum, mut power, mut rest) = (Work::ZERO, work, count);
    while rest > 0 {
        if rest % 2 == 1 {
            sum += power;
        }
        power += power;
        rest /= 2;
    }
    sum
}

/// Whether headers may be kept.
pub(super) enum Judgement {
    /// Their chain has work enough.
    Enough,
    /// Not so far.
    TooLittle,
    /// One of them breaks a rule by itself.
    Broken(Violation),
}

impl Node {
    /// The work that a chain must have for its headers to be kept: nearly that of our tip, and what the operator asks for.
    fn enough_work(&self) -> Work {
        let index = self.chain.index();
        let tip = self.chain.tip();
        let before = index.find(&tip.hash).and_then(|id| index.parent(id)).map_or(Work::ZERO, |id| index.get(id).work);
        (tip.work - times(tip.work - before, LOW_WORK_BLOCKS)).max(self.config.minimum_chain_work)
    }

    /// Judges headers on top of one that we know. All are kept if the last one is known, so that nothing new is kept.
    pub(super) fn judge_work(&self, parent: EntryId, headers: &[Header]) -> Judgement {
        let index = self.chain.index();
        let parent = index.get(parent);
        // Nearly always it is news on top of the tip. What stands on an invalid block is refused anyway.
        if parent.work >= self.chain.tip().work.max(self.config.minimum_chain_work) || parent.is_invalid() {
            return Judgement::Enough;
        }
        let enough = self.enough_work();
        let is_known = || headers.last().is_some_and(|last| index.find(&last.hash()).is_some());
        if parent.work >= enough || is_known() {
            return Judgement::Enough;
        }
        let limit = self.chain.params().target_limit();
        let mut work = parent.work;
        for header in headers {
            // Bits count for work only where it was done.
            if let Err(error) = check_header_alone(header, &limit) {
                return Judgement::Broken(Violation::Header { hash: header.hash(), error });
            }
            work += header.bits.to_target().map_or(Work::ZERO, |target| target.work());
        }
        if work >= enough { Judgement::Enough } else { Judgement::TooLittle }
    }

    /// Begins to follow a chain whose first headers show too little work.
    pub(super) fn begin_low_work(&mut self, now: Timestamp, id: PeerId, parent: EntryId, headers: &[Header]) {
        let salt = self.secret_nonce(id, now);
        let chain = Box::new(LowWorkChain::new(self.chain.index(), parent, salt));
        if let Some(peer) = self.net.ready_peer_mut(id) {
            peer.headers.low_work = Some(chain);
        }
        self.on_low_work_headers(now, id, headers);
    }

    /// Whether a header with this parent is the next of a chain that we follow.
    pub(super) fn continues_low_work(&self, id: PeerId, parent: &BlockHash) -> bool {
        let chain = self.net.peers.get(&id).and_then(|peer| peer.headers.low_work.as_ref());
        chain.is_some_and(|chain| chain.expects(parent))
    }

    pub(super) fn on_low_work_headers(&mut self, now: Timestamp, id: PeerId, headers: &[Header]) {
        let (enough, secret) = (self.enough_work(), self.net.secret);
        let Some(peer) = self.net.ready_peer_mut(id) else {
            return;
        };
        peer.headers.asked_at = None;
        let Some(mut chain) = peer.headers.low_work.take() else {
            return;
        };
        let step = match chain.take(headers, enough, self.chain.params(), &secret, now) {
            Ok(step) => step,
            Err(broken) => {
                let (header, error) = *broken;
                self.header_refused(now, id, &header, ChainError::Rule { hash: header.hash(), error });
                return self.headers_exhausted(now, id);
            }
        };
        let old_best = self.chain.best_header_hash();
        let all_taken = self.take_headers(now, id, &step.keep);
        self.emit_header_tip(old_best);
        match step.next {
            Next::Ask if all_taken => {
                let locator = chain.locator(self.chain.index());
                if let Some(peer) = self.net.ready_peer_mut(id) {
                    peer.headers.low_work = Some(chain);
                }
                self.ask_headers(now, id, locator);
            }
            Next::Proven if all_taken && headers.len() == MAX_HEADERS => {
                self.continue_headers(now, id, chain.last.hash)
            }
            _ => self.headers_exhausted(now, id),
        }
        self.schedule_downloads(now);
    }
}
