//! Methods about transactions that wait for a block.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use tally_node_core::mempool::{Accepted, Entry, MempoolError};
use tally_primitives::hash::Txid;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::FeeRate;
use tally_rpc::arguments::Arguments;
use tally_rpc::error::RpcError;
use tally_rpc::mempool::{EntryFees, FeeEstimate, MempoolEntry, MempoolInfo, RawMempool};
use tally_rpc::transaction::{AcceptVerdict, BaseFee};

use super::Context;
use super::answer::{json_of, stopped};
use super::raw::decode_transaction;
use crate::driver::Core;

/// The farthest target of a fee estimate, in blocks.
const MAX_CONFIRMATION_TARGET: u32 = 1008;

/// Transactions that `testmempoolaccept` takes at a time.
const MAX_TESTED: usize = 25;

/// What may be paid per 1,000 bytes unless said otherwise, in notches: a protection against slips.
const DEFAULT_MAX_FEE_RATE: u64 = 10_000_000;

pub(super) async fn getmempoolinfo(context: &Context) -> Result<Value, RpcError> {
    let info = context.node.call(|core, now| {
        let mempool = core.node.mempool();
        let policy = mempool.policy();
        MempoolInfo {
            loaded: true,
            size: mempool.len() as u64,
            bytes: mempool.bytes() as u64,
            usage: mempool.memory_usage() as u64,
            total_fee: mempool.total_fees(),
            maxmempool: policy.max_bytes as u64,
            mempoolminfee: mempool.min_fee_rate(now),
            minrelaytxfee: policy.min_fee_rate,
            incrementalrelayfee: policy.incremental_fee_rate,
            fullrbf: true,
        }
    });
    json_of(&info.await.map_err(stopped)?)
}

pub(super) async fn getrawmempool(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let verbose = arguments.optional("verbose")?.unwrap_or(false);
    let answer = context.node.call(move |core, _| {
        let entries = core.node.mempool().entries();
        if verbose {
            let entries: BTreeMap<_, _> = entries.map(|entry| (entry.txid, describe(entry))).collect();
            RawMempool::Entries(entries)
        } else {
            RawMempool::Ids(entries.map(|entry| entry.txid).collect())
        }
    });
    json_of(&answer.await.map_err(stopped)?)
}

pub(super) async fn getmempoolentry(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let txid: Txid = arguments.required("txid")?;
    let entry = context.node.call(move |core, _| core.node.mempool().get(&txid).map(describe)).await;
    json_of(&entry.map_err(stopped)?.ok_or_else(|| RpcError::not_found(format!("{txid} is not in the mempool")))?)
}

fn describe(entry: &Entry) -> MempoolEntry {
    MempoolEntry {
        vsize: entry.size as u64,
        time: entry.time.as_seconds(),
        height: entry.judged_at.checked_sub_blocks(1).unwrap_or(entry.judged_at),
        descendantcount: entry.descendants.count as u64,
        descendantsize: entry.descendants.size as u64,
        ancestorcount: entry.ancestors.count as u64,
        ancestorsize: entry.ancestors.size as u64,
        wtxid: entry.wtxid,
        fees: EntryFees {
            base: entry.fee,
            modified: entry.fee,
            ancestor: entry.ancestors.fee,
            descendant: entry.descendants.fee,
        },
        depends: entry.parents.iter().copied().collect(),
        spentby: entry.children.iter().copied().collect(),
        bip125_replaceable: true,
    }
}

pub(super) async fn estimatesmartfee(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let blocks: u32 = arguments.required("conf_target")?;
    if blocks == 0 || blocks > MAX_CONFIRMATION_TARGET {
        let message = format!("conf_target is 1 to {MAX_CONFIRMATION_TARGET}, not {blocks}");
        return Err(RpcError::invalid_parameter(message));
    }
    let estimate = context.node.call(move |core, now| {
        let mempool = core.node.mempool();
        // Below the least rate of a full mempool nothing gets in, whatever was enough before.
        mempool.estimate(blocks).map(|rate| rate.max(mempool.min_fee_rate(now)))
    });
    let feerate = estimate.await.map_err(stopped)?;
    let errors = match feerate {
        Some(_) => Vec::new(),
        None => vec!["too few transactions were seen to tell".to_owned()],
    };
    json_of(&FeeEstimate { feerate, errors, blocks })
}

/// The greatest fee rate allowed: 0 stands for any.
pub(super) fn max_fee_rate(arguments: &Arguments) -> Result<Option<FeeRate>, RpcError> {
    let rate = arguments.optional("maxfeerate")?.unwrap_or(DEFAULT_MAX_FEE_RATE);
    Ok((rate > 0).then(|| FeeRate::from_notches_per_kilobyte(rate)))
}

/// Why an accepted transaction is not sent after all, if it pays by far too much.
pub(super) fn too_generous(accepted: &Accepted, max: Option<FeeRate>) -> Option<String> {
    let allowed = max?.fee_for(accepted.size);
    (accepted.fee > allowed).then(|| {
        let (fee, allowed) = (accepted.fee.to_notches(), allowed.to_notches());
        format!("the fee of {fee} notches is more than maxfeerate allows ({allowed})")
    })
}

pub(super) async fn testmempoolaccept(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let texts: Vec<String> = arguments.required("rawtxs")?;
    let max = max_fee_rate(arguments)?;
    if texts.is_empty() || texts.len() > MAX_TESTED {
        return Err(RpcError::invalid_parameter(format!("rawtxs holds 1 to {MAX_TESTED} transactions")));
    }
    let transactions = texts.iter().map(|text| decode_transaction(text)).collect::<Result<Vec<_>, _>>()?;
    let verdicts = context.node.call(move |core, now| {
        let judge = |transaction: Transaction| {
            let transaction = Arc::new(transaction);
            let outcome = core.node.mempool().check(Arc::clone(&transaction), core.node.chain(), now);
            verdict(&transaction, outcome, max)
        };
        transactions.into_iter().map(judge).collect::<Vec<_>>()
    });
    json_of(&verdicts.await.map_err(stopped)?)
}

fn verdict(transaction: &Transaction, outcome: Result<Accepted, MempoolError>, max: Option<FeeRate>) -> AcceptVerdict {
    let (accepted, reject_reason) = match outcome {
        Ok(accepted) => match too_generous(&accepted, max) {
            Some(reason) => (None, Some(reason)),
            None => (Some(accepted), None),
        },
        Err(error) => (None, Some(super::answer::mempool_error(&error).message)),
    };
    AcceptVerdict {
        txid: transaction.txid(),
        wtxid: transaction.wtxid(),
        allowed: accepted.is_some(),
        vsize: accepted.as_ref().map(|accepted| accepted.size as u64),
        fees: accepted.as_ref().map(|accepted| BaseFee { base: accepted.fee }),
        reject_reason,
    }
}

/// A mempool transaction as methods about addresses need it.
pub(super) struct Waiting {
    pub(super) transaction: Arc<Transaction>,
    pub(super) txid: Txid,
    pub(super) fee: tally_primitives::units::Amount,
    pub(super) time: u32,
    sequence: u64,
}

/// All waiting transactions, parents before children.
pub(super) fn waiting(core: &Core) -> Vec<Waiting> {
    let entries = core.node.mempool().entries();
    let mut waiting: Vec<_> = entries
        .map(|entry| Waiting {
            transaction: Arc::clone(&entry.transaction),
            txid: entry.txid,
            fee: entry.fee,
            time: entry.time.as_seconds(),
            sequence: entry.sequence,
        })
        .collect();
    waiting.sort_unstable_by_key(|entry| entry.sequence);
    waiting
}
