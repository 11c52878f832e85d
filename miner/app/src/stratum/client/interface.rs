//! What a client is told at the beginning, and what it wants done.

use crate::source::{Offer, Submission};
use std::time::Duration;

/// Who we are, and how we speak to this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The server's host, for `client.reconnect`.
    pub host: String,
    /// The worker.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Only what every server knows: no `mining.configure`, no `mining.extranonce.subscribe`. Some servers hang up on those.
    pub is_plain: bool,
}

/// What a client wants done.
#[derive(Debug)]
pub enum Output {
    /// Send this, line break included.
    Line(String),
    /// The server has let us in.
    Ready,
    /// Hash this from now on.
    Work(Offer),
    /// A share was answered.
    Answered(Submission),
    /// Tell people.
    Notice(String),
    /// The connection is over, with nothing more to come.
    Over(Ending),
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The server does not let this user in.
    Refused {
        /// Its reason.
        reason: String,
    },
    /// It is of no use.
    Broken {
        /// Why.
        reason: String,
    },
    /// The server wants us to come again.
    Reconnect {
        /// At another port of the same host.
        port: Option<u16>,
        /// After this pause.
        wait: Duration,
    },
}
