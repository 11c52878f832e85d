//! New work for all connections: at once when the tip has changed, after a moment when there is more to earn, and now and then
//! so that its time does not fall behind.

use std::sync::Arc;
use std::time::Duration;

use tally_node_core::mining::BlockTemplate;
use tally_node_core::mining::stratum::Work;
use tally_node_core::mining::stratum::limits::{FEES_PAUSE_MS, REFRESH_MS};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{Stratum, stopping};
use crate::driver::Stopped;

/// Feeds the server until the node stops.
pub(super) async fn run(server: Arc<Stratum>, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        // An end of the node ends this too.
        _ = feed(&server) => {}
        () = stopping(&mut stop) => {}
    }
}

async fn feed(server: &Stratum) -> Result<(), Stopped> {
    let mut stamps = server.node.work();
    let mut refresh_at = Instant::now();
    loop {
        let stamp = *stamps.borrow_and_update();
        let template = template(server).await?;
        let is_due = refresh_at <= Instant::now();
        if is_due || is_better(server, template.as_ref()) {
            server.work.send_replace(template.map(|template| Arc::new(Work::new(template))));
            refresh_at = Instant::now() + Duration::from_millis(REFRESH_MS);
        }
        let fees_at = Instant::now() + Duration::from_millis(FEES_PAUSE_MS);
        let mut look_at = refresh_at;
        loop {
            tokio::select! {
                changed = stamps.changed() => {
                    changed.map_err(|_| Stopped)?;
                    if stamps.borrow_and_update().tip != stamp.tip {
                        break;
                    }
                    look_at = look_at.min(fees_at);
                }
                () = sleep_until(look_at) => break,
            }
        }
    }
}

/// A block on an old tip would be in vain: no work while the node catches up.
async fn template(server: &Stratum) -> Result<Option<BlockTemplate>, Stopped> {
    let call = server.node.call(|core, now| (!core.node.chain().is_syncing()).then(|| core.node.template(now)));
    call.await
}

/// Whether miners should leave what they do for this: another tip, or more to earn.
fn is_better(server: &Stratum, template: Option<&BlockTemplate>) -> bool {
    let work = server.work.borrow();
    match (work.as_ref(), template) {
        (Some(work), Some(new)) => {
            let old = work.template();
            old.prev_block != new.prev_block || old.coinbase_value < new.coinbase_value
        }
        (None, None) => false,
        _ => true,
    }
}
