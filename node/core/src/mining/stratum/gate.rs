//! Who may connect: so many in all, so many from one address, and for a while nobody from where a connection had to be ended for
//! its behaviour. And what makes each connection's coinbases different.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use tally_primitives::units::Timestamp;

use crate::mining::stratum::error::DisconnectReason;
use crate::mining::stratum::job::{EXTRANONCE1_SIZE, Seat, TAG_SIZE};
use crate::mining::stratum::limits::{MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, MAX_REFUSED_ADDRESSES, REFUSAL_MS};
use crate::random::Random;

/// Why a connection is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TurnedAway {
    /// There are enough.
    #[error("there are {MAX_CONNECTIONS} connections already")]
    Full,
    /// There are enough from this address.
    #[error("there are {MAX_CONNECTIONS_PER_ADDRESS} connections from this address already")]
    FullForAddress,
    /// A connection from there was ended for its behaviour a moment ago.
    #[error("refused for {} s after what it did", REFUSAL_MS / 1_000)]
    Refused,
}

/// The door of the Stratum server.
#[derive(Debug)]
pub struct Gate {
    random: Random,
    tag: [u8; TAG_SIZE],
    taken: BTreeSet<[u8; EXTRANONCE1_SIZE]>,
    by_address: BTreeMap<IpAddr, usize>,
    refused: BTreeMap<IpAddr, Timestamp>,
}

impl Gate {
    /// An open door. Nodes with different seeds give work that has no header in common.
    pub fn new(seed: u64) -> Gate {
        let mut random = Random::new(seed);
        let tag = random.next_u64().to_le_bytes();
        Gate { random, tag, taken: BTreeSet::new(), by_address: BTreeMap::new(), refused: BTreeMap::new() }
    }

    /// Lets a connection in, until [`Gate::leave`].
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&mut self, now: Timestamp, address: IpAddr) -> Result<Seat, TurnedAway> {
        self.refused.retain(|_, until| *until > now);
        let place = place(address);
        if self.refused.contains_key(&place) {
            return Err(TurnedAway::Refused);
        }
        if self.taken.len() >= MAX_CONNECTIONS {
            return Err(TurnedAway::Full);
        }
        let from_there = self.by_address.entry(place).or_default();
        if *from_there >= MAX_CONNECTIONS_PER_ADDRESS {
            return Err(TurnedAway::FullForAddress);
        }
        *from_there += 1;
        let extranonce1 = loop {
            let number = u32::try_from(self.random.below(1 << 32)).unwrap_or_default().to_be_bytes();
            if self.taken.insert(number) {
                break number;
            }
        };
        Ok(Seat { extranonce1, tag: self.tag })
    }

    /// A connection has ended.
    pub fn leave(&mut self, now: Timestamp, address: IpAddr, seat: &Seat, reason: DisconnectReason) {
        self.taken.remove(&seat.extranonce1);
        let place = place(address);
        if let Some(count) = self.by_address.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&place);
            }
        }
        if reason.is_abuse() {
            self.refused.insert(place, now.saturating_add_millis(REFUSAL_MS));
            if self.refused.len() > MAX_REFUSED_ADDRESSES {
                let first = self.refused.iter().min_by_key(|(_, until)| **until).map(|(place, _)| *place);
                self.refused.retain(|place, _| Some(*place) != first);
            }
        }
    }

    /// Connections that are in.
    pub fn connections(&self) -> usize {
        self.taken.len()
    }
}

/// Whom an address stands for: a household of IPv6 has a whole /64.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests;
