//! The node as one state machine: everything that comes from outside goes in through its methods, everything that is to
//! happen outside comes out of [`Node::poll_output`].
//!
//! After every call the driver polls outputs until there are none, and carries each out, in order, before its next call:
//! a [`Output::Commit`] must be in the store by then. At [`Node::next_timeout`] it calls [`Node::tick`].
//!
//! Peers are the concern of the files in `net/`, each of which adds its methods to [`Node`].

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::pow::Work;
use tally_primitives::units::{Height, Timestamp};
use tally_wire::{AddressRecord, Message};

use crate::chain::store::{ChainStore, ChangeSet};
use crate::chain::{Chain, ChainError};
use crate::event::Event;
use crate::mempool::{Mempool, RelayPolicy};
use crate::mining::BlockTemplate;
use crate::net::Net;
use crate::net::address_book::AddressBook;
use crate::net::bans::{Ban, BanError, BanTarget};
use crate::net::disconnect::DisconnectReason;
use crate::net::finding::FindingConfig;
use crate::net::limits::{
    DEFAULT_TRICKLE_MEAN_MS, HOUSEKEEPING_MS, MAX_INBOUND_PEERS, MAX_USER_AGENT_KEPT, PING_INTERVAL_MS,
};
use crate::net::peer::{Direction, Peer, PeerId};
use crate::net::redial::ManualPeerError;

/// What a node is told when it starts.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Program and version, for peers: printable ASCII, of which at most 64 bytes are sent.
    pub user_agent: String,
    /// The port at which the driver accepts connections; 0 if it does not.
    pub listen_port: u16,
    /// What the mempool takes.
    pub relay: RelayPolicy,
    /// Mean delay before a transaction is announced to a peer that we have called, in milliseconds; 0 for none.
    pub trickle_mean_ms: u64,
    /// The same for peers that have called us, all of which are told at the same time; `None`: the same.
    pub trickle_inbound_mean_ms: Option<u64>,
    /// How often a peer is asked whether it is there, in milliseconds.
    pub ping_interval_ms: u64,
    /// Connections that others may open to us.
    pub max_inbound: usize,
    /// Bans by hand that were kept over a restart.
    pub bans: Vec<Ban>,
    /// Peers to call, and to call again.
    pub connect: Vec<SocketAddr>,
    /// How peers are found besides.
    pub finding: FindingConfig,
    /// Bytes of blocks, transactions and headers to send in a day; beyond that, old blocks are not served.
    pub max_upload_per_day: Option<u64>,
    /// Chains with less work are not kept, however little our own has.
    pub minimum_chain_work: Work,
}

impl Default for NodeConfig {
    fn default() -> NodeConfig {
        NodeConfig {
            user_agent: concat!("tallystick:", env!("CARGO_PKG_VERSION")).to_owned(),
            listen_port: 0,
            relay: RelayPolicy::default(),
            trickle_mean_ms: DEFAULT_TRICKLE_MEAN_MS,
            ping_interval_ms: PING_INTERVAL_MS,
            trickle_inbound_mean_ms: None,
            max_inbound: MAX_INBOUND_PEERS,
            bans: Vec::new(),
            connect: Vec::new(),
            finding: FindingConfig::default(),
            max_upload_per_day: None,
            minimum_chain_work: Work::ZERO,
        }
    }
}

/// What is to happen outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send a message to a peer.
    Send {
        /// To whom.
        peer: PeerId,
        /// What.
        message: Message,
    },
    /// Open a connection, and answer with [`Node::handle_peer_connected`] or [`Node::handle_dial_failed`].
    Dial {
        /// Where to.
        address: SocketAddr,
    },
    /// Look up the addresses of these names, and answer each with [`Node::handle_seed`]: `host` or `host:port`.
    ResolveSeeds {
        /// Which.
        names: Vec<String>,
    },
    /// Keep the address book for the next start, in the place of the last one:
    /// [`SavedBook::decode`](crate::net::address_book::saved::SavedBook::decode) reads it.
    KeepAddresses {
        /// Its bytes.
        book: Vec<u8>,
    },
    /// Close a connection, after sending what was to be sent before. The node has forgotten the peer already.
    Disconnect {
        /// Whose.
        peer: PeerId,
        /// Why.
        reason: DisconnectReason,
    },
    /// Put a change set into the store, all of it or nothing.
    Commit(Box<ChangeSet>),
    /// Tell whoever is interested. What the event tells of is in the store.
    Emit(Event),
    /// Stop: the store failed, and to go on would be to guess.
    Halt {
        /// Why, in one line.
        reason: String,
    },
}

/// How far the chain has been fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncProgress {
    /// The height of the best header.
    pub headers: Height,
    /// The hash of the best header.
    pub best_header: BlockHash,
    /// The time of the best header, in seconds since the Unix epoch.
    pub best_header_time: u32,
    /// The height of the tip.
    pub blocks: Height,
    /// Whether the tip is so far behind the best header that transactions and announcements wait.
    pub initial_sync: bool,
    /// Blocks asked for that have not come.
    pub blocks_in_flight: usize,
    /// Peers whose handshake is done.
    pub peers: usize,
}

/// A node. See the module's documentation for how to drive it.
pub struct Node {
    pub(crate) config: NodeConfig,
    pub(crate) chain: Chain,
    pub(crate) mempool: Mempool,
    pub(crate) net: Net,
    outputs: VecDeque<Output>,
    /// Told at the end of a call, after the change sets that they tell of.
    events: Vec<Event>,
    /// Change sets among the outputs; once they are polled they count as stored with the next call.
    commits: Commits,
    pub(crate) housekeeping_at: Timestamp,
    /// When something is due, as of the end of the last call.
    timeout: Option<Timestamp>,
    pub(crate) now: Timestamp,
    pub(crate) halted: bool,
}

/// Where the change sets are that the chain has handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Commits {
    None,
    /// So many are still among the outputs.
    Queued(usize),
    /// The driver has them all.
    Polled,
}

impl Node {
    /// A node on this store, an empty one or that of an earlier run. `seed` is the source of all its randomness.
    ///
    /// # Errors
    /// As [`Chain::open`].
    pub fn new(
        config: NodeConfig,
        params: Arc<Params>,
        store: Box<dyn ChainStore>,
        seed: u64,
        now: Timestamp,
    ) -> Result<Node, ChainError> {
        let mut config = config;
        config.user_agent.truncate(MAX_USER_AGENT_KEPT);
        let chain = Chain::open(Arc::clone(&params), store)?;
        let mut node = Node {
            chain,
            mempool: Mempool::new(config.relay.clone()),
            net: Net::new(&config, &params, seed, now),
            outputs: VecDeque::new(),
            events: Vec::new(),
            commits: Commits::None,
            housekeeping_at: now.saturating_add_millis(HOUSEKEEPING_MS),
            timeout: None,
            now,
            halted: false,
            config,
        };
        for address in node.config.connect.clone() {
            // The same address twice is once.
            let _ = node.net.redial.add(address, now, false);
        }
        node.finish(now);
        Ok(node)
    }

    /// The next thing that is to happen outside.
    pub fn poll_output(&mut self) -> Option<Output> {
        let Some(output) = self.outputs.pop_front() else {
            // Room for the longest answer ever would wait for the next one as long as the node lives.
            if self.outputs.capacity() > 0 {
                self.outputs = VecDeque::new();
            }
            return None;
        };
        if let (Output::Commit(_), Commits::Queued(count)) = (&output, self.commits) {
            self.commits = if count > 1 { Commits::Queued(count - 1) } else { Commits::Polled };
        }
        Some(output)
    }

    /// When [`Node::tick`] has something to do, at the latest.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.timeout
    }

    /// Makes everything that waits for a bigger batch leave now. Before a stop; then poll outputs one last time.
    pub fn flush(&mut self, now: Timestamp) {
        self.begin(now);
        self.chain.flush();
        self.save_book();
        self.finish(now);
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The mempool.
    pub fn mempool(&self) -> &Mempool {
        &self.mempool
    }

    /// A block to mine, on top of the tip.
    pub fn template(&self, now: Timestamp) -> BlockTemplate {
        BlockTemplate::build(&self.chain, &self.mempool, now)
    }

    /// How far the chain has been fetched.
    pub fn sync_progress(&self) -> SyncProgress {
        let best = self.chain.best_header();
        SyncProgress {
            headers: best.height,
            best_header: best.hash,
            best_header_time: best.time,
            blocks: self.chain.tip().height,
            initial_sync: self.chain.is_syncing(),
            blocks_in_flight: self.net.download.len(),
            peers: self.net.ready_peers().count(),
        }
    }

    /// Listen addresses that are known.
    pub fn known_addresses(&self) -> impl Iterator<Item = AddressRecord> {
        self.net.book.iter()
    }

    /// What is known of other nodes' addresses.
    pub fn address_book(&self) -> &AddressBook {
        &self.net.book
    }

    /// How many transactions wait for their parents.
    pub fn orphan_count(&self) -> usize {
        self.net.relay.orphans.len()
    }

    /// Calls a peer, and calls it again whenever the connection is lost.
    ///
    /// # Errors
    /// It has been added, it is this node itself, or there are too many.
    pub fn add_node(&mut self, now: Timestamp, address: SocketAddr) -> Result<(), ManualPeerError> {
        self.begin(now);
        let connected = self.outbound_to(address).is_some_and(Peer::is_ready);
        let result = self.net.redial.add(address, now, connected);
        if result.is_ok() && !connected {
            for address in self.net.redial.due(now, &mut self.net.random) {
                self.output(Output::Dial { address });
            }
        }
        self.finish(now);
        result
    }

    /// Takes back [`Node::add_node`], and ends the connection.
    ///
    /// # Errors
    /// It was not added.
    pub fn remove_node(&mut self, now: Timestamp, address: SocketAddr) -> Result<(), ManualPeerError> {
        self.begin(now);
        let result = self.net.redial.remove(address);
        if result.is_ok()
            && let Some(id) = self.outbound_to(address).map(|peer| peer.id)
        {
            self.disconnect(now, id, DisconnectReason::ByHand);
        }
        self.finish(now);
        result
    }

    /// Calls a peer once.
    pub fn try_node(&mut self, now: Timestamp, address: SocketAddr) {
        self.begin(now);
        if self.outbound_to(address).is_none() {
            self.output(Output::Dial { address });
        }
        self.finish(now);
    }

    /// The peers that [`Node::add_node`] was called for, and whether they are connected.
    pub fn added_nodes(&self) -> impl Iterator<Item = (SocketAddr, bool)> {
        self.net.redial.iter()
    }

    /// Ends a connection by its number; false if there is none.
    pub fn disconnect_peer(&mut self, now: Timestamp, id: PeerId) -> bool {
        self.begin(now);
        let known = self.net.peers.contains_key(&id);
        self.disconnect(now, id, DisconnectReason::ByHand);
        self.finish(now);
        known
    }

    /// Ends the connections to an address: that of the connection, or the one at which the peer listens. False if there are none.
    pub fn disconnect_address(&mut self, now: Timestamp, address: SocketAddr) -> bool {
        let is_there = |peer: &&Peer| peer.address == address || peer.listen_address() == Some(address);
        let ids: Vec<PeerId> = self.net.peers.values().filter(is_there).map(|peer| peer.id).collect();
        for id in &ids {
            self.disconnect_peer(now, *id);
        }
        !ids.is_empty()
    }

    /// Bans an address, or one node on it, until a given time, and ends its connections.
    ///
    /// # Errors
    /// It is banned, or there are too many bans.
    pub fn ban(&mut self, now: Timestamp, target: BanTarget, until: Timestamp) -> Result<(), BanError> {
        self.net.bans.ban(now, target, until)?;
        self.begin(now);
        let matches = |peer: &&Peer| {
            let (ip, port) = peer.identity();
            ip == target.ip && (target.port.is_none() || port == target.port)
        };
        let ids: Vec<PeerId> = self.net.peers.values().filter(matches).map(|peer| peer.id).collect();
        for id in ids {
            self.disconnect(now, id, DisconnectReason::Banned);
        }
        self.finish(now);
        Ok(())
    }

    /// Lifts a ban.
    ///
    /// # Errors
    /// There is none.
    pub fn unban(&mut self, target: BanTarget) -> Result<(), BanError> {
        self.net.bans.unban(target)
    }

    /// Lifts all bans.
    pub fn clear_bans(&mut self) {
        self.net.bans.clear();
    }

    /// The bans that hold, for people and for the driver to keep over a restart.
    pub fn bans(&self, now: Timestamp) -> impl Iterator<Item = &Ban> {
        self.net.bans.iter(now)
    }

    pub(crate) fn outbound_to(&self, address: SocketAddr) -> Option<&Peer> {
        self.net.peers.values().find(|peer| peer.direction == Direction::Outbound && peer.address == address)
    }

    /// At the start of every call: what the driver has polled is in the store.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.now = now;
        if self.commits == Commits::Polled {
            self.chain.changes_applied();
            self.commits = Commits::None;
        }
    }

    /// At the end of every call: what has piled up leaves; messages stand before change sets, and those before the events that
    /// tell of them.
    pub(crate) fn finish(&mut self, now: Timestamp) {
        self.note_who_brought_the_tip(now);
        self.net.peers.settle();
        let due = self.net.peers.due_by(now);
        if !due.is_empty() {
            self.tick_announcements(now, &due);
            self.net.peers.settle();
        }
        self.drop_slow_readers(now);
        if std::mem::take(&mut self.net.peer_left) {
            self.schedule_downloads(now);
            self.sync_headers(now);
        }
        while let Some(changes) = self.chain.take_changes() {
            self.outputs.push_back(Output::Commit(Box::new(changes)));
            self.commits = match self.commits {
                Commits::Queued(count) => Commits::Queued(count + 1),
                Commits::None | Commits::Polled => Commits::Queued(1),
            };
        }
        self.outputs.extend(std::mem::take(&mut self.events).into_iter().map(Output::Emit));
        self.net.peers.settle();
        self.timeout = self.find_timeout();
    }

    pub(crate) fn send(&mut self, id: PeerId, message: Message) {
        if !self.net.peers.contains_key(&id) {
            return;
        }
        // Small messages are not worth measuring: the driver's count includes them.
        if message.is_bulk() {
            let size = message.payload_size();
            self.net.upload.add(size);
            self.net.peers.note_sent(&id, size);
        }
        self.outputs.push_back(Output::Send { peer: id, message });
    }

    pub(crate) fn output(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The chain cannot go on.
    pub(crate) fn halt(&mut self, error: &ChainError) {
        if !std::mem::replace(&mut self.halted, true) {
            self.outputs.push_back(Output::Halt { reason: error.to_string() });
        }
    }
}
