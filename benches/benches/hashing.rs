//! Hashing: kernels against each other, headers, Merkle roots.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use tally_benches::full_block;
use tally_kernels::sha256::sha256d;
use tally_kernels::{Prepared, kernel};
use tally_primitives::hash::Wtxid;
use tally_primitives::merkle;

fn main() {
    divan::main();
}

const HEADER: [u8; 80] = [0x5a; 80];

/// Nonces of one scan: about a millisecond of the fastest kernel.
const NONCES: u32 = 8192;

fn kernels() -> impl Iterator<Item = &'static str> {
    kernel::all().iter().filter(|kernel| kernel.is_available()).map(|kernel| kernel.name())
}

/// Items are hashes: compare the kernels' rates with each other, and with `plain_sha256d`.
#[divan::bench(args = kernels())]
fn scan(bencher: Bencher<'_, '_>, name: &str) {
    let kernel = kernel::by_name(name).unwrap_or_else(kernel::best);
    let prepared = Prepared::new(&HEADER, &[0; 32]);
    bencher.counter(ItemsCount::new(NONCES)).bench_local(|| {
        let mut hits = Vec::new();
        kernel.scan(black_box(&prepared), 0..=NONCES - 1, &mut hits);
        hits
    });
}

/// What a miner without any saving would do: three compressions a nonce.
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
