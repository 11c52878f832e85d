//! The race between an attacker and everybody else, as a walk: each block is the attacker's with a fixed probability, whoever found
//! the last. No nodes take part: the question is only who finds blocks, and that is a coin toss.
//!
//! An attacker pays a merchant and mines, from that moment on and in private, a chain without the payment. The merchant ships when the
//! payment has z confirmations, so when the others have found z blocks. By then the attacker has found k with the probability
//! C(k + z − 1, k) p^z q^k (a negative binomial distribution; q is the attacker's share, p = 1 − q). Whoever is d blocks short catches
//! up with the probability (q/p)^d (the gambler's ruin). How many blocks are short depends on what wins:
//!
//! - [`Rule::Strict`]: a chain with more work wins, so the attacker needs one block more than the others;
//! - [`Rule::Tie`]: an equal chain is enough, as if the attacker's always arrived first. That is also what a block mined in advance gives:
//!   M. Rosenfeld, "Analysis of hashrate-based double-spending" (2012), has the attacker begin with one, and the strict rule. With a tie,
//!   or that block, the probability is I_{4pq}(z, 1/2), an incomplete beta function (C. Grunspan and R. Pérez-Marco, "Double spend races", 2018).
//!
//! Nakamoto (2008, section 11) took the attacker's blocks by then as Poisson distributed with the mean z q/p, as if the others' z blocks
//! took exactly their time. That is why his figures are lower.

use tally_node_core::random::Random;

/// What the attacker's chain must be, to win.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Longer.
    Strict,
    /// As long.
    Tie,
}

impl Rule {
    /// How many blocks more than the others' chain has.
    const fn needed(self) -> u32 {
        match self {
            Rule::Strict => 1,
            Rule::Tie => 0,
        }
    }
}

/// A race for a double spend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Race {
    /// The attacker's share of the hash rate, q: below a half, since from there on the race is won, however long it takes.
    pub share: f64,
    /// What wins.
    pub rule: Rule,
    /// Blocks that the attacker has when the payment is made.
    pub premined: u32,
}

/// A walk is given up when catching up has become less probable than this.
const HOPELESS: f64 = 1e-10;

impl Race {
    /// The probability that the attacker wins against a merchant who waits for so many confirmations: exactly, by the sum above.
    #[must_use]
    pub fn success(&self, confirmations: u32) -> f64 {
        let odds = self.odds();
        let goal = confirmations + self.rule.needed();
        let mut failure = 0.0;
        let mut probability = (1.0 - self.share).powi(confirmations.cast_signed());
        for found in 0..goal.saturating_sub(self.premined) {
            let short = goal - self.premined - found;
            failure += probability * (1.0 - odds.powi(short.cast_signed()));
            probability *= self.share * f64::from(confirmations + found) / f64::from(found + 1);
        }
        1.0 - failure
    }

    /// The fewest confirmations with which the attacker wins less often than this.
    #[must_use]
    pub fn confirmations_needed(&self, risk: f64) -> u32 {
        const NOBODY_WAITS_SO_LONG: u32 = 100_000;
        let is_enough = |confirmations: &u32| self.success(*confirmations) < risk;
        let (mut low, mut high) = (0, 1);
        while !is_enough(&high) && high < NOBODY_WAITS_SO_LONG {
            (low, high) = (high, 2 * high);
        }
        while low < high {
            let middle = low.midpoint(high);
            if is_enough(&middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// One race: whether the attacker wins.
    pub fn run(&self, confirmations: u32, random: &mut Random) -> bool {
        let hopeless = self.hopeless();
        let (mut others, mut own) = (0_u32, self.premined);
        loop {
            let goal = others + self.rule.needed();
            if others >= confirmations && own >= goal {
                return true;
            }
            if others >= confirmations && goal - own > hopeless {
                return false;
            }
            if happens(self.share, random) {
                own += 1;
            } else {
                others += 1;
            }
        }
    }

    /// How often one block short is caught up.
    fn odds(&self) -> f64 {
        self.share / (1.0 - self.share)
    }

    /// How many blocks short make it hopeless.
    fn hopeless(&self) -> u32 {
        let mut short = 0;
        let mut chance = 1.0;
        while chance > HOPELESS {
            chance *= self.odds();
            short += 1;
        }
        short
    }
}

/// Whether something of this probability happens.
pub(crate) fn happens(probability: f64, random: &mut Random) -> bool {
    // 53 random bits: a fraction in [0, 1).
    ((random.next_u64() >> 11) as f64) < probability * (1_u64 << 53) as f64
}

/// Nakamoto's estimate (2008, section 11): the attacker's blocks are Poisson distributed, and level is enough.
#[must_use]
pub fn nakamoto(share: f64, confirmations: u32) -> f64 {
    let odds = share / (1.0 - share);
    let mean = f64::from(confirmations) * odds;
    let mut failure = 0.0;
    let mut probability = (-mean).exp();
    for found in 0..=confirmations {
        failure += probability * (1.0 - odds.powi((confirmations - found).cast_signed()));
        probability *= mean / f64::from(found + 1);
    }
    1.0 - failure
}
