//! How many new notches a block may create.

use tally_primitives::params::Params;
use tally_primitives::units::{Amount, Height};

/// The subsidy of the block at this height: the network's first subsidy, halved (rounded down) after each
/// `halving_interval` blocks, until nothing is left. The genesis block has none: what it pays are the network's
/// allocations.
pub fn subsidy(params: &Params, height: Height) -> Amount {
    if height == Height::GENESIS {
        return Amount::ZERO;
    }
    // An interval of 0 means: never halved.
    let halvings = height.get().checked_div(params.halving_interval).unwrap_or(0);
    halved(params.subsidy, halvings)
}

/// All subsidies of the blocks 1 to `height` together: what the schedule has created by then at most. Allocations,
/// which genesis pays, come on top; what miners did not claim is missing.
///
/// Saturates at the largest amount when a network's schedule never ends (an interval of 0).
pub fn issued(params: &Params, height: Height) -> Amount {
    let blocks = u64::from(height.get());
    let Some(interval) = Some(u64::from(params.halving_interval)).filter(|interval| *interval > 0) else {
        return params.subsidy.checked_mul(blocks).unwrap_or(Amount::from_notches(u64::MAX));
    };
    let mut total = 0u128;
    for halvings in 0..u64::BITS {
        let era_start = u64::from(halvings) * interval;
        if era_start > blocks {
            break;
        }
        // Heights of this era are [era_start, era_start + interval); genesis, the first height of the first era, has no
        // subsidy.
        let first = era_start.max(1);
        let last = blocks.min(era_start + interval - 1);
        let count = (last + 1).saturating_sub(first);
        total += u128::from(halved(params.subsidy, halvings).to_notches()) * u128::from(count);
    }
    Amount::from_notches(u64::try_from(total).unwrap_or(u64::MAX))
}

fn halved(first: Amount, halvings: u32) -> Amount {
    Amount::from_notches(first.to_notches().checked_shr(halvings).unwrap_or(0))
}
