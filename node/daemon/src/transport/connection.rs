//! One connection: a task that reads, a task that writes, and the driver's handle to both.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tally_node_core::net::peer::{Direction, PeerId};
use tally_wire::{Decoder, Message, encode_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::{CLOSE_TIMEOUT, INBOX_BYTES_PER_PEER, PeerEvent, QUEUE_BYTES, QUEUE_MESSAGES, Transport, WRITE_TIMEOUT};

/// Bytes read at a time.
const READ_BYTES: usize = 16 * 1024;

/// The inbox's room is counted in pieces of so many bytes.
const ROOM_UNIT: usize = 1024;

/// Bytes and times of one connection.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes received.
    pub received: AtomicU64,
    /// Bytes sent.
    pub sent: AtomicU64,
    /// When something was last received, seconds since the Unix epoch.
    pub last_received: AtomicU64,
    /// When something was last sent.
    pub last_sent: AtomicU64,
}

/// What waits to be written to a peer.
#[derive(Debug, Default)]
struct Waiting {
    bytes: AtomicUsize,
    /// The driver has been told that some has left, and has not looked yet.
    told: AtomicBool,
}

/// Why a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The peer reads too slowly.
    #[error("the peer does not read: {bytes} bytes wait for it")]
    QueueFull {
        /// How many bytes wait.
        bytes: usize,
    },
    /// The connection has ended.
    #[error("the connection has ended")]
    Closed,
}

/// The driver's end of a connection. Dropping it closes the connection, after what was sent has left.
#[derive(Debug)]
pub struct PeerHandle {
    queue: mpsc::Sender<(Message, usize)>,
    waiting: Arc<Waiting>,
    reader: AbortHandle,
    /// Dropped with the handle: the writer then has a moment for what is still queued.
    _open: oneshot::Sender<()>,
    /// Bytes and times.
    pub traffic: Arc<Traffic>,
}

impl PeerHandle {
    /// Queues a message.
    ///
    /// # Errors
    /// If the peer reads too slowly or is gone; the caller then drops the handle.
    pub fn send(&self, message: Message) -> Result<(), SendError> {
        let size = message.payload_size();
        let bytes = self.waiting.bytes.fetch_add(size, Ordering::Relaxed) + size;
        if bytes > QUEUE_BYTES {
            return Err(SendError::QueueFull { bytes });
        }
        self.queue.try_send((message, size)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::QueueFull { bytes },
            mpsc::error::TrySendError::Closed(_) => SendError::Closed,
        })
    }

    /// Bytes that wait to be written. To be asked after each [`PeerEvent::Drained`].
    pub fn waiting_bytes(&self) -> usize {
        self.waiting.told.store(false, Ordering::Release);
        self.waiting.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for PeerHandle {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Starts the tasks of a connection and reports it. `slot` is held as long as the connection lasts.
pub(super) async fn start(
    transport: Transport,
    stream: TcpStream,
    address: SocketAddr,
    direction: Direction,
    slot: Option<OwnedSemaphorePermit>,
) {
    // Messages are small and answers are waited for.
    let _ = stream.set_nodelay(true);
    let peer = transport.new_peer();
    let (read, write) = stream.into_split();
    let traffic = Arc::new(Traffic::default());
    let waiting = Arc::new(Waiting::default());
    let (queue, messages) = mpsc::channel(QUEUE_MESSAGES);
    let (registered, go) = oneshot::channel::<()>();
    let reader = Reader { transport: transport.clone(), peer, read, traffic: Arc::clone(&traffic) };
    let task = tokio::spawn(async move {
        // Nothing is read before the driver was told of the connection.
        if go.await.is_ok() {
            reader.run().await;
        }
        drop(slot);
    });
    let writer = Writer {
        transport: transport.clone(),
        peer,
        write,
        traffic: Arc::clone(&traffic),
        waiting: Arc::clone(&waiting),
    };
    let (open, closed) = oneshot::channel();
    tokio::spawn(async move {
        tokio::select! {
            () = writer.run(messages) => {}
            () = async { let _ = closed.await; sleep(CLOSE_TIMEOUT).await; } => {}
        }
    });
    let handle = PeerHandle { queue, waiting, reader: task.abort_handle(), _open: open, traffic };
    let connected = PeerEvent::Connected { peer, address, direction, handle };
    if transport.inbox.send(connected).await.is_ok() {
        let _ = registered.send(());
    }
}

struct Reader {
    transport: Transport,
    peer: PeerId,
    read: OwnedReadHalf,
    traffic: Arc<Traffic>,
}

impl Reader {
    async fn run(mut self) {
        let reason = self.read_all().await;
        let _ = self.transport.inbox.send(PeerEvent::Gone { peer: self.peer, reason }).await;
    }

    /// Reads until the connection ends; gives why.
    async fn read_all(&mut self) -> String {
        let mut decoder = Decoder::new(self.transport.magic);
        let room = Arc::new(Semaphore::new(INBOX_BYTES_PER_PEER / ROOM_UNIT));
        let mut buffer = vec![0; READ_BYTES];
        let mut cost = 0;
        loop {
            let count = match self.read.read(&mut buffer).await {
                Ok(0) => return "the peer closed the connection".to_owned(),
                Ok(count) => count,
                Err(error) => return error.to_string(),
            };
            self.traffic.received.fetch_add(count as u64, Ordering::Relaxed);
            self.traffic.last_received.store(seconds(), Ordering::Relaxed);
            decoder.push(&buffer[..count]);
            cost += count;
            loop {
                let event = match decoder.next() {
                    Ok(None) => break,
                    Ok(Some(message)) => {
                        let units = cost.div_ceil(ROOM_UNIT).clamp(1, INBOX_BYTES_PER_PEER / ROOM_UNIT);
                        let units = u32::try_from(units).unwrap_or(1);
                        cost = 0;
                        let Ok(room) = Arc::clone(&room).acquire_many_owned(units).await else {
                            return "the node stops".to_owned();
                        };
                        PeerEvent::Message { peer: self.peer, message, room }
                    }
                    Err(error) => {
                        let fatal = error.is_fatal();
                        let reason = error.to_string();
                        let event = PeerEvent::BadFrame { peer: self.peer, error };
                        if fatal {
                            let _ = self.transport.inbox.send(event).await;
                            return reason;
                        }
                        event
                    }
                };
                if self.transport.inbox.send(event).await.is_err() {
                    return "the node stops".to_owned();
                }
            }
        }
    }
}

struct Writer {
    transport: Transport,
    peer: PeerId,
    write: OwnedWriteHalf,
    traffic: Arc<Traffic>,
    waiting: Arc<Waiting>,
}

impl Writer {
    /// Writes what is queued until the handle is dropped, and then what is still queued.
    async fn run(mut self, mut messages: mpsc::Receiver<(Message, usize)>) {
        loop {
            let Some((message, size)) = messages.recv().await else {
                let _ = self.write.shutdown().await;
                return;
            };
            let frame = encode_frame(self.transport.magic, &message);
            // Only these are counted by the node, which serves no faster than its peer reads.
            let counted = message.is_bulk();
            drop(message);
            let failure = match timeout(WRITE_TIMEOUT, self.write.write_all(&frame)).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("the peer does not read".to_owned()),
            };
            self.waiting.bytes.fetch_sub(size, Ordering::Relaxed);
            if let Some(reason) = failure {
                let gone = PeerEvent::Gone { peer: self.peer, reason };
                let _ = self.transport.inbox.send(gone).await;
                return;
            }
            self.traffic.sent.fetch_add(frame.len() as u64, Ordering::Relaxed);
            self.traffic.last_sent.store(seconds(), Ordering::Relaxed);
            if counted && !self.waiting.told.swap(true, Ordering::AcqRel) {
                let drained = PeerEvent::Drained { peer: self.peer };
                if self.transport.inbox.send(drained).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn seconds() -> u64 {
    u64::from(crate::clock::now().as_seconds())
}
