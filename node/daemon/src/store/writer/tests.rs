use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tally_node_core::chain::Chain;
use tally_node_core::chain::store::ChainStore;
use tally_node_core::testing::{self, BlockBuilder, now};
use tally_primitives::hash::BlockHash;
use tempfile::TempDir;

use super::StoreWriter;
use crate::store::{Store, StoreConfig};

/// So long that no test waits for it.
const NEVER: Duration = Duration::from_secs(1_000_000);

/// A chain whose change sets go through a writer.
struct Written {
    store: Store,
    chain: Chain,
    writer: StoreWriter,
}

impl Written {
    fn open(directory: &Path, delay: Duration) -> Written {
        let config = StoreConfig::new(directory, testing::params().genesis_hash());
        let store = Store::open(&config).unwrap().store;
        let chain = Chain::open(testing::params(), Box::new(store.clone())).unwrap();
        let (writer, _failure) = StoreWriter::start_with(store.clone(), delay).unwrap();
        let mut written = Written { store, chain, writer };
        written.put();
        assert!(written.writer.finish());
        written
    }

    fn put(&mut self) {
        while let Some(changes) = self.chain.take_changes() {
            self.writer.put(changes).unwrap();
        }
        self.chain.changes_applied();
    }

    fn mine(&mut self) -> BlockHash {
        let tip = self.chain.tip();
        let block = BlockBuilder::on(self.chain.params(), self.chain.header(&tip.hash).unwrap(), tip.height).build();
        self.chain.accept_block(Arc::new(block), now()).unwrap();
        self.put();
        self.chain.tip().hash
    }

    fn synced(&self) -> Receiver<()> {
        let (told, hear) = channel();
        self.writer.then_synced(Box::new(move || told.send(()).unwrap()));
        hear
    }

    fn stored(&self) -> Receiver<()> {
        let (told, hear) = channel();
        self.writer.then_stored(Box::new(move || told.send(()).unwrap()));
        hear
    }

    /// The tip in the index, whatever still waits.
    fn indexed_tip(&self) -> Option<BlockHash> {
        self.store.meta().tip
    }
}

#[test]
fn a_block_is_synced_at_once_and_the_index_waits_until_it_is_wanted() {
    let directory = TempDir::new().unwrap();
    let mut written = Written::open(directory.path(), NEVER);
    let genesis = written.chain.tip().hash;
    let block = written.mine();
    written.synced().recv().unwrap();
    assert_eq!(written.indexed_tip(), Some(genesis));
    assert!(written.store.block(&block).unwrap().is_some(), "readers see it at once");
    written.stored().recv().unwrap();
    assert_eq!(written.indexed_tip(), Some(block));
}

#[test]
fn a_reader_of_the_index_has_it_brought_in_step() {
    let directory = TempDir::new().unwrap();
    let mut written = Written::open(directory.path(), NEVER);
    let block = written.mine();
    assert_eq!(written.store.view().tip(), Some(block));
}

#[test]
fn without_anybody_who_wants_it_the_index_follows_by_itself() {
    let directory = TempDir::new().unwrap();
    let mut written = Written::open(directory.path(), Duration::ZERO);
    let block = written.mine();
    let inner = &written.store.inner;
    let waiting = inner.progress.wait_while(inner.waiting(), |waiting| waiting.stored < waiting.handed_over).unwrap();
    drop(waiting);
    assert_eq!(written.indexed_tip(), Some(block));
}

#[test]
fn one_that_comes_after_another_pushes_it_in() {
    let directory = TempDir::new().unwrap();
    let mut written = Written::open(directory.path(), NEVER);
    let first = written.mine();
    written.mine();
    let inner = &written.store.inner;
    let waiting = inner.progress.wait_while(inner.waiting(), |waiting| waiting.sets.len() > 1).unwrap();
    drop(waiting);
    assert_eq!(written.indexed_tip(), Some(first));
}

#[test]
fn whoever_ends_leaves_nothing_behind() {
    let directory = TempDir::new().unwrap();
    let mut written = Written::open(directory.path(), NEVER);
    written.mine();
    let block = written.mine();
    let Written { store, writer, .. } = written;
    drop(writer);
    assert_eq!(store.meta().tip, Some(block));
}

#[test]
fn after_a_failure_nobody_waits_for_an_answer() {
    let directory = TempDir::new().unwrap();
    let mut written = Written::open(directory.path(), NEVER);
    written.mine();
    written.store.inner.waiting().failed = true;
    assert!(written.synced().recv().is_err() && written.stored().recv().is_err());
    assert!(!written.store.settle());
}
