//! The `aarch64` kernel: the SHA-256 instructions of ARMv8, an instruction for half of four rounds, and two for four schedule
//! words.
//!
//! Each waits for the one before it, so four hashes are under way: four versions with the same schedule, or four nonces.

use crate::candidates;
use crate::kernel::Kernel;
use crate::prepared::{Hit, Prepared};
use crate::sha256::{INITIAL, K, small_sigma_0, small_sigma_1};
use crate::start::{DIGEST_BITS, FixedWords, HEADER_BITS, ONE_BIT, Start};
use std::arch::aarch64::{
    uint32x4_t, vaddq_u32, vdupq_n_u32, vgetq_lane_u32, vld1q_u32, vsha256h2q_u32, vsha256hq_u32, vsha256su0q_u32,
    vsha256su1q_u32,
};
use std::ops::RangeInclusive;

/// The kernel `aarch64`.
pub struct Aarch64;

impl Kernel for Aarch64 {
    fn name(&self) -> &'static str {
        "aarch64"
    }

    fn description(&self) -> &'static str {
        "the processor's SHA-256 instructions, four hashes under way, versions sharing a schedule"
    }

    fn is_available(&self) -> bool {
        std::arch::is_aarch64_feature_detected!("neon") && std::arch::is_aarch64_feature_detected!("sha2")
    }

    fn versions(&self) -> usize {
        8
    }

    fn scan(&self, prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>) {
        assert!(self.is_available(), "this processor lacks the instructions of the kernel aarch64");
        // SAFETY: the processor has every feature that `scan` is compiled for; that was just asked.
        unsafe { scan(prepared, nonces, hits) }
    }
}

/// Four words, the first in the lowest place.
type Quad = uint32x4_t;

/// Hashes under way.
const STREAMS: usize = 4;

/// (a, b, c, d) and (e, f, g, h).
type State = [Quad; 2];

/// The schedule words of the header's second block with their constants, by fours; the first four are not used.
type Schedule = [Quad; 16];

#[inline]
#[target_feature(enable = "neon,sha2")]
fn quad(words: [u32; 4]) -> Quad {
    // SAFETY: reads the four words behind the pointer, which are those of the array.
    unsafe { vld1q_u32(words.as_ptr()) }
}

/// The round constants of four rounds.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn constants(group: usize) -> Quad {
    quad([K[4 * group], K[4 * group + 1], K[4 * group + 2], K[4 * group + 3]])
}

#[inline]
#[target_feature(enable = "neon,sha2")]
fn state(words: &[u32; 8]) -> State {
    let [a, b, c, d, e, f, g, h] = *words;
    [quad([a, b, c, d]), quad([e, f, g, h])]
}

/// The next four schedule words after these sixteen.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn next_words(w: [Quad; 4]) -> Quad {
    vsha256su1q_u32(vsha256su0q_u32(w[0], w[1]), w[2], w[3])
}

/// Four rounds.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn four_rounds([low, high]: State, words: Quad) -> State {
    [vsha256hq_u32(low, high, words), vsha256h2q_u32(high, low, words)]
}

/// The schedule for a nonce, given as a word of the block.
#[target_feature(enable = "neon,sha2")]
fn schedule(nonce: u32, fixed: &FixedWords, schedule: &mut Schedule) {
    let word_18 = small_sigma_0(nonce).wrapping_add(fixed.word_18);
    let word_19 = nonce.wrapping_add(fixed.word_19);
    let word_20 = small_sigma_1(word_18).wrapping_add(ONE_BIT);
    let word_21 = small_sigma_1(word_19);
    let word_22 = small_sigma_1(word_20).wrapping_add(HEADER_BITS);
    let word_23 = small_sigma_1(word_21).wrapping_add(fixed.word_16);
    let mut w = [
        vdupq_n_u32(0),
        quad([0, 0, 0, HEADER_BITS]),
        quad([fixed.word_16, fixed.word_17, word_18, word_19]),
        quad([word_20, word_21, word_22, word_23]),
    ];
    schedule[1] = vaddq_u32(quad([ONE_BIT, 0, 0, 0]), constants(1));
    schedule[2] = constants(2);
    schedule[3] = vaddq_u32(w[1], constants(3));
    schedule[4] = vaddq_u32(w[2], constants(4));
    schedule[5] = vaddq_u32(w[3], constants(5));
    unroll!(GROUP in [6, 7, 8, 9, 10, 11, 12, 13, 14, 15] {
        w = [w[1], w[2], w[3], next_words(w)];
        schedule[GROUP] = vaddq_u32(w[3], constants(GROUP));
    });
}

/// The headers' digests. With `SHARED` all streams have the first schedule.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn first_hash<const SHARED: bool>(
    starts: &[&(State, State); STREAMS],
    nonces: &[u32; STREAMS],
    schedules: &[Schedule; STREAMS],
) -> [State; STREAMS] {
    let mut states = starts.map(|start| start.1);
    for (state, nonce) in states.iter_mut().zip(nonces) {
        let nonce = quad([*nonce, 0, 0, 0]);
        *state = [vaddq_u32(state[0], nonce), vaddq_u32(state[1], nonce)];
    }
    unroll!(GROUP in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] {
        for (stream, state) in states.iter_mut().enumerate() {
            *state = four_rounds(*state, schedules[if SHARED { 0 } else { stream }][GROUP]);
        }
    });
    for (state, start) in states.iter_mut().zip(starts) {
        let [low, high] = start.0;
        *state = [vaddq_u32(state[0], low), vaddq_u32(state[1], high)];
    }
    states
}

/// The most significant word of the digests' hashes, its bytes reversed.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn top_words(digests: [State; STREAMS]) -> [u32; STREAMS] {
    let mut states = [state(&INITIAL); STREAMS];
    let mut w = digests.map(|[low, high]| [low, high, quad([ONE_BIT, 0, 0, 0]), quad([0, 0, 0, DIGEST_BITS])]);
    unroll!(GROUP in [0, 1, 2, 3] {
        for (state, w) in states.iter_mut().zip(&w) {
            *state = four_rounds(*state, vaddq_u32(w[GROUP], constants(GROUP)));
        }
    });
    unroll!(GROUP in [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] {
        for (state, w) in states.iter_mut().zip(&mut w) {
            *w = [w[1], w[2], w[3], next_words(*w)];
            *state = four_rounds(*state, vaddq_u32(w[3], constants(GROUP)));
        }
    });
    states.map(|[_, high]| vgetq_lane_u32::<3>(high).wrapping_add(INITIAL[7]))
}

#[target_feature(enable = "neon,sha2")]
fn scan(prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>) {
    let fixed = FixedWords::new(prepared);
    let starts: Vec<(State, State)> =
        Start::all(prepared).iter().map(|start| (state(&start.midstate), state(&start.state))).collect();
    let Some(last) = starts.last() else { return };
    let zeros = candidates::zero_bits(prepared.target_top);
    let mut schedules = [[vdupq_n_u32(0); 16]; STREAMS];
    if let [single] = &*starts {
        for block in candidates::blocks(nonces, STREAMS) {
            let words = [0, 1, 2, 3].map(|stream| block.nonce(stream).swap_bytes());
            for (word, room) in words.iter().zip(&mut schedules) {
                schedule(*word, &fixed, room);
            }
            let tops = top_words(first_hash::<false>(&[single; STREAMS], &words, &schedules));
            for (stream, top) in tops.iter().enumerate() {
                if top & zeros == 0 {
                    block.confirm(prepared, 0, stream, 1, hits);
                }
            }
        }
        return;
    }
    for block in candidates::blocks(nonces, 1) {
        let word = block.nonce(0).swap_bytes();
        schedule(word, &fixed, &mut schedules[0]);
        for (group, together) in starts.chunks(STREAMS).enumerate() {
            let full = [0, 1, 2, 3].map(|stream| together.get(stream).unwrap_or(last));
            let tops = top_words(first_hash::<true>(&full, &[word; STREAMS], &schedules));
            for (stream, top) in tops.iter().enumerate().take(together.len()) {
                if top & zeros == 0 {
                    block.confirm(prepared, group * STREAMS + stream, 0, 1, hits);
                }
            }
        }
    }
}
