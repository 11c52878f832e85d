//! The network file: a genesis of its own, a difficulty that fits the hash rate, coins for the demo wallets.

use std::time::{SystemTime, UNIX_EPOCH};

use tally_primitives::address::Address;
use tally_primitives::params::{Allocation, Params};
use tally_primitives::pow::{CompactTarget, Target};
use tally_primitives::units::Amount;

use crate::error::Error;

/// Coins that each demo wallet begins with: several, so that a payment does not lock up all there is.
const COINS_EACH: usize = 10;

/// Value of each of them.
const COIN_TALLY: u64 = 100;

/// Time in which ASERT answers an error of one whole factor of two: forty blocks of the usual three seconds.
const HALF_LIFE_BLOCKS: u32 = 40;

/// Ports of a network file are for nodes that are started without `--listen` and its like.
const DEFAULT_PORT: u16 = 39740;

/// A network that nobody had before, without allocations: the wallets that get them are made for it first.
///
/// # Errors
/// If the system has no random numbers.
pub fn fresh(hashrate: u64, spacing_seconds: u32) -> Result<Params, Error> {
    let magic =
        getrandom::u32().map_err(|error| Error::System { what: "random numbers", reason: error.to_string() })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let devnet = Params::devnet();
    Ok(Params {
        name: "local".to_owned(),
        magic,
        spacing_seconds,
        half_life_seconds: Some(spacing_seconds.saturating_mul(HALF_LIFE_BLOCKS)),
        limit: easiest_target(hashrate, spacing_seconds),
        halving_interval: 210_000,
        peer_port: DEFAULT_PORT,
        rpc_port: DEFAULT_PORT + 1,
        web_port: DEFAULT_PORT + 2,
        genesis_time: u32::try_from(now.as_secs()).unwrap_or(u32::MAX),
        genesis_message: format!("made by testnet up, {magic:08x}"),
        ..devnet
    })
}

/// The target that takes the hash rate one spacing to meet, on average.
pub fn easiest_target(hashrate: u64, spacing_seconds: u32) -> CompactTarget {
    // Below that, a target of 2^255 and more would have no compact form.
    const FEWEST_HASHES: u64 = 4;
    let expected = hashrate.saturating_mul(u64::from(spacing_seconds)).max(FEWEST_HASHES);
    // 2^256 - 1 divided by the hashes expected, digit by digit.
    let mut quotient = [0; 32];
    let mut rest: u128 = 0;
    for digit in &mut quotient {
        rest = (rest << 8) | 0xff;
        let value = rest / u128::from(expected);
        // The rest is below `expected`, so the quotient is below 256.
        *digit = u8::try_from(value).unwrap_or(u8::MAX);
        rest %= u128::from(expected);
    }
    Target::from_be_bytes(quotient).to_compact()
}

/// The same network with coins for these addresses in its genesis.
#[must_use]
pub fn with_allocations(mut params: Params, to: &[Address]) -> Params {
    let value = Amount::from_tally(COIN_TALLY).unwrap_or(Amount::ONE_TALLY);
    let coins = |address: &Address| vec![Allocation { address: address.clone(), value }; COINS_EACH];
    params.allocations = to.iter().flat_map(coins).collect();
    params
}

#[cfg(test)]
mod tests;
