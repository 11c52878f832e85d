//! The promises of an engine, held against each of them.

use std::ops::ControlFlow;

use proptest::prelude::*;
use tempfile::TempDir;

use super::memory::MemoryIndex;
use super::sled::{MAX_VALUE_SIZE, SledIndex};
use super::{IndexBatch, IndexError, IndexStore, Table};

const CACHE: u64 = 4 * 1024 * 1024;

fn keys(store: &dyn IndexStore, table: Table, prefix: &[u8]) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let mut visit = |key: &[u8], _: &[u8]| {
        keys.push(key.to_vec());
        ControlFlow::Continue(())
    };
    store.iter(table, prefix, &mut visit).unwrap();
    keys
}

fn exercise(store: &dyn IndexStore) {
    let mut batch = IndexBatch::default();
    batch.put(Table::Coins, vec![1, 1], vec![10]);
    batch.put(Table::Coins, vec![1, 2], vec![11]);
    batch.put(Table::Coins, vec![2, 0], vec![12]);
    batch.put(Table::Headers, vec![1, 1], vec![13]);
    store.commit(&batch).unwrap();
    assert_eq!(store.get(Table::Coins, &[1, 1]).unwrap(), Some(vec![10]));
    assert_eq!(store.get(Table::Headers, &[1, 1]).unwrap(), Some(vec![13]));
    assert_eq!(store.get(Table::Headers, &[2, 0]).unwrap(), None);
    assert_eq!(keys(store, Table::Coins, &[1]), vec![vec![1, 1], vec![1, 2]]);

    let mut batch = IndexBatch::default();
    batch.remove(Table::Coins, vec![1, 1]);
    batch.put(Table::Coins, vec![1, 2], vec![99]);
    // A removal of what is not there, and a put that a later removal takes back.
    batch.remove(Table::Coins, vec![7]);
    batch.put(Table::Coins, vec![8], vec![1]);
    batch.remove(Table::Coins, vec![8]);
    store.commit(&batch).unwrap();
    assert_eq!(store.get(Table::Coins, &[1, 1]).unwrap(), None);
    assert_eq!(store.get(Table::Coins, &[1, 2]).unwrap(), Some(vec![99]));
    assert_eq!(keys(store, Table::Coins, &[]), vec![vec![1, 2], vec![2, 0]]);

    let mut seen = 0;
    let mut first_only = |_: &[u8], _: &[u8]| {
        seen += 1;
        ControlFlow::Break(())
    };
    store.iter(Table::Coins, &[], &mut first_only).unwrap();
    assert_eq!(seen, 1);
    store.verify().unwrap();
}

#[test]
fn memory_keeps_the_promises() {
    exercise(&MemoryIndex::default());
}

#[test]
fn sled_keeps_the_promises_and_remembers() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("index");
    let store = SledIndex::open(&path, CACHE).unwrap();
    exercise(&store);
    drop(store);
    let again = SledIndex::open(&path, CACHE).unwrap();
    assert_eq!(keys(&again, Table::Coins, &[]), vec![vec![1, 2], vec![2, 0]]);
}

#[test]
fn sled_refuses_a_value_that_would_become_a_blob() {
    let directory = TempDir::new().unwrap();
    let store = SledIndex::open(&directory.path().join("index"), CACHE).unwrap();
    let mut batch = IndexBatch::default();
    batch.put(Table::Meta, vec![1], vec![0; MAX_VALUE_SIZE]);
    store.commit(&batch).unwrap();
    batch.put(Table::Meta, vec![2], vec![0; MAX_VALUE_SIZE + 1]);
    let error = store.commit(&batch).unwrap_err();
    assert!(matches!(error, IndexError::ValueTooLong { .. }), "{error}");
    assert_eq!(store.get(Table::Meta, &[2]).unwrap(), None);
}

#[test]
fn sled_removes_a_half_made_snapshot_before_opening() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("index");
    drop(SledIndex::open(&path, CACHE).unwrap());
    let half = path.join("snap.0000000000000000.generating");
    std::fs::write(&half, b"half").unwrap();
    drop(SledIndex::open(&path, CACHE).unwrap());
    assert!(!half.exists());
}

/// sled's own threads hold a database a little longer than the last handle.
#[test]
fn sled_waits_for_a_database_that_is_being_closed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("index");
    let first = SledIndex::open(&path, CACHE).unwrap();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| SledIndex::open(&path, CACHE).map(drop));
        drop(first);
        second.join().unwrap().unwrap();
    });
}

#[test]
fn sled_reports_rubbish_as_damage() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("index");
    drop(SledIndex::open(&path, CACHE).unwrap());
    let conf = path.join("conf");
    std::fs::write(&conf, vec![0xa5; 64]).unwrap();
    assert!(SledIndex::open(&path, CACHE).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// sled and the engine in memory hold the same after any batches.
    #[test]
    fn sled_agrees_with_memory(
        batches in prop::collection::vec(
            prop::collection::vec((0usize..8, 0u8..12, prop::option::of(0u8..4)), 0..40),
            1..6,
        )
    ) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("index");
        let memory = MemoryIndex::default();
        for writes in &batches {
            // Opened anew for each batch: what is committed is on disk.
            let sled = SledIndex::open(&path, CACHE).unwrap();
            let mut batch = IndexBatch::default();
            for (table, key, value) in writes {
                let table = Table::ALL[*table];
                match value {
                    Some(value) => batch.put(table, vec![*key], vec![*value]),
                    None => batch.remove(table, vec![*key]),
                }
            }
            memory.commit(&batch).unwrap();
            sled.commit(&batch).unwrap();
            for table in Table::ALL {
                prop_assert_eq!(keys(&sled, table, &[]), keys(&memory, table, &[]));
                for key in keys(&memory, table, &[]) {
                    prop_assert_eq!(sled.get(table, &key).unwrap(), memory.get(table, &key).unwrap());
                }
            }
        }
    }
}
