//! `getblocktemplate` and `submitblock` as an unmodified Bitcoin miner uses them, long polls, proposals.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tally_node_core::testing::{allocations, outputs_of, pay_on, split};
use tally_primitives::block::{Block, Header};
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, MerkleRoot, Wtxid, sha256d};
use tally_primitives::merkle;
use tally_primitives::pow::CompactTarget;
use tally_primitives::transaction::Transaction;
use tally_rpc::client::{Auth, Client};

use crate::common::{Place, TestNode, params, somebody};

fn start(place: &Place) -> TestNode {
    place.start("node", &["--payout", &somebody().to_string()])
}

fn send(node: &TestNode, transaction: &Transaction) {
    node.call("sendrawtransaction", &[json!(hex::encode(encode::encode(transaction)))]);
}

/// What Bitcoin's miners do with a template: they take the coinbase as it is, hash what they are given as `data`, and send
/// header, compact count, coinbase and transactions.
fn mine(template: &Value) -> (Header, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let word = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let transactions = template["transactions"].as_array().unwrap();
    let mut data = vec![text(&template["coinbasetxn"]["data"])];
    data.extend(transactions.iter().map(|transaction| text(&transaction["data"])));
    let leaves: Vec<Wtxid> = data.iter().map(|data| Wtxid::from_bytes(sha256d(&hex::decode(data).unwrap()))).collect();
    let mut header = Header {
        version: word(&template["version"]),
        prev_block: text(&template["previousblockhash"]).parse().unwrap(),
        merkle_root: merkle::root(&leaves),
        time: word(&template["curtime"]),
        bits: text(&template["bits"]).parse::<CompactTarget>().unwrap(),
        nonce: 0,
    };
    let target = hex::decode(text(&template["target"])).unwrap();
    let meets = |hash: BlockHash| {
        let mut bytes = *hash.as_bytes();
        bytes.reverse();
        bytes.as_slice() <= target.as_slice()
    };
    while !meets(header.hash()) {
        header.nonce += 1;
    }
    let count = u8::try_from(data.len()).unwrap();
    (header, format!("{}{count:02x}{}", hex::encode(header.to_bytes()), data.concat()))
}

#[test]
fn a_bitcoin_miner_mines_from_a_template() {
    let place = Place::new();
    let node = start(&place);
    let params = params();
    let coins = allocations(&params);
    let parent = split(&params, &coins[0], 2, 10_000);
    let children = outputs_of(&parent).iter().map(|coin| pay_on(&params, coin, 2_000)).collect::<Vec<_>>();
    for transaction in [&parent, &children[0], &children[1], &pay_on(&params, &coins[1], 1_000)] {
        send(&node, transaction);
    }
    let capabilities =
        json!({"capabilities": ["coinbasetxn", "coinbasevalue", "longpoll", "workid"], "rules": ["segwit"]});
    let template = node.call("getblocktemplate", &[capabilities]);
    for list in ["mutable", "capabilities"] {
        let words: Vec<&str> = template[list].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        // With either, miners would change the coinbase or hash something else.
        assert!(!words.contains(&"coinbase/append") && !words.contains(&"segwit"), "{words:?}");
    }
    assert!(template.get("rules").is_none());
    let coinbase = &template["coinbasetxn"];
    assert!(coinbase["data"].as_str().unwrap().len() >= 120, "cpuminer wants 60 bytes");
    assert_eq!((&coinbase["fee"], &coinbase["required"]), (&json!(-15_000), &json!(true)));
    let depends: BTreeSet<String> =
        template["transactions"].as_array().unwrap().iter().map(|entry| entry["depends"].to_string()).collect();
    let position =
        template["transactions"].as_array().unwrap().iter().position(|entry| entry["txid"] == json!(parent.txid()));
    let needs_parent = format!("[{}]", position.unwrap() + 1);
    assert_eq!(depends, BTreeSet::from(["[]".to_owned(), needs_parent]));

    let (header, text) = mine(&template);
    assert_eq!(node.call("submitblock", &[json!(text)]), Value::Null);
    assert_eq!(node.tip(), header.hash());
    assert_eq!(node.call("submitblock", &[json!(text)]), json!("duplicate"));
    let block = node.call("getblock", &[json!(header.hash()), json!(2)]);
    assert_eq!(block["tx"].as_array().unwrap().len(), 5);
    assert_eq!(block["tx"][0]["vout"][0]["address"], json!(somebody()));
    assert_eq!(block["tx"][0]["hash"], coinbase["hash"]);
    assert_eq!(node.call("getmempoolinfo", &[])["size"], json!(0));
}

#[test]
fn every_answer_has_a_coinbase_of_its_own() {
    let place = Place::new();
    let node = start(&place);
    let coinbase = |node: &TestNode| node.call("getblocktemplate", &[])["coinbasetxn"]["txid"].to_string();
    let other = place.start("other", &["--payout", &somebody().to_string()]);
    let all: BTreeSet<String> = (0..5).map(|_| coinbase(&node)).chain((0..5).map(|_| coinbase(&other))).collect();
    assert_eq!(all.len(), 10);
    // Without an address there is none to take, and everything else is there.
    let poor = place.start("poor", &[]);
    let template = poor.call("getblocktemplate", &[]);
    assert!(template.get("coinbasetxn").is_none() && template["coinbasevalue"].is_u64());
}

#[test]
fn a_proposal_is_judged_without_its_work() {
    let place = Place::new();
    let node = start(&place);
    let template = node.call("getblocktemplate", &[]);
    let (_, text) = mine(&template);
    let propose = |text: &str| node.call("getblocktemplate", &[json!({"mode": "proposal", "data": text})]);
    let mut bytes = hex::decode(&text).unwrap();
    // Another nonce: most likely one without work, and it does not matter.
    bytes[76] ^= 1;
    assert_eq!(propose(&hex::encode(&bytes)), Value::Null);
    assert_eq!(node.height().get(), 0, "nothing has changed");
    let mut wrong: Block = {
        let own = [&bytes[..80], &1u64.to_le_bytes(), &bytes[81..]].concat();
        encode::decode(&own, 1_000_000).unwrap()
    };
    wrong.header.merkle_root = MerkleRoot::from_bytes([1; 32]);
    let word = propose(&hex::encode(encode::encode(&wrong)));
    assert!(word.as_str().unwrap().starts_with("bad-txnmrklroot: BLK-02"), "{word}");
    wrong.header.prev_block = BlockHash::from_bytes([1; 32]);
    let word = propose(&hex::encode(encode::encode(&wrong)));
    assert!(word.as_str().unwrap().starts_with("bad-prevblk: HDR-04"), "{word}");
    assert_eq!(node.call("submitblock", &[json!(text)]), Value::Null);
    assert_eq!(propose(&text), json!("duplicate"));
    node.generate(1);
    bytes[77] ^= 1;
    assert_eq!(propose(&hex::encode(&bytes)), json!("stale-prevblk"));
    assert_eq!(node.refusal("getblocktemplate", &[json!({"mode": "proposal"})]).0, -8);
    assert_eq!(node.refusal("getblocktemplate", &[json!({"mode": "proposal", "data": "00"})]).0, -22);
}

/// Asks for a template in the background, with the last one's long-poll id.
fn long_poll(node: &TestNode) -> std::thread::JoinHandle<Value> {
    let id = node.call("getblocktemplate", &[])["longpollid"].clone();
    let client = Client::new(node.file.rpc.to_string(), Auth::CookieFile(node.data_dir.join(".cookie")));
    std::thread::spawn(move || {
        let request = json!({"longpollid": id, "capabilities": ["longpoll"]});
        client.call("getblocktemplate", vec![request]).unwrap()
    })
}

#[test]
fn a_long_poll_waits_for_something_better() {
    let place = Place::new();
    let node = start(&place);
    let waiting = long_poll(&node);
    // Other requests are answered meanwhile.
    assert_eq!(node.height().get(), 0);
    let tip = *node.generate(1).last().unwrap();
    assert_eq!(waiting.join().unwrap()["previousblockhash"], json!(tip));

    let waiting = long_poll(&node);
    let params = params();
    let payment = pay_on(&params, &allocations(&params)[0], 1_000);
    send(&node, &payment);
    let template = waiting.join().unwrap();
    assert_eq!(template["transactions"][0]["txid"], json!(payment.txid()));

    // A node that stops does not keep anybody waiting.
    let waiting = long_poll(&node);
    assert_eq!(node.stop(), Some(0));
    // It may have been answered, or cut off; both end the call.
    let _ = waiting.join();
}
