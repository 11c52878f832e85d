//! What is hashed is what is submitted.

use tally_kernels::Work;
use tally_node_core::mempool::{Mempool, RelayPolicy};
use tally_node_core::mining::BlockTemplate;
use tally_node_core::testing::{TestChain, lock_of, now, rich_key};

use super::{Found, assemble, coinbase_work};

/// What the engine hashes is what the node would build itself, for every extra nonce.
#[test]
fn the_engines_header_is_the_blocks() {
    let chain = TestChain::new();
    let mempool = Mempool::new(RelayPolicy::default());
    let template = BlockTemplate::build(&chain.chain, &mempool, now());
    let lock = lock_of(&rich_key());
    let work = coinbase_work(&template, lock, &[3; 8]);
    for extra_nonce in [0, 1, 255, 256, u64::MAX] {
        let header_bytes = work.header(extra_nonce).unwrap();
        let found = Found { job_id: 1, extra_nonce, header_bytes, hash: [0; 32] };
        let block = assemble(&template, lock, &[3; 8], &found);
        assert_eq!(block.header.merkle_root, block.merkle_root());
        assert_eq!(block.header.prev_block, chain.chain.tip().hash);
    }
}
