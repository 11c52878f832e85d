//! Hashing: kernels against each other, headers, Merkle roots.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use std::fmt;
use tally_benches::full_block;
use tally_kernels::sha256::{self, sha256d};
use tally_kernels::{Kernel, Prepared, kernel};
use tally_primitives::hash::Wtxid;
use tally_primitives::merkle;

fn main() {
    divan::main();
}

const HEADER: [u8; 80] = [0x5a; 80];

/// Nonces of one scan: about a millisecond of the fastest kernel.
const NONCES: u32 = 8192;

/// A kernel that runs here, and how many versions of the header it tries together.
#[derive(Clone, Copy)]
struct Contender {
    kernel: &'static dyn Kernel,
    versions: usize,
}

impl fmt::Display for Contender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, versions: {}", self.kernel.name(), self.versions)
    }
}

/// Each kernel with one version, and with as many as it would like.
fn contenders() -> impl Iterator<Item = Contender> {
    kernel::all().iter().copied().filter(|kernel| kernel.is_available()).flat_map(|kernel| {
        let one = Contender { kernel, versions: 1 };
        let many = Contender { kernel, versions: kernel.versions() };
        std::iter::once(one).chain((many.versions > 1).then_some(many))
    })
}

/// The steps from the book's chapter on kernels: compare the rates, in items (hashes) a second, with `step_0` and `step_1`.
#[divan::bench(args = contenders())]
fn step_2_scan(bencher: Bencher<'_, '_>, contender: Contender) {
    let versions: Vec<u32> = (0..).take(contender.versions).map(|index: u32| index << 13).collect();
    let prepared = Prepared::with_versions(&HEADER, &[0; 32], &versions);
    let nonces = NONCES / u32::try_from(contender.versions).unwrap_or(1);
    bencher.counter(ItemsCount::new(NONCES)).bench_local(|| {
        let mut hits = Vec::new();
        contender.kernel.scan(black_box(&prepared), 0..=nonces - 1, &mut hits);
        hits
    });
}

/// Without any saving: three compressions a nonce, portably.
#[divan::bench]
fn step_0_three_compressions(bencher: Bencher<'_, '_>) {
    let mut first = [0; 64];
    first.copy_from_slice(&HEADER[..64]);
    let prepared = Prepared::new(&HEADER, &[0; 32]);
    bencher.counter(ItemsCount::new(NONCES)).bench_local(|| {
        (0..NONCES).fold(0, |bits, nonce| {
            let mut state = sha256::INITIAL;
            sha256::compress(&mut state, &sha256::words(black_box(&first)));
            sha256::compress(&mut state, &prepared.second_block(nonce));
            bits | sha256::hash_digest(&state)[7]
        })
    });
}

/// With the midstate: two compressions a nonce, portably.
#[divan::bench]
fn step_1_midstate(bencher: Bencher<'_, '_>) {
    let prepared = Prepared::new(&HEADER, &[0; 32]);
    bencher.counter(ItemsCount::new(NONCES)).bench_local(|| {
        (0..NONCES).fold(0, |bits, nonce| {
            let mut state = black_box(&prepared).midstates()[0];
            sha256::compress(&mut state, &prepared.second_block(nonce));
            bits | sha256::hash_digest(&state)[7]
        })
    });
}

/// What a program that knows nothing of mining would do: the sha2 crate over 80 bytes, and again over the digest.
#[divan::bench]
fn plain_sha256d(bencher: Bencher<'_, '_>) {
    let mut header = HEADER;
    bencher.counter(ItemsCount::new(NONCES)).bench_local(|| {
        let mut last = [0; 32];
        for nonce in 0..NONCES {
            header[76..].copy_from_slice(&nonce.to_le_bytes());
            last = sha256d(black_box(&header));
        }
        last
    });
}

/// What a new header costs before its first nonce.
#[divan::bench]
fn prepare() -> Prepared {
    Prepared::new(black_box(&HEADER), black_box(&[0; 32]))
}

#[divan::bench(args = [1, 2, 100, 4000])]
fn merkle_root(bencher: Bencher<'_, '_>, leaves: usize) {
    let leaves: Vec<Wtxid> = (0..leaves as u64).map(|index| Wtxid::from_bytes(sha256d(&index.to_le_bytes()))).collect();
    bencher.counter(ItemsCount::new(leaves.len())).bench(|| merkle::root(black_box(&leaves)));
}

/// All wtxids of a full block and their root: what checking BLK-02 costs.
#[divan::bench]
fn merkle_root_of_a_full_block(bencher: Bencher<'_, '_>) {
    let block = full_block();
    bencher.counter(BytesCount::new(block.encoded_size())).bench(|| black_box(&block).merkle_root());
}
