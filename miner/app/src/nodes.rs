//! Several nodes, asked in turn: the first that answers is used until it fails.

use crate::error::MinerError;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tally_primitives::address::Address;
use tally_rpc::address::AddressValidity;
use tally_rpc::client::{Auth, Client};

/// The nodes of a miner.
#[derive(Debug)]
pub struct Nodes {
    clients: Vec<Client>,
    current: AtomicUsize,
}

/// How the miner proves to nodes that it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// Cookie files: none, one for all nodes, or one for each.
    Cookies(Vec<PathBuf>),
    /// A user that the nodes were configured with.
    User {
        /// Name.
        name: String,
        /// Password.
        password: String,
    },
}

impl Nodes {
    /// Nodes at these URLs, the preferred first. Nothing is opened yet.
    ///
    /// # Errors
    /// A URL that cannot be one, or cookies that cannot be paired with the nodes.
    pub fn new(urls: &[String], credentials: &Credentials) -> Result<Nodes, MinerError> {
        let mut clients = Vec::with_capacity(urls.len());
        for (index, url) in urls.iter().enumerate() {
            check_url(url)?;
            clients.push(Client::new(url.trim_end_matches('/'), auth(credentials, index, urls.len())?));
        }
        Ok(Nodes { clients, current: AtomicUsize::new(0) })
    }

    /// The node in use, with its number.
    #[must_use]
    pub fn current(&self) -> (usize, &Client) {
        let index = self.current.load(Ordering::Relaxed);
        (index, &self.clients[index])
    }

    /// The node after `failed` is in use from now on, unless another thread has moved on already.
    /// True when that is the first again: all have been tried, and a pause is due.
    pub fn move_on(&self, failed: usize) -> bool {
        let next = (failed + 1) % self.clients.len();
        let moved = self.current.compare_exchange(failed, next, Ordering::Relaxed, Ordering::Relaxed);
        moved.map_or_else(|now| now == 0, |_| next == 0)
    }

    /// The number of nodes.
    #[must_use]
    pub fn count(&self) -> usize {
        self.clients.len()
    }
}

/// Whether a node takes this address as one of its network.
///
/// # Errors
/// [`MinerError::AddressRefused`] when it does not, [`MinerError::Node`] when it cannot be asked.
pub fn check_address(client: &Client, address: &Address) -> Result<(), MinerError> {
    let validity: AddressValidity = client.call("validateaddress", vec![address.to_string().into()])?;
    if validity.isvalid {
        return Ok(());
    }
    Err(MinerError::AddressRefused {
        url: client.url().to_owned(),
        address: address.to_string(),
        reason: validity.error.unwrap_or_else(|| "it is not valid there".to_owned()),
    })
}

fn auth(credentials: &Credentials, index: usize, nodes: usize) -> Result<Auth, MinerError> {
    match credentials {
        Credentials::User { name, password } => Ok(Auth::UserPass { user: name.clone(), password: password.clone() }),
        Credentials::Cookies(cookies) => match cookies.as_slice() {
            [] => Ok(Auth::None),
            [one] => Ok(Auth::CookieFile(one.clone())),
            several if several.len() == nodes => Ok(Auth::CookieFile(several[index].clone())),
            several => Err(MinerError::CookieCount { cookies: several.len(), nodes }),
        },
    }
}

/// A node's URL is `http://host:port` or `host:port`.
fn check_url(url: &str) -> Result<(), MinerError> {
    let rest = match url.split_once("://") {
        Some(("http", rest)) => Ok(rest),
        Some(_) => Err("nodes speak http"),
        None => Ok(url),
    };
    let parts = rest.and_then(|rest| host_and_port(rest.trim_end_matches('/')));
    parts.map(drop).map_err(|reason| MinerError::BadUrl { url: url.to_owned(), reason })
}

/// The parts of `host:port`; an IPv6 address stands in brackets.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn host_and_port(text: &str) -> Result<(&str, u16), &'static str> {
    let (host, port) = text.rsplit_once(':').ok_or("the port is missing")?;
    let port = port.parse::<u16>().ok().filter(|port| *port != 0);
    let port = port.ok_or("the port must be a number from 1 to 65535")?;
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_host) {
        return Err("the host is missing or no host");
    }
    Ok((host, port))
}

/// Pauses between attempts: short at first, doubling up to ten seconds.
#[derive(Clone, Copy, Debug)]
pub struct BackOff {
    next: Duration,
}

impl BackOff {
    const FIRST: Duration = Duration::from_millis(250);
    const LONGEST: Duration = Duration::from_secs(10);

    /// No attempt has failed.
    #[must_use]
    pub fn new() -> BackOff {
        BackOff { next: BackOff::FIRST }
    }

    /// How long to pause after another failure.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(BackOff::LONGEST);
        pause
    }
}

impl Default for BackOff {
    fn default() -> BackOff {
        BackOff::new()
    }
}

#[cfg(test)]
mod tests;
