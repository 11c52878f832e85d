//! Work from nodes over JSON-RPC: `getblocktemplate` with long poll (BIP 22), `submitblock`.
//!
//! Two threads, since a long poll may wait for a minute: the poller waits for new templates and finds another node when
//! one fails; the courier hands in blocks, and fetches a template when the poller's node may see nothing new. An answer that
//! was overtaken by another must not become work again, for blocks on it would be stale: see `Origin`.

mod poller;

use crate::block_job::{BlockJob, Template};
use crate::error::MinerError;
use crate::nodes::{BackOff, Nodes, check_address};
use crate::source::{Handed, Offer, Outcome, Purpose, SourceEvent, SourceEvents, Submission, WorkSource};
use poller::Poller;
use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tally_kernels::{Found, Job, Report};
use tally_primitives::address::Address;
use tally_primitives::encode;
use tally_primitives::units::{Amount, Height};
use tally_rpc::client::ClientError;
use tally_rpc::error::IN_WARMUP;
use tally_rpc::mining::BlockTemplate;

/// Jobs that a result may still be of: the present one, and a few that were replaced a moment ago.
const JOBS_KEPT: usize = 8;

/// How long a block is offered to nodes that do not answer. Afterwards others have surely found another.
const SUBMIT_PATIENCE: Duration = Duration::from_secs(60);

/// BIP 22's word for a block that the node has already: an answer to it was lost.
const DUPLICATE: &str = "duplicate";

/// BIP 22's word for a block that the node keeps, but that is not its tip.
const INCONCLUSIVE: &str = "inconclusive";

/// Work from nodes.
pub struct RpcSource {
    shared: Arc<Shared>,
    wait: bool,
    errands: Option<Sender<Errand>>,
}

/// What the courier is sent for.
enum Errand {
    Submit(Found),
    Refresh,
}

struct Shared {
    nodes: Nodes,
    payout: Address,
    /// Different in every run, so that two miners with one address do not do the same work.
    tag: [u8; 8],
    jobs: Mutex<Jobs>,
    stopped: Mutex<bool>,
    stopping: Condvar,
}

/// How a template was asked for, which decides whether it still counts.
#[derive(Clone, Copy)]
enum Origin {
    /// The first of a node: it counts.
    NewNode,
    /// A long poll: it counts unless the same has already come by an errand. (That one may have become a block meanwhile.)
    LongPoll,
    /// An errand, begun after so many deliveries: it counts if there has been none since.
    Errand { deliveries: u64 },
}

#[derive(Default)]
struct Jobs {
    next_id: u32,
    /// Templates that were delivered, and the last one's `longpollid`.
    deliveries: u64,
    longpollid: Option<String>,
    recent: VecDeque<RecentJob>,
}

#[derive(Clone)]
struct RecentJob {
    id: u64,
    height: Height,
    reward: Amount,
    job: Arc<BlockJob>,
}

impl RpcSource {
    /// Work that pays `payout`, from these nodes. With `wait`, no node needs to answer yet.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new(nodes: Nodes, payout: Address, wait: bool) -> Result<RpcSource, MinerError> {
        let mut tag = [0; 8];
        getrandom::fill(&mut tag)
            .map_err(|error| MinerError::System { action: "get random numbers", reason: error.to_string() })?;
        let shared =
            Shared { nodes, payout, tag, jobs: Mutex::default(), stopped: Mutex::new(false), stopping: Condvar::new() };
        Ok(RpcSource { shared: Arc::new(shared), wait, errands: None })
    }
}

impl WorkSource for RpcSource {
    fn start(&mut self, events: SourceEvents) -> Result<(), MinerError> {
        if !self.wait {
            self.shared.find_node()?;
        }
        let (sender, errands) = mpsc::channel();
        self.errands = Some(sender);
        let (shared, to_session) = (Arc::clone(&self.shared), events.clone());
        spawn("miner-poll", move || Poller::new(&shared, &to_session).run())?;
        let shared = Arc::clone(&self.shared);
        spawn("miner-courier", move || shared.run_errands(&errands, &events))
    }

    fn refresh(&self) {
        self.send(Errand::Refresh);
    }

    fn submit(&self, found: Found) -> bool {
        self.send(Errand::Submit(found));
        true
    }
}

impl RpcSource {
    fn send(&self, errand: Errand) {
        if let Some(errands) = &self.errands {
            // The courier leaves only when the session has ended, and then nobody waits for an answer.
            let _ = errands.send(errand);
        }
    }
}

impl Drop for RpcSource {
    fn drop(&mut self) {
        *lock(&self.shared.stopped) = true;
        self.shared.stopping.notify_all();
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), MinerError> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map(drop).map_err(|error| MinerError::System { action: "start a thread", reason: error.to_string() })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn is_stopped(&self) -> bool {
        *lock(&self.stopped)
    }

    /// Pauses, unless it is time to stop.
    fn pause(&self, pause: Duration) {
        let stopped = lock(&self.stopped);
        // Whether it was woken or has slept enough is for the caller's loop to see.
        let _ = self.stopping.wait_timeout_while(stopped, pause, |stopped| !*stopped);
    }

    /// Makes the first node that can be used the current one; an address of another network is an error at once.
    fn find_node(&self) -> Result<(), MinerError> {
        let mut first_error = None;
        for _ in 0..self.nodes.count() {
            let (index, client) = self.nodes.current();
            match check_address(client, &self.payout) {
                Ok(()) => return Ok(()),
                Err(error @ MinerError::AddressRefused { .. }) => return Err(error),
                // It has just been started: the poller will wait for it.
                Err(MinerError::Node(ClientError::Rpc(error))) if error.code == IN_WARMUP => return Ok(()),
                Err(error) => first_error.get_or_insert(error),
            };
            self.nodes.move_on(index);
        }
        first_error.map_or(Ok(()), Err)
    }

    /// Turns a node's answer into an offer, if it counts. False when the session has ended.
    fn deliver(&self, answer: BlockTemplate, origin: Origin, events: &SourceEvents) -> bool {
        // Held until the event is sent, so that offers arrive in the order of their numbers.
        let mut jobs = lock(&self.jobs);
        let counts = match origin {
            Origin::NewNode => true,
            Origin::LongPoll => jobs.longpollid.as_ref() != Some(&answer.longpollid),
            Origin::Errand { deliveries } => jobs.deliveries == deliveries,
        };
        if !counts {
            return true;
        }
        jobs.deliveries += 1;
        jobs.longpollid = Some(answer.longpollid.clone());
        let id = jobs.next_id;
        jobs.next_id = jobs.next_id.wrapping_add(1);
        // With the job's number in the coinbase, no two jobs ever have a header in common.
        let tag = [self.tag.as_slice(), &id.to_le_bytes()].concat();
        let made = Template::new(answer).and_then(|template| {
            let job = BlockJob::new(&template, self.payout.lock, &tag)?;
            Ok((template, Arc::new(job)))
        });
        let (template, job) = match made {
            Ok(made) => made,
            Err(error) => return events.send(SourceEvent::NoWork { reason: error.to_string() }),
        };
        let answer = template.answer();
        let recent = RecentJob { id: u64::from(id), height: answer.height, reward: answer.coinbasevalue, job };
        let offer = Offer {
            job: Job { id: recent.id, report: Report::First, work: Arc::new(recent.job.work().clone()) },
            prev_block: answer.previousblockhash,
            purpose: Purpose::Block {
                height: recent.height,
                transactions: answer.transactions.len(),
                reward: recent.reward,
            },
        };
        jobs.recent.push_back(recent);
        if jobs.recent.len() > JOBS_KEPT {
            jobs.recent.pop_front();
        }
        events.send(SourceEvent::Work(offer))
    }

    fn run_errands(&self, errands: &Receiver<Errand>, events: &SourceEvents) {
        for errand in errands {
            let goes_on = match errand {
                Errand::Refresh => self.fetch(events),
                Errand::Submit(found) => self.submit_and_tell(&found, events),
            };
            if !goes_on {
                return;
            }
        }
    }

    /// False when the session has ended.
    fn submit_and_tell(&self, found: &Found, events: &SourceEvents) -> bool {
        let Some(submission) = self.submit(found) else {
            return events.send(SourceEvent::Stale);
        };
        let was_accepted = submission.outcome == Outcome::Accepted;
        // A new tip wakes the poller. A node that refuses a block has nothing new, but the engine rests.
        events.send(SourceEvent::Submitted(submission)) && (was_accepted || self.fetch(events))
    }

    /// Fetches a template now. If that fails, the poller finds out for itself. False when the session has ended.
    fn fetch(&self, events: &SourceEvents) -> bool {
        let deliveries = lock(&self.jobs).deliveries;
        match self.nodes.current().1.block_template(None) {
            Ok(answer) => self.deliver(answer, Origin::Errand { deliveries }, events),
            Err(_) => true,
        }
    }

    /// Hands a result in. `None` if it is of a job long gone.
    fn submit(&self, found: &Found) -> Option<Submission> {
        let recent = lock(&self.jobs).recent.iter().find(|recent| recent.id == found.job_id).cloned()?;
        let block = recent.job.block(found)?;
        let outcome = self.hand_in(&hex::encode(encode::encode(&block)));
        let result = Handed::Block { height: recent.height, reward: recent.reward };
        Some(Submission { hash: block.hash(), result, outcome })
    }

    fn hand_in(&self, block_hex: &str) -> Outcome {
        let deadline = Instant::now() + SUBMIT_PATIENCE;
        let mut back_off = BackOff::new();
        loop {
            let (index, client) = self.nodes.current();
            let error = match client.submit_block(block_hex) {
                Ok(None) => return Outcome::Accepted,
                Ok(Some(reason)) if reason == DUPLICATE => return Outcome::Accepted,
                Ok(Some(reason)) if reason == INCONCLUSIVE => {
                    return Outcome::Rejected { reason: "another block of this height came first".to_owned() };
                }
                Ok(Some(reason)) => return Outcome::Rejected { reason },
                Err(ClientError::Rpc(error)) => return Outcome::Rejected { reason: error.to_string() },
                Err(error) => error,
            };
            if self.is_stopped() || Instant::now() >= deadline {
                return Outcome::Rejected { reason: format!("it could not be handed in: {error}") };
            }
            if self.nodes.move_on(index) {
                self.pause(back_off.pause());
            }
        }
    }
}
