//! A node on a bench: the test plays all its peers, its store and its clock.

use std::net::SocketAddr;
use std::sync::Arc;

use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::event::Event;
use tally_node_core::net::disconnect::DisconnectReason;
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::{Node, NodeConfig, Output};
use tally_node_core::testing;
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::Work;
use tally_primitives::units::{Height, Timestamp};
use tally_wire::{FrameError, InventoryItem, Message, Services, Version};

pub struct Bench {
    pub node: Node,
    pub now: Timestamp,
    pub dialled: Vec<SocketAddr>,
    pub events: Vec<Event>,
    /// Names of seeds that were to be resolved.
    pub seeds_asked: Vec<String>,
    /// The address book as it was last handed out.
    pub kept_book: Option<Vec<u8>>,
    store: MemoryStore,
    sent: Vec<(PeerId, Message)>,
    disconnected: Vec<(PeerId, DisconnectReason)>,
    next_peer: u64,
    /// Whether the peers read everything at once.
    pub peers_read: bool,
    /// Whether the peers answer pings, which then are not looked at.
    pub peers_pong: bool,
}

impl Bench {
    pub fn new() -> Bench {
        Bench::with(NodeConfig { listen_port: 9_740, trickle_mean_ms: 0, ..NodeConfig::default() })
    }

    pub fn with(config: NodeConfig) -> Bench {
        let store = MemoryStore::new();
        let now = testing::now();
        let node = Node::new(config, testing::params(), Box::new(store.clone()), 7, now).expect("an empty store opens");
        let mut bench = Bench {
            node,
            now,
            dialled: Vec::new(),
            events: Vec::new(),
            seeds_asked: Vec::new(),
            kept_book: None,
            store,
            sent: Vec::new(),
            disconnected: Vec::new(),
            next_peer: 0,
            peers_read: true,
            peers_pong: true,
        };
        bench.pump();
        bench
    }

    /// Carries out what the node wants done.
    pub fn pump(&mut self) {
        let mut readers = Vec::new();
        let mut pongs = Vec::new();
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::Send { peer, message: Message::Ping { nonce } } if self.peers_pong => pongs.push((peer, nonce)),
                Output::Send { peer, message } => {
                    readers.push(peer);
                    self.sent.push((peer, message));
                }
                Output::Dial { address } => self.dialled.push(address),
                Output::Disconnect { peer, reason } => self.disconnected.push((peer, reason)),
                Output::ResolveSeeds { names } => self.seeds_asked.extend(names),
                Output::KeepAddresses { book } => self.kept_book = Some(book),
                Output::Commit(changes) => self.store.apply(*changes).expect("change sets fit"),
                Output::Emit(event) => self.events.push(event),
                Output::Halt { reason } => panic!("the node halted: {reason}"),
            }
        }
        for (peer, nonce) in pongs {
            self.receive(peer, Message::Pong { nonce });
        }
        if self.peers_read && !readers.is_empty() {
            for peer in readers {
                self.node.handle_send_queue(self.now, peer, 0);
            }
            self.pump();
        }
    }

    /// Lets time pass, with every tick that the node asks for.
    pub fn advance(&mut self, millis: u64) {
        let end = self.now.saturating_add_millis(millis);
        let mut ticks_at_once = 0;
        while let Some(at) = self.node.next_timeout().filter(|at| *at <= end) {
            ticks_at_once = if at > self.now { 0 } else { ticks_at_once + 1 };
            assert!(ticks_at_once < 1_000, "the node asks for ticks without end and does nothing");
            self.now = self.now.max(at);
            self.node.tick(self.now);
            self.pump();
        }
        self.now = end;
    }

    /// A connection without a handshake. Every peer has an address of its own.
    pub fn connect(&mut self, direction: Direction) -> PeerId {
        let number = self.next_peer + 1;
        let [.., high, low] = number.to_be_bytes();
        self.connect_at(direction, SocketAddr::from(([10, 0, high, low], 9_740)))
    }

    pub fn connect_at(&mut self, direction: Direction, address: SocketAddr) -> PeerId {
        self.next_peer += 1;
        let id = PeerId(self.next_peer);
        self.node.handle_peer_connected(self.now, id, address, direction);
        self.pump();
        id
    }

    /// Somebody calls from this address and shakes hands.
    pub fn caller(&mut self, address: SocketAddr) -> PeerId {
        let id = self.connect_at(Direction::Inbound, address);
        self.shake_hands(id);
        id
    }

    /// Answers a call of the node, and shakes hands.
    pub fn answer(&mut self, address: SocketAddr) -> PeerId {
        let id = self.connect_at(Direction::Outbound, address);
        self.shake_hands(id);
        id
    }

    pub fn shake_hands(&mut self, id: PeerId) {
        self.receive(id, Message::Version(Box::new(self.version())));
        self.receive(id, Message::VersionAck);
    }

    /// Calls of the node that have not been looked at.
    pub fn take_calls(&mut self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.dialled)
    }

    /// A peer with its handshake done; what the node said on that occasion is forgotten.
    pub fn peer(&mut self) -> PeerId {
        self.peer_claiming(Work::ZERO)
    }

    /// As [`Bench::peer`], for a peer that claims a chain of this work.
    pub fn peer_claiming(&mut self, chain_work: Work) -> PeerId {
        let id = self.connect(Direction::Inbound);
        self.receive(id, Message::Version(Box::new(Version { chain_work, ..self.version() })));
        self.receive(id, Message::VersionAck);
        assert!(self.reason(id).is_none(), "the handshake failed: {:?}", self.reason(id));
        self.sent.retain(|(peer, message)| *peer != id || matches!(message, Message::GetHeaders { .. }));
        id
    }

    /// What an honest peer says of itself.
    pub fn version(&self) -> Version {
        Version {
            protocol: 1,
            services: Services::FULL_CHAIN,
            genesis: self.genesis().hash(),
            time: self.now,
            nonce: 1_000 + self.next_peer,
            user_agent: "scripted".to_owned(),
            listen_port: 9_740,
            height: Height::GENESIS,
            chain_work: Work::ZERO,
        }
    }

    pub fn genesis(&self) -> Block {
        testing::params().genesis()
    }

    pub fn receive(&mut self, peer: PeerId, message: Message) {
        self.node.handle_message(self.now, peer, message);
        self.pump();
    }

    pub fn receive_bad(&mut self, peer: PeerId, error: FrameError) {
        self.node.handle_bad_frame(self.now, peer, error);
        self.pump();
    }

    pub fn gone(&mut self, peer: PeerId) {
        self.node.handle_peer_gone(self.now, peer, "closed by the test");
        self.pump();
    }

    /// What the node has sent to a peer since the last look.
    pub fn sent_to(&mut self, peer: PeerId) -> Vec<Message> {
        let (mine, others) = std::mem::take(&mut self.sent).into_iter().partition(|(id, _)| *id == peer);
        self.sent = others;
        mine.into_iter().map(|(_, message): (PeerId, Message)| message).collect()
    }

    /// What the node has asked a peer for since the last look; other messages are passed over.
    pub fn asked_of(&mut self, peer: PeerId) -> Vec<InventoryItem> {
        let get_data = |message| match message {
            Message::GetData(items) => items,
            _ => Vec::new(),
        };
        self.sent_to(peer).into_iter().flat_map(get_data).collect()
    }

    /// The blocks that the node has asked a peer for since the last look.
    pub fn blocks_asked_of(&mut self, peer: PeerId) -> Vec<BlockHash> {
        let block = |item| match item {
            InventoryItem::Block(hash) => Some(hash),
            _ => None,
        };
        self.asked_of(peer).into_iter().filter_map(block).collect()
    }

    /// Whether the node has asked a peer for headers since the last look.
    pub fn headers_asked_of(&mut self, peer: PeerId) -> bool {
        self.sent_to(peer).iter().any(|message| matches!(message, Message::GetHeaders { .. }))
    }

    /// Why the node ended a connection, if it did.
    pub fn reason(&self, peer: PeerId) -> Option<&DisconnectReason> {
        self.disconnected.iter().find(|(id, _)| *id == peer).map(|(_, reason)| reason)
    }

    pub fn height(&self) -> u32 {
        self.node.chain().tip().height.get()
    }

    /// Mines a block on the node itself.
    pub fn mine(&mut self) -> Block {
        let template = self.node.template(self.now);
        let block = testing::mine_template(&template, testing::lock_of(&testing::key(9)), &[]);
        self.node.submit_block(self.now, Arc::new(block.clone())).expect("an honest block");
        self.pump();
        block
    }
}

pub fn headers(blocks: &[Block]) -> Message {
    Message::Headers(blocks.iter().map(|block| block.header).collect::<Vec<Header>>().into())
}

pub fn header(block: &Block) -> Message {
    headers(std::slice::from_ref(block))
}

pub fn block(block: &Block) -> Message {
    Message::Block(Arc::new(block.clone()))
}

/// More work than any chain of the tests has.
pub fn much_work() -> Work {
    Work::from_be_bytes([1; 32])
}
