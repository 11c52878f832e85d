//! Hosts whose owners do not keep to the rules. Each runs a real node, to keep in step and to be called; its owner meddles with what it
//! sends, and sends things of his own.

use std::sync::Arc;

use tally_node_core::mining::BlockTemplate;
use tally_node_core::random::Random;
use tally_node_core::testing;
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{BlockHash, MerkleRoot, Txid, Wtxid};
use tally_primitives::params::Params;
use tally_primitives::transaction::{OutPoint, Transaction};
use tally_primitives::units::Amount;
use tally_wire::{AddressRecord, InventoryItem, Message, Services};

use crate::host::address_of;
use crate::network::connection::peer_id;
use crate::world::{Next, World};

/// Mean time between two misdeeds of a host, in milliseconds.
const MISCHIEF_MEAN_MS: u64 = 5_000;

/// Things of each kind in a flood.
const FLOOD: usize = 300;

/// How far ahead a block is dated that comes from the future, in seconds: beyond the two hours of HDR-06.
const FUTURE_SECONDS: u32 = 3 * 60 * 60;

/// What a hostile owner is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malice {
    /// Announces blocks, its own among them, and never sends one, or what a compact one lacks.
    Withholds,
    /// Says everything twice.
    Repeats,
    /// Sends blocks that break a rule.
    BreaksRules,
    /// Floods its peers with announcements, requests, pings, orphans and headers.
    Floods,
    /// Spreads addresses at which nobody listens.
    Lies,
}

impl Malice {
    /// All kinds.
    pub const ALL: [Malice; 5] =
        [Malice::Withholds, Malice::Repeats, Malice::BreaksRules, Malice::Floods, Malice::Lies];

    /// How often a message of its node goes out.
    pub(crate) fn copies(self, message: &Message) -> usize {
        match (self, message) {
            (Malice::Withholds, Message::Block(_) | Message::BlockTransactions { .. }) => 0,
            // A second handshake would be the end of the connection, and of what else there is to test.
            (Malice::Repeats, Message::Version(_) | Message::VersionAck) => 1,
            (Malice::Repeats, _) => 2,
            _ => 1,
        }
    }

    /// Whether it does something by itself now and then.
    fn acts(self) -> bool {
        matches!(self, Malice::BreaksRules | Malice::Floods | Malice::Lies)
    }
}

/// A rule to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// HDR-01: no work.
    Work,
    /// HDR-05: not after the median.
    Old,
    /// HDR-06: hours ahead.
    Future,
    /// BLK-02: the Merkle root is another's.
    MerkleRoot,
    /// BLK-05: the coinbase names another height.
    Height,
    /// BLK-06: a notch too much.
    Claim,
    /// IN-01: spends what does not exist.
    NoCoin,
    /// IN-06: signed by somebody else.
    Signature,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Flaw; 8] = [
        Flaw::Work,
        Flaw::Old,
        Flaw::Future,
        Flaw::MerkleRoot,
        Flaw::Height,
        Flaw::Claim,
        Flaw::NoCoin,
        Flaw::Signature,
    ];

    /// A block on a template that breaks this rule and, as far as possible, no other.
    #[must_use]
    pub fn block(self, template: &BlockTemplate, params: &Params, number: u64) -> Block {
        let lock = testing::lock_of(&testing::key(666));
        let mut block = template.block(lock, &number.to_le_bytes());
        match self {
            Flaw::Work => return without_work(block),
            Flaw::Old => block.header.time = template.min_time - 1,
            Flaw::Future => block.header.time += FUTURE_SECONDS,
            Flaw::MerkleRoot => {
                block.header.merkle_root = MerkleRoot::ZERO;
                testing::grind(&mut block.header);
                return block;
            }
            Flaw::Height => {
                let output = block.transactions[0].outputs.clone();
                block.transactions[0] = Transaction::coinbase(template.height.next(), &number.to_le_bytes(), output);
            }
            Flaw::Claim => {
                let value = &mut block.transactions[0].outputs[0].value;
                *value = value.checked_add(Amount::from_notches(1)).unwrap_or(*value);
            }
            Flaw::NoCoin => block.transactions.push(orphan(params, number)),
            Flaw::Signature => {
                let coins = testing::allocations(params);
                let coin = coins[usize::try_from(number).unwrap_or(0) % coins.len()];
                block.transactions.push(testing::spend(params, &testing::key(666), &[coin], vec![coin.1]));
            }
        }
        testing::sealed(block)
    }
}

fn without_work(mut block: Block) -> Block {
    block.header.merkle_root = block.merkle_root();
    if let Ok(target) = block.header.bits.to_target() {
        while target.is_met_by(&block.header.hash()) {
            block.header.nonce = block.header.nonce.wrapping_add(1);
        }
    }
    block
}

/// A payment with a coin that nobody has ever seen.
fn orphan(params: &Params, number: u64) -> Transaction {
    let (_, output) = testing::allocations(params)[0];
    let outpoint = OutPoint { txid: Txid::from_bytes(noise(number)), index: 0 };
    testing::pay_on(params, &(outpoint, output), 5_000)
}

/// Bytes that look like a hash.
fn noise(number: u64) -> [u8; 32] {
    let mut random = Random::new(number);
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        chunk.copy_from_slice(&random.next_u64().to_le_bytes());
    }
    bytes
}

impl World {
    /// Lets the owner of a host misbehave from now on.
    pub fn corrupt(&mut self, host: usize, malice: Malice) {
        self.hosts[host].malice = Some(malice);
        self.mischief_allowed = true;
        if malice.acts() {
            self.schedule_mischief(host);
        }
    }

    /// No more misdeeds. Hosts that withhold or repeat go on doing so.
    pub(crate) fn stop_mischief(&mut self) {
        self.mischief_allowed = false;
    }

    fn schedule_mischief(&mut self, host: usize) {
        let delay = self.random.exponential(MISCHIEF_MEAN_MS).max(1);
        self.queue.push(self.now.plus_millis(delay), Next::Mischief { host: crate::driver::short(host) });
    }

    pub(crate) fn mischief(&mut self, host: usize) {
        let Some(malice) = self.hosts[host].malice.filter(|_| self.mischief_allowed) else {
            return;
        };
        let messages = match malice {
            Malice::BreaksRules => self.broken_block(host),
            Malice::Floods => self.flood(),
            Malice::Lies => self.lies(),
            Malice::Withholds | Malice::Repeats => Vec::new(),
        };
        self.log.note(self.now, host, "mischief", &[]);
        self.log.trace(self.now, host, || format!("{malice:?}: {} messages to each peer", messages.len()));
        for number in self.hosts[host].connections.clone() {
            let end = self.connection(number).map(|connection| usize::from(connection.ends[1].host == host));
            for message in &messages {
                if let Some(end) = end {
                    self.send_now(host, peer_id(number, end), message.clone());
                }
            }
        }
        self.schedule_mischief(host);
    }

    /// A block that breaks a rule: its header first, and at once its body, which nobody would ask for.
    fn broken_block(&mut self, host: usize) -> Vec<Message> {
        let flaw = Flaw::ALL[self.random.index(Flaw::ALL.len())];
        let number = self.random.next_u64();
        let now = self.host_time(host);
        let Some(node) = self.hosts[host].node.as_ref() else {
            return Vec::new();
        };
        let block = flaw.block(&node.template(now), &self.params, number);
        self.forged_headers += 1;
        self.log.trace(self.now, host, || format!("forges {}: {flaw:?}", block.hash()));
        vec![Message::Headers(vec![block.header]), Message::Block(Arc::new(block))]
    }

    /// A lot of everything that costs nothing to make.
    fn flood(&mut self) -> Vec<Message> {
        let number = self.random.next_u64();
        let noises = || (0..FLOOD as u64).map(|place| noise(number.wrapping_add(place)));
        let unknown_parent = self.unknown_parent(number);
        let mut messages = vec![
            Message::Inventory(noises().map(|bytes| InventoryItem::Transaction(Wtxid::from_bytes(bytes))).collect()),
            Message::Inventory(noises().map(|bytes| InventoryItem::Block(BlockHash::from_bytes(bytes))).collect()),
            Message::GetData(noises().map(|bytes| InventoryItem::Block(BlockHash::from_bytes(bytes))).collect()),
            Message::NotFound(noises().map(|bytes| InventoryItem::Block(BlockHash::from_bytes(bytes))).collect()),
            Message::Headers(vec![unknown_parent]),
            Message::GetAddresses,
        ];
        let signed = orphan(&self.params, number);
        for place in 0..FLOOD as u64 / 10 {
            messages.push(Message::Ping { nonce: number.wrapping_add(place) });
            messages.push(Message::Pong { nonce: number.wrapping_add(place) });
            let locator = vec![BlockHash::from_bytes(noise(number ^ place))];
            messages.push(Message::GetHeaders { locator, stop: BlockHash::ZERO });
            // The coin is looked for before the signature is checked, so one signature does for all.
            let mut orphan = signed.clone();
            orphan.inputs[0].outpoint.txid = Txid::from_bytes(noise(number.wrapping_add(place)));
            messages.push(Message::Transaction(Arc::new(orphan)));
        }
        messages
    }

    /// A header with work and without a parent that anybody knows.
    fn unknown_parent(&self, number: u64) -> Header {
        let mut header = self.params.genesis().header;
        header.prev_block = BlockHash::from_bytes(noise(number));
        header.bits = self.params.limit;
        header.version = tally_consensus::header::VERSION_TOP_BITS;
        testing::grind(&mut header);
        header
    }

    /// Addresses where nobody listens, and one of a host that exists with a time that has not come.
    fn lies(&mut self) -> Vec<Message> {
        let seen = self.start.as_seconds();
        let record = |last_seen, address| AddressRecord { last_seen, services: Services::FULL_CHAIN, address };
        let nowhere = self.hosts.len();
        let mut records: Vec<AddressRecord> =
            (0..FLOOD).map(|place| record(seen, address_of(nowhere + self.random.index(10_000) + place))).collect();
        records.push(record(u32::MAX, address_of(self.random.index(nowhere))));
        vec![Message::Addresses(records)]
    }
}
