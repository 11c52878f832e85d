//! Shares: handing them in, and what becomes of them.

use super::{Client, Ending, Output};
use crate::source::{Handed, Outcome, Submission};
use crate::stratum::message::{self, Refusal};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tally_kernels::Found;
use tally_primitives::hash::BlockHash;

/// Shares that may wait for an answer. With a hundred milliseconds there and back that is 2,560 a second: who finds more needs
/// a higher difficulty, and the server knows it by then.
pub const WAITING_MAX: usize = 256;

/// What happens to a share on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was handed in; the answer comes as [`Output::Answered`].
    Sent,
    /// It is of work that no longer counts.
    Stale,
    /// Too many wait for an answer already.
    Dropped,
}

/// Shares that wait for an answer, by the number of the request.
#[derive(Debug, Default)]
pub(super) struct Shares(BTreeMap<u64, Waiting>);

#[derive(Debug)]
struct Waiting {
    hash: BlockHash,
    result: Handed,
    sent: Duration,
}

impl Shares {
    /// When the one that waits longest was sent.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.0.first_key_value().map(|(_, waiting)| waiting.sent)
    }

    pub(super) fn waiting(&self) -> u64 {
        self.0.len() as u64
    }
}

impl Client {
    /// Hands in a share.
    ///
    /// A job that was cleaned is one whose shares the server refuses, and there is no use in asking for that. One exception: a
    /// share that is a block on the parent that still is the tip. Some servers clean for reasons of their own, and a block
    /// is worth one refusal.
    pub fn submit(&mut self, found: &Found, now: Duration) -> Fate {
        let Some(job) = self.jobs.iter().find(|job| job.number == found.job_id).filter(|_| !self.is_over) else {
            return Fate::Stale;
        };
        let is_block = job.is_block(found);
        let is_on_tip = self.current.as_ref().is_some_and(|current| current.notify.prev_block == job.notify.prev_block);
        if job.is_cleaned && !(is_block && is_on_tip) {
            return Fate::Stale;
        }
        if self.shares.0.len() >= WAITING_MAX {
            return Fate::Dropped;
        }
        let Some(params) = job.submit_params(&self.login.user, found, self.mask) else {
            return Fate::Stale;
        };
        let result = Handed::Share { job: job.notify.job.clone(), difficulty: job.difficulty.to_f64(), is_block };
        let id = self.next_id;
        self.next_id += 1;
        self.outputs.push_back(Output::Line(message::request(id, "mining.submit", &params)));
        self.shares.0.insert(id, Waiting { hash: BlockHash::from_bytes(found.hash), result, sent: now });
        Fate::Sent
    }

    /// An answer with this number has come; if it is none to a share of ours it means nothing.
    pub(super) fn share_answered(&mut self, id: u64, result: Result<Value, Refusal>) {
        let Some(Waiting { hash, result: share, .. }) = self.shares.0.remove(&id) else { return };
        let refusal = match result {
            Ok(Value::Bool(true)) => None,
            Ok(_) => Some(Refusal { code: None, text: String::new() }),
            Err(refusal) => Some(refusal),
        };
        let outcome = match &refusal {
            None => Outcome::Accepted,
            Some(refusal) => Outcome::Rejected { reason: refusal.reason() },
        };
        self.outputs.push_back(Output::Answered(Submission { hash, result: share, outcome }));
        if refusal.as_ref().is_some_and(Refusal::has_forgotten_us) {
            self.end(Ending::Broken { reason: "it no longer knows us".to_owned() });
        }
    }
}
