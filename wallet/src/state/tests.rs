use super::{ChangeSet, GAP_LIMIT, Row, State};
use crate::keys::Keychain;

#[test]
fn change_sets_commute_and_never_lower_a_number() {
    let changes = [
        ChangeSet::used(Keychain::Receive, 3),
        ChangeSet::revealed(Keychain::Receive, 7),
        ChangeSet::used(Keychain::Receive, 2),
        ChangeSet::revealed(Keychain::Change, 1),
    ];
    let mut forward = State::default();
    changes.iter().for_each(|change| {
        forward.apply(change);
    });
    let mut merged = ChangeSet::default();
    changes.iter().rev().for_each(|change| merged.merge(change));
    let mut backward = State::default();
    assert!(backward.apply(&merged));
    assert!(!backward.apply(&merged), "nothing new the second time");
    assert_eq!(forward, backward);
    assert_eq!(forward.receive, Row { used: 3, revealed: 7 });
    assert_eq!(forward.change, Row { used: 0, revealed: 1 });
}

#[test]
fn the_next_address_is_the_first_unused_and_the_new_one_was_never_given_out() {
    let row = Row { used: 3, revealed: 7 };
    assert_eq!((row.next_unused(), row.next_new()), (3, 7));
    assert_eq!(row.horizon(), 7 + GAP_LIMIT);
    // Somebody paid an address far ahead (after a restore): what was given out is known to be less than used.
    let row = Row { used: 9, revealed: 2 };
    assert_eq!((row.next_unused(), row.next_new()), (9, 9));
}
