//! Taking and making connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tally_node_core::net::peer::Direction;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::time::{sleep, timeout};

use super::{DIAL_TIMEOUT, PeerEvent, Transport, connection};
use crate::error::CommandError;

/// Connections that wait to be taken.
const BACKLOG: u32 = 256;

/// How long looking up a name may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Addresses taken of one answer.
const MAX_SEED_ADDRESSES: usize = 256;

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Opens a listening socket.
///
/// # Errors
/// If the address is taken or not ours; `option` is named in the hint.
pub fn bind(address: SocketAddr, option: &str) -> Result<TcpListener, CommandError> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A node that was stopped a moment ago leaves connections behind that must not block its successor.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|error: io::Error| {
        let hint = format!("another program may use it; give another address with {option}");
        CommandError::failure(format!("cannot listen on {address}: {error}")).with_hint(hint)
    })
}

/// Takes connections for ever.
pub async fn listen(transport: Transport, listener: TcpListener) {
    loop {
        // Beyond the limit connections wait in the system's queue.
        let Ok(slot) = Arc::clone(&transport.inbound).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, address)) => {
                tokio::spawn(connection::start(transport.clone(), stream, address, Direction::Inbound, Some(slot)));
            }
            Err(error) => {
                tracing::warn!(%error, "taking a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Looks up the names of seeds; each answer, also an empty one, goes to the inbox.
pub async fn resolve_seeds(transport: Transport, names: Vec<String>) {
    for name in names {
        let with_port = with_default_port(&name, transport.config.default_port);
        let addresses = match timeout(RESOLVE_TIMEOUT, lookup_host(&with_port)).await {
            Ok(Ok(found)) => found.take(MAX_SEED_ADDRESSES).collect(),
            Ok(Err(error)) => {
                tracing::warn!(seed = name, %error, "a seed is not found");
                Vec::new()
            }
            Err(_) => {
                tracing::warn!(seed = name, "a seed is not found in time");
                Vec::new()
            }
        };
        tracing::debug!(seed = name, addresses = addresses.len(), "seed");
        if transport.inbox.send(PeerEvent::Seed { name, addresses }).await.is_err() {
            return;
        }
    }
}

/// `host:port`, with this port if `text` names none.
pub(super) fn with_default_port(text: &str, port: u16) -> String {
    let is_bare_ipv6 = text.parse::<std::net::Ipv6Addr>().is_ok();
    let has_port = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match (is_bare_ipv6, has_port) {
        (true, _) => format!("[{text}]:{port}"),
        (false, true) => text.to_owned(),
        (false, false) => format!("{text}:{port}"),
    }
}

/// Makes a connection; success or failure goes to the inbox.
pub async fn dial(transport: Transport, address: SocketAddr) {
    let failure = match timeout(DIAL_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            connection::start(transport, stream, address, Direction::Outbound, None).await;
            return;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".to_owned(),
    };
    tracing::debug!(%address, reason = failure, "cannot connect");
    let _ = transport.inbox.send(PeerEvent::DialFailed { address }).await;
}
