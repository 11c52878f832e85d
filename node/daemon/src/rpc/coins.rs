//! Methods about unspent coins.

use serde_json::Value;
use tally_node_core::chain::ChainError;
use tally_primitives::address::Address;
use tally_primitives::hash::Txid;
use tally_primitives::transaction::OutPoint;
use tally_rpc::arguments::Arguments;
use tally_rpc::chain::{TxOut, TxOutSetInfo};
use tally_rpc::error::RpcError;

use super::Context;
use super::answer::{chain_error, json_of, stopped};
use super::chain::{ask, blocking};
use crate::driver::Core;

pub(super) async fn gettxout(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let txid: Txid = arguments.required("txid")?;
    let outpoint = OutPoint { txid, index: arguments.required("n")? };
    let include_mempool = arguments.optional("include_mempool")?.unwrap_or(true);
    let found = context.node.call(move |core, _| look_up(core, &outpoint, include_mempool)).await;
    json_of(&found.map_err(stopped)?.map_err(|error| chain_error(&error))?)
}

fn look_up(core: &Core, outpoint: &OutPoint, include_mempool: bool) -> Result<Option<TxOut>, ChainError> {
    let (chain, mempool) = (core.node.chain(), core.node.mempool());
    if include_mempool && mempool.spender(outpoint).is_some() {
        return Ok(None);
    }
    let tip = chain.tip();
    let waiting = if include_mempool { mempool.output(outpoint) } else { None };
    let (output, confirmations, coinbase) = match waiting {
        Some(output) => (output, 0, false),
        None => match chain.coin(outpoint)? {
            Some(coin) => {
                let confirmations = tip.height.get().saturating_sub(coin.height.get()) + 1;
                (coin.output, confirmations, coin.coinbase)
            }
            None => return Ok(None),
        },
    };
    Ok(Some(TxOut {
        bestblock: tip.hash,
        confirmations,
        value: output.value,
        lock: output.lock,
        address: Address::new(chain.params().address_prefix.clone(), output.lock),
        coinbase,
    }))
}

pub(super) async fn gettxoutsetinfo(context: &Context) -> Result<Value, RpcError> {
    let store = context.store.clone();
    let disk_size = blocking(move || store.bytes_on_disk()).await?;
    let info = ask(context, move |chain| {
        let (tip, stats) = (chain.tip(), chain.coin_stats());
        TxOutSetInfo {
            height: tip.height,
            bestblock: tip.hash,
            txouts: stats.count,
            hash_serialized: stats.hash.to_string(),
            total_amount: stats.total,
            disk_size,
        }
    });
    json_of(&info.await?)
}
