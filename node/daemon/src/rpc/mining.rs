//! Methods about mining.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tally_node_core::chain::{BlockFate, Chain, ChainError};
use tally_node_core::mining::BlockTemplate as CoreTemplate;
use tally_primitives::address::Address;
use tally_primitives::block::{Block, MAX_BLOCK_SIZE};
use tally_primitives::encode;
use tally_primitives::units::Height;
use tally_rpc::arguments::Arguments;
use tally_rpc::error::{CLIENT_IN_INITIAL_DOWNLOAD, INVALID_ADDRESS_OR_KEY, MISC_ERROR, RpcError};
use tally_rpc::mining::{BlockTemplate, MiningInfo, NextBlock, TemplateRequest, TemplateTransaction};
use tokio::time::{Instant, sleep_until};

use super::Context;
use super::answer::{chain_error, json_of, stopped, undecodable};
use super::chain::{ask, blocking, difficulty};
use crate::driver::WorkStamp;

/// A long poll is answered after so long even if nothing has changed: the template's time must not fall behind.
const LONG_POLL_LIMIT: Duration = Duration::from_secs(60);

/// More fees are told of after so long: transactions come in swarms.
const FEES_PAUSE: Duration = Duration::from_millis(500);

/// Blocks over which the network's hash rate is measured unless said otherwise.
const HASH_RATE_BLOCKS: i64 = 120;

/// Blocks that `generatetoaddress` makes at a time.
const MAX_GENERATED: u32 = 10_000;

/// Nonces that `generatetoaddress` tries for a block unless said otherwise.
const DEFAULT_MAX_TRIES: u64 = 1_000_000;

pub(super) async fn getmininginfo(context: &Context) -> Result<Value, RpcError> {
    let miner = context.miner.as_ref().map(|status| status.read());
    let info = context.node.call(move |core, _| {
        let chain = core.node.chain();
        let tip = chain.tip();
        let limit = chain.params().target_limit();
        let next = chain.next_bits();
        MiningInfo {
            blocks: tip.height,
            bits: tip.bits,
            difficulty: difficulty(chain, tip.bits),
            target: tip.bits.to_target().unwrap_or(limit),
            networkhashps: hash_rate(chain, HASH_RATE_BLOCKS, tip.height),
            pooledtx: core.node.mempool().len() as u64,
            chain: chain.params().name.clone(),
            next: NextBlock {
                height: tip.height.next(),
                bits: next,
                difficulty: difficulty(chain, next),
                target: next.to_target().unwrap_or(limit),
            },
            miner,
            warnings: Vec::new(),
        }
    });
    json_of(&info.await.map_err(stopped)?)
}

pub(super) async fn getnetworkhashps(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let blocks: i64 = arguments.optional("nblocks")?.unwrap_or(HASH_RATE_BLOCKS);
    let height: i64 = arguments.optional("height")?.unwrap_or(-1);
    let rate = ask(context, move |chain| {
        let tip = chain.tip().height;
        let height = if height < 0 { Some(tip) } else { u32::try_from(height).ok().map(Height::new) };
        let height = height.filter(|height| *height <= tip)?;
        Some(hash_rate(chain, blocks, height))
    });
    let missing = || RpcError::invalid_parameter("the chain is not that high");
    json_of(&rate.await?.ok_or_else(missing)?)
}

/// Work of the last `blocks` blocks up to `height`, divided by the time they took; 0 if they took none.
fn hash_rate(chain: &Chain, blocks: i64, height: Height) -> f64 {
    let blocks = if blocks <= 0 { HASH_RATE_BLOCKS } else { blocks };
    // The first block's time follows genesis, however old that is: it tells nothing.
    let available = height.get().saturating_sub(1);
    let span = u32::try_from(blocks).unwrap_or(u32::MAX).min(available);
    let entry_at = |height: u32| chain.block_at(Height::new(height)).and_then(|hash| chain.index().entry(&hash));
    let lowest = height.get() - span;
    let times = (lowest..=height.get()).filter_map(|height| entry_at(height).map(|entry| entry.header.time));
    let (first, last) = times.fold((u32::MAX, 0), |(first, last), time| (first.min(time), last.max(time)));
    let (Some(from), Some(to)) = (entry_at(lowest), entry_at(height.get())) else {
        return 0.0;
    };
    match last.checked_sub(first) {
        Some(seconds) if seconds > 0 => (to.work.to_f64() - from.work.to_f64()) / f64::from(seconds),
        _ => 0.0,
    }
}

pub(super) async fn getblocktemplate(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let request: TemplateRequest = arguments.optional("template_request")?.unwrap_or_default();
    if let Some(mode) = request.mode.as_deref().filter(|mode| *mode != "template") {
        return Err(RpcError::invalid_parameter(format!("mode {mode:?} is not known; only \"template\" is")));
    }
    if let Some(id) = &request.longpollid {
        wait_for_change(context, id).await;
    }
    // Read before the template is made: at worst the next long poll is answered once too often.
    let stamp = *context.node.work().borrow();
    let template = context.node.call(|core, now| {
        let syncing = core.node.chain().is_syncing();
        (!syncing).then(|| core.node.template(now))
    });
    let template = template.await.map_err(stopped)?.ok_or_else(|| {
        RpcError::new(CLIENT_IN_INITIAL_DOWNLOAD, "the chain is still being downloaded: a block on it would be in vain")
    })?;
    json_of(&template_answer(&template, stamp))
}

fn long_poll_id(stamp: WorkStamp) -> String {
    format!("{}{}", stamp.tip, stamp.sequence)
}

/// Waits until there is something better to mine than what `id` was given for; not for ever.
async fn wait_for_change(context: &Context, id: &str) {
    let mut work = context.node.work();
    let begun = Instant::now();
    let mut limit = begun + LONG_POLL_LIMIT;
    loop {
        let stamp = *work.borrow_and_update();
        if !id.starts_with(&stamp.tip.to_string()) {
            return;
        }
        if id != long_poll_id(stamp) {
            limit = limit.min(begun + FEES_PAUSE);
        }
        tokio::select! {
            changed = work.changed() => if changed.is_err() { return },
            () = sleep_until(limit) => return,
            () = context.stopping() => return,
        }
    }
}

fn template_answer(template: &CoreTemplate, stamp: WorkStamp) -> BlockTemplate {
    let transactions = template.transactions.iter().map(|entry| TemplateTransaction {
        data: hex::encode(encode::encode(entry.transaction.as_ref())),
        txid: entry.txid,
        hash: entry.wtxid,
        fee: entry.fee,
        size: entry.size as u64,
    });
    BlockTemplate {
        version: template.version,
        previousblockhash: template.prev_block,
        transactions: transactions.collect(),
        coinbasevalue: template.coinbase_value,
        longpollid: long_poll_id(stamp),
        target: template.target,
        bits: template.bits,
        height: template.height,
        mintime: template.min_time,
        curtime: template.current_time,
        sizelimit: MAX_BLOCK_SIZE as u64,
        mutable: ["time", "transactions", "prevblock", "coinbase"].map(str::to_owned).to_vec(),
        noncerange: "00000000ffffffff".to_owned(),
    }
}

pub(super) async fn submitblock(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let text: String = arguments.required("hexdata")?;
    let block: Block = encode::decode_hex(&text, MAX_BLOCK_SIZE).map_err(|error| undecodable("the block", error))?;
    let fate = context.node.submit_block(Arc::new(block)).await.map_err(stopped)?;
    match verdict(&fate) {
        Ok(reason) => json_of(&reason),
        Err(error) => Err(error),
    }
}

/// Null, or why not, as BIP 22 has it.
fn verdict(fate: &Result<BlockFate, ChainError>) -> Result<Option<String>, RpcError> {
    match fate {
        Ok(BlockFate::Duplicate) => Ok(Some("duplicate".to_owned())),
        Ok(BlockFate::Stored) => Ok(Some("inconclusive".to_owned())),
        Ok(_) => Ok(None),
        Err(ChainError::KnownInvalid { .. }) => Ok(Some("duplicate-invalid".to_owned())),
        Err(error) => match error.rule_id() {
            Some(rule) => Ok(Some(match error {
                // A rule's text starts with its ID.
                ChainError::Rule { error, .. } => format!("rejected: {error}"),
                other => format!("rejected: {rule}: {other}"),
            })),
            None => Err(chain_error(error)),
        },
    }
}

pub(super) async fn generatetoaddress(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let count: u32 = arguments.required("nblocks")?;
    let text: String = arguments.required("address")?;
    let max_tries = arguments.optional("maxtries")?.unwrap_or(DEFAULT_MAX_TRIES);
    if context.params.spacing_seconds != 0 {
        let message = format!("{} mines on a schedule; blocks at once are for networks on demand", context.params.name);
        return Err(RpcError::new(MISC_ERROR, message));
    }
    if count > MAX_GENERATED {
        return Err(RpcError::invalid_parameter(format!("at most {MAX_GENERATED} blocks at a time")));
    }
    let address = Address::parse_for(&text, &context.params)
        .map_err(|error| RpcError::new(INVALID_ADDRESS_OR_KEY, error.to_string()))?;
    let mut hashes = Vec::new();
    for _ in 0..count {
        let template = context.node.call(|core, now| core.node.template(now)).await.map_err(stopped)?;
        let block = template.block(address.lock, b"");
        let Some(block) = blocking(move || grind(block, &template, max_tries)).await? else {
            break;
        };
        let hash = block.hash();
        let fate = context.node.submit_block(Arc::new(block)).await.map_err(stopped)?;
        fate.map_err(|error| chain_error(&error))?;
        hashes.push(hash);
    }
    json_of(&hashes)
}

/// Tries nonces; `None` if `max_tries` were not enough.
fn grind(mut block: Block, template: &CoreTemplate, max_tries: u64) -> Option<Block> {
    for nonce in (0..=u32::MAX).take(usize::try_from(max_tries).unwrap_or(usize::MAX)) {
        block.header.nonce = nonce;
        if template.target.is_met_by(&block.header.hash()) {
            return Some(block);
        }
    }
    None
}
