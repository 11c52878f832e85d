//! Checking: signatures, policies, encoding, ids.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use tally_benches::{MESSAGE, Spend, full_block, payment, secret_key};
use tally_primitives::block::{Block, MAX_BLOCK_SIZE};
use tally_primitives::encode;
use tally_primitives::keys::{PublicKey, Signature};
use tally_primitives::spending::SpendContext;
use tally_primitives::units::Height;

fn main() {
    divan::main();
}

/// From 32 and 64 bytes to the verdict: the key's point is found anew each time, as when a transaction arrives.
#[divan::bench]
fn schnorr_verify_with_key_parsing(bencher: Bencher<'_, '_>) {
    let secret = secret_key(0);
    let key = *secret.public_key().as_bytes();
    let signature = *secret.sign(&MESSAGE).as_bytes();
    bencher.counter(ItemsCount::new(1_u32)).bench(|| {
        let key = PublicKey::from_bytes(black_box(key));
        key.verify(&MESSAGE, &Signature::from_bytes(black_box(signature)))
    });
}

#[divan::bench]
fn schnorr_sign(bencher: Bencher<'_, '_>) {
    let secret = secret_key(0);
    bencher.counter(ItemsCount::new(1_u32)).bench(|| secret.sign(black_box(&MESSAGE)));
}

/// Policies from one signature to sixteen; compare them with `schnorr_verify_with_key_parsing`.
#[divan::bench(args = ["key", "2 of 3", "hash lock", "16 of 16"])]
fn policy_evaluation(bencher: Bencher<'_, '_>, name: &str) {
    let spend = Spend::all().into_iter().find(|spend| spend.name == name).unwrap_or_else(Spend::key);
    let context = SpendContext { height: Height::new(100), coin_height: Height::new(1), sighash: &MESSAGE };
    bencher.bench(|| black_box(&spend.witness).evaluate(&context).is_ok());
}

/// The hash that must be the coin's lock (IN-04).
#[divan::bench(args = ["key", "2 of 3", "hash lock", "16 of 16"])]
fn policy_hash(bencher: Bencher<'_, '_>, name: &str) {
    let spend = Spend::all().into_iter().find(|spend| spend.name == name).unwrap_or_else(Spend::key);
    bencher.bench(|| black_box(&spend.witness).policy.hash());
}

#[divan::bench]
fn txid(bencher: Bencher<'_, '_>) {
    let transaction = payment(1);
    bencher.counter(ItemsCount::new(1_u32)).bench(|| black_box(&transaction).txid());
}

#[divan::bench]
fn wtxid(bencher: Bencher<'_, '_>) {
    let transaction = payment(1);
    bencher.counter(ItemsCount::new(1_u32)).bench(|| black_box(&transaction).wtxid());
}

#[divan::bench]
fn encode_full_block(bencher: Bencher<'_, '_>) {
    let block = full_block();
    bencher.counter(BytesCount::new(block.encoded_size())).bench(|| encode::encode(black_box(&block)));
}

#[divan::bench]
fn decode_full_block(bencher: Bencher<'_, '_>) {
    let bytes = encode::encode(&full_block());
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench(|| encode::decode::<Block>(black_box(&bytes), MAX_BLOCK_SIZE).is_ok());
}
