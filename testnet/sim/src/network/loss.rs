//! Lost packets. Peers talk over TCP, which sends them again: so a loss is a delay, never a gap. For the same reason nothing arrives twice or out of
//! order on one connection; between connections everything may.

use tally_node_core::random::Random;

use crate::network::bandwidth::SEGMENT_BYTES;

/// Segments behind a lost one that make the receiver's repeated acknowledgements enough for a fast retransmission (RFC 5681).
const FAST_RETRANSMIT_SEGMENTS: usize = 4;

/// The least time a sender waits for an acknowledgement before it sends again, in microseconds (Linux; RFC 6298 has a second).
const MIN_TIMEOUT_MICROS: u64 = 200_000;

/// Times that the same packet is lost at most: then the connection would be given up.
const MAX_LOSSES: u32 = 6;

/// One million.
const MILLION: u64 = 1_000_000;

/// What losses add to the journey of a message, in microseconds. `loss` counts lost packets out of a million.
pub(crate) fn delay_micros(bytes: usize, one_way_micros: u64, loss: u64, random: &mut Random) -> u64 {
    let segments = bytes.div_ceil(SEGMENT_BYTES).max(1);
    if loss == 0 || !random.chance(any_of(segments, loss), MILLION) {
        return 0;
    }
    let round_trip = 2 * one_way_micros;
    let mut timeout = MIN_TIMEOUT_MICROS.max(2 * round_trip);
    // In a long message the gap is noticed within a round trip, at the end of one only by a time-out.
    let mut delay = if segments >= FAST_RETRANSMIT_SEGMENTS { round_trip } else { timeout };
    for _ in 1..MAX_LOSSES {
        if !random.chance(loss, MILLION) {
            break;
        }
        timeout *= 2;
        delay += timeout;
    }
    delay
}

/// How likely it is that one of so many packets is lost, out of a million.
fn any_of(segments: usize, loss: u64) -> u64 {
    let kept = MILLION - loss.min(MILLION);
    let mut all_kept = MILLION;
    let (mut square, mut left) = (kept, segments);
    // kept ^ segments by repeated squaring, in whole millionths: the same on every machine.
    while left > 0 {
        if left % 2 == 1 {
            all_kept = all_kept * square / MILLION;
        }
        square = square * square / MILLION;
        left /= 2;
    }
    MILLION - all_kept
}
