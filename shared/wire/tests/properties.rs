//! What holds for every message and for every string of bytes.

mod common;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use tally_primitives::encode;
use tally_wire::limits::MAX_PAYLOAD_BYTES;
use tally_wire::{Decoder, FrameError, Message, MessageKind, encode_frame, frame};

const MAGIC: u32 = 0x7a11_1e57;

/// A decoder whose handshake is behind it, as far as limits go.
fn decoder() -> Decoder {
    let mut decoder = Decoder::new(MAGIC);
    decoder.push(&encode_frame(MAGIC, &Message::VersionAck));
    assert_eq!(decoder.next(), Ok(Some(Message::VersionAck)));
    decoder
}

/// A frame around any payload, with the right length and checksum.
fn frame_of(payload: &[u8]) -> Vec<u8> {
    let mut frame = MAGIC.to_le_bytes().to_vec();
    frame.extend_from_slice(&u32::try_from(payload.len()).expect("payloads of tests are short").to_le_bytes());
    frame.extend_from_slice(&frame::checksum(payload));
    frame.extend_from_slice(payload);
    frame
}

/// Runs the decoder dry; returns what came and the error that ended it.
fn drain(decoder: &mut Decoder) -> (Vec<Message>, Option<FrameError>) {
    let mut messages = Vec::new();
    loop {
        match decoder.next() {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => return (messages, None),
            Err(error) if error.is_fatal() => return (messages, Some(error)),
            Err(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_survives_the_round_trip(message in common::message()) {
        let frame = encode_frame(MAGIC, &message);
        prop_assert_eq!(frame.len(), frame::HEADER_BYTES + message.payload_size());
        prop_assert_eq!(frame[12], u8::try_from(message.kind().index()).unwrap());
        let mut decoder = decoder();
        decoder.push(&frame);
        prop_assert_eq!(decoder.next(), Ok(Some(message)));
        prop_assert_eq!(decoder.next(), Ok(None));
    }

    #[test]
    fn a_value_has_one_encoding(message in common::message()) {
        let bytes = encode::encode(&message);
        let again: Message = encode::decode(&bytes, bytes.len()).unwrap();
        prop_assert_eq!(encode::encode(&again), bytes);
    }

    #[test]
    fn the_size_of_the_chunks_does_not_matter(
        messages in vec(common::message(), 1..6),
        chunks in vec(1..200_usize, 1..50),
    ) {
        let stream: Vec<u8> = messages.iter().flat_map(|message| encode_frame(MAGIC, message)).collect();
        let mut decoder = decoder();
        let mut received = Vec::new();
        let mut sizes = chunks.iter().cycle();
        let mut rest = stream.as_slice();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            decoder.push(chunk);
            let (messages, error) = drain(&mut decoder);
            prop_assert_eq!(error, None);
            received.extend(messages);
            rest = after;
        }
        prop_assert_eq!(received, messages);
    }

    #[test]
    fn arbitrary_bytes_neither_panic_nor_pile_up(chunks in vec(vec(any::<u8>(), 0..300), 1..10)) {
        let mut decoder = decoder();
        for chunk in &chunks {
            decoder.push(chunk);
            drain(&mut decoder);
        }
        prop_assert!(decoder.memory() <= 2 * 3_000);
    }

    #[test]
    fn arbitrary_payloads_of_any_kind_never_panic(index in 0..24_u32, body in vec(any::<u8>(), 0..2_000)) {
        let payload = [&index.to_le_bytes()[..], &body].concat();
        let mut decoder = decoder();
        decoder.push(&frame_of(&payload));
        match decoder.next() {
            Ok(Some(message)) => prop_assert_eq!(encode::encode(&message), payload),
            Ok(None) => prop_assert!(false, "a whole frame was there"),
            Err(error) => prop_assert_eq!(error.is_fatal(), MessageKind::from_index(index).is_some()),
        }
    }

    #[test]
    fn a_flipped_bit_never_goes_unnoticed(message in common::message(), at in any::<proptest::sample::Index>(), bit in 0..8_u8) {
        let mut frame = encode_frame(MAGIC, &message);
        let at = at.index(frame.len());
        frame[at] ^= 1 << bit;
        let mut decoder = decoder();
        decoder.push(&frame);
        let (received, _) = drain(&mut decoder);
        prop_assert!(received.is_empty());
    }

    #[test]
    fn an_announced_length_costs_nothing(length in any::<u32>(), index in 0..24_u32) {
        let mut decoder = decoder();
        let mut start = MAGIC.to_le_bytes().to_vec();
        start.extend_from_slice(&length.to_le_bytes());
        start.extend_from_slice(&[0; 4]);
        start.extend_from_slice(&index.to_le_bytes());
        decoder.push(&start);
        let result = decoder.next();
        prop_assert!(decoder.memory() <= 256);
        if length as usize > MAX_PAYLOAD_BYTES {
            prop_assert_eq!(result, Err(FrameError::TooLong { length: length as usize, max: MAX_PAYLOAD_BYTES }));
        }
    }
}
