//! The Stratum server: miners connect here, and the core's sessions talk to them.
//!
//! | file | what |
//! |---|---|
//! | here | what all connections share |
//! | `connection` | one connection: its bytes, its session, its blocks |
//! | `feed` | new work, as soon as there is any |
//! | `listener` | taking connections, within the core's limits |
//!
//! A task a connection. Nothing here decides anything about shares or miners, and nothing holds up the node: templates are
//! asked for once for all connections, shares are judged on the connection's own task.

mod connection;
mod feed;
mod listener;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tally_node_core::mining::stratum::error::DisconnectReason;
use tally_node_core::mining::stratum::job::Seat;
use tally_node_core::mining::stratum::session::{Counts, Status};
use tally_node_core::mining::stratum::{Gate, Session, Settings, Work};
use tally_primitives::address::Address;
use tally_primitives::params::Params;
use tally_primitives::units::Timestamp;
use tally_rpc::stratum::{StratumInfo, StratumWorker};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock;
use crate::driver::NodeHandle;

/// How long the last lines may take when a connection is closed.
const CLOSE_LIMIT: std::time::Duration = std::time::Duration::from_secs(1);

/// What all connections share.
pub struct Stratum {
    listen: SocketAddr,
    payout: Option<Address>,
    settings: Arc<Settings>,
    node: NodeHandle,
    work: watch::Sender<Option<Arc<Work>>>,
    door: Mutex<Door>,
    turned_away: AtomicU64,
}

/// Who is in.
struct Door {
    gate: Gate,
    next: u64,
    inside: BTreeMap<u64, Inside>,
    /// Shares and blocks of connections that have ended.
    gone: Counts,
}

struct Inside {
    peer: SocketAddr,
    session: SharedSession,
}

/// A session is its connection's; others only look at it.
type SharedSession = Arc<Mutex<Session>>;

/// A connection's place in the list, and its session.
struct Ticket {
    number: u64,
    peer: SocketAddr,
    seat: Seat,
    session: SharedSession,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Stratum {
    /// Starts the server. `seed` must be another one in every run.
    pub fn start(
        listener: (TcpListener, SocketAddr),
        node: NodeHandle,
        params: Arc<Params>,
        payout: Option<Address>,
        seed: u64,
        stop: watch::Receiver<bool>,
        tasks: &mut JoinSet<()>,
    ) -> Arc<Self> {
        let (listener, listen) = listener;
        let server = Arc::new(Self {
            listen,
            settings: Arc::new(Settings { params, payout: payout.as_ref().map(|address| address.lock) }),
            payout,
            node,
            work: watch::Sender::new(None),
            door: Mutex::new(Door { gate: Gate::new(seed), next: 1, inside: BTreeMap::new(), gone: Counts::default() }),
            turned_away: AtomicU64::new(0),
        });
        tasks.spawn(feed::run(Arc::clone(&server), stop.clone()));
        tasks.spawn(listener::run(Arc::clone(&server), listener, stop));
        server
    }

    /// Where miners connect.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Its state, for `getstratuminfo`.
    pub fn info(&self) -> StratumInfo {
        let now = clock::now();
        let (gone, inside) = {
            let door = lock(&self.door);
            let inside = door.inside.values().map(|inside| (inside.peer, Arc::clone(&inside.session)));
            (door.gone, inside.collect::<Vec<_>>())
        };
        let workers: Vec<StratumWorker> =
            inside.into_iter().map(|(peer, session)| worker(peer, lock(&session).status(now))).collect();
        let sum = |gone: u64, of: fn(&StratumWorker) -> u64| gone + workers.iter().map(of).sum::<u64>();
        StratumInfo {
            listen: self.listen,
            payout: self.payout.clone(),
            connections: workers.len() as u64,
            turned_away: self.turned_away.load(Ordering::Relaxed),
            accepted: sum(gone.accepted, |worker| worker.accepted),
            stale: sum(gone.stale, |worker| worker.stale),
            rejected: sum(gone.rejected, |worker| worker.rejected),
            blocks: sum(gone.blocks, |worker| worker.blocks),
            // Not `sum`: of nothing that is -0.
            hashespersec: workers.iter().fold(0.0, |sum, worker| sum + worker.hashespersec),
            workers,
        }
    }

    /// Lets a connection in, unless a limit speaks against it.
    fn admit(&self, now: Timestamp, peer: SocketAddr) -> Option<Ticket> {
        let mut door = lock(&self.door);
        let seat = match door.gate.admit(now, peer.ip()) {
            Ok(seat) => seat,
            Err(reason) => {
                self.turned_away.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%peer, %reason, "a miner is turned away");
                return None;
            }
        };
        let session = Arc::new(Mutex::new(Session::new(Arc::clone(&self.settings), seat, now)));
        let number = door.next;
        door.next += 1;
        door.inside.insert(number, Inside { peer, session: Arc::clone(&session) });
        Some(Ticket { number, peer, seat, session })
    }

    /// A connection has ended.
    fn leave(&self, now: Timestamp, ticket: &Ticket, reason: DisconnectReason) {
        let status = lock(&ticket.session).status(now);
        let mut door = lock(&self.door);
        door.inside.remove(&ticket.number);
        door.gate.leave(now, ticket.peer.ip(), &ticket.seat, reason);
        let counts = status.counts;
        door.gone.accepted += counts.accepted;
        door.gone.stale += counts.stale;
        door.gone.rejected += counts.rejected;
        door.gone.blocks += counts.blocks;
        let user = status.user.map(|user| user.name).unwrap_or_default();
        let (peer, accepted, rejected) = (ticket.peer, counts.accepted, counts.rejected);
        if reason.is_abuse() {
            tracing::warn!(%peer, user, accepted, rejected, %reason, "a miner was cut off");
        } else {
            tracing::info!(%peer, user, accepted, rejected, %reason, "miner gone");
        }
    }
}

fn worker(peer: SocketAddr, status: Status) -> StratumWorker {
    let (user, address) = status.user.map(|user| (user.name, user.payout)).unzip();
    StratumWorker {
        user: user.unwrap_or_default(),
        address,
        peer,
        agent: status.agent,
        difficulty: status.difficulty.map(|difficulty| difficulty.get()),
        accepted: status.counts.accepted,
        stale: status.counts.stale,
        rejected: status.counts.rejected,
        blocks: status.counts.blocks,
        hashespersec: status.hashes_per_second,
        conntime: status.connected_at.as_seconds(),
        lastshare: status.last_share_at.map(Timestamp::as_seconds),
    }
}

/// Waits until the node is to stop.
async fn stopping(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and so is the node.
    let _ = stop.wait_for(|stop| *stop).await;
}
