//! Several nodes, and nodes that are not what they should be.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use crate::node::MockNode;
use crate::run::Desk;

#[test]
fn the_next_node_answers_where_the_first_is_down() {
    let (desk, node) = (Desk::new(), MockNode::start("fail-over"));
    let address = desk.create("w", &node);
    node.pay(&address, 70_000, Some(40), false);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (down, up) = (format!("http://{closed}"), node.url());
    let balance = ["--wallet", "w", "balance", "--json", "--cookie", "cookie", "--rpc", &down, "--rpc", &up];
    assert_eq!(desk.run(&balance).json()["confirmed"], 70_000);
    // And from the settings.
    let config = format!(
        "network = \"network.toml\"\n[[rpc]]\nurl = \"{down}\"\n[[rpc]]\nurl = \"{up}\"\ncookie = \"cookie\"\n"
    );
    fs::write(desk.path("w.toml"), config).unwrap();
    assert_eq!(desk.run(&["--wallet", "w", "balance", "--json"]).json()["confirmed"], 70_000);
    let sent = desk.run(&["--wallet", "w", "send", &address, "0.0005", "--yes", "--json"]).json();
    assert_eq!(sent["size"], 260);
}

#[test]
fn a_node_of_another_network_is_not_believed() {
    let (desk, node, other) = (Desk::new(), MockNode::start("ours"), MockNode::start("theirs"));
    let address = desk.create("w", &node);
    other.pay(&address, 70_000, Some(40), false);
    let (url, good) = (other.url(), node.url());
    let outcome = desk.run(&["--wallet", "w", "--cookie", "cookie", "--rpc", &url, "--rpc", &good, "balance"]);
    outcome.fails_with(1, &other.params().genesis_hash().to_string());
    assert!(outcome.stderr.contains(&node.params().genesis_hash().to_string()));
    assert_eq!(*other.ledger().calls, ["getblockhash"]);
}

#[test]
fn a_wrong_cookie_is_named() {
    let (desk, node) = (Desk::new(), MockNode::start("cookie"));
    desk.create("w", &node);
    fs::write(desk.path("cookie"), "__cookie__:wrong").unwrap();
    desk.run(&["--wallet", "w", "balance"]).fails_with(4, "is not this node's");
    desk.run(&["--wallet", "w", "balance", "--rpc-user", "me"]).fails_with(2, "--rpc-user needs a password");
    fs::write(desk.path("password"), "guess\n").unwrap();
    let user = ["--wallet", "w", "balance", "--rpc-user", "me", "--rpc-password-file", "password"];
    let outcome = desk.run(&user);
    outcome.fails_with(4, "wrong password for user \"me\"");
    assert!(!outcome.stderr.contains("guess"));
}

#[test]
fn something_that_is_no_node_is_as_good_as_none() {
    let (desk, node) = (Desk::new(), MockNode::start("no node"));
    desk.create("w", &node);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 2048];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
        }
    });
    desk.run(&["--wallet", "w", "--rpc", &url, "--cookie", "cookie", "balance"]).fails_with(5, "makes no sense");
}
