//! A node without its surroundings: what it kept of addresses, and everything that can be done to it, in any order.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::net::address_book::saved::SavedBook;
use tally_node_core::net::bans::BanTarget;
use tally_node_core::net::finding::FindingConfig;
use tally_node_core::net::limits::{MAX_ADDRESS_BOOK, MAX_ANNOUNCED_TRANSACTIONS};
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::{Node, NodeConfig, Output};
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::block::{Block, Header};
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, sha256d};
use tally_primitives::pow::Work;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Height, Timestamp};
use tally_wire::{
    CompactBlock, Decoder, FrameError, InventoryItem, Message, Prefilled, Services, ShortIdKey, Version, encode_frame,
};

use super::Bytes;

/// The node's own address book, with a checksum that holds. Whatever it says, the node starts.
pub fn peers_dat(data: &[u8]) {
    let genesis = testing::params().genesis_hash();
    // As it is, and as somebody would write it who wants to be believed.
    let _ = SavedBook::decode(data, genesis);
    let with_checksum = [data, &sha256d(data)[..]].concat();
    let Ok(saved) = SavedBook::decode(&with_checksum, genesis) else { return };
    assert_eq!(saved.encode(), with_checksum);
    let finding = FindingConfig { saved: Some(saved), full_peers: 8, block_only_peers: 2, ..FindingConfig::default() };
    let mut story = Story::new(NodeConfig { finding, ..NodeConfig::default() });
    assert!(story.node.address_book().len() <= MAX_ADDRESS_BOOK);
    story.pass(1_000);
}

/// Blocks of three branches, the payments that may stand in them, and what is wrong with some of them.
struct Cast {
    blocks: Vec<Block>,
    payments: Vec<Transaction>,
}

static CAST: LazyLock<Cast> = LazyLock::new(|| {
    let params = testing::params();
    let genesis = params.genesis().header;
    let coins = testing::allocations(&params);
    let mut payments: Vec<Transaction> = coins[..6].iter().map(|coin| testing::pay_on(&params, coin, 1_000)).collect();
    payments.push(testing::pay_on(&params, &coins[0], 3_000));
    for parent in [0, 1, 1, 8] {
        let coin = testing::outputs_of(&payments[parent])[0];
        payments.push(testing::pay_on(&params, &coin, 2_000));
    }
    let mut spoilt = payments[2].clone();
    spoilt.memo = vec![1];
    payments.push(spoilt);
    let mut blocks = Vec::new();
    for (branch, length) in [(0, 6), (1, 8), (2, 3)] {
        blocks.extend(testing::branch_on(&params, &genesis, Height::GENESIS, length, branch));
    }
    let full = payments[..4]
        .iter()
        .fold(BlockBuilder::on(&params, &genesis, Height::GENESIS), |block, payment| block.with(payment.clone()));
    blocks.push(full.extra(9).build());
    blocks.push(BlockBuilder::on(&params, &genesis, Height::GENESIS).with(payments[11].clone()).build());
    Cast { blocks, payments }
});

fn at<T>(list: &[T], number: u8) -> &T {
    &list[usize::from(number) % list.len()]
}

struct Story {
    node: Node,
    store: MemoryStore,
    now: Timestamp,
    peers: Vec<PeerId>,
    next_peer: u64,
    dialled: Vec<SocketAddr>,
    /// Pings that wait for their answer.
    pongs: Vec<(PeerId, u64)>,
    /// Whether the operator has called a block invalid: then work may decrease.
    is_condemned: bool,
}

impl Story {
    fn new(config: NodeConfig) -> Story {
        let (store, now) = (MemoryStore::new(), testing::now());
        let node = Node::new(config, testing::params(), Box::new(store.clone()), 7, now).expect("an empty store opens");
        let (peers, dialled, pongs) = (Vec::new(), Vec::new(), Vec::new());
        let mut story = Story { node, store, now, peers, next_peer: 0, dialled, pongs, is_condemned: false };
        story.pump();
        story
    }

    /// Carries out what the node wants, and looks whether that can be.
    fn pump(&mut self) {
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::Send { peer, message } => {
                    assert!(self.peers.contains(&peer), "a message to nobody");
                    assert!(message.payload_size() <= message.kind().max_payload(), "{}", message.kind());
                    // What we send, others can read.
                    let mut decoder = Decoder::new(1);
                    decoder.push(&encode_frame(1, &Message::VersionAck));
                    decoder.push(&encode_frame(1, &message));
                    assert_eq!(decoder.next(), Ok(Some(Message::VersionAck)));
                    assert_eq!(decoder.next().as_ref(), Ok(&Some(message.clone())));
                    if let Message::Ping { nonce } = message {
                        self.pongs.push((peer, nonce));
                    }
                }
                Output::Disconnect { peer, .. } => self.peers.retain(|other| *other != peer),
                Output::Commit(changes) => self.store.apply(*changes).expect("change sets fit"),
                Output::Dial { address } => self.dialled.push(address),
                Output::Halt { reason } => panic!("the node halts: {reason}"),
                Output::ResolveSeeds { .. } | Output::KeepAddresses { .. } | Output::Emit(_) => {}
            }
        }
    }

    fn connect(&mut self, number: u8, direction: Direction) {
        self.next_peer += 1;
        let id = PeerId(self.next_peer);
        let address = match self.dialled.pop().filter(|_| direction == Direction::Outbound) {
            Some(address) => address,
            None => SocketAddr::from(([10 + number % 3, number, 0, 1], 9_740)),
        };
        self.peers.push(id);
        self.node.handle_peer_connected(self.now, id, address, direction);
        self.pump();
    }

    fn version(&self, number: u8) -> Version {
        Version {
            protocol: 1,
            services: Services::from_bits(u64::from(number % 4)),
            genesis: testing::params().genesis_hash(),
            time: self.now,
            nonce: 77 + self.next_peer,
            user_agent: "fuzz".to_owned(),
            listen_port: u16::from(number) * 100,
            height: Height::new(u32::from(number)),
            chain_work: Work::from_be_bytes([number; 32]),
        }
    }

    fn say(&mut self, peer: PeerId, message: Message) {
        // What a decoder refuses never reaches the node.
        let mut decoder = Decoder::new(1);
        decoder.push(&encode_frame(1, &Message::VersionAck));
        decoder.push(&encode_frame(1, &message));
        let _ = decoder.next();
        match decoder.next() {
            Ok(Some(message)) => self.node.handle_message(self.now, peer, message),
            Ok(None) => {}
            Err(error) => self.node.handle_bad_frame(self.now, peer, error),
        }
        self.pump();
    }

    fn pass(&mut self, millis: u64) {
        let end = self.now.saturating_add_millis(millis);
        for _ in 0..200 {
            let Some(due) = self.node.next_timeout().filter(|due| *due <= end) else { break };
            self.now = self.now.max(due);
            self.node.tick(self.now);
            self.pump();
        }
        self.now = end;
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let (kind, number) = (bytes.byte(), bytes.byte());
        let peer = self.peers.get(usize::from(number) % self.peers.len().max(1)).copied();
        match (kind % 12, peer) {
            (0, _) => self.connect(number, if number % 3 == 0 { Direction::Outbound } else { Direction::Inbound }),
            (1, _) => self.pass(u64::from(bytes.short()) * u64::from(number)),
            (2, Some(peer)) => {
                let version = self.version(number);
                self.say(peer, Message::Version(Box::new(version)));
                self.say(peer, Message::VersionAck);
            }
            (3, Some(peer)) => {
                self.peers.retain(|other| *other != peer);
                self.node.handle_peer_gone(self.now, peer, "gone");
            }
            (4, Some(peer)) => self.node.handle_send_queue(self.now, peer, usize::from(bytes.short()) * 200),
            (5, Some(peer)) => {
                for (peer, nonce) in std::mem::take(&mut self.pongs) {
                    if self.peers.contains(&peer) {
                        self.say(peer, Message::Pong { nonce });
                    }
                }
                self.say(peer, Message::Pong { nonce: 0 });
            }
            (6, _) => self.operator(number, bytes),
            (7, Some(peer)) => {
                if let Ok(message) = encode::decode::<Message>(bytes.piece(), 1 << 16) {
                    self.say(peer, message);
                }
            }
            (8, Some(peer)) => {
                let error = FrameError::UnknownKind { index: 99, length: 4 };
                self.node.handle_bad_frame(self.now, peer, error);
            }
            (_, Some(peer)) => {
                let message = message(bytes);
                self.say(peer, message);
            }
            (_, None) => {}
        }
        self.pump();
    }

    /// What an operator does.
    fn operator(&mut self, number: u8, bytes: &mut Bytes<'_>) {
        let (now, cast) = (self.now, &*CAST);
        let address = SocketAddr::from(([10, number, 0, 1], 9_740));
        let block = at(&cast.blocks, number);
        match bytes.byte() % 8 {
            0 => drop(self.node.submit_block(now, Arc::new(block.clone()))),
            1 => drop(self.node.submit_transaction(now, Arc::new(at(&cast.payments, number).clone()))),
            2 => self.is_condemned |= self.node.invalidate_block(now, &block.hash()).is_ok(),
            3 => drop(self.node.reconsider_block(now, &block.hash())),
            4 => drop(self.node.add_node(now, address)),
            5 => {
                let target = BanTarget { ip: address.ip(), port: None };
                let _ = self.node.ban(now, target, now.saturating_add_millis(60_000));
                let _ = self.node.unban(target);
            }
            6 => {
                if let Some(address) = self.dialled.pop() {
                    self.node.handle_dial_failed(now, address);
                }
            }
            _ => {
                let template = self.node.template(now);
                let mined = testing::mine_template(&template, testing::lock_of(&testing::key(9)), &[number]);
                self.node.submit_block(now, Arc::new(mined)).expect("an own block is taken");
            }
        }
    }
}

/// A message that makes sense, at a time when it may not.
fn message(bytes: &mut Bytes<'_>) -> Message {
    let cast = &*CAST;
    let (kind, number) = (bytes.byte(), bytes.byte());
    let block = at(&cast.blocks, number);
    let payment = at(&cast.payments, number);
    match kind % 12 {
        0 => Message::Headers(headers(number, bytes.byte()).into()),
        1 => Message::Block(Arc::new(block.clone())),
        2 => Message::Transaction(Arc::new(payment.clone())),
        3 => Message::Inventory(vec![item(number), item(bytes.byte())]),
        4 => Message::GetData(vec![item(number), item(bytes.byte())]),
        5 => Message::NotFound(vec![item(number), item(bytes.byte())]),
        6 => Message::GetHeaders {
            locator: vec![block.hash(), at(&cast.blocks, bytes.byte()).hash()],
            stop: BlockHash::ZERO,
        },
        7 => Message::SendCompact { high_bandwidth: number % 2 == 0 },
        8 => Message::CompactBlock(Arc::new(compact(block, bytes.byte()))),
        9 => Message::GetBlockTransactions { block: block.hash(), indexes: (0..u16::from(bytes.byte() % 6)).collect() },
        10 => {
            let transactions = block.transactions.iter().skip(1).take(usize::from(bytes.byte() % 6));
            Message::BlockTransactions {
                block: block.hash(),
                transactions: transactions.cloned().map(Arc::new).collect(),
            }
        }
        _ => Message::GetAddresses,
    }
}

/// The headers of the cast from one on.
fn headers(from: u8, count: u8) -> Vec<Header> {
    let blocks = CAST.blocks.iter().cycle().skip(usize::from(from)).take(usize::from(count % 9));
    blocks.map(|block| block.header).collect()
}

fn item(number: u8) -> InventoryItem {
    let (block, payment) = (at(&CAST.blocks, number / 4), at(&CAST.payments, number / 4));
    match number % 4 {
        0 => InventoryItem::Block(block.hash()),
        1 => InventoryItem::Transaction(payment.wtxid()),
        2 => InventoryItem::Parent(payment.txid()),
        _ => InventoryItem::CompactBlock(block.hash()),
    }
}

/// A block in compact form: with its own short ids, or with others.
fn compact(block: &Block, spoil: u8) -> CompactBlock {
    let key = ShortIdKey::new(&block.header, u64::from(spoil));
    let mut short_ids: Vec<_> = block.transactions[1..].iter().map(|payment| key.short_id(&payment.wtxid())).collect();
    match spoil % 4 {
        0 => {}
        1 => short_ids.reverse(),
        2 => short_ids.truncate(1),
        _ => short_ids.extend(short_ids.clone()),
    }
    let coinbase = Prefilled { index: 0, transaction: Arc::new(block.transactions[0].clone()) };
    CompactBlock { header: block.header, nonce: u64::from(spoil), short_ids, prefilled: vec![coinbase] }
}

/// Everything that can be done to a node, in any order. It does not panic, does not halt, asks for nothing that cannot be, and keeps its books.
pub fn sequence(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let first = bytes.byte();
    let finding = FindingConfig { full_peers: usize::from(first % 3), ..FindingConfig::default() };
    let max_inbound = 2 + usize::from(first % 8);
    let mut story = Story::new(NodeConfig { finding, max_inbound, listen_port: 9_740, ..NodeConfig::default() });
    let mut work = story.node.chain().tip().work;
    for _ in 0..400 {
        if bytes.is_empty() {
            break;
        }
        story.step(&mut bytes);
        let now = story.node.chain().tip().work;
        assert!(now >= work || story.is_condemned, "the chain has less work than before");
        work = now;
    }
    story.pass(10_000);
    assert!(story.node.peers(story.now).all(|peer| peer.transactions_in_flight <= MAX_ANNOUNCED_TRANSACTIONS));
    story.node.flush(story.now);
    story.pump();
    // What was stored is enough to go on with.
    let tip = story.node.chain().tip().hash;
    let again = Node::new(NodeConfig::default(), testing::params(), Box::new(story.store.clone()), 7, story.now);
    assert_eq!(again.expect("the store opens again").chain().tip().hash, tip);
}
