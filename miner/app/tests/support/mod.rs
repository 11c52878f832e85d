//! A node small enough to stand in a test: it serves templates with long poll over HTTP, and takes a submitted block only if
//! its hash meets the target, its Merkle root and its coinbase are right, and it builds on the tip.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod miner;
pub mod pool;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;
use tally_primitives::address::Address;
use tally_primitives::block::{Block, MAX_BLOCK_SIZE};
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, LockHash};
use tally_primitives::params::Params;
use tally_primitives::pow::CompactTarget;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Amount, Height};
use tally_rpc::address::AddressValidity;
use tally_rpc::auth;
use tally_rpc::mining::{BlockTemplate, TemplateTransaction};

/// Every second hash meets it.
pub const EASY: u32 = 0x207f_ffff;
/// No hash of a test's lifetime meets it.
pub const HARD: u32 = 0x1700_ffff;

/// What the node knows and how it should behave.
pub struct State {
    pub tip: BlockHash,
    pub height: u32,
    pub bits: u32,
    pub value: Amount,
    pub transactions: Vec<Transaction>,
    /// Whom the last blocks paid, and the blocks.
    pub blocks: Vec<Block>,
    /// The next block is refused with this reason, even if it is right.
    pub refuse_next: Option<String>,
    /// The next block is taken, but the answer gets lost.
    pub lose_next_answer: bool,
    /// Blocks are taken, but not answered for the time being.
    pub hold_answers: bool,
    /// `user:password` that calls must carry.
    pub credentials: Option<String>,
    pub calls: Vec<String>,
    time: u32,
    version: u64,
    connections: Vec<TcpStream>,
    closed: bool,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

pub struct FakeNode {
    shared: Shared,
    address: SocketAddr,
}

impl FakeNode {
    pub fn start(bits: u32) -> FakeNode {
        FakeNode::start_at("127.0.0.1:0".parse().expect("an address"), bits)
    }

    /// A node at this address (port 0: any), on the devnet's genesis.
    pub fn start_at(address: SocketAddr, bits: u32) -> FakeNode {
        let listener = TcpListener::bind(address).expect("a port");
        let address = listener.local_addr().expect("an address");
        let params = Params::devnet();
        let state = State {
            tip: params.genesis_hash(),
            height: 0,
            bits,
            value: params.subsidy,
            transactions: Vec::new(),
            blocks: Vec::new(),
            refuse_next: None,
            lose_next_answer: false,
            hold_answers: false,
            credentials: None,
            calls: Vec::new(),
            time: params.genesis_time + 1,
            version: 0,
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
                state.connections.push(stream.try_clone().expect("a clone"));
                drop(state);
                let shared = Arc::clone(&for_listener);
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        FakeNode { shared, address }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared)
    }

    /// Changes something that makes a new template.
    pub fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        state.version += 1;
        drop(state);
        self.shared.1.notify_all();
    }

    /// Another miner's block arrives.
    pub fn advance(&self) -> BlockHash {
        let mut tip = BlockHash::ZERO;
        self.change(|state| {
            state.height += 1;
            let mut bytes = [0x77; 32];
            bytes[..4].copy_from_slice(&state.height.to_le_bytes());
            state.tip = BlockHash::from_bytes(bytes);
            tip = state.tip;
        });
        tip
    }

    /// Goes away, with all connections.
    pub fn kill(&self) {
        let mut state = self.state();
        state.closed = true;
        for connection in state.connections.drain(..) {
            // It may be closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
        drop(state);
        self.shared.1.notify_all();
        // The listener sees `closed` when it wakes, and lets go of the port.
        let _ = TcpStream::connect(self.address);
    }
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        self.kill();
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.0.lock().expect("no thread panicked")
}

/// One connection: requests one after another until it closes.
fn serve(stream: &TcpStream, shared: &Shared) {
    let mut reader = BufReader::new(stream);
    while let Some((authorization, body)) = read_request(&mut reader) {
        let expected = lock(shared).credentials.as_ref().map(|credentials| auth::basic(credentials));
        if expected.is_some() && expected != authorization {
            if write_answer(stream, 401, "").is_err() {
                return;
            }
            continue;
        }
        let request: Value = serde_json::from_slice(&body).expect("JSON");
        let Some(result) = call(shared, request["method"].as_str().expect("a method"), &request["params"]) else {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        };
        let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result}).to_string();
        if write_answer(stream, 200, &answer).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<(Option<String>, Vec<u8>)> {
    let (mut authorization, mut length, mut line) = (None, 0, String::new());
    while line != "\r\n" {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().expect("a length"),
                "authorization" => authorization = Some(value.to_owned()),
                _ => {}
            }
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((authorization, body))
}

fn write_answer(mut stream: &TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// The result of a call; `None`: the connection breaks instead.
fn call(shared: &Shared, method: &str, params: &Value) -> Option<Value> {
    lock(shared).calls.push(method.to_owned());
    match method {
        "validateaddress" => Some(validate_address(params[0].as_str().expect("an address"))),
        "getblocktemplate" => template(shared, params[0]["longpollid"].as_str()),
        "submitblock" => submit(shared, params[0].as_str().expect("hex")),
        other => panic!("the miner calls {other}"),
    }
}

fn validate_address(text: &str) -> Value {
    let parsed = Address::parse_for(text, &Params::devnet());
    json!(AddressValidity {
        isvalid: parsed.is_ok(),
        address: parsed.as_ref().ok().map(ToString::to_string),
        lock: parsed.as_ref().ok().map(|address| address.lock),
        error: parsed.err().map(|error| error.to_string()),
    })
}

fn template(shared: &Shared, longpollid: Option<&str>) -> Option<Value> {
    let state = lock(shared);
    let is_old = |state: &State| longpollid != Some(state.version.to_string().as_str());
    let (mut state, _) = shared
        .1
        .wait_timeout_while(state, Duration::from_secs(60), |state| !is_old(state) && !state.closed)
        .expect("no thread panicked");
    if state.closed {
        return None;
    }
    state.time += 1;
    let bits = CompactTarget::from_bits(state.bits);
    let transactions = state.transactions.iter().map(|transaction| TemplateTransaction {
        data: hex::encode(encode::encode(transaction)),
        txid: transaction.txid(),
        hash: transaction.wtxid(),
        fee: Amount::ZERO,
        size: transaction.encoded_size() as u64,
    });
    Some(json!(BlockTemplate {
        version: 0x2000_0000,
        previousblockhash: state.tip,
        transactions: transactions.collect(),
        coinbasevalue: state.value,
        longpollid: state.version.to_string(),
        target: bits.to_target().expect("a target"),
        bits,
        height: Height::new(state.height + 1),
        mintime: state.time,
        curtime: state.time,
        sizelimit: MAX_BLOCK_SIZE as u64,
        mutable: Vec::new(),
        noncerange: "00000000ffffffff".to_owned(),
    }))
}

fn submit(shared: &Shared, hex: &str) -> Option<Value> {
    let block: Block = encode::decode_hex(hex, MAX_BLOCK_SIZE).expect("a block in the one encoding");
    let mut state = lock(shared);
    if state.blocks.contains(&block) {
        return Some(json!("duplicate"));
    }
    if let Some(reason) = state.refuse_next.take() {
        return Some(json!(reason));
    }
    if let Err(reason) = check(&state, &block) {
        return Some(json!(reason));
    }
    state.tip = block.hash();
    state.height += 1;
    state.version += 1;
    state.blocks.push(block);
    let loses = std::mem::take(&mut state.lose_next_answer);
    if loses {
        // So that no other block is found before the miner hands this one in again.
        state.bits = HARD;
    }
    shared.1.notify_all();
    let held = shared.1.wait_while(state, |state| state.hold_answers && !state.closed);
    drop(held.expect("no thread panicked"));
    (!loses).then_some(Value::Null)
}

fn check(state: &State, block: &Block) -> Result<(), String> {
    let require = |holds: bool, rule: &str| if holds { Ok(()) } else { Err(format!("rejected: {rule}")) };
    let header = &block.header;
    let target = CompactTarget::from_bits(state.bits).to_target().expect("a target");
    require(target.is_met_by(&block.hash()), "HDR-01")?;
    require(header.bits.to_bits() == state.bits, "HDR-03")?;
    require(header.prev_block == state.tip, "HDR-04")?;
    require(header.time <= state.time, "HDR-06")?;
    require(header.version >> 29 == 1, "HDR-07")?;
    let (coinbase, others) = block.transactions.split_first().ok_or("rejected: BLK-01")?;
    require(coinbase.is_coinbase() && others.iter().all(|it| !it.is_coinbase()), "BLK-01")?;
    require(header.merkle_root == block.merkle_root(), "BLK-02")?;
    require(coinbase.coinbase_height() == Some(Height::new(state.height + 1)), "BLK-05")?;
    require((8..=100).contains(&coinbase.memo.len()), "TX-04")?;
    require(Amount::checked_sum(coinbase.outputs.iter().map(|it| it.value)) == Some(state.value), "BLK-06")?;
    require(others == state.transactions, "other transactions than the template's")
}

/// Some lock to pay to, and its address on the devnet.
pub fn payout() -> (LockHash, String) {
    let lock = LockHash::from_bytes([0x42; 32]);
    (lock, Address::new(Params::devnet().address_prefix, lock).to_string())
}
