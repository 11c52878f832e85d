//! Whom to call, and who has to leave a tried place.

use std::net::SocketAddr;

use tally_primitives::units::Timestamp;

use super::AddressBook;
use super::entry::{CERTAIN, Entry};
use crate::net::limits::{CONTEST_PATIENCE_SECONDS, CONTEST_SUCCESS_SECONDS, MAX_CONTESTS};

/// Draws before nobody is found: an empty book with one bad address must not cost a second.
const MAX_DRAWS: u32 = 200;

/// How long a call may take before it has failed, in seconds.
const CALL_SECONDS: u32 = 60;

/// Somebody who has shaken hands with us wants the tried place of somebody else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contest {
    challenger: SocketAddr,
    since: u32,
}

impl AddressBook {
    /// Somebody to call whom `suits` does not refuse: from either table with the same likelihood, the more likely the better it did before.
    pub(crate) fn choose(
        &mut self,
        now: Timestamp,
        only_new: bool,
        suits: impl Fn(SocketAddr, &Entry) -> bool,
    ) -> Option<SocketAddr> {
        let now = now.as_seconds();
        let mut ease = CERTAIN;
        for _ in 0..MAX_DRAWS {
            let from_tried = !only_new && self.tried.len() > 0 && (self.new.len() == 0 || self.random.chance(1, 2));
            let table = if from_tried { &self.tried } else { &self.new };
            let address = table.random(&mut self.random)?;
            let Some(entry) = self.entries.get(&address) else {
                continue;
            };
            if entry.next_try() > now || !suits(address, entry) {
                continue;
            }
            let likelihood = u128::from(entry.likelihood(now)) * u128::from(ease);
            if u128::from(self.random.below(CERTAIN)) * u128::from(CERTAIN) < likelihood {
                return Some(address);
            }
            ease = ease.saturating_mul(6) / 5;
        }
        None
    }

    /// An address wants a tried place that is taken. With too many such waiting, this one tries again when it is next called.
    pub(super) fn contest(&mut self, challenger: SocketAddr, now: u32) {
        let waits = self.contests.iter().any(|contest| contest.challenger == challenger);
        if !waits && self.contests.len() < MAX_CONTESTS {
            self.contests.push(Contest { challenger, since: now });
        }
    }

    /// Holders of contested places whom a call should test.
    pub(crate) fn contested(&mut self, now: Timestamp) -> Option<SocketAddr> {
        let now = now.as_seconds();
        let contest = *self.contests.get(self.random.index(self.contests.len()))?;
        let holder = self.tried.get(self.tried_place(contest.challenger))?;
        self.entries.get(&holder).filter(|entry| entry.next_try() <= now).map(|_| holder)
    }

    /// Decides the contests that can be decided.
    pub(crate) fn decide_contests(&mut self, now: Timestamp) {
        let now = now.as_seconds();
        for contest in std::mem::take(&mut self.contests) {
            match self.verdict(&contest, now) {
                Verdict::Over => {}
                Verdict::ChallengerWins => self.promote(contest.challenger),
                Verdict::Open => self.contests.push(contest),
            }
        }
    }

    fn verdict(&self, contest: &Contest, now: u32) -> Verdict {
        match self.entries.get(&contest.challenger) {
            Some(entry) if !entry.tried => {}
            _ => return Verdict::Over,
        }
        let holder = self.tried.get(self.tried_place(contest.challenger));
        let Some(entry) = holder.and_then(|holder| self.entries.get(&holder)) else {
            return Verdict::ChallengerWins;
        };
        if now.saturating_sub(entry.last_success) < CONTEST_SUCCESS_SECONDS {
            return Verdict::Over;
        }
        let tried_lately = now.saturating_sub(entry.last_try) < CONTEST_SUCCESS_SECONDS;
        let failed = tried_lately && now.saturating_sub(entry.last_try) > CALL_SECONDS;
        if failed || now.saturating_sub(contest.since) > CONTEST_PATIENCE_SECONDS {
            return Verdict::ChallengerWins;
        }
        Verdict::Open
    }
}

enum Verdict {
    Over,
    ChallengerWins,
    Open,
}
