//! Where a Stratum server listens.

use crate::error::MinerError;
use crate::nodes::host_and_port;
use std::fmt;
use std::str::FromStr;

/// A server's host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    host: String,
    /// TCP.
    port: u16,
}

impl Endpoint {
    /// The host as it was written.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host as the resolver wants it: without brackets.
    #[must_use]
    pub fn resolvable(&self) -> (&str, u16) {
        (self.host.trim_start_matches('[').trim_end_matches(']'), self.port)
    }

    /// The same host at another port.
    #[must_use]
    pub fn at_port(&self, port: u16) -> Endpoint {
        Endpoint { host: self.host.clone(), port }
    }
}

impl FromStr for Endpoint {
    type Err = MinerError;

    /// Reads `host:port` or `stratum+tcp://host:port`.
    fn from_str(text: &str) -> Result<Endpoint, MinerError> {
        let rest = match text.split_once("://") {
            Some(("stratum+tcp" | "stratum" | "tcp", rest)) => Ok(rest),
            Some(_) => Err("only stratum+tcp is spoken"),
            None => Ok(text),
        };
        let parts = rest.and_then(|rest| match rest.trim_end_matches('/') {
            with_user if with_user.contains('@') => Err("the user belongs into --user"),
            rest => host_and_port(rest),
        });
        let (host, port) = parts.map_err(|reason| MinerError::BadServer { server: text.to_owned(), reason })?;
        let is_ipv6 = host.starts_with('[') && host.ends_with(']');
        if !is_ipv6 && host.contains([':', '[', ']']) {
            let reason = "an IPv6 address stands in brackets";
            return Err(MinerError::BadServer { server: text.to_owned(), reason });
        }
        Ok(Endpoint { host: host.to_owned(), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "stratum+tcp://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests;
