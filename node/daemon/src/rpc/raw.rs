//! Methods about single transactions.

use std::sync::Arc;

use serde_json::Value;
use tally_node_core::chain::store::StoreError;
use tally_node_core::mempool::MempoolError;
use tally_primitives::address::Address;
use tally_primitives::block::MAX_BLOCK_SIZE;
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, Txid};
use tally_primitives::params::Params;
use tally_primitives::transaction::{Coin, OutPoint, Output, Transaction};
use tally_primitives::units::Amount;
use tally_rpc::arguments::Arguments;
use tally_rpc::error::{RpcError, VERIFY_ERROR};
use tally_rpc::transaction::{InputInfo, OutputInfo, SpendInfo, TransactionInfo, TransactionPlace};

use super::Context;
use super::answer::{json_of, mempool_error, stopped, store_error, undecodable, unknown_block};
use super::chain::{ask, blocking, body, undo, verbosity};
use super::mempool::{max_fee_rate, too_generous};
use crate::driver::Core;

/// What a description of a transaction holds besides the transaction.
#[derive(Default)]
pub(super) struct Details<'a> {
    /// The coins that the inputs spend, where they are known.
    pub(super) spent: Option<&'a [Coin]>,
    /// Whether to add the encoding.
    pub(super) hex: bool,
    /// Where it was confirmed.
    pub(super) place: Option<TransactionPlace>,
}

/// A transaction out of hex.
pub(super) fn decode_transaction(text: &str) -> Result<Transaction, RpcError> {
    encode::decode_hex(text, MAX_BLOCK_SIZE).map_err(|error| undecodable("the transaction", error))
}

/// Every field of a transaction.
pub(super) fn transaction_info(transaction: &Transaction, params: &Params, details: Details<'_>) -> TransactionInfo {
    let address = |output: &Output| Address::new(params.address_prefix.clone(), output.lock);
    let describe =
        |n: u32, output: &Output| OutputInfo { value: output.value, n, lock: output.lock, address: address(output) };
    let spent = details.spent.filter(|spent| spent.len() == transaction.inputs.len());
    let vin = if transaction.is_coinbase() {
        vec![InputInfo::Coinbase { coinbase: hex::encode(&transaction.memo) }]
    } else {
        let inputs = transaction.inputs.iter().enumerate();
        let describe = inputs.map(|(index, input)| {
            let coin = spent.and_then(|spent| spent.get(index));
            InputInfo::Spend(Box::new(SpendInfo {
                txid: input.outpoint.txid,
                vout: input.outpoint.index,
                witness: input.witness.clone(),
                prevout: coin.map(|coin| describe(input.outpoint.index, &coin.output)),
            }))
        });
        describe.collect()
    };
    let fee = spent.filter(|_| !transaction.is_coinbase()).and_then(|spent| {
        let inputs = Amount::checked_sum(spent.iter().map(|coin| coin.output.value))?;
        let outputs = Amount::checked_sum(transaction.outputs.iter().map(|output| output.value))?;
        inputs.checked_sub(outputs)
    });
    TransactionInfo {
        txid: transaction.txid(),
        hash: transaction.wtxid(),
        version: transaction.version,
        size: transaction.encoded_size() as u64,
        vin,
        vout: (0u32..).zip(&transaction.outputs).map(|(n, output)| describe(n, output)).collect(),
        memo: hex::encode(&transaction.memo),
        fee,
        hex: details.hex.then(|| hex::encode(encode::encode(transaction))),
        place: details.place,
    }
}

pub(super) fn decoderawtransaction(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let transaction = decode_transaction(&arguments.required::<String>("hexstring")?)?;
    json_of(&transaction_info(&transaction, &context.params, Details::default()))
}

pub(super) async fn sendrawtransaction(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let transaction = Arc::new(decode_transaction(&arguments.required::<String>("hexstring")?)?);
    let max = max_fee_rate(arguments)?;
    let txid = transaction.txid();
    let outcome = context.node.call(move |core, now| {
        if max.is_some() {
            let checked = core.node.mempool().check(Arc::clone(&transaction), core.node.chain(), now);
            // Whatever else is wrong with it is found again below.
            if let Some(reason) = checked.ok().and_then(|accepted| too_generous(&accepted, max)) {
                return Err(RpcError::new(VERIFY_ERROR, reason));
            }
        }
        match core.node.submit_transaction(now, transaction) {
            Ok(_) | Err(MempoolError::AlreadyInMempool { .. }) => Ok(()),
            Err(error) => Err(mempool_error(&error)),
        }
    });
    outcome.await.map_err(stopped)??;
    json_of(&txid)
}

/// A transaction that was found, and where.
struct Located {
    transaction: Transaction,
    /// Block and position; `None` in the mempool.
    block: Option<(BlockHash, usize)>,
}

pub(super) async fn getrawtransaction(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let txid: Txid = arguments.required("txid")?;
    let level = verbosity(arguments, 0)?;
    let block: Option<BlockHash> = arguments.optional("blockhash")?;
    let located = match block {
        Some(hash) => in_block(context, txid, hash).await?,
        None => anywhere(context, txid).await?,
    };
    let Some(located) = located else {
        return Err(RpcError::not_found(format!("no transaction {txid} is known")));
    };
    if level == 0 {
        return json_of(&hex::encode(encode::encode(&located.transaction)));
    }
    let place = match located.block {
        Some((hash, _)) => Some(place_of(context, hash).await?),
        None => None,
    };
    let spent = if level == 2 { spent_coins(context, &located).await? } else { None };
    let details = Details { spent: spent.as_deref(), hex: true, place };
    json_of(&transaction_info(&located.transaction, &context.params, details))
}

async fn in_block(context: &Context, txid: Txid, hash: BlockHash) -> Result<Option<Located>, RpcError> {
    let block = body(context, hash).await?.ok_or_else(|| unknown_block(hash))?;
    let found = block.transactions.iter().enumerate().find(|(_, transaction)| transaction.txid() == txid);
    Ok(found.map(|(position, transaction)| Located { transaction: transaction.clone(), block: Some((hash, position)) }))
}

async fn anywhere(context: &Context, txid: Txid) -> Result<Option<Located>, RpcError> {
    let waiting = context.node.call(move |core, _| {
        let entry = core.node.mempool().get(&txid);
        entry.map(|entry| Arc::clone(&entry.transaction))
    });
    if let Some(transaction) = waiting.await.map_err(stopped)? {
        let transaction = Transaction::clone(&transaction);
        return Ok(Some(Located { transaction, block: None }));
    }
    let store = context.store.clone();
    let hash = blocking(move || -> Result<Option<BlockHash>, StoreError> {
        let view = store.view();
        match view.transaction(&txid)? {
            Some(place) => view.active(place.height),
            None => Ok(None),
        }
    });
    match hash.await?.map_err(store_error)? {
        Some(hash) => in_block(context, txid, hash).await,
        None => Ok(None),
    }
}

async fn place_of(context: &Context, hash: BlockHash) -> Result<TransactionPlace, RpcError> {
    let place = ask(context, move |chain| {
        let header = chain.header(&hash)?;
        let confirmations = chain.confirmations(&hash);
        Some(TransactionPlace {
            in_active_chain: confirmations.is_some(),
            blockhash: hash,
            confirmations: confirmations.unwrap_or(0),
            time: header.time,
            blocktime: header.time,
        })
    });
    place.await?.ok_or_else(|| unknown_block(hash))
}

/// The coins that a transaction spends, in its inputs' order, if all are known.
async fn spent_coins(context: &Context, located: &Located) -> Result<Option<Vec<Coin>>, RpcError> {
    if let Some((hash, position)) = located.block {
        let undo = undo(context, hash).await?;
        let spent = undo.zip(position.checked_sub(1)).and_then(|(undo, index)| undo.spent.get(index).cloned());
        return Ok(spent);
    }
    let outpoints: Vec<_> = located.transaction.inputs.iter().map(|input| input.outpoint).collect();
    let coins = context.node.call(move |core, _| outpoints.iter().map(|outpoint| coin(core, outpoint)).collect());
    coins.await.map_err(stopped)
}

fn coin(core: &Core, outpoint: &OutPoint) -> Option<Coin> {
    let (chain, mempool) = (core.node.chain(), core.node.mempool());
    match mempool.output(outpoint) {
        Some(output) => Some(Coin { output, height: chain.tip().height.next(), coinbase: false }),
        None => chain.coin(outpoint).ok().flatten(),
    }
}
