//! Nodes that come late, die or are slow.

use tally_node_core::net::limits::DEFAULT_TRICKLE_MEAN_MS;
use tally_node_core::testing;
use tally_sim::checkers;
use tally_sim::host::Death;
use tally_sim::network::Network;
use tally_sim::topology::{Link, Topology};
use tally_sim::world::{Event, World, WorldConfig};

fn world(seed: u64, hosts: usize, links: Vec<Link>, delay_ms: u64) -> World {
    World::new(WorldConfig {
        trickle_mean_ms: DEFAULT_TRICKLE_MEAN_MS,
        ..WorldConfig::new(seed, hosts, links, Network::constant(delay_ms))
    })
}

fn star(hosts: usize) -> Vec<Link> {
    Topology::Star.links(hosts, &mut tally_node_core::random::Random::new(0))
}

fn height(world: &World, host: usize) -> u32 {
    world.node(host).map_or(0, |node| node.chain().tip().height.get())
}

fn assert_sound(world: &World) {
    assert_eq!(checkers::agreement(world), Vec::<String>::new());
    assert_eq!(checkers::stores(world), Vec::<String>::new());
    assert_eq!(checkers::mempools(world), Vec::<String>::new());
    assert_eq!(world.violations(), Vec::<String>::new());
}

#[test]
fn a_node_that_comes_late_fetches_a_long_chain_from_several_peers() {
    // Hosts 1 and 2 call host 0; host 3, the late one, calls all of them.
    let links = vec![(1, 0), (2, 0), (3, 0), (3, 1), (3, 2)];
    let mut world = world(1, 4, links, 20);
    world.schedule(0, Event::Crash { host: 3, death: Death::AfterOutputs(0) });
    world.run(10);
    for _ in 0..700 {
        world.mine_on(0);
        world.run(100);
    }
    world.run(10_000);
    assert_eq!((height(&world, 1), height(&world, 3)), (700, 0));
    let before = world.log().events();
    world.start(3);
    world.run(20_000);
    assert_eq!(height(&world, 3), 700, "blocks from three peers, in 20 seconds");
    assert!(world.log().events() > before);
    assert_sound(&world);
}

#[test]
fn a_node_that_dies_again_and_again_during_initial_sync_gets_there_and_loses_nothing() {
    let mut world = world(2, 2, star(2), 5);
    world.schedule(0, Event::Crash { host: 1, death: Death::AfterOutputs(0) });
    world.run(10);
    for _ in 0..300 {
        world.mine_on(0);
        world.run(10);
    }
    let mut best = 0;
    for outputs in 1..=40 {
        world.start(1);
        world.schedule(0, Event::Crash { host: 1, death: Death::AfterOutputs(outputs * 3) });
        world.run(1_000);
        world.schedule(0, Event::Crash { host: 1, death: Death::AfterOutputs(0) });
        world.run(10);
        world.start(1);
        assert!(height(&world, 1) >= best, "what was committed is there after a crash");
        best = height(&world, 1);
        world.schedule(0, Event::Crash { host: 1, death: Death::AfterOutputs(0) });
        world.run(10);
    }
    world.calm();
    world.run(120_000);
    assert_eq!(height(&world, 1), 300);
    assert_sound(&world);
}

#[test]
fn a_child_overtakes_its_parent_on_the_network() {
    // Host 0 is the link between the two who pay; its own line to the second is slow for announcements of the parent.
    let mut world = world(3, 3, vec![(0, 1), (2, 0)], 30);
    world.run(2_000);
    let params = testing::params();
    let parent = testing::pay_on(&params, &testing::allocations(&params)[0], 5_000);
    let child = testing::pay_on(&params, &testing::outputs_of(&parent)[0], 5_000);
    // Both are given to host 1 at once, which announces them in order; host 2 gets the child by hand before anything reached it.
    assert!(world.submit(1, parent.clone()) && world.submit(1, child.clone()));
    assert!(!world.submit(2, child.clone()), "its parent is unknown there");
    world.run(5_000);
    for host in 0..3 {
        let pool = world.node(host).expect("it runs").mempool();
        assert!(pool.contains(&parent.txid()) && pool.contains(&child.txid()), "host {host}");
    }
    assert_sound(&world);
}

#[test]
fn a_payment_reaches_every_mempool_of_a_line_of_nodes_within_a_second() {
    let links = Topology::Line.links(5, &mut tally_node_core::random::Random::new(0));
    let mut slowest = 0;
    for seed in 0..20 {
        let mut world = world(seed, 5, links.clone(), 1);
        world.run(2_000);
        let params = testing::params();
        let payment = testing::pay_on(&params, &testing::allocations(&params)[0], 5_000);
        let txid = payment.txid();
        assert!(world.submit(0, payment));
        let mut waited = 0;
        while !(0..5).all(|host| world.node(host).is_some_and(|node| node.mempool().contains(&txid))) {
            world.run(10);
            waited += 10;
            assert!(waited < 1_000, "seed {seed}: not everywhere after {waited} ms");
        }
        slowest = slowest.max(waited);
    }
    assert!(slowest > 100, "{slowest} ms: where is the delay that hides the sender?");
}

#[test]
fn the_checkers_see_what_is_wrong() {
    let mut world = world(6, 2, Vec::new(), 1);
    world.run(1_000);
    assert_sound(&world);
    world.mine_on(0);
    assert_eq!(checkers::agreement(&world).len(), 1, "two hosts without a link do not agree");
    world.schedule(0, Event::Crash { host: 1, death: Death::AfterOutputs(0) });
    world.run(1);
    assert_eq!(checkers::agreement(&world), ["host 1 does not run"]);
}
