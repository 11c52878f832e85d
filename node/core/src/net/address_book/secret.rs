//! The node's secret: what others could exploit if they could compute it goes through a hash that is keyed by it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use tally_primitives::hash::sha256;

/// 32 bytes that nobody else knows.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret([u8; 32]);

/// What a hash is for: different purposes give unrelated numbers.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Purpose {
    /// Which of a source's buckets.
    SourceBucket,
    /// Which bucket.
    NewBucket,
    /// Which of a group's buckets.
    GroupBucket,
    /// Which bucket.
    TriedBucket,
    /// Which place in a bucket.
    NewPlace,
    /// Which place in a bucket.
    TriedPlace,
    /// Random numbers of the address book.
    Choices,
    /// To whom an address is passed on.
    Relay,
    /// Nonces that only the peer may know.
    Nonce,
    /// Which groups of inbound peers are protected.
    Protection,
    /// What short ids of a block are salted with.
    ShortIds,
    /// What is remembered of headers that are not kept.
    HeaderMark,
}

impl Secret {
    /// From random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Secret {
        Secret(bytes)
    }

    /// For simulations and tests, where a seed is all the randomness there is.
    #[must_use]
    pub fn from_seed(seed: u64) -> Secret {
        Secret(sha256(&seed.to_le_bytes()))
    }

    /// A number that depends on all of it.
    pub(crate) fn hash(&self, purpose: Purpose, parts: &[&[u8]]) -> u64 {
        let mut bytes = Vec::with_capacity(96);
        bytes.extend_from_slice(&self.0);
        bytes.push(purpose as u8);
        for part in parts {
            bytes.extend_from_slice(part);
        }
        let [a, b, c, d, e, f, g, h, ..] = sha256(&bytes);
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An address as bytes of one length.
pub(crate) fn address_bytes(address: SocketAddr) -> [u8; 18] {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let mut bytes = [0; 18];
    bytes[..16].copy_from_slice(&ip.octets());
    bytes[16..].copy_from_slice(&address.port().to_be_bytes());
    bytes
}
