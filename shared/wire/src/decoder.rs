//! From a stream of bytes to messages.

use tally_primitives::encode;

use crate::frame::{FrameError, HEADER_BYTES, checksum};
use crate::limits::{KIND_BYTES, MAX_HANDSHAKE_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES};
use crate::message::{Message, MessageKind};
use crate::version::Version;

/// An idle decoder keeps at most this much memory: one big block must not cost a megabyte for the rest of a connection.
const KEPT_CAPACITY_BYTES: usize = 64 << 10;

/// Turns the bytes of one connection into messages.
///
/// ```
/// use tally_wire::{Decoder, Message, encode_frame};
/// let frame = encode_frame(0x1234_5678, &Message::Ping { nonce: 7 });
/// let mut decoder = Decoder::new(0x1234_5678);
/// decoder.push(&frame[..5]);
/// assert_eq!(decoder.next(), Ok(None));
/// decoder.push(&frame[5..]);
/// assert_eq!(decoder.next(), Ok(Some(Message::Ping { nonce: 7 })));
/// ```
///
/// It keeps only bytes that it was given, and of those only the ones of an unfinished frame that has passed all
/// limits so far; a length that a peer merely announces costs nothing. Call [`Decoder::next`] after each
/// [`Decoder::push`] until it returns `None`.
///
/// Until the peer's `VersionAck` has come by, frames are limited to
/// [`MAX_HANDSHAKE_PAYLOAD_BYTES`].
#[derive(Debug)]
pub struct Decoder {
    magic: u32,
    buffer: Vec<u8>,
    /// How much of the buffer is used up.
    start: usize,
    /// Bytes of an unknown message still to be dropped as they arrive.
    skip: usize,
    max_payload: usize,
    failed: Option<FrameError>,
}

/// A frame's announced length and kind, after they passed their limits.
struct Announced {
    length: usize,
    kind: MessageKind,
}

impl Decoder {
    /// For a fresh connection on the network with this magic.
    #[must_use]
    pub fn new(magic: u32) -> Decoder {
        Decoder { magic, buffer: Vec::new(), start: 0, skip: 0, max_payload: MAX_HANDSHAKE_PAYLOAD_BYTES, failed: None }
    }

    /// Takes bytes as they came from the peer. After a fatal error they are dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(&bytes[skipped..]);
    }

    /// The next message; `None` when more bytes are needed.
    ///
    /// # Errors
    /// See [`FrameError`]. After a fatal one ([`FrameError::is_fatal`]) the stream is lost and every call returns it again.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end at the first None; this one goes on")]
    pub fn next(&mut self) -> Result<Option<Message>, FrameError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = self.decode_one();
        match &result {
            Err(error) if error.is_fatal() => {
                self.failed = Some(error.clone());
                self.buffer = Vec::new();
                self.start = 0;
            }
            Ok(Some(Message::VersionAck)) => self.max_payload = MAX_PAYLOAD_BYTES,
            _ => {}
        }
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
            self.buffer.shrink_to(KEPT_CAPACITY_BYTES);
        }
        result
    }

    /// Whether the peer's `VersionAck` has come by, which is when frames may be long.
    #[must_use]
    pub fn is_handshake_done(&self) -> bool {
        self.max_payload == MAX_PAYLOAD_BYTES
    }

    /// The memory that the decoder holds, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.buffer.capacity()
    }

    fn decode_one(&mut self) -> Result<Option<Message>, FrameError> {
        let Some(Announced { length, kind }) = self.announced()? else {
            return Ok(None);
        };
        let pending = &self.buffer[self.start..];
        let Some(payload) = pending.get(HEADER_BYTES..HEADER_BYTES + length) else {
            return Ok(None);
        };
        if pending[8..HEADER_BYTES] != checksum(payload) {
            return Err(FrameError::WrongChecksum { kind });
        }
        let message = encode::decode::<Message>(payload, kind.max_payload())
            .map_err(|source| FrameError::Malformed { kind, source })?;
        if let Some((items, max)) = message.excess_items() {
            return Err(FrameError::TooManyItems { kind, items, max });
        }
        if !message.has_good_places() {
            return Err(FrameError::BadPlaces { kind });
        }
        if let Message::Version(version) = &message
            && !Version::is_user_agent(&version.user_agent)
        {
            return Err(FrameError::BadUserAgent);
        }
        self.start += HEADER_BYTES + length;
        Ok(Some(message))
    }

    /// Checks what a frame announces, each part as soon as it is there.
    fn announced(&mut self) -> Result<Option<Announced>, FrameError> {
        let pending = &self.buffer[self.start..];
        let expected = self.magic.to_le_bytes();
        let seen = pending.len().min(expected.len());
        if pending[..seen] != expected[..seen] {
            let mut found = [0; 4];
            found[..seen].copy_from_slice(&pending[..seen]);
            return Err(FrameError::WrongMagic { expected: self.magic, found: u32::from_le_bytes(found) });
        }
        let Some(length) = read_u32(pending, 4) else {
            return Ok(None);
        };
        // Widening: the targets that run this have pointers of 32 bits or more.
        let length = length as usize;
        if length > self.max_payload {
            return Err(FrameError::TooLong { length, max: self.max_payload });
        }
        if length < KIND_BYTES {
            return Err(FrameError::TooShort { length });
        }
        let Some(index) = read_u32(pending, HEADER_BYTES) else {
            return Ok(None);
        };
        let Some(kind) = MessageKind::from_index(index) else {
            self.skip_frame(HEADER_BYTES + length);
            return Err(FrameError::UnknownKind { index, length });
        };
        if length > kind.max_payload() {
            return Err(FrameError::KindTooLong { kind, length, max: kind.max_payload() });
        }
        Ok(Some(Announced { length, kind }))
    }

    /// Drops a frame of `bytes` bytes, those that are here and those that are still to come.
    fn skip_frame(&mut self, bytes: usize) {
        let here = bytes.min(self.buffer.len() - self.start);
        self.start += here;
        self.skip = bytes - here;
    }
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(word.try_into().ok()?))
}
