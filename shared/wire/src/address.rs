//! Where other nodes listen.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::version::Services;

/// One entry of `Addresses`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressRecord {
    /// When the node was last known to be there, in seconds since the Unix epoch. A rumour: receivers bound it.
    pub last_seen: u32,
    /// What it is said to offer.
    pub services: Services,
    /// Where it accepts connections.
    pub address: SocketAddr,
}
