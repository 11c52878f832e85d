//! Who may ask: the one who knows the cookie or the password, and who is no web page.
//!
//! A page in a browser can send requests to this machine, and with a name of its own that leads here (DNS rebinding)
//! it could even read answers. So a request with an `Origin` is refused, and so is one whose `Host` is neither an
//! address, nor localhost, nor a name that the owner allowed.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode, header};
use tally_primitives::hash::sha256;
use tally_rpc::auth;

/// What a request must bring.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The hash of the one `Authorization` that is let in.
    expected: [u8; 32],
    allowed_hosts: Vec<String>,
}

/// Why a request is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A web page sent it, or it came by a name that is not ours.
    Foreign,
    /// No cookie or password, or a wrong one.
    Unauthorized,
}

impl Refusal {
    /// The status that says so.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Foreign => StatusCode::FORBIDDEN,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
        }
    }
}

impl Guard {
    /// Lets `user_password` in, by addresses, localhost and `allowed_hosts`.
    pub fn new(user_password: &str, allowed_hosts: &[String]) -> Self {
        Self {
            expected: sha256(auth::basic(user_password).as_bytes()),
            allowed_hosts: allowed_hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
        }
    }

    /// Judges a request by its headers.
    ///
    /// # Errors
    /// Why it is turned away.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if headers.contains_key(header::ORIGIN) || !host.is_some_and(|host| self.is_our_name(host)) {
            return Err(Refusal::Foreign);
        }
        let given = headers.get(header::AUTHORIZATION).map(|value| sha256(value.as_bytes()));
        // Hashes are compared, so that the time it takes tells nothing of the secret.
        if given == Some(self.expected) { Ok(()) } else { Err(Refusal::Unauthorized) }
    }

    fn is_our_name(&self, host: &str) -> bool {
        let name = without_port(host).to_ascii_lowercase();
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok() || name == "localhost" || self.allowed_hosts.contains(&name)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests;
