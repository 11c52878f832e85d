//! Which fee rate to pay: the owner's, or a node's estimate.

use core::fmt;
use core::str::FromStr;

use tally_primitives::units::{Amount, FeeRate};

use crate::nodes::{Nodes, NodesError};

/// The fee above which a payment must be asked for on purpose: 0.1 TALLY, as Bitcoin Core's `-maxtxfee`.
pub const DEFAULT_MAX_FEE: Amount = Amount::from_notches(10_000_000);

/// Within how many blocks a payment should confirm, if nobody says.
pub const DEFAULT_BLOCKS: u32 = 6;

/// How the fee rate is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeChoice {
    /// This one.
    Rate(FeeRate),
    /// What should confirm within so many blocks.
    WithinBlocks(u32),
}

/// A fee rate, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChosenRate {
    /// The rate.
    pub rate: FeeRate,
    /// Its origin.
    pub source: RateSource,
}

/// Where a fee rate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateSource {
    /// The owner.
    Given,
    /// The node's estimate for so many blocks.
    Estimate {
        /// The blocks.
        blocks: u32,
    },
    /// The node has seen too little to estimate: the least that its mempool takes.
    Minimum,
}

impl fmt::Display for RateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RateSource::Given => f.write_str("as asked"),
            RateSource::Estimate { blocks } => write!(f, "estimate for {blocks} blocks"),
            RateSource::Minimum => f.write_str("the node's minimum; it has no estimate yet"),
        }
    }
}

/// Settles the fee rate. An estimate never falls below what the node's mempool takes at all.
///
/// # Errors
/// No node answers.
pub fn choose(choice: FeeChoice, nodes: &mut Nodes) -> Result<ChosenRate, NodesError> {
    let blocks = match choice {
        FeeChoice::Rate(rate) => return Ok(ChosenRate { rate, source: RateSource::Given }),
        FeeChoice::WithinBlocks(blocks) => blocks,
    };
    let minimum = nodes.ask(|node| node.mempool_info())?.mempoolminfee;
    Ok(match nodes.ask(|node| node.estimate_fee(blocks))?.feerate {
        Some(rate) => ChosenRate { rate: rate.max(minimum), source: RateSource::Estimate { blocks } },
        None => ChosenRate { rate: minimum, source: RateSource::Minimum },
    })
}

/// A text that is no fee rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a fee rate: write notches per byte, such as 1 or 2.5 (at most three decimals)")]
pub struct RateParseError {
    /// What was given.
    pub text: String,
}

/// A fee rate as people write it: notches per byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotchesPerByte(pub FeeRate);

impl FromStr for NotchesPerByte {
    type Err = RateParseError;

    fn from_str(text: &str) -> Result<NotchesPerByte, RateParseError> {
        let error = || RateParseError { text: text.to_owned() };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(decimals) || decimals.len() > 3 {
            return Err(error());
        }
        let whole: u64 = whole.parse().map_err(|_| error())?;
        let thousandths: u64 = format!("{decimals:0<3}").parse().map_err(|_| error())?;
        let rate = whole.checked_mul(1000).and_then(|rate| rate.checked_add(thousandths)).ok_or_else(error)?;
        Ok(NotchesPerByte(FeeRate::from_notches_per_kilobyte(rate)))
    }
}

#[cfg(test)]
mod tests;
