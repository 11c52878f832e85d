//! Several nodes: they find together, payments cross, bans hold.

use std::slice::from_ref;

use serde_json::json;
use tally_node_core::testing::{self, allocations, outputs_of, pay_on};
use tally_primitives::address::Address;
use tally_primitives::encode;
use tally_primitives::units::{Amount, FeeRate};
use tally_rpc::address::{AddressHistory, AddressUtxos};

use crate::common::{Place, params, wait_for, wait_for_tip};

#[test]
fn a_fresh_node_synchronises_and_follows() {
    let place = Place::new();
    let first = place.start("first", &[]);
    let tip = *first.generate(60).last().unwrap();
    let second = place.start("second", &["--connect", &first.listen()]);
    wait_for_tip(&[&second], tip);
    // And the other way: what the second one mines reaches the first.
    let tip = second.generate(1)[0];
    wait_for_tip(&[&first], tip);
    let (a, b) = (first.client.tx_out_set_info().unwrap(), second.client.tx_out_set_info().unwrap());
    assert_eq!((a.hash_serialized, a.txouts, a.total_amount), (b.hash_serialized, b.txouts, b.total_amount));
    let peers = first.client.peer_info().unwrap();
    assert_eq!(peers.len(), 1);
    assert!(peers[0].inbound && peers[0].bytessent > 10_000, "{peers:?}");
    assert_eq!(peers[0].listen_port, second.file.listen.port());
    // Who is first with a block is asked to push the next.
    assert!(peers[0].bip152_hb_to && peers[0].minfeefilter > FeeRate::ZERO, "{peers:?}");
    assert_eq!(first.stop(), Some(0));
    assert_eq!(second.stop(), Some(0));
}

#[test]
fn a_payment_crosses_the_network_and_confirms() {
    let place = Place::new();
    let first = place.start("first", &[]);
    let middle = place.start("middle", &["--connect", &first.listen()]);
    let last = place.start("last", &["--connect", &middle.listen()]);
    wait_for("all are connected", || (middle.peers() == 2).then_some(()));

    let params = params();
    let payment = pay_on(&params, &allocations(&params)[0], 1000);
    let txid = payment.txid();
    let raw = hex::encode(encode::encode(&payment));
    assert_eq!(first.call("sendrawtransaction", &[json!(raw)]), json!(txid));
    wait_for("the payment arrives", || {
        last.call("getrawmempool", &[]).as_array().unwrap().contains(&json!(txid)).then_some(())
    });
    // Sending it again is no failure.
    assert_eq!(first.call("sendrawtransaction", &[json!(raw)]), json!(txid));

    // Another transaction that spends the same coin and pays no more is refused.
    let rival = pay_on(&params, &allocations(&params)[0], 1001);
    let (code, message) = last.refusal("sendrawtransaction", &[json!(hex::encode(encode::encode(&rival)))]);
    assert_eq!(code, -26, "{message}");

    let address = Address::new(params.address_prefix.clone(), testing::lock_of(&testing::rich_key()));
    let query = json!({ "addresses": [address] });
    let waiting: AddressUtxos = serde_json::from_value(last.call("getaddressutxos", from_ref(&query))).unwrap();
    assert_eq!(waiting.utxos.iter().filter(|coin| coin.height.is_none()).count(), 1);
    assert_eq!(waiting.utxos.iter().filter(|coin| coin.spent_by == Some(txid)).count(), 1);

    let tip = last.generate(1)[0];
    wait_for_tip(&[&first, &middle], tip);
    let history: AddressHistory = serde_json::from_value(first.call("getaddresshistory", from_ref(&query))).unwrap();
    let row = history.transactions.iter().find(|row| row.txid == txid).unwrap();
    assert_eq!(row.confirmations, 1);
    assert_eq!(row.fee, Amount::from_notches(1000));
    assert_eq!(row.block_hash, Some(tip));
    assert_eq!(row.spent.checked_sub(row.received), Some(Amount::from_notches(1000)));
    let after: AddressUtxos = serde_json::from_value(first.call("getaddressutxos", &[query])).unwrap();
    assert!(after.utxos.iter().all(|coin| coin.height.is_some() && coin.spent_by.is_none()));
    assert!(after.utxos.iter().any(|coin| coin.txid == txid && coin.value == outputs_of(&payment)[0].1.value));
    let (code, _) = first.refusal("sendrawtransaction", &[json!(raw)]);
    assert_eq!(code, -27);
    let shown = first.call("getrawtransaction", &[json!(txid), json!(2)]);
    assert_eq!(shown["fee"], json!(1000));
    assert_eq!(shown["confirmations"], json!(1));
    assert_eq!(shown["vin"][0]["prevout"]["value"], json!(testing::coin_value()));
}

#[test]
fn partitioned_halves_agree_on_the_heavier_chain() {
    let place = Place::new();
    let left = place.start("left", &[]);
    let right = place.start("right", &[]);
    let params = params();
    // Both halves go their own ways; the lighter one confirms a payment.
    let payment = pay_on(&params, &allocations(&params)[1], 2000);
    let txid = payment.txid();
    left.call("sendrawtransaction", &[json!(hex::encode(encode::encode(&payment)))]);
    left.generate(2);
    let tip = *right.generate(4).last().unwrap();
    left.call("addnode", &[json!(right.listen()), json!("add")]);
    wait_for_tip(&[&left, &right], tip);
    // The payment is not lost: it waits again, and the next block confirms it.
    assert!(left.call("getrawmempool", &[]).as_array().unwrap().contains(&json!(txid)));
    let tip = left.generate(1)[0];
    wait_for_tip(&[&right], tip);
    let confirmed = right.call("getrawtransaction", &[json!(txid), json!(1)]);
    assert_eq!(confirmed["blockhash"], json!(tip));
    let tips = left.call("getchaintips", &[]);
    assert_eq!(tips.as_array().unwrap().len(), 2);
    assert_eq!(tips[0]["status"], json!("active"));
    assert_eq!(tips[1]["status"], json!("valid-fork"));
}

#[test]
fn peers_are_added_disconnected_and_banned() {
    let place = Place::new();
    let first = place.start("first", &[]);
    let second = place.start("second", &[]);
    let address = json!(second.listen());
    first.call("addnode", &[address.clone(), json!("add")]);
    wait_for("they connect", || (first.peers() == 1 && second.peers() == 1).then_some(()));
    assert_eq!(first.refusal("addnode", &[address.clone(), json!("add")]).0, -23);
    first.call("addnode", &[address.clone(), json!("remove")]);
    wait_for("they part", || (first.peers() == 0 && second.peers() == 0).then_some(()));
    assert_eq!(first.refusal("addnode", &[address.clone(), json!("remove")]).0, -24);
    assert_eq!(first.refusal("disconnectnode", from_ref(&address)).0, -29);

    first.call("addnode", &[address.clone(), json!("onetry")]);
    wait_for("they connect", || (second.peers() == 1).then_some(()));
    // A ban of one node on a machine that many share ends its connection, and holds over a restart.
    second.call("setban", &[json!(first.listen()), json!("add"), json!(3600)]);
    wait_for("the banned one is gone", || (first.peers() == 0).then_some(()));
    assert_eq!(second.refusal("setban", &[json!(first.listen()), json!("add")]).0, -23);
    assert_eq!(second.stop(), Some(0));
    let second = place.start("second", &[]);
    let banned = second.call("listbanned", &[]);
    assert_eq!(banned[0]["address"], json!(first.listen()));
    assert!(banned[0]["time_remaining"].as_u64().unwrap() > 3000);
    second.call("setban", &[json!(first.listen()), json!("remove")]);
    assert_eq!(second.call("listbanned", &[]), json!([]));
    assert_eq!(second.refusal("setban", &[json!("nonsense"), json!("add")]).0, -30);
}
