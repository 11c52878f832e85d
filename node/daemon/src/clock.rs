//! The wall clock: the one place of the daemon that reads it for the node.

use std::time::{SystemTime, UNIX_EPOCH};

use tally_primitives::units::Timestamp;

/// Now. A clock before 1970 reads as 1970.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
