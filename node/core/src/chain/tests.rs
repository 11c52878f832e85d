use std::collections::BTreeMap;

use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert, prop_assert_eq, proptest};
use tally_primitives::block::Header;
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, Txid, Wtxid};
use tally_primitives::pow::CompactTarget;
use tally_primitives::transaction::{Coin, OutPoint, Output};
use tally_primitives::units::{Amount, Height};

use super::coins::CoinsCache;
use super::index::{BlockIndex, EntryId, MAX_LOCATOR};
use super::memory::MemoryStore;
use super::store::{ChainStore, ChangeSet, CoinSetHash, CoinStats};
use super::verified::VerifiedCache;
use super::writes::Writes;

fn header(prev_block: BlockHash, nonce: u32, time: u32) -> Header {
    let bits = CompactTarget::from_bits(0x207f_ffff);
    Header { version: 1 << 29, prev_block, merkle_root: MerkleRoot::ZERO, time, bits, nonce }
}

/// An index of genesis and a header on each of the given parents, which are positions in the list so far.
fn index_of(parents: &[usize]) -> (BlockIndex, Vec<EntryId>) {
    let mut index = BlockIndex::new(header(BlockHash::ZERO, 0, 0));
    let mut ids = vec![index.genesis()];
    for (nonce, parent) in (1u32..).zip(parents) {
        let parent = index.get(ids[*parent]).hash;
        ids.push(index.insert(header(parent, nonce, nonce)).expect("the parent is known"));
    }
    (index, ids)
}

fn line(length: usize) -> (BlockIndex, Vec<EntryId>) {
    index_of(&(0..length).collect::<Vec<_>>())
}

fn naive_ancestor(index: &BlockIndex, id: EntryId, height: Height) -> Option<EntryId> {
    index.ancestry(id).find(|id| index.get(*id).height == height)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn ancestors_and_forks_are_those_of_a_plain_walk(shares in proptest::collection::vec(any::<u8>(), 1..150)) {
        // Mostly long lines with a few branches.
        let parents: Vec<usize> =
            shares.iter().enumerate().map(|(at, share)| if *share < 230 { at } else { at * usize::from(share % 7) / 7 }).collect();
        let (index, ids) = index_of(&parents);
        for a in ids.iter().step_by(5).copied() {
            for height in 0..=index.get(a).height.get() + 1 {
                let height = Height::new(height);
                prop_assert_eq!(index.ancestor(a, height), naive_ancestor(&index, a, height));
            }
            for b in ids.iter().step_by(7).copied() {
                let of_a: Vec<EntryId> = index.ancestry(a).collect();
                let naive = index.ancestry(b).find(|id| of_a.contains(id));
                prop_assert_eq!(Some(index.fork(a, b)), naive);
            }
        }
    }

    /// The cache answers like a plain map, whatever is sealed and applied in between.
    #[test]
    fn coins_cache_is_a_map(steps in proptest::collection::vec((0u8..12, 0u8..10), 1..200)) {
        let store = MemoryStore::new();
        let mut cache = CoinsCache::default();
        let mut model: BTreeMap<OutPoint, Coin> = BTreeMap::new();
        let mut waiting: Vec<ChangeSet> = Vec::new();
        let mut stats = CoinStats::default();
        for (name, action) in steps {
            let outpoint = outpoint(name);
            match (action, model.get(&outpoint).copied()) {
                (0, _) => {
                    stats = cache.stats(stats);
                    waiting.push(ChangeSet { coins: cache.seal(), stats: Some(stats), ..ChangeSet::default() });
                }
                (1, _) => {
                    for changes in waiting.drain(..) {
                        store.apply(changes).expect("it fits");
                    }
                    cache.applied();
                }
                (_, Some(coin)) => {
                    cache.remove(outpoint, coin);
                    model.remove(&outpoint);
                }
                (_, None) => {
                    let coin = coin(u32::from(action));
                    cache.add(outpoint, coin);
                    model.insert(outpoint, coin);
                }
            }
            for name in 0..12 {
                let outpoint = self::outpoint(name);
                prop_assert_eq!(cache.get(&store, &outpoint).unwrap(), model.get(&outpoint).copied());
            }
            let expected = model.iter().fold(CoinStats::default(), |stats, (outpoint, coin)| stats.with(outpoint, coin));
            prop_assert_eq!(cache.stats(stats), expected);
        }
        for changes in waiting {
            store.apply(changes).expect("it fits");
        }
        store.apply(ChangeSet { coins: cache.seal(), ..ChangeSet::default() }).expect("it fits");
        prop_assert_eq!(store.coins(), model);
    }

    #[test]
    fn coin_set_hash_forgets_the_order(names in proptest::collection::vec(any::<u8>(), 1..20)) {
        let add = |stats: CoinStats, name: &u8| stats.with(&outpoint(*name), &coin(u32::from(*name)));
        let remove = |stats: CoinStats, name: &u8| stats.without(&outpoint(*name), &coin(u32::from(*name)));
        let forwards = names.iter().fold(CoinStats::default(), add);
        let backwards = names.iter().rev().fold(CoinStats::default(), add);
        prop_assert_eq!(forwards, backwards);
        prop_assert!(forwards.hash != CoinSetHash::default());
        prop_assert_eq!(names.iter().fold(forwards, remove), CoinStats::default());
    }
}

fn outpoint(name: u8) -> OutPoint {
    OutPoint { txid: Txid::from_bytes([name; 32]), index: u32::from(name) }
}

fn coin(height: u32) -> Coin {
    let output = Output { value: Amount::from_notches(u64::from(height) + 1), lock: LockHash::ZERO };
    Coin { output, height: Height::new(height), coinbase: false }
}

#[test]
fn coins_made_and_spent_between_change_sets_cancel_out() {
    let mut cache = CoinsCache::default();
    cache.add(outpoint(1), coin(1));
    cache.add(outpoint(2), coin(2));
    cache.remove(outpoint(1), coin(1));
    assert_eq!(cache.dirty_len(), 1);
    assert_eq!(cache.seal(), BTreeMap::from([(outpoint(2), Some(coin(2)))]));
    // Spent by one block, and back with the next reorganisation.
    cache.remove(outpoint(2), coin(2));
    cache.add(outpoint(2), coin(2));
    assert_eq!(cache.dirty_len(), 0);
}

#[test]
fn locators_are_dense_at_the_end_and_short() {
    let (index, ids) = line(5_000);
    let locator = index.locator(ids[5_000]);
    let heights: Vec<u32> = locator.iter().map(|hash| index.entry(hash).unwrap().height.get()).collect();
    assert_eq!(heights[..12], [5000, 4999, 4998, 4997, 4996, 4995, 4994, 4993, 4992, 4991, 4989, 4985]);
    assert_eq!(heights.last(), Some(&0));
    assert!(heights.len() < 25 && heights.len() <= MAX_LOCATOR);
    assert_eq!(index.locator(ids[0]), [index.get(ids[0]).hash]);
}

#[test]
fn the_best_header_is_the_first_of_equals_and_never_invalid() {
    // 1–2–3 and 1–4–5–6.
    let (mut index, ids) = index_of(&[0, 1, 2, 1, 4]);
    assert_eq!(index.best_header(), ids[3]);
    let six = index.insert(header(index.get(ids[5]).hash, 99, 99)).unwrap();
    assert_eq!(index.best_header(), six);
    index.set_invalid(ids[4]);
    assert_eq!(index.best_header(), ids[3]);
    assert!(index.get(six).is_invalid() && !index.get(six).invalid);
    index.set_invalid(ids[2]);
    assert_eq!(index.best_header(), ids[1]);
    // A pardon for the end of one branch covers that branch alone.
    assert_eq!(index.clear_invalid(six), [ids[4]]);
    assert_eq!(index.best_header(), six);
    assert!(index.get(ids[3]).is_invalid());
}

#[test]
fn known_headers_and_those_without_parents_are_not_inserted() {
    let (mut index, ids) = line(3);
    let again = index.get(ids[2]).header;
    assert_eq!(index.insert(again), None);
    assert_eq!(index.insert(header(BlockHash::from_bytes([1; 32]), 0, 0)), None);
    assert_eq!(index.len(), 4);
}

#[test]
fn bodies_link_up_when_the_gap_closes() {
    let (mut index, ids) = index_of(&[0, 1, 2, 2]);
    assert_eq!(index.set_stored(ids[3], || 2), []);
    assert_eq!(index.set_stored(ids[4], || 3), []);
    assert_eq!(index.set_stored(ids[1], || 4), [ids[1]]);
    let mut linked = index.set_stored(ids[2], || 5);
    linked.sort_unstable();
    assert_eq!(linked, [ids[2], ids[3], ids[4]]);
    index.set_body_lost(ids[2]);
    assert!(index.get(ids[1]).linked && !index.get(ids[2]).linked && !index.get(ids[4]).linked);
    assert_eq!(index.set_stored(ids[2], || 6).len(), 3);
}

#[test]
fn verified_witnesses_hold_from_their_height_on_and_for_their_coins_alone() {
    let mut cache = VerifiedCache::default();
    let wtxid = Wtxid::from_bytes([1; 32]);
    let spent = [coin(5)];
    cache.insert(wtxid, &spent, Height::new(9));
    assert!(cache.is_good(&wtxid, &spent, Height::new(9)) && cache.is_good(&wtxid, &spent, Height::new(10)));
    assert!(!cache.is_good(&wtxid, &spent, Height::new(8)), "a time lock might be closed there");
    assert!(!cache.is_good(&wtxid, &[coin(6)], Height::new(9)), "a relative lock counts from the coin");
    // A reorganisation has confirmed the coin elsewhere: the later verdict counts.
    cache.insert(wtxid, &[coin(6)], Height::new(10));
    assert!(cache.is_good(&wtxid, &[coin(6)], Height::new(10)) && !cache.is_good(&wtxid, &spent, Height::new(10)));
    for number in 0..50_000u32 {
        let mut bytes = [2; 32];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        cache.insert(Wtxid::from_bytes(bytes), &[], Height::new(1));
    }
    assert!(!cache.is_good(&wtxid, &[coin(6)], Height::new(10)), "the oldest are forgotten");
}

#[test]
fn change_sets_tell_the_net_effect() {
    let (index, ids) = line(4);
    let [a, b, c] = [1, 2, 3].map(|at| index.get(ids[at]).hash);
    let mut writes = Writes::default();
    // Up to b, back to a, up to c.
    for step in [a, b] {
        writes.connected(step);
    }
    writes.disconnected(b);
    writes.connected(c);
    writes.seal(&index, None);
    // Down from c and up again: nothing.
    writes.disconnected(c);
    writes.connected(c);
    assert!(writes.tip_moved());
    writes.seal(&index, None);
    // Down two, up one other.
    writes.disconnected(c);
    writes.disconnected(a);
    writes.connected(b);
    writes.seal(&index, None);
    let sets: Vec<ChangeSet> = std::iter::from_fn(|| writes.take()).collect();
    assert_eq!((&sets[0].disconnected[..], &sets[0].connected[..]), (&[][..], &[a, c][..]));
    assert_eq!((&sets[1].disconnected[..], &sets[1].connected[..]), (&[][..], &[][..]));
    assert_eq!((&sets[2].disconnected[..], &sets[2].connected[..]), (&[c, a][..], &[b][..]));
}

#[test]
fn memory_store_refuses_what_does_not_fit_and_changes_nothing() {
    let store = MemoryStore::new();
    let tip = Some(BlockHash::from_bytes([1; 32]));
    let coins = BTreeMap::from([(outpoint(1), Some(coin(1))), (outpoint(2), None)]);
    assert!(store.apply(ChangeSet { coins, tip, ..ChangeSet::default() }).is_err());
    assert_eq!(store.tip(), Ok(None));
    assert!(store.coins().is_empty());
}
