//! Runs a synchronisation against nodes.

use super::{Answer, Request, Scope, Snapshot, Sync, SyncError};
use crate::keys::{Account, Addresses};
use crate::nodes::{Nodes, NodesError};
use crate::state::State;

/// Why a synchronisation failed.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// No node answered, or not as it should.
    #[error(transparent)]
    Nodes(#[from] NodesError),
    /// The answers make no sense.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

/// Synchronises to the end.
///
/// # Errors
/// See [`DriveError`].
pub fn run(
    account: &Account,
    addresses: &mut Addresses,
    state: State,
    scope: Scope,
    nodes: &mut Nodes,
) -> Result<Snapshot, DriveError> {
    let mut sync = Sync::new(account, addresses, state, scope);
    while let Some(request) = sync.poll_request()? {
        let answer = match &request {
            Request::History(addresses) => Answer::History(nodes.ask(|node| node.address_history(addresses))?),
            Request::Coins(addresses) => Answer::Coins(nodes.ask(|node| node.address_utxos(addresses))?),
        };
        sync.handle_answer(answer)?;
    }
    Ok(sync.finish())
}
