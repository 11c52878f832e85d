//! Where a peer is, and perhaps who it is: `host:port`, `id@host:port`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::Deserialize;
use tokio::net::lookup_host;

use super::identity::{NodeId, NodeIdParseError};
use super::listener::with_default_port;

/// The longest name that DNS knows.
const MAX_NAME: usize = 253;

/// Where a peer is, and perhaps who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    /// Who has to answer there.
    pub id: Option<NodeId>,
    /// Where.
    pub place: Place,
}

/// Where a peer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At an address.
    Address(SocketAddr),
    /// At the address that a name stands for: `host:port` or `host`.
    Name(String),
}

/// Why a text is no peer's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerAddressError {
    /// The part before the `@`.
    #[error("{source}")]
    Id {
        /// What is wrong.
        #[from]
        source: NodeIdParseError,
    },
    /// The rest.
    #[error("{text:?} is not an address; give IP:PORT or NAME:PORT, with ID@ before it if only that node will do")]
    Place {
        /// What was given.
        text: String,
    },
}

impl PeerAddress {
    /// The first address that it stands for.
    ///
    /// # Errors
    /// If a name stands for nothing, in one line.
    pub async fn resolve(&self, default_port: u16) -> Result<SocketAddr, String> {
        match &self.place {
            Place::Address(address) => Ok(*address),
            Place::Name(name) => {
                let mut found =
                    lookup_host(with_default_port(name, default_port)).await.map_err(|error| error.to_string())?;
                found.next().ok_or_else(|| format!("{name} stands for no address"))
            }
        }
    }
}

impl FromStr for PeerAddress {
    type Err = PeerAddressError;

    fn from_str(text: &str) -> Result<Self, PeerAddressError> {
        let (id, place) = match text.split_once('@') {
            Some((id, place)) => (Some(id.parse()?), place),
            None => (None, text),
        };
        let wrong = || PeerAddressError::Place { text: place.to_owned() };
        if let Ok(address) = place.parse::<SocketAddr>() {
            return Ok(Self { id, place: Place::Address(address) });
        }
        let (name, port) = place.split_once(':').map_or((place, None), |(name, port)| (name, Some(port)));
        let is_name = !name.is_empty()
            && name.len() <= MAX_NAME
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            // An address without a port is no name.
            && name.parse::<std::net::Ipv4Addr>().is_err();
        if !is_name || port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(wrong());
        }
        Ok(Self { id, place: Place::Name(place.to_owned()) })
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = self.id {
            write!(f, "{id}@")?;
        }
        match &self.place {
            Place::Address(address) => address.fmt(f),
            Place::Name(name) => f.write_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for PeerAddress {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
