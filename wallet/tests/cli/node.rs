//! A node of a few dozen lines: a list of coins, a mempool, JSON-RPC over HTTP. It checks every transaction in full.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use tally_primitives::address::Address;
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, Txid};
use tally_primitives::params::Params;
use tally_primitives::spending::SpendContext;
use tally_primitives::transaction::{MAX_ENCODED_SIZE, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, FeeRate, Height};
use tally_rpc::address::{AddressHistory, AddressQuery, AddressTransaction, AddressUtxo, AddressUtxos};
use tally_rpc::auth;
use tally_rpc::error::{METHOD_NOT_FOUND, RpcError, VERIFY_ERROR, VERIFY_REJECTED};

const COOKIE: &str = "__cookie__:0123456789abcdef";

/// What the node knows.
pub struct Ledger {
    params: Params,
    pub tip: Height,
    pub coins: Vec<MockCoin>,
    pub mempool: BTreeMap<Txid, Transaction>,
    pub estimate: Option<FeeRate>,
    pub refuses: Option<RpcError>,
    pub calls: Vec<String>,
}

#[derive(Clone)]
pub struct MockCoin {
    pub outpoint: OutPoint,
    pub output: Output,
    /// `None`: made in the mempool.
    pub height: Option<Height>,
    pub coinbase: bool,
    pub spent_by: Option<Txid>,
    /// The block of the transaction that spent it.
    pub spent_at: Option<Height>,
}

pub struct MockNode {
    address: SocketAddr,
    ledger: Arc<Mutex<Ledger>>,
}

impl MockNode {
    /// A node of a network of its own, at height 100.
    pub fn start(genesis_message: &str) -> MockNode {
        let params =
            Params { name: "play".to_owned(), genesis_message: genesis_message.to_owned(), ..Params::devnet() };
        let ledger = Ledger {
            params,
            tip: Height::new(100),
            coins: Vec::new(),
            mempool: BTreeMap::new(),
            estimate: None,
            refuses: None,
            calls: Vec::new(),
        };
        let ledger = Arc::new(Mutex::new(ledger));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&ledger);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let ledger = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &ledger));
            }
        });
        MockNode { address, ledger }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn cookie(&self) -> &'static str {
        COOKIE
    }

    pub fn params(&self) -> Params {
        self.ledger().params.clone()
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// Gives `address` a coin in the block at `height`, or in the mempool.
    pub fn pay(&self, address: &str, notches: u64, height: Option<u32>, coinbase: bool) -> OutPoint {
        let mut ledger = self.ledger();
        let mut txid = [0xcc; 32];
        txid[0] = u8::try_from(ledger.coins.len()).unwrap();
        let outpoint = OutPoint { txid: Txid::from_bytes(txid), index: 3 };
        let address = Address::parse_for(address, &ledger.params).unwrap();
        ledger.coins.push(MockCoin {
            outpoint,
            output: Output { value: Amount::from_notches(notches), lock: address.lock },
            height: height.map(Height::new),
            coinbase,
            spent_by: None,
            spent_at: None,
        });
        outpoint
    }

    /// Puts the whole mempool into a block.
    pub fn mine(&self) {
        let mut ledger = self.ledger();
        let height = ledger.tip.next();
        ledger.tip = height;
        for coin in &mut ledger.coins {
            coin.height.get_or_insert(height);
            if coin.spent_by.is_some() {
                coin.spent_at.get_or_insert(height);
            }
        }
        ledger.mempool.clear();
    }
}

fn serve(stream: TcpStream, ledger: &Mutex<Ledger>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let mut length = 0;
        let mut is_known = false;
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|size| *size > 0)?;
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.parse().ok()?,
                "authorization" => is_known = value == auth::basic(COOKIE),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (status, answer) = match is_known {
            false => ("401 Unauthorized", String::new()),
            true => {
                let mut ledger = ledger.lock().ok()?;
                ("200 OK", answer(&body, &mut ledger).to_string())
            }
        };
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", answer.len());
        stream.write_all((head + &answer).as_bytes()).ok()?;
    }
}

fn answer(body: &[u8], ledger: &mut Ledger) -> Value {
    let request: Value = serde_json::from_slice(body).unwrap();
    let method = request["method"].as_str().unwrap();
    ledger.calls.push(method.to_owned());
    match ledger.call(method, request["params"].as_array().unwrap()) {
        Ok(result) => json!({"jsonrpc": "2.0", "id": request["id"], "result": result}),
        Err(error) => json!({"jsonrpc": "2.0", "id": request["id"], "error": error}),
    }
}

impl Ledger {
    fn tip_hash(&self) -> BlockHash {
        BlockHash::from_bytes([u8::try_from(self.tip.get()).unwrap(); 32])
    }

    fn call(&mut self, method: &str, params: &[Value]) -> Result<Value, RpcError> {
        match method {
            "getblockhash" => {
                assert_eq!(params, [json!(0)]);
                Ok(json!(self.params.genesis_hash()))
            }
            "getaddressutxos" => Ok(json!(self.utxos(&query(params)))),
            "getaddresshistory" => Ok(json!(self.history(&query(params)))),
            "getmempoolinfo" => Ok(json!({
                "loaded": true, "size": 0, "bytes": 0, "usage": 0, "total_fee": 0, "maxmempool": 300_000_000,
                "mempoolminfee": 1_000, "minrelaytxfee": 1_000, "incrementalrelayfee": 1_000, "fullrbf": true
            })),
            "estimatesmartfee" => Ok(match self.estimate {
                Some(rate) => json!({"feerate": rate, "blocks": params[0]}),
                None => json!({"errors": ["too little was seen"], "blocks": params[0]}),
            }),
            "sendrawtransaction" => match self.refuses.clone() {
                Some(error) => Err(error),
                None => self.accept(params[0].as_str().unwrap()),
            },
            _ => Err(RpcError::new(METHOD_NOT_FOUND, format!("no method {method}"))),
        }
    }

    fn address(&self, output: &Output) -> Address {
        Address::new(self.params.address_prefix.clone(), output.lock)
    }

    fn utxos(&self, addresses: &[Address]) -> AddressUtxos {
        let is_asked = |coin: &&MockCoin| coin.spent_at.is_none() && addresses.contains(&self.address(&coin.output));
        let utxo = |coin: &MockCoin| AddressUtxo {
            txid: coin.outpoint.txid,
            index: coin.outpoint.index,
            address: self.address(&coin.output),
            value: coin.output.value,
            height: coin.height,
            coinbase: coin.coinbase,
            spent_by: coin.spent_by,
        };
        AddressUtxos {
            height: self.tip,
            tip: self.tip_hash(),
            utxos: self.coins.iter().filter(is_asked).map(utxo).collect(),
        }
    }

    fn history(&self, addresses: &[Address]) -> AddressHistory {
        let mut transactions: BTreeMap<Txid, AddressTransaction> = BTreeMap::new();
        let mut entry = |txid: Txid, height: Option<Height>, received: Amount, spent: Amount| {
            let transaction = transactions.entry(txid).or_insert(AddressTransaction {
                txid,
                height,
                block_hash: None,
                time: 1_800_000_000 + height.map_or(9_999, Height::get),
                received: Amount::ZERO,
                spent: Amount::ZERO,
                fee: self.fee(txid),
                confirmations: height.map_or(0, |height| self.tip.get() + 1 - height.get()),
            });
            transaction.received = transaction.received.checked_add(received).unwrap();
            transaction.spent = transaction.spent.checked_add(spent).unwrap();
        };
        for coin in self.coins.iter().filter(|coin| addresses.contains(&self.address(&coin.output))) {
            entry(coin.outpoint.txid, coin.height, coin.output.value, Amount::ZERO);
            if let Some(txid) = coin.spent_by {
                entry(txid, coin.spent_at, Amount::ZERO, coin.output.value);
            }
        }
        AddressHistory { height: self.tip, tip: self.tip_hash(), transactions: transactions.into_values().collect() }
    }

    /// Inputs less outputs, from the coins themselves.
    fn fee(&self, txid: Txid) -> Amount {
        let values = |is_wanted: &dyn Fn(&&MockCoin) -> bool| {
            Amount::checked_sum(self.coins.iter().filter(is_wanted).map(|coin| coin.output.value)).unwrap()
        };
        let spent = values(&|coin| coin.spent_by == Some(txid));
        spent.checked_sub(values(&|coin| coin.outpoint.txid == txid)).unwrap_or_default()
    }

    /// Everything that consensus and relay policy check of a transaction.
    fn accept(&mut self, hex: &str) -> Result<Value, RpcError> {
        let transaction: Transaction = encode::decode_hex(hex, MAX_ENCODED_SIZE).unwrap();
        let txid = transaction.txid();
        let mut spent = Vec::new();
        for input in &transaction.inputs {
            let found = self.coins.iter().position(|coin| coin.outpoint == input.outpoint);
            let place = found.ok_or_else(|| RpcError::new(VERIFY_ERROR, "missing inputs"))?;
            if self.coins[place].spent_by.is_some() {
                return Err(RpcError::new(VERIFY_ERROR, "IN-01: the coin is spent"));
            }
            spent.push(place);
        }
        let outputs: Vec<Output> = spent.iter().map(|place| self.coins[*place].output).collect();
        let sighash = transaction.sighash(&self.params.genesis_hash(), &outputs);
        let height = self.tip.next();
        for (input, place) in transaction.inputs.iter().zip(&spent) {
            let coin = &self.coins[*place];
            let coin_height = coin.height.unwrap_or(height);
            assert!(!coin.coinbase || height >= coin_height.saturating_add(self.params.coinbase_maturity), "IN-02");
            assert_eq!(input.witness.policy.hash(), coin.output.lock, "IN-04");
            input.witness.policy.check_limits().expect("IN-05");
            input.witness.evaluate(&SpendContext { height, coin_height, sighash: &sighash }).expect("IN-06, IN-07");
        }
        let sum = |outputs: &[Output]| Amount::checked_sum(outputs.iter().map(|output| output.value)).unwrap();
        let fee = sum(&outputs).checked_sub(sum(&transaction.outputs)).expect("IN-03");
        assert!(transaction.outputs.iter().all(|output| output.value >= Amount::from_notches(300)), "dust");
        if fee < FeeRate::from_notches_per_byte(1).fee_for(transaction.encoded_size()) {
            return Err(RpcError::new(VERIFY_REJECTED, "the fee rate is below the minimum"));
        }
        for place in spent {
            self.coins[place].spent_by = Some(txid);
        }
        for (index, output) in (0..).zip(&transaction.outputs) {
            self.coins.push(MockCoin {
                outpoint: OutPoint { txid, index },
                output: *output,
                height: None,
                coinbase: false,
                spent_by: None,
                spent_at: None,
            });
        }
        self.mempool.insert(txid, transaction);
        Ok(json!(txid))
    }
}

fn query(params: &[Value]) -> Vec<Address> {
    let query: AddressQuery = serde_json::from_value(params[0].clone()).unwrap();
    query.addresses.iter().map(|address| address.parse().unwrap()).collect()
}
