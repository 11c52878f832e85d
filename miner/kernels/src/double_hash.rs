//! A header's double hash with every saving, over whatever a kernel's word is: one number, or a vector of them.
//!
//! The savings are a matter of SHA-256, not of an instruction set, so they are written once, as a macro; a kernel's file
//! brings the operations. (Generic functions would do for numbers. For vectors each function must carry the kernel's
//! `target_feature`, which a generic function cannot.)
//!
//! What is saved against three plain compressions a nonce (the header's two blocks, then the digest's):
//!
//! - the midstate: the first 64 bytes are compressed once a header;
//! - rounds 0 to 3 of the second block: the nonce is the fourth word, so it is only added to two of the eight words;
//! - schedule words 16 and 17, and the constant parts of 18 to 31: ten of the sixteen words are padding;
//! - the padding of the digest's block likewise;
//! - of the second hash the last three rounds, and half of the four before: the hash's top word is final after round 60;
//! - the second block's message schedule, when several versions of a header are tried: it is the same for all of them.
//!   With the round constants already added it is computed once, and read from memory once for each version.
//!
//! A kernel may keep several independent hashes (*streams*) under way, so that one fills the processor while the other
//! waits for its last result. Then all operations are on arrays of words, unrolled.

/// The sum of single words, from the left.
macro_rules! sum {
    ($first:expr $(, $more:expr)* $(,)?) => {{
        let total = $first;
        $( let total = add(total, $more); )*
        total
    }};
}

/// An array of one word for each stream.
macro_rules! each {
    ($stream:ident => $word:expr) => {{
        let mut words = [splat(0); STREAMS];
        let mut $stream = 0;
        while $stream < STREAMS {
            words[$stream] = $word;
            $stream += 1;
        }
        words
    }};
}

/// Repeats statements with a constant that takes these values.
macro_rules! unroll {
    ($index:ident in [$($value:expr),+ $(,)?] $body:block) => {
        $( { const $index: usize = $value; $body } )+
    };
}

/// One round with the names moved instead of the values. `$with_word` is, for a stream, `h` with the schedule word and the
/// constant. `$bc` is `b ^ c`, which was `a ^ b` a round before: the majority is cheaper with it where no instruction
/// computes it at once.
macro_rules! turn {
    ([$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident $bc:ident] $s:ident => $with_word:expr) => {
        let new = each!($s => sum!($with_word, choose($e[$s], $f[$s], $g[$s]), big_sigma_1($e[$s])));
        $d = each!($s => add($d[$s], new[$s]));
        let ab = each!($s => xor($a[$s], $b[$s]));
        $h = each!($s => sum!(new[$s], majority($a[$s], $b[$s], $c[$s], ab[$s], $bc[$s]), big_sigma_0($a[$s])));
        $bc = ab;
    };
}

/// The half of a round that makes the new `e` (in the place of `d`).
macro_rules! half_turn {
    ([$d:ident $e:ident $f:ident $g:ident $h:ident] $s:ident => $word:expr) => {
        $d = each!($s => sum!($h[$s], $word, $d[$s], choose($e[$s], $f[$s], $g[$s]), big_sigma_1($e[$s])));
    };
}

/// Eight rounds, after which the names are where they were. `$word` is a schedule word with its constant, for a stream.
macro_rules! eight_turns {
    ([$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident $bc:ident] $s:ident =>
     $w0:expr, $w1:expr, $w2:expr, $w3:expr, $w4:expr, $w5:expr, $w6:expr, $w7:expr $(,)?) => {
        turn!([$a $b $c $d $e $f $g $h $bc] $s => add($h[$s], $w0));
        turn!([$h $a $b $c $d $e $f $g $bc] $s => add($g[$s], $w1));
        turn!([$g $h $a $b $c $d $e $f $bc] $s => add($f[$s], $w2));
        turn!([$f $g $h $a $b $c $d $e $bc] $s => add($e[$s], $w3));
        turn!([$e $f $g $h $a $b $c $d $bc] $s => add($d[$s], $w4));
        turn!([$d $e $f $g $h $a $b $c $bc] $s => add($c[$s], $w5));
        turn!([$c $d $e $f $g $h $a $b $bc] $s => add($b[$s], $w6));
        turn!([$b $c $d $e $f $g $h $a $bc] $s => add($a[$s], $w7));
    };
}

/// The schedule word of this number, in the place of that sixteen before it, with its constant; the terms are given where
/// they are not the usual four.
macro_rules! extended {
    ($w:expr, $index:expr) => {
        extended!(
            $w,
            $index,
            $w[$index % 16],
            $w[($index + 9) % 16],
            small_sigma_0($w[($index + 1) % 16]),
            small_sigma_1($w[($index + 14) % 16])
        )
    };
    ($w:expr, $index:expr, $($term:expr),+) => {{
        $w[$index % 16] = sum!($($term),+);
        add($w[$index % 16], splat(K[$index]))
    }};
}

/// Defines `schedule` and `top_words` in a kernel's module. The module must have in scope `Word`, `STREAMS`, `splat`, `add`, `xor`,
/// `choose`, `majority`, and the four sigmas; the attributes given go to every function.
macro_rules! double_hash {
    ($(#[$attribute:meta])*) => {
        use crate::sha256::{self, INITIAL, K};
        use crate::start::{DIGEST_BITS, FixedWords, HEADER_BITS, ONE_BIT, Start};

        /// One word for each stream.
        type Words = [Word; STREAMS];

        /// The schedule words 16 to 63 of the header's second block, each with its round constant; the first sixteen places
        /// are not used.
        #[derive(Clone, Copy)]
        #[repr(align(64))]
        struct Schedule([Word; 64]);

        /// Computes the schedule for these nonces, given as words of the block.
        $(#[$attribute])*
        fn schedule(nonces: Word, fixed: &FixedWords, schedule: &mut Schedule) {
            const PADDING: u32 = sha256::small_sigma_0(HEADER_BITS);
            let mut w = [splat(0); 16];
            w[0] = splat(fixed.word_16);
            w[1] = splat(fixed.word_17);
            w[2] = add(small_sigma_0(nonces), splat(fixed.word_18));
            w[3] = add(nonces, splat(fixed.word_19));
            w[4] = add(small_sigma_1(w[2]), splat(ONE_BIT));
            w[5] = small_sigma_1(w[3]);
            w[6] = add(small_sigma_1(w[4]), splat(HEADER_BITS));
            unroll!(I in [7, 8, 9, 10, 11, 12, 13] {
                w[I] = add(small_sigma_1(w[I - 2]), w[I - 7]);
            });
            w[14] = sum!(small_sigma_1(w[12]), w[7], splat(PADDING));
            let known = sha256::small_sigma_0(fixed.word_16).wrapping_add(HEADER_BITS);
            w[15] = sum!(small_sigma_1(w[13]), w[8], splat(known));
            unroll!(I in [16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31] {
                schedule.0[I] = add(w[I - 16], splat(K[I]));
            });
            unroll!(I in [
                32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
            ] {
                schedule.0[I] = extended!(w, I);
            });
        }

        /// The header's digest. With `SHARED` all streams have the first schedule.
        $(#[$attribute])*
        fn first_hash<const SHARED: bool>(
            starts: &[Start; STREAMS],
            nonces: &Words,
            schedules: &[Schedule; STREAMS],
        ) -> [Words; 8] {
            let state = |word: usize| each!(s => splat(starts[s].state[word]));
            let mut a = each!(s => add(splat(starts[s].state[0]), nonces[s]));
            let mut e = each!(s => add(splat(starts[s].state[4]), nonces[s]));
            let (mut b, mut c, mut d) = (state(1), state(2), state(3));
            let (mut f, mut g) = (state(5), state(6));
            let mut h;
            let mut bc = each!(s => xor(b[s], c[s]));
            turn!([a b c d e f g h bc] s => splat(starts[s].sums[0]));
            turn!([h a b c d e f g bc] s => splat(starts[s].sums[1]));
            turn!([g h a b c d e f bc] s => splat(starts[s].sums[2]));
            turn!([f g h a b c d e bc] s => add(e[s], splat(K[7])));
            eight_turns!([e f g h a b c d bc] s =>
                splat(K[8]), splat(K[9]), splat(K[10]), splat(K[11]),
                splat(K[12]), splat(K[13]), splat(K[14]), splat(K[15].wrapping_add(HEADER_BITS)));
            unroll!(I in [16, 24, 32, 40, 48, 56] {
                let word = |s: usize, index: usize| schedules[if SHARED { 0 } else { s }].0[index];
                eight_turns!([e f g h a b c d bc] s =>
                    word(s, I), word(s, I + 1), word(s, I + 2), word(s, I + 3),
                    word(s, I + 4), word(s, I + 5), word(s, I + 6), word(s, I + 7));
            });
            let _ = bc;
            let mut digest = [e, f, g, h, a, b, c, d];
            unroll!(I in [0, 1, 2, 3, 4, 5, 6, 7] {
                digest[I] = each!(s => add(digest[I][s], splat(starts[s].midstate[I])));
            });
            digest
        }

        /// The most significant word of each digest's hash, its bytes reversed.
        $(#[$attribute])*
        fn top_words(digest: &[Words; 8]) -> Words {
            const S: [u32; 8] = INITIAL;
            const NEW: u32 = S[7]
                .wrapping_add(sha256::big_sigma_1(S[4]))
                .wrapping_add(sha256::choose(S[4], S[5], S[6]))
                .wrapping_add(K[0]);
            const A: u32 = NEW
                .wrapping_add(sha256::big_sigma_0(S[0]))
                .wrapping_add(sha256::majority(S[0], S[1], S[2]));
            const E: u32 = NEW.wrapping_add(S[3]);
            let mut w = [[splat(0); 16]; STREAMS];
            for (word, streams) in digest.iter().enumerate() {
                for (ring, value) in w.iter_mut().zip(streams) {
                    ring[word] = *value;
                }
            }
            let mut a = each!(s => add(w[s][0], splat(A)));
            let mut e = each!(s => add(w[s][0], splat(E)));
            let initial = |word: usize| [splat(S[word]); STREAMS];
            let (mut b, mut c, mut d) = (initial(0), initial(1), initial(2));
            let (mut f, mut g) = (initial(4), initial(5));
            let mut h;
            let mut bc = each!(s => xor(b[s], c[s]));
            turn!([a b c d e f g h bc] s => add(w[s][1], splat(K[1].wrapping_add(S[6]))));
            turn!([h a b c d e f g bc] s => add(w[s][2], splat(K[2].wrapping_add(S[5]))));
            turn!([g h a b c d e f bc] s => add(w[s][3], splat(K[3].wrapping_add(S[4]))));
            turn!([f g h a b c d e bc] s => add(e[s], add(w[s][4], splat(K[4]))));
            turn!([e f g h a b c d bc] s => add(d[s], add(w[s][5], splat(K[5]))));
            turn!([d e f g h a b c bc] s => add(c[s], add(w[s][6], splat(K[6]))));
            turn!([c d e f g h a b bc] s => add(b[s], add(w[s][7], splat(K[7]))));
            eight_turns!([b c d e f g h a bc] s =>
                splat(K[8].wrapping_add(ONE_BIT)), splat(K[9]), splat(K[10]), splat(K[11]),
                splat(K[12]), splat(K[13]), splat(K[14]), splat(K[15].wrapping_add(DIGEST_BITS)));
            eight_turns!([b c d e f g h a bc] s =>
                extended!(w[s], 16, w[s][0], small_sigma_0(w[s][1])),
                extended!(w[s], 17, w[s][1], small_sigma_0(w[s][2]), splat(sha256::small_sigma_1(DIGEST_BITS))),
                extended!(w[s], 18, w[s][2], small_sigma_0(w[s][3]), small_sigma_1(w[s][0])),
                extended!(w[s], 19, w[s][3], small_sigma_0(w[s][4]), small_sigma_1(w[s][1])),
                extended!(w[s], 20, w[s][4], small_sigma_0(w[s][5]), small_sigma_1(w[s][2])),
                extended!(w[s], 21, w[s][5], small_sigma_0(w[s][6]), small_sigma_1(w[s][3])),
                extended!(w[s], 22, w[s][6], splat(DIGEST_BITS), small_sigma_0(w[s][7]), small_sigma_1(w[s][4])),
                extended!(w[s], 23, w[s][7], w[s][0], splat(sha256::small_sigma_0(ONE_BIT)), small_sigma_1(w[s][5])));
            eight_turns!([b c d e f g h a bc] s =>
                extended!(w[s], 24, w[s][1], splat(ONE_BIT), small_sigma_1(w[s][6])),
                extended!(w[s], 25, w[s][2], small_sigma_1(w[s][7])),
                extended!(w[s], 26, w[s][3], small_sigma_1(w[s][8])),
                extended!(w[s], 27, w[s][4], small_sigma_1(w[s][9])),
                extended!(w[s], 28, w[s][5], small_sigma_1(w[s][10])),
                extended!(w[s], 29, w[s][6], small_sigma_1(w[s][11])),
                extended!(w[s], 30, w[s][7], splat(sha256::small_sigma_0(DIGEST_BITS)), small_sigma_1(w[s][12])),
                extended!(w[s], 31, w[s][8], splat(DIGEST_BITS), small_sigma_0(w[s][0]), small_sigma_1(w[s][13])));
            unroll!(I in [32, 40, 48] {
                eight_turns!([b c d e f g h a bc] s =>
                    extended!(w[s], I), extended!(w[s], I + 1), extended!(w[s], I + 2), extended!(w[s], I + 3),
                    extended!(w[s], I + 4), extended!(w[s], I + 5), extended!(w[s], I + 6), extended!(w[s], I + 7));
            });
            // The hash's last word is what `e` is after round 60, since rounds 61 to 63 only hand it on. That `e` needs the
            // `a` of round 56, and of those after it only `e`. The initial state's word is added with the constant.
            turn!([b c d e f g h a bc] s => add(a[s], extended!(w[s], 56)));
            let _ = bc;
            half_turn!([d e f g h] s => extended!(w[s], 57));
            half_turn!([c d e f g] s => extended!(w[s], 58));
            half_turn!([b c d e f] s => extended!(w[s], 59));
            const LAST: u32 = K[60].wrapping_add(S[7]);
            half_turn!([a b c d e] s => sum!(
                w[s][12], w[s][5], small_sigma_0(w[s][13]), small_sigma_1(w[s][10]), splat(LAST)));
            a
        }
    };
}

/// Defines `scan` in a kernel's module, over what [`double_hash`] defines there, and `LANES`, `nonces_from` (the words of the
/// next `LANES` nonces), and `lanes_without` (a bit for each lane that has none of these bits).
macro_rules! scan {
    ($(#[$attribute:meta])*) => {
        use crate::candidates;

        /// Tries all versions with all nonces, in blocks of `LANES` of them, and as many versions at once as there are
        /// streams; a single version with as many blocks at once.
        $(#[$attribute])*
        pub(super) fn scan(prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>) {
            let (fixed, starts) = (FixedWords::new(prepared), Start::all(prepared));
            let Some(last) = starts.last() else { return };
            let zeros = candidates::zero_bits(prepared.target_top);
            let mut schedules = [Schedule([splat(0); 64]); STREAMS];
            if let [single] = *starts {
                for block in candidates::blocks(nonces, LANES * STREAMS) {
                    let words = each!(s => nonces_from(block.nonce(s * LANES)));
                    for (words, room) in words.iter().zip(&mut schedules) {
                        schedule(*words, &fixed, room);
                    }
                    let tops = top_words(&first_hash::<false>(&[single; STREAMS], &words, &schedules));
                    for (stream, top) in tops.iter().enumerate() {
                        let lanes = lanes_without(zeros, *top);
                        if lanes != 0 {
                            block.confirm(prepared, 0, stream * LANES, lanes, hits);
                        }
                    }
                }
                return;
            }
            for block in candidates::blocks(nonces, LANES) {
                let words = [nonces_from(block.nonce(0)); STREAMS];
                schedule(words[0], &fixed, &mut schedules[0]);
                for (group, together) in starts.chunks(STREAMS).enumerate() {
                    // What the last group lacks is hashed and thrown away.
                    let mut full = [*last; STREAMS];
                    full[..together.len()].copy_from_slice(together);
                    let tops = top_words(&first_hash::<true>(&full, &words, &schedules));
                    for (stream, top) in tops.iter().enumerate().take(together.len()) {
                        let lanes = lanes_without(zeros, *top);
                        if lanes != 0 {
                            block.confirm(prepared, group * STREAMS + stream, 0, lanes, hits);
                        }
                    }
                }
            }
        }
    };
}

#[cfg(test)]
mod tests;
