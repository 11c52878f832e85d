//! The client against small servers that answer what they are told to.
#![cfg(feature = "client")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tally_rpc::client::{Auth, Client, ClientError, Timeouts};

/// What one request looked like to the server.
#[derive(Debug)]
struct Seen {
    connection: usize,
    authorization: String,
    body: Value,
}

type Script = fn(&Seen) -> (u16, String);

/// Serves any number of connections, one after another; keeps each open until its client closes it.
fn serve(script: Script) -> (String, Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (stream, sender) = (stream.expect("a connection"), sender.clone());
            thread::spawn(move || answer_all(&stream, number, script, &sender));
        }
    });
    (url, receiver)
}

fn answer_all(stream: &TcpStream, connection: usize, script: Script, sender: &Sender<Seen>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut authorization, mut line) = (0, String::new(), String::new());
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        loop {
            line.clear();
            reader.read_line(&mut line).expect("a header");
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().expect("a length"),
                "authorization" => authorization = value.to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the body");
        let body = serde_json::from_slice(&body).expect("JSON");
        let seen = Seen { connection, authorization, body };
        let (status, answer) = script(&seen);
        let length = answer.len();
        write!(&*stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{answer}").expect("sent");
        if sender.send(seen).is_err() {
            return;
        }
    }
}

fn result(seen: &Seen, result: Value) -> (u16, String) {
    (200, json!({ "jsonrpc": "2.0", "result": result, "id": seen.body["id"] }).to_string())
}

fn user(password: &str) -> Auth {
    Auth::UserPass { user: "Aladdin".to_owned(), password: password.to_owned() }
}

#[test]
fn calls_share_a_connection_and_carry_credentials() {
    let (url, seen) = serve(|seen| result(seen, json!(7)));
    let client = Client::new(url, user("open sesame"));
    for _ in 0..3 {
        assert_eq!(client.block_count().expect("an answer").get(), 7);
        let seen = seen.recv().expect("a request");
        assert_eq!(seen.connection, 0);
        assert_eq!(seen.authorization, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(seen.body["method"], "getblockcount");
        assert_eq!(seen.body["params"], json!([]));
    }
}

#[test]
fn a_url_needs_no_scheme() {
    let (url, _seen) = serve(|seen| result(seen, json!(7)));
    let bare = url.strip_prefix("http://").expect("a scheme");
    assert!(Client::new(bare, Auth::None).block_count().is_ok());
}

#[test]
fn errors_of_the_node_come_through_whatever_the_status() {
    let (url, _seen) = serve(|seen| {
        let error = json!({ "code": -8, "message": "Block height out of range" });
        (500, json!({ "result": null, "error": error, "id": seen.body["id"] }).to_string())
    });
    let error = Client::new(url, Auth::None).block_count().expect_err("an error");
    assert_eq!(error.as_rpc().map(|error| error.code), Some(-8));
    assert!(!error.is_connection_failure());
    assert_eq!(error.to_string(), "Block height out of range (code -8)");
}

#[test]
fn a_new_cookie_is_read_when_the_old_one_is_refused() {
    let (url, seen) = serve(|seen| {
        // The server's own cookie changes after the first call: "__cookie__:b" from then on.
        let good = if seen.body["id"] == 1 { "X19jb29raWVfXzph" } else { "X19jb29raWVfXzpi" };
        if seen.authorization.ends_with(good) { result(seen, json!(1)) } else { (401, String::new()) }
    });
    let dir = tempfile::tempdir().expect("a directory");
    let cookie = dir.path().join(".cookie");
    fs::write(&cookie, "__cookie__:a").expect("written");
    let client = Client::new(url, Auth::CookieFile(cookie.clone()));
    assert!(client.block_count().is_ok());
    fs::write(&cookie, "__cookie__:b").expect("written");
    assert!(client.block_count().is_ok());
    assert_eq!(seen.try_iter().count(), 3);
    fs::write(&cookie, "__cookie__:c").expect("written");
    // What is known still works: the file is not read for every call.
    assert!(client.block_count().is_ok());
    let other = Client::new(client.url(), Auth::CookieFile(cookie));
    assert!(matches!(other.block_count(), Err(ClientError::Unauthorized { .. })));
}

#[test]
fn wrong_credentials_are_told_from_a_missing_node() {
    let (url, _seen) = serve(|_| (401, String::new()));
    for auth in [user("x"), Auth::None] {
        let error = Client::new(&*url, auth).block_count().expect_err("refused");
        assert!(matches!(error, ClientError::Unauthorized { .. }), "{error}");
    }
    let missing = Auth::CookieFile("/nonexistent/.cookie".into());
    let error = Client::new(&*url, missing).block_count().expect_err("no cookie");
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}

#[test]
fn nobody_there() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let error = Client::new(format!("http://{address}"), Auth::None).block_count().expect_err("nobody");
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    assert!(error.to_string().starts_with("cannot reach the node at http://127.0.0.1:"), "{error}");
}

#[test]
fn silence_ends_at_the_time_limit() {
    // Connections are accepted by the system, and nothing ever answers.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let timeouts = Timeouts { call: Duration::from_millis(50), ..Timeouts::default() };
    let client = Client::with_timeouts(format!("http://{address}"), Auth::None, timeouts);
    let error = client.block_count().expect_err("silence");
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
}

#[test]
fn other_servers_are_recognised() {
    let scripts: [Script; 4] = [
        |_| (200, "<html>hello</html>".to_owned()),
        |seen| result(seen, json!("seven")),
        |_| (200, json!({ "jsonrpc": "2.0", "result": 7, "id": 99 }).to_string()),
        |_| (404, String::new()),
    ];
    for script in scripts {
        let (url, _seen) = serve(script);
        let error = Client::new(url, Auth::None).block_count().expect_err("nonsense");
        assert!(matches!(error, ClientError::BadAnswer { .. }), "{error}");
    }
    let error = Client::new("http://no url", Auth::None).block_count().expect_err("no URL");
    assert!(matches!(error, ClientError::BadAnswer { .. }), "{error}");
}
