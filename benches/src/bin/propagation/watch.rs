//! When each node says what: one subscription a node, one thread a subscription, one clock for all.

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tally_rpc::auth;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use crate::Failure;
use crate::cluster::Node;

/// How long a node may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// Something that a node said.
struct Said {
    node: usize,
    at: Instant,
    text: String,
}

/// Subscriptions to one topic at several nodes.
pub struct Watch {
    said: Receiver<Said>,
    nodes: usize,
}

impl Watch {
    /// Subscribes.
    pub fn start(nodes: &[Node], topic: &str) -> Result<Watch, Failure> {
        let (sender, said) = channel();
        for (number, node) in nodes.iter().enumerate() {
            let mut socket = open(node)?;
            let subscribe = json!({"jsonrpc": "2.0", "id": 1, "method": "subscribe", "params": [[topic]]});
            socket.send(Message::text(subscribe.to_string()))?;
            socket.read()?;
            let sender = sender.clone();
            thread::spawn(move || listen(number, socket, &sender));
        }
        Ok(Watch { said, nodes: nodes.len() })
    }

    /// When each node has said something that contains both texts, in milliseconds after `begun`.
    pub fn wait(&self, kind: &str, id: &str, begun: Instant) -> Result<Vec<f64>, Failure> {
        let mut arrivals = vec![0.0; self.nodes];
        let mut missing: BTreeSet<usize> = (0..self.nodes).collect();
        while !missing.is_empty() {
            let said = self.said.recv_timeout(DEADLINE).map_err(|error| match error {
                RecvTimeoutError::Timeout => format!("{kind} of {id} did not come to nodes {missing:?}"),
                RecvTimeoutError::Disconnected => "the nodes are gone".to_owned(),
            })?;
            if said.text.contains(kind) && said.text.contains(id) && missing.remove(&said.node) {
                arrivals[said.node] = said.at.saturating_duration_since(begun).as_secs_f64() * 1_000.0;
            }
        }
        Ok(arrivals)
    }
}

fn open(node: &Node) -> Result<WebSocket<TcpStream>, Failure> {
    let stream = TcpStream::connect(&node.rpc)?;
    stream.set_nodelay(true)?;
    let mut request = format!("ws://{}/", node.rpc).into_client_request()?;
    let authorization: Value = json!(auth::basic(&node.cookie));
    request.headers_mut().insert("authorization", authorization.as_str().unwrap_or_default().parse()?);
    let (socket, _) = tungstenite::client(request, stream).map_err(|error| error.to_string())?;
    Ok(socket)
}

fn listen(node: usize, mut socket: WebSocket<TcpStream>, sender: &Sender<Said>) {
    // It ends with the node or with the watch.
    while let Ok(message) = socket.read() {
        let at = Instant::now();
        if let Message::Text(text) = message
            && sender.send(Said { node, at, text: text.to_string() }).is_err()
        {
            return;
        }
    }
}
