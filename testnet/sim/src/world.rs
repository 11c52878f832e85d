//! Hosts, the network between them, and the loop over events.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::Node;
use tally_node_core::random::Random;
use tally_node_core::testing;
use tally_primitives::params::Params;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::Timestamp;

use crate::checkers::{self, Supply};
use crate::host::{Host, address_of, host_at};
use crate::log::EventLog;
use crate::network::{Connection, Delays, Packet, Partition, PartitionKind};
use crate::queue::EventQueue;
use crate::topology::Link;
use crate::traffic::{Miner, Payer, mine};

/// Ticks of one node at the same instant after which it is taken to spin.
const MAX_TICKS_AT_ONCE: u32 = 10_000;

/// Something that happens at a point in time.
#[derive(Clone, Debug)]
pub enum Event {
    /// A packet arrives at one end of a connection.
    Arrive {
        /// Which connection.
        connection: u64,
        /// Which end.
        end: usize,
        /// What.
        packet: Packet,
    },
    /// A call reaches the called (end 1), or the news that it was taken reaches the caller (end 0).
    Open {
        /// Which connection.
        connection: u64,
        /// Which end.
        end: usize,
    },
    /// A call came to nothing.
    CallFailed {
        /// Who called.
        host: usize,
        /// Whom.
        address: SocketAddr,
    },
    /// A node asked for a tick at this time.
    Tick {
        /// Which node.
        host: usize,
    },
    /// A miner finds a block.
    Mine {
        /// Which miner.
        miner: usize,
    },
    /// Somebody pays.
    Pay,
    /// The network falls apart.
    Split(Partition),
    /// The network is whole again.
    Heal,
    /// A node dies after carrying out so many outputs more.
    Crash {
        /// Which node.
        host: usize,
        /// Outputs before it does: 0 dies between two calls.
        outputs: u32,
    },
    /// A node is started again.
    Start {
        /// Which node.
        host: usize,
    },
}

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// The source of all randomness.
    pub seed: u64,
    /// How many hosts.
    pub hosts: usize,
    /// Who calls whom.
    pub links: Vec<Link>,
    /// How long packets travel.
    pub delays: Delays,
    /// Whether packets are pieces of real frames.
    pub framed: bool,
    /// Mean delay before a node announces a transaction.
    pub trickle_mean_ms: u64,
    /// Whether to keep a trace for people.
    pub traced: bool,
}

/// A world. All its nodes run the code that the daemon runs.
pub struct World {
    pub(crate) params: Arc<Params>,
    pub(crate) now: Timestamp,
    pub(crate) hosts: Vec<Host>,
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) queue: EventQueue<Event>,
    pub(crate) random: Random,
    pub(crate) log: EventLog,
    pub(crate) delays: Delays,
    pub(crate) partition: Option<Partition>,
    pub(crate) framed: bool,
    pub(crate) violations: Vec<String>,
    pub(crate) supply: Supply,
    miners: Vec<Miner>,
    payer: Payer,
    /// Mean time between payments, in milliseconds; `None`: nobody pays.
    payments_mean_ms: Option<u64>,
    mining: bool,
    blocks: u64,
    next_connection: u64,
    ticks_at_once: (Timestamp, usize, u32),
}

impl World {
    /// A world in which all nodes start at once, and nobody mines or pays.
    #[must_use]
    pub fn new(config: WorldConfig) -> World {
        let params = testing::params();
        let now = testing::now();
        let mut random = Random::new(config.seed);
        let calls = |host: usize| {
            config.links.iter().filter(|(from, _)| *from == host).map(|(_, to)| address_of(*to)).collect()
        };
        let hosts =
            (0..config.hosts).map(|host| Host::new(random.next_u64(), calls(host), config.trickle_mean_ms)).collect();
        let mut world = World {
            payer: Payer::new(params.clone()),
            params,
            now,
            hosts,
            connections: BTreeMap::new(),
            queue: EventQueue::default(),
            random,
            log: EventLog::new(now, config.traced),
            delays: config.delays,
            partition: None,
            framed: config.framed,
            violations: Vec::new(),
            supply: Supply::default(),
            miners: Vec::new(),
            payments_mean_ms: None,
            mining: false,
            blocks: 0,
            next_connection: 0,
            ticks_at_once: (now, 0, 0),
        };
        for host in 0..world.hosts.len() {
            world.start(host);
        }
        world
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The hosts.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The node of a host, if it runs.
    #[must_use]
    pub fn node(&self, host: usize) -> Option<&Node> {
        self.hosts.get(host).and_then(Host::node)
    }

    /// The network's parameters.
    #[must_use]
    pub fn params(&self) -> &Arc<Params> {
        &self.params
    }

    /// What has been found wrong so far.
    #[must_use]
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Blocks that were mined.
    #[must_use]
    pub fn blocks_mined(&self) -> u64 {
        self.blocks
    }

    /// Payments that some node accepted.
    #[must_use]
    pub fn payments(&self) -> usize {
        self.payer.paid.len()
    }

    /// The log.
    pub fn log(&mut self) -> &mut EventLog {
        &mut self.log
    }

    /// Schedules an event, `millis` from now.
    pub fn schedule(&mut self, millis: u64, event: Event) {
        self.queue.push(self.now.saturating_add_millis(millis), event);
    }

    /// Sets miners to work.
    pub fn start_mining(&mut self, miners: Vec<Miner>) {
        self.mining = true;
        self.miners = miners;
        for miner in 0..self.miners.len() {
            self.schedule_block(miner);
        }
    }

    /// No more blocks are found.
    pub fn stop_mining(&mut self) {
        self.mining = false;
    }

    /// Lets somebody pay now and then.
    pub fn start_payments(&mut self, mean_ms: u64) {
        self.payments_mean_ms = Some(mean_ms);
        let delay = self.random.exponential(mean_ms);
        self.schedule(delay, Event::Pay);
    }

    /// No more payments.
    pub fn stop_payments(&mut self) {
        self.payments_mean_ms = None;
    }

    /// Lets time pass.
    pub fn run(&mut self, millis: u64) {
        let end = self.now.saturating_add_millis(millis);
        while let Some((at, event)) = self.queue.pop_until(end) {
            self.now = at;
            self.handle(event);
        }
        self.now = end;
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrive { connection, end, packet } => self.arrive(connection, end, packet),
            Event::Open { connection, end } => self.open(connection, end),
            Event::CallFailed { host, address } => self.call_failed(host, address),
            Event::Tick { host } => self.tick(host),
            Event::Mine { miner } => self.found(miner),
            Event::Pay => self.pay(),
            Event::Split(partition) => self.split(partition),
            Event::Heal => self.heal(),
            Event::Crash { host, outputs } => self.crash(host, outputs),
            Event::Start { host } => self.start(host),
        }
    }

    /// Lets a host's node do something, and carries out what it then wants done.
    pub(crate) fn with_node<R>(&mut self, host: usize, action: impl FnOnce(&mut Node, Timestamp) -> R) -> Option<R> {
        let now = self.now;
        let result = self.hosts.get_mut(host)?.node.as_mut().map(|node| action(node, now))?;
        self.pump(host);
        Some(result)
    }

    fn tick(&mut self, host: usize) {
        let machine = &mut self.hosts[host];
        if machine.tick_at != Some(self.now) {
            return;
        }
        machine.tick_at = None;
        let (at, who, count) = self.ticks_at_once;
        let count = if (at, who) == (self.now, host) { count + 1 } else { 1 };
        self.ticks_at_once = (self.now, host, count);
        if count == MAX_TICKS_AT_ONCE {
            self.violations.push(format!("host {host} spins: {count} ticks without time passing"));
        } else if count < MAX_TICKS_AT_ONCE {
            self.log.note(self.now, host, "tick", &[]);
            self.with_node(host, Node::tick);
        }
    }

    fn schedule_block(&mut self, miner: usize) {
        let delay = self.random.exponential(self.miners[miner].mean_ms);
        self.schedule(delay, Event::Mine { miner });
    }

    fn found(&mut self, miner: usize) {
        if self.mining {
            self.mine_on(self.miners[miner].host);
            self.schedule_block(miner);
        }
    }

    /// Mines a block on a host, now.
    pub fn mine_on(&mut self, host: usize) {
        let Some(node) = self.node(host) else {
            return;
        };
        let block = mine(node, self.now, self.blocks);
        self.blocks += 1;
        let hash = block.hash();
        self.log.note(self.now, host, "mine", hash.as_bytes());
        self.log.trace(self.now, host, || format!("mines {hash}"));
        let result = self.with_node(host, |node, now| node.submit_block(now, Arc::new(block)));
        if let Some(Err(error)) = result {
            self.violations.push(format!("host {host} refuses its own template's block: {error}"));
        }
    }

    fn pay(&mut self) {
        let Some(mean_ms) = self.payments_mean_ms else {
            return;
        };
        let host = self.random.index(self.hosts.len());
        if let Some(node) = self.hosts[host].node.as_ref()
            && let Some(payment) = self.payer.payment(node, &mut self.random)
        {
            self.submit(host, payment);
        }
        let delay = self.random.exponential(mean_ms);
        self.schedule(delay, Event::Pay);
    }

    /// Gives a payment to a host's node; true if it is accepted.
    pub fn submit(&mut self, host: usize, payment: Transaction) -> bool {
        let txid = payment.txid();
        let submitted = payment.clone();
        let accepted = self.with_node(host, |node, now| node.submit_transaction(now, Arc::new(submitted)));
        let accepted = matches!(accepted, Some(Ok(_)));
        self.log.note(self.now, host, if accepted { "pay" } else { "pay refused" }, txid.as_bytes());
        self.log.trace(self.now, host, || format!("payment {txid}: accepted = {accepted}"));
        if accepted {
            self.payer.accepted(&payment);
        }
        accepted
    }

    /// Opens a connection that a node asked for, if somebody is there to take it.
    pub(crate) fn dial(&mut self, host: usize, address: SocketAddr) {
        let called = host_at(address, self.hosts.len());
        let delay_ms = called.map_or(0, |called| self.delays.between(host, called));
        let reachable = called.filter(|called| {
            let apart = self.partition.as_ref().is_some_and(|partition| partition.separates(host, *called));
            !apart && self.hosts[*called].node.is_some()
        });
        let Some(called) = reachable else {
            return self.schedule(2 * delay_ms, Event::CallFailed { host, address });
        };
        self.next_connection += 1;
        let number = self.next_connection;
        let (caller_peer, called_peer) = (PeerId(2 * number), PeerId(2 * number + 1));
        let magic = self.params.magic;
        let connection = Connection::new((host, caller_peer), (called, called_peer), delay_ms, magic, self.now);
        self.connections.insert(number, connection);
        self.schedule(delay_ms, Event::Open { connection: number, end: 1 });
        self.schedule(2 * delay_ms, Event::Open { connection: number, end: 0 });
    }

    fn call_failed(&mut self, host: usize, address: SocketAddr) {
        self.log.note(self.now, host, "call failed", &address.port().to_le_bytes());
        self.with_node(host, |node, now| node.handle_dial_failed(now, address));
    }

    fn open(&mut self, number: u64, end: usize) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        let (host, peer, other) = (connection.ends[end].host, connection.ends[end].peer, connection.ends[1 - end].host);
        let apart = self.partition.as_ref().is_some_and(|partition| partition.separates(host, other));
        // The called must be up; the caller only learns of a connection that the called has taken.
        let taken = end == 1 || connection.ends[1].open;
        if self.hosts[host].node.is_none() || apart || !taken {
            self.connections.remove(&number);
            if end == 0 {
                return self.call_failed(host, address_of(other));
            }
            return;
        }
        connection.ends[end].open = true;
        let attachment = crate::host::Attachment { connection: number, end };
        self.hosts[host].peers.insert(peer, attachment);
        self.log.note(self.now, host, "open", &number.to_le_bytes());
        let (address, direction) = if end == 0 {
            (address_of(other), Direction::Outbound)
        } else {
            let mut from = address_of(other);
            let [low, high, ..] = number.to_le_bytes();
            from.set_port(20_000 + u16::from_le_bytes([low, high]) % 40_000);
            (from, Direction::Inbound)
        };
        self.with_node(host, |node, now| node.handle_peer_connected(now, peer, address, direction));
    }

    fn split(&mut self, partition: Partition) {
        self.log.note(self.now, 0, "split", &[]);
        self.log.trace(self.now, 0, || format!("{partition:?}"));
        if partition.kind == PartitionKind::Break {
            let broken: Vec<u64> = self
                .connections
                .iter()
                .filter(|(_, connection)| partition.separates(connection.ends[0].host, connection.ends[1].host))
                .map(|(number, _)| *number)
                .collect();
            for number in broken {
                self.break_connection(number);
            }
        }
        self.partition = Some(partition);
    }

    fn heal(&mut self) {
        self.log.note(self.now, 0, "heal", &[]);
        self.log.trace(self.now, 0, || "the network is whole again".to_owned());
        self.partition = None;
        let mut released = Vec::new();
        for (number, connection) in &mut self.connections {
            for end in 0..2 {
                for packet in connection.ends[end].release() {
                    let at = connection.ends[end].arrival(self.now, connection.delay_ms);
                    released.push((at, Event::Arrive { connection: *number, end, packet }));
                }
            }
        }
        for (at, event) in released {
            self.queue.push(at, event);
        }
    }

    /// Starts a node that is not running.
    pub fn start(&mut self, host: usize) {
        let machine = &mut self.hosts[host];
        if machine.node.is_some() {
            return;
        }
        self.log.note(self.now, host, "start", &machine.starts.to_le_bytes());
        self.log.trace(self.now, host, || "starts".to_owned());
        match machine.start(&self.params, self.now) {
            Ok(()) => self.pump(host),
            Err(error) => self.violations.push(format!("host {host} does not start on its own store: {error}")),
        }
    }

    fn crash(&mut self, host: usize, outputs: u32) {
        if outputs > 0 {
            self.hosts[host].outputs_to_live = Some(outputs);
        } else {
            self.kill(host);
        }
    }

    /// Heals the network, starts every node, and stops miners and payments: from now on it must become quiet.
    pub fn calm(&mut self) {
        self.stop_mining();
        self.stop_payments();
        self.heal();
        for host in 0..self.hosts.len() {
            self.hosts[host].outputs_to_live = None;
            self.start(host);
        }
    }

    /// Whether all nodes run and have the same tip.
    #[must_use]
    pub fn agrees(&self) -> bool {
        checkers::agreement(self).is_empty()
    }
}
