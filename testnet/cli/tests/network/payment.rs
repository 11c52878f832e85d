//! From alice to bob, to the notch.

use serde_json::{Value, json};
use tally_primitives::address::Address;
use tally_primitives::hash::Txid;

use super::support::{Net, nodes, until};

const TALLY: u64 = 100_000_000;

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// The entry of a transaction in a wallet's history.
fn entry(net: &Net, person: &str, txid: &Value) -> Value {
    let history = net.wallet(person, &["history"]);
    let entries = history.as_array().expect("a list");
    entries.iter().find(|entry| entry["txid"] == *txid).expect("the payment is in the history").clone()
}

#[test]
fn a_payment_reaches_every_node_and_confirms() {
    let dir = tempfile::tempdir().expect("a directory");
    let net = Net::up(dir.path(), &["--nodes", "4", "--spacing", "2"]);
    let before = net.wallet("alice", &["balance"]);
    assert_eq!(before, json!({ "confirmed": 1000 * TALLY, "pending": 0, "immature": 0 }));
    let bob = net.wallet("bob", &["address"])["address"].as_str().expect("an address").to_owned();
    let sent = net.wallet("alice", &["send", &bob, "12.5", "--yes"]);
    let fee = number(&sent["fee"]);
    assert!(fee >= number(&sent["size"]), "the payment pays less than a notch a byte: {sent}");

    let address: Address = bob.parse().expect("an address");
    let txid: Txid = sent["txid"].as_str().expect("a txid").parse().expect("a txid");
    for node in 0..4 {
        let client = net.client(node);
        until("the payment is in every mempool", || {
            let utxos = client.address_utxos(std::slice::from_ref(&address)).expect("an answer").utxos;
            utxos.iter().any(|utxo| utxo.txid == txid).then_some(())
        });
    }
    until("the payment is confirmed", || {
        (net.wallet("bob", &["balance"])["confirmed"] == 1000 * TALLY + 1_250_000_000).then_some(())
    });
    assert_eq!(net.wallet("bob", &["balance"])["pending"], 0);
    assert_eq!(
        net.wallet("alice", &["balance"]),
        json!({ "confirmed": 1000 * TALLY - 1_250_000_000 - fee, "pending": 0, "immature": 0 })
    );
    let (paid, received) = (entry(&net, "alice", &sent["txid"]), entry(&net, "bob", &sent["txid"]));
    let net_of_alice = -i64::try_from(1_250_000_000 + fee).expect("small");
    assert_eq!((&paid["net"], &paid["fee"]), (&json!(net_of_alice), &json!(fee)));
    assert_eq!(received["net"], 1_250_000_000);
    assert_eq!(paid["height"], received["height"]);
    assert!(number(&received["confirmations"]) >= 1 && number(&received["height"]) >= 1, "{received}");
}

#[test]
fn all_nodes_agree_on_every_coin() {
    let dir = tempfile::tempdir().expect("a directory");
    let net = Net::up(dir.path(), &["--nodes", "3", "--spacing", "1"]);
    until("some blocks", || (net.client(0).block_count().expect("an answer").get() >= 3).then_some(()));
    // Blocks go on: only sets at the same tip can be compared.
    until("all coin sets at one tip", || {
        let sets: Vec<_> = (0..3).map(|node| net.client(node).tx_out_set_info().expect("an answer")).collect();
        let one_tip = sets.iter().all(|set| set.bestblock == sets[0].bestblock);
        one_tip.then(|| {
            for set in &sets {
                assert_eq!(set.hash_serialized, sets[0].hash_serialized);
                let coins = 2000 + 50 * u64::from(set.height.get());
                assert_eq!(set.total_amount.to_notches(), coins * TALLY);
            }
        })
    });
}

#[test]
fn the_status_has_the_shape_of_the_specification() {
    let dir = tempfile::tempdir().expect("a directory");
    let net = Net::up(dir.path(), &["--nodes", "2", "--hashrate", "0"]);
    let status = net.in_step();
    assert_eq!(status, net.report, "`up --json` prints the same");
    for (index, node) in nodes(&status).iter().enumerate() {
        assert_eq!(node["name"], format!("node-{}", index + 1));
        assert_eq!((&node["peers"], &node["height"]), (&json!(1), &json!(0)), "nobody mines");
        assert!(node["rpc"].as_str().expect("a URL").starts_with("http://127.0.0.1:"));
        assert!(node["web"].as_str().expect("a URL").starts_with("http://127.0.0.1:"));
        assert!(node["listen"].as_str().expect("an address").starts_with("127.0.0.1:"));
        assert!(std::path::Path::new(node["cookie"].as_str().expect("a path")).is_file());
    }
    for person in ["alice", "bob"] {
        let file = status["wallets"][person].as_str().expect("a path");
        assert_eq!(std::path::Path::new(file), net.layout.wallet(person));
    }
    assert_eq!(status["network_file"], json!(net.layout.network_file()));
}
