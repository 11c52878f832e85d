//! Frames byte by byte, and every way in which a frame can be wrong.

use std::sync::Arc;

use tally_primitives::block::{Block, Header, MAX_BLOCK_SIZE};
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, Wtxid};
use tally_primitives::pow::{CompactTarget, Work};
use tally_primitives::transaction::{Output, Transaction};
use tally_primitives::units::{Amount, FeeRate, Height, Timestamp};
use tally_wire::limits::{
    MAX_ADDRESSES, MAX_BLOCK_TRANSACTIONS, MAX_GET_DATA_ITEMS, MAX_HANDSHAKE_PAYLOAD_BYTES, MAX_HEADERS,
    MAX_INVENTORY_ITEMS, MAX_LOCATOR_HASHES, MAX_PAYLOAD_BYTES, MAX_PREFILLED_BYTES, MAX_USER_AGENT_BYTES,
};
use tally_wire::{
    AddressRecord, CompactBlock, Decoder, FrameError, InventoryItem, Message, MessageKind, Prefilled, Services,
    ShortId, Version, encode_frame, frame,
};

const MAGIC: u32 = 0x7a11_1e57;

fn frame_of(payload: &[u8]) -> Vec<u8> {
    let mut frame = MAGIC.to_le_bytes().to_vec();
    frame.extend_from_slice(&u32::try_from(payload.len()).expect("payloads of tests are short").to_le_bytes());
    frame.extend_from_slice(&frame::checksum(payload));
    frame.extend_from_slice(payload);
    frame
}

fn ready_decoder() -> Decoder {
    let mut decoder = Decoder::new(MAGIC);
    decoder.push(&encode_frame(MAGIC, &Message::VersionAck));
    assert_eq!(decoder.next(), Ok(Some(Message::VersionAck)));
    decoder
}

fn error_of(bytes: &[u8]) -> FrameError {
    let mut decoder = ready_decoder();
    decoder.push(bytes);
    decoder.next().expect_err("the frame is wrong")
}

fn header() -> Header {
    Header {
        version: 0x2000_0000,
        prev_block: BlockHash::from_bytes([1; 32]),
        merkle_root: MerkleRoot::from_bytes([2; 32]),
        time: 1_700_000_000,
        bits: CompactTarget::from_bits(0x207f_ffff),
        nonce: 7,
    }
}

fn version() -> Version {
    Version {
        protocol: 1,
        services: Services::FULL_CHAIN,
        genesis: BlockHash::from_bytes([3; 32]),
        time: Timestamp::from_millis(1_700_000_000_000),
        nonce: 42,
        user_agent: "tallystick:0.1.0".to_owned(),
        listen_port: 9740,
        height: Height::new(9),
        chain_work: Work::from_be_bytes([0; 32]),
    }
}

/// A coinbase whose encoding has exactly so many bytes.
fn coinbase_of(bytes: usize) -> Transaction {
    let output = Output { value: Amount::ONE_TALLY, lock: LockHash::from_bytes([9; 32]) };
    let empty = Transaction::coinbase(Height::new(1), &[], Vec::new());
    let room = bytes - empty.encoded_size();
    let mut coinbase = Transaction::coinbase(Height::new(1), &[], vec![output; room / 40]);
    coinbase.memo.resize(coinbase.memo.len() + room % 40, 0);
    assert_eq!(coinbase.encoded_size(), bytes);
    coinbase
}

/// One prefilled transaction that takes so many bytes with its place, and so many short ids.
fn compact_block(prefilled_bytes: usize, short_ids: usize) -> CompactBlock {
    let prefilled = Prefilled { index: 0, transaction: Arc::new(coinbase_of(prefilled_bytes - 2)) };
    CompactBlock { header: header(), nonce: 1, short_ids: vec![ShortId([7; 6]); short_ids], prefilled: vec![prefilled] }
}

#[test]
fn a_compact_block_is_these_bytes() {
    let frame = encode_frame(MAGIC, &Message::CompactBlock(Arc::new(compact_block(200, 2))));
    let payload = &frame[12..];
    assert_eq!(payload[..4], [14, 0, 0, 0], "the kind");
    assert_eq!(payload[4..84], header().to_bytes());
    assert_eq!(payload[84..92], [1, 0, 0, 0, 0, 0, 0, 0], "the nonce");
    assert_eq!(payload[92..112], [2, 0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7], "two short ids");
    assert_eq!(payload[112..122], [1, 0, 0, 0, 0, 0, 0, 0, 0, 0], "one prefilled transaction, at place 0");
    assert_eq!(payload.len(), 122 + 198);
}

#[test]
fn places_that_do_not_ascend_within_the_block_are_refused() {
    let mut beyond = compact_block(200, 2);
    beyond.prefilled[0].index = 3;
    let mut twice = compact_block(200, 2);
    twice.prefilled.push(twice.prefilled[0].clone());
    let mut much = compact_block(MAX_PREFILLED_BYTES - 199, 100);
    much.prefilled.extend(compact_block(200, 0).prefilled);
    much.prefilled[1].index = 1;
    let ask = |indexes: &[u16]| Message::GetBlockTransactions { block: BlockHash::ZERO, indexes: indexes.to_vec() };
    let messages = [beyond, twice, much].map(|compact| Message::CompactBlock(Arc::new(compact)));
    for message in messages.into_iter().chain([ask(&[1, 1]), ask(&[2, 1]), ask(&[7_812])]) {
        let kind = message.kind();
        let error = error_of(&frame_of(&tally_primitives::encode::encode(&message)));
        assert_eq!(error, FrameError::BadPlaces { kind });
        assert!(error.is_violation());
    }
}

#[test]
fn more_transactions_than_a_block_can_have_are_refused() {
    let compact = compact_block(200, MAX_BLOCK_TRANSACTIONS);
    let empty = Arc::new(Transaction { version: 1, inputs: Vec::new(), outputs: Vec::new(), memo: Vec::new() });
    let transactions = vec![empty; MAX_BLOCK_TRANSACTIONS + 1];
    let answer = Message::BlockTransactions { block: BlockHash::ZERO, transactions };
    for message in [Message::CompactBlock(Arc::new(compact)), answer] {
        let (kind, max) = (message.kind(), MAX_BLOCK_TRANSACTIONS);
        let error = error_of(&frame_of(&tally_primitives::encode::encode(&message)));
        assert_eq!(error, FrameError::TooManyItems { kind, items: max + 1, max });
    }
}

#[test]
fn a_ping_is_these_bytes() {
    let frame = encode_frame(MAGIC, &Message::Ping { nonce: 0x0102_0304_0506_0708 });
    assert_eq!(frame[..4], [0x57, 0x1e, 0x11, 0x7a], "magic, little-endian");
    assert_eq!(frame[4..8], [12, 0, 0, 0], "payload length");
    assert_eq!(frame[8..12], frame::checksum(&frame[12..]), "checksum");
    assert_eq!(frame[12..16], [2, 0, 0, 0], "the third kind");
    assert_eq!(frame[16..], [8, 7, 6, 5, 4, 3, 2, 1], "the nonce");
}

#[test]
fn kinds_have_their_numbers() {
    for (index, kind) in (0..).zip(MessageKind::ALL) {
        assert_eq!(kind.index(), index);
        assert_eq!(MessageKind::from_index(index), Some(kind));
    }
    assert_eq!(MessageKind::from_index(18), None);
    let names: Vec<&str> = MessageKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names[..4], ["Version", "VersionAck", "Ping", "Pong"]);
    assert_eq!(names[11..15], ["Block", "Transaction", "SendCompact", "CompactBlock"]);
    assert_eq!(names[15..], ["GetBlockTransactions", "BlockTransactions", "FeeFilter"]);
}

#[test]
fn a_stream_split_at_every_byte_gives_the_same_messages() {
    let block = Block { header: header(), transactions: vec![Transaction::coinbase(Height::new(1), b"x", Vec::new())] };
    let messages = [
        Message::Version(Box::new(version())),
        Message::VersionAck,
        Message::Headers(vec![header(); 3].into()),
        Message::Inventory(vec![InventoryItem::Transaction(Wtxid::from_bytes([5; 32]))]),
        Message::Block(Arc::new(block)),
        Message::Pong { nonce: 1 },
    ];
    let stream: Vec<u8> = messages.iter().flat_map(|message| encode_frame(MAGIC, message)).collect();
    for split in 0..=stream.len() {
        let mut decoder = Decoder::new(MAGIC);
        let mut received = Vec::new();
        for part in [&stream[..split], &stream[split..]] {
            decoder.push(part);
            while let Some(message) = decoder.next().unwrap() {
                received.push(message);
            }
        }
        assert_eq!(received, messages, "split at {split}");
    }
}

#[test]
fn the_longest_message_of_each_kind_is_exactly_at_its_limit() {
    let record =
        AddressRecord { last_seen: 1, services: Services::NONE, address: "[2001:db8::1]:9740".parse().unwrap() };
    let item = InventoryItem::Block(BlockHash::from_bytes([1; 32]));
    let agent = "a".repeat(MAX_USER_AGENT_BYTES);
    let messages = [
        Message::Version(Box::new(Version { user_agent: agent, ..version() })),
        Message::VersionAck,
        Message::Ping { nonce: 1 },
        Message::Pong { nonce: 1 },
        Message::GetAddresses,
        Message::Addresses(vec![record; MAX_ADDRESSES]),
        Message::GetHeaders { locator: vec![BlockHash::ZERO; MAX_LOCATOR_HASHES], stop: BlockHash::ZERO },
        Message::Headers(vec![header(); MAX_HEADERS].into()),
        Message::Inventory(vec![item; MAX_INVENTORY_ITEMS]),
        Message::GetData(vec![item; MAX_GET_DATA_ITEMS]),
        Message::NotFound(vec![item; MAX_GET_DATA_ITEMS]),
        Message::SendCompact { high_bandwidth: true },
        Message::CompactBlock(Arc::new(compact_block(MAX_PREFILLED_BYTES, MAX_BLOCK_TRANSACTIONS - 1))),
        Message::GetBlockTransactions { block: BlockHash::ZERO, indexes: (0..).take(MAX_BLOCK_TRANSACTIONS).collect() },
        Message::BlockTransactions {
            block: BlockHash::ZERO,
            transactions: vec![Arc::new(coinbase_of(MAX_BLOCK_SIZE - Header::SIZE - 8))],
        },
        Message::FeeFilter { rate: FeeRate::from_notches_per_byte(1) },
    ];
    for message in messages {
        assert_eq!(message.payload_size(), message.kind().max_payload(), "{}", message.kind());
        let mut decoder = ready_decoder();
        decoder.push(&encode_frame(MAGIC, &message));
        assert_eq!(decoder.next(), Ok(Some(message)));
    }
}

#[test]
fn a_block_at_the_size_limit_passes_and_one_byte_more_does_not() {
    let output = Output { value: Amount::ONE_TALLY, lock: LockHash::from_bytes([9; 32]) };
    let mut coinbase = Transaction::coinbase(Height::new(1), &[], vec![output; 24_990]);
    let size = |coinbase: &Transaction| Block { header: header(), transactions: vec![coinbase.clone()] }.encoded_size();
    coinbase.memo.resize(coinbase.memo.len() + MAX_BLOCK_SIZE - size(&coinbase), 0);
    let exact = Message::Block(Arc::new(Block { header: header(), transactions: vec![coinbase.clone()] }));
    let mut decoder = ready_decoder();
    decoder.push(&encode_frame(MAGIC, &exact));
    assert_eq!(decoder.next(), Ok(Some(exact)));
    assert!(decoder.memory() <= 64 << 10, "the memory of a big frame is given back");

    let mut length = MAGIC.to_le_bytes().to_vec();
    length.extend_from_slice(&u32::try_from(MAX_BLOCK_SIZE + 5).unwrap().to_le_bytes());
    length.extend_from_slice(&[0; 4]);
    length.extend_from_slice(&MessageKind::Block.index().to_le_bytes());
    let (kind, max) = (MessageKind::Block, MAX_BLOCK_SIZE + 4);
    assert_eq!(error_of(&length), FrameError::KindTooLong { kind, length: MAX_BLOCK_SIZE + 5, max });
}

#[test]
fn another_magic_is_noticed_at_its_first_byte() {
    let mut decoder = Decoder::new(MAGIC);
    decoder.push(b"G");
    assert_eq!(decoder.next(), Err(FrameError::WrongMagic { expected: MAGIC, found: 0x47 }));
    decoder.push(&encode_frame(MAGIC, &Message::VersionAck));
    assert!(decoder.next().is_err(), "a lost stream stays lost");
    assert_eq!(decoder.memory(), 0);
}

#[test]
fn lengths_are_refused_before_the_body_arrives() {
    let start = |length: usize| [&MAGIC.to_le_bytes()[..], &u32::try_from(length).unwrap().to_le_bytes()].concat();
    let max = MAX_PAYLOAD_BYTES;
    assert_eq!(error_of(&start(max + 1)), FrameError::TooLong { length: max + 1, max });
    assert_eq!(error_of(&start(3)), FrameError::TooShort { length: 3 });

    let mut before_handshake = Decoder::new(MAGIC);
    before_handshake.push(&start(MAX_HANDSHAKE_PAYLOAD_BYTES + 1));
    let expected = FrameError::TooLong { length: MAX_HANDSHAKE_PAYLOAD_BYTES + 1, max: MAX_HANDSHAKE_PAYLOAD_BYTES };
    assert_eq!(before_handshake.next(), Err(expected));
}

#[test]
fn a_wrong_checksum_is_refused_but_proves_nothing() {
    let mut frame = encode_frame(MAGIC, &Message::Ping { nonce: 1 });
    frame[8] ^= 1;
    let error = error_of(&frame);
    assert_eq!(error, FrameError::WrongChecksum { kind: MessageKind::Ping });
    assert!(error.is_fatal() && !error.is_violation());
}

#[test]
fn payloads_that_do_not_decode_are_violations() {
    let ping_with_tail = [&2_u32.to_le_bytes()[..], &[0; 7]].concat();
    let endless_list = [&7_u32.to_le_bytes()[..], &u64::MAX.to_le_bytes()].concat();
    for payload in [ping_with_tail, endless_list] {
        let error = error_of(&frame_of(&payload));
        assert!(matches!(error, FrameError::Malformed { .. }), "{error}");
        assert!(error.is_violation());
    }
}

#[test]
fn more_items_than_allowed_are_refused_where_bytes_alone_do_not_show_it() {
    let record = AddressRecord { last_seen: 1, services: Services::NONE, address: "10.0.0.1:9740".parse().unwrap() };
    let message = Message::Addresses(vec![record; MAX_ADDRESSES + 1]);
    let payload = tally_primitives::encode::encode(&message);
    assert!(payload.len() <= MessageKind::Addresses.max_payload());
    let (kind, max) = (MessageKind::Addresses, MAX_ADDRESSES);
    assert_eq!(error_of(&frame_of(&payload)), FrameError::TooManyItems { kind, items: max + 1, max });
}

#[test]
fn a_user_agent_cannot_paint_the_terminal() {
    let message = Message::Version(Box::new(Version { user_agent: "\u{1b}[31mred".to_owned(), ..version() }));
    let mut decoder = Decoder::new(MAGIC);
    decoder.push(&encode_frame(MAGIC, &message));
    assert_eq!(decoder.next(), Err(FrameError::BadUserAgent));
}

#[test]
fn an_unknown_kind_is_reported_and_skipped_however_it_is_split() {
    let unknown = frame_of(&[&99_u32.to_le_bytes()[..], &[7; 500]].concat());
    let stream = [unknown, encode_frame(MAGIC, &Message::Pong { nonce: 5 })].concat();
    for split in 0..=stream.len() {
        let mut decoder = ready_decoder();
        let mut seen = Vec::new();
        for part in [&stream[..split], &stream[split..]] {
            decoder.push(part);
            loop {
                match decoder.next() {
                    Ok(None) => break,
                    other => seen.push(other),
                }
            }
        }
        let expected = [Err(FrameError::UnknownKind { index: 99, length: 504 }), Ok(Some(Message::Pong { nonce: 5 }))];
        assert_eq!(seen, expected, "split at {split}");
    }
}

/// 75,000 thresholds, one in the other, fit into a frame: decoding them must not exhaust the stack.
#[test]
fn a_policy_nested_without_end_is_an_error() {
    let mut payload = MessageKind::Transaction.index().to_le_bytes().to_vec();
    payload.extend_from_slice(&1_u32.to_le_bytes()); // version
    payload.extend_from_slice(&1_u64.to_le_bytes()); // one input
    payload.extend_from_slice(&[0; 36]); // outpoint
    while payload.len() < MAX_BLOCK_SIZE - 13 {
        payload.extend_from_slice(&1_u32.to_le_bytes()); // Threshold
        payload.push(1); // required
        payload.extend_from_slice(&1_u64.to_le_bytes()); // one child
    }
    let error = error_of(&frame_of(&payload));
    assert!(matches!(error, FrameError::Malformed { kind: MessageKind::Transaction, .. }), "{error}");
}
