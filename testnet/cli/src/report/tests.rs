use serde_json::json;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;

use super::Report;
use crate::layout::Layout;
use crate::state::{Addresses, NodeState, State};
use crate::watch::Health;

#[test]
fn the_shape_of_the_specification() {
    let dir = tempfile::tempdir().expect("a directory");
    let layout = Layout::create(Some(dir.path())).expect("a layout");
    let addresses = Addresses {
        listen: "127.0.0.1:1".parse().expect("an address"),
        rpc: "127.0.0.1:2".parse().expect("an address"),
        web: Some("127.0.0.1:3".parse().expect("an address")),
        stratum: Some("127.0.0.1:4".parse().expect("an address")),
    };
    let node = |name: &str, pid| NodeState { name: name.to_owned(), pid, addresses: Some(addresses) };
    let state = State { nodes: vec![node("node-1", Some(7)), node("node-2", None)] };
    let tip = BlockHash::from_bytes([1; 32]);
    let health = Health { height: Height::new(5), tip, peers: 3, waiting: 1 };
    let report = Report::new(&layout, &state, &[Some(health), None]);
    let path = |name: &str| layout.dir().join(name);
    assert_eq!(
        json!(report),
        json!({
            "nodes": [
                {
                    "name": "node-1", "pid": 7, "listen": "127.0.0.1:1", "rpc": "http://127.0.0.1:2",
                    "cookie": path("node-1/.cookie"), "web": "http://127.0.0.1:3",
                    "stratum": "stratum+tcp://127.0.0.1:4",
                    "peers": 3, "height": 5, "tip": "01".repeat(32),
                },
                {
                    "name": "node-2", "pid": null, "listen": null, "rpc": null,
                    "cookie": path("node-2/.cookie"), "web": null, "peers": null, "height": null, "tip": null,
                },
            ],
            "wallets": { "alice": path("alice.wallet"), "bob": path("bob.wallet") },
            "network_file": path("network.toml"),
            "web": null,
        })
    );
}
