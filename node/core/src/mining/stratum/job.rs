//! A job: one connection's share of the work. The coinbase pays that connection's address and holds its extra nonces.
//!
//! The memo of a job's coinbase is height (8 bytes), extranonce1 (4, the connection's), extranonce2 (8, the miner's), the
//! job's number (4), the node's tag (8). So no two jobs, connections or nodes ever hash the same header. `coinb1` is the
//! encoding up to extranonce1, `coinb2` what follows extranonce2; the miner hashes the whole to the coinbase's wtxid, and
//! with the branch to the Merkle root.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tally_consensus::header::MAX_SECONDS_AHEAD;
use tally_primitives::block::{Block, Header};
use tally_primitives::encode;
use tally_primitives::hash::{LockHash, Wtxid, sha256d};
use tally_primitives::merkle;
use tally_primitives::pow::Target;
use tally_primitives::units::Timestamp;

use crate::mining::stratum::difficulty::Difficulty;
use crate::mining::stratum::error::Refusal;
use crate::mining::stratum::limits::MAX_SHARES_PER_JOB;
use crate::mining::stratum::work::Work;

/// Bytes of extranonce1, which the server gives.
pub const EXTRANONCE1_SIZE: usize = 4;

/// Bytes of extranonce2, which the miner counts up.
pub const EXTRANONCE2_SIZE: usize = 8;

/// Bytes of the node's tag.
pub const TAG_SIZE: usize = 8;

/// Bytes of a job's number.
const NUMBER_SIZE: usize = 4;

/// What makes a connection's coinbases different from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The connection's own bytes.
    pub extranonce1: [u8; EXTRANONCE1_SIZE],
    /// The node's bytes.
    pub tag: [u8; TAG_SIZE],
}

/// What a miner found, as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// The miner's part of the coinbase.
    pub extranonce2: [u8; EXTRANONCE2_SIZE],
    /// The header's time.
    pub time: u32,
    /// The header's nonce.
    pub nonce: u32,
    /// The header's version.
    pub version: u32,
}

/// What a good share is worth.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Work that it stands for.
    pub credit: Difficulty,
    /// The block, if it is one.
    pub block: Option<Arc<Block>>,
}

/// One job of one connection.
#[derive(Clone, Debug)]
pub struct Job {
    number: u32,
    work: Arc<Work>,
    extranonce1: [u8; EXTRANONCE1_SIZE],
    /// The coinbase's encoding before extranonce1 and after extranonce2.
    before: Vec<u8>,
    after: Vec<u8>,
    difficulty: Difficulty,
    target: Target,
    shares: BTreeSet<Share>,
}

impl Job {
    /// A job that pays `payout`, whose shares are to have this difficulty.
    pub fn new(number: u32, work: Arc<Work>, payout: LockHash, seat: &Seat, difficulty: Difficulty) -> Job {
        let mut extra = [0; EXTRANONCE1_SIZE + EXTRANONCE2_SIZE].to_vec();
        extra.extend_from_slice(&number.to_le_bytes());
        extra.extend_from_slice(&seat.tag);
        let mut before = encode::encode(&work.template().coinbase(payout, &extra));
        // The memo ends the encoding.
        let after = before.split_off(before.len() - NUMBER_SIZE - TAG_SIZE);
        before.truncate(before.len() - EXTRANONCE1_SIZE - EXTRANONCE2_SIZE);
        Job {
            number,
            extranonce1: seat.extranonce1,
            before,
            after,
            difficulty,
            target: difficulty.target(),
            shares: BTreeSet::new(),
            work,
        }
    }

    /// Its number on the connection.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Its name on the wire.
    pub fn id(&self) -> String {
        format!("{:x}", self.number)
    }

    /// What it was made of.
    pub fn work(&self) -> &Arc<Work> {
        &self.work
    }

    /// What its shares must have.
    pub fn difficulty(&self) -> Difficulty {
        self.difficulty
    }

    /// How many good shares have come.
    pub fn share_count(&self) -> usize {
        self.shares.len()
    }

    /// The parameters of `mining.notify`.
    pub fn notify_params(&self, clean: bool) -> Value {
        let template = self.work.template();
        let word = |word: u32| format!("{word:08x}");
        json!([
            self.id(),
            self.work.prev_block_hex(),
            hex::encode(&self.before),
            hex::encode(&self.after),
            self.work.branch_hex(),
            word(template.version),
            word(template.bits.to_bits()),
            word(template.current_time),
            clean,
        ])
    }

    /// Judges a share, and remembers a good one.
    ///
    /// A hash that meets the block's target always counts, even where a share was to be harder than a block.
    ///
    /// # Errors
    /// Its time is out of range, its hash is above both targets, it came before, or the job has had enough.
    pub fn check(&mut self, share: &Share, now: Timestamp) -> Result<Verdict, Refusal> {
        let template = self.work.template();
        let latest = now.as_seconds().saturating_add(MAX_SECONDS_AHEAD);
        if share.time < template.min_time || share.time > latest {
            let (time, least) = (share.time, template.min_time);
            return Err(Refusal::bad(format!("ntime {time} is out of range: {least} to {latest} is allowed")));
        }
        let coinbase = self.coinbase(share);
        let header = self.header(&coinbase, share);
        let hash = header.hash();
        let is_block = template.target.is_met_by(&hash);
        let is_share = self.target.is_met_by(&hash);
        if !is_block && !is_share {
            return Err(Refusal::LowDifficulty { difficulty: self.difficulty.get() });
        }
        if self.shares.contains(share) {
            return Err(Refusal::Duplicate);
        }
        if self.shares.len() >= MAX_SHARES_PER_JOB && !is_block {
            return Err(Refusal::StaleJob);
        }
        if self.shares.len() < MAX_SHARES_PER_JOB {
            self.shares.insert(*share);
        }
        // A block that is no share is worth what a block takes.
        let credit = if is_share { self.difficulty } else { self.difficulty.min(self.work.difficulty()) };
        let block = if is_block { self.block(&coinbase, header) } else { None };
        Ok(Verdict { credit, block })
    }

    /// The encoded coinbase of a share.
    fn coinbase(&self, share: &Share) -> Vec<u8> {
        [self.before.as_slice(), &self.extranonce1, &share.extranonce2, &self.after].concat()
    }

    fn header(&self, coinbase: &[u8], share: &Share) -> Header {
        let template = self.work.template();
        let wtxid = Wtxid::from_bytes(sha256d(coinbase));
        Header {
            version: share.version,
            prev_block: template.prev_block,
            merkle_root: merkle::root_from_branch(&wtxid, self.work.branch()),
            time: share.time,
            bits: template.bits,
            nonce: share.nonce,
        }
    }

    /// The whole block. The coinbase always decodes: only bytes of its memo were exchanged.
    fn block(&self, coinbase: &[u8], header: Header) -> Option<Arc<Block>> {
        let coinbase = encode::decode(coinbase, coinbase.len()).ok()?;
        let mut block = self.work.template().block_with(coinbase);
        block.header = header;
        Some(Arc::new(block))
    }
}
