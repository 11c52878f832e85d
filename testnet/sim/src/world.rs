//! Hosts, the network between them, and the loop over events.

use std::net::SocketAddr;
use std::sync::Arc;

use tally_node_core::node::Node;
use tally_node_core::random::Random;
use tally_node_core::testing;
use tally_primitives::block::Block;
use tally_primitives::params::Params;
use tally_primitives::units::Timestamp;

use crate::checkers::{self, Supply};
use crate::clock::{HostClock, VirtualTime};
use crate::disk::Archive;
use crate::host::{Death, Habits, Host, address_of};
use crate::log::EventLog;
use crate::network::connection::{Connection, Packet, peer_id};
use crate::network::partition::Partition;
use crate::network::{Network, Transit};
use crate::observe::{MessageCounts, Observations, Seen};
use crate::queue::EventQueue;
use crate::slab::Slab;
use crate::topology::Link;
use crate::traffic::{Miner, Payer};

/// Ticks of one node at the same instant after which it is taken to spin.
const MAX_TICKS_AT_ONCE: u32 = 10_000;

/// Something that somebody has planned.
#[derive(Clone, Debug)]
pub enum Event {
    /// A call came to nothing.
    CallFailed {
        /// Who called.
        host: usize,
        /// Whom.
        address: SocketAddr,
    },
    /// The network falls apart.
    Split(Partition),
    /// The network is whole again.
    Heal,
    /// A node dies.
    Crash {
        /// Which node.
        host: usize,
        /// How.
        death: Death,
    },
    /// A node is started again.
    Start {
        /// Which node.
        host: usize,
    },
    /// A host is given a block by hand.
    Hand {
        /// Which host.
        host: usize,
        /// The block.
        block: Arc<Block>,
    },
}

/// What the queue holds. Small, since it is moved a few times.
#[derive(Debug)]
pub(crate) enum Next {
    /// A packet arrives at an end (1 if true) of a connection.
    Arrive { connection: u32, end: bool, packet: u32 },
    /// A call, or the answer to one, arrives.
    Open { connection: u32, end: bool },
    /// A node asked for a tick at this time.
    Tick { host: u32 },
    /// A miner finds a block.
    Mine { miner: u32 },
    /// Somebody pays.
    Pay,
    /// A hostile host does something.
    Mischief { host: u32 },
    /// Something that somebody has planned.
    Rare(Box<Event>),
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
    /// What messages go through.
    pub network: Network,
    /// How far the hosts' clocks are ahead, in milliseconds; those not named are right.
    pub clock_skews_ms: Vec<i64>,
    /// Whether packets are pieces of real frames.
    pub framed: bool,
    /// Mean delay before a node announces a transaction.
    pub trickle_mean_ms: u64,
    /// How often nodes ping each other, in milliseconds; `None`: as they do by themselves.
    pub ping_interval_ms: Option<u64>,
    /// Whether nodes tell each other of addresses.
    pub gossip: bool,
    /// Whether to count bytes even where the network does not need it.
    pub counts_bytes: bool,
    /// Whether to keep what labs look at.
    pub observed: bool,
    /// Whether to keep a trace for people.
    pub traced: bool,
}

impl WorldConfig {
    /// Hosts with right clocks on a network, and nothing special.
    #[must_use]
    pub fn new(seed: u64, hosts: usize, links: Vec<Link>, network: Network) -> WorldConfig {
        WorldConfig {
            seed,
            hosts,
            links,
            network,
            clock_skews_ms: Vec::new(),
            framed: false,
            trickle_mean_ms: 0,
            ping_interval_ms: None,
            gossip: true,
            counts_bytes: false,
            observed: false,
            traced: false,
        }
    }
}

/// A world. All its nodes run the code that the daemon runs.
pub struct World {
    pub(crate) params: Arc<Params>,
    /// What right clocks showed at the beginning.
    pub(crate) start: Timestamp,
    pub(crate) now: VirtualTime,
    pub(crate) hosts: Vec<Host>,
    /// By number; a number is never used again.
    pub(crate) connections: Vec<Option<Box<Connection>>>,
    pub(crate) packets: Slab<Packet>,
    pub(crate) queue: EventQueue<Next>,
    pub(crate) random: Random,
    pub(crate) log: EventLog,
    pub(crate) transit: Transit,
    pub(crate) partition: Option<Partition>,
    pub(crate) framed: bool,
    pub(crate) counts_bytes: bool,
    pub(crate) violations: Vec<String>,
    pub(crate) supply: Supply,
    pub(crate) messages: MessageCounts,
    pub(crate) observations: Option<Observations>,
    pub(crate) miners: Vec<Miner>,
    pub(crate) payer: Payer,
    /// Mean time between payments, in milliseconds; `None`: nobody pays.
    pub(crate) payments_mean_ms: Option<u64>,
    pub(crate) mining: bool,
    /// Blocks reach all hosts by themselves after this time, in milliseconds.
    pub(crate) hands_after_ms: Option<u64>,
    pub(crate) mischief_allowed: bool,
    /// Some host has a hostile owner.
    pub(crate) corrupted: bool,
    pub(crate) blocks: u64,
    pub(crate) block_bytes: u64,
    pub(crate) payment_bytes: u64,
    /// Headers that hostile hosts made beside the honest ones.
    pub(crate) forged_headers: u64,
    steps: u64,
    ticks_at_once: (VirtualTime, u32, u32),
}

impl World {
    /// A world in which all nodes start at once, and nobody mines or pays.
    #[must_use]
    pub fn new(config: WorldConfig) -> World {
        let params = testing::params();
        let start = testing::now();
        let mut random = Random::new(config.seed);
        let archive = Archive::default();
        let mut calls = vec![Vec::new(); config.hosts];
        for (from, to) in &config.links {
            calls[*from].push(address_of(*to));
        }
        let host = |(host, calls)| {
            let skew_ms = config.clock_skews_ms.get(host).copied().unwrap_or(0);
            let clock = HostClock::new(start, skew_ms);
            let habits = Habits {
                trickle_mean_ms: config.trickle_mean_ms,
                ping_ms: config.ping_interval_ms,
                gossip: config.gossip,
            };
            Host::new(random.next_u64(), archive.disk(), calls, clock, habits)
        };
        let hosts = calls.into_iter().enumerate().map(host).collect();
        let transit = Transit::new(config.network);
        let mut world = World {
            payer: Payer::new(params.clone()),
            params,
            start,
            now: VirtualTime::ZERO,
            hosts,
            connections: Vec::new(),
            packets: Slab::default(),
            queue: EventQueue::default(),
            random,
            log: EventLog::new(config.traced),
            partition: None,
            framed: config.framed,
            counts_bytes: config.counts_bytes || transit.counts_bytes(),
            transit,
            violations: Vec::new(),
            supply: Supply::default(),
            messages: MessageCounts::default(),
            observations: config.observed.then(Observations::default),
            miners: Vec::new(),
            payments_mean_ms: None,
            mining: false,
            hands_after_ms: None,
            mischief_allowed: false,
            corrupted: false,
            blocks: 0,
            block_bytes: 0,
            payment_bytes: 0,
            forged_headers: 0,
            steps: 0,
            ticks_at_once: (VirtualTime::ZERO, 0, 0),
        };
        for host in 0..world.hosts.len() {
            world.start(host);
        }
        world
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> VirtualTime {
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

    /// Messages sent so far.
    #[must_use]
    pub fn messages(&self) -> &MessageCounts {
        &self.messages
    }

    /// Events: messages that arrived, ticks that a node had asked for, calls and their answers, blocks found, payments, and what was planned. A tick
    /// that was put off in the meantime is none.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// What was seen, if the world is observed.
    #[must_use]
    pub fn observations(&self) -> Option<&Observations> {
        self.observations.as_ref()
    }

    /// The log.
    pub fn log(&mut self) -> &mut EventLog {
        &mut self.log
    }

    /// Schedules an event, `millis` from now.
    pub fn schedule(&mut self, millis: u64, event: Event) {
        self.queue.push(self.now.plus_millis(millis), Next::Rare(Box::new(event)));
    }

    /// Lets time pass.
    pub fn run(&mut self, millis: u64) {
        self.run_until(self.now.plus_millis(millis));
    }

    /// Lets time pass up to a point.
    pub fn run_until(&mut self, end: VirtualTime) {
        while let Some((at, next)) = self.queue.pop_until(end) {
            self.now = at;
            self.look_ahead();
            self.handle(next);
        }
        self.now = self.now.max(end);
    }

    /// Has a look at the nodes to which something is about to happen. Among thousands of them every message finds its node far away in memory; looks
    /// that do not depend on each other wait for it together, where messages would wait one after the other. (With 2,000 nodes a run takes 2 % less
    /// CPU time, with 6,000 some 4 %; looking further ahead gains nothing more.)
    fn look_ahead(&mut self) {
        let (connections, hosts) = (&self.connections, &self.hosts);
        let is_ready = |next: &Next| {
            let Next::Arrive { connection, end, .. } = next else {
                return None;
            };
            let there = &connections.get(*connection as usize)?.as_deref()?.ends[usize::from(*end)];
            Some(hosts.get(there.host)?.node.as_ref()?.is_ready(peer_id(*connection, usize::from(*end))))
        };
        std::hint::black_box(self.queue.freshly_sorted().filter_map(is_ready).filter(|ready| *ready).count());
    }

    fn handle(&mut self, next: Next) {
        // Whether a tick happens is seen there.
        self.steps += u64::from(!matches!(next, Next::Tick { .. }));
        match next {
            Next::Arrive { connection, end, packet } => {
                if let Some(packet) = self.packets.remove(packet) {
                    self.arrive(connection, usize::from(end), packet);
                }
            }
            Next::Open { connection, end } => self.open(connection, usize::from(end)),
            Next::Tick { host } => self.tick(host),
            Next::Mine { miner } => self.found(miner as usize),
            Next::Pay => self.pay(),
            Next::Mischief { host } => self.mischief(host as usize),
            Next::Rare(event) => match *event {
                Event::CallFailed { host, address } => self.call_failed(host, address),
                Event::Split(partition) => self.split(partition),
                Event::Heal => self.heal(),
                Event::Crash { host, death } => self.crash(host, death),
                Event::Start { host } => self.start(host),
                Event::Hand { host, block } => self.hand(host, block),
            },
        }
    }

    fn tick(&mut self, host: u32) {
        let machine = &mut self.hosts[host as usize];
        if machine.tick_at != Some(self.now) {
            return;
        }
        machine.tick_at = None;
        self.steps += 1;
        let (at, who, count) = self.ticks_at_once;
        let count = if (at, who) == (self.now, host) { count + 1 } else { 1 };
        self.ticks_at_once = (self.now, host, count);
        let host = host as usize;
        if count == MAX_TICKS_AT_ONCE {
            self.violations.push(format!("host {host} spins: {count} ticks without time passing"));
        } else if count < MAX_TICKS_AT_ONCE {
            self.log.note(self.now, host, "tick", &[]);
            self.with_node(host, Node::tick);
        }
    }

    /// A host, by chance.
    pub fn random_host(&mut self) -> usize {
        self.random.index(self.hosts.len())
    }

    /// What a host's clock shows.
    pub(crate) fn host_time(&self, host: usize) -> Timestamp {
        self.hosts.get(host).map_or(self.start, |machine| machine.clock.read(self.now))
    }

    pub(crate) fn connection(&self, number: u32) -> Option<&Connection> {
        self.connections.get(number as usize)?.as_deref()
    }

    pub(crate) fn connection_mut(&mut self, number: u32) -> Option<&mut Connection> {
        self.connections.get_mut(number as usize)?.as_deref_mut()
    }

    /// The connections that there are, oldest first.
    pub(crate) fn connection_numbers(&self) -> impl Iterator<Item = u32> {
        (0u32..).zip(&self.connections).filter(|(_, connection)| connection.is_some()).map(|(number, _)| number)
    }

    pub(crate) fn note_running(&mut self, host: usize, running: bool) {
        let at = self.now;
        if let Some(observations) = &mut self.observations {
            observations.running.push(Seen { at, host, what: running });
        }
    }

    /// Whether all honest nodes run and have the same tip.
    #[must_use]
    pub fn agrees(&self) -> bool {
        checkers::agreement(self).is_empty()
    }
}
