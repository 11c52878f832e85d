//! `/health`: whether the node is in step, for load balancers and scripts.

use std::io;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;
use tokio::net::TcpListener;

use crate::rpc::Context;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether the node is in step with what it knows of the network.
    pub ready: bool,
    /// The tip's height.
    pub height: Height,
    /// The tip.
    pub tip: BlockHash,
    /// Height of the best header known.
    pub headers: Height,
    /// Peers connected.
    pub peers: usize,
}

/// Answers until the node is to stop.
///
/// # Errors
/// Those of the listener.
pub async fn serve(listener: TcpListener, context: Arc<Context>) -> io::Result<()> {
    let router = Router::new().route("/health", get(health)).with_state(Arc::clone(&context));
    axum::serve(listener, router).with_graceful_shutdown(async move { context.stopping().await }).await
}

async fn health(State(context): State<Arc<Context>>) -> Result<(StatusCode, Json<Health>), StatusCode> {
    let health = context.node.call(|core, _| {
        let progress = core.node.sync_progress();
        Health {
            ready: progress.headers == progress.blocks,
            height: progress.blocks,
            tip: core.node.chain().tip().hash,
            headers: progress.headers,
            peers: progress.peers,
        }
    });
    let health = health.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let status = if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Json(health)))
}
