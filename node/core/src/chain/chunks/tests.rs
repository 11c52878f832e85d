use super::{Chunks, PIECE};

#[test]
fn everything_stays_where_it_was_put() {
    let mut chunks = Chunks::of(0);
    for number in 1..3 * PIECE + 1 {
        assert_eq!(chunks.len(), number);
        chunks.push(number);
    }
    chunks[PIECE] += 1_000;
    for place in 0..chunks.len() {
        assert_eq!(chunks[place], if place == PIECE { PIECE + 1_000 } else { place });
    }
}

#[test]
fn a_piece_never_moves_and_has_no_more_room_than_it_needs() {
    let mut chunks = Chunks::of(0);
    let first: *const usize = &raw const chunks[0];
    for number in 1..10 * PIECE {
        chunks.push(number);
    }
    assert_eq!(first, &raw const chunks[0]);
    assert!(chunks.pieces.iter().all(|piece| piece.capacity() == PIECE));
}
