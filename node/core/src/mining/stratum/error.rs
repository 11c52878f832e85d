//! Why a request is refused, with the codes that Stratum's miners know, and why a connection is ended.

use serde_json::{Value, json};

use crate::mining::stratum::limits::{AUTHORIZE_TIMEOUT_MS, IDLE_TIMEOUT_MS, MAX_LINE_BYTES, MAX_USER_CHARS};

/// Why a request is refused. The codes 20 to 25 are those of the first Stratum pool, which everybody has kept; the others are
/// JSON-RPC's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The line is not JSON.
    #[error("the line is not JSON")]
    NotJson,
    /// The line is JSON and no request.
    #[error("the line is no request: {reason}")]
    NoRequest {
        /// What is missing or wrong.
        reason: &'static str,
    },
    /// A method that this server does not have.
    #[error("there is no method {method:?}")]
    UnknownMethod {
        /// Its name, cut short.
        method: String,
    },
    /// A parameter that makes no sense.
    #[error("{what}")]
    BadParameter {
        /// Which, and what is wrong with it.
        what: String,
    },
    /// The share is for a job that has been replaced, or that never was.
    #[error("job not found: it has been replaced")]
    StaleJob,
    /// The share is for a job that this connection was never given.
    #[error("job not found: it was never given")]
    UnknownJob,
    /// The share came before.
    #[error("duplicate share")]
    Duplicate,
    /// The share's hash is above its target.
    #[error("low difficulty share: its hash is above the target of difficulty {difficulty}")]
    LowDifficulty {
        /// What was asked for.
        difficulty: f64,
    },
    /// The connection has not been authorized, or under another user name.
    #[error("unauthorized worker: {reason}")]
    Unauthorized {
        /// Why.
        reason: String,
    },
    /// The connection has not subscribed.
    #[error("not subscribed")]
    NotSubscribed,
}

impl Refusal {
    /// A parameter that makes no sense.
    pub fn bad(what: impl Into<String>) -> Refusal {
        Refusal::BadParameter { what: what.into() }
    }

    /// The code.
    pub fn code(&self) -> i32 {
        match self {
            Refusal::NotJson => -32700,
            Refusal::NoRequest { .. } => -32600,
            Refusal::UnknownMethod { .. } => -32601,
            Refusal::BadParameter { .. } => 20,
            Refusal::StaleJob | Refusal::UnknownJob => 21,
            Refusal::Duplicate => 22,
            Refusal::LowDifficulty { .. } => 23,
            Refusal::Unauthorized { .. } => 24,
            Refusal::NotSubscribed => 25,
        }
    }

    /// Whether an honest miner may send such a thing: it is too late for a tip, or asks for more than there is.
    pub fn is_harmless(&self) -> bool {
        matches!(self, Refusal::StaleJob | Refusal::UnknownMethod { .. })
    }

    /// As it stands in an answer: code, text, and nothing.
    pub fn to_json(&self) -> Value {
        json!([self.code(), self.to_string(), null])
    }
}

/// Why a user name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// Longer than any address with a worker's name.
    #[error("the user name has more than {MAX_USER_CHARS} characters")]
    TooLong,
    /// The worker's name has characters that no log should show.
    #[error("the worker's name must be letters, digits and -_+:@/ ")]
    BadWorker,
    /// No address, and the node has none of its own.
    #[error(
        "the user name must be an address of this network (ADDRESS or ADDRESS.WORKER): this node has none of its own to pay to"
    )]
    NoAddress,
    /// It looks like an address and is none of this network.
    #[error("{reason}")]
    BadAddress {
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisconnectReason {
    /// A line without end.
    #[error("a line of more than {MAX_LINE_BYTES} bytes")]
    LineTooLong,
    /// More requests than anybody needs.
    #[error("too many requests")]
    TooManyRequests,
    /// Too many of them bad.
    #[error("too many bad shares or requests")]
    TooManyBad,
    /// It did not subscribe and authorize.
    #[error("not authorized within {} s", AUTHORIZE_TIMEOUT_MS / 1_000)]
    NotAuthorized,
    /// Nothing came from it.
    #[error("nothing came for {} s", IDLE_TIMEOUT_MS / 1_000)]
    Idle,
    /// It does not read what it is sent.
    #[error("it does not read what it is sent")]
    SlowReader,
    /// It hung up, or the network did.
    #[error("it hung up")]
    Gone,
    /// The node stops.
    #[error("the node stops")]
    Stopping,
}

impl DisconnectReason {
    /// Whether its address is to be refused for a while.
    pub fn is_abuse(self) -> bool {
        matches!(self, Self::LineTooLong | Self::TooManyRequests | Self::TooManyBad)
    }
}
