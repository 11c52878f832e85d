//! Methods about addresses: what wallets ask.
//!
//! Rows of the chain come from the store, off the node's thread; what waits in the mempool is laid over them. Both are of
//! one moment: if a block came between, the question is asked again.

use std::collections::BTreeMap;

use serde_json::Value;
use tally_node_core::chain::store::ChainStore;
use tally_primitives::address::Address;
use tally_primitives::hash::{BlockHash, LockHash};
use tally_primitives::transaction::{Coin, OutPoint, Transaction};
use tally_primitives::units::{Amount, Height};
use tally_rpc::address::{
    AddressHistory, AddressQuery, AddressTransaction, AddressUtxo, AddressUtxos, AddressValidity,
};
use tally_rpc::arguments::Arguments;
use tally_rpc::error::RpcError;

use super::Context;
use super::answer::{json_of, query_error, stopped, store_error};
use super::chain::blocking;
use super::mempool::{Waiting, waiting};
use crate::store::Store;
use crate::store::query::{QueryError, View};
use crate::store::records::TransactionPlace;

/// Addresses in one question, at most.
const MAX_ADDRESSES: usize = 1000;

/// Coins or transactions in one answer, at most.
const MAX_ROWS: usize = 100_000;

/// How often a question is asked again because a block came between.
const MAX_ATTEMPTS: usize = 10;

pub(super) fn validateaddress(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let text: String = arguments.required("address")?;
    json_of(&match Address::parse_for(&text, &context.params) {
        Ok(address) => {
            AddressValidity { isvalid: true, address: Some(address.to_string()), lock: Some(address.lock), error: None }
        }
        Err(error) => AddressValidity { isvalid: false, address: None, lock: None, error: Some(error.to_string()) },
    })
}

/// What is asked about.
#[derive(Clone)]
struct Locks {
    addresses: BTreeMap<LockHash, Address>,
}

impl Locks {
    fn read(context: &Context, arguments: &Arguments) -> Result<Self, RpcError> {
        let query: AddressQuery = arguments.required("query")?;
        if query.addresses.is_empty() || query.addresses.len() > MAX_ADDRESSES {
            return Err(RpcError::invalid_parameter(format!("addresses holds 1 to {MAX_ADDRESSES} addresses")));
        }
        let parse = |text: &String| {
            let address = Address::parse_for(text, &context.params);
            let address = address.map_err(|error| RpcError::not_found(error.to_string()))?;
            Ok((address.lock, address))
        };
        let addresses = query.addresses.iter().map(parse).collect::<Result<_, RpcError>>()?;
        Ok(Self { addresses })
    }

    fn has(&self, lock: &LockHash) -> bool {
        self.addresses.contains_key(lock)
    }
}

/// The tip for which an answer holds.
#[derive(Clone, Copy)]
struct At {
    height: Height,
    tip: BlockHash,
}

/// Asks `question` of the store and of the mempool as of one moment.
async fn at_one_moment<R: Send + 'static>(
    context: &Context,
    question: impl Fn(&View<'_>, At, &[Waiting]) -> Result<R, QueryError> + Clone + Send + 'static,
) -> Result<R, RpcError> {
    for _ in 0..MAX_ATTEMPTS {
        let store = context.store.clone();
        let moment = context.node.call(move |core, _| (waiting(core), store.tip()));
        let (pool, tip) = moment.await.map_err(stopped)?;
        let tip = tip.map_err(store_error)?;
        let store = context.store.clone();
        let question = question.clone();
        let answer = blocking(move || answer_at(&store, tip, &pool, question)).await?;
        if let Some(answer) = answer.map_err(query_error)? {
            return Ok(answer);
        }
    }
    Err(RpcError::internal("blocks come too fast to answer this; ask again"))
}

/// The answer, unless the tip is another one by now.
fn answer_at<R>(
    store: &Store,
    tip: Option<BlockHash>,
    pool: &[Waiting],
    question: impl Fn(&View<'_>, At, &[Waiting]) -> Result<R, QueryError>,
) -> Result<Option<R>, QueryError> {
    let view = store.view();
    let (Some(tip), true) = (tip, view.tip() == tip) else {
        return Ok(None);
    };
    let height = view.header(&tip)?.map_or(Height::GENESIS, |record| record.height);
    question(&view, At { height, tip }, pool).map(Some)
}

/// A coin of the addresses asked about; `height` is `None` for an output of the mempool.
#[derive(Clone, Copy)]
struct OwnCoin {
    value: Amount,
    lock: LockHash,
    height: Option<Height>,
    coinbase: bool,
}

/// All coins of the addresses: those of the chain, and outputs of the mempool.
fn own_coins(view: &View<'_>, locks: &Locks, pool: &[Waiting]) -> Result<BTreeMap<OutPoint, OwnCoin>, QueryError> {
    let mut coins = BTreeMap::new();
    for lock in locks.addresses.keys() {
        let room = MAX_ROWS.saturating_sub(coins.len());
        for (outpoint, Coin { output, height, coinbase }) in view.unspent(lock, room)? {
            coins.insert(outpoint, OwnCoin { value: output.value, lock: *lock, height: Some(height), coinbase });
        }
    }
    for entry in pool {
        for (index, output) in (0u32..).zip(&entry.transaction.outputs) {
            if locks.has(&output.lock) {
                let coin = OwnCoin { value: output.value, lock: output.lock, height: None, coinbase: false };
                coins.insert(OutPoint { txid: entry.txid, index }, coin);
            }
        }
    }
    Ok(coins)
}

pub(super) async fn getaddressutxos(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let locks = Locks::read(context, arguments)?;
    let answer = at_one_moment(context, move |view, at, pool| {
        let coins = own_coins(view, &locks, pool)?;
        let mut spenders = BTreeMap::new();
        for entry in pool {
            for input in &entry.transaction.inputs {
                if coins.contains_key(&input.outpoint) {
                    spenders.insert(input.outpoint, entry.txid);
                }
            }
        }
        let utxos = coins.into_iter().filter_map(|(outpoint, coin)| {
            Some(AddressUtxo {
                txid: outpoint.txid,
                index: outpoint.index,
                address: locks.addresses.get(&coin.lock)?.clone(),
                value: coin.value,
                height: coin.height,
                coinbase: coin.coinbase,
                spent_by: spenders.get(&outpoint).copied(),
            })
        });
        Ok(AddressUtxos { height: at.height, tip: at.tip, utxos: utxos.collect() })
    });
    json_of(&answer.await?)
}

pub(super) async fn getaddresshistory(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let locks = Locks::read(context, arguments)?;
    let answer = at_one_moment(context, move |view, at, pool| {
        let mut transactions = confirmed(view, &locks, at)?;
        let coins = own_coins(view, &locks, pool)?;
        transactions.extend(pool.iter().filter_map(|entry| unconfirmed(entry, &locks, &coins)));
        if transactions.len() > MAX_ROWS {
            return Err(QueryError::TooMany { max: MAX_ROWS });
        }
        Ok(AddressHistory { height: at.height, tip: at.tip, transactions })
    });
    json_of(&answer.await?)
}

/// The chain's transactions that touch the addresses, oldest first.
fn confirmed(view: &View<'_>, locks: &Locks, at: At) -> Result<Vec<AddressTransaction>, QueryError> {
    let mut rows: BTreeMap<TransactionPlace, AddressTransaction> = BTreeMap::new();
    let mut blocks: BTreeMap<Height, (BlockHash, u32)> = BTreeMap::new();
    for lock in locks.addresses.keys() {
        for (place, row) in view.history(lock, MAX_ROWS)? {
            let (block_hash, time) = match blocks.get(&place.height) {
                Some(known) => *known,
                None => {
                    let hash = view.active(place.height)?;
                    let record = hash.map(|hash| view.header(&hash)).transpose()?.flatten();
                    let found = record.map(|record| (record.header.hash(), record.header.time)).unwrap_or_default();
                    blocks.insert(place.height, found);
                    found
                }
            };
            let entry = rows.entry(place).or_insert_with(|| AddressTransaction {
                txid: row.txid,
                height: Some(place.height),
                block_hash: Some(block_hash),
                time,
                received: Amount::ZERO,
                spent: Amount::ZERO,
                fee: row.fee,
                confirmations: at.height.get().saturating_sub(place.height.get()) + 1,
            });
            entry.received = add(entry.received, row.received);
            entry.spent = add(entry.spent, row.spent);
        }
    }
    Ok(rows.into_values().collect())
}

/// What a waiting transaction does to the addresses, if anything.
fn unconfirmed(entry: &Waiting, locks: &Locks, coins: &BTreeMap<OutPoint, OwnCoin>) -> Option<AddressTransaction> {
    let transaction: &Transaction = &entry.transaction;
    let outputs = transaction.outputs.iter().filter(|output| locks.has(&output.lock)).map(|output| output.value);
    let inputs = transaction.inputs.iter().filter_map(|input| coins.get(&input.outpoint)).map(|coin| coin.value);
    let (outputs, inputs): (Vec<_>, Vec<_>) = (outputs.collect(), inputs.collect());
    if outputs.is_empty() && inputs.is_empty() {
        return None;
    }
    Some(AddressTransaction {
        txid: entry.txid,
        height: None,
        block_hash: None,
        time: entry.time,
        received: outputs.into_iter().fold(Amount::ZERO, add),
        spent: inputs.into_iter().fold(Amount::ZERO, add),
        fee: entry.fee,
        confirmations: 0,
    })
}

/// Sums of parts of valid transactions stay far below the limit of the type.
fn add(sum: Amount, value: Amount) -> Amount {
    sum.checked_add(value).unwrap_or(sum)
}
