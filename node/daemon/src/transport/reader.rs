//! The reading half of a connection: bytes in, messages to the driver's inbox, no faster than the driver takes them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tally_wire::limits::MAX_HANDSHAKE_PAYLOAD_BYTES;
use tally_wire::{Decoder, frame};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::{Notify, Semaphore};

use super::connection::Shared;
use super::noise::{MAX_PLAIN_BYTES, Opener, PREAMBLE};
use super::{INBOX_BYTES_PER_PEER, PeerEvent, ROOM_UNIT};

/// Bytes read at a time.
const READ_BYTES: usize = 16 * 1024;

/// A message that holds more than this while it comes is a long one.
const LONG_BYTES: usize = 64 * 1024;

/// What one encrypted message carries at most until the peers have shaken hands: one frame.
const MAX_PLAIN_HANDSHAKE_BYTES: usize = frame::HEADER_BYTES + MAX_HANDSHAKE_PAYLOAD_BYTES;

pub(super) struct Reader {
    shared: Shared,
    read: OwnedReadHalf,
    opener: Option<Opener>,
    decoder: Decoder,
    room: Arc<Semaphore>,
    /// Bytes that came since the last message.
    cost: usize,
    /// Without encryption: the first bytes, until it is clear that the peer does not encrypt either.
    opening: Option<Vec<u8>>,
    /// Whether an unfinished message of this connection is counted.
    counted: bool,
    cut_off: Arc<Notify>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.transport.unfinished.gone(self.shared.peer);
    }
}

/// The connection is over, and why.
struct Ended(String);

impl Reader {
    pub fn new(shared: Shared, read: OwnedReadHalf, opener: Option<Opener>) -> Self {
        let decoder = Decoder::new(shared.transport.config.magic);
        let room = Arc::new(Semaphore::new(INBOX_BYTES_PER_PEER / ROOM_UNIT));
        let opening = opener.is_none().then(Vec::new);
        let cut_off = Arc::new(Notify::new());
        Self { shared, read, opener, decoder, room, cost: 0, opening, counted: false, cut_off }
    }

    /// Reads until the connection ends; gives why.
    pub async fn run(&mut self) -> String {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let read = tokio::select! {
                read = self.read.read(&mut buffer) => read,
                () = self.cut_off.notified() => {
                    return "its message did not end, and others need the memory".to_owned();
                }
            };
            let count = match read {
                Ok(0) => return "the peer closed the connection".to_owned(),
                Ok(count) => count,
                Err(error) => return error.to_string(),
            };
            self.shared.traffic.received.fetch_add(count as u64, Ordering::Relaxed);
            self.shared.traffic.last_received.store(super::seconds(), Ordering::Relaxed);
            self.cost += count;
            if let Err(Ended(reason)) = self.take(&buffer[..count]).await {
                return reason;
            }
            self.count_unfinished();
        }
    }

    /// What a long message costs until it is complete is counted.
    fn count_unfinished(&mut self) {
        let held = self.decoder.memory();
        if held > LONG_BYTES || self.counted {
            self.counted = held > LONG_BYTES;
            self.shared.transport.unfinished.note(self.shared.peer, held, &self.cut_off);
        }
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let Some(opener) = &mut self.opener else {
            self.look_for_encryption(bytes);
            self.decoder.push(bytes);
            return self.deliver().await;
        };
        opener.push(bytes);
        loop {
            let max = if self.decoder.is_handshake_done() { MAX_PLAIN_BYTES } else { MAX_PLAIN_HANDSHAKE_BYTES };
            let Some(opener) = &mut self.opener else { return Ok(()) };
            match opener.next(max) {
                Ok(None) => return Ok(()),
                Ok(Some(plain)) => {
                    self.decoder.push(&plain);
                    self.deliver().await?;
                }
                Err(error) => return Err(Ended(error.to_string())),
            }
        }
    }

    /// A peer that encrypts opens with the preamble, as a caller and as one that was called in vain.
    fn look_for_encryption(&mut self, bytes: &[u8]) {
        let Some(opening) = &mut self.opening else {
            return;
        };
        opening.extend(bytes.iter().take(PREAMBLE.len() - opening.len()));
        if *opening == PREAMBLE {
            self.shared.report_mismatch("the peer encrypts, and this node was started with --plaintext-peers");
        }
        if opening.len() == PREAMBLE.len() || !PREAMBLE.starts_with(opening) {
            self.opening = None;
        }
    }

    /// Hands over the messages that are complete.
    async fn deliver(&mut self) -> Result<(), Ended> {
        let stops = || Ended("the node stops".to_owned());
        loop {
            let event = match self.decoder.next() {
                Ok(None) => return Ok(()),
                Ok(Some(message)) => {
                    let units = self.cost.div_ceil(ROOM_UNIT).clamp(1, INBOX_BYTES_PER_PEER / ROOM_UNIT);
                    let units = u32::try_from(units).unwrap_or(1);
                    self.cost = 0;
                    let mine = Arc::clone(&self.room).acquire_many_owned(units).await.map_err(|_| stops())?;
                    let all = Arc::clone(&self.shared.transport.room);
                    let all = all.acquire_many_owned(units).await.map_err(|_| stops())?;
                    PeerEvent::Message { peer: self.shared.peer, message, room: [mine, all] }
                }
                Err(error) => {
                    let fatal = error.is_fatal();
                    let reason = error.to_string();
                    let event = PeerEvent::BadFrame { peer: self.shared.peer, error };
                    if fatal {
                        let _ = self.shared.transport.inbox.send(event).await;
                        return Err(Ended(reason));
                    }
                    event
                }
            };
            self.shared.transport.inbox.send(event).await.map_err(|_| stops())?;
        }
    }
}
