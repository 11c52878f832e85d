use super::{Known, Reconstruction};
use crate::testing::{self, BlockBuilder};
use std::sync::Arc;
use tally_primitives::block::Block;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::Height;
use tally_wire::CompactBlock;

fn payments(count: usize) -> Vec<Transaction> {
    let params = testing::params();
    testing::allocations(&params)[..count].iter().map(|coin| testing::pay_on(&params, coin, 1_000)).collect()
}

fn block_of(payments: &[Transaction]) -> Block {
    let params = testing::params();
    let builder = BlockBuilder::on(&params, &params.genesis().header, Height::GENESIS);
    payments.iter().fold(builder, |builder, payment| builder.with(payment.clone())).build()
}

fn compact(block: &Block) -> CompactBlock {
    CompactBlock::new(block, &block.wtxids(), 5, |_| false)
}

fn offer(reconstruction: &mut Reconstruction, transaction: &Transaction) -> bool {
    reconstruction.offer(&transaction.wtxid(), || Some(Known::new(Arc::new(transaction.clone()))))
}

#[test]
fn a_block_is_put_together_from_what_is_at_hand_and_what_is_sent() {
    let payments = payments(5);
    let block = block_of(&payments);
    let mut reconstruction = Reconstruction::begin(&compact(&block)).unwrap();
    assert_eq!(reconstruction.missing(), [1, 2, 3, 4, 5]);
    for payment in [&payments[3], &payments[0], &payments[0]] {
        assert!(offer(&mut reconstruction, payment));
    }
    assert_eq!(reconstruction.missing(), [2, 3, 5]);
    let rest: Vec<_> = [1, 2, 4].map(|index| Arc::new(payments[index].clone())).to_vec();
    assert!(!reconstruction.fill(rest[..2].to_vec()), "too few");
    assert!(reconstruction.fill(rest));
    let (whole, ids) = reconstruction.into_block().unwrap();
    assert_eq!(whole, block);
    assert_eq!(ids, crate::chain::ids::BlockIds::of(&block));
}

#[test]
fn nothing_more_is_looked_at_once_all_is_there() {
    let payments = payments(2);
    let mut reconstruction = Reconstruction::begin(&compact(&block_of(&payments))).unwrap();
    assert!(offer(&mut reconstruction, &payments[0]));
    assert!(!offer(&mut reconstruction, &payments[1]));
    let empty = block_of(&[]);
    assert_eq!(Reconstruction::begin(&compact(&empty)).unwrap().into_block().unwrap().0, empty);
}

#[test]
fn a_block_is_not_whole_before_nothing_is_missing() {
    let payments = payments(2);
    let mut reconstruction = Reconstruction::begin(&compact(&block_of(&payments))).unwrap();
    offer(&mut reconstruction, &payments[0]);
    assert!(reconstruction.into_block().is_none());
}

#[test]
fn equal_short_ids_in_one_block_say_nothing() {
    let mut twice = compact(&block_of(&payments(2)));
    twice.short_ids[1] = twice.short_ids[0];
    assert!(Reconstruction::begin(&twice).is_none());
}

/// Real collisions of 48 bits take too long to find: here the compact block names another transaction's short id.
#[test]
fn of_two_transactions_with_one_short_id_none_is_taken() {
    let payments = payments(3);
    let mut reconstruction = Reconstruction::begin(&compact(&block_of(&payments[..1]))).unwrap();
    let id = reconstruction.wanted[0].0;
    assert!(!offer(&mut reconstruction, &payments[0]));
    let other = payments[1].wtxid();
    reconstruction.wanted[0].0 = reconstruction.key.short_id(&other).to_u64();
    assert_ne!(reconstruction.wanted[0].0, id);
    offer(&mut reconstruction, &payments[1]);
    assert_eq!(reconstruction.missing(), [1], "the sender has to say which one it is");
    offer(&mut reconstruction, &payments[1]);
    assert_eq!(reconstruction.missing(), [1]);
}
