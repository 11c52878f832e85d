//! Where work comes from. A source runs its own threads and speaks through events; what carries the work (templates over
//! JSON-RPC now) is its own business.

use crate::error::MinerError;
use crate::session::Event;
use std::sync::mpsc::Sender;
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

    /// Hands in a result. What becomes of it arrives as an event.
    fn submit(&self, found: Found);
}

/// The way of a source's events into the session.
#[derive(Clone, Debug)]
pub struct SourceEvents(Sender<Event>);

impl SourceEvents {
    /// Events into this session.
    #[must_use]
    pub fn new(session: Sender<Event>) -> SourceEvents {
        SourceEvents(session)
    }

    /// Sends an event; false when the session has ended and the source should too.
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
    /// A result was of work long gone, and was not handed in.
    Stale,
    /// There will be no work, ever.
    Failed(MinerError),
}

/// Work with what there is to say about it.
#[derive(Debug)]
pub struct Offer {
    /// For the engine.
    pub job: Job,
    /// The block's height.
    pub height: Height,
    /// The block it builds on.
    pub prev_block: BlockHash,
    /// Transactions beside the coinbase.
    pub transactions: usize,
    /// What the block pays us.
    pub reward: Amount,
}

/// A result that was handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The block's height.
    pub height: Height,
    /// The block.
    pub hash: BlockHash,
    /// What it pays us.
    pub reward: Amount,
    /// What became of it.
    pub outcome: Outcome,
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
