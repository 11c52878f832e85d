//! What is remembered: with what a network was made, what runs now, and what each node says of itself.

use std::net::SocketAddr;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use tally_primitives::address::Address;

use crate::error::Error;
use crate::files;
use crate::layout::Layout;

/// `settings.json`: with what the network was made, and what the last `up` was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How many nodes the last `up` started.
    pub nodes: u8,
    /// Hashes a second of all nodes together in the last `up`.
    pub hashrate: u64,
    /// Hashes a second for which the network's easiest target was chosen.
    pub made_for_hashrate: u64,
    /// Alice's first address, which holds coins of the genesis block.
    pub alice: Address,
    /// Bob's.
    pub bob: Address,
    /// Where mined coins go.
    pub miner: Address,
}

impl Settings {
    /// Reads them; `None` if the network is not made yet.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn load(layout: &Layout) -> Result<Option<Settings>, Error> {
        load(layout, &layout.settings())
    }

    /// Writes them.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn save(&self, layout: &Layout) -> Result<(), Error> {
        save(&layout.settings(), self)
    }
}

/// `state.json`: what runs now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Every node of this run.
    pub nodes: Vec<NodeState>,
}

/// One node of this run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeState {
    /// Its name.
    pub name: String,
    /// Its process, if it runs.
    pub pid: Option<u32>,
    /// Its addresses, or its last ones.
    pub addresses: Option<Addresses>,
}

/// Where a node listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// For peers.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// For JSON-RPC.
    #[serde(deserialize_with = "address")]
    pub rpc: SocketAddr,
    /// For browsers.
    #[serde(default, deserialize_with = "optional_address")]
    pub web: Option<SocketAddr>,
    /// For miners.
    #[serde(default, deserialize_with = "optional_address")]
    pub stratum: Option<SocketAddr>,
}

impl Addresses {
    /// The URL for JSON-RPC.
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.rpc)
    }

    /// The URL for miners.
    pub fn stratum_url(&self) -> Option<String> {
        self.stratum.map(|stratum| format!("stratum+tcp://{stratum}"))
    }

    /// The URL for browsers.
    pub fn web_url(&self) -> Option<String> {
        self.web.map(|web| format!("http://{web}"))
    }
}

impl State {
    /// Reads it; `None` if nothing runs.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn load(layout: &Layout) -> Result<Option<State>, Error> {
        load(layout, &layout.state())
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn save(&self, layout: &Layout) -> Result<(), Error> {
        save(&layout.state(), self)
    }

    /// The node of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn node(&self, name: &str) -> Result<&NodeState, Error> {
        self.nodes.iter().find(|node| node.name == name).ok_or_else(|| Error::NoSuchNode {
            name: name.to_owned(),
            known: self.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// `node.json`: a node writes it when it answers, and removes it when it stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct NodeFile {
    /// The node's process.
    pub pid: u32,
    /// Where it listens.
    #[serde(flatten)]
    pub addresses: Addresses,
}

impl NodeFile {
    /// Reads it. `None` if it is not there, or is not understood: then the node is not ready.
    pub fn load(path: &Path) -> Option<NodeFile> {
        let text = files::read_if_there(path).ok()??;
        serde_json::from_str(&text).ok()
    }
}

fn load<T: DeserializeOwned>(layout: &Layout, path: &Path) -> Result<Option<T>, Error> {
    let Some(text) = files::read_if_there(path)? else {
        return Ok(None);
    };
    serde_json::from_str(&text).map(Some).map_err(|error| Error::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
        dir: layout.dir().to_owned(),
    })
}

fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::System { what: "to write JSON", reason: error.to_string() })?;
    files::replace(path, &(text + "\n"))
}

/// `ip:port`, with `http://` before it or not.
fn address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(from)?;
    parse_address(&text).map_err(serde::de::Error::custom)
}

fn optional_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| parse_address(&text).map_err(serde::de::Error::custom)).transpose()
}

fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let bare = text.trim_start_matches("http://").trim_end_matches('/');
    bare.parse().map_err(|_| format!("{text:?} is not an address"))
}

#[cfg(test)]
mod tests;
