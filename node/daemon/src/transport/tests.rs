//! Real sockets: what arrives, in which order, and what becomes of those who do not keep to the rules.

use std::net::SocketAddr;
use std::time::Duration;

use tally_node_core::net::peer::Direction;
use tally_primitives::params::Params;
use tally_wire::{Message, encode_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{PeerEvent, PeerHandle, QUEUE_BYTES, SendError, Transport, bind, dial, listen};

const MAGIC: u32 = 0x1234_5678;
const LIMIT: Duration = Duration::from_secs(30);

fn local() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// A listening transport, its address and its inbox.
fn listening() -> (SocketAddr, mpsc::Receiver<PeerEvent>) {
    let (sender, inbox) = mpsc::channel(16);
    let listener = bind(local(), "--listen").unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listen(Transport::new(MAGIC, sender), listener));
    (address, inbox)
}

async fn next(inbox: &mut mpsc::Receiver<PeerEvent>) -> PeerEvent {
    timeout(LIMIT, inbox.recv()).await.expect("nothing happened").expect("the transport is gone")
}

async fn connected(inbox: &mut mpsc::Receiver<PeerEvent>) -> (PeerHandle, Direction) {
    match next(inbox).await {
        PeerEvent::Connected { handle, direction, .. } => (handle, direction),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn messages_cross_in_order_and_the_end_is_told() {
    let (address, mut inbox) = listening();
    let (sender, mut our_inbox) = mpsc::channel(16);
    tokio::spawn(dial(Transport::new(MAGIC, sender), address));
    let (ours, direction) = connected(&mut our_inbox).await;
    assert_eq!(direction, Direction::Outbound);
    let (theirs, direction) = connected(&mut inbox).await;
    assert_eq!(direction, Direction::Inbound);
    for nonce in 0..100 {
        ours.send(Message::Ping { nonce }).unwrap();
    }
    for nonce in 0..100 {
        match next(&mut inbox).await {
            PeerEvent::Message { message, .. } => assert_eq!(message, Message::Ping { nonce }),
            other => panic!("{other:?}"),
        }
    }
    // What was sent before the connection is closed still arrives.
    theirs.send(Message::Pong { nonce: 7 }).unwrap();
    drop(theirs);
    assert!(matches!(next(&mut our_inbox).await, PeerEvent::Message { message: Message::Pong { nonce: 7 }, .. }));
    assert!(matches!(next(&mut our_inbox).await, PeerEvent::Gone { .. }));
    assert!(ours.traffic.sent.load(std::sync::atomic::Ordering::Relaxed) > 100 * 12);
}

#[tokio::test]
async fn bytes_that_are_no_frame_end_the_connection() {
    let (address, mut inbox) = listening();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (_handle, _) = connected(&mut inbox).await;
    stream.write_all(&[0xff; 64]).await.unwrap();
    assert!(matches!(next(&mut inbox).await, PeerEvent::BadFrame { .. }));
    assert!(matches!(next(&mut inbox).await, PeerEvent::Gone { .. }));
}

fn pieces(event: &PeerEvent) -> usize {
    match event {
        PeerEvent::Message { room, .. } => room.num_permits(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_peer_that_sends_faster_than_the_node_reads_has_to_wait() {
    let (address, mut inbox) = listening();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (_handle, _) = connected(&mut inbox).await;
    let frame = encode_frame(MAGIC, &Message::VersionAck);
    stream.write_all(&frame).await.unwrap();
    let mut kept = Vec::new();
    let (mut taken, first) = (0, next(&mut inbox).await);
    taken += pieces(&first);
    kept.push(first);
    // More than the peer's room, in messages that are never given back.
    let (magic, mut sent) = (MAGIC, 0u64);
    let writing = tokio::spawn(async move {
        loop {
            let frame = encode_frame(magic, &Message::Ping { nonce: sent });
            if stream.write_all(&frame).await.is_err() {
                return;
            }
            sent += 1;
        }
    });
    let room = super::INBOX_BYTES_PER_PEER / 1024;
    while let Ok(Some(event)) = timeout(Duration::from_millis(300), inbox.recv()).await {
        taken += pieces(&event);
        kept.push(event);
        assert!(taken <= room, "more than the room was read");
    }
    // One read takes at most 16 pieces at once, and waits for all of them.
    assert!(taken + 16 > room, "the peer waits with {taken} of {room}");
    // What is dealt with makes room.
    kept.clear();
    next(&mut inbox).await;
    writing.abort();
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_given_up() {
    let (address, mut inbox) = listening();
    let _silent = TcpStream::connect(address).await.unwrap();
    let (handle, _) = connected(&mut inbox).await;
    let block = std::sync::Arc::new(Params::mainnet().genesis());
    let mut big = block.as_ref().clone();
    big.transactions[0].memo = vec![0; 1 << 20];
    let big = Message::Block(std::sync::Arc::new(big));
    let mut queued = 0;
    let refused = loop {
        match handle.send(big.clone()) {
            Ok(()) => queued += big.payload_size(),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, SendError::QueueFull { .. }), "{refused}");
    assert!(queued <= QUEUE_BYTES + (16 << 20), "{queued}");
}

#[tokio::test]
async fn a_queue_that_drains_is_told_of() {
    let (address, mut inbox) = listening();
    let mut reader = TcpStream::connect(address).await.unwrap();
    let (handle, _) = connected(&mut inbox).await;
    let block = Message::Block(std::sync::Arc::new(Params::mainnet().genesis()));
    let frame = encode_frame(MAGIC, &block);
    handle.send(block).unwrap();
    let mut bytes = vec![0; frame.len()];
    reader.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, frame);
    assert!(matches!(next(&mut inbox).await, PeerEvent::Drained { .. }));
    assert_eq!(handle.waiting_bytes(), 0);
}

#[tokio::test]
async fn a_call_to_nobody_fails() {
    let free = TcpListener::bind(local()).await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let (sender, mut inbox) = mpsc::channel(1);
    tokio::spawn(dial(Transport::new(MAGIC, sender), address));
    match next(&mut inbox).await {
        PeerEvent::DialFailed { address: failed } => assert_eq!(failed, address),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_option() {
    let taken = bind(local(), "--listen").unwrap();
    let error = bind(taken.local_addr().unwrap(), "--listen").unwrap_err();
    assert!(error.message.contains(&taken.local_addr().unwrap().to_string()), "{error}");
    assert!(error.hint.unwrap().contains("--listen"));
}
