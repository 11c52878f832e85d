//! A network that is cut in two, and healed.

use serde_json::{Value, json};
use tally_primitives::hash::BlockHash;
use tally_rpc::client::Client;
use tally_rpc::error::CLIENT_NODE_NOT_ADDED;

use super::support::{Net, nodes, until};
use tally_testnet::topology::links;

const NODES: usize = 4;

/// The last node alone, against all others: its links, as pairs of clients and addresses.
struct Cut {
    near: Vec<(Client, String)>,
    far: Client,
    far_address: String,
}

const FAR: usize = NODES - 1;

fn address(net: &Net, node: usize) -> String {
    nodes(&net.report)[node]["listen"].as_str().expect("an address").to_owned()
}

impl Cut {
    fn prepare(net: &Net) -> Cut {
        let near = links(NODES).into_iter().filter(|link| link.from == FAR);
        let near = near.map(|link| (net.client(link.to), address(net, link.to))).collect();
        Cut { near, far: net.client(FAR), far_address: address(net, FAR) }
    }

    fn make(&self) {
        for (client, address) in &self.near {
            client.ban(&self.far_address, 3600).expect("banned");
            self.far.ban(address, 3600).expect("banned");
        }
        until("the last node is alone", || (self.far.connection_count().expect("an answer") == 0).then_some(()));
    }

    fn heal(&self) {
        for (client, address) in &self.near {
            client.unban(&self.far_address).expect("no ban any more");
            self.far.unban(address).expect("no ban any more");
            // Now, rather than after the pause that has grown meanwhile.
            match self.far.add_node(address, "remove") {
                Ok(()) => {}
                Err(error) => {
                    assert_eq!(error.as_rpc().map(|error| error.code), Some(CLIENT_NODE_NOT_ADDED), "{error}")
                }
            }
            self.far.add_node(address, "add").expect("added");
        }
    }
}

fn confirmations(client: &Client, block: BlockHash) -> i64 {
    let header: Value = client.call("getblockheader", vec![json!(block)]).expect("a known block");
    header["confirmations"].as_i64().expect("a number")
}

#[test]
fn the_heavier_side_wins_and_the_payments_of_the_other_confirm() {
    let dir = tempfile::tempdir().expect("a directory");
    let net = Net::up(dir.path(), &["--nodes", "4", "--spacing", "1"]);
    let cut = Cut::prepare(&net);
    let near = net.client(0);
    cut.make();

    // Alice pays on the far side, where it is confirmed, and nobody on the other side hears of it.
    let rpc = cut.far.url().to_owned();
    let cookie = net.layout.cookie("node-4").display().to_string();
    let here = ["--rpc", &rpc, "--cookie", &cookie];
    let bob = net.wallet("bob", &["address"])["address"].as_str().expect("an address").to_owned();
    let send = [&["send", &bob, "12.5", "--yes"][..], &here].concat();
    let sent = net.wallet("alice", &send);
    let balance = [&["balance"][..], &here].concat();
    const BEFORE: u64 = 100_000_000_000;
    let confirmed = |arguments: &[&str]| net.wallet("bob", arguments)["confirmed"].as_u64().expect("a number");
    until("the payment is confirmed on the far side", || (confirmed(&balance) == BEFORE + 1_250_000_000).then_some(()));
    let far_tip = cut.far.best_block_hash().expect("a tip");
    // Three of four miners are on the near side: it gets ahead. Four blocks are not caught up with in a moment.
    let near_tip = until("the near side is well ahead", || {
        let (near, far) = (near.blockchain_info().expect("an answer"), cut.far.blockchain_info().expect("an answer"));
        (near.blocks.get() >= far.blocks.get() + 4).then_some(near.bestblockhash)
    });
    assert!(near.mempool_ids().expect("an answer").is_empty(), "the payment crossed the cut");
    assert!(near.call::<Value>("getblockheader", vec![json!(far_tip)]).is_err(), "a block crossed the cut");

    cut.heal();
    net.in_step();
    for node in 0..NODES {
        assert!(confirmations(&net.client(node), near_tip) > 0, "node {node} left the heavier chain");
    }
    assert_eq!(confirmations(&cut.far, far_tip), -1, "the lighter chain is still active");
    let usual = ["balance"];
    until("the payment is confirmed everywhere", || (confirmed(&usual) == BEFORE + 1_250_000_000).then_some(()));
    let history = net.wallet("bob", &["history"]);
    let times = history.as_array().expect("a list").iter().filter(|entry| entry["txid"] == sent["txid"]).count();
    assert_eq!(times, 1, "{history}");
}
