//! The `sha2` kernel: the sha2 crate's compression function, which uses the processor's SHA-256 instructions where it has
//! them, with the midstate kept: two compressions a nonce instead of three. The yardstick for kernels of our own.

use crate::kernel::Kernel;
use crate::prepared::{Hit, Prepared};
use crate::sha256::{INITIAL, digest, meets};
use sha2::block_api::compress256;
use std::ops::RangeInclusive;

/// The kernel `sha2`.
pub struct Sha2Crate;

impl Kernel for Sha2Crate {
    fn name(&self) -> &'static str {
        "sha2"
    }

    fn description(&self) -> &'static str {
        "the sha2 crate's compression function, with midstate"
    }

    fn is_available(&self) -> bool {
        true
    }

    fn scan(&self, prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>) {
        let mut second = [0; 64];
        for (bytes, word) in second.as_chunks_mut::<4>().0.iter_mut().zip(prepared.second_block(0)) {
            *bytes = word.to_be_bytes();
        }
        let mut third = [0; 64];
        third[32] = 0x80;
        third[62..].copy_from_slice(&256_u16.to_be_bytes());
        for (version, midstate) in prepared.midstates().iter().enumerate() {
            for nonce in nonces.clone() {
                second[12..16].copy_from_slice(&nonce.to_le_bytes());
                let mut first = *midstate;
                compress256(&mut first, &[second]);
                for (bytes, word) in third.as_chunks_mut::<4>().0.iter_mut().zip(first) {
                    *bytes = word.to_be_bytes();
                }
                let mut hash = INITIAL;
                compress256(&mut hash, &[third]);
                if hash[7].swap_bytes() <= prepared.target_top && meets(&digest(&hash), prepared.target()) {
                    hits.push(Hit { nonce, version });
                }
            }
        }
    }
}
