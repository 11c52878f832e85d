//! Headers first: who has the chain with the most work is found out by 80 bytes a block.
//!
//! Peers that claim more work than our tip has are asked, two at a time, the best first; a silent one loses its connection, and the next
//! is asked. After that headers come by themselves, as announcements. A header whose parent is unknown is no offence: it
//! shows that we lack something, so its sender is asked. Chains with little work are [followed without being kept](low_work).

mod low_work;

use tally_consensus::error::RuleError;
use tally_consensus::header::{MAX_SECONDS_AHEAD, check_header_alone};
use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::Work;
use tally_primitives::units::Timestamp;
use tally_wire::Message;
use tally_wire::limits::MAX_HEADERS;

use crate::chain::ChainError;
use crate::chain::index::EntryId;
use crate::event::Event;
use crate::net::disconnect::{DisconnectReason, Violation};
use crate::net::limits::{HEADERS_TIMEOUT_MS, MAX_HEADER_SYNC_PEERS};
use crate::net::peer::{Peer, PeerId};
use crate::node::Node;

use low_work::{Judgement, LowWorkChain};

/// What a peer knows of the chain, and what we have asked it.
#[derive(Debug, Default)]
pub(crate) struct PeerHeaders {
    /// The `GetHeaders` that it has not answered.
    asked_at: Option<Timestamp>,
    /// Something new was heard of while a `GetHeaders` was on its way: the answer may not have it yet.
    ask_again: bool,
    /// What it says its chain is worth; zero once it has shown all it has.
    pub claimed_work: Work,
    /// The header with the most work that it has shown to have.
    pub best: Option<EntryId>,
    /// The last header that we sent to it.
    pub told: Option<EntryId>,
    /// When a header that it sent too early becomes acceptable.
    retry_at: Option<Timestamp>,
    /// A chain that has not shown enough work. Boxed: large, and rare.
    low_work: Option<Box<LowWorkChain>>,
}

impl PeerHeaders {
    /// When something is to be done.
    pub fn due(&self) -> Option<Timestamp> {
        let timeout = self.asked_at.map(|at| at.saturating_add_millis(HEADERS_TIMEOUT_MS));
        timeout.into_iter().chain(self.retry_at).min()
    }
}

impl Node {
    /// Asks those who claim the most work, if they claim more than our tip has. Not than our best header: we may have its header and
    /// not know who has its body (after a restart, say).
    pub(crate) fn sync_headers(&mut self, now: Timestamp) {
        let ours = self.chain.tip().work;
        if self.net.highest_claim <= ours {
            return;
        }
        self.net.highest_claim =
            self.net.peers.values().map(|peer| peer.headers.claimed_work).max().unwrap_or(Work::ZERO);
        let mut asked = 0;
        let mut candidates = Vec::new();
        for peer in self.net.ready_peers().filter(|peer| peer.headers.claimed_work > ours) {
            if peer.headers.asked_at.is_some() {
                asked += 1;
            } else {
                candidates.push((peer.headers.claimed_work, peer.id));
            }
        }
        candidates.sort_by_key(|(work, id)| (std::cmp::Reverse(*work), *id));
        let free = MAX_HEADER_SYNC_PEERS.saturating_sub(asked);
        for (_, id) in candidates.into_iter().take(free) {
            self.request_headers(now, id);
        }
    }

    /// Asks a peer what it has beyond our best header, unless it has been asked.
    pub(crate) fn request_headers(&mut self, now: Timestamp, id: PeerId) {
        let index = self.chain.index();
        let best = index.best_header();
        // From its parent on, so that the answer of a peer on the same chain is never empty.
        let locator = index.locator(index.parent(best).unwrap_or(best));
        self.ask_headers(now, id, locator);
    }

    fn ask_headers(&mut self, now: Timestamp, id: PeerId, locator: Vec<BlockHash>) {
        let Some(peer) = self.net.ready_peer_mut(id) else {
            return;
        };
        if peer.headers.asked_at.is_some() {
            peer.headers.ask_again = true;
            return;
        }
        peer.headers.asked_at = Some(now);
        self.send(id, Message::GetHeaders { locator, stop: BlockHash::ZERO });
    }

    pub(crate) fn on_get_headers(&mut self, id: PeerId, locator: &[BlockHash], stop: &BlockHash) {
        let headers = self.chain.headers_after(locator, stop, MAX_HEADERS);
        let last = headers.last().map_or_else(|| self.chain.tip().hash, Header::hash);
        let told = self.chain.index().find(&last);
        if let Some(peer) = self.net.ready_peer_mut(id) {
            peer.headers.told = told;
        }
        self.send(id, Message::Headers(headers.into()));
    }

    /// Whether a peer of which we expect nothing tells of the block that is our best, and nothing follows from it: most headers that arrive are so, since
    /// every peer tells of every block. Notes that the peer has it.
    pub(crate) fn is_old_news(&mut self, now: Timestamp, id: PeerId, headers: &[Header]) -> bool {
        let index = self.chain.index();
        let best = index.best_header();
        let entry = index.get(best);
        let is_waiting = index.unlinked() > self.net.download.len() || self.net.highest_claim > self.chain.tip().work;
        if is_waiting || *headers != [entry.header] {
            return false;
        }
        let Some(peer) = self.net.peers.get_mut_quietly(&id).filter(|peer| peer.is_ready()) else {
            return false;
        };
        if peer.headers.asked_at.is_some() || peer.headers.ask_again {
            return false;
        }
        peer.last_message_at = now;
        peer.headers.claimed_work = Work::ZERO;
        let is_better = |old: EntryId| index.get(old).is_invalid() || entry.work > index.get(old).work;
        if peer.headers.best.is_none_or(is_better) {
            peer.headers.best = Some(best);
        }
        true
    }

    pub(crate) fn on_headers(&mut self, now: Timestamp, id: PeerId, headers: &[Header]) {
        let (Some(first), Some(last)) = (headers.first(), headers.last()) else {
            return self.headers_exhausted(now, id);
        };
        let linked = headers.windows(2).position(|pair| pair[1].prev_block != pair[0].hash());
        if let Some(before) = linked {
            let violation = Violation::HeadersNotLinked { position: before + 1, count: headers.len() };
            return self.punish(now, id, violation);
        }
        if self.continues_low_work(id, &first.prev_block) {
            return self.on_low_work_headers(now, id, headers);
        }
        let index = self.chain.index();
        let is_known = headers.len() == 1 && index.find_without_hashing(first).is_some();
        let parent = index.find(&first.prev_block);
        if parent.is_none() && !is_known {
            return self.on_unconnected_headers(now, id, headers);
        }
        self.headers_answered(id);
        if let Some(parent) = parent.filter(|_| !is_known) {
            match self.judge_work(parent, headers) {
                Judgement::Enough => {}
                Judgement::TooLittle if headers.len() == MAX_HEADERS => {
                    return self.begin_low_work(now, id, parent, headers);
                }
                // The chain ends here, and is not worth keeping.
                Judgement::TooLittle => return self.headers_exhausted(now, id),
                Judgement::Broken(violation) => return self.punish(now, id, violation),
            }
        }
        let old_best = self.chain.best_header_hash();
        let all_taken = self.take_headers(now, id, headers);
        self.emit_header_tip(old_best);
        if !self.net.peers.contains_key(&id) {
            return;
        }
        if all_taken && headers.len() == MAX_HEADERS {
            self.continue_headers(now, id, last.hash());
        } else {
            self.headers_exhausted(now, id);
        }
        self.schedule_downloads(now);
    }

    /// Asks for what follows on a full message.
    fn continue_headers(&mut self, now: Timestamp, id: PeerId, last: BlockHash) {
        let index = self.chain.index();
        let Some(entry) = index.find(&last) else {
            return;
        };
        let locator = index.locator(entry);
        self.ask_headers(now, id, locator);
    }

    /// What the peer was asked for has come. Most headers come unasked.
    fn headers_answered(&mut self, id: PeerId) {
        let was_asked = self.net.peers.get(&id).is_some_and(|peer| peer.headers.asked_at.is_some());
        if was_asked && let Some(peer) = self.net.ready_peer_mut(id) {
            peer.headers.asked_at = None;
        }
    }

    /// The peer has shown all it has: the next one may be asked.
    fn headers_exhausted(&mut self, now: Timestamp, id: PeerId) {
        self.headers_answered(id);
        let Some(peer) = self.net.peers.get_mut_quietly(&id).filter(|peer| peer.is_ready()) else {
            return;
        };
        peer.headers.claimed_work = Work::ZERO;
        if std::mem::take(&mut peer.headers.ask_again) {
            self.request_headers(now, id);
        }
        self.sync_headers(now);
    }

    /// Their parent is unknown: honest peers send such when we have missed something. But work they must show.
    fn on_unconnected_headers(&mut self, now: Timestamp, id: PeerId, headers: &[Header]) {
        let limit = self.chain.params().target_limit();
        for header in headers {
            if let Err(error) = check_header_alone(header, &limit) {
                return self.punish(now, id, Violation::Header { hash: header.hash(), error });
            }
        }
        self.request_headers(now, id);
    }

    /// Takes headers into the index, up to the first that cannot be taken; false if there was one.
    fn take_headers(&mut self, now: Timestamp, id: PeerId, headers: &[Header]) -> bool {
        let mut last = None;
        let mut refused = None;
        for header in headers {
            match self.chain.accept_header(header, now) {
                Ok(outcome) => last = Some(outcome.hash),
                Err(error) => {
                    refused = Some((header, error));
                    break;
                }
            }
        }
        if let Some(hash) = last {
            self.note_has_block(id, &hash);
        }
        match refused {
            None => true,
            Some((header, error)) => {
                self.header_refused(now, id, header, error);
                false
            }
        }
    }

    /// Judges the sender of a header that the chain refused.
    pub(crate) fn header_refused(&mut self, now: Timestamp, id: PeerId, header: &Header, error: ChainError) {
        match error {
            ChainError::Rule { error: RuleError::TimeTooFarAhead { .. }, .. } => {
                self.retry_later(id, header.time);
            }
            ChainError::Rule { hash, error } if is_provable(&error) => {
                self.punish(now, id, Violation::Header { hash, error });
            }
            error if error.is_fatal() => self.halt(&error),
            // An unknown parent is nobody's fault; an invalid one may be invalid by our operator's hand.
            _ => {}
        }
    }

    /// Asks again when the header's time has come within two hours of ours.
    pub(crate) fn retry_later(&mut self, id: PeerId, header_time: u32) {
        let at = Timestamp::from_seconds(header_time.saturating_sub(MAX_SECONDS_AHEAD));
        if let Some(peer) = self.net.ready_peer_mut(id) {
            peer.headers.retry_at = Some(peer.headers.retry_at.map_or(at, |earlier| earlier.min(at)));
        }
    }

    /// Notes that a peer has a block, and with it its whole chain.
    pub(crate) fn note_has_block(&mut self, id: PeerId, hash: &BlockHash) {
        let index = self.chain.index();
        let Some(found) = index.find(hash) else {
            return;
        };
        let is_better = |best: EntryId| index.get(best).is_invalid() || index.get(found).work > index.get(best).work;
        if let Some(peer) = self.net.peers.get_mut_quietly(&id)
            && peer.headers.best.is_none_or(is_better)
        {
            peer.headers.best = Some(found);
        }
    }

    /// Whether a peer has a block, as far as we know.
    pub(crate) fn has_block(&self, peer: &Peer, id: EntryId) -> bool {
        let index = self.chain.index();
        if id == index.genesis() {
            // Else we would not have shaken hands.
            return true;
        }
        let height = index.get(id).height;
        let known = [peer.headers.best, peer.headers.told];
        known.into_iter().flatten().any(|end| index.ancestor(end, height) == Some(id))
    }

    pub(crate) fn emit_header_tip(&mut self, old_best: BlockHash) {
        if self.chain.best_header_hash() != old_best {
            let index = self.chain.index();
            let best = index.get(index.best_header());
            self.emit(Event::HeaderTip { hash: best.hash, height: best.height });
        }
    }

    pub(crate) fn tick_headers(&mut self, now: Timestamp, due: &[PeerId]) {
        let due: Vec<(PeerId, bool)> = self
            .net
            .peers
            .among(due)
            .filter(|peer| peer.is_ready() && peer.headers.due().is_some_and(|due| due <= now))
            .map(|peer| {
                let silent = peer.headers.asked_at.is_some_and(|at| now.millis_since(at) >= HEADERS_TIMEOUT_MS);
                (peer.id, silent)
            })
            .collect();
        for (id, silent) in due {
            if silent {
                self.disconnect(now, id, DisconnectReason::HeadersTimeout { millis: HEADERS_TIMEOUT_MS });
                self.sync_headers(now);
            } else {
                if let Some(peer) = self.net.ready_peer_mut(id) {
                    peer.headers.retry_at = None;
                }
                self.request_headers(now, id);
            }
        }
    }
}

/// Whether the broken rule proves that the sender does not follow the rules, whatever we know and it does not.
fn is_provable(error: &RuleError) -> bool {
    error.is_permanent() && !matches!(error, RuleError::BadParent { .. })
}
