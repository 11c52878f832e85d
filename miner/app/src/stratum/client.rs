//! The protocol as a state machine: lines and results in, lines and events out. It knows no socket and no clock; `now` is the
//! time since any moment of the caller's choice. One client is one connection.
//!
//! A connection begins with `mining.configure` (BIP 310) and `mining.subscribe`; the answer to the latter is followed by
//! `mining.authorize`. Servers that do not know the former answer with an error, or not at all: neither holds anything up.
//! Shares are in `client/shares`, what goes in and out in `client/interface`.

mod interface;
mod shares;

use super::difficulty::Difficulty;
use super::job::{ShareJob, ShareWork};
use super::message::{self, Call, ExtraNonce, Malformed, Notify, Refusal, ServerMessage};
use crate::source::{Offer, Purpose};
pub use interface::{Ending, Login, Output};
use serde_json::{Value, json};
pub use shares::Fate;
use shares::Shares;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tally_kernels::work::BIP_320_MASK;
use tally_kernels::{Job, Report};
use tally_primitives::hash::BlockHash;

/// From the first byte until we may work.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(30);

/// A server that says nothing for so long is gone. Servers send new work every minute or so, since the time moves.
pub const SILENCE_MAX: Duration = Duration::from_secs(300);

/// A server that leaves a share unanswered for so long is gone.
pub const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Lines of a connection that may be no messages. One may be a whim, more are another protocol.
pub const MALFORMED_MAX: u32 = 16;

/// Jobs that a result may still be of.
const JOBS_KEPT: usize = 8;

/// What we say we are.
const AGENT: &str = concat!("tally-miner/", env!("CARGO_PKG_VERSION"));

/// Bits of the version that we ask for at least: with two, four versions share one message schedule.
const MASK_BITS_WANTED: u32 = 2;

/// A question to the server that is not a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Configure,
    Subscribe,
    Authorize,
    ExtraNonceSubscribe,
}

/// The present work, with what counted when it came.
#[derive(Clone, Debug)]
struct Current {
    notify: Arc<Notify>,
    difficulty: Difficulty,
    extra_nonce: ExtraNonce,
}

/// One connection's state.
#[derive(Debug)]
pub struct Client {
    login: Login,
    next_id: u64,
    questions: BTreeMap<u64, Question>,
    shares: Shares,
    extra_nonce: Option<ExtraNonce>,
    difficulty: Difficulty,
    /// Set when versions may be rolled (even if the server allows no bit).
    mask: Option<u32>,
    is_authorized: bool,
    /// The extra nonce was replaced: the next job makes all before it worthless.
    drops_jobs_next: bool,
    current: Option<Current>,
    jobs: VecDeque<ShareJob>,
    next_job: u64,
    began: Duration,
    heard: Duration,
    malformed: u32,
    is_over: bool,
    outputs: VecDeque<Output>,
}

impl Client {
    /// A connection that has just been made. Its jobs get numbers from `first_job` on.
    #[must_use]
    pub fn new(login: Login, first_job: u64, now: Duration) -> Client {
        let mut client = Client {
            login,
            next_id: 1,
            questions: BTreeMap::new(),
            shares: Shares::default(),
            extra_nonce: None,
            difficulty: Difficulty::ONE,
            mask: None,
            is_authorized: false,
            drops_jobs_next: false,
            current: None,
            jobs: VecDeque::new(),
            next_job: first_job,
            began: now,
            heard: now,
            malformed: 0,
            is_over: false,
            outputs: VecDeque::new(),
        };
        if !client.login.is_plain {
            let parameters = json!({
                "version-rolling.mask": format!("{BIP_320_MASK:08x}"), "version-rolling.min-bit-count": MASK_BITS_WANTED,
            });
            let extensions = ["version-rolling", "subscribe-extranonce"];
            client.ask(Question::Configure, "mining.configure", &json!([extensions, parameters]));
        }
        client.ask(Question::Subscribe, "mining.subscribe", &json!([AGENT]));
        client
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Client::handle_timeout) is due at the latest.
    #[must_use]
    pub fn next_timeout(&self) -> Duration {
        let handshake = if self.is_authorized { Duration::MAX } else { self.began + HANDSHAKE_MAX };
        let answer = self.shares.oldest().map_or(Duration::MAX, |sent| sent + ANSWER_MAX);
        (self.heard + SILENCE_MAX).min(handshake).min(answer)
    }

    /// Gives the connection up if its time is over.
    pub fn handle_timeout(&mut self, now: Duration) {
        if now < self.next_timeout() {
            return;
        }
        let reason = if !self.is_authorized {
            format!("it has not let us in within {} seconds", HANDSHAKE_MAX.as_secs())
        } else if self.shares.oldest().is_some_and(|sent| now >= sent + ANSWER_MAX) {
            format!("it has not answered a share for {} seconds", ANSWER_MAX.as_secs())
        } else {
            format!("it has said nothing for {} seconds", SILENCE_MAX.as_secs())
        };
        self.end(Ending::Broken { reason });
    }

    /// Takes a line from the server, without its line break.
    pub fn handle_line(&mut self, line: &[u8], now: Duration) {
        if self.is_over || line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        self.heard = now;
        match ServerMessage::read(line) {
            Ok(ServerMessage::Call { id, call }) => self.called(id.as_ref(), call),
            Ok(ServerMessage::Answer { id, result }) => self.answered(id, result),
            Err(error) => self.puzzled(&error),
        }
    }

    /// The number that the next job will have: for the next connection's first.
    #[must_use]
    pub fn next_job(&self) -> u64 {
        self.next_job
    }

    /// Shares whose answer will never come, when the connection is gone.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.shares.waiting()
    }

    fn ask(&mut self, question: Question, method: &str, params: &Value) {
        let id = self.next_id;
        self.next_id += 1;
        self.questions.insert(id, question);
        self.outputs.push_back(Output::Line(message::request(id, method, params)));
    }

    fn end(&mut self, ending: Ending) {
        if !self.is_over {
            self.is_over = true;
            self.outputs.push_back(Output::Over(ending));
        }
    }

    fn puzzled(&mut self, error: &Malformed) {
        self.malformed += 1;
        if self.malformed > MALFORMED_MAX {
            self.end(Ending::Broken { reason: format!("it does not speak Stratum: {error}") });
        } else if self.malformed == 1 {
            self.outputs.push_back(Output::Notice(format!("the server has sent a line that is no message: {error}")));
        }
    }

    fn called(&mut self, id: Option<&Value>, call: Call) {
        match call {
            Call::Notify(notify) => self.notified(notify),
            Call::SetDifficulty(difficulty) => self.difficulty = difficulty,
            Call::SetExtraNonce(extra_nonce) => {
                self.drops_jobs_next |= self.extra_nonce.as_ref() != Some(&extra_nonce);
                self.extra_nonce = Some(extra_nonce);
            }
            Call::SetVersionMask(mask) => {
                // Only a server that has answered `mining.configure` reads the version that goes with a share.
                if self.mask.is_some() {
                    self.set_mask(mask);
                }
            }
            Call::Reconnect { host, port, wait_seconds } => self.sent_away(host, port, wait_seconds),
            Call::ShowMessage(text) => self.outputs.push_back(Output::Notice(format!("the server says: {text}"))),
            Call::GetVersion => self.reply(id, |id| message::answer(id, &json!(AGENT))),
            Call::Ping => self.reply(id, |id| message::answer(id, &json!("pong"))),
            Call::Unknown => self.reply(id, message::unknown_method),
        }
    }

    /// Answers a server's request; a notification gets no answer.
    fn reply(&mut self, id: Option<&Value>, line: impl Fn(&Value) -> String) {
        self.outputs.extend(id.map(|id| Output::Line(line(id))));
    }

    /// Whoever can write into this connection could send us to a server of theirs, so only the port may be another.
    fn sent_away(&mut self, host: Option<String>, port: Option<u16>, wait_seconds: u64) {
        match host {
            Some(host) if !host.eq_ignore_ascii_case(&self.login.host) => {
                let text = format!("the server sends us to another host, {host}: not followed");
                self.outputs.push_back(Output::Notice(text));
            }
            _ => self.end(Ending::Reconnect { port, wait: Duration::from_secs(wait_seconds) }),
        }
    }

    fn answered(&mut self, id: u64, result: Result<Value, Refusal>) {
        let Some(question) = self.questions.remove(&id) else {
            return self.share_answered(id, result);
        };
        match (question, result) {
            (Question::Configure, Ok(result)) => {
                if let Some(mask) = message::configured_mask(&result) {
                    self.set_mask(mask);
                }
            }
            (Question::Subscribe, Ok(result)) => match ExtraNonce::read(result.get(1), result.get(2)) {
                Ok(extra_nonce) => self.subscribed(extra_nonce),
                Err(error) => {
                    self.end(Ending::Broken { reason: format!("its answer to mining.subscribe is none: {error}") })
                }
            },
            (Question::Subscribe, Err(refusal)) => {
                self.end(Ending::Broken { reason: format!("it refuses mining.subscribe: {}", refusal.reason()) });
            }
            (Question::Authorize, Ok(Value::Bool(true))) => self.authorized(),
            (Question::Authorize, result) => {
                let reason = result.err().map_or_else(|| "it gives no reason".to_owned(), |refusal| refusal.reason());
                self.end(Ending::Refused { reason });
            }
            // Without these extensions there is nothing to do.
            (Question::Configure, Err(_)) | (Question::ExtraNonceSubscribe, _) => {}
        }
    }

    fn subscribed(&mut self, extra_nonce: ExtraNonce) {
        // The server may have replaced it before its own answer.
        self.extra_nonce.get_or_insert(extra_nonce);
        let params = json!([self.login.user, self.login.password]);
        self.ask(Question::Authorize, "mining.authorize", &params);
        if !self.login.is_plain {
            self.ask(Question::ExtraNonceSubscribe, "mining.extranonce.subscribe", &json!([]));
        }
    }

    fn authorized(&mut self) {
        self.is_authorized = true;
        self.outputs.push_back(Output::Ready);
        // Many servers send the first job before this answer.
        self.offer(true);
    }

    fn set_mask(&mut self, mask: u32) {
        let mask = mask & BIP_320_MASK;
        if self.mask.replace(mask) != Some(mask) {
            // It counts at once, also for the present job.
            self.offer(false);
        }
    }

    fn notified(&mut self, notify: Notify) {
        let Some(extra_nonce) = self.extra_nonce.clone() else {
            let text = "the server has sent work before the answer to mining.subscribe: left aside";
            self.outputs.push_back(Output::Notice(text.to_owned()));
            return;
        };
        if std::mem::take(&mut self.drops_jobs_next) {
            self.jobs.clear();
        }
        let clean = notify.clean;
        if clean {
            self.jobs.iter_mut().for_each(|job| job.is_cleaned = true);
        }
        self.current = Some(Current { notify: Arc::new(notify), difficulty: self.difficulty, extra_nonce });
        self.offer(clean);
    }

    /// Gives the present work to the engine, if there is some and we may.
    fn offer(&mut self, clean: bool) {
        let Some(current) = self.current.as_ref().filter(|_| self.is_authorized) else { return };
        let Current { notify, difficulty, extra_nonce } = current;
        let number = self.next_job;
        self.next_job += 1;
        let work = Arc::new(ShareWork::new(notify, extra_nonce, number, *difficulty, self.mask.unwrap_or(0)));
        let offer = Offer {
            job: Job { id: number, report: Report::Every, work: Arc::<ShareWork>::clone(&work) },
            prev_block: BlockHash::from_bytes(notify.prev_block),
            purpose: Purpose::Share { job: notify.job.clone(), difficulty: difficulty.to_f64(), clean },
        };
        let (notify, difficulty) = (Arc::clone(notify), *difficulty);
        self.jobs.push_back(ShareJob { number, notify, difficulty, work, is_cleaned: false });
        if self.jobs.len() > JOBS_KEPT {
            self.jobs.pop_front();
        }
        self.outputs.push_back(Output::Work(offer));
    }
}

#[cfg(test)]
mod tests;
