//! What hostile peers do, one function a kind.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tally_node_core::random::Random;
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::block::Header;
use tally_primitives::hash::{BlockHash, Txid, Wtxid};
use tally_primitives::units::Height;
use tally_wire::{AddressRecord, InventoryItem, Message, MessageKind, Services};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::common::params;
use crate::holds;
use crate::line::{Line, Thrown, version};

/// A kind of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attack {
    /// Random bytes instead of a handshake.
    Junk,
    /// Random bytes inside an encrypted connection, or in its place.
    JunkInside,
    /// Frames that announce more than is allowed.
    Oversize,
    /// Transactions that do not exist, announced without end.
    InventoryFlood,
    /// Addresses without end.
    AddressFlood,
    /// Headers with work and without parents.
    HeaderFlood,
    /// Transactions that spend what does not exist.
    OrphanFlood,
    /// Blocks without parents.
    BlockFlood,
    /// Connections opened and closed without end.
    ConnectionStorm,
    /// Requests for what does not exist.
    UnknownRequests,
    /// Connections that say nothing.
    Silent,
    /// Connections that stop in the middle of a handshake.
    HalfHandshake,
    /// Blocks that never end.
    Unfinished,
    /// Pings whose answers are not read.
    DeafPings,
    /// Requests for headers whose answers are not read.
    DeafHeaders,
    /// As many announcements as the node remembers, by peers that stay.
    HoldAnnouncements,
    /// Orphans that cost as much memory as they can, likewise.
    HoldOrphans,
    /// Chains of headers with little work, likewise.
    HoldHeaders,
}

impl Attack {
    /// What sends more than it should.
    pub const SENDING: [Attack; 10] = [
        Attack::Junk,
        Attack::JunkInside,
        Attack::Oversize,
        Attack::InventoryFlood,
        Attack::AddressFlood,
        Attack::HeaderFlood,
        Attack::OrphanFlood,
        Attack::BlockFlood,
        Attack::ConnectionStorm,
        Attack::UnknownRequests,
    ];

    /// What holds something and never lets go, but for [`Attack::HoldHeaders`], which is an attack only where the honest chain is longer.
    pub const HOLDING: [Attack; 7] = [
        Attack::Silent,
        Attack::HalfHandshake,
        Attack::Unfinished,
        Attack::DeafPings,
        Attack::DeafHeaders,
        Attack::HoldAnnouncements,
        Attack::HoldOrphans,
    ];

    /// All of both.
    pub fn all() -> impl Iterator<Item = Attack> {
        Attack::SENDING.into_iter().chain(Attack::HOLDING)
    }
}

/// Messages of one kind that an attacker sends over one connection before it opens another.
const MESSAGES: u32 = 200;

/// Attacks once. Ends when the node has thrown us out, or when there is no more to do.
pub async fn run(attack: Attack, target: SocketAddr, seed: u64) -> Result<(), Thrown> {
    let mut random = Random::new(seed);
    match attack {
        Attack::Junk => junk(target, &mut random).await,
        Attack::JunkInside => junk_inside(target, &mut random).await,
        Attack::Oversize => oversize(target, &mut random).await,
        Attack::ConnectionStorm => TcpStream::connect(target).await.map(drop).map_err(Thrown::from),
        Attack::Silent | Attack::HalfHandshake => {
            let mut held = hold(attack, target).await?;
            while held.read(&mut [0; 256]).await? > 0 {}
            Ok(())
        }
        Attack::Unfinished => unfinished(target, seed).await,
        Attack::DeafPings | Attack::DeafHeaders => deaf(attack, target, seed).await,
        Attack::HoldAnnouncements | Attack::HoldOrphans | Attack::HoldHeaders => {
            holds::hold(attack, target, seed).await
        }
        _ => flood(attack, target, &mut random).await,
    }
}

fn bytes(random: &mut Random, count: usize) -> Vec<u8> {
    std::iter::repeat_with(|| random.next_u64().to_le_bytes()).flatten().take(count).collect()
}

pub fn hash(random: &mut Random) -> [u8; 32] {
    bytes(random, 32).try_into().expect("32 bytes")
}

async fn junk(target: SocketAddr, random: &mut Random) -> Result<(), Thrown> {
    let mut stream = TcpStream::connect(target).await?;
    // With or without the right beginning.
    let beginning: &[u8] = match random.below(3) {
        0 => b"",
        1 => b"TALLYNX1",
        _ => &params().magic.to_le_bytes(),
    };
    stream.write_all(beginning).await?;
    for _ in 0..64 {
        stream.write_all(&bytes(random, 16 * 1024)).await?;
    }
    Ok(())
}

async fn junk_inside(target: SocketAddr, random: &mut Random) -> Result<(), Thrown> {
    let seed = random.next_u64();
    let mut line = if random.chance(1, 2) { Line::open(target).await? } else { Line::greeted(target, seed).await? };
    let junk = bytes(random, 200 * 1024);
    match random.below(3) {
        0 => line.send_bytes(&junk).await?,
        1 => line.send_raw(&junk).await?,
        _ => {
            // A frame whose checksum is wrong.
            let mut frame = params().magic.to_le_bytes().to_vec();
            frame.extend(100_000_u32.to_le_bytes());
            frame.extend([1, 2, 3, 4]);
            frame.extend(MessageKind::Block.index().to_le_bytes());
            frame.extend(&junk[..100_000]);
            line.send_bytes(&frame).await?;
        }
    }
    line.drain().await
}

async fn oversize(target: SocketAddr, random: &mut Random) -> Result<(), Thrown> {
    let seed = random.next_u64();
    let mut line = if random.chance(1, 2) { Line::open(target).await? } else { Line::greeted(target, seed).await? };
    let (length, kind): (u32, u32) = match random.below(4) {
        0 => (u32::MAX, MessageKind::Block.index()),
        1 => ((2 << 20) + 1, MessageKind::Block.index()),
        2 => (1 << 20, MessageKind::Ping.index()),
        _ => (2 << 20, 77),
    };
    let mut frame = params().magic.to_le_bytes().to_vec();
    frame.extend(length.to_le_bytes());
    frame.extend([0; 4]);
    frame.extend(kind.to_le_bytes());
    line.send_bytes(&frame).await?;
    line.send_bytes(&bytes(random, 60_000)).await?;
    line.drain().await
}

/// Opens a connection and holds it.
pub async fn hold(attack: Attack, target: SocketAddr) -> Result<TcpStream, Thrown> {
    if attack == Attack::Silent {
        return Ok(TcpStream::connect(target).await?);
    }
    let mut line = Line::open(target).await?;
    line.send(&Message::Version(Box::new(version(1)))).await?;
    Ok(line.into_stream())
}

/// Whether the node has closed all these connections.
pub async fn all_closed(held: &[Result<TcpStream, Thrown>]) -> bool {
    for stream in held.iter().flatten() {
        let mut buffer = [0; 4096];
        loop {
            match stream.try_read(&mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    // Whether it is closed is only known when the system has had a look.
                    if timeout(Duration::from_millis(20), stream.readable()).await.is_err() {
                        return false;
                    }
                }
                Err(_) => break,
            }
        }
    }
    true
}

/// All but the end of a block as large as they come.
async fn unfinished(target: SocketAddr, seed: u64) -> Result<(), Thrown> {
    let mut line = Line::greeted(target, seed).await?;
    let length = MessageKind::Block.max_payload();
    let mut frame = params().magic.to_le_bytes().to_vec();
    frame.extend(u32::try_from(length)?.to_le_bytes());
    frame.extend([0; 4]);
    frame.extend(MessageKind::Block.index().to_le_bytes());
    frame.resize(length - 1, 7);
    line.send_bytes(&frame).await?;
    line.drain().await
}

/// Asks and does not read.
async fn deaf(attack: Attack, target: SocketAddr, seed: u64) -> Result<(), Thrown> {
    let mut line = Line::greeted(target, seed).await?;
    let ask = match attack {
        Attack::DeafPings => Message::Ping { nonce: seed },
        _ => Message::GetHeaders { locator: Vec::new(), stop: BlockHash::ZERO },
    };
    for _ in 0..20_000 {
        line.send(&ask).await?;
    }
    // As long as it takes to be noticed.
    sleep(Duration::from_secs(60)).await;
    Ok(())
}

/// Sends messages of one kind.
async fn flood(attack: Attack, target: SocketAddr, random: &mut Random) -> Result<(), Thrown> {
    let mut line = Line::greeted(target, random.next_u64()).await?;
    for _ in 0..MESSAGES {
        let message = flood_message(attack, random);
        line.send(&message).await?;
        // What the node says is read, so that it is not for deafness that we are thrown out.
        let _ = timeout(Duration::from_millis(1), line.receive()).await;
    }
    Ok(())
}

fn flood_message(attack: Attack, random: &mut Random) -> Message {
    let params = params();
    let list = |random: &mut Random, count: usize, item: fn(&mut Random) -> InventoryItem| {
        std::iter::repeat_with(|| item(random)).take(count).collect::<Vec<_>>()
    };
    match attack {
        Attack::InventoryFlood => Message::Inventory(list(random, 5_000, |random| {
            InventoryItem::Transaction(Wtxid::from_bytes(hash(random)))
        })),
        Attack::UnknownRequests => Message::GetData(list(random, 1_000, |random| match random.below(3) {
            0 => InventoryItem::Block(BlockHash::from_bytes(hash(random))),
            1 => InventoryItem::Transaction(Wtxid::from_bytes(hash(random))),
            _ => InventoryItem::Parent(Txid::from_bytes(hash(random))),
        })),
        Attack::AddressFlood => Message::Addresses(std::iter::repeat_with(|| address(random)).take(1_000).collect()),
        Attack::HeaderFlood => Message::Headers([orphan_header(random)].into()),
        Attack::OrphanFlood => {
            let mut payment = testing::pay_on(&params, &testing::allocations(&params)[0], 1_000);
            payment.inputs[0].outpoint.txid = Txid::from_bytes(hash(random));
            payment.memo = bytes(random, 80);
            Message::Transaction(Arc::new(payment))
        }
        _ => {
            let parent = orphan_header(random);
            let block = BlockBuilder::on(&params, &parent, Height::new(7)).extra(random.next_u64()).build();
            Message::Block(Arc::new(block))
        }
    }
}

/// A header with its work done, and a parent that nobody knows.
fn orphan_header(random: &mut Random) -> Header {
    let mut header = params().genesis().header;
    header.prev_block = BlockHash::from_bytes(hash(random));
    testing::grind(&mut header);
    header
}

fn address(random: &mut Random) -> AddressRecord {
    let [a, b, c, d, ..] = random.next_u64().to_le_bytes();
    AddressRecord {
        last_seen: u32::MAX / 3,
        services: Services::FULL_CHAIN,
        address: SocketAddr::from(([a, b, c, d], 9_740)),
    }
}
