//! Peers that the operator asked for: called, and called again with growing pauses.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tally_primitives::units::Timestamp;

use crate::net::limits::{DIAL_TIMEOUT_MS, MAX_MANUAL_PEERS, MAX_REDIAL_MS, MIN_REDIAL_MS, STABLE_CONNECTION_MS};
use crate::random::Random;

/// Why a manual peer was not added or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManualPeerError {
    /// It is there.
    #[error("{address} is added already")]
    AlreadyAdded {
        /// Which.
        address: SocketAddr,
    },
    /// It is not there.
    #[error("{address} was not added")]
    NotAdded {
        /// Which.
        address: SocketAddr,
    },
    /// It is our own.
    #[error("{address} is this node itself")]
    Own {
        /// Which.
        address: SocketAddr,
    },
    /// No room.
    #[error("there are {max} such peers, and that is as many as are kept")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be called at this time.
    Waiting { until: Timestamp },
    /// The driver was told to call at this time.
    Dialling { since: Timestamp },
    /// Connected at this time; the handshake may be done.
    Connected { since: Timestamp, ready: bool },
}

#[derive(Clone, Copy, Debug)]
struct Manual {
    state: State,
    /// Failures in a row.
    failures: u32,
}

/// What is known about the peers that the operator asked for.
#[derive(Debug, Default)]
pub struct Redial {
    manual: BTreeMap<SocketAddr, Manual>,
    /// When something is to be done, at the earliest: asked for after every message.
    next: Option<Timestamp>,
    /// Addresses at which we met ourselves.
    own: Vec<SocketAddr>,
}

impl Redial {
    /// Adds a peer; it is called with the next [`Redial::due`].
    ///
    /// # Errors
    /// It is there, it is ourselves, or there is no room.
    pub fn add(&mut self, address: SocketAddr, now: Timestamp, connected: bool) -> Result<(), ManualPeerError> {
        if self.own.contains(&address) {
            return Err(ManualPeerError::Own { address });
        }
        if self.manual.contains_key(&address) {
            return Err(ManualPeerError::AlreadyAdded { address });
        }
        if self.manual.len() >= MAX_MANUAL_PEERS {
            return Err(ManualPeerError::TooMany { max: MAX_MANUAL_PEERS });
        }
        let state =
            if connected { State::Connected { since: now, ready: true } } else { State::Waiting { until: now } };
        self.manual.insert(address, Manual { state, failures: 0 });
        self.look_again();
        Ok(())
    }

    /// Removes a peer; a connection to it is the caller's to end.
    ///
    /// # Errors
    /// It is not there.
    pub fn remove(&mut self, address: SocketAddr) -> Result<(), ManualPeerError> {
        let removed = self.manual.remove(&address).map(|_| ()).ok_or(ManualPeerError::NotAdded { address });
        self.look_again();
        removed
    }

    /// Whether the operator asked for this peer.
    pub fn contains(&self, address: SocketAddr) -> bool {
        self.manual.contains_key(&address)
    }

    /// The peers that the operator asked for, and whether they are connected.
    pub fn iter(&self) -> impl Iterator<Item = (SocketAddr, bool)> {
        self.manual
            .iter()
            .map(|(address, manual)| (*address, matches!(manual.state, State::Connected { ready: true, .. })))
    }

    /// The address is our own: never called again.
    pub(crate) fn forget_own(&mut self, address: SocketAddr) {
        self.manual.remove(&address);
        self.look_again();
        if !self.own.contains(&address) && self.own.len() < MAX_MANUAL_PEERS {
            self.own.push(address);
        }
    }

    /// Whom to call now. The driver answers each with a connection or a failure.
    pub(crate) fn due(&mut self, now: Timestamp, random: &mut Random) -> Vec<SocketAddr> {
        let mut due = Vec::new();
        if self.next.is_none_or(|next| next > now) {
            return due;
        }
        for (address, manual) in &mut self.manual {
            if let State::Dialling { since } = manual.state
                && now.millis_since(since) >= DIAL_TIMEOUT_MS
            {
                manual.fail(now, random);
            }
            if let State::Waiting { until } = manual.state
                && until <= now
            {
                manual.state = State::Dialling { since: now };
                due.push(*address);
            }
        }
        self.look_again();
        due
    }

    /// When [`Redial::due`] has something to do.
    pub(crate) fn next_timeout(&self) -> Option<Timestamp> {
        self.next
    }

    fn look_again(&mut self) {
        let time = |manual: &Manual| match manual.state {
            State::Waiting { until } => Some(until),
            State::Dialling { since } => Some(since.saturating_add_millis(DIAL_TIMEOUT_MS)),
            State::Connected { .. } => None,
        };
        self.next = self.manual.values().filter_map(time).min();
    }

    /// A call went through.
    pub(crate) fn connected(&mut self, address: SocketAddr, now: Timestamp) {
        if let Some(manual) = self.manual.get_mut(&address) {
            manual.state = State::Connected { since: now, ready: false };
            self.look_again();
        }
    }

    /// The handshake with it is done.
    pub(crate) fn shook_hands(&mut self, address: SocketAddr) {
        if let Some(Manual { state: State::Connected { ready, .. }, .. }) = self.manual.get_mut(&address) {
            *ready = true;
        }
    }

    /// A call failed.
    pub(crate) fn dial_failed(&mut self, address: SocketAddr, now: Timestamp, random: &mut Random) {
        if let Some(manual) = self.manual.get_mut(&address)
            && matches!(manual.state, State::Dialling { .. })
        {
            manual.fail(now, random);
            self.look_again();
        }
    }

    /// The connection ended.
    pub(crate) fn lost(&mut self, address: SocketAddr, now: Timestamp, random: &mut Random) {
        if let Some(manual) = self.manual.get_mut(&address) {
            if let State::Connected { since, ready: true } = manual.state
                && now.millis_since(since) >= STABLE_CONNECTION_MS
            {
                manual.failures = 0;
            }
            manual.fail(now, random);
            self.look_again();
        }
    }
}

impl Manual {
    /// The pause doubles with each failure, and is spread by a quarter so that nodes that lost the same peer do not all call at once.
    fn fail(&mut self, now: Timestamp, random: &mut Random) {
        let pause = MIN_REDIAL_MS.saturating_mul(1 << self.failures.min(20)).min(MAX_REDIAL_MS);
        let pause = random.between(pause - pause / 4, pause + pause / 4);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Waiting { until: now.saturating_add_millis(pause) };
    }
}

#[cfg(test)]
mod tests;
