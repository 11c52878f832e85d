use super::{CoinbaseWork, Work};
use crate::sha256::sha256d;

fn work(extra_nonce_size: usize) -> CoinbaseWork {
    CoinbaseWork {
        header: [7; 80],
        version_mask: 0,
        target: [1; 32],
        coinbase_prefix: vec![1, 2],
        coinbase_suffix: vec![9],
        extra_nonce_size,
        branch: vec![[3; 32], [4; 32]],
    }
}

#[test]
fn the_extra_nonce_stands_between_prefix_and_suffix() {
    assert_eq!(work(2).coinbase(0x0305), Some(vec![1, 2, 5, 3, 9]));
}

#[test]
fn an_extra_nonce_too_large_for_its_field_ends_the_work() {
    assert!(work(1).header(255).is_some());
    assert!(work(1).header(256).is_none());
    assert!(work(8).header(u64::MAX).is_some());
}

#[test]
fn the_header_carries_the_root_of_the_branch() {
    let header = work(1).header(5).unwrap();
    let leaf = sha256d(&[1, 2, 5, 9]);
    let inner = sha256d(&[leaf, [3; 32]].concat());
    let root = sha256d(&[inner, [4; 32]].concat());
    assert_eq!(header[36..68], root);
    assert_eq!((&header[..36], &header[68..]), (&[7; 36][..], &[7; 12][..]));
}
