//! One connection over TCP: a task that shakes hands and reads, a task that writes, and the driver's link to both.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tally_node_core::net::peer::{Direction, PeerId};
use tally_wire::Message;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::link::{Backlog, Link, Priority, SendError, Traffic};
use super::noise::{self, NoiseError, Opener, Sealer};
use super::reader::Reader;
use super::writer::Writer;
use super::{CLOSE_TIMEOUT, NOISE_TIMEOUT, PeerEvent, QUEUE_BYTES, QUEUE_MESSAGES, Transport, URGENT_MESSAGES};

/// What waits to be written to a peer.
#[derive(Debug)]
pub(super) struct Waiting {
    pub bytes: AtomicUsize,
    /// When some of it last left, or when it began to wait: milliseconds since the Unix epoch.
    pub moved_at: AtomicU64,
    /// What waits for all peers.
    pub total: Arc<AtomicUsize>,
    /// The driver has been told that some has left, and has not looked yet.
    pub told: AtomicBool,
}

/// A message and its size.
pub(super) type Queued = (Message, usize);

/// Both ends of the queues of a connection.
pub(super) struct Queues {
    pub now: mpsc::Receiver<Queued>,
    pub bulk: mpsc::Receiver<Queued>,
}

/// The driver's end of a TCP connection.
#[derive(Debug)]
struct TcpLink {
    now: mpsc::Sender<Queued>,
    bulk: mpsc::Sender<Queued>,
    waiting: Arc<Waiting>,
    reader: AbortHandle,
    /// Dropped with the link: the writer then has a moment for what is still queued.
    _open: oneshot::Sender<()>,
    traffic: Arc<Traffic>,
}

impl Link for TcpLink {
    fn send(&self, message: Message, priority: Priority) -> Result<(), SendError> {
        let size = message.payload_size();
        let before = self.waiting.bytes.fetch_add(size, Ordering::Relaxed);
        self.waiting.total.fetch_add(size, Ordering::Relaxed);
        if before == 0 {
            self.waiting.moved_at.store(super::millis(), Ordering::Relaxed);
        }
        let bytes = before + size;
        if bytes > QUEUE_BYTES {
            return Err(SendError::QueueFull { bytes });
        }
        let queue = match priority {
            Priority::Now => &self.now,
            Priority::Bulk => &self.bulk,
        };
        queue.try_send((message, size)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SendError::QueueFull { bytes },
            mpsc::error::TrySendError::Closed(_) => SendError::Closed,
        })
    }

    fn backlog(&self) -> Backlog {
        self.waiting.told.store(false, Ordering::Release);
        let moved_at = self.waiting.moved_at.load(Ordering::Relaxed);
        Backlog {
            bytes: self.waiting.bytes.load(Ordering::Relaxed),
            stalled_millis: super::millis().saturating_sub(moved_at),
        }
    }

    fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn close(self: Box<Self>, _reason: &str) {}
}

impl Drop for TcpLink {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Waiting {
    fn new(total: Arc<AtomicUsize>) -> Self {
        Self { bytes: AtomicUsize::new(0), moved_at: AtomicU64::new(0), total, told: AtomicBool::new(false) }
    }
}

impl Drop for Waiting {
    /// The last who knew of what waited is gone, and so is what waited.
    fn drop(&mut self) {
        self.total.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

/// What the tasks of a connection share.
#[derive(Clone)]
pub(super) struct Shared {
    pub transport: Transport,
    pub peer: PeerId,
    pub address: SocketAddr,
    pub direction: Direction,
    pub traffic: Arc<Traffic>,
    pub waiting: Arc<Waiting>,
}

impl Shared {
    pub async fn gone(&self, reason: String) {
        let _ = self.transport.inbox.send(PeerEvent::Gone { peer: self.peer, reason }).await;
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
    let traffic = Arc::new(Traffic::default());
    let waiting = Arc::new(Waiting::new(Arc::clone(&transport.waiting)));
    let (now, urgent) = mpsc::channel(URGENT_MESSAGES);
    let (bulk, large) = mpsc::channel(QUEUE_MESSAGES);
    let (registered, go) = oneshot::channel::<()>();
    let (open, closed) = oneshot::channel();
    let shared = Shared {
        transport: transport.clone(),
        peer,
        address,
        direction,
        traffic: Arc::clone(&traffic),
        waiting: Arc::clone(&waiting),
    };
    let task = tokio::spawn(async move {
        // Nothing is read or computed before the node has let the peer in.
        if go.await.is_ok() {
            run(shared, stream, Queues { now: urgent, bulk: large }, closed).await;
        }
        drop(slot);
    });
    let link = TcpLink { now, bulk, waiting, reader: task.abort_handle(), _open: open, traffic };
    let connected = PeerEvent::Connected { peer, address, direction, link: Box::new(link) };
    if transport.inbox.send(connected).await.is_ok() {
        let _ = registered.send(());
    }
}

/// A connection from the handshake to its end.
async fn run(shared: Shared, mut stream: TcpStream, queues: Queues, closed: oneshot::Receiver<()>) {
    let (sealer, opener) = match secure(&shared, &mut stream).await {
        Ok(keys) => keys,
        Err(reason) => return shared.gone(reason).await,
    };
    let (read, write) = stream.into_split();
    let writer = Writer::new(shared.clone(), write, sealer);
    tokio::spawn(async move {
        tokio::select! {
            () = writer.run(queues) => {}
            () = async { let _ = closed.await; sleep(CLOSE_TIMEOUT).await; } => {}
        }
    });
    let mut reader = Reader::new(shared.clone(), read, opener);
    let reason = reader.run().await;
    shared.gone(reason).await;
}

type Keys = (Option<Sealer>, Option<Opener>);

/// Encrypts the connection, unless that is turned off.
async fn secure(shared: &Shared, stream: &mut TcpStream) -> Result<Keys, String> {
    let config = &shared.transport.config;
    let Some(key) = &config.key else {
        return Ok((None, None));
    };
    let expected = shared.transport.pin(shared.address).filter(|_| shared.direction == Direction::Outbound);
    let handshake = async {
        match shared.direction {
            Direction::Outbound => noise::call(stream, key, config.magic, expected).await,
            Direction::Inbound => noise::answer(stream, key, config.magic).await,
        }
    };
    let secured = match timeout(NOISE_TIMEOUT, handshake).await {
        Ok(Ok(secured)) => secured,
        Ok(Err(error)) => {
            shared.report(&error);
            return Err(error.to_string());
        }
        Err(_) => return Err("no encryption handshake in time".to_owned()),
    };
    // They are set once.
    let _ = shared.traffic.identity.set(secured.peer);
    let _ = shared.traffic.round_trip.set(secured.round_trip);
    Ok((Some(secured.sealer), Some(secured.opener)))
}

impl Shared {
    /// Says what an operator has to know: that two nodes cannot talk because of how they were started, or that somebody is not who it should
    /// be.
    fn report(&self, error: &NoiseError) {
        match error {
            NoiseError::WrongIdentity { .. } => tracing::warn!(address = %self.address, %error, "not connected"),
            NoiseError::Plaintext => self.report_mismatch(&error.to_string()),
            _ => tracing::debug!(address = %self.address, %error, "not connected"),
        }
    }

    pub(super) fn report_mismatch(&self, reason: &str) {
        if self.transport.may_warn() {
            tracing::warn!(address = %self.address, reason, "not connected");
        } else {
            tracing::debug!(address = %self.address, reason, "not connected");
        }
    }
}
