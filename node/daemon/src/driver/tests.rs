//! The driver on a real store: calls are answered when what follows is stored, and damage stops it with a mark.

use std::sync::Arc;

use tally_node_core::chain::store::ChainStore;
use tally_node_core::event::Event;
use tally_node_core::node::{Node, NodeConfig};
use tally_node_core::testing::{self, BlockBuilder, allocations, pay_on};
use tally_primitives::units::Height;
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::{Driver, DriverError, NodeHandle};
use crate::clock;
use crate::store::{Store, StoreConfig};
use crate::transport::TransportConfig;

fn open(directory: &TempDir) -> Store {
    let config = StoreConfig::new(directory.path(), testing::params().genesis_hash());
    let opened = Store::open(&config).unwrap();
    assert_eq!(opened.rebuild, None);
    opened.store
}

fn start(store: &Store) -> (Driver, NodeHandle) {
    let node = Node::new(NodeConfig::default(), testing::params(), Box::new(store.clone()), 1, clock::now()).unwrap();
    let params = testing::params();
    let network = TransportConfig { magic: params.magic, default_port: params.peer_port, max_inbound: 1, key: None };
    let nowhere = std::path::PathBuf::from("/nonexistent");
    let (driver, handle, _) = Driver::start(node, store.clone(), network, nowhere, Handle::current()).unwrap();
    (driver, handle)
}

async fn join(driver: Driver) -> Result<(), DriverError> {
    tokio::task::spawn_blocking(move || driver.join()).await.unwrap()
}

/// Submits a block on the tip; gives whether the node took it.
async fn extend(handle: &NodeHandle) -> bool {
    let outcome = handle.call(|core, now| {
        let chain = core.node.chain();
        let tip = chain.tip();
        let header = *chain.header(&tip.hash).unwrap();
        let block = BlockBuilder::on(chain.params(), &header, tip.height).build();
        core.node.submit_block(now, Arc::new(block)).is_ok()
    });
    outcome.await.unwrap_or(false)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_means_stored_and_a_stop_is_clean() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    let (driver, handle) = start(&store);
    let mut events = handle.subscribe();
    let mut work = handle.work();
    let before = *work.borrow_and_update();
    for height in 1..=3 {
        assert!(extend(&handle).await);
        let tip = store.tip().unwrap().unwrap();
        assert_eq!(store.view().active(Height::new(height)).unwrap(), Some(tip));
    }
    let mut tips = 0;
    while tips < 3 {
        tips += usize::from(matches!(events.recv().await.unwrap(), Event::TipChanged { .. }));
    }
    assert!(work.has_changed().unwrap());
    assert_ne!(work.borrow_and_update().tip, before.tip);
    handle.stop().await;
    join(driver).await.unwrap();
    handle.ended().await;
    assert!(handle.call(|_, _| ()).await.is_err(), "a stopped node answers nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_stops_the_node_and_is_made_again() {
    let directory = TempDir::new().unwrap();
    {
        let store = open(&directory);
        let (driver, handle) = start(&store);
        assert!(extend(&handle).await);
        handle.stop().await;
        join(driver).await.unwrap();
    }
    let store = open(&directory);
    let (driver, handle) = start(&store);
    store.break_coins_for_test();
    let outcome = handle.call(|core, now| {
        let chain = core.node.chain();
        let tip = chain.tip();
        let header = *chain.header(&tip.hash).unwrap();
        let payment = pay_on(chain.params(), &allocations(chain.params())[0], 1000);
        let block = BlockBuilder::on(chain.params(), &header, tip.height).with(payment).build();
        core.node.submit_block(now, Arc::new(block)).is_ok()
    });
    assert!(!outcome.await.unwrap_or(false));
    match join(driver).await {
        Err(DriverError::Halted { rebuild: true, .. }) => {}
        other => panic!("{other:?}"),
    }
    drop((handle, store));
    let config = StoreConfig::new(directory.path(), testing::params().genesis_hash());
    let opened = Store::open(&config).unwrap();
    assert!(opened.rebuild.is_some());
}

/// A disk that refuses (full, unplugged, read-only) is no damage: the node stops, and goes on when the disk is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_refuses_stops_the_node_and_costs_nothing() {
    let directory = TempDir::new().unwrap();
    // Every record gets a file of its own, so that the next one has to be made where nothing can be made.
    let genesis = testing::params().genesis_hash();
    let config = StoreConfig { file_limit: 1, ..StoreConfig::new(directory.path(), genesis) };
    let store = Store::open(&config).unwrap().store;
    let (driver, handle) = start(&store);
    assert!(extend(&handle).await);
    let tip = store.tip().unwrap();
    let (blocks, away) = (directory.path().join("blocks"), directory.path().join("away"));
    std::fs::rename(&blocks, &away).unwrap();
    assert!(!extend(&handle).await, "what is not stored is not acknowledged");
    match join(driver).await {
        Err(DriverError::Halted { rebuild: false, reason }) => assert!(reason.contains("blocks-"), "{reason}"),
        other => panic!("{other:?}"),
    }
    drop((handle, store));
    std::fs::rename(&away, &blocks).unwrap();
    let opened = Store::open(&config).unwrap();
    assert_eq!(opened.rebuild, None);
    assert_eq!(opened.store.tip().unwrap(), tip);
    let (driver, handle) = start(&opened.store);
    assert!(extend(&handle).await);
    handle.stop().await;
    join(driver).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_on_the_nodes_thread_is_told() {
    let directory = TempDir::new().unwrap();
    let store = open(&directory);
    let (driver, handle) = start(&store);
    let outcome = handle.call(|_, _| panic!("a test's panic")).await;
    assert!(outcome.is_err());
    handle.ended().await;
    assert!(matches!(join(driver).await, Err(DriverError::Panicked)));
}
