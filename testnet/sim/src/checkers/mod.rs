//! What must hold. Nothing here knows how the node works inside: it looks at results. Hostile hosts may end as they like.
//!
//! | file | what |
//! |---|---|
//! | here | work and supply at every step; agreement, stores and mempools once all is quiet |
//! | [`bounds`] | memory and traffic |

pub mod bounds;

use std::collections::BTreeSet;

use tally_consensus::subsidy::subsidy;
use tally_node_core::chain::store::{CoinSetHash, CoinStats};
use tally_node_core::net::disconnect::DisconnectReason;
use tally_node_core::net::peer::PeerId;
use tally_node_core::node::Node;
use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::units::{Amount, Height};

use crate::host::Host;
use crate::network::connection::connection_of;
use crate::world::World;

/// After everything that a node did: its chain's work has not decreased, and its supply is what the rules give.
pub(crate) fn check_host(world: &mut World, host: usize) {
    let Some(node) = world.hosts[host].node.as_ref() else {
        return;
    };
    let tip = node.chain().tip();
    if tip.work == world.hosts[host].work {
        return;
    }
    let mut found = Vec::new();
    if tip.work < world.hosts[host].work {
        found.push(format!("host {host}: the work of its chain decreased at height {}", tip.height));
    }
    let stats = node.chain().coin_stats();
    let supply = world.supply.at(&world.params, tip.height);
    if Some(stats.total) != supply {
        found.push(format!("host {host}: {} TALLY exist at height {}, not {supply:?}", stats.total, tip.height));
    }
    world.hosts[host].work = tip.work;
    world.violations.append(&mut found);
}

/// Nobody may accuse an honest host of breaking a rule.
pub(crate) fn check_disconnect(world: &mut World, host: usize, peer: PeerId, reason: &DisconnectReason) {
    let DisconnectReason::Violation { violation } = reason else {
        return;
    };
    let accused = connection_of(peer).and_then(|(number, end)| Some(world.connection(number)?.ends[1 - end].host));
    if let Some(accused) = accused.filter(|accused| world.hosts[*accused].is_honest()) {
        world.violations.push(format!("host {host} accuses host {accused}, which is honest: {violation}"));
    }
}

/// What exists at each height: allocations and all subsidies so far. Every miner on a valid chain here claims all that he may.
#[derive(Debug, Default)]
pub(crate) struct Supply {
    by_height: Vec<Amount>,
}

impl Supply {
    fn at(&mut self, params: &Params, height: Height) -> Option<Amount> {
        let wanted = usize::try_from(height.get()).ok()?;
        if self.by_height.is_empty() {
            let allocations = params.allocations.iter().map(|allocation| allocation.value);
            self.by_height.push(Amount::checked_sum(allocations)?);
        }
        while self.by_height.len() <= wanted {
            let next = Height::new(u32::try_from(self.by_height.len()).ok()?);
            let before = *self.by_height.last()?;
            self.by_height.push(before.checked_add(subsidy(params, next))?);
        }
        self.by_height.get(wanted).copied()
    }
}

/// The honest hosts, with their numbers.
fn honest(world: &World) -> impl Iterator<Item = (usize, &Host)> {
    world.hosts.iter().enumerate().filter(|(_, machine)| machine.is_honest())
}

/// Once all is quiet: every honest node runs and has the same tip, and the coin sets behind it are equal, in the node and in the store.
#[must_use]
pub fn agreement(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let mut first: Option<(BlockHash, CoinStats)> = None;
    for (host, machine) in honest(world) {
        let Some(node) = machine.node.as_ref() else {
            found.push(format!("host {host} does not run"));
            continue;
        };
        let here = (node.chain().tip().hash, node.chain().coin_stats());
        let expected = *first.get_or_insert(here);
        if here.0 != expected.0 {
            let height = node.chain().tip().height;
            found.push(format!("host {host} has tip {} at height {height}, others have {}", here.0, expected.0));
        } else if here.1 != expected.1 {
            found.push(format!("host {host} has other coins than others at the same tip"));
        }
    }
    found
}

/// Once all is quiet: what each store holds is what its node says, counted anew coin by coin.
#[must_use]
pub fn stores(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for (host, machine) in honest(world) {
        let Some(node) = machine.node.as_ref() else {
            continue;
        };
        let counted = machine.disk.count_coins();
        if counted != node.chain().coin_stats() {
            found.push(format!("host {host}: the store's coins are not those of its node"));
        }
        if counted.hash == CoinSetHash::default() {
            found.push(format!("host {host}: the store has no coins at all"));
        }
    }
    found
}

/// Every mempool fits its node's tip: inputs exist, nothing is spent twice, nothing is confirmed already.
#[must_use]
pub fn mempools(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for (host, machine) in honest(world) {
        if let Some(node) = machine.node.as_ref() {
            found.extend(mempool(node).into_iter().map(|wrong| format!("host {host}: {wrong}")));
        }
    }
    found
}

fn mempool(node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    let mut spent = BTreeSet::new();
    for entry in node.mempool().entries() {
        for input in &entry.transaction.inputs {
            let outpoint = input.outpoint;
            if !spent.insert(outpoint) {
                found.push(format!("the mempool spends {outpoint} twice"));
            }
            let confirmed = matches!(node.chain().coin(&outpoint), Ok(Some(_)));
            let unconfirmed = node.mempool().output(&outpoint).is_some();
            if confirmed == unconfirmed {
                found.push(format!("the mempool's {} spends {outpoint}, which is no coin", entry.txid));
            }
        }
    }
    found
}
