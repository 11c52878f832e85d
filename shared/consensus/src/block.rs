//! Rules about a block in isolation: its header, its transactions and its height (BLK-01 to BLK-06).

use tally_primitives::block::{Block, MAX_BLOCK_SIZE};
use tally_primitives::hash::{MerkleRoot, Wtxid};
use tally_primitives::merkle;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Amount, Height};

use crate::error::{CoinbaseFault, RuleError};
use crate::transaction::{Place, check_transaction_at};

/// All rules about a block's body that need no coins: BLK-01 to BLK-05 and the rules of every transaction in isolation.
/// The header's own rules are [`check_header`](crate::header::check_header)'s.
///
/// The order matters. BLK-02 and BLK-03 come first: until they hold, the body is not known to be the one that the
/// header commits to, and a verdict on it must not fall on an honest block with the same hash.
///
/// # Errors
/// The first rule that is broken.
pub fn check_block(block: &Block, height: Height) -> Result<(), RuleError> {
    check_block_with(block, &block.wtxids(), height)
}

/// As [`check_block`], for a caller that has the transactions' wtxids already: to hash them is most of the work.
///
/// # Errors
/// The first rule that is broken.
pub fn check_block_with(block: &Block, wtxids: &[Wtxid], height: Height) -> Result<(), RuleError> {
    let (root, mutated) = merkle::root_and_mutation(wtxids);
    judge_merkle_root(block, root)?;
    judge_mutation(root, mutated)?;
    check_block_size(block)?;
    check_coinbase_position(block)?;
    for (position, transaction) in block.transactions.iter().enumerate() {
        let place = if position == 0 { Place::FirstInBlock } else { Place::Elsewhere };
        check_transaction_at(transaction, place)?;
    }
    check_coinbase_height(block, height)
}

/// BLK-01: there is a first transaction, and it alone is a coinbase.
///
/// # Errors
/// [`RuleError::BadCoinbasePosition`].
pub fn check_coinbase_position(block: &Block) -> Result<(), RuleError> {
    let transactions = block.transactions.len();
    let fault = match block.transactions.split_first() {
        None => CoinbaseFault::Empty,
        Some((first, _)) if !first.is_coinbase() => CoinbaseFault::FirstIsNotCoinbase,
        Some((_, rest)) => match rest.iter().position(Transaction::is_coinbase) {
            Some(index) => CoinbaseFault::Second { position: index + 1 },
            None => return Ok(()),
        },
    };
    Err(RuleError::BadCoinbasePosition { transactions, fault })
}

/// BLK-02: the Merkle root of the transactions is the header's. A mismatch says nothing about the header: it is another
/// body.
///
/// # Errors
/// [`RuleError::MerkleRootMismatch`].
pub fn check_merkle_root(block: &Block) -> Result<(), RuleError> {
    judge_merkle_root(block, block.merkle_root())
}

fn judge_merkle_root(block: &Block, computed: MerkleRoot) -> Result<(), RuleError> {
    let header = block.header.merkle_root;
    if computed == header { Ok(()) } else { Err(RuleError::MerkleRootMismatch { header, computed }) }
}

/// BLK-03: the Merkle tree is not a mutated one (CVE-2012-2459): a list of transactions that repeats its own tail has
/// the root of the shorter, honest list. Such a block is refused, but not marked invalid by its hash, which is the
/// honest block's too.
///
/// # Errors
/// [`RuleError::MutatedMerkleTree`].
pub fn check_merkle_not_mutated(block: &Block) -> Result<(), RuleError> {
    let (root, mutated) = merkle::root_and_mutation(&block.wtxids());
    judge_mutation(root, mutated)
}

fn judge_mutation(root: MerkleRoot, mutated: bool) -> Result<(), RuleError> {
    if mutated { Err(RuleError::MutatedMerkleTree { root }) } else { Ok(()) }
}

/// BLK-04: the encoded size, header included, is at most 1,000,000 bytes.
///
/// # Errors
/// [`RuleError::BlockTooLarge`].
pub fn check_block_size(block: &Block) -> Result<(), RuleError> {
    let size = block.encoded_size();
    if size <= MAX_BLOCK_SIZE { Ok(()) } else { Err(RuleError::BlockTooLarge { size, max: MAX_BLOCK_SIZE }) }
}

/// BLK-05: the coinbase memo starts with the height, so no two coinbases have the same txid.
///
/// # Errors
/// [`RuleError::WrongCoinbaseHeight`].
pub fn check_coinbase_height(block: &Block, height: Height) -> Result<(), RuleError> {
    let found = block.transactions.first().and_then(Transaction::coinbase_height);
    if found == Some(height) { Ok(()) } else { Err(RuleError::WrongCoinbaseHeight { expected: height, found }) }
}

/// BLK-06: the coinbase claims at most subsidy plus fees. Claiming less destroys the rest.
///
/// # Errors
/// [`RuleError::CoinbaseClaimsTooMuch`].
pub fn check_coinbase_value(coinbase: &Transaction, subsidy: Amount, fees: Amount) -> Result<(), RuleError> {
    // Sums that overflow: claims beyond counting are the largest possible claim, an allowance beyond counting allows
    // everything that can be counted. Neither is reachable when TX-02 and IN-03 hold.
    let most = Amount::from_notches(u64::MAX);
    let allowed = subsidy.checked_add(fees).unwrap_or(most);
    match Amount::checked_sum(coinbase.outputs.iter().map(|output| output.value)) {
        Some(claimed) if claimed <= allowed => Ok(()),
        claimed => Err(RuleError::CoinbaseClaimsTooMuch { claimed: claimed.unwrap_or(most), allowed }),
    }
}
