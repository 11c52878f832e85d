//! Methods about blocks and branches.

use std::sync::Arc;

use serde_json::Value;
use tally_consensus::block::check_block;
use tally_node_core::chain::index::EntryId;
use tally_node_core::chain::store::{BlockUndo, ChainStore, StoreError};
use tally_node_core::chain::{Activation, Chain, ChainError, ChainTipStatus as CoreStatus};
use tally_primitives::block::Block;
use tally_primitives::encode;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::{Height, Timestamp};
use tally_rpc::arguments::Arguments;
use tally_rpc::chain::{BlockInfo, BlockTransactions, BlockchainInfo, ChainTip, ChainTipStatus, HeaderInfo};
use tally_rpc::error::{MISC_ERROR, RpcError};

use super::Context;
use super::answer::{chain_error, json_of, stopped, store_error, unknown_block};
use super::raw::{Details, transaction_info};
use crate::driver::Core;
use crate::store::Store;

/// Runs something that reads a disk, away from the threads that answer others.
pub(super) async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, RpcError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| RpcError::internal(error.to_string()))
}

/// Asks the chain something on the node's thread.
pub(super) async fn ask<R: Send + 'static>(
    context: &Context,
    question: impl FnOnce(&Chain) -> R + Send + 'static,
) -> Result<R, RpcError> {
    context.node.call(move |core, _| question(core.node.chain())).await.map_err(stopped)
}

pub(super) async fn getbestblockhash(context: &Context) -> Result<Value, RpcError> {
    json_of(&ask(context, |chain| chain.tip().hash).await?)
}

pub(super) async fn getblockcount(context: &Context) -> Result<Value, RpcError> {
    json_of(&ask(context, |chain| chain.tip().height).await?)
}

pub(super) async fn getblockhash(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let height: Height = arguments.required("height")?;
    let hash = ask(context, move |chain| chain.block_at(height)).await?;
    json_of(&hash.ok_or_else(|| RpcError::invalid_parameter(format!("the chain has no block {}", height.get())))?)
}

pub(super) async fn getdifficulty(context: &Context) -> Result<Value, RpcError> {
    json_of(&ask(context, |chain| difficulty(chain, chain.tip().bits)).await?)
}

/// The network's easiest target divided by this one.
pub(super) fn difficulty(chain: &Chain, bits: tally_primitives::pow::CompactTarget) -> f64 {
    let limit = chain.params().target_limit();
    bits.to_target().map_or(0.0, |target| target.difficulty(&limit))
}

pub(super) async fn getblockchaininfo(context: &Context) -> Result<Value, RpcError> {
    let store = context.store.clone();
    let size_on_disk = blocking(move || store.bytes_on_disk()).await?;
    let info = context.node.call(move |core, _| {
        let progress = core.node.sync_progress();
        let chain = core.node.chain();
        let tip = chain.tip();
        let headers = f64::from(progress.headers.get().max(1));
        let bits = tip.bits;
        BlockchainInfo {
            chain: chain.params().name.clone(),
            blocks: tip.height,
            headers: progress.headers,
            bestblockhash: tip.hash,
            genesishash: chain.genesis_hash(),
            bits,
            target: bits.to_target().unwrap_or_else(|_| chain.params().target_limit()),
            difficulty: difficulty(chain, bits),
            time: tip.time,
            mediantime: tip.median_time_past,
            verificationprogress: if progress.headers == tip.height {
                1.0
            } else {
                f64::from(tip.height.get()) / headers
            },
            initialblockdownload: progress.initial_sync,
            chainwork: tip.work,
            size_on_disk,
            pruned: false,
            warnings: Vec::new(),
        }
    });
    json_of(&info.await.map_err(stopped)?)
}

pub(super) async fn getchaintips(context: &Context) -> Result<Value, RpcError> {
    let tips = ask(context, Chain::tips).await?;
    let tips: Vec<_> = tips
        .into_iter()
        .map(|tip| ChainTip {
            height: tip.height,
            hash: tip.hash,
            branchlen: tip.branch_length,
            status: match tip.status {
                CoreStatus::Active => ChainTipStatus::Active,
                CoreStatus::ValidFork => ChainTipStatus::ValidFork,
                CoreStatus::ValidHeaders => ChainTipStatus::ValidHeaders,
                CoreStatus::HeadersOnly => ChainTipStatus::HeadersOnly,
                CoreStatus::Invalid => ChainTipStatus::Invalid,
            },
        })
        .collect();
    json_of(&tips)
}

/// What the chain knows of a header; `n_tx` is left to whoever reads the body.
fn header_info(chain: &Chain, hash: &BlockHash) -> Option<HeaderInfo> {
    let index = chain.index();
    let id: EntryId = index.find(hash)?;
    let entry = index.get(id);
    let header = &entry.header;
    let active = chain.is_active(hash);
    Some(HeaderInfo {
        hash: *hash,
        confirmations: chain.confirmations(hash).map_or(-1, i64::from),
        height: entry.height,
        version: header.version,
        version_hex: format!("{:08x}", header.version),
        merkleroot: header.merkle_root,
        time: header.time,
        mediantime: index.median_time_past(id),
        nonce: header.nonce,
        bits: header.bits,
        target: header.bits.to_target().unwrap_or_else(|_| chain.params().target_limit()),
        difficulty: difficulty(chain, header.bits),
        chainwork: entry.work,
        n_tx: 0,
        previousblockhash: (entry.height > Height::GENESIS).then_some(header.prev_block),
        nextblockhash: active.then(|| chain.block_at(entry.height.next())).flatten(),
    })
}

/// A block's body: out of the store, or out of what waits to be stored.
pub(super) async fn body(context: &Context, hash: BlockHash) -> Result<Option<Arc<Block>>, RpcError> {
    let store = context.store.clone();
    let stored = blocking(move || store.block(&hash)).await?.map_err(store_error)?;
    if stored.is_some() {
        return Ok(stored);
    }
    ask(context, move |chain| chain.block(&hash)).await?.map_err(|error| chain_error(&error))
}

/// What a block's inputs spent: out of the store, or out of what waits to be stored.
pub(super) async fn undo(context: &Context, hash: BlockHash) -> Result<Option<Arc<BlockUndo>>, RpcError> {
    let store = context.store.clone();
    let stored = blocking(move || store.undo(&hash)).await?.map_err(store_error)?;
    if let Some(undo) = stored {
        return Ok(Some(Arc::new(undo)));
    }
    ask(context, move |chain| chain.undo(&hash)).await?.map_err(|error| chain_error(&error))
}

pub(super) async fn getblockheader(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let hash: BlockHash = arguments.required("blockhash")?;
    if !arguments.optional("verbose")?.unwrap_or(true) {
        let header = ask(context, move |chain| chain.header(&hash).copied()).await?;
        let header = header.ok_or_else(|| unknown_block(hash))?;
        return json_of(&hex::encode(header.to_bytes()));
    }
    let info = ask(context, move |chain| header_info(chain, &hash)).await?;
    let mut info = info.ok_or_else(|| unknown_block(hash))?;
    info.n_tx = body(context, hash).await?.map_or(0, |block| block.transactions.len() as u64);
    json_of(&info)
}

/// `true` and `false` are Core's old forms of 1 and 0.
pub(super) fn verbosity(arguments: &Arguments, default: u8) -> Result<u8, RpcError> {
    let level = match arguments.optional::<Value>("verbosity")? {
        None => default,
        Some(Value::Bool(verbose)) => u8::from(verbose),
        Some(_) => arguments.required("verbosity")?,
    };
    if level <= 2 {
        Ok(level)
    } else {
        Err(RpcError::invalid_parameter(format!("verbosity is 0, 1 or 2, not {level}")))
    }
}

pub(super) async fn getblock(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let hash: BlockHash = arguments.required("blockhash")?;
    let level = verbosity(arguments, 1)?;
    let info = ask(context, move |chain| header_info(chain, &hash)).await?;
    let mut header = info.ok_or_else(|| unknown_block(hash))?;
    let block = body(context, hash).await?;
    let block = block.ok_or_else(|| RpcError::new(MISC_ERROR, format!("block {hash} has not been downloaded")))?;
    if level == 0 {
        return json_of(&hex::encode(encode::encode(block.as_ref())));
    }
    header.n_tx = block.transactions.len() as u64;
    let tx = if level == 1 {
        BlockTransactions::Ids(block.transactions.iter().map(|transaction| transaction.txid()).collect())
    } else {
        let undo = undo(context, hash).await?;
        let infos = (0usize..).zip(&block.transactions).map(|(position, transaction)| {
            let before = position.checked_sub(1);
            let spent = undo.as_ref().zip(before).and_then(|(undo, index)| undo.spent.get(index));
            let details = Details { spent: spent.map(Vec::as_slice), hex: false, place: None };
            transaction_info(transaction, &context.params, details)
        });
        BlockTransactions::Full(infos.collect())
    };
    json_of(&BlockInfo { header, size: block.encoded_size() as u64, tx })
}

pub(super) async fn invalidateblock(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let hash: BlockHash = arguments.required("blockhash")?;
    judge(context, move |core, now| core.node.invalidate_block(now, &hash)).await
}

pub(super) async fn reconsiderblock(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let hash: BlockHash = arguments.required("blockhash")?;
    judge(context, move |core, now| core.node.reconsider_block(now, &hash)).await
}

async fn judge(
    context: &Context,
    change: impl FnOnce(&mut Core, Timestamp) -> Result<Activation, ChainError> + Send + 'static,
) -> Result<Value, RpcError> {
    let outcome = context.node.call(change).await.map_err(stopped)?;
    outcome.map(|_| Value::Null).map_err(|error| chain_error(&error))
}

/// Blocks that `verifychain` looks at unless told otherwise.
const VERIFY_BLOCKS: u32 = 6;

pub(super) async fn verifychain(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let level: u8 = arguments.optional("checklevel")?.unwrap_or(3);
    let count: u32 = arguments.optional("nblocks")?.unwrap_or(VERIFY_BLOCKS);
    if level > 4 {
        return Err(RpcError::invalid_parameter("checklevel is 0 to 4"));
    }
    let store = context.store.clone();
    match blocking(move || verify(&store, level, count)).await? {
        Ok(()) => Ok(Value::Bool(true)),
        Err(StoreError::Damaged { what }) => {
            tracing::error!(what, "verifychain");
            Ok(Value::Bool(false))
        }
        Err(error) => Err(store_error(error)),
    }
}

/// 0: bodies are read. 1: their rules. 2: their undo. 3 and 4: the whole index. `count` 0 means all blocks.
fn verify(store: &Store, level: u8, count: u32) -> Result<(), StoreError> {
    let view = store.view();
    let damaged = |what: String| StoreError::Damaged { what };
    let tip = view.tip().map(|tip| view.header(&tip)).transpose()?.flatten();
    let top = tip.map_or(Height::GENESIS, |record| record.height);
    drop(view);
    let lowest = if count == 0 { 0 } else { top.get().saturating_sub(count - 1) };
    for height in (lowest..=top.get()).map(Height::new) {
        // The chain may be reorganised meanwhile; what is gone needs no check.
        let Some(hash) = store.view().active(height)? else {
            break;
        };
        let missing = || damaged(format!("the body of block {hash} is missing"));
        let block = store.block(&hash)?.ok_or_else(missing)?;
        if block.hash() != hash {
            return Err(damaged(format!("the body of block {hash} is another's")));
        }
        if level >= 1 && height > Height::GENESIS {
            check_block(&block, height).map_err(|error| damaged(format!("block {hash}: {error}")))?;
        }
        if level >= 2 && block.transactions.len() > 1 {
            let undo = store.undo(&hash)?.ok_or_else(|| damaged(format!("the undo of block {hash} is missing")))?;
            let fits = undo.spent.len() + 1 == block.transactions.len();
            fits.then_some(()).ok_or_else(|| damaged(format!("the undo of block {hash} does not fit")))?;
        }
    }
    if level >= 3 {
        store.check_index()?;
    }
    Ok(())
}
