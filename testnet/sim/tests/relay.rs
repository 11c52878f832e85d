//! How many trips a block takes from node to node.

use tally_node_core::net::limits::{DEFAULT_TRICKLE_MEAN_MS, RELAY_FIRST_TRANSACTIONS};
use tally_node_core::random::Random;
use tally_node_core::testing;
use tally_sim::checkers;
use tally_sim::network::Network;
use tally_sim::topology::Topology;
use tally_sim::world::{World, WorldConfig};

/// One way, in milliseconds.
const DELAY_MS: u64 = 50;

fn world(seed: u64, hosts: usize, topology: Topology) -> World {
    let links = topology.links(hosts, &mut Random::new(0));
    let mut world = World::new(WorldConfig {
        framed: true,
        trickle_mean_ms: DEFAULT_TRICKLE_MEAN_MS,
        ..WorldConfig::new(seed, hosts, links, Network::constant(DELAY_MS))
    });
    world.run(2_000);
    world
}

fn height(world: &World, host: usize) -> u32 {
    world.node(host).map_or(0, |node| node.chain().tip().height.get())
}

/// Milliseconds until each host has a tip of this height.
fn arrivals(world: &mut World, height_wanted: u32) -> Vec<u64> {
    let hosts = world.hosts().len();
    let mut arrivals = vec![None; hosts];
    for millis in 0..5_000 {
        for (host, arrival) in arrivals.iter_mut().enumerate() {
            if arrival.is_none() && height(world, host) >= height_wanted {
                *arrival = Some(millis);
            }
        }
        if arrivals.iter().all(Option::is_some) {
            break;
        }
        world.run(1);
    }
    arrivals.into_iter().map(|arrival| arrival.expect("the block reaches everybody")).collect()
}

/// As many payments as there are coins, in every mempool.
fn pay_everywhere(world: &mut World) {
    let params = testing::params();
    let payments: Vec<_> =
        testing::allocations(&params).iter().map(|coin| testing::pay_on(&params, coin, 5_000)).collect();
    assert!(payments.len() > RELAY_FIRST_TRANSACTIONS, "more than are connected before the block is passed on");
    for payment in &payments {
        assert!(world.submit(0, payment.clone()));
    }
    world.run(10_000);
    for host in world.hosts() {
        assert_eq!(host.node().expect("it runs").mempool().len(), payments.len());
    }
}

fn assert_sound(world: &World) {
    assert_eq!(checkers::agreement(world), Vec::<String>::new());
    assert_eq!(checkers::mempools(world), Vec::<String>::new());
    assert_eq!(world.violations(), Vec::<String>::new());
}

#[test]
fn the_first_block_takes_three_trips_a_hop_and_every_other_one() {
    let mut world = world(5, 5, Topology::Line);
    world.mine_on(0);
    let first = arrivals(&mut world, 1);
    assert_eq!(first, [0, 150, 300, 450, 600], "headers, request, block");
    world.mine_on(0);
    assert_eq!(arrivals(&mut world, 2), [0, 50, 100, 150, 200], "pushed");
    assert_sound(&world);
}

#[test]
fn a_block_of_known_payments_takes_one_trip_a_hop() {
    let mut world = world(6, 5, Topology::Line);
    world.mine_on(0);
    arrivals(&mut world, 1);
    pay_everywhere(&mut world);
    world.mine_on(0);
    assert_eq!(arrivals(&mut world, 2), [0, 50, 100, 150, 200]);
    let mempools = world.hosts().iter().filter_map(|host| host.node()).map(|node| node.mempool().len());
    assert_eq!(mempools.sum::<usize>(), 0, "all payments are in the block");
    assert_sound(&world);
}

#[test]
fn payments_that_nobody_has_cost_one_round_a_hop() {
    let mut world = world(7, 3, Topology::Line);
    world.mine_on(0);
    arrivals(&mut world, 1);
    // Host 0 alone has the payments: they are announced only after a while.
    let params = testing::params();
    for coin in testing::allocations(&params) {
        assert!(world.submit(0, testing::split(&params, &coin, 20, 50_000)));
    }
    world.mine_on(0);
    assert_eq!(arrivals(&mut world, 2), [0, 150, 300], "compact block, question, answer");
    assert_sound(&world);
}

#[test]
fn from_wherever_it_comes_a_block_takes_the_shortest_way() {
    let hosts = 7;
    let mut world = world(8, hosts, Topology::Ring);
    for round in 0..2 {
        for miner in 0..hosts {
            world.mine_on(miner);
            let arrivals = arrivals(&mut world, u32::try_from(round * hosts + miner + 1).expect("few"));
            for (host, arrival) in arrivals.into_iter().enumerate() {
                let apart = host.abs_diff(miner).min(hosts - host.abs_diff(miner)) as u64;
                // After the first round everybody has been first on both sides.
                assert!(round == 0 || arrival == apart * DELAY_MS, "{miner} → {host}: {arrival} ms");
            }
        }
    }
    assert_sound(&world);
}
