//! Groups of addresses: whoever has one address of a network easily has thousands of the same one, so what counts is from how many
//! networks somebody speaks.
//!
//! A group is an IPv4 /16 or an IPv6 /32, what a provider is given at least (as in Bitcoin; Heilman, Kendler, Zohar and Goldberg, "Eclipse
//! attacks on Bitcoin's peer-to-peer network", 2015). Addresses of one machine or one LAN cannot be told apart in this way, and need not be: by
//! default each of them is a group of its own, so that a classroom or a testnet on one laptop is not in its own way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// How far away an address means something: an address of one machine means another machine to its neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// This machine.
    Loopback,
    /// This LAN, or a provider's.
    Private,
    /// Everywhere.
    Public,
}

/// Whose addresses count as one when peers are to differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressGroups {
    /// Public addresses by network; each local address (loopback, private) is a group of its own. For all uses but the following.
    #[default]
    Public,
    /// Local addresses by network too: to see on one machine what happens on the internet.
    All,
    /// Every address is a group of its own. **For the laboratory only**: one cheap network can then be all of a node's peers.
    None,
}

/// A group of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Group {
    /// An IPv4 /16.
    V4([u8; 2]),
    /// An IPv6 /32.
    V6([u8; 4]),
    /// One address by itself.
    Single(SocketAddr),
    /// What a seed told, by a hash of the seed's name.
    Seed(u64),
}

impl AddressGroups {
    /// The group of an address.
    pub fn group(self, address: SocketAddr) -> Group {
        let address = canonical(address);
        let single = match self {
            AddressGroups::Public => scope(address.ip()) != Scope::Public,
            AddressGroups::All => false,
            AddressGroups::None => true,
        };
        if single {
            return Group::Single(address);
        }
        match address.ip() {
            IpAddr::V4(ip) => v4(ip),
            IpAddr::V6(ip) => v6(ip),
        }
    }

    /// Whether limits that go by group say anything about this address.
    pub fn limits(self, ip: IpAddr) -> bool {
        match self {
            AddressGroups::Public => scope(ip.to_canonical()) == Scope::Public,
            AddressGroups::All => true,
            AddressGroups::None => false,
        }
    }
}

fn v4(ip: Ipv4Addr) -> Group {
    let [a, b, ..] = ip.octets();
    Group::V4([a, b])
}

/// Tunnels carry an IPv4 address, which names their owner; by their prefix all of them would be one group, and by their /48 a
/// single IPv4 address would have thousands.
fn v6(ip: Ipv6Addr) -> Group {
    let octets = ip.octets();
    match octets {
        // 6to4 (RFC 3056).
        [0x20, 0x02, a, b, c, d, ..] => v4(Ipv4Addr::new(a, b, c, d)),
        // NAT64 (RFC 6052).
        [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => v4(Ipv4Addr::new(a, b, c, d)),
        [a, b, c, d, ..] => Group::V6([a, b, c, d]),
    }
}

/// How far away an address means something.
pub fn scope(ip: IpAddr) -> Scope {
    match ip.to_canonical() {
        ip if ip.is_loopback() => Scope::Loopback,
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            // A provider's NAT (RFC 6598).
            let shared = a == 100 && (64..128).contains(&b);
            if ip.is_private() || ip.is_link_local() || shared { Scope::Private } else { Scope::Public }
        }
        IpAddr::V6(ip) if ip.is_unique_local() => Scope::Private,
        IpAddr::V6(_) => Scope::Public,
    }
}

/// The one form of an address: IPv4 as IPv4, without the sender's own interface number.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Whether a node can be called there at all.
pub fn is_dialable(address: SocketAddr) -> bool {
    let nonsense = match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            let [a, ..] = ip.octets();
            a == 0 || a >= 224
        }
        // A link-local address means nothing without the interface.
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast() || ip.is_unicast_link_local(),
    };
    address.port() != 0 && !nonsense
}
