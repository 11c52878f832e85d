//! Where to begin: names and addresses from the configuration and from the network file.
//!
//! Names are resolved by the driver ([`Output::ResolveSeeds`]). They are asked when nobody is known, or when nobody who is known answers: whoever runs a seed
//! learns who asks, and could answer with its own machines only.

use std::net::{IpAddr, SocketAddr};

use tally_primitives::hash::sha256;
use tally_primitives::units::Timestamp;
use tally_wire::{AddressRecord, Services};

use crate::net::address_book::Source;
use crate::net::address_book::group::{Group, Scope};
use crate::net::limits::{MAX_SEED_ADDRESSES, MAX_SEED_PAUSE_MS, MAX_SEEDS, SEED_PATIENCE_MS};
use crate::node::{Node, Output};

/// Addresses of a seed are taken to have been seen so many days ago, between these: they are old news.
const SEED_AGE_DAYS: (u64, u64) = (3, 7);

const DAY_SECONDS: u32 = 24 * 60 * 60;

/// The seeds, and when they are asked next.
#[derive(Debug)]
pub(crate) struct Seeds {
    names: Vec<String>,
    ask_at: Timestamp,
    pause_ms: u64,
}

impl Seeds {
    /// Those of the configuration and of the network. Asked at once if nobody else is known.
    pub fn new(configured: &[String], network: &[String], known: usize, now: Timestamp) -> Seeds {
        let names = configured.iter().chain(network).take(MAX_SEEDS).cloned().collect();
        let ask_at = if known == 0 { now } else { now.saturating_add_millis(SEED_PATIENCE_MS) };
        Seeds { names, ask_at, pause_ms: SEED_PATIENCE_MS }
    }

    /// When something is to be done.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        (!self.names.is_empty()).then_some(self.ask_at)
    }
}

impl Node {
    /// The driver has resolved a seed's name, or tried to; the ports are those of the name, or the network's.
    pub fn handle_seed(&mut self, now: Timestamp, name: &str, addresses: &[SocketAddr]) {
        self.begin(now);
        self.take_seed(now, name, addresses);
        self.finish(now);
    }

    fn take_seed(&mut self, now: Timestamp, name: &str, addresses: &[SocketAddr]) {
        let [a, b, c, d, e, f, g, h, ..] = sha256(name.as_bytes());
        let group = Group::Seed(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
        let source = Source { group, scope: Scope::Loopback, penalty: 0 };
        for address in addresses.iter().take(MAX_SEED_ADDRESSES) {
            let days = self.net.random.between(SEED_AGE_DAYS.0, SEED_AGE_DAYS.1);
            let age = u32::try_from(days).unwrap_or(0).saturating_mul(DAY_SECONDS);
            let last_seen = now.as_seconds().saturating_sub(age);
            let record = AddressRecord { last_seen, services: Services::FULL_CHAIN, address: *address };
            self.net.book.heard(record, source, now);
        }
        self.net.outbound.wake(now);
    }

    /// A node of this network was met on the LAN: worth a call.
    pub fn handle_neighbour(&mut self, now: Timestamp, address: SocketAddr) {
        self.begin(now);
        let source = Source { group: self.net.book.group(address), scope: Scope::Loopback, penalty: 0 };
        let record = AddressRecord { last_seen: now.as_seconds(), services: Services::FULL_CHAIN, address };
        self.net.book.heard(record, source, now);
        self.net.outbound.wake(now);
        self.finish(now);
    }

    pub(crate) fn tick_seeds(&mut self, now: Timestamp) {
        if self.net.seeds.names.is_empty() || now < self.net.seeds.ask_at {
            return;
        }
        let seeds = &mut self.net.seeds;
        seeds.ask_at = now.saturating_add_millis(seeds.pause_ms);
        seeds.pause_ms = seeds.pause_ms.saturating_mul(2).min(MAX_SEED_PAUSE_MS);
        let has_peers = self.net.ready_peers().any(|peer| peer.role.is_outbound());
        if has_peers {
            return;
        }
        let port = self.chain.params().peer_port;
        let (mut names, mut plain) = (Vec::new(), Vec::new());
        for name in self.net.seeds.names.clone() {
            match literal(&name, port) {
                Some(address) => plain.push((name, address)),
                None => names.push(name),
            }
        }
        for (name, address) in plain {
            self.take_seed(now, &name, &[address]);
        }
        if !names.is_empty() {
            self.output(Output::ResolveSeeds { names });
        }
    }
}

/// A seed that is an address and no name.
fn literal(seed: &str, port: u16) -> Option<SocketAddr> {
    let with_port = seed.parse::<SocketAddr>().ok();
    with_port.or_else(|| seed.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port)))
}
