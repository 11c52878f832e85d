//! What is known of one address.

use serde::{Deserialize, Serialize};
use tally_wire::Services;

use super::group::Group;
use super::table::Place;
use crate::net::limits::ADDRESS_HORIZON_SECONDS;

/// An address is not given up within this time after a try: the answer may be under way.
const TRYING_SECONDS: u32 = 60;

/// A time further ahead than this is a lie.
pub(super) const CLOCK_TOLERANCE_SECONDS: u32 = 600;

/// Who never answered is given up after so many tries …
const MAX_TRIES_NEVER: u32 = 3;

/// … and who has not for a week, after so many.
const MAX_TRIES: u32 = 10;
const WEEK_SECONDS: u32 = 7 * 24 * 60 * 60;

/// Who was called so recently is called again only if there is hardly anybody else.
const RECENT_TRY_SECONDS: u32 = 600;

/// The first pause before an address is called again …
const FIRST_PAUSE_SECONDS: u32 = 5;

/// … which doubles with each call in vain, up to three minutes: whoever comes back from being offline waits no longer.
const MAX_PAUSE_DOUBLINGS: u32 = 5;

/// The likelihood of an address that nothing speaks against.
pub(super) const CERTAIN: u64 = 1 << 32;

/// What is known of an address. Times are seconds since the Unix epoch, 0 for never.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// What it is said to offer.
    pub services: Services,
    /// When it was last known to be there: a rumour, bounded.
    pub last_seen: u32,
    /// When we last called.
    pub last_try: u32,
    /// When a failure was last counted.
    pub last_counted: u32,
    /// When it last shook hands with us.
    pub last_success: u32,
    /// Calls since then.
    pub tries: u32,
    /// Those of them that count as failed.
    pub failures: u32,
    /// Who told us first.
    pub source: Group,
    /// Whether we have talked to it.
    pub tried: bool,
    /// Its places in the table of new addresses.
    #[serde(skip)]
    pub places: Vec<Place>,
}

impl Entry {
    pub fn new(services: Services, last_seen: u32, source: Group) -> Entry {
        Entry {
            services,
            last_seen,
            last_try: 0,
            last_counted: 0,
            last_success: 0,
            tries: 0,
            failures: 0,
            source,
            tried: false,
            places: Vec::new(),
        }
    }

    /// Whether the place is better given to somebody else.
    pub fn is_terrible(&self, now: u32) -> bool {
        if now.saturating_sub(self.last_try) <= TRYING_SECONDS {
            return false;
        }
        self.last_seen > now.saturating_add(CLOCK_TOLERANCE_SECONDS)
            || now.saturating_sub(self.last_seen) > ADDRESS_HORIZON_SECONDS
            || (self.last_success == 0 && self.failures >= MAX_TRIES_NEVER)
            || (now.saturating_sub(self.last_success) > WEEK_SECONDS && self.failures >= MAX_TRIES)
    }

    /// How likely it is to be taken when it is drawn, of [`CERTAIN`]: each failure costs a third.
    pub fn likelihood(&self, now: u32) -> u64 {
        let mut likelihood = CERTAIN;
        if now.saturating_sub(self.last_try) < RECENT_TRY_SECONDS {
            likelihood /= 100;
        }
        for _ in 0..self.failures.min(8) {
            likelihood = likelihood * 66 / 100;
        }
        likelihood
    }

    /// The earliest time at which it may be called again: a failing address is not hammered, however empty the book is.
    pub fn next_try(&self) -> u32 {
        if self.last_try == 0 {
            return 0;
        }
        self.last_try.saturating_add(FIRST_PAUSE_SECONDS << self.tries.min(MAX_PAUSE_DOUBLINGS))
    }
}
