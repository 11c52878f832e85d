//! The wallet's payments, seen from its owner.

use core::cmp::Ordering;
use core::fmt;

use serde::{Deserialize, Serialize, Serializer};
use tally_primitives::hash::Txid;
use tally_primitives::units::{Amount, Height};
use tally_rpc::address::AddressTransaction;

/// What a transaction added to the wallet, or took from it. In JSON a signed number of notches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    received: Amount,
    spent: Amount,
}

impl Net {
    /// Received and spent in one transaction.
    pub fn new(received: Amount, spent: Amount) -> Net {
        Net { received, spent }
    }

    /// The difference in notches.
    pub fn to_notches(self) -> i128 {
        i128::from(self.received.to_notches()) - i128::from(self.spent.to_notches())
    }
}

impl fmt::Display for Net {
    /// TALLY with a sign: `+12.50000000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.received.checked_sub(self.spent) {
            Some(gain) => format!("+{gain}"),
            None => format!("-{}", self.spent.checked_sub(self.received).unwrap_or_default()),
        };
        f.pad(&text)
    }
}

impl Serialize for Net {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i128(self.to_notches())
    }
}

/// One transaction of the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its id.
    pub txid: Txid,
    /// The block's height; `None` while it waits in the mempool.
    pub height: Option<Height>,
    /// The block's time, or when the node first saw it; seconds since the Unix epoch.
    pub time: UnixTime,
    /// What it added or took, its fee included.
    pub net: Net,
    /// The fee that this wallet paid: zero for payments from others.
    pub fee: Amount,
    /// Blocks on top of it, its own counted; 0 in the mempool.
    pub confirmations: u32,
}

impl Entry {
    /// Waiting transactions first, then the highest block.
    pub fn newest_first(a: &Entry, b: &Entry) -> Ordering {
        let height = |entry: &Entry| entry.height.unwrap_or(Height::new(u32::MAX));
        height(b).cmp(&height(a)).then(b.time.cmp(&a.time)).then(a.txid.cmp(&b.txid))
    }
}

impl From<AddressTransaction> for Entry {
    fn from(transaction: AddressTransaction) -> Entry {
        let is_ours = transaction.spent > Amount::ZERO;
        Entry {
            txid: transaction.txid,
            height: transaction.height,
            time: UnixTime(transaction.time),
            net: Net::new(transaction.received, transaction.spent),
            fee: if is_ours { transaction.fee } else { Amount::ZERO },
            confirmations: transaction.confirmations,
        }
    }
}

/// Seconds since the Unix epoch; shown in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(pub u32);

impl fmt::Display for UnixTime {
    /// `2026-11-21 03:46:49`, in UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0 / 86_400, self.0 % 86_400);
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        f.pad(&format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"))
    }
}

/// The date so many days after 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn civil_from_days(days: u32) -> (u32, u32, u32) {
    // Years counted from March, so that the leap day comes last; 719,468 days from 0000-03-01 to 1970-01-01.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u32::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
