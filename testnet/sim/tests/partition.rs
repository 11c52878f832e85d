//! A network falls into two halves, each goes on by itself, and then they meet again.

use tally_node_core::testing;
use tally_primitives::hash::Txid;
use tally_primitives::transaction::Transaction;
use tally_sim::checkers;
use tally_sim::network::Network;
use tally_sim::network::partition::{Partition, PartitionKind};
use tally_sim::topology::Topology;
use tally_sim::world::{Event, World, WorldConfig};

const HOSTS: usize = 6;
/// Host 0, 1 and 2 against 3, 4 and 5.
const LIGHT: usize = 1;
const HEAVY: usize = 4;
const MINUTE_MS: u64 = 60_000;

fn ring() -> World {
    let mut random = tally_node_core::random::Random::new(1);
    let links = Topology::Ring.links(HOSTS, &mut random);
    World::new(WorldConfig {
        framed: true,
        trickle_mean_ms: 100,
        ..WorldConfig::new(42, HOSTS, links, Network::constant(50))
    })
}

fn mine(world: &mut World, host: usize, blocks: usize) {
    for _ in 0..blocks {
        world.mine_on(host);
        world.run(2_000);
    }
}

fn payment(coin: usize, fee: u64) -> Transaction {
    let params = testing::params();
    testing::pay_on(&params, &testing::allocations(&params)[coin], fee)
}

fn tip_of(world: &World, host: usize) -> tally_primitives::hash::BlockHash {
    world.node(host).expect("it runs").chain().tip().hash
}

fn holds(world: &World, host: usize, txid: &Txid) -> bool {
    world.node(host).expect("it runs").mempool().contains(txid)
}

fn is_confirmed(world: &World, host: usize, transaction: &Transaction) -> bool {
    let coin = testing::outputs_of(transaction)[0].0;
    matches!(world.node(host).expect("it runs").chain().coin(&coin), Ok(Some(_)))
}

/// Splits a settled network, lets each half confirm its own payments, and heals it.
fn split_and_heal(kind: PartitionKind, apart_ms: u64) {
    let mut world = ring();
    world.run(5_000);
    mine(&mut world, 0, 3);
    assert!(world.agrees());

    world.schedule(0, Event::Split(Partition { second_part: vec![3, 4, 5], kind }));
    world.run(1_000);
    // One payment on each side, and a coin that is spent on both.
    let (only_light, only_heavy) = (payment(0, 5_000), payment(1, 5_000));
    let (twice_light, twice_heavy) = (payment(2, 5_000), payment(2, 6_000));
    assert!(world.submit(LIGHT, only_light.clone()) && world.submit(LIGHT, twice_light.clone()));
    assert!(world.submit(HEAVY, only_heavy.clone()) && world.submit(HEAVY, twice_heavy.clone()));
    world.run(2_000);
    mine(&mut world, LIGHT, 4);
    mine(&mut world, HEAVY, 6);
    world.run(apart_ms);
    assert!(!world.agrees());
    assert!(is_confirmed(&world, 0, &only_light) && is_confirmed(&world, 2, &twice_light));
    assert!(is_confirmed(&world, 3, &only_heavy) && !is_confirmed(&world, 3, &only_light));
    let (light_tip, heavy_tip) = (tip_of(&world, LIGHT), tip_of(&world, HEAVY));
    assert_ne!(light_tip, heavy_tip);

    world.schedule(0, Event::Heal);
    world.run(3 * MINUTE_MS);
    for host in 0..HOSTS {
        assert_eq!(tip_of(&world, host), heavy_tip, "host {host} has the heavier half's chain");
        assert!(holds(&world, host, &only_light.txid()), "host {host} has the lighter half's payment again");
        assert!(!holds(&world, host, &twice_light.txid()), "the coin is spent otherwise on this chain");
    }
    mine(&mut world, HEAVY, 1);
    world.run(10_000);
    for host in 0..HOSTS {
        assert!(is_confirmed(&world, host, &only_light) && is_confirmed(&world, host, &only_heavy));
        assert!(is_confirmed(&world, host, &twice_heavy) && !is_confirmed(&world, host, &twice_light));
        assert_eq!(world.node(host).expect("it runs").mempool().len(), 0);
    }
    assert_eq!(checkers::agreement(&world), Vec::<String>::new());
    assert_eq!(checkers::stores(&world), Vec::<String>::new());
    assert_eq!(world.violations(), Vec::<String>::new());
}

#[test]
fn the_heavier_half_wins_and_the_others_payments_confirm_when_connections_broke() {
    split_and_heal(PartitionKind::Break, 5 * MINUTE_MS);
}

#[test]
fn the_heavier_half_wins_and_the_others_payments_confirm_when_packets_were_stopped() {
    split_and_heal(PartitionKind::Stall, 10_000);
}

#[test]
fn so_it_does_when_the_stop_outlasted_the_connections() {
    split_and_heal(PartitionKind::Stall, 5 * MINUTE_MS);
}
