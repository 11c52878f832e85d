//! Taking and making connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tally_node_core::net::peer::Direction;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::{DIAL_TIMEOUT, PeerEvent, Transport, connection};
use crate::error::CommandError;

/// Connections that wait to be taken.
const BACKLOG: u32 = 256;

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
