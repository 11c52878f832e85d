//! The book on disk: what is kept is read, what is damaged is not.

use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::net::finding::FindingConfig;
use tally_node_core::node::{Node, NodeConfig, Output};
use tally_node_core::testing;
use tempfile::TempDir;

use super::{ADDRESSES_FILE, keep, read};
use crate::clock;

/// The address book of a node that has heard of one address.
fn book() -> Vec<u8> {
    let finding = FindingConfig::standard();
    let config = NodeConfig { finding, ..NodeConfig::default() };
    let store = Box::new(MemoryStore::new());
    let mut node = Node::new(config, testing::params(), store, 1, clock::now()).unwrap();
    node.handle_seed(clock::now(), "seed", &["8.8.8.8:9740".parse().unwrap()]);
    node.flush(clock::now());
    std::iter::from_fn(|| node.poll_output())
        .find_map(|output| match output {
            Output::KeepAddresses { book } => Some(book),
            _ => None,
        })
        .unwrap()
}

#[test]
fn what_is_kept_is_read_and_damage_is_ignored() {
    let directory = TempDir::new().unwrap();
    let genesis = testing::params().genesis_hash();
    assert!(read(directory.path(), genesis).is_none(), "none yet");
    keep(directory.path(), &book());
    assert_eq!(read(directory.path(), genesis).unwrap().len(), 1);
    let path = directory.path().join(ADDRESSES_FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert!(read(directory.path(), genesis).is_none());
    std::fs::write(&path, b"").unwrap();
    assert!(read(directory.path(), genesis).is_none());
    std::fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
    assert!(read(directory.path(), genesis).is_none(), "a file of a gigabyte is not even read");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(read(directory.path(), genesis).is_none());
    keep(directory.path(), &book());
}
