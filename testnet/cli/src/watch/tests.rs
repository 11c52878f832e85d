use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;

use super::{Health, missing};

fn health(tip: u8, peers: u32) -> Option<Health> {
    Some(Health { height: Height::new(5), tip: BlockHash::from_bytes([tip; 32]), peers, waiting: 0 })
}

#[test]
fn in_step_means_answers_links_and_one_tip() {
    let cases = [
        (vec![health(1, 0)], None),
        (vec![None], Some("0 of 1 nodes answer")),
        (vec![health(1, 1), None], Some("1 of 2 nodes answer")),
        (vec![health(1, 1), health(1, 0)], Some("1 of 2 nodes have all their peers")),
        (vec![health(1, 1), health(2, 1)], Some("1 of 2 nodes are at the same tip")),
        (vec![health(1, 3), health(1, 2), health(1, 3), health(1, 2)], None),
        (vec![health(1, 3), health(1, 2), health(1, 2), health(1, 2)], Some("3 of 4 nodes have all their peers")),
    ];
    for (nodes, expected) in cases {
        assert_eq!(missing(&nodes).as_deref(), expected, "{nodes:?}");
    }
}
