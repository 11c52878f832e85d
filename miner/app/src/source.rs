//! Where work comes from. A source runs its own threads and speaks through events; what carries the work (templates over
//! JSON-RPC, or Stratum) is its own business.

use crate::error::MinerError;
use crate::session::Event;
use std::sync::mpsc::SyncSender;
use tally_kernels::{Found, Job};
use tally_primitives::hash::BlockHash;
use tally_primitives::units::{Amount, Height};

/// A source of work. Dropping it ends its threads as soon as they are not waiting for an answer.
pub trait WorkSource: Send {
    /// Begins; called once. From now on events arrive.
    ///
    /// # Errors
    /// When no server can be used and waiting would not help.
    fn start(&mut self, events: SourceEvents) -> Result<(), MinerError>;

    /// Asks for the present work anew, with the time moved on. It arrives as an event; failing is told elsewhere.
    fn refresh(&self);

    /// Hands in a result, without waiting. What becomes of it arrives as an event. False: results come faster than they
    /// can be handed in, this one is given up, and there will be no event.
    fn submit(&self, found: Found) -> bool;
}

/// The way of a source's events into the session.
#[derive(Clone, Debug)]
pub struct SourceEvents(SyncSender<Event>);

impl SourceEvents {
    /// Events into this session.
    #[must_use]
    pub fn new(session: SyncSender<Event>) -> SourceEvents {
        SourceEvents(session)
    }

    /// Sends an event; false when the session has ended and the source should too. Waits while the session is behind, so
    /// that no server can fill our memory. Never called by the session's own thread.
    pub fn send(&self, event: SourceEvent) -> bool {
        self.0.send(Event::Source(event)).is_ok()
    }
}

/// What a source says.
#[derive(Debug)]
pub enum SourceEvent {
    /// A server answers (again).
    Connected {
        /// Which.
        url: String,
    },
    /// Hash this from now on.
    Work(Offer),
    /// There is a server, but nothing to hash at the moment.
    NoWork {
        /// Why.
        reason: String,
    },
    /// No server answers: nothing to hash. The source goes on trying.
    Lost {
        /// Which server.
        url: String,
        /// Why.
        reason: String,
    },
    /// What became of a result.
    Submitted(Submission),
    /// A result was of work that no longer counts, and was not handed in.
    Stale,
    /// A result was given up, since too many wait for an answer.
    Dropped,
    /// The connection is gone, and with it the answers to so many results.
    Unanswered {
        /// How many.
        results: u64,
    },
    /// Something that people should read.
    Notice {
        /// In a line.
        text: String,
    },
    /// There will be no work, ever.
    Failed(MinerError),
}

/// Work with what there is to say about it.
#[derive(Debug)]
pub struct Offer {
    /// For the engine.
    pub job: Job,
    /// The block it builds on.
    pub prev_block: BlockHash,
    /// What a result would be.
    pub purpose: Purpose,
}

/// What a result of some work would be.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// A block of ours.
    Block {
        /// Its height.
        height: Height,
        /// Transactions beside the coinbase.
        transactions: usize,
        /// What it pays us.
        reward: Amount,
    },
    /// A share: the server's measure of how much we work.
    Share {
        /// The server's name for the work.
        job: String,
        /// How hard a share is, 1 being 2^32 hashes on average.
        difficulty: f64,
        /// Whether the results of earlier work have become worthless.
        clean: bool,
    },
}

/// A result that was handed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// The header's hash.
    pub hash: BlockHash,
    /// What was handed in.
    pub result: Handed,
    /// What became of it.
    pub outcome: Outcome,
}

/// What was handed in.
#[derive(Clone, Debug, PartialEq)]
pub enum Handed {
    /// A block of ours.
    Block {
        /// Its height.
        height: Height,
        /// What it pays us.
        reward: Amount,
    },
    /// A share.
    Share {
        /// The server's name for the work.
        job: String,
        /// How hard it had to be.
        difficulty: f64,
        /// Whether its hash meets the block's target too: if the server takes it, it is a block.
        is_block: bool,
    },
}

/// What became of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Taken.
    Accepted,
    /// Not taken.
    Rejected {
        /// The server's reason, or why it could not be handed in.
        reason: String,
    },
}
