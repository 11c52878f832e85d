//! JSON-RPC over HTTP: who is let in, and what is made of anything that may be sent.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use tally_rpc::auth;

use crate::common::{DEADLINE, Place, TestNode};

/// Sends bytes, and reads until the other side closes.
pub fn exchange(address: SocketAddr, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    // A server that refuses a body may close before it has read all of it.
    let _ = stream.write_all(request.as_ref());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn cookie(node: &TestNode) -> String {
    auth::basic(&std::fs::read_to_string(node.data_dir.join(".cookie")).unwrap())
}

/// One POST; status and body.
fn post(node: &TestNode, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut request = format!("POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    let answer = exchange(node.file.rpc, &request);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status.unwrap_or_else(|| panic!("no status in {answer:?}")), body.to_owned())
}

fn ask(node: &TestNode, body: &str) -> (u16, Value) {
    let (status, body) = post(node, &[("Host", "127.0.0.1"), ("Authorization", &cookie(node))], body);
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

const COUNT: &str = r#"{"jsonrpc":"2.0","id":1,"method":"getblockcount"}"#;

#[test]
fn only_the_cookies_holder_is_let_in() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let right = cookie(&node);
    let wrong = auth::basic("__cookie__:0000");
    let local = ("Host", "localhost");
    assert_eq!(post(&node, &[local, ("Authorization", &right)], COUNT).0, 200);
    assert_eq!(post(&node, &[local], COUNT).0, 401);
    assert_eq!(post(&node, &[local, ("Authorization", &wrong)], COUNT).0, 401);
    assert_eq!(post(&node, &[local, ("Authorization", "Bearer x")], COUNT).0, 401);
    // A web page has an Origin; a rebound name is not ours. The right cookie does not help them.
    let page = ("Origin", "http://localhost:9741");
    assert_eq!(post(&node, &[local, page, ("Authorization", &right)], COUNT).0, 403);
    assert_eq!(post(&node, &[("Host", "evil.example"), ("Authorization", &right)], COUNT).0, 403);
    // Who is not let in learns nothing of what there is.
    let (status, body) = post(&node, &[local], "not even JSON");
    assert_eq!(status, 401);
    assert!(!body.contains("JSON"), "{body}");
    assert_eq!(node.height().get(), 0);
}

#[test]
fn a_user_may_be_set_instead_of_the_cookie() {
    let place = Place::new();
    let config = place.data_dir("node").join("node.toml");
    std::fs::create_dir_all(place.data_dir("node")).unwrap();
    std::fs::write(&config, "rpc-user = 'me'\nrpc-password = 'secret'\nrpc-allow-host = ['node.example']\n").unwrap();
    let node = place.start("node", &[]);
    assert!(!node.data_dir.join(".cookie").exists());
    let right = auth::basic("me:secret");
    assert_eq!(post(&node, &[("Host", "node.example:9741"), ("Authorization", &right)], COUNT).0, 200);
    assert_eq!(post(&node, &[("Host", "localhost"), ("Authorization", &auth::basic("me:wrong"))], COUNT).0, 401);
}

#[test]
fn requests_of_both_versions_and_batches_are_answered() {
    let place = Place::new();
    let node = place.start("node", &[]);
    node.generate(2);
    assert_eq!(ask(&node, COUNT), (200, json!({"jsonrpc": "2.0", "result": 2, "id": 1})));
    let old = r#"{"id":"x","method":"getblockcount","params":[]}"#;
    assert_eq!(ask(&node, old), (200, json!({"result": 2, "error": null, "id": "x"})));
    let (status, answer) = ask(&node, r#"{"id":1,"method":"nosuch"}"#);
    assert_eq!((status, &answer["error"]["code"]), (404, &json!(-32601)));
    let (status, answer) = ask(&node, r#"{"jsonrpc":"2.0","id":1,"method":"nosuch"}"#);
    assert_eq!((status, &answer["error"]["code"]), (200, &json!(-32601)));
    let named = r#"{"jsonrpc":"2.0","id":1,"method":"getblockhash","params":{"height":1}}"#;
    let positional = r#"{"jsonrpc":"2.0","id":1,"method":"getblockhash","params":[1]}"#;
    assert_eq!(ask(&node, named), ask(&node, positional));
    let batch = format!(r#"[{COUNT}, {{"jsonrpc":"2.0","id":2,"method":"nosuch"}}, 7]"#);
    let (status, answers) = ask(&node, &batch);
    assert_eq!(status, 200);
    assert_eq!(answers[0]["result"], json!(2));
    assert_eq!(answers[1]["error"]["code"], json!(-32601));
    assert_eq!(answers[2]["error"]["code"], json!(-32600));
    let notification = r#"{"jsonrpc":"2.0","method":"getblockcount"}"#;
    assert_eq!(ask(&node, notification), (204, Value::Null));
}

#[test]
fn whatever_is_sent_is_refused_within_limits() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let code = |body: &str| ask(&node, body).1["error"]["code"].clone();
    assert_eq!(code("{"), json!(-32700));
    assert_eq!(code(""), json!(-32700));
    assert_eq!(code("[]"), json!(-32600));
    assert_eq!(code("7"), json!(-32600));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":1}"#), json!(-32600));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"getblockhash"}"#), json!(-32602));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"getblockhash","params":[1,2]}"#), json!(-32602));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"getblockhash","params":["x"]}"#), json!(-3));
    assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"getblockhash","params":[-1]}"#), json!(-3));
    assert_eq!(code(&"[".repeat(100_000)), json!(-32700));
    let batch = format!("[{}]", vec![COUNT; 1001].join(","));
    assert_eq!(code(&batch), json!(-32600));
    let header = cookie(&node);
    let headers = [("Host", "localhost"), ("Authorization", header.as_str())];
    assert_eq!(post(&node, &headers, &" ".repeat(9 << 20)).0, 413);
    let get = format!("GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {header}\r\nConnection: close\r\n\r\n");
    let answer = exchange(node.file.rpc, get);
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    let delete =
        format!("DELETE / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {header}\r\nConnection: close\r\n\r\n");
    assert!(exchange(node.file.rpc, delete).starts_with("HTTP/1.1 405"));
    // Bytes that are no HTTP at all.
    exchange(node.file.rpc, [0xff; 5000]);
    exchange(node.file.listen, [0xff; 5000]);
    assert_eq!(node.height().get(), 0);
    assert!(!node.log().contains("panicked"), "{}", node.log());
}
