//! Methods about mining.

use std::sync::Arc;

use serde_json::Value;
use tally_node_core::chain::Chain;
use tally_node_core::mining::BlockTemplate;
use tally_primitives::address::Address;
use tally_primitives::block::Block;
use tally_primitives::units::Height;
use tally_rpc::arguments::Arguments;
use tally_rpc::error::{INVALID_ADDRESS_OR_KEY, MISC_ERROR, RpcError};
use tally_rpc::mining::{MiningInfo, NextBlock};

use super::Context;
use super::answer::{chain_error, json_of, stopped};
use super::chain::{ask, blocking, difficulty};

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

pub(super) fn getstratuminfo(context: &Context) -> Result<Value, RpcError> {
    let none = || RpcError::new(MISC_ERROR, "this node has no Stratum server: start it with --stratum-listen");
    json_of(&context.stratum.as_ref().ok_or_else(none)?.info())
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
fn grind(mut block: Block, template: &BlockTemplate, max_tries: u64) -> Option<Block> {
    for nonce in (0..=u32::MAX).take(usize::try_from(max_tries).unwrap_or(usize::MAX)) {
        block.header.nonce = nonce;
        if template.target.is_met_by(&block.header.hash()) {
            return Some(block);
        }
    }
    None
}
