//! Seeded random numbers: the same seed gives the same numbers on every machine and in every version.
//!
//! SplitMix64 (Steele, Lea, Flood 2014): ten lines, no dependency whose next version might give other numbers, and good enough
//! for delays, nonces and choices among peers. Nothing here guards a secret.

/// A generator of random numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

/// No exponential delay is longer than this many times its mean: it happens to one in 3,000, and nobody gains by waiting longer.
const MAX_MEANS: u64 = 8;

impl Random {
    /// The generator with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// A position in a list of `length`; 0 when it is empty.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// True with a probability of `numerator` / `denominator`.
    pub fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }

    /// The waiting time until the next event of a Poisson process, in the unit of `mean`.
    pub fn exponential(&mut self, mean: u64) -> u64 {
        // 53 random bits: a fraction in (0, 1].
        let fraction = ((self.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        let delay = -natural_log(fraction) * mean as f64;
        // Never negative and bounded, so the conversion is exact enough.
        #[expect(clippy::cast_possible_truncation, reason = "0 <= delay < 37 * mean")]
        let delay = delay as u64;
        delay.min(mean.saturating_mul(MAX_MEANS))
    }
}

/// ln of a positive, finite number. Only additions, multiplications and divisions, which every machine rounds alike;
/// the system's own `ln` differs in its last bit from one to the next, and so would the simulator's worlds.
fn natural_log(x: f64) -> f64 {
    let (mut mantissa, mut exponent) = (x, 0.0);
    while mantissa < 0.75 {
        mantissa *= 2.0;
        exponent -= 1.0;
    }
    while mantissa > 1.5 {
        mantissa /= 2.0;
        exponent += 1.0;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)), whose series converges fast here: |z| <= 1/5.
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let mut sum = 0.0;
    for odd in (1..=21).rev().step_by(2) {
        sum = sum * square + 1.0 / f64::from(odd);
    }
    2.0 * z * sum + exponent * core::f64::consts::LN_2
}

#[cfg(test)]
mod tests;
