use super::{CompactBlock, ShortIdKey, ascend_below};
use crate::limits::{COMPACT_BLOCK_TARGET_BYTES, MAX_PREFILLED_BYTES};
use crate::message::Message;
use siphasher::sip::SipHasher24;
use std::sync::Arc;
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, sha256};
use tally_primitives::pow::CompactTarget;
use tally_primitives::transaction::{Output, Transaction};
use tally_primitives::units::{Amount, Height};

fn block(transactions: u32, coinbase_outputs: usize) -> Block {
    let header = Header {
        version: 0x2000_0000,
        prev_block: BlockHash::from_bytes([1; 32]),
        merkle_root: MerkleRoot::from_bytes([2; 32]),
        time: 1_700_000_000,
        bits: CompactTarget::from_bits(0x207f_ffff),
        nonce: 7,
    };
    let output = Output { value: Amount::ONE_TALLY, lock: LockHash::ZERO };
    let other = |number: u32| Transaction::coinbase(Height::new(number), &[0; 80], vec![output; 2]);
    let coinbase = Transaction::coinbase(Height::new(1), &[], vec![output; coinbase_outputs]);
    Block { header, transactions: std::iter::once(coinbase).chain((1..transactions).map(other)).collect() }
}

/// The vector of the SipHash paper (Aumasson, Bernstein 2012, appendix A): key 00 … 0f, input 00 … 0e.
#[test]
fn siphash_is_that_of_the_paper() {
    let input: Vec<u8> = (0..15).collect();
    let hasher = SipHasher24::new_with_keys(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
    assert_eq!(hasher.hash(&input), 0xa129_ca61_49be_45e5);
}

#[test]
fn short_ids_are_keyed_by_header_and_nonce() {
    let block = block(2, 1);
    let wtxid = block.transactions[1].wtxid();
    let mut salted = block.header.to_bytes().to_vec();
    salted.extend_from_slice(&5_u64.to_le_bytes());
    let key = sha256(&salted);
    let half = |at: usize| u64::from_le_bytes(key[at..at + 8].try_into().unwrap());
    let hash = SipHasher24::new_with_keys(half(0), half(8)).hash(wtxid.as_bytes());
    let short_id = ShortIdKey::new(&block.header, 5).short_id(&wtxid);
    assert_eq!(short_id.0, hash.to_le_bytes()[..6], "the low six bytes");
    assert_eq!(short_id.to_u64(), hash & 0xffff_ffff_ffff);
    assert_ne!(ShortIdKey::new(&block.header, 6).short_id(&wtxid), short_id);
    let other = Header { nonce: 8, ..block.header };
    assert_ne!(ShortIdKey::new(&other, 5).short_id(&wtxid), short_id);
}

#[test]
fn the_coinbase_is_prefilled_and_so_is_news() {
    let block = block(10, 1);
    let compact = CompactBlock::new(&block, &block.wtxids(), 1, |place| place == 4 || place == 9);
    let places: Vec<u16> = compact.prefilled.iter().map(|prefilled| prefilled.index).collect();
    assert_eq!(places, [0, 4, 9]);
    assert_eq!(*compact.prefilled[1].transaction, block.transactions[4]);
    assert_eq!((compact.short_ids.len(), compact.transaction_count()), (7, 10));
    assert!(compact.is_well_formed());
}

#[test]
fn news_is_prefilled_only_as_long_as_the_message_fits_into_one_flight() {
    for transactions in [50, 500, 1_000, 2_000] {
        let block = block(transactions, 1);
        let compact = CompactBlock::new(&block, &block.wtxids(), 1, |_| true);
        let prefilled = compact.prefilled.len();
        let size = Message::CompactBlock(Arc::new(compact)).payload_size();
        let all_ids = 6 * block.transactions.len();
        if all_ids < COMPACT_BLOCK_TARGET_BYTES - 500 {
            assert!(prefilled > 1 && size <= COMPACT_BLOCK_TARGET_BYTES, "{transactions}: {size} bytes");
        } else {
            assert_eq!(prefilled, 1, "the coinbase alone");
        }
    }
}

#[test]
fn a_coinbase_beyond_the_limit_is_not_prefilled() {
    let whole = block(3, 240);
    assert!(whole.transactions[0].encoded_size() < MAX_PREFILLED_BYTES);
    assert_eq!(CompactBlock::new(&whole, &whole.wtxids(), 1, |_| false).prefilled.len(), 1);
    let long = block(3, 260);
    let compact = CompactBlock::new(&long, &long.wtxids(), 1, |_| false);
    assert_eq!((compact.prefilled.len(), compact.short_ids.len()), (0, 3));
}

#[test]
fn places_have_to_ascend_within_the_block() {
    for (places, bound, expected) in [
        (&[][..], 0, true),
        (&[0, 1, 5], 6, true),
        (&[0, 1, 5], 5, false),
        (&[1, 1], 5, false),
        (&[2, 1], 5, false),
        (&[0], 0, false),
    ] {
        assert_eq!(ascend_below(places.iter().copied(), bound), expected, "{places:?} below {bound}");
    }
}
