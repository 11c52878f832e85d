//! User names: who is paid, and what the worker is called.

use tally_primitives::address::Address;
use tally_primitives::hash::LockHash;
use tally_primitives::params::Params;

use crate::mining::stratum::error::UserError;
use crate::mining::stratum::limits::{MAX_USER_CHARS, MAX_WORKER_CHARS};

/// A name of at most so many characters that does not begin like an address is taken for a worker's.
const MAX_BARE_NAME: usize = 24;

/// Prefixes of the known networks' addresses: with one of them, it must be an address.
const KNOWN_PREFIXES: [&str; 3] = ["tally1", "ttally1", "dtally1"];

/// Who mines on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user name as given: every share must carry it.
    pub name: String,
    /// Who is paid.
    pub payout: Address,
    /// Whether that is the node's own address.
    pub is_own: bool,
}

impl User {
    /// Reads `ADDRESS`, `ADDRESS.WORKER`, or a bare worker's name (empty, `x`, `rig1`) whose blocks pay `own`.
    ///
    /// # Errors
    /// See [`UserError`]. What might be a mistyped address is never taken for a worker's name.
    pub fn parse(name: &str, params: &Params, own: Option<LockHash>) -> Result<User, UserError> {
        if name.len() > MAX_USER_CHARS {
            return Err(UserError::TooLong);
        }
        let (first, worker) = name.split_once('.').unwrap_or((name, ""));
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+:@/.".contains(&byte));
        if worker.len() > MAX_WORKER_CHARS || !is_plain(worker) {
            return Err(UserError::BadWorker);
        }
        let (payout, is_own) = if looks_like_an_address(first, params) {
            let address = Address::parse_for(first, params);
            (address.map_err(|error| UserError::BadAddress { reason: error.to_string() })?, false)
        } else if !is_plain(first) {
            return Err(UserError::BadWorker);
        } else {
            (Address::new(params.address_prefix.clone(), own.ok_or(UserError::NoAddress)?), true)
        };
        Ok(User { name: name.to_owned(), payout, is_own })
    }
}

fn looks_like_an_address(text: &str, params: &Params) -> bool {
    let text = text.to_ascii_lowercase();
    let own = format!("{}1", params.address_prefix);
    text.len() > MAX_BARE_NAME || text.starts_with(&own) || KNOWN_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

#[cfg(test)]
mod tests;
