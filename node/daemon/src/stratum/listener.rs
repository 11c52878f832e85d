//! Taking connections, as many as the core's limits allow.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Stratum, connection, stopping};
use crate::clock;

/// How long to wait when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Takes connections until the node is to stop, and waits for the last of them to end.
pub(super) async fn run(server: Arc<Stratum>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // Ended ones are forgotten as they end.
            Some(_) = connections.join_next() => continue,
            () = stopping(&mut stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(ticket) = server.admit(clock::now(), peer) {
                    connections.spawn(connection::run(Arc::clone(&server), stream, ticket, stop.clone()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "taking a miner's connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
