//! Trivial blocks, keys and payments, for the tests of this crate and for the simulator (feature `testing`).
//!
//! The network is like devnet: the easiest target always, so a block takes two hashes.

use std::sync::Arc;

use tally_consensus::header::VERSION_TOP_BITS;
use tally_consensus::subsidy::subsidy;
use tally_primitives::address::Address;
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot};
use tally_primitives::keys::SecretKey;
use tally_primitives::params::{Allocation, Params};
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{CURRENT_VERSION, Coin, Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height, Timestamp};

use crate::chain::memory::MemoryStore;
use crate::chain::{BlockOutcome, Chain, ChainError};
use crate::mining::BlockTemplate;

/// Coinbase maturity of the test network, in blocks.
pub const MATURITY: u32 = 5;
/// Number of coins that genesis gives to [`rich_key`].
pub const ALLOCATIONS: u32 = 20;

/// Devnet with a short maturity, and with [`ALLOCATIONS`] coins of 100 TALLY for [`rich_key`].
pub fn params() -> Arc<Params> {
    let mut params = Params { name: "core-test".to_owned(), coinbase_maturity: MATURITY, ..Params::devnet() };
    let address = Address::new(params.address_prefix.clone(), lock_of(&rich_key()));
    let allocation = Allocation { address, value: coin_value() };
    params.allocations = (0..ALLOCATIONS).map(|_| allocation.clone()).collect();
    Arc::new(params)
}

/// What each allocated coin is worth: 100 TALLY.
pub fn coin_value() -> Amount {
    Amount::from_notches(100 * Amount::ONE_TALLY.to_notches())
}

/// A time that is later than the time of any test block.
pub fn now() -> Timestamp {
    Timestamp::from_seconds(Params::devnet().genesis_time + 10_000_000)
}

/// A key made of a number.
///
/// # Panics
/// Never: every such number is a key.
pub fn key(number: u64) -> SecretKey {
    let mut bytes = [7; 32];
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    SecretKey::from_bytes(&bytes).expect("far below the group's order")
}

/// The key that the allocations belong to.
pub fn rich_key() -> SecretKey {
    key(1)
}

/// The lock that one signature of a key opens.
pub fn lock_of(key: &SecretKey) -> LockHash {
    SpendingPolicy::Key(key.public_key()).hash()
}

/// The allocated coins: where they are and what they are.
pub fn allocations(params: &Params) -> Vec<(OutPoint, Output)> {
    outputs_of(&params.genesis().transactions[0])
}

/// A transaction's outputs with their outpoints.
pub fn outputs_of(transaction: &Transaction) -> Vec<(OutPoint, Output)> {
    let txid = transaction.txid();
    (0u32..).zip(&transaction.outputs).map(|(index, output)| (OutPoint { txid, index }, *output)).collect()
}

/// A transaction that spends coins of one key.
pub fn spend(params: &Params, key: &SecretKey, coins: &[(OutPoint, Output)], outputs: Vec<Output>) -> Transaction {
    let policy = SpendingPolicy::Key(key.public_key());
    let witness = Witness { policy, signatures: Vec::new(), preimages: Vec::new() };
    let inputs = coins.iter().map(|(outpoint, _)| Input { outpoint: *outpoint, witness: witness.clone() }).collect();
    let mut transaction = Transaction { version: CURRENT_VERSION, inputs, outputs, memo: Vec::new() };
    sign(params, key, coins, &mut transaction);
    transaction
}

/// Signs every input of a transaction with one key.
pub fn sign(params: &Params, key: &SecretKey, coins: &[(OutPoint, Output)], transaction: &mut Transaction) {
    let spent: Vec<Output> = coins.iter().map(|(_, output)| *output).collect();
    let signature = key.sign(&transaction.sighash(&params.genesis_hash(), &spent));
    for input in &mut transaction.inputs {
        input.witness.signatures = vec![signature];
    }
}

/// A payment of one coin of [`rich_key`] to itself, less a fee in notches.
///
/// # Panics
/// When the fee is more than the coin.
pub fn pay_on(params: &Params, coin: &(OutPoint, Output), fee: u64) -> Transaction {
    let value = coin.1.value.checked_sub(Amount::from_notches(fee)).expect("the fee is less than the coin");
    spend(params, &rich_key(), &[*coin], vec![Output { value, lock: coin.1.lock }])
}

/// Splits a coin of [`rich_key`] into `parts` of equal value, less a fee in notches.
///
/// # Panics
/// When the fee is more than the coin.
pub fn split(params: &Params, coin: &(OutPoint, Output), parts: u64, fee: u64) -> Transaction {
    let value = coin.1.value.checked_sub(Amount::from_notches(fee)).expect("the fee is less than the coin");
    let part = Output { value: Amount::from_notches(value.to_notches() / parts), lock: coin.1.lock };
    spend(params, &rich_key(), &[*coin], (0..parts).map(|_| part).collect())
}

/// Finds the nonce that meets the header's own target.
///
/// # Panics
/// When the bits stand for no target.
pub fn grind(header: &mut Header) {
    let target = header.bits.to_target().expect("bits of a test block are a target");
    while !target.is_met_by(&header.hash()) {
        header.nonce = header.nonce.wrapping_add(1);
    }
}

/// The template's block, mined.
pub fn mine_template(template: &BlockTemplate, payout: LockHash, extra: &[u8]) -> Block {
    let mut block = template.block(payout, extra);
    grind(&mut block.header);
    block
}

/// Makes a block, honest unless told otherwise.
#[derive(Debug, Clone)]
pub struct BlockBuilder {
    params: Arc<Params>,
    prev_block: BlockHash,
    height: Height,
    time: u32,
    claim: Amount,
    payout: LockHash,
    extra: Vec<u8>,
    transactions: Vec<Transaction>,
}

impl BlockBuilder {
    /// A block on top of `parent`, which stands at `parent_height`: one second later, with the full subsidy.
    pub fn on(params: &Arc<Params>, parent: &Header, parent_height: Height) -> Self {
        let height = parent_height.next();
        Self {
            prev_block: parent.hash(),
            height,
            time: parent.time + 1,
            claim: subsidy(params, height),
            payout: lock_of(&rich_key()),
            extra: Vec::new(),
            transactions: Vec::new(),
            params: params.clone(),
        }
    }

    /// Bytes that set it apart from its siblings.
    #[must_use]
    pub fn extra(mut self, number: u64) -> Self {
        self.extra = number.to_le_bytes().to_vec();
        self
    }

    /// Another time, in seconds since the Unix epoch.
    #[must_use]
    pub fn time(mut self, time: u32) -> Self {
        self.time = time;
        self
    }

    /// One more transaction, whose fee is not claimed.
    #[must_use]
    pub fn with(mut self, transaction: Transaction) -> Self {
        self.transactions.push(transaction);
        self
    }

    /// The coinbase claims this instead of the subsidy.
    #[must_use]
    pub fn claim(mut self, claim: Amount) -> Self {
        self.claim = claim;
        self
    }

    /// The block, mined.
    pub fn build(self) -> Block {
        let coinbase =
            Transaction::coinbase(self.height, &self.extra, vec![Output { value: self.claim, lock: self.payout }]);
        let header = Header {
            version: VERSION_TOP_BITS,
            prev_block: self.prev_block,
            merkle_root: MerkleRoot::ZERO,
            time: self.time,
            bits: self.params.limit,
            nonce: 0,
        };
        let transactions = std::iter::once(coinbase).chain(self.transactions).collect();
        sealed(Block { header, transactions })
    }
}

/// The block with its Merkle root and proof of work made right, whatever else is wrong with it.
pub fn sealed(mut block: Block) -> Block {
    block.header.merkle_root = block.merkle_root();
    grind(&mut block.header);
    block
}

/// A chain on a store in memory, whose change sets are applied at once.
pub struct TestChain {
    /// The chain.
    pub chain: Chain,
    /// Its store.
    pub store: MemoryStore,
}

impl TestChain {
    /// A new chain of the test network.
    pub fn new() -> Self {
        Self::open(MemoryStore::new()).expect("an empty store opens")
    }

    /// The chain of a store.
    ///
    /// # Errors
    /// As [`Chain::open`].
    pub fn open(store: MemoryStore) -> Result<Self, ChainError> {
        let chain = Chain::open(params(), Box::new(store.clone()))?;
        let mut opened = Self { chain, store };
        opened.store_changes();
        Ok(opened)
    }

    /// Stores what the chain wants stored, as a driver does.
    ///
    /// # Panics
    /// When a change set does not fit the store.
    pub fn store_changes(&mut self) {
        while let Some(changes) = self.chain.take_changes() {
            self.store.apply(changes).expect("change sets fit");
        }
        self.chain.changes_applied();
    }

    /// Offers a block, and stores what follows from it.
    ///
    /// # Errors
    /// As [`Chain::accept_block`], and the block's own verdict.
    pub fn offer(&mut self, block: &Block) -> Result<BlockOutcome, ChainError> {
        let outcome = self.chain.accept_block(Arc::new(block.clone()), now());
        self.store_changes();
        let outcome = outcome?;
        outcome.verdict().map(|()| outcome)
    }

    /// A builder for a block on top of the tip.
    pub fn next(&self) -> BlockBuilder {
        let tip = self.chain.tip();
        let header = self.chain.header(&tip.hash).expect("the tip has a header");
        BlockBuilder::on(self.chain.params(), header, tip.height)
    }

    /// A builder for a block on top of any block.
    pub fn on(&self, parent: &Block) -> BlockBuilder {
        let height = self.chain.height_of(&parent.hash()).expect("the parent is known");
        BlockBuilder::on(self.chain.params(), &parent.header, height)
    }

    /// Mines `count` empty blocks on the tip; `branch` sets them apart from others.
    ///
    /// # Panics
    /// When the chain refuses one.
    pub fn mine(&mut self, count: u32, branch: u64) -> Vec<Block> {
        let mine_one = |_| {
            let block = self.next().extra(branch).build();
            self.offer(&block).expect("an honest block is accepted");
            block
        };
        (0..count).map(mine_one).collect()
    }

    /// The block at a height of the active chain.
    ///
    /// # Panics
    /// When there is none.
    pub fn block_at(&self, height: u32) -> Block {
        let hash = self.chain.block_at(Height::new(height)).expect("the chain is that high");
        Block::clone(&self.chain.block(&hash).expect("the store answers").expect("the body is stored"))
    }

    /// A coin as the chain sees it.
    ///
    /// # Panics
    /// When the store fails.
    pub fn coin(&self, outpoint: &OutPoint) -> Option<Coin> {
        self.chain.coin(outpoint).expect("the store answers")
    }
}

impl Default for TestChain {
    fn default() -> Self {
        Self::new()
    }
}

/// `count` empty blocks on top of a block, which need not be known to any chain.
pub fn branch_on(params: &Arc<Params>, parent: &Header, height: Height, count: u32, branch: u64) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut parent, mut height) = (*parent, height);
    for _ in 0..count {
        let block = BlockBuilder::on(params, &parent, height).extra(branch).build();
        (parent, height) = (block.header, height.next());
        blocks.push(block);
    }
    blocks
}
