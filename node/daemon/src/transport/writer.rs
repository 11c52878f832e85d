//! The writing half of a connection: what is urgent first, several small messages at a time.

use std::sync::atomic::Ordering;

use tally_wire::{Message, encode_frame};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::timeout;

use super::connection::{Queued, Queues, Shared};
use super::noise::{MAX_PLAIN_BYTES, Sealer};
use super::{PeerEvent, WRITE_TIMEOUT};

/// Messages are gathered until there is so much to write: a system call costs as much as encrypting some kilobytes.
const BATCH_BYTES: usize = 32 * 1024;

pub(super) struct Writer {
    shared: Shared,
    write: OwnedWriteHalf,
    sealer: Option<Sealer>,
    /// Whether we have acknowledged the peer. Until then each message travels by itself: the peer keeps no more of a stranger.
    acknowledged: bool,
}

/// Messages that are written at once.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Their sizes, as the queue counts them.
    size: usize,
    /// Whether the node counts one of them.
    counted: bool,
}

impl Writer {
    pub fn new(shared: Shared, write: OwnedWriteHalf, sealer: Option<Sealer>) -> Self {
        Self { shared, write, sealer, acknowledged: false }
    }

    /// Writes what is queued until the link is dropped, and then what is still queued.
    pub async fn run(mut self, mut queues: Queues) {
        while let Some(first) = next(&mut queues).await {
            let batch = self.gather(first, &mut queues);
            let failure = match timeout(WRITE_TIMEOUT, self.write_out(&batch.bytes)).await {
                Ok(Ok(())) => None,
                Ok(Err(reason)) => Some(reason),
                Err(_) => Some("the peer does not read".to_owned()),
            };
            let waiting = &self.shared.waiting;
            waiting.bytes.fetch_sub(batch.size, Ordering::Relaxed);
            waiting.total.fetch_sub(batch.size, Ordering::Relaxed);
            waiting.moved_at.store(super::millis(), Ordering::Relaxed);
            if let Some(reason) = failure {
                return self.shared.gone(reason).await;
            }
            self.shared.traffic.last_sent.store(super::seconds(), Ordering::Relaxed);
            if batch.counted && !self.shared.waiting.told.swap(true, Ordering::AcqRel) {
                let drained = PeerEvent::Drained { peer: self.shared.peer };
                if self.shared.transport.inbox.send(drained).await.is_err() {
                    return;
                }
            }
        }
        let _ = self.write.shutdown().await;
    }

    /// The first message, and others that wait as far as they fit.
    fn gather(&mut self, first: Queued, queues: &mut Queues) -> Batch {
        let mut batch = Batch::default();
        let mut queued = Some(first);
        while let Some((message, size)) = queued {
            batch.size += size;
            // These the node counts, which serves no faster than its peer reads.
            batch.counted |= message.is_bulk();
            let frame = encode_frame(self.shared.transport.config.magic, &message);
            if batch.bytes.is_empty() {
                batch.bytes = frame;
            } else {
                batch.bytes.extend_from_slice(&frame);
            }
            let alone = !self.acknowledged;
            self.acknowledged |= matches!(message, Message::VersionAck);
            if alone || batch.bytes.len() >= BATCH_BYTES {
                break;
            }
            queued = queues.now.try_recv().or_else(|_| queues.bulk.try_recv()).ok();
        }
        batch
    }

    async fn write_out(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(sealer) = &mut self.sealer else {
            return self.write_all(bytes).await;
        };
        // One Noise message after the other, so that a large block never stands in memory three times.
        for plain in bytes.chunks(MAX_PLAIN_BYTES) {
            let message = sealer.seal(plain).map_err(|error| error.to_string())?;
            self.shared.traffic.sent.fetch_add(message.len() as u64, Ordering::Relaxed);
            self.write.write_all(&message).await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn write_all(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.shared.traffic.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.write.write_all(bytes).await.map_err(|error| error.to_string())
    }
}

/// The next message: an urgent one if there is any; `None` when the link is gone and everything is written.
async fn next(queues: &mut Queues) -> Option<Queued> {
    tokio::select! {
        biased;
        Some(urgent) = queues.now.recv() => Some(urgent),
        bulk = queues.bulk.recv() => bulk,
    }
}
