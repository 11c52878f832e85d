//! `getblocktemplate`: templates with long poll (BIP 22), proposals and whole coinbases (BIP 23).
//!
//! A miner may make its own coinbase (`coinbasevalue`, `height`), or take the one in `coinbasetxn`, which pays the node's own
//! address. Bitcoin's miners do the latter, since they know no coinbase of our format; nothing is said of `coinbase/append` in
//! `mutable`, so they leave it as it is. Every answer has another coinbase, so that two miners never hash the same.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tally_node_core::mining::BlockTemplate as CoreTemplate;
use tally_primitives::address::Address;
use tally_primitives::block::MAX_BLOCK_SIZE;
use tally_primitives::encode;
use tally_primitives::hash::Txid;
use tally_rpc::arguments::Arguments;
use tally_rpc::error::{CLIENT_IN_INITIAL_DOWNLOAD, RpcError};
use tally_rpc::mining::{
    BlockTemplate, CoinbaseTransaction, FullTemplate, FullTemplateTransaction, TemplateRequest, TemplateTransaction,
};
use tokio::time::{Instant, sleep_until};

use super::Context;
use super::answer::{json_of, stopped};
use super::submit;
use crate::driver::WorkStamp;

/// A long poll is answered after so long even if nothing has changed: the template's time must not fall behind.
const LONG_POLL_LIMIT: Duration = Duration::from_secs(60);

/// More fees are told of after so long: transactions come in swarms.
const FEES_PAUSE: Duration = Duration::from_millis(500);

/// Random bytes in a coinbase, and after them a number that counts up.
const TAG_SIZE: usize = 8;

/// Coinbases for miners that make none: each another one, all paying the node's own address.
#[derive(Debug)]
pub struct Coinbases {
    payout: Option<Address>,
    tag: [u8; TAG_SIZE],
    next: AtomicU64,
}

impl Coinbases {
    /// Coinbases that pay `payout`. The tag must be another one in every run and every node.
    pub fn new(payout: Option<Address>, tag: [u8; TAG_SIZE]) -> Self {
        Self { payout, tag, next: AtomicU64::new(0) }
    }

    /// The next one; `None` without an address to pay.
    fn make(&self, template: &CoreTemplate) -> Option<CoinbaseTransaction> {
        let payout = self.payout.as_ref()?;
        let number = self.next.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        let coinbase = template.coinbase(payout.lock, &[self.tag, number].concat());
        Some(CoinbaseTransaction {
            data: hex::encode(encode::encode(&coinbase)),
            txid: coinbase.txid(),
            hash: coinbase.wtxid(),
            fee: i64::try_from(template.fees().to_notches()).map_or(i64::MIN, |fees| -fees),
            required: true,
        })
    }
}

pub(super) async fn getblocktemplate(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let request: TemplateRequest = arguments.optional("template_request")?.unwrap_or_default();
    match request.mode.as_deref() {
        None | Some("template") => {}
        Some("proposal") => return submit::propose(context, request.data.as_deref()).await,
        Some(mode) => {
            let message = format!("mode {mode:?} is not known; \"template\" and \"proposal\" are");
            return Err(RpcError::invalid_parameter(message));
        }
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
    json_of(&FullTemplate {
        coinbasetxn: context.coinbases.make(&template),
        template: template_answer(&template, stamp),
        capabilities: ["proposal", "longpoll", "coinbasetxn", "coinbasevalue"].map(str::to_owned).to_vec(),
    })
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

fn template_answer(template: &CoreTemplate, stamp: WorkStamp) -> BlockTemplate<FullTemplateTransaction> {
    BlockTemplate {
        version: template.version,
        previousblockhash: template.prev_block,
        transactions: transactions(template),
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

/// The transactions, each with the numbers of those before it whose coins it spends.
fn transactions(template: &CoreTemplate) -> Vec<FullTemplateTransaction> {
    let mut numbers: BTreeMap<Txid, u32> = BTreeMap::new();
    let mut list = Vec::with_capacity(template.transactions.len());
    for (number, entry) in (1u32..).zip(&template.transactions) {
        let parents = entry.transaction.inputs.iter().map(|input| input.outpoint.txid);
        let mut depends: Vec<u32> = parents.filter_map(|txid| numbers.get(&txid).copied()).collect();
        depends.sort_unstable();
        depends.dedup();
        numbers.insert(entry.txid, number);
        let transaction = TemplateTransaction {
            data: hex::encode(encode::encode(entry.transaction.as_ref())),
            txid: entry.txid,
            hash: entry.wtxid,
            fee: entry.fee,
            size: entry.size as u64,
        };
        list.push(FullTemplateTransaction { transaction, depends });
    }
    list
}
