//! Counts operations, by words that hold no number but know whether the compiler would know theirs.

use crate::prepared::Prepared;
use std::cell::Cell;

/// What a processor would have to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    additions: u32,
    /// Rotates and shifts.
    rotates: u32,
    /// Any function of three words, by bits.
    logic: u32,
}

impl Count {
    fn total(self) -> u32 {
        self.additions + self.rotates + self.logic
    }
}

thread_local! {
    static COUNT: Cell<Count> = const { Cell::new(Count { additions: 0, rotates: 0, logic: 0 }) };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// The same for all nonces: computed once a header, or by the compiler.
    Known,
    Unknown,
}

const STREAMS: usize = 1;

/// One more operation, unless all of its operands are known.
fn operation(operands: &[Word], count: Count) -> Word {
    if operands.iter().all(|word| *word == Word::Known) {
        return Word::Known;
    }
    COUNT.set(Count {
        additions: COUNT.get().additions + count.additions,
        rotates: COUNT.get().rotates + count.rotates,
        logic: COUNT.get().logic + count.logic,
    });
    Word::Unknown
}

fn splat(_number: u32) -> Word {
    Word::Known
}

fn add(a: Word, b: Word) -> Word {
    operation(&[a, b], Count { additions: 1, ..Count::default() })
}

/// Only for the majority of kernels that have no instruction for it.
fn xor(a: Word, _b: Word) -> Word {
    a
}

fn choose(e: Word, f: Word, g: Word) -> Word {
    operation(&[e, f, g], Count { logic: 1, ..Count::default() })
}

fn majority(a: Word, b: Word, c: Word, _ab: Word, _bc: Word) -> Word {
    choose(a, b, c)
}

fn sigma(x: Word) -> Word {
    operation(&[x], Count { rotates: 3, logic: 1, additions: 0 })
}

use sigma as big_sigma_0;
use sigma as big_sigma_1;
use sigma as small_sigma_0;
use sigma as small_sigma_1;

double_hash!();

/// Counts what this does.
fn counted<T>(work: impl FnOnce() -> T) -> (Count, T) {
    COUNT.set(Count::default());
    let result = work();
    (COUNT.get(), result)
}

/// Of the schedule, and of the rest of a double hash.
fn counts() -> (Count, Count) {
    let prepared = Prepared::new(&[0; 80], &[0; 32]);
    let mut schedules = [Schedule([Word::Known; 64])];
    let (of_schedule, ()) = counted(|| schedule(Word::Unknown, &FixedWords::new(&prepared), &mut schedules[0]));
    let start = Start::new(&prepared, &prepared.midstates()[0]);
    let (of_hash, tops) = counted(|| top_words(&first_hash::<true>(&[start], &[Word::Unknown], &schedules)));
    assert!(tops == [Word::Unknown]);
    (of_schedule, of_hash)
}

#[test]
fn the_operations_are_as_many_as_the_book_says() {
    let (of_schedule, of_hash) = counts();
    assert_eq!(of_schedule, Count { additions: 157, rotates: 228, logic: 76 });
    assert_eq!(of_hash, Count { additions: 886, rotates: 948, logic: 552 });
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_bound_of_avx512_is_of_these_operations() {
    use crate::avx512::{Avx512, HASH_OPERATIONS, SCHEDULE_OPERATIONS};
    use crate::kernel::Kernel;
    let (of_schedule, of_hash) = counts();
    // The comparison with the target is one more.
    assert_eq!((of_schedule.total(), of_hash.total() + 1), (SCHEDULE_OPERATIONS, HASH_OPERATIONS));
    // At most one rotate a cycle is no narrower a bound than two operations.
    assert!(of_schedule.rotates * 2 <= of_schedule.total() && of_hash.rotates * 2 <= of_hash.total());
    let cycles = |versions| Avx512.cycles_at_least(versions).unwrap();
    assert!(cycles(1) > cycles(16) && cycles(16) > 70.0);
}
