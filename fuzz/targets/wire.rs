//! Bytes of peers.

use tally_primitives::encode;
use tally_wire::{Decoder, Message, MessageKind, encode_frame, frame};

const MAGIC: u32 = 0x7a11_1e57;

fn decoder(is_handshake_done: bool) -> Decoder {
    let mut decoder = Decoder::new(MAGIC);
    if is_handshake_done {
        decoder.push(&encode_frame(MAGIC, &Message::VersionAck));
        assert_eq!(decoder.next(), Ok(Some(Message::VersionAck)));
    }
    decoder
}

/// A stream in pieces, as a line may cut it. A decoder holds no more than it was given.
pub fn frames(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let mut decoder = decoder(first & 1 == 1);
    let pieces = usize::from(first >> 1) + 1;
    let mut given = 64;
    for piece in rest.chunks(pieces) {
        decoder.push(piece);
        given += piece.len();
        loop {
            match decoder.next() {
                Ok(Some(message)) => assert!(message.payload_size() <= message.kind().max_payload()),
                Ok(None) => break,
                Err(error) if error.is_fatal() => return,
                Err(_) => {}
            }
        }
        assert!(decoder.memory() <= 2 * given);
    }
}

/// A payload with the right frame around it: what decodes has one encoding.
pub fn messages(data: &[u8]) {
    let Ok(length) = u32::try_from(data.len()) else { return };
    let mut framed = MAGIC.to_le_bytes().to_vec();
    framed.extend(length.to_le_bytes());
    framed.extend(frame::checksum(data));
    framed.extend(data);
    let mut decoder = decoder(true);
    decoder.push(&framed);
    if let Ok(Some(message)) = decoder.next() {
        assert_eq!(encode::encode(&message), data, "{}", message.kind());
        assert_eq!(encode_frame(MAGIC, &message), framed);
        assert_eq!(message.payload_size(), data.len());
    }
}

/// The body of a compact block.
pub fn compact(data: &[u8]) {
    let kind = MessageKind::CompactBlock;
    messages(&[&kind.index().to_le_bytes()[..], data].concat());
}
