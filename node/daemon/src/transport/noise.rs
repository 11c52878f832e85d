//! Encryption: the Noise handshake XX, and messages inside.
//!
//! The caller opens with [`PREAMBLE`] and the first of three handshake messages; then both know each other's static keys, and nobody who
//! listens does. Everything after travels in Noise messages: their length as u16, little-endian, then the ciphertext, at most 65,535 bytes of
//! which the last 16 prove that nobody changed it. The frames of the peer protocol inside are the same as without.
//!
//! Nothing here depends on the network: nodes of different networks must understand each other well enough to say so.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use snow::{Builder, HandshakeState, StatelessTransportState};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::identity::{KEY_BYTES, NodeId, NodeKey};

/// What an encrypted connection opens with. No network's magic is the same.
pub const PREAMBLE: [u8; 8] = *b"TALLYNX1";

/// The variant of Noise. ChaCha20-Poly1305 needs no special instructions to be fast, and with AES-NI it is as fast as AES-GCM here.
const PATTERN: &str = "Noise_XX_25519_ChaChaPoly_SHA256";

/// The longest Noise message, by the specification.
pub const MAX_MESSAGE_BYTES: usize = 65_535;

/// What proves that a message was not changed.
pub const TAG_BYTES: usize = 16;

/// The most that one message carries.
pub const MAX_PLAIN_BYTES: usize = MAX_MESSAGE_BYTES - TAG_BYTES;

/// The lengths of the three messages of the handshake: e; e, ee, s, es; s, se.
const FIRST_BYTES: usize = KEY_BYTES;
const SECOND_BYTES: usize = KEY_BYTES + (KEY_BYTES + TAG_BYTES) + TAG_BYTES;
const THIRD_BYTES: usize = (KEY_BYTES + TAG_BYTES) + TAG_BYTES;

/// Longer than each of them.
const BUFFER_BYTES: usize = SECOND_BYTES + TAG_BYTES;

/// Why a connection could not be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum NoiseError {
    /// The line broke, or the peer closed it.
    #[error("the peer ended the encryption handshake: {source}")]
    Io {
        /// What the system says.
        #[from]
        source: io::Error,
    },
    /// The peer sends frames as they are.
    #[error("the peer does not encrypt (it may have been started with --plaintext-peers), and this node does")]
    Plaintext,
    /// The peer opens with something that is neither.
    #[error("the peer opens with {found:02x?}, which is no Tallystick connection")]
    Stranger {
        /// Its first bytes.
        found: [u8; 4],
    },
    /// A message of the handshake that is none.
    #[error("the encryption handshake failed: {source}")]
    Crypto {
        /// What Noise says.
        #[from]
        source: snow::Error,
    },
    /// A message of the handshake that has another length.
    #[error("a message of the encryption handshake has {found} bytes instead of {expected}")]
    WrongLength {
        /// Announced.
        found: usize,
        /// Right.
        expected: usize,
    },
    /// Somebody else.
    #[error("the peer is {found}, not {expected} as its address says")]
    WrongIdentity {
        /// Who it is.
        found: NodeId,
        /// Who it should be.
        expected: NodeId,
    },
}

/// An encrypted connection.
#[derive(Debug)]
pub struct Secured {
    /// Encrypts what is sent.
    pub sealer: Sealer,
    /// Decrypts what is received.
    pub opener: Opener,
    /// Who the peer is.
    pub peer: NodeId,
    /// How long the peer took to answer.
    pub round_trip: Duration,
}

/// Shakes hands as the caller. `expected` is whom the address names.
///
/// # Errors
/// If the peer does not encrypt, fails, or is somebody else. The caller limits the time.
pub async fn call<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    key: &NodeKey,
    magic: u32,
    expected: Option<NodeId>,
) -> Result<Secured, NoiseError> {
    let mut noise = builder(key)?.build_initiator()?;
    let mut opening = PREAMBLE.to_vec();
    opening.extend(write::<FIRST_BYTES>(&mut noise)?);
    let begun = Instant::now();
    stream.write_all(&opening).await?;
    // Plain frames start with the magic, which is longer than the length that is expected here.
    let mut start = [0; 4];
    stream.read_exact(&mut start).await?;
    if start == magic.to_le_bytes() {
        return Err(NoiseError::Plaintext);
    }
    let [low, high, first, second] = start;
    let mut message = [0; SECOND_BYTES];
    check_length(u16::from_le_bytes([low, high]), SECOND_BYTES)?;
    message[..2].copy_from_slice(&[first, second]);
    stream.read_exact(&mut message[2..]).await?;
    let round_trip = begun.elapsed();
    noise.read_message(&message, &mut [0; BUFFER_BYTES])?;
    let peer = peer_of(&noise)?;
    if let Some(expected) = expected.filter(|expected| *expected != peer) {
        return Err(NoiseError::WrongIdentity { found: peer, expected });
    }
    stream.write_all(&write::<THIRD_BYTES>(&mut noise)?).await?;
    secured(noise, peer, round_trip)
}

/// Shakes hands as the called one.
///
/// # Errors
/// As [`call`].
pub async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    key: &NodeKey,
    magic: u32,
) -> Result<Secured, NoiseError> {
    let mut start = [0; 4];
    stream.read_exact(&mut start).await?;
    if start == magic.to_le_bytes() {
        // So that the other side knows why.
        stream.write_all(&PREAMBLE).await?;
        return Err(NoiseError::Plaintext);
    }
    if start != PREAMBLE[..4] {
        return Err(NoiseError::Stranger { found: start });
    }
    let mut rest = [0; 4];
    stream.read_exact(&mut rest).await?;
    if rest != PREAMBLE[4..] {
        return Err(NoiseError::Stranger { found: rest });
    }
    let mut noise = builder(key)?.build_responder()?;
    let first = read::<FIRST_BYTES, S>(stream).await?;
    noise.read_message(&first, &mut [0; BUFFER_BYTES])?;
    let second = write::<SECOND_BYTES>(&mut noise)?;
    let begun = Instant::now();
    stream.write_all(&second).await?;
    let third = read::<THIRD_BYTES, S>(stream).await?;
    let round_trip = begun.elapsed();
    noise.read_message(&third, &mut [0; BUFFER_BYTES])?;
    let peer = peer_of(&noise)?;
    secured(noise, peer, round_trip)
}

fn builder(key: &NodeKey) -> Result<Builder<'_>, NoiseError> {
    Ok(Builder::new(PATTERN.parse()?).local_private_key(key.private())?.prologue(&PREAMBLE)?)
}

/// The next message of the handshake, with its length.
fn write<const BYTES: usize>(noise: &mut HandshakeState) -> Result<Vec<u8>, NoiseError> {
    // Snow wants room for one tag more.
    let mut message = [0; BUFFER_BYTES];
    let length = noise.write_message(&[], &mut message)?;
    debug_assert_eq!(length, BYTES);
    let mut framed = u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes().to_vec();
    framed.extend_from_slice(&message[..length]);
    Ok(framed)
}

/// Reads a message of the handshake, whose length is known.
async fn read<const BYTES: usize, S: AsyncRead + Unpin>(stream: &mut S) -> Result<[u8; BYTES], NoiseError> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).await?;
    check_length(u16::from_le_bytes(length), BYTES)?;
    let mut message = [0; BYTES];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

fn check_length(found: u16, expected: usize) -> Result<(), NoiseError> {
    let found = usize::from(found);
    if found == expected { Ok(()) } else { Err(NoiseError::WrongLength { found, expected }) }
}

fn peer_of(noise: &HandshakeState) -> Result<NodeId, NoiseError> {
    let key = noise.get_remote_static().and_then(|key| key.try_into().ok());
    key.map(NodeId::from_bytes).ok_or(NoiseError::Crypto { source: snow::Error::Decrypt })
}

fn secured(noise: HandshakeState, peer: NodeId, round_trip: Duration) -> Result<Secured, NoiseError> {
    let state = Arc::new(noise.into_stateless_transport_mode()?);
    let sealer = Sealer { state: Arc::clone(&state), next: 0 };
    Ok(Secured { sealer, opener: Opener::new(state), peer, round_trip })
}

/// Encrypts one direction.
#[derive(Debug)]
pub struct Sealer {
    state: Arc<StatelessTransportState>,
    /// The number of the next message.
    next: u64,
}

impl Sealer {
    /// One Noise message with its length; `plain` is at most [`MAX_PLAIN_BYTES`].
    ///
    /// # Errors
    /// If `plain` is longer, or 2⁶⁴ messages were sent.
    pub fn seal(&mut self, plain: &[u8]) -> Result<Vec<u8>, snow::Error> {
        let mut message = vec![0; 2 + plain.len() + TAG_BYTES];
        let length = self.state.write_message(self.next, plain, &mut message[2..])?;
        self.next += 1;
        message[..2].copy_from_slice(&u16::try_from(length).map_err(|_| snow::Error::Input)?.to_le_bytes());
        Ok(message)
    }
}

/// Decrypts the other direction. Holds what has come of an unfinished message, and no more.
#[derive(Debug)]
pub struct Opener {
    state: Arc<StatelessTransportState>,
    next: u64,
    pending: Vec<u8>,
    /// How much of it is used up.
    start: usize,
}

/// Why what was received is no message of this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Longer than allowed at this point.
    #[error("an encrypted message of {length} bytes is announced, at most {max} are allowed")]
    TooLong {
        /// Announced.
        length: usize,
        /// Allowed.
        max: usize,
    },
    /// Shorter than its proof, or changed on the way.
    #[error("an encrypted message was changed on the way")]
    Changed,
}

impl Opener {
    fn new(state: Arc<StatelessTransportState>) -> Self {
        Self { state, next: 0, pending: Vec::new(), start: 0 }
    }

    /// Takes bytes as they came. Call [`Opener::next`] after each until it gives `None`.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.pending.drain(..self.start);
            self.start = 0;
        }
        self.pending.extend_from_slice(bytes);
    }

    /// The content of the next message, of which there may be `max` bytes; `None` when more bytes are needed.
    ///
    /// # Errors
    /// The stream is lost.
    pub fn next(&mut self, max: usize) -> Result<Option<Vec<u8>>, OpenError> {
        let pending = &self.pending[self.start..];
        let Some((length, rest)) = pending.split_first_chunk::<2>() else {
            self.shrink();
            return Ok(None);
        };
        let length = usize::from(u16::from_le_bytes(*length));
        if length > max + TAG_BYTES {
            return Err(OpenError::TooLong { length, max: max + TAG_BYTES });
        }
        if length < TAG_BYTES {
            return Err(OpenError::Changed);
        }
        let Some(message) = rest.get(..length) else {
            return Ok(None);
        };
        let mut plain = vec![0; length - TAG_BYTES];
        self.state.read_message(self.next, message, &mut plain).map_err(|_| OpenError::Changed)?;
        self.next += 1;
        self.start += 2 + length;
        Ok(Some(plain))
    }

    /// An idle connection costs nothing here.
    fn shrink(&mut self) {
        if self.start == self.pending.len() {
            self.pending = Vec::new();
            self.start = 0;
        }
    }
}

#[cfg(test)]
mod tests;
