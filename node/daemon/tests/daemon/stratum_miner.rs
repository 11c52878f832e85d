//! A Stratum miner of the tests' own: it really hashes.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};

use serde_json::{Value, json};
use tally_primitives::block::Header;
use tally_primitives::hash::{BlockHash, MerkleRoot, Wtxid, sha256d};
use tally_primitives::merkle;
use tally_primitives::pow::{CompactTarget, Target};
use tokio::net::TcpSocket;

use crate::common::{DEADLINE, TestNode};

/// A connection, and what the server has said on it.
pub struct Miner {
    stream: BufReader<TcpStream>,
    extranonce1: String,
    /// The last `mining.set_difficulty`.
    pub difficulty: Option<f64>,
    /// The parameters of the last `mining.notify`.
    pub job: Option<Value>,
    /// Texts of `client.show_message`.
    pub messages: Vec<String>,
    pub user: String,
    next_id: u64,
}

/// A share that was found.
#[derive(Clone, Debug)]
pub struct Found {
    pub job: String,
    pub time: String,
    pub nonce: String,
    pub hash: BlockHash,
}

/// Connects from one of this machine's own addresses.
pub fn connect_from(last_byte: u8, to: SocketAddr, receive_buffer: Option<u32>) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last_byte)), 0)).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

/// Whether the server has hung up: reads until there is nothing more.
pub fn is_closed(stream: TcpStream) -> bool {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

impl Miner {
    pub fn connect(node: &TestNode) -> Self {
        Self::connect_from(1, node)
    }

    pub fn connect_from(last_byte: u8, node: &TestNode) -> Self {
        let stream = connect_from(last_byte, node.file.stratum.unwrap(), None);
        Self {
            stream: BufReader::new(stream),
            extranonce1: String::new(),
            difficulty: None,
            job: None,
            messages: Vec::new(),
            user: String::new(),
            next_id: 1,
        }
    }

    /// Connected, subscribed, authorized, and with a job of this difficulty.
    pub fn ready(node: &TestNode, user: &str, difficulty: f64) -> Self {
        let mut miner = Self::connect(node);
        miner.ask("mining.suggest_difficulty", json!([difficulty]));
        miner.subscribe();
        assert_eq!(miner.authorize(user)["result"], json!(true));
        miner.wait_for_job(|_| true);
        miner
    }

    pub fn subscribe(&mut self) -> Value {
        let answer = self.ask("mining.subscribe", json!(["daemon-test/1"]));
        answer["result"][1].as_str().unwrap().clone_into(&mut self.extranonce1);
        answer
    }

    pub fn authorize(&mut self, user: &str) -> Value {
        user.clone_into(&mut self.user);
        self.ask("mining.authorize", json!([user, "x"]))
    }

    pub fn write(&mut self, line: &str) {
        let stream = self.stream.get_mut();
        stream.write_all(line.as_bytes()).unwrap();
        stream.write_all(b"\n").unwrap();
    }

    /// Writes as much as the server takes.
    pub fn try_write(&mut self, text: &str) {
        let _ = self.stream.get_mut().write_all(text.as_bytes());
    }

    /// Sends a request; its answer.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        self.write(&json!({ "id": id, "method": method, "params": params }).to_string());
        loop {
            let line = self.read().expect("an answer");
            if line["id"] == json!(id) {
                return line;
            }
        }
    }

    /// The next line; `None` at the end.
    pub fn read(&mut self) -> Option<Value> {
        let mut text = String::new();
        let count = self.stream.read_line(&mut text).ok()?;
        if count == 0 {
            return None;
        }
        let line: Value = serde_json::from_str(&text).unwrap();
        match line["method"].as_str() {
            Some("mining.set_difficulty") => self.difficulty = line["params"][0].as_f64(),
            Some("mining.notify") => self.job = Some(line["params"].clone()),
            Some("client.show_message") => self.messages.push(line["params"][0].as_str().unwrap().to_owned()),
            _ => {}
        }
        Some(line)
    }

    /// Reads until there is a job as wanted.
    pub fn wait_for_job(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(job) = self.job.as_ref().filter(|job| wanted(job)) {
                return job.clone();
            }
            self.read().expect("the server goes on");
        }
    }

    /// Searches a hash of the present job that is at most a target.
    pub fn find(&self, target: &Target) -> Found {
        self.search(|hash| target.is_met_by(hash))
    }

    /// Searches a hash that is above a target.
    pub fn find_above(&self, target: &Target) -> Found {
        self.search(|hash| !target.is_met_by(hash))
    }

    fn search(&self, fits: impl Fn(&BlockHash) -> bool) -> Found {
        let job = self.job.as_ref().unwrap();
        let text = |index: usize| job[index].as_str().unwrap().to_owned();
        let word = |index: usize| u32::from_str_radix(&text(index), 16).unwrap();
        let coinbase = [text(2), self.extranonce1.clone(), "00".repeat(8), text(3)].concat();
        let coinbase = hex::decode(coinbase).unwrap();
        let raw = |node: &Value| -> [u8; 32] { hex::decode(node.as_str().unwrap()).unwrap().try_into().unwrap() };
        let branch: Vec<MerkleRoot> =
            job[4].as_array().unwrap().iter().map(|node| MerkleRoot::from_bytes(raw(node))).collect();
        let mut parent = raw(&job[1]);
        parent.chunks_exact_mut(4).for_each(<[u8]>::reverse);
        let mut header = Header {
            version: word(5),
            prev_block: BlockHash::from_bytes(parent),
            merkle_root: merkle::root_from_branch(&Wtxid::from_bytes(sha256d(&coinbase)), &branch),
            time: word(7),
            bits: CompactTarget::from_bits(word(6)),
            nonce: 0,
        };
        while !fits(&header.hash()) {
            header.nonce += 1;
        }
        Found { job: text(0), time: text(7), nonce: format!("{:08x}", header.nonce), hash: header.hash() }
    }

    pub fn submit(&mut self, found: &Found) -> Value {
        let params = json!([self.user, found.job, "00".repeat(8), found.time, found.nonce]);
        self.ask("mining.submit", params)
    }

    /// The target of a block of the present job.
    pub fn block_target(&self) -> Target {
        let bits = self.job.as_ref().unwrap()[6].as_str().unwrap();
        bits.parse::<CompactTarget>().unwrap().to_target().unwrap()
    }
}
