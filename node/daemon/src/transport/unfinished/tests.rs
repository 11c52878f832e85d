//! Who is cut off when many begin and nobody ends.

use std::sync::Arc;

use tally_node_core::net::peer::PeerId;
use tokio::sync::Notify;
use tokio::time::{Duration, timeout};

use super::{SHORT_BYTES, Unfinished};

const MEGABYTE: usize = 1 << 20;

async fn is_cut_off(notify: &Notify) -> bool {
    timeout(Duration::ZERO, notify.notified()).await.is_ok()
}

#[tokio::test]
async fn whoever_began_first_leaves_and_whoever_ends_stays() {
    let unfinished = Unfinished::new(4 * MEGABYTE);
    let peers: Vec<Arc<Notify>> = (0..6).map(|_| Arc::default()).collect();
    let note = |peer: usize, bytes| unfinished.note(PeerId(peer as u64), bytes, &peers[peer]);
    for peer in 0..4 {
        note(peer, SHORT_BYTES + 1);
    }
    // The first one ends its message, and begins another.
    note(0, 0);
    note(0, MEGABYTE);
    for peer in [1, 2, 3] {
        note(peer, MEGABYTE);
        assert!(!is_cut_off(&peers[peer]).await);
    }
    note(4, MEGABYTE);
    assert!(is_cut_off(&peers[1]).await, "it began first of those who have not ended");
    for peer in [0, 2, 3, 4] {
        assert!(!is_cut_off(&peers[peer]).await, "{peer}");
    }
    unfinished.gone(PeerId(2));
    note(5, MEGABYTE);
    assert!(!is_cut_off(&peers[3]).await, "there was room again");
    note(5, 9 * MEGABYTE);
    assert!(is_cut_off(&peers[5]).await, "even alone it may not have more");
    assert_eq!(unfinished.messages.lock().unwrap().bytes, 0);
}
