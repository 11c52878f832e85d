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

use super::{
    Link, NodeKey, PeerEvent, Priority, QUEUE_BYTES, SendError, Transport, TransportConfig, bind, dial, listen,
};

const MAGIC: u32 = 0x1234_5678;
const LIMIT: Duration = Duration::from_secs(30);

fn local() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn transport(key: Option<NodeKey>) -> (Transport, mpsc::Receiver<PeerEvent>) {
    let (sender, inbox) = mpsc::channel(16);
    let config = TransportConfig { magic: MAGIC, default_port: 9_740, max_inbound: 16, key };
    (Transport::new(config, sender), inbox)
}

/// A listening transport with this key, its address and its inbox.
fn listening_as(key: Option<NodeKey>) -> (SocketAddr, mpsc::Receiver<PeerEvent>) {
    let (transport, inbox) = transport(key);
    let listener = bind(local(), "--listen").unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listen(transport, listener));
    (address, inbox)
}

/// A listening transport without encryption.
fn listening() -> (SocketAddr, mpsc::Receiver<PeerEvent>) {
    listening_as(None)
}

fn key() -> NodeKey {
    NodeKey::generate().unwrap()
}

/// Sends with the priority that the driver gives.
fn send(link: &dyn Link, message: Message) -> Result<(), SendError> {
    let priority = Priority::of(&message);
    link.send(message, priority)
}

async fn next(inbox: &mut mpsc::Receiver<PeerEvent>) -> PeerEvent {
    timeout(LIMIT, inbox.recv()).await.expect("nothing happened").expect("the transport is gone")
}

async fn connected(inbox: &mut mpsc::Receiver<PeerEvent>) -> (Box<dyn Link>, Direction) {
    match next(inbox).await {
        PeerEvent::Connected { link, direction, .. } => (link, direction),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn messages_cross_in_order_and_the_end_is_told() {
    for encrypted in [true, false] {
        let key_of = |wanted: bool| wanted.then(key);
        let (our_key, their_key) = (key_of(encrypted), key_of(encrypted));
        let (address, mut inbox) = listening_as(their_key.clone());
        let (caller, mut our_inbox) = transport(our_key.clone());
        tokio::spawn(dial(caller, address));
        let (ours, direction) = connected(&mut our_inbox).await;
        assert_eq!(direction, Direction::Outbound);
        let (theirs, direction) = connected(&mut inbox).await;
        assert_eq!(direction, Direction::Inbound);
        for nonce in 0..100 {
            send(&*ours, Message::Ping { nonce }).unwrap();
        }
        for nonce in 0..100 {
            match next(&mut inbox).await {
                PeerEvent::Message { message, .. } => assert_eq!(message, Message::Ping { nonce }),
                other => panic!("{other:?}"),
            }
        }
        let id = |link: &dyn Link| link.traffic().identity.get().copied();
        assert_eq!(id(&*ours), their_key.map(|key| key.id()));
        assert_eq!(id(&*theirs), our_key.map(|key| key.id()));
        assert_eq!(ours.round_trip().is_some(), encrypted);
        // What was sent before the connection is closed still arrives.
        send(&*theirs, Message::Pong { nonce: 7 }).unwrap();
        theirs.close("the test is over");
        assert!(matches!(next(&mut our_inbox).await, PeerEvent::Message { message: Message::Pong { nonce: 7 }, .. }));
        assert!(matches!(next(&mut our_inbox).await, PeerEvent::Gone { .. }));
        assert!(ours.traffic().sent.load(std::sync::atomic::Ordering::Relaxed) > 100 * 12);
    }
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
        PeerEvent::Message { room: [mine, _], .. } => mine.num_permits(),
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
        match send(&*handle, big.clone()) {
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
    send(&*handle, block).unwrap();
    let mut bytes = vec![0; frame.len()];
    reader.read_exact(&mut bytes).await.unwrap();
    assert_eq!(bytes, frame);
    assert!(matches!(next(&mut inbox).await, PeerEvent::Drained { .. }));
    assert_eq!(handle.backlog().bytes, 0);
}

#[tokio::test]
async fn a_call_to_nobody_fails() {
    let free = TcpListener::bind(local()).await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let (caller, mut inbox) = transport(None);
    tokio::spawn(dial(caller, address));
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

/// Waits for the end of a connection, and gives the reasons that were told on the way.
async fn end(inbox: &mut mpsc::Receiver<PeerEvent>) -> String {
    loop {
        match next(inbox).await {
            PeerEvent::Gone { reason, .. } => return reason,
            PeerEvent::BadFrame { .. } | PeerEvent::Message { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn nodes_with_and_without_encryption_learn_why_they_cannot_talk() {
    for encrypting_caller in [true, false] {
        let (address, mut inbox) = listening_as((!encrypting_caller).then(key));
        let (caller, mut our_inbox) = transport(encrypting_caller.then(key));
        tokio::spawn(dial(caller, address));
        let (ours, _) = connected(&mut our_inbox).await;
        let (theirs, _) = connected(&mut inbox).await;
        // A caller speaks at once; whoever is called by a stranger says which network this is.
        let block = Params::mainnet().genesis();
        let _ = send(&*ours, Message::Ping { nonce: 1 });
        let _ = send(&*theirs, Message::Headers(vec![block.header]));
        let (our_end, their_end) = (end(&mut our_inbox).await, end(&mut inbox).await);
        let (encrypting, plain) = if encrypting_caller { (our_end, their_end) } else { (their_end, our_end) };
        assert!(encrypting.contains("--plaintext-peers"), "{encrypting}");
        assert!(plain.contains("a frame starts with 0x4c4c4154"), "{plain}");
    }
}

#[tokio::test]
async fn an_address_that_names_somebody_is_good_for_nobody_else() {
    let right = key();
    let (address, mut inbox) = listening_as(Some(right.clone()));
    let (caller, mut our_inbox) = transport(Some(key()));
    caller.set_pin(address, Some(key().id()));
    tokio::spawn(dial(caller.clone(), address));
    let (_ours, _) = connected(&mut our_inbox).await;
    let (_theirs, _) = connected(&mut inbox).await;
    let reason = end(&mut our_inbox).await;
    assert!(reason.contains(&right.id().to_string()), "{reason}");
    end(&mut inbox).await;

    caller.set_pin(address, Some(right.id()));
    tokio::spawn(dial(caller, address));
    let (ours, _) = connected(&mut our_inbox).await;
    let (_theirs, _) = connected(&mut inbox).await;
    send(&*ours, Message::Ping { nonce: 1 }).unwrap();
    assert!(matches!(next(&mut inbox).await, PeerEvent::Message { .. }));
}

#[tokio::test]
async fn large_messages_cross_encrypted_and_urgent_ones_overtake_them() {
    let (address, mut inbox) = listening_as(Some(key()));
    let (caller, mut our_inbox) = transport(Some(key()));
    tokio::spawn(dial(caller, address));
    let (ours, _) = connected(&mut our_inbox).await;
    let (theirs, _) = connected(&mut inbox).await;
    // Both have shaken hands, so that long frames are allowed.
    send(&*ours, Message::VersionAck).unwrap();
    send(&*theirs, Message::VersionAck).unwrap();
    assert!(matches!(next(&mut inbox).await, PeerEvent::Message { .. }));
    assert!(matches!(next(&mut our_inbox).await, PeerEvent::Message { .. }));
    let mut big = Params::mainnet().genesis();
    big.transactions[0].memo = vec![7; 900_000];
    let big = Message::Block(std::sync::Arc::new(big));
    for _ in 0..10 {
        send(&*ours, big.clone()).unwrap();
    }
    send(&*ours, Message::Ping { nonce: 5 }).unwrap();
    let mut order = Vec::new();
    while order.len() < 11 {
        if let PeerEvent::Message { message, .. } = next(&mut inbox).await {
            assert!(message == big || message == Message::Ping { nonce: 5 });
            order.push(message == big);
        }
    }
    let ping_at = order.iter().position(|is_block| !is_block).unwrap();
    assert!(ping_at < 10, "the ping came last");
}
