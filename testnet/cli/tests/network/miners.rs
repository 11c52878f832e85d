//! Miners connect by Stratum to the first node, and find it again where it was.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use tally_testnet::system::{End, signal};

use super::support::{Net, nodes, until};

/// Introduces a miner without an address; the coinbase's first half in its first job.
fn first_job(url: &str) -> String {
    let stream = TcpStream::connect(url.trim_start_matches("stratum+tcp://")).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
    let words = concat!(
        r#"{"id": 1, "method": "mining.subscribe", "params": []}"#,
        "\n",
        r#"{"id": 2, "method": "mining.authorize", "params": ["x", "x"]}"#,
        "\n",
    );
    (&stream).write_all(words.as_bytes()).expect("written");
    let mut lines = BufReader::new(&stream).lines().map(|line| line.expect("a line"));
    let job = lines.find(|line| line.contains("mining.notify\",\"params")).expect("a job");
    let job: Value = serde_json::from_str(&job).expect("JSON");
    job["params"][2].as_str().expect("hex").to_owned()
}

#[test]
fn the_first_node_has_work_for_miners() {
    let dir = tempfile::tempdir().expect("a directory");
    let net = Net::up(dir.path(), &["--nodes", "2", "--hashrate", "0", "--stratum-listen", "127.0.0.1:0"]);
    let report = &nodes(&net.report)[0];
    let url = report["stratum"].as_str().expect("a URL").to_owned();
    assert!(url.starts_with("stratum+tcp://127.0.0.1:"), "{url}");
    assert_eq!(nodes(&net.report)[1].get("stratum"), None);
    // A miner without an address works for the network's own wallet.
    let template = net.client(0).call::<Value>("getblocktemplate", vec![]).expect("a template");
    let lock_at = 28 * 2..60 * 2;
    let coinbase = template["coinbasetxn"]["data"].as_str().expect("the node has an address");
    assert_eq!(first_job(&url)[lock_at.clone()], coinbase[lock_at]);

    // Killed and started again, it is where it was: miners try the same address again and again.
    let pid = report["pid"].as_u64().expect("it runs");
    signal(u32::try_from(pid).expect("a process"), End::Kill);
    let again = until("it runs again", || {
        let status = net.status();
        let node = nodes(&status)[0].clone();
        (node["pid"] != pid && node["height"].is_u64()).then_some(node)
    });
    assert_eq!(again["stratum"], url.as_str());
    first_job(&url);
    assert_eq!(net.end().0, 0);
}
