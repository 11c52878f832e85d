//! The node's own miner (`--mine`): the engine of tally-kernels, fed with templates of this node.
//!
//! A new tip replaces the work at once; more fees do so after a moment, since transactions come in swarms. A block that
//! is found goes the way of every other block.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tally_kernels::{BIP_320_MASK, CoinbaseWork, Engine, EngineConfig, EngineError, Found, Job, Report};
use tally_node_core::mining::BlockTemplate;
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{LockHash, Wtxid};
use tally_primitives::merkle;
use tally_primitives::transaction::Transaction;
use tally_rpc::mining::OwnMiner;
use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until};

use crate::config::MineConfig;
use crate::driver::NodeHandle;

/// New fees are waited for so long before the work is replaced.
const FEES_PAUSE: Duration = Duration::from_millis(500);

/// The work is replaced at least so often: its time must not fall behind.
const REFRESH: Duration = Duration::from_secs(20);

/// Templates kept, so that a result that comes a moment late still finds its own.
const JOBS_KEPT: usize = 4;

/// Bytes of the extra nonce, which ends the coinbase's memo.
const EXTRA_NONCE_SIZE: usize = 8;

/// Random bytes before it: two miners of one address must not hash the same.
const TAG_SIZE: usize = 8;

/// How often the hash rate is measured.
const RATE_WINDOW: Duration = Duration::from_secs(2);

/// A running miner.
pub struct Miner {
    engine: Engine,
    node: NodeHandle,
    payout: LockHash,
    tag: [u8; TAG_SIZE],
    jobs: VecDeque<(u64, Arc<BlockTemplate>)>,
    next_job: u64,
}

/// What the miner does, for `getmininginfo`.
#[derive(Debug)]
pub struct MinerStatus {
    threads: u32,
    limit: Option<f64>,
    hashes: AtomicU64,
    rate_bits: AtomicU64,
}

impl MinerStatus {
    /// The figures now.
    pub fn read(&self) -> OwnMiner {
        OwnMiner {
            threads: self.threads,
            limit: self.limit,
            hashes: self.hashes.load(Ordering::Relaxed),
            hashespersec: f64::from_bits(self.rate_bits.load(Ordering::Relaxed)),
        }
    }
}

impl Miner {
    /// Starts the threads. They rest until [`Miner::run`].
    ///
    /// # Errors
    /// If the engine refuses the settings.
    pub fn start(
        config: &MineConfig,
        node: NodeHandle,
        tag: [u8; TAG_SIZE],
    ) -> Result<(Self, mpsc::Receiver<Found>, Arc<MinerStatus>), EngineError> {
        let engine_config =
            EngineConfig { threads: config.threads, limit_hashes_per_second: config.limit, ..EngineConfig::default() };
        let (engine, results) = Engine::start(engine_config)?;
        let (sender, found) = mpsc::channel(16);
        std::thread::spawn(move || {
            // Ends when the engine is dropped, or when nobody takes results any more.
            while let Ok(result) = results.recv() {
                if sender.blocking_send(result).is_err() {
                    return;
                }
            }
        });
        let status = Arc::new(MinerStatus {
            threads: u32::try_from(config.threads).unwrap_or(u32::MAX),
            limit: config.limit,
            hashes: AtomicU64::new(0),
            rate_bits: AtomicU64::new(0),
        });
        let payout = config.address.lock;
        let miner = Self { engine, node, payout, tag, jobs: VecDeque::new(), next_job: 1 };
        Ok((miner, found, status))
    }

    /// Mines until the node stops.
    pub async fn run(mut self, mut found: mpsc::Receiver<Found>, status: Arc<MinerStatus>) {
        let mut work = self.node.work();
        let mut measured = (Instant::now(), 0u64);
        loop {
            let stamp = *work.borrow_and_update();
            if self.renew().await.is_none() {
                return;
            }
            let begun = tokio::time::Instant::now();
            let mut refresh = begun + REFRESH;
            loop {
                tokio::select! {
                    result = found.recv() => match result {
                        Some(result) => {
                            if self.submit(&result).await.is_none() {
                                return;
                            }
                            // If it was refused for now (its time, say), the engine must not stay without work.
                            refresh = refresh.min(tokio::time::Instant::now() + FEES_PAUSE);
                        }
                        None => return,
                    },
                    changed = work.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        if work.borrow_and_update().tip != stamp.tip {
                            break;
                        }
                        refresh = refresh.min(begun + FEES_PAUSE);
                    }
                    () = sleep_until(refresh) => break,
                    () = sleep(RATE_WINDOW) => measured = self.measure(&status, measured),
                }
            }
            measured = self.measure(&status, measured);
        }
    }

    fn measure(&self, status: &MinerStatus, last: (Instant, u64)) -> (Instant, u64) {
        let hashes = self.engine.hashes();
        status.hashes.store(hashes, Ordering::Relaxed);
        let elapsed = last.0.elapsed();
        if elapsed < RATE_WINDOW {
            return last;
        }
        let rate = hashes.saturating_sub(last.1) as f64 / elapsed.as_secs_f64();
        status.rate_bits.store(rate.to_bits(), Ordering::Relaxed);
        (Instant::now(), hashes)
    }

    /// Gives the engine a new template; `None` if the node stops.
    async fn renew(&mut self) -> Option<()> {
        let template = self.node.call(|core, now| {
            // A block on an old tip would be in vain.
            let syncing = core.node.chain().is_syncing();
            (!syncing).then(|| core.node.template(now))
        });
        let Some(template) = template.await.ok()? else {
            self.engine.set_job(None);
            return Some(());
        };
        let template = Arc::new(template);
        let id = self.next_job;
        self.next_job += 1;
        let work = coinbase_work(&template, self.payout, &self.tag);
        self.engine.set_job(Some(Job { id, report: Report::First, work: Arc::new(work) }));
        self.jobs.push_back((id, template));
        if self.jobs.len() > JOBS_KEPT {
            self.jobs.pop_front();
        }
        Some(())
    }

    /// Gives a found block to the node; `None` if the node stops.
    async fn submit(&self, found: &Found) -> Option<()> {
        let known = self.jobs.iter().find(|(id, _)| *id == found.job_id);
        let Some((_, template)) = known else {
            return Some(());
        };
        let block = Arc::new(assemble(template, self.payout, &self.tag, found));
        let (hash, height) = (block.hash(), template.height);
        match self.node.submit_block(block).await.ok()? {
            Ok(_) => tracing::info!(height = height.get(), %hash, "mined a block"),
            Err(error) => tracing::warn!(height = height.get(), %error, "a block of our own was refused"),
        }
        Some(())
    }
}

/// What follows the height in the coinbase's memo.
fn extra(tag: &[u8; TAG_SIZE], extra_nonce: u64) -> Vec<u8> {
    let mut extra = tag.to_vec();
    extra.extend_from_slice(&extra_nonce.to_le_bytes());
    extra
}

/// The template as work for the engine.
fn coinbase_work(template: &BlockTemplate, payout: LockHash, tag: &[u8; TAG_SIZE]) -> CoinbaseWork {
    let coinbase = template.coinbase(payout, &extra(tag, 0));
    let mut prefix = tally_primitives::encode::encode(&coinbase);
    // The memo is the encoding's end, and the extra nonce the memo's.
    prefix.truncate(prefix.len() - EXTRA_NONCE_SIZE);
    let rest: Vec<Wtxid> = template.transactions.iter().map(|transaction| transaction.wtxid).collect();
    let branch = merkle::coinbase_branch(&rest).iter().map(|node| node.to_bytes()).collect();
    let header = Header {
        version: template.version,
        prev_block: template.prev_block,
        merkle_root: Default::default(),
        time: template.current_time,
        bits: template.bits,
        nonce: 0,
    };
    CoinbaseWork {
        header: header.to_bytes(),
        version_mask: BIP_320_MASK,
        target: template.target.to_be_bytes(),
        coinbase_prefix: prefix,
        coinbase_suffix: Vec::new(),
        extra_nonce_size: EXTRA_NONCE_SIZE,
        branch,
    }
}

/// The block whose header was found.
fn assemble(template: &BlockTemplate, payout: LockHash, tag: &[u8; TAG_SIZE], found: &Found) -> Block {
    let coinbase = template.coinbase(payout, &extra(tag, found.extra_nonce));
    let rest = template.transactions.iter().map(|transaction| Transaction::clone(&transaction.transaction));
    Block {
        header: Header::from_bytes(&found.header_bytes),
        transactions: std::iter::once(coinbase).chain(rest).collect(),
    }
}

#[cfg(test)]
mod tests;
