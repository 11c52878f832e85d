//! Nodes of the same network on the LAN, by multicast DNS (RFC 6762, RFC 6763): a classroom's laptops find each other without anybody typing an address.
//!
//! The service is `_tallystick._tcp`; its TXT record names the genesis, so that only nodes of one network meet. Whoever is found goes into the
//! address book and is called like any other address.

use std::net::{IpAddr, SocketAddr};

use mdns_sd::{IfKind, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};
use tally_primitives::hash::BlockHash;
use tokio::runtime::Handle;

use crate::transport::{NodeId, Transport};

/// The kind of service.
const SERVICE: &str = "_tallystick._tcp.local.";

/// The key of the TXT record that holds the first digits of the genesis hash.
const GENESIS_KEY: &str = "genesis";

/// How many digits: enough to tell networks apart.
const GENESIS_DIGITS: usize = 16;

/// How many digits of a node's identity are its name: enough to tell the nodes of a LAN apart.
const NAME_DIGITS: usize = 16;

/// While this lives, the node is announced on the LAN and looks for others.
pub struct Lan {
    daemon: ServiceDaemon,
}

impl Lan {
    /// Announces a node and looks for others, which are told to `transport`.
    ///
    /// # Errors
    /// If the system refuses multicast, in one line.
    pub fn start(id: NodeId, genesis: BlockHash, listen: SocketAddr, transport: Transport) -> Result<Self, String> {
        let describe = |error: mdns_sd::Error| error.to_string();
        let daemon = ServiceDaemon::new().map_err(describe)?;
        if listen.ip().is_loopback() {
            daemon.enable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6]).map_err(describe)?;
        }
        daemon.register(announcement(id, genesis, listen).map_err(describe)?).map_err(describe)?;
        let found = daemon.browse(SERVICE).map_err(describe)?;
        let name = name_of(id);
        let runtime = Handle::current();
        let look = move || {
            // Ends when the daemon does.
            while let Ok(event) = found.recv() {
                if let ServiceEvent::ServiceResolved(service) = event {
                    for address in neighbours(&service, &name, genesis) {
                        tracing::debug!(%address, "met on the LAN");
                        runtime.block_on(transport.met_neighbour(address));
                    }
                }
            }
        };
        std::thread::Builder::new().name("lan".to_owned()).spawn(look).map_err(|error| error.to_string())?;
        Ok(Self { daemon })
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        // It takes its leave on the LAN by itself.
        if let Err(error) = self.daemon.shutdown() {
            tracing::debug!(%error, "leaving the LAN");
        }
    }
}

fn name_of(id: NodeId) -> String {
    id.to_string().chars().take(NAME_DIGITS).collect()
}

fn genesis_digits(genesis: BlockHash) -> String {
    genesis.to_string().chars().take(GENESIS_DIGITS).collect()
}

fn announcement(id: NodeId, genesis: BlockHash, listen: SocketAddr) -> Result<ServiceInfo, mdns_sd::Error> {
    let name = name_of(id);
    let genesis = genesis_digits(genesis);
    let host = format!("tallystick-{name}.local.");
    let properties: &[(&str, &str)] = &[(GENESIS_KEY, &genesis)];
    if listen.ip().is_unspecified() {
        let info = ServiceInfo::new(SERVICE, &name, &host, "", listen.port(), properties)?;
        return Ok(info.enable_addr_auto());
    }
    ServiceInfo::new(SERVICE, &name, &host, listen.ip(), listen.port(), properties)
}

/// Where another node of the same network listens; nothing for ourselves and for others.
fn neighbours(service: &ResolvedService, own_name: &str, genesis: BlockHash) -> Vec<SocketAddr> {
    let is_ours = service.fullname.split('.').next() == Some(own_name);
    let same_network = service.get_property_val_str(GENESIS_KEY) == Some(&genesis_digits(genesis));
    if is_ours || !same_network {
        return Vec::new();
    }
    let mut addresses: Vec<IpAddr> = service.addresses.iter().map(mdns_sd::ScopedIp::to_ip_addr).collect();
    // One way to a node is enough: IPv4 first, which every LAN has.
    addresses.sort();
    addresses.into_iter().take(1).map(|ip| SocketAddr::new(ip, service.port)).collect()
}

#[cfg(test)]
mod tests;
