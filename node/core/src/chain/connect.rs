//! One block joins the coin set, or leaves it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tally_consensus::block::check_coinbase_value;
use tally_consensus::error::RuleError;
use tally_consensus::inputs::{check_amounts, check_coin_exists, check_witnesses};
use tally_consensus::subsidy::subsidy;
use tally_primitives::block::Block;
use tally_primitives::hash::{BlockHash, Txid};
use tally_primitives::transaction::{Coin, OutPoint, Transaction};
use tally_primitives::units::{Amount, Height};

use crate::chain::ids::BlockIds;
use crate::chain::index::EntryId;
use crate::chain::store::{BlockStatus, BlockUndo, StoreError};
use crate::chain::writes::MAX_COIN_OPERATIONS;
use crate::chain::{Chain, ChainError};

/// Why a block could not be connected.
pub enum ConnectError {
    /// It breaks a rule.
    Rule(RuleError),
    /// The store does not have the body that it said it had.
    BodyLost,
    /// The store failed.
    Chain(ChainError),
}

impl From<StoreError> for ConnectError {
    fn from(error: StoreError) -> Self {
        Self::Chain(error.into())
    }
}

impl From<RuleError> for ConnectError {
    fn from(error: RuleError) -> Self {
        Self::Rule(error)
    }
}

/// The coin set inside a block that is being connected: what its transactions have taken and made so far.
#[derive(Debug, Default)]
struct BlockView {
    taken: BTreeMap<OutPoint, Coin>,
    made: BTreeMap<OutPoint, Coin>,
}

/// A block's coins, gathered in order: undo data, the sum of fees, and the changes to the coin set.
#[derive(Debug, Default)]
pub(super) struct Walk {
    undo: BlockUndo,
    fees: Amount,
    view: BlockView,
    /// The place of the transaction that is next.
    next: usize,
}

impl Chain {
    /// Connects a block on top of the tip; returns the number of its coin operations. Nothing changes on an error.
    pub(super) fn connect_block(&mut self, id: EntryId) -> Result<usize, ConnectError> {
        let entry = self.index.get(id);
        let (hash, height, status) = (entry.hash, entry.height, entry.status);
        let block = self.stored_body(id)?;
        let operations = coin_operations(&block);
        self.make_room(operations);

        let walk = match self.take_ahead(id) {
            Some(walk) => walk,
            None => self.walk_anew(&block, &hash, height, status)?,
        };
        // One that was connected before was valid on the same blocks below.
        if status < BlockStatus::Connected {
            self.check_claim(&block, &walk, height)?;
            self.writes.add_undo(hash, Arc::new(walk.undo));
            self.index.set_connected(id);
            self.writes.touch(id);
        }
        for (outpoint, coin) in walk.view.taken {
            self.coins.remove(outpoint, coin);
        }
        for (outpoint, coin) in walk.view.made {
            self.coins.add(outpoint, coin);
        }
        self.active.push(id);
        self.note_tip();
        self.writes.connected(hash);
        Ok(operations)
    }

    /// Looks at coins and witnesses of a whole block; at the latter only if it has never been connected.
    fn walk_anew(
        &self,
        block: &Block,
        hash: &BlockHash,
        height: Height,
        status: BlockStatus,
    ) -> Result<Walk, ConnectError> {
        let ids = self.block_ids(hash, block);
        let walk = match self.walk_coins(block, &ids, height) {
            Err(ConnectError::Rule(error)) if status == BlockStatus::Connected => {
                // It was valid once: it is the store that is wrong.
                let what = format!("block {hash} was connected before, and now: {error}");
                return Err(ConnectError::Chain(ChainError::Inconsistent { what }));
            }
            walk => walk?,
        };
        if status < BlockStatus::Connected {
            self.check_block_witnesses(block, &ids, &walk.undo, height)?;
        }
        Ok(walk)
    }

    pub(super) fn stored_body(&self, id: EntryId) -> Result<Arc<Block>, ConnectError> {
        match self.block(&self.index.get(id).hash) {
            Ok(Some(block)) => Ok(block),
            Ok(None) | Err(ChainError::Store(StoreError::Damaged { .. })) => Err(ConnectError::BodyLost),
            Err(error) => Err(ConnectError::Chain(error)),
        }
    }

    /// Looks up and takes the coins of every transaction in order, and checks what is cheap: IN-01 to IN-03.
    pub(super) fn walk_coins(&self, block: &Block, ids: &BlockIds, height: Height) -> Result<Walk, ConnectError> {
        let mut walk = Walk::default();
        while self.walk_one(block, ids, height, &mut walk)?.is_some() {}
        Ok(walk)
    }

    /// One transaction more: its place and the coins that it spends; `None` at the end of the block.
    pub(super) fn walk_one<'w>(
        &self,
        block: &Block,
        ids: &BlockIds,
        height: Height,
        walk: &'w mut Walk,
    ) -> Result<Option<(usize, &'w [Coin])>, ConnectError> {
        let place = walk.next;
        let (Some(transaction), Some(txid)) = (block.transactions.get(place), ids.txids.get(place)) else {
            return Ok(None);
        };
        let is_coinbase = transaction.is_coinbase();
        if !is_coinbase {
            let spent = self.take_coins(transaction, &mut walk.view)?;
            let fee = check_amounts(transaction, &spent, &self.input_context(height))?;
            // Each fee is a part of coins that exist, so their sum cannot pass the supply.
            walk.fees = walk.fees.checked_add(fee).unwrap_or(walk.fees);
            walk.undo.spent.push(spent);
        }
        walk.view.made.extend(made_by(transaction, *txid, height));
        walk.next += 1;
        let spent = walk.undo.spent.last().filter(|_| !is_coinbase);
        Ok(Some((place, spent.map_or(&[], Vec::as_slice))))
    }

    /// The coins that a transaction spends, taken from the view: IN-01 within the block too.
    fn take_coins(&self, transaction: &Transaction, view: &mut BlockView) -> Result<Vec<Coin>, ConnectError> {
        let mut spent = Vec::with_capacity(transaction.inputs.len());
        for input in &transaction.inputs {
            let outpoint = &input.outpoint;
            let coin = match view.made.remove(outpoint) {
                Some(coin) => coin,
                None if view.taken.contains_key(outpoint) => check_coin_exists(outpoint, None)?,
                None => {
                    let coin = check_coin_exists(outpoint, self.coins.get(&*self.store, outpoint)?)?;
                    view.taken.insert(*outpoint, coin);
                    coin
                }
            };
            spent.push(coin);
        }
        Ok(spent)
    }

    /// What is left to check after the walk over the coins: witnesses, and what the coinbase claims.
    pub(super) fn check_walked(
        &self,
        block: &Block,
        ids: &BlockIds,
        walk: &Walk,
        height: Height,
    ) -> Result<(), RuleError> {
        self.check_block_witnesses(block, ids, &walk.undo, height)?;
        self.check_claim(block, walk, height)
    }

    /// The coinbase claims no more than it may.
    fn check_claim(&self, block: &Block, walk: &Walk, height: Height) -> Result<(), RuleError> {
        match block.transactions.first() {
            Some(coinbase) => check_coinbase_value(coinbase, subsidy(&self.params, height), walk.fees),
            None => Ok(()),
        }
    }

    /// The dear part, apart from the walk over the coins: every verdict depends on its own transaction and coins alone.
    fn check_block_witnesses(
        &self,
        block: &Block,
        ids: &BlockIds,
        undo: &BlockUndo,
        height: Height,
    ) -> Result<(), RuleError> {
        let spending = block.transactions.iter().zip(&ids.wtxids).filter(|(transaction, _)| !transaction.is_coinbase());
        for ((transaction, wtxid), spent) in spending.zip(&undo.spent) {
            if !self.is_verified(wtxid, spent, height) {
                check_witnesses(transaction, spent, &self.input_context(height))?;
            }
        }
        Ok(())
    }

    /// Takes the tip out of the coin set; returns the number of coin operations.
    pub(super) fn disconnect_tip(&mut self) -> Result<usize, ChainError> {
        let id = self.tip_id();
        let (hash, height) = (self.index.get(id).hash, self.index.get(id).height);
        let lost = |what: &str| ChainError::Inconsistent { what: format!("{what} of connected block {hash}") };
        let block = self.block(&hash)?.ok_or_else(|| lost("it lacks the body"))?;
        let undo = self.undo(&hash)?.ok_or_else(|| lost("it lacks the undo data"))?;
        if height == Height::GENESIS || !fits(&block, &undo) {
            return Err(lost("it cannot undo the changes"));
        }
        let operations = coin_operations(&block);
        self.make_room(operations);

        let ids = self.block_ids(&hash, &block);
        let mut spent = undo.spent.iter().rev();
        for (transaction, txid) in block.transactions.iter().zip(&ids.txids).rev() {
            for (outpoint, coin) in made_by(transaction, *txid, height) {
                self.coins.remove(outpoint, coin);
            }
            if !transaction.is_coinbase() {
                for (input, coin) in transaction.inputs.iter().zip(spent.next().into_iter().flatten()) {
                    self.coins.add(input.outpoint, *coin);
                }
            }
        }
        self.active.pop();
        self.note_tip();
        self.writes.disconnected(hash);
        Ok(operations)
    }

    /// Seals what is pending if the next block would make the change set too large.
    fn make_room(&mut self, operations: usize) {
        let dirty = self.coins.dirty_len();
        if dirty > 0 && dirty + operations > MAX_COIN_OPERATIONS {
            self.seal();
        }
    }
}

/// The coins that a transaction makes at `height`.
fn made_by(transaction: &Transaction, txid: Txid, height: Height) -> impl Iterator<Item = (OutPoint, Coin)> {
    let coinbase = transaction.is_coinbase();
    (0u32..)
        .zip(&transaction.outputs)
        .map(move |(index, output)| (OutPoint { txid, index }, Coin { output: *output, height, coinbase }))
}

fn coin_operations(block: &Block) -> usize {
    block.transactions.iter().map(|transaction| transaction.inputs.len() + transaction.outputs.len()).sum()
}

/// Whether undo data has the shape of the block.
fn fits(block: &Block, undo: &BlockUndo) -> bool {
    let inputs = block.transactions.iter().filter(|transaction| !transaction.is_coinbase()).map(|t| t.inputs.len());
    inputs.eq(undo.spent.iter().map(Vec::len))
}
