//! A small chain's knowledge, and blocks to put before it.

use std::collections::BTreeMap;

use tally_consensus::RuleError;
use tally_consensus::block::{check_block, check_coinbase_value};
use tally_consensus::header::{HeaderContext, check_header};
use tally_consensus::inputs::{InputContext, check_coin_exists, check_inputs};
use tally_consensus::subsidy::subsidy;
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::spending::SpendingPolicy;
use tally_primitives::transaction::{Coin, OutPoint, Output, Transaction};
use tally_primitives::units::Amount;

use crate::support::{
    HEIGHT, block, coin, coinbase, context, input, key, mined, outpoint, output, params, preimage, signature,
    transaction,
};

/// What a chain knows when it judges a block at [`HEIGHT`].
pub struct World {
    pub params: Params,
    pub genesis: BlockHash,
    pub context: HeaderContext,
    coins: BTreeMap<OutPoint, Coin>,
}

impl World {
    /// Coins 1 and 2 are ordinary, 3 is a coinbase coin that has just matured, 4 one that matures one block later. Coin
    /// `n` has 100 notches and belongs to key `n`.
    pub fn new() -> World {
        let params = params();
        let mut coins: BTreeMap<_, _> = [(1, 5), (2, 6), (3, 10), (4, 11)]
            .map(|(seed, height)| (outpoint(seed), coin(100, &key(seed), height)))
            .into();
        for seed in [3, 4] {
            coins.entry(outpoint(seed)).and_modify(|coin| coin.coinbase = true);
        }
        World { genesis: params.genesis_hash(), context: context(), coins, params }
    }

    /// The verdict on a block, by every rule in the order in which a chain asks them.
    pub fn judge(&self, block: &Block) -> Result<(), RuleError> {
        check_header(&block.header, &self.context)?;
        check_block(block, HEIGHT)?;
        let mut coins = self.coins.clone();
        let mut fees = Amount::ZERO;
        for transaction in &block.transactions[1..] {
            let mut spent = Vec::new();
            for input in &transaction.inputs {
                spent.push(check_coin_exists(&input.outpoint, coins.remove(&input.outpoint))?);
            }
            let fee = check_inputs(transaction, &spent, &self.input_context())?;
            fees = fees.checked_add(fee).expect("the tests' fees are small");
            let txid = transaction.txid();
            coins.extend((0..).zip(&transaction.outputs).map(|(index, output)| {
                (OutPoint { txid, index }, Coin { output: *output, height: HEIGHT, coinbase: false })
            }));
        }
        check_coinbase_value(&block.transactions[0], subsidy(&self.params, HEIGHT), fees)
    }

    fn input_context(&self) -> InputContext {
        let coinbase_maturity = self.params.coinbase_maturity;
        InputContext { height: HEIGHT, coinbase_maturity, genesis: self.genesis }
    }

    /// Spends these coins by the keys of the same numbers.
    pub fn spend(&self, seeds: &[u8], outputs: Vec<Output>) -> Transaction {
        let inputs = seeds.iter().map(|seed| input(outpoint(*seed), &key(*seed))).collect();
        let mut transaction = transaction(inputs, outputs);
        let spent: Vec<_> = seeds.iter().filter_map(|seed| self.coins.get(&outpoint(*seed)).copied()).collect();
        for (index, seed) in seeds.iter().enumerate() {
            transaction.inputs[index].witness.signatures = vec![signature(*seed, &transaction, &spent, &self.genesis)];
        }
        transaction
    }

    /// Adds coin 9, locked to `locked` at height 15, and spends it by revealing `revealed`.
    pub fn reveal(
        &mut self,
        locked: &SpendingPolicy,
        revealed: &SpendingPolicy,
        keys: &[u8],
        preimages: &[u8],
    ) -> Block {
        let spent = coin(100, locked, 15);
        self.coins.insert(outpoint(9), spent);
        let mut transaction = transaction(vec![input(outpoint(9), revealed)], vec![output(90)]);
        let signatures = keys.iter().map(|seed| signature(*seed, &transaction, &[spent], &self.genesis)).collect();
        let witness = &mut transaction.inputs[0].witness;
        witness.signatures = signatures;
        witness.preimages = preimages.iter().copied().map(preimage).collect();
        with(vec![transaction])
    }

    /// A block that spends coin 9 by revealing the very policy that locks it.
    pub fn open(&mut self, policy: &SpendingPolicy, keys: &[u8], preimages: &[u8]) -> Block {
        self.reveal(policy, policy, keys, preimages)
    }

    pub fn honest(&self) -> Block {
        with(vec![self.spend(&[1], vec![output(90)])])
    }
}

/// A mined block of a modest coinbase and these transactions.
pub fn with(others: Vec<Transaction>) -> Block {
    block(std::iter::once(coinbase(HEIGHT, 1)).chain(others).collect())
}

/// The block with another header, mined again.
pub fn with_header(mut block: Block, change: impl FnOnce(&mut Header)) -> Block {
    change(&mut block.header);
    Block { header: mined(block.header), ..block }
}

/// The spending of the first output of `transaction`, which is locked to `seed`'s key.
pub fn child(world: &World, parent: &Transaction, seed: u8) -> Transaction {
    let mut child = transaction(vec![input(OutPoint { txid: parent.txid(), index: 0 }, &key(seed))], vec![output(1)]);
    let spent = Coin { output: parent.outputs[0], height: HEIGHT, coinbase: false };
    child.inputs[0].witness.signatures = vec![signature(seed, &child, &[spent], &world.genesis)];
    child
}

pub fn pay(seed: u8, notches: u64) -> Output {
    Output { value: Amount::from_notches(notches), lock: key(seed).hash() }
}
