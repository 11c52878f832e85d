//! What must hold. Nothing here knows how the node works inside: it looks at results.

use std::collections::BTreeSet;

use tally_consensus::subsidy::subsidy;
use tally_node_core::chain::store::{CoinSetHash, CoinStats};
use tally_node_core::net::disconnect::DisconnectReason;
use tally_node_core::node::Node;
use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::units::{Amount, Height};

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

/// All nodes of a world are honest, so nobody may accuse another of breaking a rule.
pub(crate) fn check_disconnect(world: &mut World, host: usize, reason: &DisconnectReason) {
    if let DisconnectReason::Violation { violation } = reason {
        world.violations.push(format!("host {host} accuses an honest peer: {violation}"));
    }
}

/// What exists at each height: allocations and all subsidies so far. Every miner here claims all that he may.
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

/// Once all is quiet: every node runs and has the same tip, and the coin sets behind it are equal, in the node and in the store.
#[must_use]
pub fn agreement(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let mut first: Option<(BlockHash, CoinStats)> = None;
    for (host, machine) in world.hosts.iter().enumerate() {
        let Some(node) = machine.node.as_ref() else {
            found.push(format!("host {host} does not run"));
            continue;
        };
        let here = (node.chain().tip().hash, node.chain().coin_stats());
        let expected = *first.get_or_insert(here);
        if here.0 != expected.0 {
            let height = node.chain().tip().height;
            found.push(format!("host {host} has tip {} at height {height}, host 0 has {}", here.0, expected.0));
        } else if here.1 != expected.1 {
            found.push(format!("host {host} has other coins than host 0 at the same tip"));
        }
    }
    found
}

/// Once all is quiet: what each store holds is what its node says, counted anew coin by coin.
#[must_use]
pub fn stores(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for (host, machine) in world.hosts.iter().enumerate() {
        let Some(node) = machine.node.as_ref() else {
            continue;
        };
        let coins = machine.store.coins();
        let counted = coins.iter().fold(CoinStats::default(), |stats, (outpoint, coin)| stats.with(outpoint, coin));
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
    for (host, machine) in world.hosts.iter().enumerate() {
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
