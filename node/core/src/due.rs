//! When something is due, and doing it.

use tally_primitives::units::Timestamp;

use crate::event::Event;
use crate::net::limits::HOUSEKEEPING_MS;
use crate::node::{Node, Output};

impl Node {
    /// When something is due, by what is the case now.
    pub(crate) fn find_timeout(&self) -> Option<Timestamp> {
        if self.halted {
            return None;
        }
        if self.chain.activation_pending() || self.net.relay.has_ready_orphans() {
            return Some(self.now);
        }
        let common = [
            self.has_house_to_keep().then_some(self.housekeeping_at),
            self.net.peers.next_due(),
            self.net.redial.next_timeout(),
            self.net.relay.requests.next_timeout(),
            self.net.compact.next_timeout(),
        ];
        let finding = self.config.finding.is_on();
        let finding = finding.then(|| [self.net.outbound.next_timeout(), self.net.seeds.next_timeout()]);
        common.into_iter().chain(finding.into_iter().flatten()).flatten().min()
    }

    /// Does what is due at `now`.
    pub fn tick(&mut self, now: Timestamp) {
        self.begin(now);
        self.continue_activation(now);
        self.net.peers.settle();
        let due = self.net.peers.due_by(now);
        if !due.is_empty() {
            self.tick_handshakes(now, &due);
            self.tick_pings(now, &due);
            self.tick_headers(now, &due);
            self.tick_downloads(now, &due);
            self.tick_fee_filters(now, &due);
            self.tick_gossip(now, &due);
        }
        self.tick_compact(now);
        self.tick_relay(now);
        self.tick_outbound(now);
        for address in self.net.redial.due(now, &mut self.net.random) {
            self.output(Output::Dial { address });
        }
        if self.housekeeping_at <= now {
            self.housekeeping_at = now.saturating_add_millis(HOUSEKEEPING_MS);
            self.keep_house(now);
        }
        self.finish(now);
    }

    /// Whether anything is there that grows old.
    fn has_house_to_keep(&self) -> bool {
        !self.mempool.is_at_rest()
            || self.net.relay.orphans.len() > 0
            || !self.net.bans.is_empty()
            || self.chain.has_unflushed()
    }

    fn keep_house(&mut self, now: Timestamp) {
        for (txid, reason) in self.mempool.expire(now) {
            self.emit(Event::TransactionRemoved { txid, reason });
        }
        self.hurry_fee_filters(now);
        self.net.relay.orphans.expire(now);
        self.net.bans.expire(now);
        self.chain.flush();
    }
}
