use tally_consensus::error::RuleId;
use tally_node_core::testing::{TestChain, allocations, pay_on};
use tally_primitives::block::Block;
use tally_primitives::encode::{self, DecodeError};

use super::{decode, word};

/// A block as Bitcoin's miners write it.
fn compact(block: &Block, count: &[u8]) -> String {
    let bytes = encode::encode(block);
    hex::encode([&bytes[..80], count, &bytes[88..]].concat())
}

#[test]
fn both_forms_are_the_same_block() {
    let chain = TestChain::new();
    let params = chain.chain.params().clone();
    for payments in [0, 1, 5] {
        let pay = |coin| pay_on(&params, coin, 1_000);
        let coins = allocations(&params);
        let block = coins[..payments].iter().map(pay).fold(chain.next(), |block, payment| block.with(payment)).build();
        assert_eq!(decode(&hex::encode(encode::encode(&block))), Ok(block.clone()));
        let count = u8::try_from(payments + 1).unwrap();
        assert_eq!(decode(&compact(&block, &[count])), Ok(block.clone()));
        assert_eq!(decode(&compact(&block, &[0xfd, count, 0])), Ok(block.clone()));
        assert_eq!(decode(&compact(&block, &[0xfe, count, 0, 0, 0])), Ok(block.clone()));
        assert!(decode(&compact(&block, &[count + 1])).is_err());
        assert!(decode(&compact(&block, &[count - 1])).is_err());
        assert!(decode(&compact(&block, &[0xff; 9])).is_err(), "a huge count allocates nothing");
    }
}

#[test]
fn what_is_no_block_is_said_so() {
    for text in ["", "00", &"00".repeat(80), &"ff".repeat(200), "zz", "0"] {
        assert!(decode(text).is_err(), "{text}");
    }
    assert!(matches!(decode(&"00".repeat(1_000_001)), Err(DecodeError::TooLong { .. })));
}

#[test]
fn every_rule_has_a_word() {
    for rule in RuleId::ALL {
        let word = word(*rule);
        let known = ["high-hash", "time-too-old", "time-too-new"].contains(&word) || word.starts_with("bad-");
        assert!(known, "{rule}: {word}");
    }
}
