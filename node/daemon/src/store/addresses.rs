//! Rows by lock and by transaction, written in the transaction of the change set that connects or disconnects the
//! blocks: so a wallet's history is never ahead of the coins, nor behind.

use std::collections::BTreeMap;

use tally_node_core::chain::store::{BlockUndo, StoreError};
use tally_primitives::block::Block;
use tally_primitives::hash::{BlockHash, LockHash};
use tally_primitives::transaction::{Coin, OutPoint, Transaction};
use tally_primitives::units::{Amount, Height};

use super::apply::Pending;
use super::index::Table;
use super::records::{self, HistoryRow, TransactionPlace};

/// Whether rows are written or taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Connect,
    Disconnect,
}

/// Writes the rows of all blocks that the change set disconnects and connects, in that order.
pub(super) fn write(pending: &mut Pending<'_>) -> Result<(), StoreError> {
    let changes = pending.changes;
    for hash in &changes.disconnected {
        block_rows(pending, hash, Direction::Disconnect)?;
    }
    for hash in &changes.connected {
        block_rows(pending, hash, Direction::Connect)?;
    }
    Ok(())
}

fn block_rows(pending: &mut Pending<'_>, hash: &BlockHash, direction: Direction) -> Result<(), StoreError> {
    let block = pending.block(hash)?;
    // The genesis block is connected without spending: it has no undo.
    let undo = if block.transactions.len() > 1 { pending.undo(hash)?.as_ref().clone() } else { BlockUndo::default() };
    let height = block_height(&block, hash)?;
    let key = records::height_key(height);
    match direction {
        Direction::Connect => pending.batch.put_record(Table::Active, key, hash),
        Direction::Disconnect => pending.batch.remove(Table::Active, key),
    }
    let none = Vec::new();
    for (position, transaction) in (0u32..).zip(&block.transactions) {
        let spent = spent_by(&undo, position).unwrap_or(&none);
        if spent.len() != transaction.inputs.len() {
            return Err(StoreError::Damaged {
                what: format!("the undo of block {hash} does not fit its transactions"),
            });
        }
        let place = TransactionPlace { height, position };
        transaction_rows(pending, transaction, spent, place, direction);
    }
    Ok(())
}

fn block_height(block: &Block, hash: &BlockHash) -> Result<Height, StoreError> {
    let coinbase = block.transactions.first();
    coinbase
        .and_then(Transaction::coinbase_height)
        .ok_or_else(|| StoreError::Damaged { what: format!("block {hash} has no coinbase with a height") })
}

/// The coins that the inputs of transaction `position` spent. The coinbase, 0, spends none.
pub(super) fn spent_by(undo: &BlockUndo, position: u32) -> Option<&Vec<Coin>> {
    let index = usize::try_from(position.checked_sub(1)?).ok()?;
    undo.spent.get(index)
}

fn transaction_rows(
    pending: &mut Pending<'_>,
    transaction: &Transaction,
    spent: &[Coin],
    place: TransactionPlace,
    direction: Direction,
) {
    let txid = transaction.txid();
    remember_locks(pending, transaction, spent, direction);
    let txid_key = txid.as_bytes().to_vec();
    if direction == Direction::Disconnect {
        pending.batch.remove(Table::Transactions, txid_key);
        for lock in sums(transaction, spent).into_keys() {
            let key = records::history_key(&lock, place);
            pending.batch.remove(Table::History, key);
        }
        return;
    }
    pending.batch.put_record(Table::Transactions, txid_key, &place);
    let fee = fee(transaction, spent);
    for (lock, (received, spent)) in sums(transaction, spent) {
        let row = HistoryRow { txid, received, spent, fee };
        let key = records::history_key(&lock, place);
        pending.batch.put_record(Table::History, key, &row);
    }
}

/// Keeps the locks of coins that the change set deletes: those that connected blocks spend and disconnected ones made.
fn remember_locks(pending: &mut Pending<'_>, transaction: &Transaction, spent: &[Coin], direction: Direction) {
    let deleted = |outpoint: &OutPoint| matches!(pending.changes.coins.get(outpoint), Some(None));
    let mut found = Vec::new();
    match direction {
        Direction::Connect => {
            for (input, coin) in transaction.inputs.iter().zip(spent) {
                if deleted(&input.outpoint) {
                    found.push((input.outpoint, coin.output.lock));
                }
            }
        }
        Direction::Disconnect => {
            let txid = transaction.txid();
            for (index, output) in (0u32..).zip(&transaction.outputs) {
                let outpoint = OutPoint { txid, index };
                if deleted(&outpoint) {
                    found.push((outpoint, output.lock));
                }
            }
        }
    }
    pending.locks.extend(found);
}

/// What a transaction pays to and spends from each lock.
pub fn sums(transaction: &Transaction, spent: &[Coin]) -> BTreeMap<LockHash, (Amount, Amount)> {
    let mut sums: BTreeMap<LockHash, (Amount, Amount)> = BTreeMap::new();
    // Blocks are checked before they are connected: their sums are within the maximum supply.
    let add = |sum: Amount, value: Amount| sum.checked_add(value).unwrap_or(Amount::MAX_SUPPLY);
    for output in &transaction.outputs {
        let entry = sums.entry(output.lock).or_default();
        entry.0 = add(entry.0, output.value);
    }
    for coin in spent {
        let entry = sums.entry(coin.output.lock).or_default();
        entry.1 = add(entry.1, coin.output.value);
    }
    sums
}

/// Inputs less outputs; zero for a coinbase.
pub fn fee(transaction: &Transaction, spent: &[Coin]) -> Amount {
    let inputs = Amount::checked_sum(spent.iter().map(|coin| coin.output.value));
    let outputs = Amount::checked_sum(transaction.outputs.iter().map(|output| output.value));
    match (inputs, outputs) {
        (Some(inputs), Some(outputs)) => inputs.checked_sub(outputs).unwrap_or(Amount::ZERO),
        _ => Amount::ZERO,
    }
}
