//! What encryption costs: blocks of a megabyte over loopback, and the time until a connection can be used.
//!
//! ```text
//! cargo bench -p tally-node --bench transport
//! ```

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tally_node::transport::{Link, NodeKey, PeerEvent, Priority, Transport, TransportConfig, bind, dial, listen};
use tally_primitives::block::Block;
use tally_primitives::params::Params;
use tally_wire::Message;
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc;

/// Blocks sent in one round.
const BLOCKS: usize = 300;

/// Connections made in one round.
const CONNECTIONS: u32 = 200;

/// Rounds, of which the best counts: others use the machine too.
const ROUNDS: u32 = 5;

type Inbox = mpsc::Receiver<PeerEvent>;

fn transport(key: Option<NodeKey>) -> (Transport, Inbox) {
    let (sender, inbox) = mpsc::channel(1024);
    let config = TransportConfig { magic: 7, default_port: 1, max_inbound: 1_000, key };
    (Transport::new(config, sender), inbox)
}

fn key(encrypted: bool) -> Option<NodeKey> {
    encrypted.then(|| NodeKey::generate().expect("the system has random bytes"))
}

async fn link(inbox: &mut Inbox) -> Box<dyn Link> {
    match inbox.recv().await {
        Some(PeerEvent::Connected { link, .. }) => link,
        other => panic!("a connection was expected: {other:?}"),
    }
}

async fn message(inbox: &mut Inbox) -> Message {
    loop {
        match inbox.recv().await {
            Some(PeerEvent::Message { message, .. }) => return message,
            Some(PeerEvent::Drained { .. }) => {}
            other => panic!("a message was expected: {other:?}"),
        }
    }
}

fn send(link: &dyn Link, message: Message) {
    let priority = Priority::of(&message);
    link.send(message, priority).expect("the peer reads");
}

fn big_block() -> Arc<Block> {
    let mut block = Params::mainnet().genesis();
    let mut state = 1_u64;
    block.transactions[0].memo = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(999_000)
    .collect();
    Arc::new(block)
}

fn listening(encrypted: bool) -> (SocketAddr, Inbox) {
    let (transport, inbox) = transport(key(encrypted));
    let local = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = bind(local, "--listen").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(listen(transport, listener));
    (address, inbox)
}

/// Sends blocks one way; gives wall time and CPU time of both ends.
async fn throughput(encrypted: bool, block: &Arc<Block>) -> (Duration, Duration) {
    let (address, mut theirs) = listening(encrypted);
    let (caller, mut ours) = transport(key(encrypted));
    tokio::spawn(dial(caller, address));
    let (near, far) = (link(&mut ours).await, link(&mut theirs).await);
    send(&*near, Message::VersionAck);
    send(&*far, Message::VersionAck);
    assert_eq!((message(&mut ours).await, message(&mut theirs).await), (Message::VersionAck, Message::VersionAck));
    let (begun, cpu) = (Instant::now(), cpu_time());
    let (mut sent, mut received) = (0, 0);
    while received < BLOCKS {
        while sent < BLOCKS && sent < received + 8 {
            send(&*near, Message::Block(Arc::clone(block)));
            sent += 1;
        }
        message(&mut theirs).await;
        received += 1;
    }
    (begun.elapsed(), cpu_time().saturating_sub(cpu))
}

/// The mean time from a call to the answer of a first message.
async fn latency(encrypted: bool) -> Duration {
    let (address, mut theirs) = listening(encrypted);
    let (caller, mut ours) = transport(key(encrypted));
    let mut sum = Duration::ZERO;
    for nonce in 0..CONNECTIONS {
        let nonce = u64::from(nonce);
        let begun = Instant::now();
        tokio::spawn(dial(caller.clone(), address));
        let near = link(&mut ours).await;
        send(&*near, Message::Ping { nonce });
        let far = link(&mut theirs).await;
        message(&mut theirs).await;
        send(&*far, Message::Pong { nonce });
        message(&mut ours).await;
        sum += begun.elapsed();
        drop(near);
        while !matches!(theirs.recv().await, Some(PeerEvent::Gone { .. })) {}
    }
    sum / CONNECTIONS
}

/// CPU time of this process, in steps of 10 ms.
fn cpu_time() -> Duration {
    const TICKS_PER_SECOND: u64 = 100;
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

fn main() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let block = big_block();
    for encrypted in [false, true] {
        let rounds = |_| Handle::current().block_on(throughput(encrypted, &block));
        let _inside = runtime.enter();
        let (wall, cpu) = (0..ROUNDS).map(rounds).min_by_key(|(wall, _)| *wall).unwrap_or_default();
        let connect = (0..ROUNDS).map(|_| Handle::current().block_on(latency(encrypted))).min().unwrap_or_default();
        let megabytes = BLOCKS as f64;
        println!(
            "{}: {:6.0} MB/s, {:5.2} ms of CPU a megabyte (both ends, frames and checksums included), first answer after {:4.0} us",
            if encrypted { "encrypted" } else { "plain    " },
            megabytes / wall.as_secs_f64(),
            cpu.as_secs_f64() * 1e3 / megabytes,
            connect.as_secs_f64() * 1e6,
        );
    }
}
