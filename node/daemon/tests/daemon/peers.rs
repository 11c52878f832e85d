//! Nodes that find each other, know each other, and refuse each other.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::common::{Place, TestNode, wait_for, wait_for_tip};

fn node_id(node: &TestNode) -> String {
    node.call("getnetworkinfo", &[])["node_id"].as_str().expect("an identity").to_owned()
}

fn peers(node: &TestNode) -> Vec<Value> {
    node.call("getpeerinfo", &[]).as_array().expect("a list").clone()
}

/// One address is enough: the others are heard of, and called.
#[test]
fn nodes_find_each_other_through_one_that_all_know() {
    let place = Place::new();
    let first = place.start("first", &[]);
    let seeded = |name: &str| place.start(name, &["--max-outbound", "8", "--seed", &first.listen()]);
    let others = [seeded("second"), seeded("third"), seeded("fourth")];
    let last = &others[2];
    // Each of the others gets to know the rest, and calls them.
    for node in &others {
        wait_for("everybody is connected with everybody", || (node.peers() >= 3).then_some(()));
    }
    let roles: Vec<String> =
        peers(last).iter().filter_map(|peer| peer["connection_type"].as_str().map(str::to_owned)).collect();
    assert!(roles.iter().any(|role| role == "outbound-full-relay"), "{roles:?}");
    let tip = last.generate(3)[2];
    wait_for_tip(&[&first, &others[0], &others[1]], tip);
}

/// What was learnt is there after a restart, without a seed.
#[test]
fn the_address_book_outlives_a_restart_and_a_damaged_one_does_no_harm() {
    let place = Place::new();
    let first = place.start("first", &[]);
    let second = place.start("second", &["--max-outbound", "8", "--seed", &first.listen()]);
    wait_for("they are connected", || (second.peers() == 1).then_some(()));
    assert_eq!(second.stop(), Some(0));
    let second = place.start("second", &["--max-outbound", "8"]);
    wait_for("they are connected again", || (second.peers() == 1).then_some(()));
    let book = second.data_dir.join("peers.dat");
    assert_eq!(second.stop(), Some(0));
    let mut bytes = std::fs::read(&book).unwrap();
    bytes[30] ^= 1;
    std::fs::write(&book, bytes).unwrap();
    let second = place.start("second", &["--max-outbound", "8"]);
    assert!(second.log().contains("ignoring the address book"), "{}", second.log());
    assert_eq!(second.peers(), 0);
    assert_eq!(second.stop(), Some(0));
}

#[test]
fn a_node_has_one_identity_which_peers_see() {
    let place = Place::new();
    let first = place.start("first", &[]);
    let second = place.start("second", &["--connect", &first.listen()]);
    wait_for("they are connected", || (first.peers() == 1 && second.peers() == 1).then_some(()));
    let (id, other) = (node_id(&first), node_id(&second));
    assert!(id.len() == 64 && id != other);
    assert_eq!(peers(&second)[0]["node_id"], json!(id));
    assert_eq!(peers(&first)[0]["node_id"], json!(other));
    assert_eq!(peers(&first)[0]["transport_protocol_type"], json!("v2"));
    assert!(first.log().contains(&id), "it is printed at the start");
    let key = first.data_dir.join("node.key");
    assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(first.stop(), Some(0));
    let first = place.start("first", &[]);
    assert_eq!(node_id(&first), id);
}

#[test]
fn an_address_may_say_who_has_to_be_there() {
    let place = Place::new();
    let first = place.start("first", &[]);
    let right = format!("{}@{}", node_id(&first), first.listen());
    let wrong = format!("{}@{}", "ab".repeat(32), first.listen());
    let second = place.start("second", &["--connect", &wrong]);
    wait_for("somebody else is refused", || second.log().contains("not connected").then_some(()));
    assert_eq!((second.peers(), first.peers()), (0, 0));
    second.call("addnode", &[json!(wrong), json!("remove")]);
    second.call("addnode", &[json!(right), json!("add")]);
    wait_for("the right one is taken", || (second.peers() == 1).then_some(()));
    assert_eq!(second.refusal("addnode", &[json!("xyz@127.0.0.1:1"), json!("add")]).0, -8);
}

#[test]
fn plaintext_nodes_talk_to_each_other_and_others_are_told_why_not() {
    let place = Place::new();
    let first = place.start("first", &["--plaintext-peers"]);
    let second = place.start("second", &["--plaintext-peers", "--connect", &first.listen()]);
    let tip = first.generate(2)[1];
    wait_for_tip(&[&second], tip);
    assert_eq!(peers(&second)[0]["transport_protocol_type"], json!("v1"));
    assert_eq!(peers(&second)[0].get("node_id"), None);
    assert_eq!(first.call("getnetworkinfo", &[]).get("node_id"), None);

    let encrypting = place.start("encrypting", &["--connect", &first.listen()]);
    wait_for("the caller is told", || encrypting.log().contains("the peer does not encrypt").then_some(()));
    wait_for("and so is the called one", || first.log().contains("the peer encrypts").then_some(()));
    let caller = place.start("caller", &["--plaintext-peers", "--connect", &encrypting.listen()]);
    wait_for("the other way round", || caller.log().contains("the peer encrypts").then_some(()));
    assert_eq!((encrypting.peers(), caller.peers(), first.peers()), (0, 0, 1));
}
