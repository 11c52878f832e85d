//! A pool's job as work for the engine, and what the engine finds back into a share.
//!
//! Our part of the extra nonce (`extranonce2`) holds a counter, least significant byte first, and in its last byte the job's
//! number modulo 256: a server that sends the same job twice does not get the same shares twice. When the counter has run
//! out, the time moves on; so even a server that leaves us no byte at all has work for every rate there is.

use super::difficulty::Difficulty;
use super::message::{ExtraNonce, Notify};
use serde_json::{Value, json};
use std::sync::Arc;
use tally_kernels::{CoinbaseWork, Found, Work};
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::CompactTarget;

/// Seconds that the time may be ahead of the job's. Networks accept two hours, servers less.
const TIME_ROLL_MAX: u32 = 600;

/// Headers for shares.
#[derive(Clone, Debug)]
pub struct ShareWork {
    inner: CoinbaseWork,
    /// The job's time.
    time: u32,
    /// Bits of the counter.
    counter_bits: u32,
    /// What follows the counter in our part of the extra nonce.
    tail: Vec<u8>,
}

impl ShareWork {
    /// Work on a job, the engine's `number`th. Bits of the version within the mask may be rolled.
    #[must_use]
    pub fn new(notify: &Notify, extra: &ExtraNonce, number: u64, difficulty: Difficulty, mask: u32) -> ShareWork {
        let counter_size = extra.size.saturating_sub(1).min(8);
        let mut tail = vec![0; extra.size - counter_size];
        if let Some(last) = tail.last_mut() {
            *last = number.to_le_bytes()[0];
        }
        let mut header = [0; 80];
        header[..4].copy_from_slice(&notify.version.to_le_bytes());
        header[4..36].copy_from_slice(&notify.prev_block);
        header[68..72].copy_from_slice(&notify.time.to_le_bytes());
        header[72..76].copy_from_slice(&notify.bits.to_le_bytes());
        let inner = CoinbaseWork {
            header,
            version_mask: mask,
            target: difficulty.target(),
            coinbase_prefix: [notify.coinbase_1.as_slice(), &extra.prefix].concat(),
            coinbase_suffix: [tail.as_slice(), &notify.coinbase_2].concat(),
            extra_nonce_size: counter_size,
            branch: notify.branch.clone(),
        };
        // At most 64.
        let counter_bits = u32::try_from(8 * counter_size).unwrap_or(64);
        ShareWork { inner, time: notify.time, counter_bits, tail }
    }

    /// The engine's extra nonce is the counter, and above it the seconds that the time has moved on.
    fn split(&self, extra_nonce: u64) -> (u64, u64) {
        let seconds = extra_nonce.checked_shr(self.counter_bits).unwrap_or(0);
        let counter_mask = 1_u64.checked_shl(self.counter_bits).map_or(u64::MAX, |next| next - 1);
        (extra_nonce & counter_mask, seconds)
    }

    /// Our part of the extra nonce, as it stands in the coinbase.
    #[must_use]
    pub fn extra_nonce_2(&self, extra_nonce: u64) -> Vec<u8> {
        let (counter, _) = self.split(extra_nonce);
        let bytes = counter.to_le_bytes();
        [&bytes[..self.inner.extra_nonce_size], &self.tail].concat()
    }
}

impl Work for ShareWork {
    fn header(&self, extra_nonce: u64) -> Option<[u8; 80]> {
        let (counter, seconds) = self.split(extra_nonce);
        let seconds = u32::try_from(seconds).ok().filter(|seconds| *seconds <= TIME_ROLL_MAX)?;
        let time = self.time.checked_add(seconds)?;
        let mut header = self.inner.header(counter)?;
        header[68..72].copy_from_slice(&time.to_le_bytes());
        Some(header)
    }

    fn target(&self) -> [u8; 32] {
        self.inner.target()
    }

    fn version_mask(&self) -> u32 {
        self.inner.version_mask()
    }
}

/// A job that shares may be of.
#[derive(Clone, Debug)]
pub struct ShareJob {
    /// The engine's number for it.
    pub number: u64,
    /// What the server sent.
    pub notify: Arc<Notify>,
    /// How hard its shares are.
    pub difficulty: Difficulty,
    /// For the engine.
    pub work: Arc<ShareWork>,
    /// The server has said that its shares count no more.
    pub is_cleaned: bool,
}

impl ShareJob {
    /// Whether a share is a block too.
    #[must_use]
    pub fn is_block(&self, found: &Found) -> bool {
        let target = CompactTarget::from_bits(self.notify.bits).to_target();
        target.is_ok_and(|target| target.is_met_by(&BlockHash::from_bytes(found.hash)))
    }

    /// The parameters of `mining.submit`. With a mask (BIP 310) the version goes with it; `None` when a server that knows only
    /// this mask could not make the header again.
    #[must_use]
    pub fn submit_params(&self, user: &str, found: &Found, mask: Option<u32>) -> Option<Value> {
        let word = |at: usize| {
            let bytes = found.header_bytes.get(at..at + 4)?;
            bytes.try_into().ok().map(u32::from_le_bytes)
        };
        let (version, time, nonce) = (word(0)?, word(68)?, word(76)?);
        if (version ^ self.notify.version) & !mask.unwrap_or(0) != 0 {
            return None;
        }
        let extra_nonce_2 = hex::encode(self.work.extra_nonce_2(found.extra_nonce));
        let mut params = json!([user, self.notify.job, extra_nonce_2, format!("{time:08x}"), format!("{nonce:08x}")]);
        if let (Some(mask), Some(params)) = (mask, params.as_array_mut()) {
            params.push(json!(format!("{:08x}", version & mask)));
        }
        Some(params)
    }
}

#[cfg(test)]
mod tests;
