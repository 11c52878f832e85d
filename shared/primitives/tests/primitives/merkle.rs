//! Merkle trees: Bitcoin's own example, proofs for every position of every small tree, and repeated leaves.

use proptest::prelude::{any, proptest};
use tally_primitives::hash::{MerkleRoot, Wtxid, sha256d};
use tally_primitives::merkle::{MerkleProof, coinbase_branch, root, root_and_mutation, root_from_branch};

fn leaf(number: usize) -> Wtxid {
    Wtxid::from_bytes(sha256d(&number.to_le_bytes()))
}

fn leaves(count: usize) -> Vec<Wtxid> {
    (0..count).map(leaf).collect()
}

#[test]
fn bitcoins_block_100000_has_its_root() {
    let txids = [
        "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
        "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
        "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
        "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
    ];
    let leaves: Vec<Wtxid> = txids.iter().map(|txid| txid.parse().unwrap()).collect();
    let (root, mutated) = root_and_mutation(&leaves);
    assert_eq!(root.to_string(), "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766");
    assert!(!mutated);
}

#[test]
fn no_leaf_has_the_zero_root_and_one_is_its_own() {
    assert_eq!(root(&[]), MerkleRoot::ZERO);
    assert_eq!(root(&[leaf(1)]).to_bytes(), leaf(1).to_bytes());
}

/// The definition, recursively: pad a level to an even number by repeating its last, then pair.
fn by_definition(row: Vec<[u8; 32]>) -> [u8; 32] {
    if row.len() == 1 {
        return row[0];
    }
    let mut padded = row;
    if padded.len() % 2 == 1 {
        padded.extend_from_within(padded.len() - 1..);
    }
    by_definition(padded.chunks(2).map(|pair| sha256d(&pair.concat())).collect())
}

#[test]
fn every_size_has_the_root_of_the_definition_and_a_proof_for_every_leaf() {
    for count in 1..=70 {
        let leaves = leaves(count);
        let (root, mutated) = root_and_mutation(&leaves);
        assert_eq!(root.to_bytes(), by_definition(leaves.iter().map(|leaf| leaf.to_bytes()).collect()));
        assert!(!mutated);
        for index in 0..count {
            let proof = MerkleProof::new(&leaves, index).expect("there is such a leaf");
            assert!(proof.verify(&leaves[index], &root), "leaf {index} of {count}");
            assert!(!proof.verify(&leaf(1_000), &root), "another leaf at {index} of {count}");
            assert_eq!(proof.siblings.len(), usize::try_from(count.next_power_of_two().trailing_zeros()).unwrap());
        }
        assert_eq!(MerkleProof::new(&leaves, count), None);
    }
}

#[test]
fn a_coinbase_branch_gives_the_root_for_any_coinbase() {
    for count in 1..=40 {
        let mut leaves = leaves(count);
        let branch = coinbase_branch(&leaves[1..]);
        for coinbase in [leaf(0), leaf(777)] {
            leaves[0] = coinbase;
            assert_eq!(root_from_branch(&coinbase, &branch), root(&leaves), "{count} transactions");
        }
    }
}

#[test]
fn repeated_tails_keep_the_root_and_are_seen() {
    // (leaves, which of them are appended again)
    let cases: [(usize, &[usize]); 7] =
        [(3, &[2]), (5, &[4]), (5, &[4, 4, 4]), (6, &[4, 5]), (7, &[6]), (12, &[8, 9, 10, 11]), (10, &[8, 9])];
    for (count, repeated) in cases {
        let honest = leaves(count);
        let mut mutated = honest.clone();
        mutated.extend(repeated.iter().map(|index| leaf(*index)));
        assert_eq!(root_and_mutation(&mutated), (root(&honest), true), "{count} and {repeated:?}");
    }
}

#[test]
fn equal_leaves_that_are_no_pair_are_no_mutation() {
    // Leaves 1 and 2 are equal, but stand in different pairs: nothing could be left out without changing the root.
    let list = [leaf(0), leaf(1), leaf(1), leaf(2)];
    assert_eq!(root_and_mutation(&list), (root(&list), false));
}

#[test]
fn a_proof_is_for_its_position_in_a_tree_of_its_size() {
    let honest = MerkleProof::new(&leaves(3), 2).unwrap();
    assert!(honest.verify(&leaf(2), &root(&leaves(3))));
    for (index, count) in [(3, 3), (2, 2), (0, 3), (1, 3), (6, 7), (2, 5), (2, 1)] {
        let moved = MerkleProof { index, leaves: count, ..honest.clone() };
        assert!(!moved.verify(&leaf(2), &root(&leaves(3))), "index {index} of {count}");
    }
    // The last leaf of an odd row is its own sibling: a tree of four cannot be passed off as one of three.
    let of_four = MerkleProof::new(&leaves(4), 2).unwrap();
    assert!(of_four.verify(&leaf(2), &root(&leaves(4))));
    let as_of_three = MerkleProof { leaves: 3, ..of_four };
    assert!(!as_of_three.verify(&leaf(2), &root(&leaves(4))));
}

proptest! {
    #[test]
    fn a_changed_proof_fails(count in 2usize..200, at in any::<usize>(), bit in 0usize..256, level in any::<usize>()) {
        let leaves = leaves(count);
        let root = root(&leaves);
        let index = at % count;
        let proof = MerkleProof::new(&leaves, index).expect("there is such a leaf");
        let level = level % proof.siblings.len();
        let mut changed = proof.clone();
        let mut sibling = changed.siblings[level].to_bytes();
        sibling[bit / 8] ^= 1 << (bit % 8);
        changed.siblings[level] = MerkleRoot::from_bytes(sibling);
        assert!(!changed.verify(&leaves[index], &root));
        let mut shorter = proof.clone();
        shorter.siblings.pop();
        assert!(!shorter.verify(&leaves[index], &root));
        let mut longer = proof.clone();
        longer.siblings.push(MerkleRoot::ZERO);
        assert!(!longer.verify(&leaves[index], &root));
        let moved = MerkleProof { index: proof.index ^ 1, ..proof };
        assert!(!moved.verify(&leaves[index], &root));
    }

    #[test]
    fn arbitrary_proofs_never_panic(proof in crate::strategies::proof(), leaf in any::<[u8; 32]>()) {
        assert!(!proof.verify(&Wtxid::from_bytes(leaf), &MerkleRoot::ZERO));
    }
}
