//! Receiving and paying.

use serde_json::json;
use tally_primitives::units::{Amount, FeeRate};

use crate::node::MockNode;
use crate::run::Desk;

const TALLY: u64 = 100_000_000;

fn desk() -> (Desk, MockNode, String, String) {
    let (desk, node) = (Desk::new(), MockNode::start("payments"));
    let alice = desk.create("alice", &node);
    let bob = desk.create("bob", &node);
    (desk, node, alice, bob)
}

fn run(desk: &Desk, wallet: &str, arguments: &[&str]) -> serde_json::Value {
    desk.run(&[&["--wallet", wallet, "--json"], arguments].concat()).json()
}

#[test]
fn a_payment_moves_both_balances_and_histories_to_the_notch() {
    let (desk, node, alice, bob) = desk();
    node.pay(&alice, 100 * TALLY, Some(40), false);
    node.pay(&alice, 7, None, false);
    node.pay(&alice, 50 * TALLY, Some(95), true);
    let before = run(&desk, "alice", &["balance"]);
    assert_eq!(before, json!({"confirmed": 100 * TALLY, "pending": 7, "immature": 50 * TALLY}));

    let sent = run(&desk, "alice", &["send", &bob, "12.5", "--yes"]);
    let (txid, fee, size) = (&sent["txid"], sent["fee"].as_u64().unwrap(), sent["size"].as_u64().unwrap());
    assert_eq!(sent.as_object().unwrap().len(), 3, "{sent}");
    // One input, payment and change, at the minimum of one notch a byte.
    assert_eq!((fee, size), (260, 260));
    let change = 100 * TALLY - 1_250_000_000 - fee;
    assert_eq!(
        run(&desk, "alice", &["balance"]),
        json!({
            "confirmed": 0, "pending": change + 7, "immature": 50 * TALLY
        })
    );
    assert_eq!(run(&desk, "bob", &["balance"]), json!({"confirmed": 0, "pending": 1_250_000_000, "immature": 0}));

    node.mine();
    assert_eq!(run(&desk, "bob", &["balance"])["confirmed"], 1_250_000_000);
    let history = run(&desk, "alice", &["history"]);
    let entry = history.as_array().unwrap().iter().find(|entry| entry["txid"] == *txid).unwrap();
    assert_eq!(
        *entry,
        json!({
            "txid": txid, "height": 101, "time": 1_800_000_101, "net": -1_250_000_000 - i64::try_from(fee).unwrap(),
            "fee": fee, "confirmations": 1
        })
    );
    let received = run(&desk, "bob", &["history"]);
    assert_eq!(
        received,
        json!([{
            "txid": txid, "height": 101, "time": 1_800_000_101, "net": 1_250_000_000, "fee": 0, "confirmations": 1
        }])
    );
}

#[test]
fn change_goes_to_a_fresh_address_each_time_and_can_be_spent_at_once() {
    let (desk, node, alice, bob) = desk();
    node.pay(&alice, 10 * TALLY, Some(40), false);
    for _ in 0..3 {
        run(&desk, "alice", &["send", &bob, "1", "--yes"]);
    }
    let ledger = node.ledger();
    let bob_lock = ledger.coins.iter().find(|coin| coin.output.value == Amount::ONE_TALLY).unwrap().output.lock;
    let mut change: Vec<_> =
        ledger.coins[1..].iter().map(|coin| coin.output.lock).filter(|lock| *lock != bob_lock).collect();
    assert_eq!(change.len(), 3);
    change.sort_unstable();
    change.dedup();
    assert_eq!(change.len(), 3, "an address was used twice");
}

#[test]
fn max_sends_everything_but_the_fee() {
    let (desk, node, alice, bob) = desk();
    node.pay(&alice, 3 * TALLY, Some(40), false);
    node.pay(&alice, 4 * TALLY, Some(41), false);
    node.pay(&alice, 5 * TALLY, None, false);
    let sent = run(&desk, "alice", &["send", &bob, "max", "--yes", "--fee-rate", "2.5"]);
    assert_eq!(sent["size"], 28 + 2 * 152 + 40);
    assert_eq!(sent["fee"], 930);
    assert_eq!(run(&desk, "bob", &["balance"])["pending"], 7 * TALLY - 930);
    assert_eq!(run(&desk, "alice", &["balance"]), json!({"confirmed": 0, "pending": 5 * TALLY, "immature": 0}));
}

#[test]
fn the_fee_follows_the_estimate_within_the_limit() {
    let (desk, node, alice, bob) = desk();
    node.pay(&alice, 10 * TALLY, Some(40), false);
    node.ledger().estimate = Some(FeeRate::from_notches_per_kilobyte(3_200));
    let sent = run(&desk, "alice", &["send", &bob, "1", "--dry-run", "--confirm-within", "2"]);
    assert_eq!(sent["fee"], 832);
    // Below what the mempool takes: the minimum counts.
    node.ledger().estimate = Some(FeeRate::from_notches_per_kilobyte(10));
    assert_eq!(run(&desk, "alice", &["send", &bob, "1", "--dry-run"])["fee"], 260);
    node.ledger().estimate = Some(FeeRate::from_notches_per_byte(100_000));
    let absurd = desk.run(&["--wallet", "alice", "send", &bob, "1", "--yes"]);
    absurd.fails_with(1, "the fee would be 0.26000000 TALLY, above the limit of 0.10000000 TALLY");
    assert!(absurd.stderr.contains("--max-fee"));
    assert!(node.ledger().mempool.is_empty());
    let meant = run(&desk, "alice", &["send", &bob, "1", "--yes", "--max-fee", "0.3"]);
    assert_eq!(meant["fee"], 26_000_000);
}

#[test]
fn a_dry_run_sends_nothing_and_its_transaction_can_be_broadcast() {
    let (desk, node, alice, bob) = desk();
    node.pay(&alice, 10 * TALLY, Some(40), false);
    let planned = run(&desk, "alice", &["send", &bob, "150000001notch", "--dry-run", "--memo", "rent"]);
    assert!(node.ledger().mempool.is_empty());
    assert!(!node.ledger().calls.iter().any(|method| method == "sendrawtransaction"));
    let hex = planned["hex"].as_str().unwrap();
    let sent = desk.run_with_input(&["--wallet", "alice", "--json", "broadcast", "-"], hex).json();
    assert_eq!(sent, json!({"txid": planned["txid"]}));
    let ledger = node.ledger();
    let transaction = ledger.mempool.values().next().unwrap();
    assert_eq!(transaction.memo, b"rent");
    let wanted = Amount::from_notches(150_000_001);
    assert!(transaction.outputs.iter().any(|output| output.value == wanted));
}

#[test]
fn a_payment_needs_a_yes() {
    let (desk, node, alice, bob) = desk();
    node.pay(&alice, 10 * TALLY, Some(40), false);
    let outcome = desk.run(&["--wallet", "alice", "send", &bob, "1"]);
    assert_eq!(outcome.code, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("no terminal") && outcome.stderr.contains("--yes"), "{outcome:?}");
    assert!(node.ledger().mempool.is_empty());
}

#[test]
fn addresses_stay_until_they_are_used_and_new_ones_are_new() {
    let (desk, node, alice, _) = desk();
    let address = |arguments: &[&str]| {
        run(&desk, "alice", &[&["address"], arguments].concat())["address"].as_str().unwrap().to_owned()
    };
    assert_eq!(address(&[]), alice);
    assert_eq!(address(&[]), alice);
    let second = address(&["--new"]);
    let third = address(&["--new"]);
    assert!(alice != second && second != third);
    assert_eq!(address(&[]), alice, "nobody has paid yet");
    node.pay(&alice, TALLY, None, false);
    assert_eq!(address(&[]), second);
    node.pay(&third, TALLY, None, false);
    let fourth = address(&[]);
    assert!(![alice, second, third].contains(&fourth));
    assert_eq!(run(&desk, "alice", &["balance"])["pending"], 2 * TALLY);
}

#[test]
fn addresses_beyond_the_gap_come_with_a_warning_and_are_still_found() {
    let (desk, node, ..) = desk();
    let mut last = String::new();
    for number in 2..=21 {
        let outcome = desk.run(&["--wallet", "alice", "address", "--new"]);
        assert_eq!(outcome.stderr.contains("warning"), number > 20, "address {number}: {outcome:?}");
        last = outcome.stdout.trim().to_owned();
    }
    node.pay(&last, TALLY, Some(50), false);
    assert_eq!(run(&desk, "alice", &["balance"])["confirmed"], TALLY);
}

#[test]
fn coins_tell_their_status() {
    let (desk, node, alice, bob) = desk();
    node.pay(&alice, 5 * TALLY, Some(40), false);
    node.pay(&alice, 3 * TALLY, Some(95), true);
    let coins = run(&desk, "alice", &["coins"]);
    let coins = coins.as_array().unwrap();
    assert_eq!(coins[0]["status"], "confirmed");
    assert_eq!((&coins[0]["address"], &coins[0]["confirmations"]), (&json!(alice), &json!(61)));
    assert_eq!((&coins[1]["status"], &coins[1]["matures_at"]), (&json!("immature"), &json!(105)));
    let txid = run(&desk, "alice", &["send", &bob, "1", "--yes"])["txid"].clone();
    let coins = run(&desk, "alice", &["coins"]);
    let statuses: Vec<_> = coins.as_array().unwrap().iter().map(|coin| coin["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["spent", "pending", "immature"]);
    assert_eq!(coins[0]["spent_by"], txid);
}

#[test]
fn people_read_tally_with_eight_decimals() {
    let (desk, node, alice, bob) = desk();
    node.pay(&alice, 1_250_000_001, Some(40), false);
    let text = |arguments: &[&str]| desk.run(&[&["--wallet", "alice"], arguments].concat()).stdout;
    let balance = "confirmed        12.50000001 TALLY\npending           0.00000000 TALLY\n\
                   immature          0.00000000 TALLY\n";
    assert_eq!(text(&["balance"]), balance);
    assert_eq!(text(&["address"]).trim_end(), run(&desk, "alice", &["address"])["address"]);
    let planned = text(&["send", &bob, "1", "--dry-run"]);
    for part in ["1.00000000 TALLY", "0.00000260 TALLY  (260 bytes at 1.000 notch/byte", "11.49999741 TALLY", &bob] {
        assert!(planned.contains(part), "{part}: {planned}");
    }
    let history = text(&["history"]);
    assert!(history.contains("+12.50000001") && history.starts_with("time (UTC)"), "{history}");
    assert!(text(&["coins"]).contains("12.50000001  confirmed"));
}
