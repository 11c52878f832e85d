//! The frame around a message: magic u32, payload length u32, checksum (the first 4 bytes of the payload's SHA-256d),
//! payload.

use tally_primitives::encode::{self, DecodeError};
use tally_primitives::hash;

use crate::message::{Message, MessageKind};

/// Magic, length and checksum.
pub const HEADER_BYTES: usize = 12;

/// Why the bytes of a peer are not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame is of another network, or no frame at all.
    #[error("a frame starts with {found:#010x}, this network's with {expected:#010x}")]
    WrongMagic {
        /// This network's.
        expected: u32,
        /// The first four bytes, as far as they have arrived.
        found: u32,
    },
    /// The announced length is more than any frame may have (or any before the handshake is done).
    #[error("a frame of {length} bytes is announced, at most {max} are allowed")]
    TooLong {
        /// Announced.
        length: usize,
        /// Allowed.
        max: usize,
    },
    /// The announced length has no room for a kind.
    #[error("a frame of {length} bytes is announced, which cannot hold a message")]
    TooShort {
        /// Announced.
        length: usize,
    },
    /// The announced length is more than this kind may have.
    #[error("a {kind} of {length} bytes is announced, at most {max} are allowed")]
    KindTooLong {
        /// What it would be.
        kind: MessageKind,
        /// Announced.
        length: usize,
        /// Allowed.
        max: usize,
    },
    /// The payload is not what was sent.
    #[error("the checksum of a {kind} is wrong")]
    WrongChecksum {
        /// What it would be.
        kind: MessageKind,
    },
    /// The payload is not the encoding of its kind.
    #[error("a {kind} does not decode: {source}")]
    Malformed {
        /// What it would be.
        kind: MessageKind,
        /// What the decoder says.
        source: DecodeError,
    },
    /// A list is longer than its kind allows.
    #[error("a {kind} has {items} items, at most {max} are allowed")]
    TooManyItems {
        /// What it is.
        kind: MessageKind,
        /// Sent.
        items: usize,
        /// Allowed.
        max: usize,
    },
    /// The places of transactions in a block do not ascend, lie beyond the block, or say of too much that it is sent whole.
    #[error("the transactions of a {kind} are not where they can be")]
    BadPlaces {
        /// What it is.
        kind: MessageKind,
    },
    /// The user agent is too long, or is not printable ASCII.
    #[error("the user agent is not printable ASCII of at most 128 bytes")]
    BadUserAgent,
    /// A kind that this version does not know; it is skipped, and the stream goes on.
    #[error("message kind {index} ({length} bytes) is unknown")]
    UnknownKind {
        /// Its number.
        index: u32,
        /// The length of its payload.
        length: usize,
    },
}

impl FrameError {
    /// Whether the stream is lost. After [`FrameError::UnknownKind`] it is not: the next frame follows.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        !matches!(self, FrameError::UnknownKind { .. })
    }

    /// Whether only a sender that breaks the protocol produces this. Another network's magic or a checksum that a bad line
    /// spoilt prove nothing.
    #[must_use]
    pub const fn is_violation(&self) -> bool {
        !matches!(
            self,
            FrameError::UnknownKind { .. } | FrameError::WrongMagic { .. } | FrameError::WrongChecksum { .. }
        )
    }
}

/// The first four bytes of the payload's SHA-256d.
#[must_use]
pub fn checksum(payload: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = hash::sha256d(payload);
    [a, b, c, d]
}

/// The frame that carries `message` on the network with this `magic`.
///
/// # Panics
/// If the payload has 4 GiB or more, which no message that keeps its limits comes near to.
#[must_use]
pub fn encode(magic: u32, message: &Message) -> Vec<u8> {
    let payload = encode::encode(message);
    debug_assert!(payload.len() <= message.kind().max_payload(), "{} is beyond its limit", message.kind());
    let length = u32::try_from(payload.len()).expect("a message within its limits is far below 4 GiB");
    let mut frame = Vec::with_capacity(HEADER_BYTES + payload.len());
    frame.extend_from_slice(&magic.to_le_bytes());
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&checksum(&payload));
    frame.extend_from_slice(&payload);
    frame
}
