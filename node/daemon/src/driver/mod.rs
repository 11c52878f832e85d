//! One thread owns the node. Everything that concerns it comes through here, one thing at a time, and what the node
//! wants done is done before the next thing.
//!
//! | file | what |
//! |---|---|
//! | `handle` | how the rest of the program asks the node |
//! | `pump` | carrying out what the node wants |

mod handle;
mod pump;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tally_node_core::chain::store::StoreError;
use tally_node_core::event::Event;
use tally_node_core::net::peer::PeerId;
use tally_node_core::node::Node;
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::sleep;

use handle::Call;
pub use handle::{NodeHandle, Stopped, WorkStamp};

use crate::clock;
use crate::store::{Store, StoreWriter};
use crate::transport::{INBOX_EVENTS, Link, PeerEvent, Traffic, Transport, TransportConfig};

/// Calls that may wait for the node.
const CALLS_WAITING: usize = 1024;

/// Events that a slow subscriber may lag behind.
const EVENTS_KEPT: usize = 4096;

/// The longest pause without a look at the clock: it may have been set.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// The node and what the driver keeps beside it, as calls see them.
pub struct Core {
    /// The node.
    pub node: Node,
    peers: BTreeMap<PeerId, Box<dyn Link>>,
}

impl Core {
    /// Bytes and times of a peer's connection.
    pub fn traffic(&self, peer: PeerId) -> Option<&Traffic> {
        self.peers.get(&peer).map(|link| link.traffic())
    }
}

/// Why the driver ended, other than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The store failed, or the chain does not fit together.
    #[error("the node cannot go on: {reason}")]
    Halted {
        /// Why.
        reason: String,
        /// The index is damaged: the next start makes it again.
        rebuild: bool,
    },
    /// The thread ended by a panic, which was reported already.
    #[error("the node ended unexpectedly; this is a bug")]
    Panicked,
}

/// The running driver.
pub struct Driver {
    thread: JoinHandle<Result<(), DriverError>>,
}

struct Loop {
    core: Core,
    store: Store,
    writer: StoreWriter,
    failure: oneshot::Receiver<StoreError>,
    transport: Transport,
    data_dir: PathBuf,
    /// Whether the log says that the clock is wrong.
    clock_warned: bool,
    calls: mpsc::Receiver<Call>,
    inbox: mpsc::Receiver<PeerEvent>,
    events: broadcast::Sender<Event>,
    work: watch::Sender<WorkStamp>,
    ended: Arc<watch::Sender<bool>>,
}

enum Input {
    Call(Call),
    Peer(Box<PeerEvent>),
    StoreFailed(Option<StoreError>),
    Tick,
    Stop,
}

impl Driver {
    /// Starts the thread. The node must not have been used before.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        node: Node,
        store: Store,
        network: TransportConfig,
        data_dir: PathBuf,
        runtime: Handle,
    ) -> std::io::Result<(Self, NodeHandle, Transport)> {
        let (calls_in, calls) = mpsc::channel(CALLS_WAITING);
        let (inbox_in, inbox) = mpsc::channel(INBOX_EVENTS);
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let stamp = WorkStamp { tip: node.chain().tip().hash, sequence: 0 };
        let (work, work_seen) = watch::channel(stamp);
        let (ended, ended_seen) = watch::channel(false);
        let transport = Transport::new(network, inbox_in);
        let handle = NodeHandle::new(calls_in, events.clone(), work_seen, ended_seen);
        let (writer, failure) = StoreWriter::start(store.clone())?;
        let driving = Loop {
            core: Core { node, peers: BTreeMap::new() },
            store,
            writer,
            failure,
            transport: transport.clone(),
            data_dir,
            clock_warned: false,
            calls,
            inbox,
            events,
            work,
            ended: Arc::new(ended),
        };
        let ended = Arc::clone(&driving.ended);
        let thread = std::thread::Builder::new().name("node".to_owned()).spawn(move || {
            // Also after a panic, everybody else must learn that the node is no more.
            let _told = TellAtEnd(ended);
            runtime.block_on(driving.run())
        })?;
        Ok((Self { thread }, handle, transport))
    }

    /// Waits for the end of the thread.
    ///
    /// # Errors
    /// Why it ended, unless it was told to.
    pub fn join(self) -> Result<(), DriverError> {
        self.thread.join().unwrap_or(Err(DriverError::Panicked))
    }
}

struct TellAtEnd(Arc<watch::Sender<bool>>);

impl Drop for TellAtEnd {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl Loop {
    async fn run(mut self) -> Result<(), DriverError> {
        self.pump()?;
        loop {
            let input = self.next_input().await;
            let now = clock::now();
            let is_tick = matches!(input, Input::Tick);
            match input {
                Input::Call(Call::Do(call)) => {
                    let answer = call(&mut self.core, now);
                    // Who asked hears of it when it is done, that is: stored.
                    if self.pump()? {
                        self.writer.then_stored(answer);
                    } else {
                        answer();
                    }
                }
                Input::Call(Call::WhenSynced(answer)) => self.writer.then_synced(answer),
                Input::Peer(event) => self.handle_peer_event(*event),
                Input::Tick => self.core.node.tick(now),
                Input::Call(Call::Stop) | Input::Stop => {
                    self.core.node.flush(now);
                    self.pump()?;
                    if self.writer.finish() {
                        return Ok(());
                    }
                    let error = (&mut self.failure).await.ok();
                    return Err(self.store_failed(error));
                }
                Input::StoreFailed(error) => return Err(self.store_failed(error)),
            }
            self.pump()?;
            // Neither what comes in nor what the node does by itself (connecting a large block, say) waits for more than
            // one turn of the other.
            if !is_tick && self.pause().is_zero() {
                self.core.node.tick(clock::now());
                self.pump()?;
            }
        }
    }

    /// How long the node has nothing to do by itself.
    fn pause(&self) -> Duration {
        let due = self.core.node.next_timeout();
        due.map_or(MAX_PAUSE, |due| Duration::from_millis(due.millis_since(clock::now())).min(MAX_PAUSE))
    }

    async fn next_input(&mut self) -> Input {
        let pause = self.pause();
        if pause.is_zero() {
            // What has come goes first.
            if let Ok(event) = self.inbox.try_recv() {
                return Input::Peer(Box::new(event));
            }
            return self.calls.try_recv().map_or(Input::Tick, Input::Call);
        }
        tokio::select! {
            call = self.calls.recv() => call.map_or(Input::Stop, Input::Call),
            event = self.inbox.recv() => event.map_or(Input::Stop, |event| Input::Peer(Box::new(event))),
            () = sleep(pause) => Input::Tick,
            failure = &mut self.failure => Input::StoreFailed(failure.ok()),
        }
    }

    /// The store has failed; without an error its thread has panicked.
    fn store_failed(&self, error: Option<StoreError>) -> DriverError {
        error.map_or(DriverError::Panicked, |error| self.halted(error.to_string()))
    }

    /// The node cannot go on. If that is because the index is damaged, the next start makes it again.
    fn halted(&self, reason: String) -> DriverError {
        let index_is_damaged = matches!(self.store.check_index(), Err(StoreError::Damaged { .. }));
        // A block that is lost below the tip is fetched again only if the chain is connected anew up to there.
        let rebuild = index_is_damaged || self.store.found_damage();
        if rebuild && let Err(error) = self.store.mark_damaged(&reason) {
            tracing::error!(%error, "cannot mark the index as damaged");
        }
        DriverError::Halted { reason, rebuild }
    }
}
