//! The `sha-ni` kernel: the SHA extensions of x86, an instruction for two rounds, and two for four schedule words.
//!
//! Two rounds take four cycles until the next two can begin, but other hashes may begin meanwhile: so four are under way.
//! They are four versions with the same schedule, or four nonces.

use crate::candidates;
use crate::kernel::Kernel;
use crate::prepared::{Hit, Prepared};
use crate::sha256::{INITIAL, K, small_sigma_0, small_sigma_1};
use crate::start::{DIGEST_BITS, FixedWords, HEADER_BITS, ONE_BIT, Start};
use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_cvtsi128_si32, _mm_set_epi32, _mm_setzero_si128,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi32,
};
use std::ops::RangeInclusive;

/// The kernel `sha-ni`.
pub struct ShaNi;

impl Kernel for ShaNi {
    fn name(&self) -> &'static str {
        "sha-ni"
    }

    fn description(&self) -> &'static str {
        "the processor's SHA-256 instructions, four hashes under way, versions sharing a schedule"
    }

    fn is_available(&self) -> bool {
        is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("ssse3")
    }

    fn versions(&self) -> usize {
        16
    }

    fn scan(&self, prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>) {
        assert!(self.is_available(), "this processor lacks the instructions of the kernel sha-ni");
        // SAFETY: the processor has every feature that `scan` is compiled for; that was just asked.
        unsafe { scan(prepared, nonces, hits) }
    }
}

/// Four words, the first in the lowest place.
type Quad = __m128i;

/// Hashes under way.
const STREAMS: usize = 4;

/// The state as the instructions have it: (f, e, b, a) and (h, g, d, c), from the lowest place up.
type State = [Quad; 2];

/// The schedule words of the header's second block with their constants, by fours; the first four are not used.
type Schedule = [Quad; 16];

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[expect(clippy::cast_possible_wrap, reason = "the same 32 bits")]
fn quad(words: [u32; 4]) -> Quad {
    _mm_set_epi32(words[3] as i32, words[2] as i32, words[1] as i32, words[0] as i32)
}

/// The round constants of four rounds.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn constants(group: usize) -> Quad {
    quad([K[4 * group], K[4 * group + 1], K[4 * group + 2], K[4 * group + 3]])
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn state(words: &[u32; 8]) -> State {
    let [a, b, c, d, e, f, g, h] = *words;
    [quad([f, e, b, a]), quad([h, g, d, c])]
}

/// The next four schedule words after these sixteen.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn next_words(w: [Quad; 4]) -> Quad {
    let early = _mm_add_epi32(_mm_sha256msg1_epu32(w[0], w[1]), _mm_alignr_epi8::<4>(w[3], w[2]));
    _mm_sha256msg2_epu32(early, w[3])
}

/// Two rounds with the lower two words of `$words`, two with the upper two, in every stream.
macro_rules! four_rounds {
    ($states:ident, $stream:ident => $words:expr) => {
        let mut $stream = 0;
        while $stream < $states.len() {
            let [abef, cdgh] = $states[$stream];
            $states[$stream][1] = _mm_sha256rnds2_epu32(cdgh, abef, $words);
            $stream += 1;
        }
        let mut $stream = 0;
        while $stream < $states.len() {
            // What was (h, g, d, c) is now two rounds on, and (f, e, b, a) has become (h, g, d, c).
            let [older, newer] = $states[$stream];
            $states[$stream][0] = _mm_sha256rnds2_epu32(older, newer, _mm_shuffle_epi32::<0x0e>($words));
            $stream += 1;
        }
    };
}

/// The schedule for a nonce, given as a word of the block.
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn schedule(nonce: u32, fixed: &FixedWords, schedule: &mut Schedule) {
    let word_18 = small_sigma_0(nonce).wrapping_add(fixed.word_18);
    let word_19 = nonce.wrapping_add(fixed.word_19);
    let word_20 = small_sigma_1(word_18).wrapping_add(ONE_BIT);
    let word_21 = small_sigma_1(word_19);
    let word_22 = small_sigma_1(word_20).wrapping_add(HEADER_BITS);
    let word_23 = small_sigma_1(word_21).wrapping_add(fixed.word_16);
    let mut w = [
        quad([0; 4]),
        quad([0, 0, 0, HEADER_BITS]),
        quad([fixed.word_16, fixed.word_17, word_18, word_19]),
        quad([word_20, word_21, word_22, word_23]),
    ];
    schedule[1] = _mm_add_epi32(quad([ONE_BIT, 0, 0, 0]), constants(1));
    schedule[2] = constants(2);
    schedule[3] = _mm_add_epi32(w[1], constants(3));
    schedule[4] = _mm_add_epi32(w[2], constants(4));
    schedule[5] = _mm_add_epi32(w[3], constants(5));
    unroll!(GROUP in [6, 7, 8, 9, 10, 11, 12, 13, 14, 15] {
        w = [w[1], w[2], w[3], next_words(w)];
        schedule[GROUP] = _mm_add_epi32(w[3], constants(GROUP));
    });
}

/// The headers' digests. With `SHARED` all streams have the first schedule.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn first_hash<const SHARED: bool>(
    starts: &[&(State, State); STREAMS],
    nonces: &[u32; STREAMS],
    schedules: &[Schedule; STREAMS],
) -> [State; STREAMS] {
    let mut states = starts.map(|start| start.1);
    for (state, nonce) in states.iter_mut().zip(nonces) {
        state[0] = _mm_add_epi32(state[0], quad([0, *nonce, 0, *nonce]));
    }
    unroll!(GROUP in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] {
        four_rounds!(states, stream => schedules[if SHARED { 0 } else { stream }][GROUP]);
    });
    for (state, start) in states.iter_mut().zip(starts) {
        let [low, high] = start.0;
        *state = [_mm_add_epi32(state[0], low), _mm_add_epi32(state[1], high)];
    }
    states
}

/// The most significant word of the digests' hashes, its bytes reversed.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn top_words<const N: usize>(digests: [State; N]) -> [u32; N] {
    let mut states = [state(&INITIAL); N];
    let mut w = [[_mm_setzero_si128(); 4]; N];
    for (w, [abef, cdgh]) in w.iter_mut().zip(digests) {
        // (f, e, b, a) and (h, g, d, c) to (a, b, c, d) and (e, f, g, h).
        let (abef, cdgh) = (_mm_shuffle_epi32::<0x1b>(abef), _mm_shuffle_epi32::<0xb1>(cdgh));
        w[0] = _mm_blend_epi16::<0xf0>(abef, cdgh);
        w[1] = _mm_alignr_epi8::<8>(cdgh, abef);
        w[2] = quad([ONE_BIT, 0, 0, 0]);
        w[3] = quad([0, 0, 0, DIGEST_BITS]);
    }
    unroll!(GROUP in [0, 1, 2, 3] {
        four_rounds!(states, stream => _mm_add_epi32(w[stream][GROUP], constants(GROUP)));
    });
    unroll!(GROUP in [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14] {
        for words in &mut w {
            *words = [words[1], words[2], words[3], next_words(*words)];
        }
        four_rounds!(states, stream => _mm_add_epi32(w[stream][3], constants(GROUP)));
    });
    let mut tops = [0; N];
    for stream in 0..N {
        let words = w[stream];
        let last = _mm_add_epi32(next_words(words), constants(15));
        let [abef, cdgh] = states[stream];
        // After round 61 the lowest place has what was `e` after round 60: the hash's last word.
        let newest = _mm_sha256rnds2_epu32(cdgh, abef, last);
        tops[stream] = _mm_cvtsi128_si32(newest).cast_unsigned().wrapping_add(INITIAL[7]);
    }
    tops
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn hash_all<const SHARED: bool>(
    starts: &[&(State, State); STREAMS],
    nonces: &[u32; STREAMS],
    schedules: &[Schedule; STREAMS],
) -> [u32; STREAMS] {
    let [a, b, c, d] = first_hash::<SHARED>(starts, nonces, schedules);
    // The sixteen registers hold the schedules of two.
    let ([a, b], [c, d]) = (top_words([a, b]), top_words([c, d]));
    [a, b, c, d]
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
fn scan(prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>) {
    let fixed = FixedWords::new(prepared);
    let starts: Vec<(State, State)> =
        Start::all(prepared).iter().map(|start| (state(&start.midstate), state(&start.state))).collect();
    let Some(last) = starts.last() else { return };
    let zeros = candidates::zero_bits(prepared.target_top);
    let mut schedules = [[_mm_setzero_si128(); 16]; STREAMS];
    if let [single] = &*starts {
        for block in candidates::blocks(nonces, STREAMS) {
            let words = [0, 1, 2, 3].map(|stream| block.nonce(stream).swap_bytes());
            for (word, room) in words.iter().zip(&mut schedules) {
                schedule(*word, &fixed, room);
            }
            let tops = hash_all::<false>(&[single; STREAMS], &words, &schedules);
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
            let tops = hash_all::<true>(&full, &[word; STREAMS], &schedules);
            for (stream, top) in tops.iter().enumerate().take(together.len()) {
                if top & zeros == 0 {
                    block.confirm(prepared, group * STREAMS + stream, 0, 1, hits);
                }
            }
        }
    }
}
