//! A miner of the test's own: it reads what the session says, builds the header as the protocol has it, and hashes.

mod limits;
mod methods;
mod properties;
mod shares;

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use tally_primitives::address::Address;
use tally_primitives::block::Header;
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, Wtxid, sha256d};
use tally_primitives::merkle;
use tally_primitives::params::Params;
use tally_primitives::pow::CompactTarget;
use tally_primitives::units::Timestamp;

use super::{Output, Session, Settings};
use crate::mempool::{Mempool, RelayPolicy};
use crate::mining::BlockTemplate;
use crate::mining::stratum::difficulty::Difficulty;
use crate::mining::stratum::gate::Gate;
use crate::mining::stratum::work::Work;
use crate::testing::{self, TestChain};

const OWN: LockHash = LockHash::from_bytes([3; 32]);

/// A target that takes some 256 hashes.
const BITS: u32 = 0x2000_ffff;

/// Difficulties at which a share takes 1, 2 and 16 hashes.
const EVERY_HASH: f64 = 1.0 / 4_294_967_296.0;
const EVERY_SECOND: f64 = 2.0 * EVERY_HASH;
const EVERY_16TH: f64 = 16.0 * EVERY_HASH;

fn start() -> Timestamp {
    testing::now()
}

static TEMPLATE: LazyLock<BlockTemplate> = LazyLock::new(|| {
    let chain = TestChain::new();
    let mempool = Mempool::new(RelayPolicy::default());
    let bits = CompactTarget::from_bits(BITS);
    BlockTemplate { bits, target: bits.to_target().unwrap(), ..BlockTemplate::build(&chain.chain, &mempool, start()) }
});

/// Work on another tip.
fn work_on(parent: u8) -> Arc<Work> {
    Arc::new(Work::new(BlockTemplate { prev_block: BlockHash::from_bytes([parent; 32]), ..TEMPLATE.clone() }))
}

/// A session and the miner at its other end.
struct Bench {
    session: Session,
    now: Timestamp,
    /// The last difficulty and job that the miner was told.
    difficulty: Option<f64>,
    job: Option<Value>,
    extranonce1: String,
    next_id: u64,
}

/// A share as it is sent.
#[derive(Clone, Debug)]
struct Found {
    job: String,
    extranonce2: String,
    time: String,
    nonce: String,
    hash: BlockHash,
}

impl Bench {
    fn new(payout: Option<LockHash>) -> Bench {
        let settings = Arc::new(Settings { params: testing::params(), payout });
        let seat = Gate::new(1).admit(start(), [127, 0, 0, 1].into()).unwrap();
        let session = Session::new(settings, seat, start());
        Bench { session, now: start(), difficulty: None, job: None, extranonce1: String::new(), next_id: 1 }
    }

    /// Subscribed, authorized, and with work of this difficulty.
    fn ready(difficulty: f64) -> Bench {
        let mut bench = Bench::new(Some(OWN));
        bench.ask("mining.suggest_difficulty", json!([difficulty]));
        bench.session.handle_work(bench.now, Some(work_on(1)));
        bench.subscribe();
        bench.ask("mining.authorize", json!(["x", "x"]));
        assert_eq!(bench.difficulty, Some(difficulty));
        bench
    }

    fn subscribe(&mut self) {
        let answer = self.ask("mining.subscribe", json!(["bench/1.0"]));
        answer["result"][1].as_str().unwrap().clone_into(&mut self.extranonce1);
    }

    /// Sends a request; the answer.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        let outputs = self.send(&json!({ "id": id, "method": method, "params": params }).to_string());
        let mut answers = outputs.iter().filter_map(|output| match output {
            Output::Line(line) => serde_json::from_str::<Value>(line).ok().filter(|line| line["id"] == json!(id)),
            _ => None,
        });
        answers.next_back().unwrap_or(Value::Null)
    }

    /// Sends a line; everything that follows from it.
    fn send(&mut self, line: &str) -> Vec<Output> {
        self.session.handle_line(self.now, line.as_bytes());
        self.outputs()
    }

    fn work(&mut self, work: Option<Arc<Work>>) -> Vec<Output> {
        self.session.handle_work(self.now, work);
        self.outputs()
    }

    /// Time passes, and the session is called when it wants to be.
    fn pass(&mut self, millis: u64) -> Vec<Output> {
        let end = self.now.saturating_add_millis(millis);
        let mut outputs = Vec::new();
        while let Some(due) = self.session.next_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.session.tick(self.now);
            outputs.extend(self.outputs());
            assert_ne!(self.session.next_timeout(), Some(due), "what is due must be done");
        }
        self.now = end;
        outputs
    }

    /// Takes what the session says, and remembers difficulty and job.
    fn outputs(&mut self) -> Vec<Output> {
        let outputs: Vec<Output> = std::iter::from_fn(|| self.session.poll_output()).collect();
        for output in &outputs {
            let Output::Line(line) = output else { continue };
            assert!(!line.contains('\n'));
            let line: Value = serde_json::from_str(line).unwrap();
            match line["method"].as_str() {
                Some("mining.set_difficulty") => self.difficulty = line["params"][0].as_f64(),
                Some("mining.notify") => self.job = Some(line["params"].clone()),
                _ => {}
            }
        }
        outputs
    }

    /// A share of the present job whose hash is in the range: above `above`'s target (if any) and at most `within`'s.
    fn find(&self, within: Difficulty, above: Option<Difficulty>) -> Found {
        self.find_as(0x2000_0000, 0, within, above)
    }

    fn find_as(&self, version: u32, extranonce2: u64, within: Difficulty, above: Option<Difficulty>) -> Found {
        let job = self.job.as_ref().expect("there is a job");
        let text = |index: usize| job[index].as_str().unwrap().to_owned();
        let word = |index: usize| u32::from_str_radix(&text(index), 16).unwrap();
        let extranonce2 = format!("{extranonce2:016x}");
        let coinbase = hex::decode([text(2), self.extranonce1.clone(), extranonce2.clone(), text(3)].concat()).unwrap();
        let branch: Vec<MerkleRoot> =
            job[4].as_array().unwrap().iter().map(|node| raw(node.as_str().unwrap())).collect();
        let mut parent = hex::decode(text(1)).unwrap();
        parent.chunks_exact_mut(4).for_each(<[u8]>::reverse);
        let mut header = Header {
            version,
            prev_block: BlockHash::from_bytes(parent.try_into().unwrap()),
            merkle_root: merkle::root_from_branch(&Wtxid::from_bytes(sha256d(&coinbase)), &branch),
            time: word(7),
            bits: CompactTarget::from_bits(word(6)),
            nonce: 0,
        };
        let fits = |hash: &BlockHash| {
            within.target().is_met_by(hash) && !above.is_some_and(|above| above.target().is_met_by(hash))
        };
        while !fits(&header.hash()) {
            header.nonce += 1;
        }
        let (nonce, hash) = (format!("{:08x}", header.nonce), header.hash());
        Found { job: text(0), extranonce2, time: text(7), nonce, hash }
    }

    fn submit(&mut self, found: &Found) -> Value {
        self.ask("mining.submit", json!(["x", found.job, found.extranonce2, found.time, found.nonce]))
    }
}

fn raw(text: &str) -> MerkleRoot {
    MerkleRoot::from_bytes(hex::decode(text).unwrap().try_into().unwrap())
}

fn difficulty(value: f64) -> Difficulty {
    Difficulty::new(value).unwrap()
}

/// The code of a refusal.
fn code(answer: &Value) -> i64 {
    answer["error"][0].as_i64().unwrap_or_else(|| panic!("{answer} is no refusal"))
}

fn address(params: &Params) -> Address {
    Address::new(params.address_prefix.clone(), LockHash::from_bytes([8; 32]))
}
