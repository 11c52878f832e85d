//! One connection as a state machine: lines, work and time go in, lines, blocks and the end come out of
//! [`Session::poll_output`].
//!
//! | file | what |
//! |---|---|
//! | here | limits, jobs, variable difficulty |
//! | `requests` | subscribe, authorize, configure and the small ones |
//! | `submit` | shares |

mod requests;
mod submit;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};
use tally_primitives::block::Block;
use tally_primitives::hash::LockHash;
use tally_primitives::params::Params;
use tally_primitives::units::Timestamp;

use crate::mining::stratum::bucket::Bucket;
use crate::mining::stratum::difficulty::Difficulty;
use crate::mining::stratum::error::{DisconnectReason, Refusal};
use crate::mining::stratum::job::{Job, Seat};
use crate::mining::stratum::limits::{
    AUTHORIZE_TIMEOUT_MS, BAD_BURST, BAD_REFILL_MS, IDLE_TIMEOUT_MS, MAX_JOBS, MAX_RATE_FACTOR, REQUEST_BURST,
    REQUEST_REFILL_MS, START_DIFFICULTY,
};
use crate::mining::stratum::message::{self, Incoming};
use crate::mining::stratum::meter::Meter;
use crate::mining::stratum::user::User;
use crate::mining::stratum::vardiff::Vardiff;
use crate::mining::stratum::work::Work;

/// What all sessions of a node are told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The network.
    pub params: Arc<Params>,
    /// Who is paid for miners that name no address; `None`: they are refused.
    pub payout: Option<LockHash>,
}

/// What is to happen outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a line; its end is to be added.
    Line(String),
    /// Submit a block to the node, and tell [`Session::handle_block_outcome`].
    Block(Arc<Block>),
    /// Close the connection, after sending what was to be sent before.
    Disconnect(DisconnectReason),
}

/// Shares and blocks of one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Good shares.
    pub accepted: u64,
    /// Shares that came too late for their job.
    pub stale: u64,
    /// Shares refused for another reason.
    pub rejected: u64,
    /// Blocks that the node took.
    pub blocks: u64,
}

/// A connection as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Who mines, once authorized.
    pub user: Option<User>,
    /// The miner's program.
    pub agent: String,
    /// The difficulty of its shares, once it has work.
    pub difficulty: Option<Difficulty>,
    /// Shares and blocks.
    pub counts: Counts,
    /// Hashes a second, estimated from the shares of the last minutes.
    pub hashes_per_second: f64,
    /// When it connected.
    pub connected_at: Timestamp,
    /// When its last good share came.
    pub last_share_at: Option<Timestamp>,
}

/// A connection.
#[derive(Debug)]
pub struct Session {
    settings: Arc<Settings>,
    seat: Seat,
    outputs: VecDeque<Output>,
    connected_at: Timestamp,
    last_line_at: Timestamp,
    last_share_at: Option<Timestamp>,
    /// The miner's program; `None` until it subscribes.
    agent: Option<String>,
    user: Option<User>,
    /// Version bits that the miner may roll; none until it asks.
    version_mask: u32,
    vardiff: Vardiff,
    /// A share has changed what is to be asked for; the miner is told after the answer.
    difficulty_changed: bool,
    /// What the miner was last told.
    announced: Option<Difficulty>,
    work: Option<Arc<Work>>,
    /// Oldest first; all of one parent.
    jobs: VecDeque<Job>,
    next_job: u32,
    requests: Bucket,
    bad: Bucket,
    meter: Meter,
    counts: Counts,
    ended: bool,
}

impl Session {
    /// A connection that was made just now.
    pub fn new(settings: Arc<Settings>, seat: Seat, now: Timestamp) -> Session {
        Session {
            settings,
            seat,
            outputs: VecDeque::new(),
            connected_at: now,
            last_line_at: now,
            last_share_at: None,
            agent: None,
            user: None,
            version_mask: 0,
            vardiff: Vardiff::new(now, START_DIFFICULTY),
            difficulty_changed: false,
            announced: None,
            work: None,
            jobs: VecDeque::new(),
            next_job: 1,
            requests: Bucket::new(REQUEST_BURST, REQUEST_REFILL_MS),
            bad: Bucket::new(BAD_BURST, BAD_REFILL_MS),
            meter: Meter::new(now),
            counts: Counts::default(),
            ended: false,
        }
    }

    /// The next thing that is to happen outside. To be asked after every call until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// A line has come, without its end.
    pub fn handle_line(&mut self, now: Timestamp, line: &[u8]) {
        if self.ended {
            return;
        }
        self.last_line_at = now;
        if !self.requests.take(now) {
            return self.end(DisconnectReason::TooManyRequests);
        }
        match Incoming::parse(line) {
            Ok(Incoming::Answer) => {}
            Ok(Incoming::Request(request)) => self.handle_request(now, &request),
            Err((id, refusal)) => self.refuse(now, id.as_ref(), false, &refusal),
        }
    }

    /// There is other work, or (`None`) none at all while the node catches up with the chain.
    pub fn handle_work(&mut self, now: Timestamp, work: Option<Arc<Work>>) {
        self.work = work;
        let is_on_same_tip = match (self.jobs.back(), &self.work) {
            (Some(job), Some(work)) => job.work().template().prev_block == work.template().prev_block,
            _ => false,
        };
        if !is_on_same_tip {
            // Shares on another tip are in vain.
            self.jobs.clear();
        }
        self.send_job(now, !is_on_same_tip);
    }

    /// What became of a block of this connection.
    pub fn handle_block_outcome(&mut self, accepted: bool) {
        self.counts.blocks += u64::from(accepted);
    }

    /// When [`Session::tick`] has something to do, at the latest; `None` after the end.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        if self.ended {
            return None;
        }
        let authorize_at = (!self.is_ready()).then(|| self.connected_at.saturating_add_millis(AUTHORIZE_TIMEOUT_MS));
        let vardiff_at = (!self.jobs.is_empty()).then(|| self.vardiff.due());
        let idle_at = self.last_line_at.saturating_add_millis(IDLE_TIMEOUT_MS);
        [authorize_at, vardiff_at, Some(idle_at)].into_iter().flatten().min()
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Timestamp) {
        if self.ended {
            return;
        }
        if !self.is_ready() && now.millis_since(self.connected_at) >= AUTHORIZE_TIMEOUT_MS {
            return self.end(DisconnectReason::NotAuthorized);
        }
        if now.millis_since(self.last_line_at) >= IDLE_TIMEOUT_MS {
            return self.end(DisconnectReason::Idle);
        }
        if !self.jobs.is_empty() && self.vardiff.tick(now) {
            self.send_job(now, false);
        }
    }

    /// The connection as people see it.
    pub fn status(&self, now: Timestamp) -> Status {
        Status {
            user: self.user.clone(),
            agent: self.agent.clone().unwrap_or_default(),
            difficulty: self.announced,
            counts: self.counts,
            hashes_per_second: self.meter.rate(now),
            connected_at: self.connected_at,
            last_share_at: self.last_share_at,
        }
    }

    /// Who mines, once authorized.
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// What makes this connection's coinbases different from all others.
    pub fn seat(&self) -> &Seat {
        &self.seat
    }

    fn is_ready(&self) -> bool {
        self.agent.is_some() && self.user.is_some()
    }

    /// What shares are to have: what variable difficulty says, but no more than a block needs, for otherwise blocks would be
    /// left out; unless blocks are so easy that they would be a flood.
    fn wanted_difficulty(&self, work: &Work) -> Difficulty {
        let wanted = self.vardiff.difficulty();
        wanted.min(work.difficulty()).max(wanted.scaled(MAX_RATE_FACTOR.recip()))
    }

    /// Whether the miner works at another difficulty than it is to.
    fn has_news(&self) -> bool {
        let wanted = self.work.as_ref().map(|work| self.wanted_difficulty(work));
        self.announced.is_some() && wanted.is_some() && wanted != self.announced
    }

    /// Gives the miner a job, if it is ready for one and there is work.
    fn send_job(&mut self, now: Timestamp, clean: bool) {
        let (Some(user), Some(work)) = (&self.user, &self.work) else {
            return;
        };
        if self.agent.is_none() || self.ended {
            return;
        }
        let difficulty = self.wanted_difficulty(work);
        let job = Job::new(self.next_job, Arc::clone(work), user.payout.lock, &self.seat, difficulty);
        self.next_job = self.next_job.wrapping_add(1);
        if self.announced != Some(difficulty) {
            if self.announced.is_none() {
                self.vardiff.start(now);
            }
            self.announced = Some(difficulty);
            self.notify("mining.set_difficulty", &json!([difficulty.get()]));
        }
        self.notify("mining.notify", &job.notify_params(clean));
        self.jobs.push_back(job);
        if self.jobs.len() > MAX_JOBS {
            self.jobs.pop_front();
        }
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.line(message::notification(method, params));
    }

    fn line(&mut self, line: String) {
        self.outputs.push_back(Output::Line(line));
    }

    /// Answers with a refusal, and ends the connection if there have been too many.
    fn refuse(&mut self, now: Timestamp, id: Option<&Value>, is_yes_or_no: bool, refusal: &Refusal) {
        if let Some(id) = id {
            self.line(message::refusal(id, is_yes_or_no, refusal));
        }
        if !refusal.is_harmless() && !self.bad.take(now) {
            self.end(DisconnectReason::TooManyBad);
        }
    }

    fn end(&mut self, reason: DisconnectReason) {
        if !self.ended {
            self.ended = true;
            self.outputs.push_back(Output::Disconnect(reason));
        }
    }
}
