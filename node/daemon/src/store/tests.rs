//! The store under a real chain: what is written is read, and every kind of damage is found and repaired.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use tally_node_core::chain::Chain;
use tally_node_core::chain::store::{ChainStore, StoreError};
use tally_node_core::testing::{
    self, BlockBuilder, TestChain, allocations, branch_on, lock_of, now, outputs_of, pay_on, rich_key,
};
use tally_primitives::block::Block;
use tally_primitives::hash::{BlockHash, LockHash};
use tally_primitives::transaction::OutPoint;
use tally_primitives::units::{Amount, Height};
use tempfile::TempDir;

use super::rebuild::{RebuildError, rebuild};
use super::{OpenError, Opened, Store, StoreConfig};

/// A chain on a store on disk.
struct DiskChain {
    store: Store,
    chain: Chain,
}

impl DiskChain {
    fn open(directory: &Path) -> Self {
        let opened = open(directory);
        assert_eq!(opened.rebuild, None);
        Self::on(opened.store)
    }

    fn on(store: Store) -> Self {
        let chain = Chain::open(testing::params(), Box::new(store.clone())).unwrap();
        let mut opened = Self { store, chain };
        opened.store_changes();
        opened
    }

    fn store_changes(&mut self) {
        while let Some(changes) = self.chain.take_changes() {
            self.store.apply(&changes).unwrap();
        }
        self.chain.changes_applied();
    }

    fn offer(&mut self, block: &Block) {
        let outcome = self.chain.accept_block(Arc::new(block.clone()), now()).unwrap();
        self.store_changes();
        outcome.verdict().unwrap();
    }

    fn next(&self) -> BlockBuilder {
        let tip = self.chain.tip();
        BlockBuilder::on(self.chain.params(), self.chain.header(&tip.hash).unwrap(), tip.height)
    }

    fn mine(&mut self, count: u32) {
        for _ in 0..count {
            let block = self.next().build();
            self.offer(&block);
        }
    }
}

fn config(directory: &Path) -> StoreConfig {
    // Small files, so that they roll.
    StoreConfig { file_limit: 4096, ..StoreConfig::new(directory, testing::params().genesis_hash()) }
}

fn open(directory: &Path) -> Opened {
    Store::open(&config(directory)).unwrap()
}

/// Thirty blocks with payments in them, and a branch of three that lost.
fn busy_chain(directory: &Path) -> (BlockHash, tally_node_core::chain::store::CoinStats) {
    let mut disk = DiskChain::open(directory);
    let params = testing::params();
    let coins = allocations(&params);
    for coin in coins.iter().take(10) {
        let payment = pay_on(&params, coin, 1000);
        let block = disk.next().with(payment).build();
        disk.offer(&block);
    }
    let fork = disk.chain.tip();
    let fork_header = *disk.chain.header(&fork.hash).unwrap();
    for block in branch_on(&params, &fork_header, fork.height, 3, 7) {
        disk.offer(&block);
    }
    for block in branch_on(&params, &fork_header, fork.height, 20, 8) {
        disk.offer(&block);
    }
    let stats = disk.chain.coin_stats();
    (disk.chain.tip().hash, stats)
}

fn rebuilt(opened: Opened) -> Store {
    assert!(opened.rebuild.is_some());
    rebuild(&opened.store, &testing::params(), now(), &mut |_| ControlFlow::Continue(())).unwrap();
    opened.store.check_index().unwrap();
    opened.store
}

#[test]
fn a_chain_is_found_again() {
    let directory = TempDir::new().unwrap();
    let (tip, stats) = busy_chain(directory.path());
    let opened = open(directory.path());
    assert_eq!(opened.rebuild, None);
    assert_eq!(opened.recovered.records, 0);
    assert_eq!(opened.store.tip().unwrap(), Some(tip));
    assert_eq!(opened.store.coin_stats().unwrap(), stats);
    let report = opened.store.check_index().unwrap();
    assert_eq!(report.coins, stats.count);
    assert_eq!(report.headers, 1 + 10 + 3 + 20);
    let bodies = opened.store.check_bodies(|_, _| {}).unwrap();
    assert_eq!(bodies, 34 + opened.store.inner.undo_records());
    let mut disk = DiskChain::on(opened.store);
    assert_eq!(disk.chain.tip().height, Height::new(30));
    disk.mine(2);
    assert_eq!(disk.chain.tip().height, Height::new(32));
}

impl super::Inner {
    fn undo_records(&self) -> u64 {
        let mut count = 0;
        let visit = &mut |_: &[u8], _: &[u8]| {
            count += 1;
            ControlFlow::Continue(())
        };
        self.index.iter(super::Table::Places, b"u", visit).unwrap();
        count
    }
}

#[test]
fn disk_and_memory_agree_after_a_reorganisation() {
    let directory = TempDir::new().unwrap();
    let mut disk = DiskChain::open(directory.path());
    let mut memory = TestChain::new();
    let params = testing::params();
    let coins = allocations(&params);
    let payment = pay_on(&params, &coins[0], 500);
    let again = pay_on(&params, &outputs_of(&payment)[0], 500);
    let first = disk.next().with(payment).build();
    let second = BlockBuilder::on(&params, &first.header, Height::new(1)).with(again).build();
    let genesis = params.genesis().header;
    let other = branch_on(&params, &genesis, Height::GENESIS, 4, 3);
    for block in [first, second].iter().chain(&other) {
        disk.offer(block);
        memory.offer(block).unwrap();
        assert_eq!(disk.store.tip().unwrap(), memory.store.tip().unwrap());
        assert_eq!(disk.store.coin_stats().unwrap(), memory.store.coin_stats().unwrap());
        disk.store.check_index().unwrap();
    }
    for (outpoint, coin) in memory.store.coins() {
        assert_eq!(disk.store.coin(&outpoint).unwrap(), Some(coin));
    }
}

/// What the index says of a lock is what the blocks say.
#[test]
fn history_and_coins_of_a_lock_follow_the_chain() {
    let directory = TempDir::new().unwrap();
    let mut disk = DiskChain::open(directory.path());
    let params = testing::params();
    let lock = lock_of(&rich_key());
    let coins = allocations(&params);
    let payment = pay_on(&params, &coins[0], 700);
    let first = disk.next().with(payment.clone()).build();
    disk.offer(&first);
    assert_rows(&disk, &lock);
    {
        let view = disk.store.view();
        let (place, row) = view.history(&lock, 100).unwrap().pop().unwrap();
        assert_eq!((place.height, place.position), (Height::new(1), 1));
        assert_eq!(row.txid, payment.txid());
        assert_eq!(row.fee, Amount::from_notches(700));
        assert_eq!(row.spent, testing::coin_value());
        assert_eq!(view.transaction(&payment.txid()).unwrap(), Some(place));
        assert!(view.unspent(&lock, 3).is_err(), "more than three coins");
    }
    // A longer branch takes the payment away.
    for block in branch_on(&params, &params.genesis().header, Height::GENESIS, 2, 9) {
        disk.offer(&block);
    }
    assert_rows(&disk, &lock);
    let view = disk.store.view();
    assert_eq!(view.transaction(&payment.txid()).unwrap(), None);
    assert_eq!(view.active(Height::new(3)).unwrap(), None);
}

fn assert_rows(disk: &DiskChain, lock: &LockHash) {
    let mut coins: BTreeMap<OutPoint, Amount> = BTreeMap::new();
    let mut rows = 0;
    for height in 0..=disk.chain.tip().height.get() {
        let hash = disk.chain.block_at(Height::new(height)).unwrap();
        let block = disk.chain.block(&hash).unwrap().unwrap();
        for transaction in &block.transactions {
            let spent = transaction.inputs.iter().filter(|input| coins.remove(&input.outpoint).is_some()).count();
            let mine: Vec<_> = outputs_of(transaction).into_iter().filter(|(_, output)| output.lock == *lock).collect();
            rows += usize::from(spent > 0 || !mine.is_empty());
            coins.extend(mine.into_iter().map(|(outpoint, output)| (outpoint, output.value)));
        }
        assert_eq!(disk.store.view().active(Height::new(height)).unwrap(), Some(hash));
    }
    let view = disk.store.view();
    let found: BTreeMap<_, _> =
        view.unspent(lock, 1000).unwrap().into_iter().map(|(outpoint, coin)| (outpoint, coin.output.value)).collect();
    assert_eq!(found, coins);
    assert_eq!(view.history(lock, 1000).unwrap().len(), rows);
    drop(view);
    disk.store.check_index().unwrap();
}

#[test]
fn a_lost_index_is_made_again_from_the_block_files() {
    let directory = TempDir::new().unwrap();
    let (tip, stats) = busy_chain(directory.path());
    std::fs::remove_dir_all(directory.path().join("index")).unwrap();
    let store = rebuilt(open(directory.path()));
    assert_eq!(store.tip().unwrap(), Some(tip));
    assert_eq!(store.coin_stats().unwrap(), stats);
    drop(store);
    assert_eq!(open(directory.path()).rebuild, None);
}

#[test]
fn an_interrupted_rebuild_begins_again() {
    let directory = TempDir::new().unwrap();
    let (tip, _) = busy_chain(directory.path());
    let opened = Store::open_for_reindex(&config(directory.path())).unwrap();
    let stop_midway = &mut |progress: super::rebuild::RebuildProgress| {
        if progress.done < 12 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let outcome = rebuild(&opened.store, &testing::params(), now(), stop_midway);
    assert!(matches!(outcome, Err(RebuildError::Stopped)));
    drop(opened);
    let store = rebuilt(open(directory.path()));
    assert_eq!(store.tip().unwrap(), Some(tip));
}

#[test]
fn rubbish_in_the_index_is_found_and_repaired() {
    let directory = TempDir::new().unwrap();
    let (tip, stats) = busy_chain(directory.path());
    for name in ["conf", "db"] {
        let path = directory.path().join("index").join(name);
        let size = std::fs::metadata(&path).unwrap().len();
        std::fs::write(&path, vec![0x5a; usize::try_from(size).unwrap()]).unwrap();
        let store = rebuilt(open(directory.path()));
        assert_eq!(store.tip().unwrap(), Some(tip));
        assert_eq!(store.coin_stats().unwrap(), stats);
    }
}

#[test]
fn a_missing_coin_is_found_by_the_sets_hash() {
    let directory = TempDir::new().unwrap();
    busy_chain(directory.path());
    let opened = open(directory.path());
    let (outpoint, _) = opened.store.view().unspent(&lock_of(&rich_key()), 100).unwrap()[0];
    let mut batch = super::index::IndexBatch::default();
    batch.remove(super::Table::Coins, super::records::outpoint_key(&outpoint));
    opened.store.inner.index.commit(&batch).unwrap();
    let error = opened.store.check_index().unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    drop(opened);
    rebuilt(open(directory.path()));
}

#[test]
fn a_damaged_block_costs_only_what_stands_on_it() {
    let directory = TempDir::new().unwrap();
    let mut disk = DiskChain::open(directory.path());
    disk.mine(12);
    let hash = disk.chain.block_at(Height::new(6)).unwrap();
    let block = disk.chain.block(&hash).unwrap().unwrap();
    let later: Vec<_> = (7..=12)
        .map(|height| disk.chain.block_at(Height::new(height)).unwrap())
        .map(|hash| disk.chain.block(&hash).unwrap().unwrap())
        .collect();
    let tip = disk.chain.tip();
    let place = disk.store.inner.place(super::Kind::Block, &hash).unwrap().unwrap();
    drop(disk);
    let path = directory.path().join("blocks").join(super::Kind::Block.file_name(place.file));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[usize::try_from(place.offset).unwrap() + 60] ^= 1;
    std::fs::write(&path, bytes).unwrap();

    let opened = open(directory.path());
    assert!(!opened.store.found_damage());
    assert_eq!(opened.store.block(&hash).unwrap(), None, "a damaged block counts as missing");
    assert!(opened.store.found_damage());
    assert!(opened.store.check_bodies(|_, _| {}).is_err());
    opened.store.mark_damaged("a test").unwrap();
    drop(opened);
    let opened = open(directory.path());
    assert_eq!(opened.rebuild.as_deref(), Some("a test"));
    let mut disk = DiskChain::on(rebuilt(opened));
    assert_eq!(disk.chain.tip().height, Height::new(5));
    disk.offer(&block);
    assert_eq!(disk.chain.tip().height, Height::new(6));
    // What stands on it is in the files still, and counts again as soon as a peer has told of it.
    for later in later {
        disk.offer(&later);
    }
    assert_eq!(disk.chain.tip(), tip);
    disk.store.check_index().unwrap();
}

#[test]
fn a_damaged_block_off_the_chain_is_stored_again_when_it_comes_again() {
    let directory = TempDir::new().unwrap();
    let mut disk = DiskChain::open(directory.path());
    disk.mine(1);
    let genesis = testing::params().genesis().header;
    let rivals = branch_on(&testing::params(), &genesis, Height::GENESIS, 2, 5);
    disk.offer(&rivals[0]);
    let hash = rivals[0].hash();
    let place = disk.store.inner.place(super::Kind::Block, &hash).unwrap().unwrap();
    drop(disk);
    let path = directory.path().join("blocks").join(super::Kind::Block.file_name(place.file));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[usize::try_from(place.offset).unwrap() + 60] ^= 1;
    std::fs::write(&path, bytes).unwrap();

    let mut disk = DiskChain::open(directory.path());
    // The longer branch cannot be connected without the lost body; with it, it is.
    disk.offer(&rivals[1]);
    assert_eq!(disk.chain.tip().height, Height::new(1));
    assert!(disk.store.found_damage());
    disk.offer(&rivals[0]);
    assert_eq!(disk.chain.tip().hash, rivals[1].hash());
    assert!(!disk.store.found_damage());
    disk.store.check_bodies(|_, _| {}).unwrap();
    disk.store.check_index().unwrap();
}

#[test]
fn blocks_behind_the_indexs_end_are_taken_up() {
    let directory = TempDir::new().unwrap();
    let mut disk = DiskChain::open(directory.path());
    disk.mine(3);
    // What a kill between the files and the index leaves: the block is there, the index does not know it.
    let block = disk.next().build();
    let payload = tally_primitives::encode::encode(&block);
    disk.store.inner.blocks.append(&block.hash(), &payload).unwrap();
    disk.store.inner.blocks.sync().unwrap();
    let end = disk.store.inner.blocks.end();
    drop(disk);
    // And behind it a record that was cut off.
    let path = directory.path().join("blocks").join(super::Kind::Block.file_name(end.file));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(b"TBlk torn");
    std::fs::write(&path, bytes).unwrap();
    let opened = open(directory.path());
    assert_eq!(opened.recovered.records, 1);
    assert_eq!(opened.recovered.cut_bytes, 9);
    let disk = DiskChain::on(opened.store);
    assert_eq!(disk.chain.tip().hash, block.hash());
    disk.store.check_index().unwrap();
}

#[test]
fn files_shorter_than_the_index_says_are_noticed() {
    let directory = TempDir::new().unwrap();
    let mut disk = DiskChain::open(directory.path());
    disk.mine(8);
    let end = disk.store.inner.blocks.end();
    drop(disk);
    let path = directory.path().join("blocks").join(super::Kind::Block.file_name(end.file));
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(end.offset - 1).unwrap();
    let disk = DiskChain::on(rebuilt(open(directory.path())));
    assert_eq!(disk.chain.tip().height, Height::new(7));
}

#[test]
fn another_chains_directory_is_refused() {
    let directory = TempDir::new().unwrap();
    drop(open(directory.path()));
    let other = StoreConfig { genesis: BlockHash::from_bytes([9; 32]), ..config(directory.path()) };
    let error = Store::open(&other).err().unwrap();
    assert!(matches!(error, OpenError::OtherChain { .. }), "{error}");
    assert!(error.to_string().contains(&testing::params().genesis_hash().to_string()));
    // Also when the file that says so is gone: the blocks tell.
    drop(DiskChain::open(directory.path()));
    std::fs::remove_file(directory.path().join("genesis")).unwrap();
    let error = Store::open(&other).err().unwrap();
    assert!(matches!(error, OpenError::OtherChain { .. }), "{error}");
    open(directory.path());
}

#[test]
fn a_damaged_genesis_file_is_written_again() {
    let directory = TempDir::new().unwrap();
    let mut disk = DiskChain::open(directory.path());
    disk.mine(2);
    drop(disk);
    let path = directory.path().join("genesis");
    let good = std::fs::read(&path).unwrap();
    for rubbish in [BlockHash::from_bytes([9; 32]).to_string().into_bytes(), vec![0xff; 10], Vec::new()] {
        std::fs::write(&path, rubbish).unwrap();
        let disk = DiskChain::open(directory.path());
        assert_eq!(disk.chain.tip().height, Height::new(2));
        assert_eq!(std::fs::read(&path).unwrap(), good);
    }
}

#[test]
fn an_open_directory_is_refused_to_others() {
    let directory = TempDir::new().unwrap();
    let first = open(directory.path());
    let error = Store::open(&config(directory.path())).err().unwrap();
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    drop(first);
    open(directory.path());
}

#[test]
fn the_memory_engine_carries_a_chain_too() {
    let directory = TempDir::new().unwrap();
    let store = Store::open_with_memory_index(&config(directory.path())).unwrap();
    assert_eq!(store.engine(), "memory");
    let mut disk = DiskChain::on(store);
    disk.mine(4);
    disk.store.check_index().unwrap();
}

impl Store {
    /// Damages every coin in the index of a running store.
    pub(crate) fn break_coins_for_test(&self) {
        let mut batch = super::index::IndexBatch::default();
        let damage = &mut |key: &[u8], _: &[u8]| {
            batch.put(super::Table::Coins, key.to_vec(), vec![0xaa; 16]);
            ControlFlow::Continue(())
        };
        self.inner.index.iter(super::Table::Coins, &[], damage).unwrap();
        self.inner.index.commit(&batch).unwrap();
    }
}
