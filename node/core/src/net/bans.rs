//! Addresses that we do not want: banned by hand until a given time, or avoided for a day because they broke a rule.
//!
//! Bans are the operator's and are kept over restarts by the driver ([`BanList::iter`]). Discouragement is automatic, bounded and
//! only in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tally_primitives::units::Timestamp;

use crate::net::disconnect::DisconnectReason;
use crate::net::limits::{DISCOURAGE_MS, MAX_BANS, MAX_DISCOURAGED};

/// An IP address, or one node on it: `192.0.2.1`, `192.0.2.1:9740`, `[2001:db8::1]:9740`.
///
/// The port is the one at which the node accepts connections; so nodes on one machine can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BanTarget {
    /// The machine.
    pub ip: IpAddr,
    /// The node on it; `None` for all.
    pub port: Option<u16>,
}

impl fmt::Display for BanTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

/// A text that is no [`BanTarget`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is neither an IP address nor IP:PORT")]
pub struct BanTargetParseError {
    /// What was given.
    pub text: String,
}

impl FromStr for BanTarget {
    type Err = BanTargetParseError;

    fn from_str(text: &str) -> Result<BanTarget, BanTargetParseError> {
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(BanTarget { ip, port: None });
        }
        match text.parse::<SocketAddr>() {
            Ok(address) => Ok(BanTarget { ip: address.ip(), port: Some(address.port()) }),
            Err(_) => Err(BanTargetParseError { text: text.to_owned() }),
        }
    }
}

impl Serialize for BanTarget {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BanTarget {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<BanTarget, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A ban by hand, as it is shown and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Whom it concerns.
    pub target: BanTarget,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub until: Timestamp,
}

/// Why a ban was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BanError {
    /// There is one.
    #[error("{target} is banned already")]
    AlreadyBanned {
        /// Whom it concerns.
        target: BanTarget,
    },
    /// There is none.
    #[error("{target} is not banned")]
    NotBanned {
        /// Whom it concerns.
        target: BanTarget,
    },
    /// No room.
    #[error("there are {max} bans, and that is as many as are kept")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

/// Bans by hand, and addresses that broke a rule.
#[derive(Debug, Default)]
pub struct BanList {
    bans: BTreeMap<BanTarget, Ban>,
    discouraged: BTreeMap<BanTarget, Timestamp>,
}

impl BanList {
    /// Bans that were kept over a restart.
    pub fn restore(bans: impl IntoIterator<Item = Ban>) -> BanList {
        let bans = bans.into_iter().take(MAX_BANS).map(|ban| (ban.target, ban)).collect();
        BanList { bans, discouraged: BTreeMap::new() }
    }

    /// Bans by hand.
    ///
    /// # Errors
    /// It is banned already, or there is no room.
    pub fn ban(&mut self, now: Timestamp, target: BanTarget, until: Timestamp) -> Result<(), BanError> {
        self.expire(now);
        if self.bans.contains_key(&target) {
            return Err(BanError::AlreadyBanned { target });
        }
        if self.bans.len() >= MAX_BANS {
            return Err(BanError::TooMany { max: MAX_BANS });
        }
        self.bans.insert(target, Ban { target, created: now, until });
        Ok(())
    }

    /// Lifts a ban, and forgives what the address did.
    ///
    /// # Errors
    /// It is not banned.
    pub fn unban(&mut self, target: BanTarget) -> Result<(), BanError> {
        let forgiven = self.discouraged.remove(&target).is_some();
        match self.bans.remove(&target) {
            Some(_) => Ok(()),
            None if forgiven => Ok(()),
            None => Err(BanError::NotBanned { target }),
        }
    }

    /// Lifts all bans and forgives everybody.
    pub fn clear(&mut self) {
        self.bans.clear();
        self.discouraged.clear();
    }

    /// The bans by hand that hold.
    pub fn iter(&self, now: Timestamp) -> impl Iterator<Item = &Ban> {
        self.bans.values().filter(move |ban| ban.until > now)
    }

    /// Avoids an address for a day. Loopback is the address of every node on a machine, so there only the one node is avoided, if
    /// its port is known.
    pub fn discourage(&mut self, now: Timestamp, ip: IpAddr, port: Option<u16>) {
        let target = match port {
            _ if !ip.is_loopback() => BanTarget { ip, port: None },
            Some(port) => BanTarget { ip, port: Some(port) },
            None => return,
        };
        if self.discouraged.len() >= MAX_DISCOURAGED
            && let Some(first_due) = self.discouraged.iter().min_by_key(|(_, until)| **until).map(|(target, _)| *target)
        {
            self.discouraged.remove(&first_due);
        }
        self.discouraged.insert(target, now.saturating_add_millis(DISCOURAGE_MS));
    }

    /// Why a node at this address is refused, if it is.
    pub fn refusal(&self, now: Timestamp, ip: IpAddr, port: Option<u16>) -> Option<DisconnectReason> {
        let targets = [Some(BanTarget { ip, port: None }), port.map(|port| BanTarget { ip, port: Some(port) })];
        let holds = |until: Timestamp| until > now;
        for target in targets.into_iter().flatten() {
            if self.bans.get(&target).is_some_and(|ban| holds(ban.until)) {
                return Some(DisconnectReason::Banned);
            }
            if self.discouraged.get(&target).is_some_and(|until| holds(*until)) {
                return Some(DisconnectReason::Discouraged);
            }
        }
        None
    }

    /// Whether nobody is avoided.
    pub fn is_empty(&self) -> bool {
        self.bans.is_empty() && self.discouraged.is_empty()
    }

    /// Forgets what has ended.
    pub fn expire(&mut self, now: Timestamp) {
        self.bans.retain(|_, ban| ban.until > now);
        self.discouraged.retain(|_, until| *until > now);
    }
}

#[cfg(test)]
mod tests;
