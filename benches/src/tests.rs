use super::{MESSAGE, Spend, full_block, payment};
use tally_primitives::block::{Block, MAX_BLOCK_SIZE};
use tally_primitives::encode;
use tally_primitives::spending::SpendContext;
use tally_primitives::units::Height;

#[test]
fn every_witness_satisfies_its_policy() {
    let context = SpendContext { height: Height::new(100), coin_height: Height::new(1), sighash: &MESSAGE };
    for spend in Spend::all() {
        assert_eq!(spend.witness.policy.check_limits(), Ok(()), "{}", spend.name);
        assert_eq!(spend.witness.evaluate(&context), Ok(()), "{}", spend.name);
    }
}

#[test]
fn a_full_block_is_full_and_right() {
    let block = full_block();
    let size = block.encoded_size();
    assert!(size <= MAX_BLOCK_SIZE && size + payment(0).encoded_size() > MAX_BLOCK_SIZE, "{size} bytes");
    assert_eq!(block.header.merkle_root, block.merkle_root());
    assert_eq!(encode::decode::<Block>(&block.to_bytes(), MAX_BLOCK_SIZE).unwrap(), block);
}

#[test]
fn payments_differ() {
    assert_ne!(payment(1).txid(), payment(2).txid());
}
