//! JSON-RPC over WebSocket: requests and a subscription on one connection.

use std::net::TcpStream;

use serde_json::{Value, json};
use tally_node_core::testing::{allocations, pay_on};
use tally_primitives::encode;
use tally_rpc::auth;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use crate::common::{DEADLINE, Place, TestNode, params};

type Socket = WebSocket<TcpStream>;

fn connect(node: &TestNode, authorization: Option<&str>) -> Result<Socket, Box<tungstenite::Error>> {
    let stream = TcpStream::connect(node.file.rpc).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut request = format!("ws://{}/", node.file.rpc).into_client_request().unwrap();
    if let Some(value) = authorization {
        request.headers_mut().insert("authorization", value.parse().unwrap());
    }
    match tungstenite::client(request, stream) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(error)) => Err(Box::new(error)),
        Err(tungstenite::HandshakeError::Interrupted(_)) => panic!("the handshake did not end in time"),
    }
}

fn open(node: &TestNode) -> Socket {
    let cookie = std::fs::read_to_string(node.data_dir.join(".cookie")).unwrap();
    connect(node, Some(&auth::basic(&cookie))).unwrap()
}

fn send(socket: &mut Socket, value: &Value) {
    socket.send(Message::text(value.to_string())).unwrap();
}

fn receive(socket: &mut Socket) -> Value {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The next event's fields.
fn event(socket: &mut Socket) -> Value {
    let value = receive(socket);
    assert_eq!(value["method"], json!("event"), "{value}");
    value["params"].clone()
}

#[test]
fn blocks_and_transactions_are_told_as_they_come() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let mut socket = open(&node);
    send(&mut socket, &json!({"jsonrpc": "2.0", "id": 1, "method": "getblockcount"}));
    assert_eq!(receive(&mut socket)["result"], json!(0));
    send(
        &mut socket,
        &json!({"jsonrpc": "2.0", "id": 2, "method": "subscribe", "params": [["blocks", "transactions"]]}),
    );
    assert_eq!(receive(&mut socket), json!({"jsonrpc": "2.0", "id": 2, "result": true}));

    let params = params();
    let payment = pay_on(&params, &allocations(&params)[0], 1000);
    node.call("sendrawtransaction", &[json!(hex::encode(encode::encode(&payment)))]);
    let told = event(&mut socket);
    assert_eq!(told["type"], json!("transaction_accepted"));
    assert_eq!((&told["txid"], &told["fee"]), (&json!(payment.txid()), &json!(1000)));

    let tip = node.generate(1)[0];
    let told: Vec<Value> = (0..4).map(|_| event(&mut socket)).collect();
    let find =
        |kind: &str| told.iter().find(|event| event["type"] == json!(kind)).unwrap_or_else(|| panic!("{told:?}"));
    assert_eq!(find("header_tip")["hash"], json!(tip));
    assert_eq!((&find("block_connected")["hash"], &find("block_connected")["transactions"]), (&json!(tip), &json!(2)));
    let moved = find("tip_changed");
    assert_eq!((&moved["new"], &moved["height"], &moved["reorg_depth"]), (&json!(tip), &json!(1), &json!(0)));
    let left = find("transaction_removed");
    assert_eq!((&left["txid"], &left["reason"]), (&json!(payment.txid()), &json!("confirmed")));

    // Only what was asked for, and nothing after unsubscribing: the next thing heard is an answer.
    send(&mut socket, &json!({"jsonrpc": "2.0", "id": 3, "method": "unsubscribe"}));
    while receive(&mut socket)["id"] != json!(3) {}
    node.generate(3);
    send(&mut socket, &json!({"jsonrpc": "2.0", "id": 4, "method": "getblockcount"}));
    assert_eq!(receive(&mut socket), json!({"jsonrpc": "2.0", "id": 4, "result": 4}));
}

#[test]
fn a_long_poll_does_not_hold_up_its_connection() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let mut socket = open(&node);
    send(&mut socket, &json!({"jsonrpc": "2.0", "id": 1, "method": "getblocktemplate"}));
    let template = receive(&mut socket)["result"].clone();
    let request = json!({"longpollid": template["longpollid"]});
    send(&mut socket, &json!({"jsonrpc": "2.0", "id": 2, "method": "getblocktemplate", "params": [request]}));
    send(&mut socket, &json!({"jsonrpc": "2.0", "id": 3, "method": "getblockcount"}));
    assert_eq!(receive(&mut socket)["id"], json!(3));
    let tip = node.generate(1)[0];
    let answer = receive(&mut socket);
    assert_eq!(answer["id"], json!(2));
    assert_eq!(answer["result"]["previousblockhash"], json!(tip));
    assert_eq!(answer["result"]["height"], json!(2));
}

#[test]
fn strangers_and_nonsense_are_refused() {
    let place = Place::new();
    let node = place.start("node", &[]);
    for authorization in [None, Some("Basic bm9uc2Vuc2U=")] {
        let Err(error) = connect(&node, authorization) else {
            panic!("a stranger was let in");
        };
        assert!(matches!(&*error, tungstenite::Error::Http(answer) if answer.status() == 401), "{error}");
    }
    let mut socket = open(&node);
    socket.send(Message::text("{")).unwrap();
    assert_eq!(receive(&mut socket)["error"]["code"], json!(-32700));
    send(&mut socket, &json!({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": [["weather"]]}));
    assert_eq!(receive(&mut socket)["error"]["code"], json!(-3));
    let over_http = node.refusal("subscribe", &[json!(["blocks"])]);
    assert_eq!(over_http.0, -32600);
    // A stop does not wait for those who listen.
    assert_eq!(node.stop(), Some(0));
}
