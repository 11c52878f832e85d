//! Texts of people and programs: addresses, network files, JSON-RPC.

use std::net::SocketAddr;

use tally_node::transport::peer_address::PeerAddress;
use tally_node_core::net::bans::BanTarget;
use tally_primitives::address::Address;
use tally_primitives::params::Params;
use tally_rpc::jsonrpc::{Incoming, Response};

/// Everything that is written as an address of something. What is read can be written and read again.
pub fn addresses(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string().parse(), Ok(address.clone()), "{address}");
    }
    if let Ok(peer) = text.parse::<PeerAddress>() {
        assert_eq!(peer.to_string().parse(), Ok(peer.clone()), "{peer}");
    }
    if let Ok(target) = text.parse::<BanTarget>() {
        assert_eq!(target.to_string().parse(), Ok(target), "{target}");
    }
    let _ = text.parse::<SocketAddr>();
}

pub fn network_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(params) = Params::from_toml(text) {
        // A genesis of any network has a hash, and its file can be written and read.
        assert_eq!(params.genesis().hash(), params.genesis_hash());
        let again = Params::from_toml(&params.to_toml()).expect("what was written can be read");
        assert_eq!(again, params);
    }
}

/// A body of JSON-RPC, as a server and as a client read it.
pub fn rpc(data: &[u8]) {
    let answers: Vec<Response> = match Incoming::parse(data, 100) {
        Ok(Incoming::Single(request)) => request.answer(Ok(serde_json::Value::Null)).into_iter().collect(),
        Ok(Incoming::Batch(requests)) => {
            assert!(requests.len() <= 100);
            let answer = |request: Result<tally_rpc::jsonrpc::Request, Response>| match request {
                Ok(request) => request.answer(Ok(serde_json::Value::Null)),
                Err(answer) => Some(answer),
            };
            requests.into_iter().filter_map(answer).collect()
        }
        Err(answer) => vec![answer],
    };
    for answer in answers {
        let text = serde_json::to_vec(&answer).expect("every answer can be written");
        serde_json::from_slice::<Response>(&text).expect("what was written can be read");
    }
    let _ = serde_json::from_slice::<Response>(data);
}
