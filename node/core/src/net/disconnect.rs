//! Why a connection ends. The penalty is binary: what only a sender that breaks the protocol can produce ([`Violation`]) ends the
//! connection and discourages the address; everything else is tolerated, or ends the connection and no more.

use tally_consensus::error::RuleError;
use tally_primitives::hash::{BlockHash, Wtxid};
use tally_wire::{FrameError, MessageKind};

/// A provable breach of the protocol or of a consensus rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The handshake's messages have one order.
    #[error("{kind} at the wrong point of the handshake")]
    HandshakeOrder {
        /// What came.
        kind: MessageKind,
    },
    /// Bytes that are no message.
    #[error("{error}")]
    Frame {
        /// What is wrong with them.
        error: FrameError,
    },
    /// A list of headers, each the child of the one before, that is not one.
    #[error("header {position} of {count} does not follow on the one before")]
    HeadersNotLinked {
        /// From 0.
        position: usize,
        /// In the message.
        count: usize,
    },
    /// A header that breaks a rule.
    #[error("header {hash}: {error}")]
    Header {
        /// Its hash.
        hash: BlockHash,
        /// The rule.
        error: RuleError,
    },
    /// A block that breaks a rule.
    #[error("block {hash}: {error}")]
    Block {
        /// Its hash.
        hash: BlockHash,
        /// The rule.
        error: RuleError,
    },
    /// A transaction that breaks a rule whatever the chain is.
    #[error("transaction {wtxid} (wtxid): {error}")]
    Transaction {
        /// Its hash with witnesses.
        wtxid: Wtxid,
        /// The rule.
        error: RuleError,
    },
    /// More requests at a time than any peer needs.
    #[error("{requests} requests at a time, at most {max} are allowed")]
    RequestFlood {
        /// Waiting.
        requests: usize,
        /// Allowed.
        max: usize,
    },
    /// A transaction asked for at a place that its block does not have.
    #[error("transaction {index} asked for of block {hash}, which has {count}")]
    PlaceBeyondBlock {
        /// The block.
        hash: BlockHash,
        /// The place.
        index: u16,
        /// The number of its transactions.
        count: usize,
    },
    /// More frames of unknown kinds than a newer version would send.
    #[error("more than {max} messages of unknown kinds in a minute")]
    UnknownFlood {
        /// Tolerated.
        max: u32,
    },
}

/// Why a connection ended, or was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisconnectReason {
    /// The other side closed it, or the line broke.
    #[error("closed: {why}")]
    Closed {
        /// What the transport says.
        why: String,
    },
    /// The operator asked for it.
    #[error("disconnected by hand")]
    ByHand,
    /// The operator banned the address.
    #[error("the address is banned")]
    Banned,
    /// The address broke a rule not long ago.
    #[error("the address broke a rule not long ago")]
    Discouraged,
    /// We called an address that we are connected to.
    #[error("we are connected to this address already")]
    AlreadyConnected,
    /// The group of the address has as many inbound slots as any may have.
    #[error("{max} inbound slots are taken by this network already")]
    GroupFull {
        /// Slots for one group.
        max: usize,
    },
    /// The address opens connections faster than any honest node.
    #[error("this address connects too often")]
    TooOften,
    /// The slot was needed for another.
    #[error("all slots are taken, and others are of more use")]
    Evicted,
    /// It was only to find out whether it answers.
    #[error("it answered, which is all we wanted to know")]
    FeelerDone,
    /// Somebody to look for a better chain was called, and the others are of more use.
    #[error("an extra peer that was no better than the others")]
    ExtraPeer,
    /// We have sent as much as we want to in a day, and it asks for old blocks.
    #[error("{bytes} bytes were sent today, which is the upload target: no old blocks until tomorrow")]
    UploadTarget {
        /// The target.
        bytes: u64,
    },
    /// No inbound slot is free.
    #[error("all {max} inbound slots are taken")]
    Full {
        /// Slots.
        max: usize,
    },
    /// The peer is on another network.
    #[error("the peer is on another network: its genesis is {theirs}, ours {ours}")]
    WrongGenesis {
        /// Ours.
        ours: BlockHash,
        /// The peer's.
        theirs: BlockHash,
    },
    /// The peer's frames start with another network's magic, or are damaged.
    #[error("{error}")]
    BadFrame {
        /// What is wrong.
        error: FrameError,
    },
    /// The peer speaks a protocol of the past.
    #[error("the peer speaks protocol {theirs}, we need at least {min}")]
    OldProtocol {
        /// The peer's.
        theirs: u32,
        /// The oldest we speak.
        min: u32,
    },
    /// We called ourselves.
    #[error("this is a connection to ourselves")]
    SelfConnection,
    /// The handshake took too long.
    #[error("no handshake within {millis} ms")]
    HandshakeTimeout {
        /// The limit.
        millis: u64,
    },
    /// No answer to a `Ping`.
    #[error("no pong within {millis} ms")]
    PingTimeout {
        /// The limit.
        millis: u64,
    },
    /// No answer to a `GetHeaders`.
    #[error("no headers within {millis} ms")]
    HeadersTimeout {
        /// The limit.
        millis: u64,
    },
    /// Blocks that it should have sent had to come from others.
    #[error("{blocks} blocks it should have sent had to come from others")]
    BlockStall {
        /// How many in a row.
        blocks: u32,
    },
    /// It does not read what we send.
    #[error("{bytes} bytes wait to be sent: the peer does not read")]
    SlowReader {
        /// Waiting.
        bytes: usize,
    },
    /// It broke a rule.
    #[error("{violation}")]
    Violation {
        /// Which.
        violation: Box<Violation>,
    },
}

impl From<Violation> for DisconnectReason {
    fn from(violation: Violation) -> DisconnectReason {
        DisconnectReason::Violation { violation: Box::new(violation) }
    }
}
