//! A node's template with our coinbase: work for the engine, and what the engine finds back into a block.

use tally_kernels::{BIP_320_MASK, CoinbaseWork, Found};
use tally_primitives::block::{Block, Header};
use tally_primitives::encode;
use tally_primitives::hash::{LockHash, MerkleRoot, Wtxid};
use tally_primitives::merkle;
use tally_primitives::transaction::{MAX_ENCODED_SIZE, Output, Transaction};
use tally_rpc::mining::BlockTemplate;

/// Bytes of the extra nonce, the last bytes of the coinbase's memo.
const EXTRA_NONCE_SIZE: usize = 8;

/// What a node's template may be wrong in. A correct node gives no such template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The target is not what the bits say.
    #[error("the node's template contradicts itself: bits {bits} are not its target {target}")]
    TargetMismatch {
        /// The template's bits.
        bits: String,
        /// The template's target.
        target: String,
    },
    /// A transaction cannot be decoded, or is another one.
    #[error("transaction {index} of the node's template is broken: {reason}")]
    BadTransaction {
        /// Its place in the template.
        index: usize,
        /// What is wrong.
        reason: String,
    },
    /// The block would be larger than the template allows.
    #[error("the node's template makes a block of {size} bytes, more than its own limit of {limit}")]
    TooLarge {
        /// The block's size in bytes, with our coinbase.
        size: u64,
        /// The template's limit in bytes.
        limit: u64,
    },
}

/// A template that has been checked.
#[derive(Clone, Debug)]
pub struct Template {
    answer: BlockTemplate,
    transactions: Vec<Transaction>,
    branch: Vec<MerkleRoot>,
}

impl Template {
    /// Checks what the node sent: a block must be possible on it.
    ///
    /// # Errors
    /// See [`TemplateError`].
    pub fn new(answer: BlockTemplate) -> Result<Template, TemplateError> {
        if answer.bits.to_target() != Ok(answer.target) {
            let (bits, target) = (answer.bits.to_string(), answer.target.to_string());
            return Err(TemplateError::TargetMismatch { bits, target });
        }
        let mut transactions = Vec::with_capacity(answer.transactions.len());
        for (index, entry) in answer.transactions.iter().enumerate() {
            let broken = |reason: String| TemplateError::BadTransaction { index, reason };
            let transaction: Transaction =
                encode::decode_hex(&entry.data, MAX_ENCODED_SIZE).map_err(|error| broken(error.to_string()))?;
            if transaction.wtxid() != entry.hash {
                return Err(broken(format!("its hash is {}, not {}", transaction.wtxid(), entry.hash)));
            }
            transactions.push(transaction);
        }
        let leaves: Vec<Wtxid> = answer.transactions.iter().map(|entry| entry.hash).collect();
        let branch = merkle::coinbase_branch(&leaves);
        Ok(Template { answer, transactions, branch })
    }

    /// What the node sent.
    #[must_use]
    pub fn answer(&self) -> &BlockTemplate {
        &self.answer
    }
}

/// A template as a job.
#[derive(Clone, Debug)]
pub struct BlockJob {
    work: CoinbaseWork,
    transactions: Vec<Transaction>,
}

impl BlockJob {
    /// Work on this template that pays `payout`. `tag` makes it different from any other miner's and any other job's.
    ///
    /// # Errors
    /// [`TemplateError::TooLarge`].
    pub fn new(template: &Template, payout: LockHash, tag: &[u8]) -> Result<BlockJob, TemplateError> {
        let answer = template.answer();
        let extra = [tag, &[0; EXTRA_NONCE_SIZE]].concat();
        let output = Output { value: answer.coinbasevalue, lock: payout };
        let coinbase = Transaction::coinbase(answer.height, &extra, vec![output]);
        let header = Header {
            version: answer.version,
            prev_block: answer.previousblockhash,
            merkle_root: MerkleRoot::ZERO,
            time: answer.curtime.max(answer.mintime),
            bits: answer.bits,
            nonce: 0,
        };
        let mut transactions = vec![coinbase];
        transactions.extend_from_slice(&template.transactions);
        let block = Block { header, transactions };
        let (size, limit) = (block.encoded_size() as u64, answer.sizelimit);
        if size > limit {
            return Err(TemplateError::TooLarge { size, limit });
        }
        // The memo is the last field of a transaction, and the extra nonce the last of the memo.
        let mut coinbase_prefix = encode::encode(&block.transactions[0]);
        coinbase_prefix.truncate(coinbase_prefix.len() - EXTRA_NONCE_SIZE);
        let work = CoinbaseWork {
            header: header.to_bytes(),
            version_mask: BIP_320_MASK,
            target: answer.target.to_be_bytes(),
            coinbase_prefix,
            coinbase_suffix: Vec::new(),
            extra_nonce_size: EXTRA_NONCE_SIZE,
            branch: template.branch.iter().map(|node| node.to_bytes()).collect(),
        };
        Ok(BlockJob { work, transactions: block.transactions })
    }

    /// For the engine.
    #[must_use]
    pub fn work(&self) -> &CoinbaseWork {
        &self.work
    }

    /// The block of a result; `None` if the result is not of this work.
    #[must_use]
    pub fn block(&self, found: &Found) -> Option<Block> {
        let coinbase = encode::decode(&self.work.coinbase(found.extra_nonce)?, MAX_ENCODED_SIZE).ok()?;
        let mut transactions = self.transactions.clone();
        *transactions.first_mut()? = coinbase;
        let block = Block { header: Header::from_bytes(&found.header_bytes), transactions };
        (block.merkle_root() == block.header.merkle_root).then_some(block)
    }
}

#[cfg(test)]
mod tests;
