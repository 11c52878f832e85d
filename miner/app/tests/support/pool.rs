//! A pool small enough to stand in a test. It believes nothing: every share is built again from the fields that the pool gave
//! out and the miner sent back, hashed with sha2, and compared with the job's target.
#![allow(dead_code, reason = "each test binary uses a part")]

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A share is 2^16 hashes: a hundred a second or so.
pub const SOME: u32 = 16;
/// Nearly every hash is a share.
pub const FLOOD: u32 = 32;
/// No hash of a test's lifetime is a share: difficulty 2^64.
pub const NONE: u32 = 0;

/// How the pool takes `mining.configure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configure {
    /// Versions may be rolled within this mask.
    Mask(u32),
    /// Known, but not allowed.
    Off,
    /// An error.
    Unknown,
    /// No answer.
    Silent,
    /// The connection is closed.
    HangUp,
}

/// A share as it came in.
#[derive(Clone, Debug)]
pub struct Submit {
    /// `mining.submit`'s parameters.
    pub params: Vec<String>,
    /// The pool's error, if it is none.
    pub error: Option<(i64, String)>,
}

/// Work with everything that a share of it is checked against.
struct Job {
    id: String,
    prev_block: [u8; 32],
    branch: Vec<[u8; 32]>,
    version: u32,
    bits: u32,
    time: u32,
    extra_nonce_1: Vec<u8>,
    size: usize,
    ease: u32,
}

/// What the pool knows and how it should behave.
pub struct State {
    pub configure: Configure,
    /// The name that is let in; `None`: every one.
    pub user: Option<String>,
    /// Shares of later jobs: difficulty 2^-ease (a multiple of 8; 0 stands for 2^64).
    pub ease: u32,
    /// The bits of later jobs, which decide whether a share is a block.
    pub bits: u32,
    /// Our part and the size of the miner's, for later jobs.
    pub extra_nonce: (Vec<u8>, usize),
    /// The next share is refused with this error, even if it is right.
    pub refuse_next: Option<(i64, &'static str)>,
    /// Shares are checked, but not answered.
    pub holds_answers: bool,
    /// Every request that came in.
    pub requests: Vec<Value>,
    pub submits: Vec<Submit>,
    pub connected: usize,
    mask: Option<u32>,
    jobs: Vec<Job>,
    seen: BTreeSet<String>,
    counter: u32,
    connections: Vec<TcpStream>,
    closed: bool,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

pub struct FakePool {
    shared: Shared,
    address: SocketAddr,
}

fn sha256d(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(bytes)).into()
}

impl FakePool {
    pub fn start(ease: u32) -> FakePool {
        FakePool::start_at("127.0.0.1:0".parse().expect("an address"), ease)
    }

    pub fn start_at(address: SocketAddr, ease: u32) -> FakePool {
        let listener = TcpListener::bind(address).expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = State {
            configure: Configure::Mask(0x1fff_e000),
            user: None,
            ease,
            bits: 0x1d00_ffff,
            extra_nonce: (vec![0xe1, 0, 0, 1], 4),
            refuse_next: None,
            holds_answers: false,
            requests: Vec::new(),
            submits: Vec::new(),
            connected: 0,
            mask: None,
            jobs: Vec::new(),
            seen: BTreeSet::new(),
            counter: 0,
            connections: Vec::new(),
            closed: false,
        };
        let shared: Shared = Arc::new((Mutex::new(state), Condvar::new()));
        let for_listener = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.expect("a connection");
                let mut state = lock(&for_listener);
                if state.closed {
                    return;
                }
                state.connected += 1;
                state.connections.push(stream.try_clone().expect("a clone"));
                drop(state);
                let shared = Arc::clone(&for_listener);
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        FakePool { shared, address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("stratum+tcp://{}", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared)
    }

    /// Waits until so many shares have come in.
    pub fn wait_for_shares(&self, count: usize) {
        let state = self.state();
        let waited =
            self.shared.1.wait_timeout_while(state, Duration::from_secs(60), |state| state.submits.len() < count);
        let (state, timeout) = waited.expect("no thread panicked");
        assert!(!timeout.timed_out(), "{} shares after a minute: {:?}", state.submits.len(), state.requests);
    }

    /// Sends a line to every miner.
    pub fn say(&self, line: &str) {
        for mut connection in &self.state().connections {
            // It may be gone.
            let _ = connection.write_all(format!("{line}\n").as_bytes());
        }
    }

    pub fn call(&self, method: &str, params: &Value) {
        self.say(&json!({"id": null, "method": method, "params": params}).to_string());
    }

    /// Sends new work to every miner, with a difficulty before it.
    pub fn new_job(&self, clean: bool) -> String {
        let mut state = self.state();
        let lines = state.new_job(clean);
        let id = state.jobs.last().expect("it was just made").id.clone();
        drop(state);
        self.say(lines.trim_end());
        id
    }

    /// Goes away, with all connections.
    pub fn kill(&self) {
        let mut state = self.state();
        if std::mem::replace(&mut state.closed, true) {
            return;
        }
        for connection in state.connections.drain(..) {
            // It may be closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        // The listener sees `closed` when it wakes, and lets go of the port.
        let _ = TcpStream::connect(self.address);
    }
}

impl Drop for FakePool {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Also after a failed assertion: the pool is still to be dropped, and the first panic is the one to read.
fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection until it closes.
fn serve(mut stream: &TcpStream, shared: &Shared) {
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        let request: Value = serde_json::from_str(&line).expect("the miner sends JSON");
        let mut state = lock(shared);
        if state.closed {
            return;
        }
        let reply = state.handle(&request);
        state.requests.push(request);
        shared.1.notify_all();
        match reply {
            // Under the lock, so that what is said to everyone comes after it.
            Some(reply) => drop(stream.write_all(reply.as_bytes())),
            None => {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
        }
    }
}

impl State {
    /// The lines to reply with; `None`: close the connection.
    fn handle(&mut self, request: &Value) -> Option<String> {
        let (id, params) = (&request["id"], &request["params"]);
        let result = |result: Value| format!("{}\n", json!({"id": id, "result": result, "error": null}));
        let error =
            |code: i64, text: &str| format!("{}\n", json!({"id": id, "result": null, "error": [code, text, null]}));
        Some(match request["method"].as_str() {
            Some("mining.configure") => match self.configure {
                Configure::Mask(mask) => {
                    self.mask = Some(mask);
                    result(json!({"version-rolling": true, "version-rolling.mask": format!("{mask:08x}")}))
                }
                Configure::Off => result(json!({"version-rolling": false})),
                Configure::Unknown => error(20, "unknown method"),
                Configure::Silent => String::new(),
                Configure::HangUp => return None,
            },
            Some("mining.subscribe") => {
                let (prefix, size) = &self.extra_nonce;
                result(json!([[["mining.notify", "ae6812eb4cd7735a302a8a9dd95cf71f"]], hex::encode(prefix), size]))
            }
            Some("mining.authorize") if self.user.as_ref().is_some_and(|user| params[0] != user.as_str()) => {
                error(24, "Unauthorized worker")
            }
            Some("mining.authorize") => result(json!(true)) + &self.new_job(true),
            Some("mining.submit") => {
                let params: Vec<String> = serde_json::from_value(params.clone()).expect("texts");
                let verdict = match self.refuse_next.take() {
                    Some((code, text)) => Err((code, text.to_owned())),
                    None => self.check(&params),
                };
                self.submits.push(Submit { params, error: verdict.clone().err() });
                match verdict {
                    _ if self.holds_answers => String::new(),
                    Ok(()) => result(json!(true)),
                    Err((code, text)) => error(code, &text),
                }
            }
            // An answer of the miner's to a request of ours.
            None => String::new(),
            Some(_) => error(20, "unknown method"),
        })
    }

    /// Lines with the difficulty and a new job.
    fn new_job(&mut self, clean: bool) -> String {
        self.counter += 1;
        let seed = sha256d(&self.counter.to_le_bytes());
        let (extra_nonce_1, size) = self.extra_nonce.clone();
        let job = Job {
            id: format!("job-{}", self.counter),
            prev_block: seed,
            branch: (0..self.counter % 4)
                .map(|index| sha256d(&[seed.as_slice(), &index.to_le_bytes()].concat()))
                .collect(),
            version: 0x2000_0000 | (self.counter & 1) << 13,
            bits: self.bits,
            time: 1_700_000_000 + self.counter,
            extra_nonce_1,
            size,
            ease: self.ease,
        };
        let exponent = if job.ease == 0 { 64 } else { -i32::try_from(job.ease).expect("small") };
        let words: Vec<u8> = job.prev_block.chunks(4).flat_map(|word| word.iter().rev().copied()).collect();
        let difficulty = json!({"id": null, "method": "mining.set_difficulty", "params": [2.0_f64.powi(exponent)]});
        let branch: Vec<String> = job.branch.iter().map(hex::encode).collect();
        let notify = json!({"id": null, "method": "mining.notify", "params": [
            job.id, hex::encode(words), hex::encode(FIRST), hex::encode(SECOND), branch, format!("{:08x}", job.version),
            format!("{:08x}", job.bits), format!("{:08x}", job.time), clean,
        ]});
        if clean {
            self.jobs.clear();
        }
        self.jobs.push(job);
        format!("{difficulty}\n{notify}\n")
    }

    /// Builds the header again and hashes it.
    fn check(&mut self, params: &[String]) -> Result<(), (i64, String)> {
        let wrong = |code: i64, text: &str| Err((code, text.to_owned()));
        if !self.seen.insert(params.join(",")) {
            return wrong(22, "Duplicate share");
        }
        let [_, job, extra_nonce_2, time, nonce, version_bits @ ..] = params else {
            return wrong(20, "Too few parameters");
        };
        let Some(job) = self.jobs.iter().find(|known| known.id == *job) else {
            return wrong(21, "Job not found");
        };
        let word = |text: &String| u32::from_str_radix(text, 16).expect("eight hex digits");
        let extra_nonce_2 = hex::decode(extra_nonce_2).expect("hex");
        if extra_nonce_2.len() != job.size || !(job.time..=job.time + 7000).contains(&word(time)) {
            return wrong(20, "Wrong extra nonce or time");
        }
        let version = match (self.mask, version_bits) {
            (None, []) => job.version,
            (Some(mask), [bits]) if word(bits) & !mask == 0 => job.version & !mask | word(bits),
            _ => return wrong(20, "Wrong version bits"),
        };
        let coinbase = [FIRST, &job.extra_nonce_1, &extra_nonce_2, SECOND].concat();
        let root = job.branch.iter().fold(sha256d(&coinbase), |node, it| sha256d(&[node, *it].concat()));
        let header = [
            version.to_le_bytes().as_slice(),
            &job.prev_block,
            &root,
            &word(time).to_le_bytes(),
            &job.bits.to_le_bytes(),
            &word(nonce).to_le_bytes(),
        ]
        .concat();
        let mut hash = sha256d(&header);
        hash.reverse();
        if hash <= target(job.ease) { Ok(()) } else { wrong(23, "Low difficulty share") }
    }
}

const FIRST: &[u8] = b"the first part of a coinbase, long enough to fill a block of SHA-256 and more";
const SECOND: &[u8] = b"the second part";

/// 0xffff · 2^(208 + ease): the two bytes move up by one for every eight.
fn target(ease: u32) -> [u8; 32] {
    let mut target = [0; 32];
    if ease > 0 {
        let first = 4 - usize::try_from(ease / 8).expect("small");
        target[first..first + 2].fill(0xff);
    }
    target
}
